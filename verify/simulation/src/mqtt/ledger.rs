//! What happened, as the clients saw it: nothing in here comes from inside the broker.

use machine::Instant;
use mqtt_codec::QoS;

/// Everything that the clients of a run did and saw.
#[derive(Debug, Default)]
pub struct Ledger {
    /// All messages and wills; a message's number is its place.
    pub published: Vec<Published>,
    /// All subscriptions.
    pub spans: Vec<Span>,
    /// All messages that came.
    pub delivered: Vec<Delivered>,
    /// All wills.
    pub wills: Vec<WillRecord>,
    /// When the broker crashed.
    pub crashes: Vec<Instant>,
    /// How often an application came back after a crash.
    pub restarts: usize,
    /// Messages that it then went on with.
    pub restored: usize,
    /// Messages with QoS 2 that were given up because the broker had lost the session.
    pub session_lost: usize,
    /// Rules that the broker broke in sight of a client.
    pub faults: Vec<String>,
}

/// A message or a will.
#[derive(Clone, Debug)]
pub struct Published {
    /// The client.
    pub client: usize,
    /// Topic name.
    pub topic: String,
    /// QoS.
    pub qos: QoS,
    /// Retain flag.
    pub retain: bool,
    /// Begins with the message's number; empty to clear a retained message.
    pub payload: String,
    /// Message expiry interval in seconds.
    pub expiry: Option<u32>,
    /// When it was written for the first time.
    pub sent: Option<Instant>,
    /// What became of it, as far as its publisher knows.
    pub fate: Fate,
    /// Its publisher crashed after the acknowledgement, forgot it, and sends the message again.
    pub repeated: bool,
    /// It was under way when its publisher was told of a session that need not be the one in which it was sent.
    pub doubtful: bool,
}

/// What became of a message, as far as its publisher knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing is known (yet).
    Open,
    /// The broker has taken it over: PUBACK or PUBREC.
    Acknowledged(Instant),
    /// The publisher's session ended before that, or it was QoS 0.
    GivenUp,
}

/// A subscription of a client, from the request to its end.
#[derive(Clone, Debug)]
pub struct Span {
    /// The client.
    pub client: usize,
    /// Topic filter, with `$share`.
    pub filter: String,
    /// QoS asked for.
    pub qos: QoS,
    /// When it was first asked for.
    pub asked: Instant,
    /// When SUBACK came.
    pub granted: Option<Instant>,
    /// From when on the client does not count on it any more.
    pub leaving: Option<Instant>,
    /// When the client knew that it was gone.
    pub gone: Option<Instant>,
    /// The subscription with the same filter that it replaces.
    pub replaces: Option<usize>,
    /// The client ended its session by a clean start: it does not want what was still to come.
    pub discarded: bool,
}

/// A message that came.
#[derive(Clone, Copy, Debug)]
pub struct Delivered {
    /// The client.
    pub client: usize,
    /// The message's number.
    pub number: usize,
    /// QoS of the delivery.
    pub qos: QoS,
    /// Retain flag.
    pub retain: bool,
    /// When.
    pub at: Instant,
    /// The client crashed before it was certain to remember that it had it: it does not count.
    pub revoked: bool,
}

/// A message on its arrival.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival<'a> {
    pub(crate) client: usize,
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) qos: QoS,
    pub(crate) retain: bool,
}

/// A connection with a will.
#[derive(Clone, Debug)]
pub struct WillRecord {
    /// The will's number among the messages.
    pub number: usize,
    /// Will delay interval in seconds.
    pub delay: u32,
    /// When CONNACK came.
    pub accepted: Option<Instant>,
    /// The client sent DISCONNECT, so the will may be gone.
    pub taken_back: bool,
    /// When the client knew that the connection had ended.
    pub ended: Option<Instant>,
    /// When it sent its next CONNECT.
    pub returned: Option<Instant>,
}

impl Ledger {
    /// Notes that a rule was broken.
    pub fn fault(&mut self, now: Instant, what: impl Into<String>) {
        self.faults.push(format!("{now:?} {}", what.into()));
    }

    /// Notes a message, and returns its number.
    pub(crate) fn publish(&mut self, message: Published) -> usize {
        self.published.push(message);
        self.published.len() - 1
    }

    /// The client gives up on a message, unless it is done.
    pub(crate) fn give_up(&mut self, number: usize) {
        let fate = &mut self.published[number].fate;
        if *fate == Fate::Open {
            *fate = Fate::GivenUp;
        }
    }

    /// Notes a message that came to a client; returns its place among them.
    pub(crate) fn deliver(&mut self, arrival: &Arrival<'_>, now: Instant) -> Option<usize> {
        let Arrival { client, topic, payload, qos, retain } = *arrival;
        let known = number(payload).filter(|number| {
            self.published.get(*number).is_some_and(|message| {
                message.topic == topic && message.payload.as_bytes() == payload && message.qos >= qos
            })
        });
        let Some(number) = known else {
            if !payload.is_empty() {
                let text = payload.escape_ascii();
                self.fault(now, format!("client {client} got what nobody sent: {text} on {topic:?}"));
            }
            return None;
        };
        self.delivered.push(Delivered { client, number, qos, retain, at: now, revoked: false });
        Some(self.delivered.len() - 1)
    }

    /// The client does not want anything that was still to come.
    pub(crate) fn discard_spans(&mut self, client: usize) {
        self.spans.iter_mut().filter(|span| span.client == client).for_each(|span| span.discarded = true);
    }

    /// The client's session is over, and with it its subscriptions.
    pub(crate) fn end_spans(&mut self, client: usize, now: Instant) {
        for span in self.spans.iter_mut().filter(|span| span.client == client) {
            span.leaving.get_or_insert(now);
            span.gone.get_or_insert(now);
        }
    }
}

/// A payload that tells its message's number; at least `size` bytes.
pub(crate) fn payload(number: usize, size: usize) -> String {
    let mut text = format!("{number};");
    text.extend(std::iter::repeat_n('x', size.saturating_sub(text.len())));
    text
}

/// The number in a payload.
pub(crate) fn number(payload: &[u8]) -> Option<usize> {
    std::str::from_utf8(payload).ok()?.split_once(';')?.0.parse().ok()
}
