//! A client and its session.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use machine::Instant;
use mqtt_codec::QoS;
use mqttsn_codec::{MessageId, TopicId};

use super::config::Config;
use super::inbound::Inbound;
use super::io::Address;
use super::outbound::Slot;
use super::queue::Queue;
use super::state::State;
use super::topics::Topics;

/// A client, in the gateway's list; the serial tells it from later ones at the same place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PeerKey {
    pub(super) index: u32,
    pub(super) serial: u32,
}

/// What the gateway knows of a client.
#[derive(Debug)]
pub(super) struct Peer<P> {
    pub(super) address: Address<P>,
    pub(super) client_id: Arc<str>,
    pub(super) topics: Topics,
    pub(super) queue: Queue,
    pub(super) inbound: Inbound,
    pub(super) requests: Vec<Request>,
    pub(super) past: PastRequests,
    /// Predefined topic ids that it has subscribed to.
    pub(super) predefined: Vec<TopicId>,
    pub(super) slot: Option<Box<Slot>>,
    pub(super) will: Option<Box<Will>>,
    /// When it was last heard of.
    pub(super) heard: Instant,
    /// When its CONNECT was last answered.
    pub(super) accepted: Instant,
    /// Its connection to the server (transparent).
    pub(super) link: Option<u32>,
    pub(super) serial: u32,
    pub(super) last_id: MessageId,
    pub(super) keep_alive: u16,
    pub(super) sleep: u16,
    pub(super) state: State,
    /// The session ends with the connection.
    pub(super) clean: bool,
    /// It has sent something after its CONNECT.
    pub(super) busy: bool,
    /// The server has another will than this one (transparent).
    pub(super) will_changed: bool,
}

/// A will.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Will {
    pub(super) topic: Box<str>,
    pub(super) message: Box<[u8]>,
    pub(super) qos: QoS,
    pub(super) retain: bool,
}

/// A SUBSCRIBE or UNSUBSCRIBE that is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) id: MessageId,
    pub(super) kind: RequestKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RequestKind {
    /// With the `TopicId` for SUBACK.
    Subscribe {
        topic_id: u16,
    },
    Unsubscribe,
}

/// Requests that another one has followed: a client has one at a time, so that what comes of them now is a copy which the
/// network held back. It must not undo what came after it.
#[derive(Debug, Default)]
pub(super) struct PastRequests {
    latest: Option<MessageId>,
    past: Vec<(MessageId, Instant)>,
}

impl PastRequests {
    /// Past requests that are remembered, of one client.
    const MAX: usize = 4;

    /// Whether this is a copy of one of them. Otherwise it is the latest now, and those before are remembered for a while.
    pub(super) fn is_late_copy(&mut self, id: MessageId, window: Duration, now: Instant) -> bool {
        if self.latest == Some(id) {
            return false;
        }
        self.past.retain(|(_, until)| *until > now);
        if self.past.iter().any(|(past, _)| *past == id) {
            return true;
        }
        if let Some(followed) = self.latest.replace(id) {
            if self.past.len() >= Self::MAX {
                self.past.remove(0);
            }
            self.past.push((followed, now + window));
        }
        false
    }
}

impl<P> Peer<P> {
    pub(super) fn new(address: Address<P>, client_id: Arc<str>, serial: u32, now: Instant) -> Self {
        Self {
            address,
            client_id,
            topics: Topics::default(),
            queue: Queue::default(),
            inbound: Inbound::default(),
            requests: Vec::new(),
            past: PastRequests::default(),
            predefined: Vec::new(),
            slot: None,
            will: None,
            heard: now,
            accepted: now,
            link: None,
            serial,
            last_id: MessageId::MAX,
            keep_alive: 0,
            sleep: 0,
            state: State::Disconnected,
            clean: true,
            busy: false,
            will_changed: false,
        }
    }

    /// The next MsgId for what the gateway sends.
    pub(super) fn take_id(&mut self) -> MessageId {
        self.last_id = self.last_id.next();
        self.last_id
    }

    /// When the client is lost, or its session over.
    pub(super) fn supervised_until(&self, config: &Config) -> Instant {
        let span = match self.state {
            // The server's answer has its own time-out; this is for a host that never says that a connection failed.
            State::Connecting => config.upstream.connect_timeout.saturating_mul(4),
            State::Active => tolerant(self.keep_alive).unwrap_or(config.idle_ceiling),
            State::Asleep | State::Awake => tolerant(self.sleep).unwrap_or(config.idle_ceiling),
            State::Disconnected | State::Lost if self.clean => config.linger,
            State::Disconnected | State::Lost => config.session_expiry,
        };
        self.heard + span
    }

    /// When there is something to do for this client.
    pub(super) fn next_deadline(&self, config: &Config) -> Instant {
        let due = self.slot.as_ref().and_then(|slot| slot.due).filter(|_| self.state.is_listening());
        let supervised = self.supervised_until(config);
        due.map_or(supervised, |due| due.min(supervised))
    }
}

/// A duration in seconds with what the gateway adds to it: 10 % above a minute, 50 % up to that (§7.2).
fn tolerant(seconds: u16) -> Option<Duration> {
    let millis = u64::from(seconds) * if seconds > 60 { 1100 } else { 1500 };
    (seconds > 0).then(|| Duration::from_millis(millis))
}
