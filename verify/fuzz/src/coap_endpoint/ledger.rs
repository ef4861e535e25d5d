//! What went to and from an endpoint, and what follows from it for the next datagram.

use std::collections::{BTreeMap, BTreeSet};

use coap_codec::{Code, Message, MessageType, Reaction, Rules};
use coap_core::Config;
use machine::Instant;

/// The address of the group.
pub(super) const GROUP: u8 = 9;

/// What lies below a CoAP message, as RFC 9175 §2.4 counts it; and what any request may be answered with then.
const LOWER_HEADERS: usize = 62;
const ALWAYS_ALLOWED: usize = 136;

/// What an input allows an endpoint to send at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// Garbage that calls for silence.
    Garbage,
    /// Garbage that calls for a Reset, or the old answer to what had this message id.
    Rejectable {
        from: u8,
        id: u16,
    },
    /// An acknowledgement or a Reset: new messages may go, no answer to it.
    Answer,
    /// A datagram that came to a group: no message that belongs to its own message id.
    Multicast,
    Other,
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Message ids that came, not to a group: of confirmable messages, and of all that can be rejected.
    confirmable: BTreeSet<(u8, u16)>,
    rejectable: BTreeSet<(u8, u16)>,
    asked: BTreeMap<(u8, Vec<u8>), Asked>,
    /// Who has shown that datagrams reach it.
    proven: BTreeSet<u8>,
    challenges: BTreeSet<(u8, Vec<u8>)>,
    own: BTreeMap<(u8, u16), Own>,
}

/// Requests of a peer with one token.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Asked {
    /// The longest datagram.
    len: usize,
    verified: bool,
    unicast: bool,
    no_response: bool,
    /// One among them that is not challenged: it must not be carried out twice, or its body has come in blocks.
    once: bool,
    /// A resource among them whose application cuts its responses itself.
    blocks: bool,
}

/// An own message.
#[derive(Debug)]
struct Own {
    bytes: Vec<u8>,
    first: Instant,
    times: u32,
}

impl Ledger {
    /// A datagram comes.
    pub(super) fn receives(
        &mut self,
        from: u8,
        bytes: &[u8],
        multicast: bool,
        verified: bool,
        config: &Config,
    ) -> Cause {
        let message = match Message::decode(bytes, &Rules { max_token_len: config.max_token_len }) {
            Ok(message) => message,
            Err(rejected) => match rejected.reaction {
                Reaction::Reset(id) if !multicast => {
                    self.rejectable.insert((from, id.get()));
                    return Cause::Rejectable { from, id: id.get() };
                }
                _ => return Cause::Garbage,
            },
        };
        let id = (from, message.message_id.get());
        if matches!(message.message_type, MessageType::Acknowledgement | MessageType::Reset) {
            if self.own.contains_key(&id) {
                self.proven.insert(from);
            }
            return if multicast { Cause::Multicast } else { Cause::Answer };
        }
        if message.code.is_request() {
            self.request(from, &message, bytes.len(), multicast, verified);
        }
        if multicast {
            return Cause::Multicast;
        }
        self.rejectable.insert(id);
        if message.message_type == MessageType::Confirmable {
            self.confirmable.insert(id);
        }
        Cause::Other
    }

    fn request(&mut self, from: u8, message: &Message<'_>, len: usize, multicast: bool, verified: bool) {
        if let Some(echo) = message.options.echo()
            && self.challenges.contains(&(from, echo.to_vec()))
        {
            self.proven.insert(from);
        }
        let asked = self.asked.entry((from, message.token.to_vec())).or_default();
        asked.len = asked.len.max(len);
        asked.verified |= verified;
        asked.unicast |= !multicast;
        asked.no_response |= message.options.no_response().is_some();
        asked.blocks |= message.options.uri_path().next() == Some(b"tree");
        asked.once |= !matches!(message.code, Code::GET | Code::FETCH) || message.options.block1().is_some();
    }

    /// The endpoint sends a datagram: a message that it may send, now.
    pub(super) fn sends(&mut self, to: u8, bytes: &[u8], cause: Cause, config: &Config, now: Instant) {
        let message = Message::decode(bytes, &Rules { max_token_len: 65_804 });
        let message = message.unwrap_or_else(|why| panic!("it sends {bytes:02X?}: {why:?}"));
        let (code, id) = (message.code, message.message_id.get());
        let legal = match message.message_type {
            MessageType::Confirmable => true,
            MessageType::NonConfirmable => !code.is_empty(),
            MessageType::Acknowledgement => !code.is_request(),
            MessageType::Reset => code.is_empty(),
        };
        assert!(legal && (code.is_empty() || code.is_request() || code.is_response()), "{message:?}");
        assert!(bytes.len() <= config.max_datagram.max(ALWAYS_ALLOWED), "{} bytes", bytes.len());
        if to == GROUP {
            assert!(message.message_type == MessageType::NonConfirmable && code.is_request(), "{message:?}");
        }
        let answers = matches!(message.message_type, MessageType::Acknowledgement | MessageType::Reset);
        let allowed = match cause {
            Cause::Garbage => false,
            Cause::Rejectable { from, id: of } => answers && to == from && id == of,
            Cause::Answer | Cause::Multicast => !answers,
            Cause::Other => true,
        };
        assert!(allowed, "after {cause:?} it sends {message:?} to {to}");
        match message.message_type {
            MessageType::Acknowledgement => {
                assert!(self.confirmable.contains(&(to, id)), "acknowledges nothing: {message:?}");
            }
            MessageType::Reset => {
                assert!(self.rejectable.contains(&(to, id)), "rejects nothing: {message:?}");
            }
            MessageType::Confirmable | MessageType::NonConfirmable => {
                self.own_message(to, id, bytes, message.message_type, config, now);
            }
        }
        if code.is_response() {
            self.response(to, &message, bytes.len(), config);
        }
    }

    /// A message id is used again only for the same message, or after EXCHANGE_LIFETIME; and repetitions are few.
    fn own_message(
        &mut self,
        to: u8,
        id: u16,
        bytes: &[u8],
        message_type: MessageType,
        config: &Config,
        now: Instant,
    ) {
        let transmission = &config.transmission;
        let fresh = Own { bytes: bytes.to_vec(), first: now, times: 0 };
        let own = self.own.entry((to, id)).or_insert(fresh);
        let is_over = now.saturating_since(own.first) >= transmission.exchange_lifetime();
        // When there is no room for all peers, it may forget which ids it used toward one.
        let forgetful = config.limits.peers < 10;
        if is_over || own.bytes != bytes && forgetful {
            *own = Own { bytes: bytes.to_vec(), first: now, times: 0 };
        }
        own.times += 1;
        assert_eq!(own.bytes, bytes, "message id {id} toward {to} is used again");
        let most = if message_type == MessageType::Confirmable { 1 + transmission.max_retransmit } else { 1 };
        assert!(own.times <= most || forgetful, "{bytes:02X?} for the {}. time", own.times);
    }

    /// A response belongs to a request, suits one that went to a group, and is small as long as the peer may be another.
    fn response(&mut self, to: u8, message: &Message<'_>, len: usize, config: &Config) {
        let asked = self.asked.get(&(to, message.token.to_vec()));
        let asked = asked.unwrap_or_else(|| panic!("nobody has asked for {message:?}"));
        let of_group = !asked.unicast && !asked.no_response;
        let useful = message.code.is_success() && !message.payload.is_empty();
        assert!(!of_group || useful, "a group's member says {message:?}");
        assert!(asked.unicast || message.message_type == MessageType::NonConfirmable, "{message:?}");
        if let Some(echo) = message.options.echo() {
            self.challenges.insert((to, echo.to_vec()));
        }
        if let Some(factor) = config.echo.amplification
            && !(asked.verified || asked.once && asked.blocks)
            && !self.proven.contains(&to)
        {
            let room = (asked.len + LOWER_HEADERS) * factor as usize - LOWER_HEADERS;
            // The smallest block, with all options, is let pass then.
            let smallest = if asked.once { len - message.payload.len() + 16 } else { 0 };
            let room = room.max(ALWAYS_ALLOWED).max(smallest);
            assert!(len <= room, "{len} bytes where {room} are allowed: {message:?}");
        }
    }
}
