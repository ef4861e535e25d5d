//! A client of any version, written from the standard alone: it keeps its session from one connection to the next, sends again
//! with DUP what was not acknowledged, and notes in the ledger what it did and what it was given.

mod incoming;
mod outgoing;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use machine::{Instant, Random};
use mqtt_codec::{PacketIdentifier, ProtocolVersion};

use super::ledger::{Fate, Ledger, Published, WillRecord, payload};
use super::participant::Participant;
use super::scenario::{ClientSpec, NEVER, Op};
use super::session::Session;
use super::wire;
use crate::net::LinkId;

/// Messages of QoS 1 and 2 that a client sends before one of them is done, unless the broker allows fewer.
const WINDOW: usize = 8;

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each holds on its own")]
pub(crate) struct Client {
    spec: ClientSpec,
    index: usize,
    random: Random,
    /// Wants to be connected.
    wanted: bool,
    /// Connects only to end its session.
    clean: bool,
    /// And wants to connect again after that.
    again: bool,
    /// Has said DISCONNECT: the connection is to be closed.
    closing: bool,
    link: Option<LinkId>,
    /// What the network has not taken yet.
    output: Vec<u8>,
    /// What is not a whole packet yet.
    input: Vec<u8>,
    connected: bool,
    /// CONNACK of this connection said that there was a session.
    resumed: bool,
    /// The broker has said that there is a session, which nobody has ended since.
    established: bool,
    /// It knows that the broker has no session for it.
    nothing_there: bool,
    /// It has given up on a connection without CONNACK: its CONNECT may still come to the broker, at any time.
    unanswered: bool,
    /// The same, when this connection was made.
    must_be_new: bool,
    session: Session,
    window: usize,
    /// Messages that wait for a connection or for the window.
    backlog: VecDeque<usize>,
    /// What it wants to be subscribed to: places in the ledger.
    filters: BTreeMap<String, usize>,
    leaving: Vec<usize>,
    aliases: BTreeMap<u16, String>,
    /// Acknowledgements to send, and when.
    acks: VecDeque<(Instant, Ack)>,
    /// Messages of this connection that it has not acknowledged yet.
    unacknowledged: BTreeSet<u16>,
    ping_at: Option<Instant>,
    /// Reads nothing before.
    stalled_until: Option<Instant>,
    /// The place of this connection's will among the ledger's.
    will: Option<usize>,
}

#[derive(Clone, Copy, Debug)]
#[expect(clippy::enum_variant_names, reason = "the packets' names")]
enum Ack {
    PubAck(PacketIdentifier),
    PubRec(PacketIdentifier),
    PubComp(PacketIdentifier),
}

impl Client {
    pub(crate) fn new(spec: ClientSpec, index: usize, random: Random) -> Self {
        Self {
            spec,
            index,
            random,
            wanted: false,
            clean: false,
            again: false,
            closing: false,
            link: None,
            output: Vec::new(),
            input: Vec::new(),
            connected: false,
            resumed: false,
            established: false,
            nothing_there: true,
            unanswered: false,
            must_be_new: false,
            session: Session::default(),
            window: WINDOW,
            backlog: VecDeque::new(),
            filters: BTreeMap::new(),
            leaving: Vec::new(),
            aliases: BTreeMap::new(),
            acks: VecDeque::new(),
            unacknowledged: BTreeSet::new(),
            ping_at: None,
            stalled_until: None,
            will: None,
        }
    }

    fn v5(&self) -> bool {
        self.spec.version == ProtocolVersion::V5
    }

    fn ping_interval(&self) -> Duration {
        Duration::from_millis(u64::from(self.spec.keep_alive) * 1000 / 3)
    }

    fn prepare_will(&mut self, ledger: &mut Ledger) -> String {
        let Some(will) = self.spec.will.as_ref().filter(|_| !self.clean) else { return String::new() };
        let payload = payload(ledger.published.len(), 0);
        let number = ledger.publish(Published {
            client: self.index,
            topic: will.topic.clone(),
            qos: will.qos,
            retain: false,
            payload: payload.clone(),
            expiry: None,
            sent: None,
            fate: Fate::GivenUp,
            repeated: false,
            doubtful: false,
        });
        self.will = Some(ledger.wills.len());
        ledger.wills.push(WillRecord {
            number,
            // The end of the session comes first, or the version knows no delay.
            delay: if self.v5() && self.spec.expiry > 0 { will.delay } else { 0 },
            accepted: None,
            taken_back: false,
            ended: None,
            returned: None,
        });
        payload
    }

    /// The session is over: what was not acknowledged is given up, subscriptions are gone.
    fn forget_session(&mut self, now: Instant, ledger: &mut Ledger) {
        for message in std::mem::take(&mut self.session).outgoing {
            ledger.give_up(message.number);
        }
        ledger.end_spans(self.index, now);
        self.leaving.clear();
        self.established = false;
    }

    /// Whether the broker may not forget the session by itself.
    fn lasts(&self) -> bool {
        self.spec.expiry == NEVER && !self.clean
    }
}

impl Participant for Client {
    fn link(&self) -> Option<LinkId> {
        self.link
    }

    fn wants_link(&self) -> bool {
        self.link.is_none() && self.wanted
    }

    fn reads(&self) -> bool {
        self.stalled_until.is_none()
    }

    fn output(&self) -> Vec<u8> {
        self.output.clone()
    }

    fn sent(&mut self, bytes: usize, _: Instant, _: &mut Ledger) {
        self.output.drain(..bytes);
    }

    fn perform(&mut self, op: &Op, now: Instant, ledger: &mut Ledger) {
        self.act(op, now, ledger);
    }

    fn receive(&mut self, bytes: &[u8], now: Instant, ledger: &mut Ledger) {
        self.take_in(bytes, now, ledger);
    }

    /// Says CONNECT.
    fn dialled(&mut self, link: LinkId, now: Instant, ledger: &mut Ledger) {
        self.link = Some(link);
        self.must_be_new = self.nothing_there || self.clean || self.spec.expiry == 0;
        self.nothing_there = false;
        // From here on the session may be gone.
        self.established &= !self.clean;
        self.input.clear();
        self.output.clear();
        self.aliases.clear();
        self.unacknowledged.clear();
        self.window = WINDOW;
        for will in ledger.wills.iter_mut().filter(|will| ledger.published[will.number].client == self.index)
        {
            will.returned.get_or_insert(now);
        }
        let payload = self.prepare_will(ledger);
        wire::connect(&self.spec, self.clean, &payload, &mut self.output);
    }

    fn lost(&mut self, now: Instant, ledger: &mut Ledger) {
        self.link = None;
        self.closing = false;
        self.unanswered |= !std::mem::take(&mut self.connected);
        self.acks.clear();
        self.session.requests.clear();
        self.ping_at = None;
        self.stalled_until = None;
        if let Some(will) = self.will.take() {
            ledger.wills[will].ended = Some(now);
        }
        if self.spec.expiry == 0 {
            self.forget_session(now, ledger);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        let ack = self.acks.front().map(|(at, _)| *at);
        ack.into_iter().chain(self.ping_at).chain(self.stalled_until).min()
    }

    fn wake(&mut self, now: Instant, _: &mut Ledger) -> bool {
        self.send_acknowledgements(now);
        if self.ping_at.is_some_and(|at| at <= now) {
            wire::put(&mqtt_codec::Packet::PingReq, self.spec.version, &mut self.output);
            self.ping_at = Some(now + self.ping_interval());
        }
        let reads_again = self.stalled_until.is_some_and(|until| until <= now);
        if reads_again {
            self.stalled_until = None;
        }
        reads_again
    }

    fn is_leaving(&self) -> bool {
        self.closing || !self.wanted
    }

    fn is_idle(&self) -> bool {
        self.session.outgoing.is_empty() && self.backlog.is_empty() && self.session.requests.is_empty()
    }

    fn patience(&mut self) -> Option<Duration> {
        self.wanted.then(|| self.random.between(Duration::ZERO, self.spec.patience))
    }
}
