//! The message layer together with whom each message under way belongs to.

use alloc::vec::Vec;

use coap_codec::{Code, Message, MessageId, MessageType, Options};
use machine::Instant;

use crate::Refused;
use crate::message::{Event, MessageLayer, OutgoingId, Peer, Send};

/// Names an observer; a stale name names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ObserverId {
    pub(crate) key: u32,
    pub(crate) serial: u32,
}

/// Whom a message under way belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A request of this endpoint: its place among the exchanges.
    Exchange(usize),
    /// A notification: its observer.
    Observer(ObserverId),
}

/// Sends messages and tells their owners what became of them.
#[derive(Debug)]
pub(crate) struct Outbound<P> {
    pub(crate) layer: MessageLayer<P>,
    /// By the slot of a message.
    owners: Vec<Option<(OutgoingId, Owner)>>,
    awaited: usize,
}

impl<P: Peer> Outbound<P> {
    pub(crate) const fn new(layer: MessageLayer<P>) -> Self {
        Self { layer, owners: Vec::new(), awaited: 0 }
    }

    /// Sends a message; what becomes of it is told to its owner, if it has one.
    pub(crate) fn send(
        &mut self,
        to: P,
        datagram: Vec<u8>,
        how: Send,
        owner: Option<Owner>,
        now: Instant,
    ) -> Result<OutgoingId, Refused> {
        let id = self.layer.send(to, datagram, how, now)?;
        if let Some(owner) = owner {
            self.own(id, owner);
        }
        Ok(id)
    }

    /// Messages whose end somebody waits for.
    pub(crate) fn awaited(&self) -> usize {
        self.awaited
    }

    /// Pings a peer.
    pub(crate) fn ping(&mut self, to: P, owner: Owner, now: Instant) -> Result<OutgoingId, Refused> {
        let id = self.layer.ping(to, now)?;
        self.own(id, owner);
        Ok(id)
    }

    /// Its answer has come.
    pub(crate) fn settle(&mut self, id: OutgoingId, now: Instant) {
        self.disown(id);
        self.layer.settle(id, now);
    }

    /// Nobody wants it any more.
    pub(crate) fn cancel(&mut self, id: OutgoingId, now: Instant) {
        self.disown(id);
        self.layer.cancel(id, now);
    }

    /// What became of a message, and whose it is. Messages that nobody waits for are passed over.
    pub(crate) fn poll_event(&mut self) -> Option<(Event, OutgoingId, Owner)> {
        while let Some(event) = self.layer.poll_event() {
            let (id, over) = match event {
                Event::Sent(id) => (id, false),
                Event::Acknowledged(id)
                | Event::Reset(id)
                | Event::TimedOut(id)
                | Event::Unreachable(id)
                | Event::Expired(id) => (id, true),
            };
            let owner = if over { self.disown(id) } else { self.owner(id) };
            if let Some(owner) = owner {
                return Some((event, id, owner));
            }
        }
        None
    }

    /// A whole message; the message layer puts type and message id in.
    pub(crate) fn encode(
        &mut self,
        code: Code,
        token: &[u8],
        options: Options<'_>,
        payload: &[u8],
    ) -> Result<Vec<u8>, Refused> {
        let message = Message {
            message_type: MessageType::NonConfirmable,
            code,
            message_id: MessageId::new(0),
            token,
            options,
            payload,
        };
        let mut datagram = self.layer.buffer();
        datagram.reserve(message.encoded_len());
        message.encode(&mut datagram).map_err(|_| Refused::TooLarge)?;
        Ok(datagram)
    }

    fn own(&mut self, id: OutgoingId, owner: Owner) {
        let slot = id.slot();
        if self.owners.len() <= slot {
            self.owners.resize(slot + 1, None);
        }
        self.awaited += usize::from(self.owners[slot].replace((id, owner)).is_none());
    }

    fn owner(&self, id: OutgoingId) -> Option<Owner> {
        let (of, owner) = (*self.owners.get(id.slot())?)?;
        (of == id).then_some(owner)
    }

    fn disown(&mut self, id: OutgoingId) -> Option<Owner> {
        let owner = self.owner(id)?;
        self.owners[id.slot()] = None;
        self.awaited -= 1;
        Some(owner)
    }
}
