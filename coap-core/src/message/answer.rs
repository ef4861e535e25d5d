//! Answers of the message layer to messages that came.

use alloc::vec::Vec;

use coap_codec::MessageType;
use machine::Instant;

use super::datagram::{self, Datagram};
use super::deduplication::{Event, Reply, State};
use super::table::Key;
use super::{IncomingId, MessageLayer, Peer};

/// All of them do nothing when the message has been answered already, or is forgotten.
impl<P: Peer> MessageLayer<P> {
    /// Sends an Empty acknowledgement; each repetition of the message gets it again. A response comes as a message of its own
    /// from now on (§5.2.2).
    pub(crate) fn acknowledge(&mut self, incoming: IncomingId, _now: Instant) {
        self.answer(incoming.0, Event::Acknowledge);
    }

    /// Rejects the message with a Reset, unless it came by multicast (§8.1).
    pub(crate) fn reset(&mut self, incoming: IncomingId, _now: Instant) {
        self.answer(incoming.0, Event::Reject);
    }

    /// Stays silent, at this message and its repetitions.
    pub(crate) fn ignore(&mut self, incoming: IncomingId) {
        self.answer(incoming.0, Event::Ignore);
    }

    /// Whether the response may go in the acknowledgement.
    #[cfg(test)]
    pub(crate) fn can_piggyback(&self, incoming: IncomingId) -> bool {
        self.remembered.get(incoming.0).is_some_and(|message| message.state == State::Confirmable)
    }

    /// Sends a response in the acknowledgement (§5.2.1), and keeps it for repetitions. `datagram` is a whole message, whose
    /// type and message id are overwritten. Given back when the message has been answered already.
    pub(crate) fn piggyback(&mut self, incoming: IncomingId, mut datagram: Vec<u8>) -> Result<(), Vec<u8>> {
        let message = self.remembered.get(incoming.0).filter(|message| message.state == State::Confirmable);
        let Some(message) = message else { return Err(datagram) };
        datagram::address(&mut datagram, MessageType::Acknowledgement, message.message_id);
        let address = self.peers.at(message.peer).address;
        self.transmit.push_back((address, Datagram::copy(&datagram)));
        let event = match self.remembered.keep_answer(&mut self.peers, incoming.0, datagram) {
            Ok(()) => Event::Piggyback,
            Err(datagram) => {
                self.recycle(datagram);
                // A repetition gets nothing then, which is better than to process it again.
                self.lost_answers += 1;
                Event::Ignore
            }
        };
        let (state, _) = State::Confirmable.on(event);
        self.remembered.set_state(&mut self.peers, incoming.0, state);
        Ok(())
    }

    pub(super) fn answer(&mut self, key: Key, event: Event) {
        let Some(message) = self.remembered.get(key) else { return };
        let (state, reply) = message.state.on(event);
        let address = self.peers.at(message.peer).address;
        let datagram = match reply {
            Reply::Nothing => None,
            Reply::Acknowledgement => Some(Datagram::empty(MessageType::Acknowledgement, message.message_id)),
            Reply::Answer => Some(Datagram::copy(&message.answer)),
            Reply::Reset => Some(Datagram::empty(MessageType::Reset, message.message_id)),
        };
        self.remembered.set_state(&mut self.peers, key, state);
        self.transmit.extend(datagram.map(|datagram| (address, datagram)));
    }
}
