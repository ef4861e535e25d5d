//! Messages on their way in: the receiver's side of QoS 2, "method B" of MQTT 5 §4.3.3 (figure 4.3): a message is passed
//! on when its PUBLISH arrives, and its packet identifier is remembered until PUBREL.
//!
//! ```text
//!            PUBLISH: deliver, PUBREC          PUBREL: PUBCOMP
//!   unknown ───────────────────────▶ received ─────────────────▶ unknown
//!      │ PUBREL: PUBCOMP 0x92           │ PUBLISH: PUBREC, no delivery
//!      └──────▶ unknown                 └──────▶ received
//! ```

use alloc::vec::Vec;

use mqtt_codec::PacketIdentifier;

/// The packet identifiers of QoS 2 messages that have been received but not released.
#[derive(Clone, Debug, Default)]
pub(crate) struct Incoming {
    /// Sorted.
    received: Vec<PacketIdentifier>,
}

/// What a PUBLISH with QoS 2 calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// Pass it on and answer PUBREC.
    New,
    /// Answer PUBREC only: it has been passed on.
    Repeated,
    /// The sender has more messages unreleased than it may.
    TooMany,
}

impl Incoming {
    /// What a PUBLISH is that arrived; at most `limit` may be unreleased.
    #[inline]
    pub(crate) fn arrival(&self, id: PacketIdentifier, limit: u16) -> Arrival {
        match self.received.binary_search(&id) {
            Ok(_) => Arrival::Repeated,
            Err(_) if self.received.len() >= usize::from(limit) => Arrival::TooMany,
            Err(_) => Arrival::New,
        }
    }

    /// The message has been passed on: from now on its PUBLISH is a repetition.
    pub(crate) fn remember(&mut self, id: PacketIdentifier) {
        if let Err(place) = self.received.binary_search(&id) {
            self.received.insert(place, id);
        }
    }

    /// PUBREL arrived: forgets the identifier, and says whether it was known.
    #[inline]
    pub(crate) fn release(&mut self, id: PacketIdentifier) -> bool {
        let known = self.received.binary_search(&id);
        if let Ok(place) = known {
            self.received.remove(place);
        }
        known.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u16) -> PacketIdentifier {
        PacketIdentifier::new(number).unwrap()
    }

    #[test]
    fn any_number_of_repeats_is_no_second_delivery() {
        let mut incoming = Incoming::default();
        assert_eq!(incoming.arrival(id(7), 10), Arrival::New);
        incoming.remember(id(7));
        for _ in 0..5 {
            assert_eq!(incoming.arrival(id(7), 10), Arrival::Repeated);
        }
        assert!(incoming.release(id(7)));
        assert!(!incoming.release(id(7)));
        assert_eq!(incoming.arrival(id(7), 10), Arrival::New);
    }

    #[test]
    fn a_message_that_was_not_passed_on_is_new_when_it_comes_again() {
        let incoming = Incoming::default();
        assert_eq!(incoming.arrival(id(7), 10), Arrival::New);
        assert_eq!(incoming.arrival(id(7), 10), Arrival::New);
    }

    #[test]
    fn unreleased_messages_are_limited_but_repeats_are_not() {
        let mut incoming = Incoming::default();
        incoming.remember(id(9));
        assert_eq!(incoming.arrival(id(3), 2), Arrival::New);
        incoming.remember(id(3));
        assert_eq!(incoming.arrival(id(5), 2), Arrival::TooMany);
        assert_eq!(incoming.arrival(id(3), 2), Arrival::Repeated);
        assert_eq!(incoming.received, [id(3), id(9)]);
    }
}
