//! What can be seen on the wire of one endpoint, and the rules for it.

use std::collections::BTreeMap;
use std::fmt;

use coap_codec::{Message, MessageType, Rules};
use coap_core::{Config, Transmission};
use machine::Instant;

use super::Address;
use super::ledger::Ledger;

/// Looks at all that one endpoint sends from its start to its end.
#[derive(Debug)]
pub(crate) struct Witness {
    transmission: Transmission,
    longest: usize,
    /// By receiver and message id: Confirmable and Non-confirmable messages.
    sent: BTreeMap<(Address, u16), Sent>,
}

#[derive(Debug)]
struct Sent {
    bytes: Vec<u8>,
    first: Instant,
    times: u32,
}

impl Witness {
    pub(crate) fn new(config: &Config) -> Self {
        Self { transmission: config.transmission, longest: config.max_datagram, sent: BTreeMap::new() }
    }

    /// A datagram leaves.
    pub(crate) fn look(&mut self, to: Address, bytes: &[u8], ledger: &mut Ledger, now: Instant) {
        let Ok(message) = Message::decode(bytes, &Rules::default()) else {
            return ledger.fault(now, format_args!("sends what is malformed: {}", bytes.escape_ascii()));
        };
        if bytes.len() > self.longest {
            ledger.fault(now, format_args!("sends {} bytes at once", bytes.len()));
        }
        if to == Address::GROUP && message.message_type != MessageType::NonConfirmable {
            ledger.fault(now, format_args!("sends to a group: {message:?}"));
        }
        let confirmable = match message.message_type {
            MessageType::Confirmable => true,
            MessageType::NonConfirmable => false,
            MessageType::Acknowledgement | MessageType::Reset => return,
        };
        let id = message.message_id.get();
        let request = number(&message).and_then(|number| ledger.requests.get_mut(number));
        if let Some(request) = request.filter(|_| message.code.is_request()) {
            request.messages.insert(id);
            if message.options.observe() == Some(0) {
                request.registered.push(now);
            }
        }
        self.transmitted(to, id, bytes, confirmable, ledger, now);
    }

    /// RFC 7252 §4.2, §4.4: an id stands for one message within EXCHANGE_LIFETIME; it is sent five times at the most, within
    /// MAX_TRANSMIT_SPAN.
    fn transmitted(
        &mut self,
        to: Address,
        id: u16,
        bytes: &[u8],
        confirmable: bool,
        ledger: &mut Ledger,
        now: Instant,
    ) {
        let Some(sent) = self
            .sent
            .get_mut(&(to, id))
            .filter(|sent| now - sent.first < self.transmission.exchange_lifetime())
        else {
            self.sent.insert((to, id), Sent { bytes: bytes.to_vec(), first: now, times: 1 });
            return;
        };
        sent.times += 1;
        if sent.bytes != bytes || !confirmable {
            ledger.fault(now, format_args!("uses message id {id} again toward {to:?}"));
        }
        if sent.times > 1 + self.transmission.max_retransmit {
            ledger.fault(now, format_args!("repeats message {id} to {to:?} too often"));
        }
        if now - sent.first > self.transmission.max_transmit_span() {
            ledger.fault(now, format_args!("repeats message {id} to {to:?} too late"));
        }
    }
}

/// The request that a message says it is for.
fn number(message: &Message<'_>) -> Option<usize> {
    message.options.uri_query().find_map(numbered)
}

/// `n=17`.
pub(crate) fn numbered(argument: &[u8]) -> Option<usize> {
    std::str::from_utf8(argument.strip_prefix(b"n=")?).ok()?.parse().ok()
}

/// A datagram in a line.
pub(crate) struct Line<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(message) = Message::decode(self.0, &Rules::default()) else {
            return write!(f, "? {}", self.0.escape_ascii());
        };
        write!(f, "{} {} #{} ", message.message_type, message.code, message.message_id.get())?;
        message.token.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        for option in message.options {
            write!(f, " [{} {}]", option.number, option.value.escape_ascii())?;
        }
        write!(f, " {} bytes", message.payload.len())
    }
}
