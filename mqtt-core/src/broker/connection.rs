//! One network connection: what is known of the client that speaks on it, for as long as it lasts.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use machine::Instant;
use mqtt_codec::{PacketIdentifier, ProtocolVersion, ReasonCode, SubscriptionOptions};

use super::phase::Phase;
use super::subscriber::SessionKey;
use crate::config::Checks;
use crate::input::{Authentication, ConnectionId};
use crate::message::Message;
use crate::output::Outbox;
use crate::topic_alias::{IncomingAliases, OutgoingAliases};
use crate::will::Will;

#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) phase: Phase,
    pub(crate) version: ProtocolVersion,
    pub(crate) session: Option<SessionKey>,
    /// The beginning of a packet that has not come whole.
    pub(crate) partial: Vec<u8>,
    pub(crate) outbox: Outbox,
    /// `Action::Output` has been said and not all output has left since.
    pub(crate) announced: bool,
    /// The host keeps bytes that were not taken.
    pub(crate) held_up: bool,
    /// The question that its packets wait for.
    pub(crate) waiting: Option<Box<Waiting>>,
    pub(crate) waiting_question: u32,
    /// The delivery that its other deliveries wait for.
    pub(crate) delivery: DeliveryCheck,
    /// The serial of the last question about it.
    pub(crate) last_question: u32,
    pub(crate) checks: Checks,
    pub(crate) authentication_method: Option<Box<str>>,
    /// In seconds; 0 for none.
    pub(crate) keep_alive: u16,
    pub(crate) last_received: Instant,
    /// CONNECT asked for a session expiry above 0: DISCONNECT may change it.
    pub(crate) asked_for_expiry: bool,
    /// The largest packet that the client takes.
    pub(crate) max_packet_size: u32,
    /// How many QoS 1 and 2 messages may be unacknowledged towards the client.
    pub(crate) window: u16,
    pub(crate) incoming_aliases: IncomingAliases,
    pub(crate) outgoing_aliases: OutgoingAliases,
}

/// What the packets of a connection wait for, and what to do when the answer comes.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// `Question::Connect`, or `Question::Authenticate` before CONNACK.
    Connect(PendingConnect),
    /// `Question::Authenticate` after CONNACK.
    Reauthenticate,
    /// `Question::Publish`.
    Publish { message: Arc<Message>, packet_id: Option<PacketIdentifier> },
    /// `Question::Subscribe` for the next filter.
    Subscribe(PendingSubscribe),
    /// Enhanced authentication: not a question, but the client's AUTH. Its packets are looked at.
    ClientAuth(PendingConnect),
}

/// The question about a delivery: the serial in its session's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeliveryCheck {
    None,
    Asked { question: u32, serial: u64 },
    Allowed { serial: u64 },
}

/// A CONNECT that has not been answered.
#[derive(Debug)]
pub(crate) struct PendingConnect {
    pub(crate) version: ProtocolVersion,
    pub(crate) clean_start: bool,
    /// In seconds, as the client asked for.
    pub(crate) keep_alive: u16,
    pub(crate) client_id: Arc<str>,
    /// The broker made the client identifier up.
    pub(crate) assigned: bool,
    /// In seconds, as the client asked for.
    pub(crate) session_expiry: u32,
    pub(crate) receive_maximum: u16,
    pub(crate) topic_alias_maximum: u16,
    pub(crate) wants_response_information: bool,
    pub(crate) will: Option<Box<Will>>,
    pub(crate) authentication: Option<Authentication>,
}

/// A SUBSCRIBE whose filters are still being decided.
#[derive(Debug)]
pub(crate) struct PendingSubscribe {
    pub(crate) packet_id: PacketIdentifier,
    pub(crate) identifier: u32,
    pub(crate) filters: Vec<(Box<str>, SubscriptionOptions)>,
    /// One for each filter that is decided.
    pub(crate) reasons: Vec<ReasonCode>,
}

impl Connection {
    pub(crate) fn new(id: ConnectionId, now: Instant) -> Self {
        Self {
            id,
            phase: Phase::AwaitConnect,
            version: ProtocolVersion::V5,
            session: None,
            partial: Vec::new(),
            outbox: Outbox::default(),
            announced: false,
            held_up: false,
            waiting: None,
            waiting_question: 0,
            delivery: DeliveryCheck::None,
            last_question: 0,
            checks: Checks::default(),
            authentication_method: None,
            keep_alive: 0,
            last_received: now,
            asked_for_expiry: false,
            max_packet_size: mqtt_codec::MAX_PACKET_SIZE,
            window: u16::MAX,
            incoming_aliases: IncomingAliases::default(),
            outgoing_aliases: OutgoingAliases::default(),
        }
    }

    /// When the silence of the client has lasted too long [MQTT-3.1.2-22].
    pub(crate) fn keep_alive_deadline(&self) -> Option<Instant> {
        let tolerated = Duration::from_millis(u64::from(self.keep_alive) * 1500);
        (self.keep_alive > 0).then(|| self.last_received + tolerated)
    }

    /// Whether its packets must not be looked at yet: a question is open, or it does not read what it is answered.
    pub(crate) fn is_blocked(&self, output_high_water: usize) -> bool {
        self.is_waiting() || self.outbox.own_len() > output_high_water.saturating_mul(2)
    }

    /// Whether a question is open that its packets wait for.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.as_deref().is_some_and(|waiting| !matches!(waiting, Waiting::ClientAuth(_)))
    }
}
