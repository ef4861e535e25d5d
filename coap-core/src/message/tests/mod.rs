//! The message layer by theme. A peer's address is a number; every datagram is looked at as it goes out.

mod arrivals;
mod congestion;
mod deduplication;
mod limits;
mod matching;
mod message_ids;
mod multicast;
mod network;
mod retransmission;
mod structures;

use alloc::vec::Vec;
use core::time::Duration;

use coap_codec::{Code, Message, MessageId, MessageType, Options, Rules};
use machine::{Instant, Random};

use super::{Arrival, Event, IncomingId, Interaction, MessageLayer, OutgoingId, Send};
use crate::{Counters, Limits, Refused, Transmission};
use MessageType::{Acknowledgement as ACK, Confirmable as CON, NonConfirmable as NON, Reset as RST};

const CON_REQUEST: Send = Send { confirmable: true, interaction: Interaction::Request, not_before: None };
const NON_REQUEST: Send = Send { confirmable: false, interaction: Interaction::Request, not_before: None };
const CON_RESPONSE: Send = Send { confirmable: true, interaction: Interaction::Response, not_before: None };
const NON_RESPONSE: Send = Send { confirmable: false, interaction: Interaction::Response, not_before: None };
const CON_NOTIFICATION: Send =
    Send { confirmable: true, interaction: Interaction::Notification, not_before: None };
const NON_NOTIFICATION: Send =
    Send { confirmable: false, interaction: Interaction::Notification, not_before: None };
const GROUP: Send = Send { confirmable: false, interaction: Interaction::Group, not_before: None };

/// A whole message with one byte of token and a payload.
fn message(message_type: MessageType, code: Code, id: u16, token: u8, payload: &[u8]) -> Vec<u8> {
    let message = Message {
        message_type,
        code,
        message_id: MessageId::new(id),
        token: &[token],
        options: Options::EMPTY,
        payload,
    };
    let mut datagram = Vec::new();
    message.encode(&mut datagram).unwrap();
    datagram
}

fn empty(message_type: MessageType, id: u16) -> Vec<u8> {
    let mut datagram = Vec::new();
    Message::empty(message_type, MessageId::new(id)).encode(&mut datagram).unwrap();
    datagram
}

/// A message as a caller of the layer makes it: type and id are the layer's affair.
fn body(code: Code, token: u8, payload: &[u8]) -> Vec<u8> {
    message(NON, code, 0, token, payload)
}

fn decode(datagram: &[u8]) -> Message<'_> {
    Message::decode(datagram, &Rules::default()).unwrap()
}

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A message layer with a clock.
struct Node {
    layer: MessageLayer<u8>,
    counters: Counters,
    now: Instant,
}

impl Node {
    fn new() -> Self {
        Self::with(Transmission::default(), Limits::default())
    }

    fn with_limits(limits: Limits) -> Self {
        Self::with(Transmission::default(), limits)
    }

    fn with(transmission: Transmission, limits: Limits) -> Self {
        Self::seeded(transmission, limits, 7)
    }

    fn seeded(transmission: Transmission, limits: Limits, seed: u64) -> Self {
        let layer = MessageLayer::new(transmission, limits, Random::from_u64(seed));
        Self { layer, counters: Counters::default(), now: Instant::EPOCH }
    }

    fn receive(&mut self, from: u8, datagram: &[u8]) -> Arrival {
        self.layer.receive(from, &decode(datagram), false, &mut self.counters, self.now)
    }

    fn receive_multicast(&mut self, from: u8, datagram: &[u8]) -> Arrival {
        self.layer.receive(from, &decode(datagram), true, &mut self.counters, self.now)
    }

    /// A request that must be new.
    fn request(&mut self, from: u8, datagram: &[u8]) -> IncomingId {
        match self.receive(from, datagram) {
            Arrival::Request { incoming, .. } => incoming,
            other => panic!("{other:?}"),
        }
    }

    fn send(&mut self, to: u8, datagram: Vec<u8>, how: Send) -> Result<OutgoingId, Refused> {
        self.layer.send(to, datagram, how, self.now)
    }

    fn send_ok(&mut self, to: u8, how: Send) -> OutgoingId {
        self.send(to, body(Code::GET, 1, b"0123456789"), how).unwrap()
    }

    /// Lets time pass, stopping wherever the layer asks to be stopped.
    fn wait(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(at) = self.layer.next_deadline().filter(|at| *at <= end) {
            self.now = at.max(self.now);
            self.tick();
        }
        self.now = end;
        self.tick();
    }

    fn tick(&mut self) {
        self.layer.tick(&mut self.counters, self.now);
        assert!(self.layer.next_deadline().is_none_or(|at| at > self.now), "a deadline in the past");
    }

    fn sent(&mut self) -> Vec<(u8, Vec<u8>)> {
        core::iter::from_fn(|| self.layer.poll_transmit())
            .map(|(to, datagram)| (to, datagram.to_vec()))
            .collect()
    }

    /// The one datagram that has been sent.
    fn sent_one(&mut self) -> Vec<u8> {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:?}");
        sent.remove(0).1
    }

    fn events(&mut self) -> Vec<Event> {
        core::iter::from_fn(|| self.layer.poll_event()).collect()
    }

    /// Events other than that messages have gone.
    fn outcomes(&mut self) -> Vec<Event> {
        self.events().into_iter().filter(|event| !matches!(event, Event::Sent(_))).collect()
    }
}

fn id_of(datagram: &[u8]) -> u16 {
    decode(datagram).message_id.get()
}

fn type_of(datagram: &[u8]) -> MessageType {
    decode(datagram).message_type
}
