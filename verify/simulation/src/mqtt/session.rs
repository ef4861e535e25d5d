//! A client's session: what it must remember from one connection to the next (MQTT 5 §4.1).

use std::collections::{BTreeMap, BTreeSet};

/// Session state of a client.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// Messages of QoS 1 and 2 that are not done, in the order in which they were sent.
    pub(crate) outgoing: Vec<Outgoing>,
    /// QoS 2 messages that came and were not released.
    pub(crate) incoming: BTreeSet<u16>,
    /// SUBSCRIBE and UNSUBSCRIBE that are not answered. Only for the connection: they are made anew on the next.
    pub(crate) requests: BTreeMap<u16, Request>,
    last_id: u16,
}

/// A message that is not done.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) packet_id: u16,
    /// The message's number.
    pub(crate) number: usize,
    /// PUBREC has come: only PUBREL is sent from now on.
    pub(crate) released: bool,
}

/// What waits for SUBACK or UNSUBACK: the place of a subscription in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Request {
    Subscribe(usize),
    Unsubscribe(usize),
}

impl Session {
    /// A packet identifier that is not in use.
    pub(crate) fn take_id(&mut self) -> u16 {
        loop {
            self.last_id = self.last_id % 200 + 1;
            let id = self.last_id;
            if !self.requests.contains_key(&id) && self.outgoing.iter().all(|message| message.packet_id != id)
            {
                return id;
            }
        }
    }

    pub(crate) fn find(&mut self, packet_id: u16) -> Option<&mut Outgoing> {
        self.outgoing.iter_mut().find(|message| message.packet_id == packet_id)
    }

    pub(crate) fn remove(&mut self, packet_id: u16) {
        self.outgoing.retain(|message| message.packet_id != packet_id);
    }
}
