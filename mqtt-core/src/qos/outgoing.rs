//! Messages on their way out: the sender's side of QoS 1 and 2 (MQTT 5 §4.3.2, §4.3.3).
//!
//! ```text
//!   QoS 1   PUBLISH ──▶ AwaitPubAck ──PUBACK──▶ done
//!
//!   QoS 2   PUBLISH ──▶ AwaitPubRec ──PUBREC──▶ AwaitPubComp ──PUBCOMP──▶ done
//!                         │                       │ ▲
//!                         └─PUBREC ≥ 0x80─▶ done  └─┘ PUBREC: PUBREL again
//!                                                   PUBREC ≥ 0x80 ─▶ done
//! ```
//! From `AwaitPubComp` on nothing but PUBREL is ever sent: the message itself is forgotten at PUBREC.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::fmt::Debug;

use mqtt_codec::{PacketIdentifier, QoS};

/// What is kept of a message.
pub(crate) trait Sent {
    /// What is still known of it once the peer has it.
    type Released: Copy + Debug + Eq;

    fn released(&self) -> Self::Released;
}

/// The unacknowledged messages of one session, in the order in which they were sent.
///
/// A packet identifier is the number of a slot, so that an acknowledgement finds its message at once; a free slot waits in
/// line before it is used again, so that a stray acknowledgement is unlikely to meet a new message.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing<M: Sent> {
    slots: Vec<Slot<M>>,
    free: VecDeque<u16>,
    /// The packet identifier of the first slot, less one.
    offset: u16,
    reserved: u16,
    next_sequence: u64,
    /// After a reconnection: what has not been sent again yet, in order.
    resend: VecDeque<PacketIdentifier>,
}

#[derive(Clone, Debug)]
struct Slot<M: Sent> {
    /// Orders messages by their PUBLISH, and releases by their PUBREC [MQTT-4.6.0-1, MQTT-4.6.0-4].
    sequence: u64,
    state: State<M>,
}

/// Where one message stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State<M: Sent> {
    /// The packet identifier is unused.
    Free,
    /// The packet identifier is that of a SUBSCRIBE or UNSUBSCRIBE.
    Reserved,
    /// QoS 1, sent.
    AwaitPubAck(M),
    /// QoS 2, sent.
    AwaitPubRec(M),
    /// QoS 2, received by the peer.
    AwaitPubComp(M::Released),
}

/// What the peer answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "the packets' names")]
pub(crate) enum Acknowledgement {
    PubAck,
    /// PUBREC with a reason below 0x80.
    PubRec,
    /// PUBREC with a reason of 0x80 or above.
    PubRecError,
    PubComp,
}

/// What follows from an acknowledgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome<M: Sent> {
    /// The message is done, its identifier free.
    Done(M),
    /// The release is done, its identifier free.
    Released(M::Released),
    /// The message is with the peer: send PUBREL, and never the message again.
    Release(M),
    /// Send PUBREL again.
    ReleaseAgain,
    /// No message has this identifier.
    Unknown,
    /// The acknowledgement is of the wrong kind for this message.
    OutOfPlace,
}

impl<M: Sent> Default for Outgoing<M> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: VecDeque::new(),
            offset: 0,
            reserved: 0,
            next_sequence: 0,
            resend: VecDeque::new(),
        }
    }
}

impl<M: Sent> Outgoing<M> {
    /// Messages whose packet identifiers begin somewhere in the middle: for a session that the peer may remember better than
    /// we do, so that a QoS 2 message is hardly taken for a forgotten one whose identifier the peer still holds.
    pub(crate) fn starting_at(first: PacketIdentifier) -> Self {
        Self { offset: first.get() - 1, ..Self::default() }
    }

    /// Messages that count towards the receive maximum: all that are not done, less those still to be sent again.
    pub(crate) fn in_flight(&self) -> usize {
        self.len() - self.resend.len()
    }

    /// Whether messages that the last connection left unacknowledged wait to be sent again.
    #[inline]
    pub(crate) fn is_resending(&self) -> bool {
        !self.resend.is_empty()
    }

    /// Messages that are not done.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len() - usize::from(self.reserved)
    }

    /// Gives a new message of QoS 1 or 2 its packet identifier; `None` when `window` messages are in flight.
    #[inline]
    pub(crate) fn send(&mut self, qos: QoS, message: M, window: u16) -> Result<PacketIdentifier, M> {
        if self.len() >= usize::from(window) {
            return Err(message);
        }
        let Some(id) = self.vacant() else { return Err(message) };
        self.occupy(id, state_after_publish(qos, message));
        Ok(id)
    }

    /// Applies an acknowledgement: the whole table of the sender's side.
    #[inline]
    pub(crate) fn acknowledge(&mut self, id: PacketIdentifier, event: Acknowledgement) -> Outcome<M> {
        use Acknowledgement::{PubAck, PubComp, PubRec, PubRecError};
        let place = self.place(id);
        let Some(slot) = self.slots.get_mut(place) else { return Outcome::Unknown };
        if !self.resend.is_empty() {
            // By a peer that is ahead of itself: what it has acknowledged need not be sent again.
            self.resend.retain(|&waiting| waiting != id);
        }
        match (core::mem::replace(&mut slot.state, State::Free), event) {
            (State::Free, PubAck | PubRec | PubRecError | PubComp) => Outcome::Unknown,
            (State::AwaitPubRec(message), PubRec) => {
                slot.state = State::AwaitPubComp(message.released());
                slot.sequence = self.next_sequence;
                self.next_sequence += 1;
                Outcome::Release(message)
            }
            (State::AwaitPubAck(message), PubAck) | (State::AwaitPubRec(message), PubRecError) => {
                self.free.push_back(id.get());
                Outcome::Done(message)
            }
            (state @ State::AwaitPubComp(_), PubRec) => {
                slot.state = state;
                Outcome::ReleaseAgain
            }
            (State::AwaitPubComp(released), PubRecError | PubComp) => {
                self.free.push_back(id.get());
                Outcome::Released(released)
            }
            (state @ State::Reserved, PubAck | PubRec | PubRecError | PubComp)
            | (state @ State::AwaitPubAck(_), PubRec | PubRecError | PubComp)
            | (state @ State::AwaitPubRec(_), PubAck | PubComp)
            | (state @ State::AwaitPubComp(_), PubAck) => {
                slot.state = state;
                Outcome::OutOfPlace
            }
        }
    }

    /// The connection is gone: everything that is not done will be sent again on the next one, in order.
    pub(crate) fn interrupt(&mut self) {
        if self.len() == 0 && self.reserved == 0 {
            // A busy window's memory is not kept for a client that may never come back.
            *self = Self { offset: self.offset, next_sequence: self.next_sequence, ..Self::default() };
            return;
        }
        self.resend = self.in_order().into();
    }

    fn in_order(&self) -> Vec<PacketIdentifier> {
        let mut order: Vec<_> = self.iter().map(|(id, sequence, _)| (sequence, id)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, id)| id).collect()
    }

    /// The next message or release to send again; a message only while fewer than `window` are in flight
    /// (MQTT 5 §4.9: the quota is made anew with each connection, and never holds up a PUBREL).
    pub(crate) fn next_resend(&mut self, window: u16) -> Option<(PacketIdentifier, &State<M>)> {
        let id = *self.resend.front()?;
        let release = matches!(self.state(id), Some(State::AwaitPubComp(_)));
        if !release && self.in_flight() >= usize::from(window) {
            return None;
        }
        self.resend.pop_front();
        self.state(id).map(|state| (id, state))
    }

    /// Takes out everything that is not done, in order.
    pub(crate) fn drain(&mut self) -> Vec<State<M>> {
        let order = self.in_order();
        let emptied = Self { offset: self.offset, ..Self::default() };
        let mut slots = core::mem::replace(self, emptied).slots;
        let take = |id| {
            let slot = slots.get_mut(self.place(id))?;
            Some(core::mem::replace(&mut slot.state, State::Free))
        };
        order.into_iter().filter_map(take).collect()
    }

    /// Everything that is not done, with its place in the order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PacketIdentifier, u64, &State<M>)> {
        self.slots.iter().enumerate().filter_map(|(place, slot)| match slot.state {
            State::Free | State::Reserved => None,
            _ => Some((self.id(place)?, slot.sequence, &slot.state)),
        })
    }

    /// Puts back what was in flight before a restart, behind all others.
    pub(crate) fn restore(&mut self, id: PacketIdentifier, state: State<M>) {
        while self.slots.len() <= self.place(id) {
            let Some(vacant) = self.id(self.slots.len()) else { return };
            self.slots.push(Slot { sequence: 0, state: State::Free });
            self.free.push_back(vacant.get());
        }
        self.free.retain(|&free| free != id.get());
        self.occupy(id, state);
    }

    /// Forgets what has this identifier, whatever its state.
    pub(crate) fn forget(&mut self, id: PacketIdentifier) {
        let place = self.place(id);
        let Some(slot) = self.slots.get_mut(place) else { return };
        match core::mem::replace(&mut slot.state, State::Free) {
            State::Free => return,
            State::Reserved => self.reserved -= 1,
            State::AwaitPubAck(_) | State::AwaitPubRec(_) | State::AwaitPubComp(_) => {}
        }
        self.free.push_back(id.get());
    }

    /// An identifier for a SUBSCRIBE or UNSUBSCRIBE, until it is [forgotten](Self::forget).
    pub(crate) fn reserve(&mut self) -> Option<PacketIdentifier> {
        let id = self.vacant()?;
        let place = self.place(id);
        self.slots[place].state = State::Reserved;
        self.reserved += 1;
        Some(id)
    }

    /// What has this identifier.
    pub(crate) fn state(&self, id: PacketIdentifier) -> Option<&State<M>> {
        self.slots
            .get(self.place(id))
            .map(|slot| &slot.state)
            .filter(|state| !matches!(state, State::Free | State::Reserved))
    }

    #[inline]
    fn vacant(&mut self) -> Option<PacketIdentifier> {
        if let Some(number) = self.free.pop_front() {
            return PacketIdentifier::new(number);
        }
        let id = self.id(self.slots.len())?;
        self.slots.push(Slot { sequence: 0, state: State::Free });
        Some(id)
    }

    #[inline]
    fn occupy(&mut self, id: PacketIdentifier, state: State<M>) {
        let place = self.place(id);
        self.slots[place] = Slot { sequence: self.next_sequence, state };
        self.next_sequence += 1;
    }

    /// The slot that an identifier stands for: they go round, without 0.
    fn place(&self, id: PacketIdentifier) -> usize {
        let before = id.get() - 1;
        let place = before.checked_sub(self.offset);
        usize::from(place.unwrap_or_else(|| before + (u16::MAX - self.offset)))
    }

    /// The identifier of a slot; `None` behind the last.
    fn id(&self, place: usize) -> Option<PacketIdentifier> {
        let place = u16::try_from(place).ok().filter(|place| *place < u16::MAX)?;
        let before = place.checked_sub(u16::MAX - self.offset).unwrap_or_else(|| place + self.offset);
        PacketIdentifier::new(before + 1)
    }
}

fn state_after_publish<M: Sent>(qos: QoS, message: M) -> State<M> {
    match qos {
        QoS::ExactlyOnce => State::AwaitPubRec(message),
        QoS::AtMostOnce | QoS::AtLeastOnce => State::AwaitPubAck(message),
    }
}

#[cfg(test)]
mod tests {
    use super::Acknowledgement::{PubAck, PubComp, PubRec, PubRecError};
    use super::*;

    impl Sent for &str {
        type Released = usize;

        fn released(&self) -> usize {
            self.len()
        }
    }

    impl Sent for () {
        type Released = ();

        fn released(&self) {}
    }

    fn started(qos: QoS) -> (Outgoing<&'static str>, PacketIdentifier) {
        let mut outgoing = Outgoing::default();
        let id = outgoing.send(qos, "m", 10).unwrap();
        (outgoing, id)
    }

    /// Every state × event, against the table of MQTT 5 §4.3.
    #[test]
    fn state_event_table() {
        let table: [(&str, [Outcome<&str>; 4]); 5] = [
            // state            PUBACK                PUBREC                  PUBREC ≥ 0x80         PUBCOMP
            ("free", [Outcome::Unknown, Outcome::Unknown, Outcome::Unknown, Outcome::Unknown]),
            (
                "reserved",
                [Outcome::OutOfPlace, Outcome::OutOfPlace, Outcome::OutOfPlace, Outcome::OutOfPlace],
            ),
            (
                "await-puback",
                [Outcome::Done("m"), Outcome::OutOfPlace, Outcome::OutOfPlace, Outcome::OutOfPlace],
            ),
            (
                "await-pubrec",
                [Outcome::OutOfPlace, Outcome::Release("m"), Outcome::Done("m"), Outcome::OutOfPlace],
            ),
            (
                "await-pubcomp",
                [Outcome::OutOfPlace, Outcome::ReleaseAgain, Outcome::Released(1), Outcome::Released(1)],
            ),
        ];
        for (state, outcomes) in table {
            for (event, expected) in [PubAck, PubRec, PubRecError, PubComp].into_iter().zip(outcomes) {
                let (mut outgoing, id) = match state {
                    "await-puback" => started(QoS::AtLeastOnce),
                    _ => started(QoS::ExactlyOnce),
                };
                match state {
                    "free" => _ = outgoing.acknowledge(id, PubRecError),
                    "reserved" => {
                        outgoing.acknowledge(id, PubRecError);
                        assert_eq!(outgoing.reserve().unwrap(), id);
                    }
                    "await-pubcomp" => _ = outgoing.acknowledge(id, PubRec),
                    _ => {}
                }
                assert_eq!(outgoing.acknowledge(id, event), expected, "{state} × {event:?}");
            }
        }
    }

    #[test]
    fn identifiers_are_never_zero_never_in_use_twice_and_run_out() {
        for first in [1, 2, 40_000, u16::MAX].map(|first| PacketIdentifier::new(first).unwrap()) {
            let mut outgoing = Outgoing::starting_at(first);
            let mut ids: Vec<_> =
                (0..u16::MAX).map(|_| outgoing.send(QoS::AtLeastOnce, (), u16::MAX).unwrap()).collect();
            assert_eq!(ids[0], first);
            assert_eq!(outgoing.send(QoS::AtLeastOnce, (), u16::MAX), Err(()));
            assert!(outgoing.iter().map(|(id, ..)| id).eq(ids.iter().copied()));
            ids.sort_unstable();
            ids.dedup();
            assert_eq!(ids.len(), usize::from(u16::MAX));
            outgoing.acknowledge(ids[77], PubAck);
            assert_eq!(outgoing.send(QoS::AtLeastOnce, (), u16::MAX), Ok(ids[77]));
        }
    }

    #[test]
    fn identifiers_begin_where_they_began_after_an_interruption_and_a_lost_session() {
        let first = PacketIdentifier::new(u16::MAX).unwrap();
        let mut outgoing = Outgoing::starting_at(first);
        assert_eq!(outgoing.send(QoS::ExactlyOnce, "a", 2), Ok(first));
        assert_eq!(outgoing.drain(), [State::AwaitPubRec("a")]);
        assert_eq!(outgoing.send(QoS::ExactlyOnce, "b", 2), Ok(first));
        outgoing.acknowledge(first, PubRecError);
        outgoing.interrupt();
        assert_eq!(outgoing.send(QoS::ExactlyOnce, "c", 2), Ok(first));
        assert_eq!(outgoing.send(QoS::ExactlyOnce, "d", 2).unwrap().get(), 1);
    }

    #[test]
    fn the_window_counts_until_puback_or_pubcomp_not_until_pubrec() {
        let (mut outgoing, id) = started(QoS::ExactlyOnce);
        assert!(outgoing.send(QoS::AtLeastOnce, "n", 1).is_err());
        outgoing.acknowledge(id, PubRec);
        assert!(outgoing.send(QoS::AtLeastOnce, "n", 1).is_err());
        outgoing.acknowledge(id, PubComp);
        assert!(outgoing.send(QoS::AtLeastOnce, "n", 1).is_ok());
    }

    #[test]
    fn resends_in_original_order_and_releases_instead_of_publishing() {
        let mut outgoing = Outgoing::default();
        let ids: Vec<_> = ["a", "b", "c", "d"]
            .map(|m| outgoing.send(QoS::ExactlyOnce, m, 10).unwrap())
            .into_iter()
            .collect();
        outgoing.acknowledge(ids[1], PubRec);
        outgoing.acknowledge(ids[0], PubRec);
        outgoing.acknowledge(ids[0], PubComp);
        let reused = outgoing.send(QoS::AtLeastOnce, "e", 10).unwrap();
        outgoing.interrupt();
        let mut again = Vec::new();
        while let Some((id, state)) = outgoing.next_resend(10) {
            again.push((id, state.clone()));
        }
        assert_eq!(
            again,
            [
                (ids[2], State::AwaitPubRec("c")),
                (ids[3], State::AwaitPubRec("d")),
                (ids[1], State::AwaitPubComp(1)),
                (reused, State::AwaitPubAck("e")),
            ]
        );
    }

    #[test]
    fn a_smaller_window_after_reconnection_holds_back_messages_but_no_release() {
        let mut outgoing = Outgoing::default();
        let ids: Vec<_> =
            ["a", "b", "c"].map(|m| outgoing.send(QoS::ExactlyOnce, m, 10).unwrap()).into_iter().collect();
        outgoing.interrupt();
        assert!(matches!(outgoing.next_resend(1), Some((id, State::AwaitPubRec("a"))) if id == ids[0]));
        assert!(outgoing.next_resend(1).is_none());
        outgoing.acknowledge(ids[0], PubRecError);
        assert!(matches!(outgoing.next_resend(1), Some((id, _)) if id == ids[1]));
    }
}
