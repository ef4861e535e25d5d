//! Messages that are sent again until they are answered (§6.13).

use bytes::Bytes;
use machine::Instant;
use mqttsn_codec::{MessageId, Packet};

use super::phase::Event;
use super::{Action, Client, Phase, Timer};

/// One open transaction of each kind is allowed (§6.5, §6.6, §6.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slot {
    /// CONNECT, WILLTOPIC, WILLMSG, DISCONNECT.
    Connection,
    Ping,
    Register,
    /// SUBSCRIBE or UNSUBSCRIBE.
    Request,
    /// PUBLISH of QoS 1 or 2, PUBREL.
    Publish,
    WillTopic,
    WillMessage,
}

impl Slot {
    pub(super) const ALL: [Self; 7] = [
        Self::Connection,
        Self::Ping,
        Self::Register,
        Self::Request,
        Self::Publish,
        Self::WillTopic,
        Self::WillMessage,
    ];
}

/// What waits for an answer, by its slot.
pub(super) type Transactions = [Option<Transaction>; Slot::ALL.len()];

/// A message that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Transaction {
    /// What is sent again.
    datagram: Bytes,
    /// How often, still.
    left: u32,
}

impl<P: Clone + Ord> Client<P> {
    /// Sends a message until it is answered.
    pub(super) fn start(&mut self, slot: Slot, packet: &Packet<'_>, now: Instant) {
        self.start_with(slot, packet, packet, now);
    }

    /// Sends a message, and another one in its place if it has to be sent again: with DUP.
    pub(super) fn start_with(&mut self, slot: Slot, first: &Packet<'_>, again: &Packet<'_>, now: Instant) {
        self.send(first, now);
        let transaction = Transaction { datagram: encode(again), left: self.config.retries };
        self.open[slot as usize] = Some(transaction);
        self.deadlines.set(Timer::Retry(slot), now + self.config.retry_interval);
    }

    pub(super) fn is_open(&self, slot: Slot) -> bool {
        self.open[slot as usize].is_some()
    }

    /// The answer has come; `false` if none was awaited.
    pub(super) fn finish(&mut self, slot: Slot) -> bool {
        self.deadlines.cancel(Timer::Retry(slot));
        self.open[slot as usize].take().is_some()
    }

    pub(super) fn finish_all(&mut self) {
        for slot in Slot::ALL {
            self.finish(slot);
        }
    }

    /// The answer takes its time, but the gateway is there.
    pub(super) fn be_patient(&mut self, slot: Slot, now: Instant) {
        if self.is_open(slot) {
            self.deadlines.set(Timer::Retry(slot), now + self.config.retry_interval);
        }
    }

    pub(super) fn retry(&mut self, slot: Slot, now: Instant) {
        let Some(transaction) = &mut self.open[slot as usize] else { return };
        let Some(left) = transaction.left.checked_sub(1) else {
            self.exhausted(slot, now);
            return;
        };
        transaction.left = left;
        let datagram = transaction.datagram.clone();
        self.counters.retransmissions += 1;
        self.send_datagram(datagram, now);
        self.deadlines.set(Timer::Retry(slot), now + self.config.retry_interval);
    }

    /// The gateway counts as lost. What it does not answer although it answers CONNECT, again and again, is given up;
    /// a message is not.
    fn exhausted(&mut self, slot: Slot, now: Instant) {
        match slot {
            Slot::Register => self.registration_unanswered(),
            Slot::Request => self.request_unanswered(),
            Slot::WillTopic | Slot::WillMessage => self.will_unanswered(),
            Slot::Connection | Slot::Ping | Slot::Publish => {}
        }
        if self.phase == Phase::Awake {
            self.counters.failed_checks += 1;
            self.failed_checks += 1;
            if self.failed_checks >= 2 {
                self.step(Event::GiveUp, now);
                return;
            }
        }
        self.step(Event::Exhausted, now);
    }

    /// Sends a message to the gateway, once.
    pub(super) fn send(&mut self, packet: &Packet<'_>, now: Instant) {
        self.send_datagram(encode(packet), now);
    }

    fn send_datagram(&mut self, datagram: Bytes, now: Instant) {
        if let Some(to) = self.gateway.clone() {
            self.last_sent = now;
            self.actions.push_back(Action::Send { to, datagram });
        }
    }

    /// A MsgId that no open transaction has.
    pub(super) fn take_message_id(&mut self) -> MessageId {
        let taken = [
            self.flight.as_ref().map(|flight| flight.message_id),
            self.request.as_ref().map(|(_, id)| *id),
            self.registering.as_ref().map(|(_, id)| *id),
        ];
        let mut id = self.next_message_id;
        while taken.contains(&Some(id)) {
            id = id.next();
        }
        self.next_message_id = id.next();
        id
    }
}

/// What was checked before fits into a message.
pub(super) fn encode(packet: &Packet<'_>) -> Bytes {
    let mut datagram = alloc::vec::Vec::with_capacity(packet.encoded_len().unwrap_or_default());
    let written = packet.encode(&mut datagram);
    debug_assert!(written.is_ok(), "{packet:?}");
    datagram.into()
}
