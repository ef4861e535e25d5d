//! Frames, RFC 8323 §3.2 and §4.2: where a message ends.

use crate::header::{MAX_TOKEN_LEN, token, token_lengths};
use crate::{Code, Malformed};

/// How long messages may be before the peer has said so (Max-Message-Size, §5.3.1).
pub const BASE_MAX_MESSAGE_SIZE: usize = 1152;

/// What says how long a message is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Framing {
    /// The length field: TCP and TLS, §3.2.
    #[default]
    Tcp,
    /// The message of the WebSocket that it is in; the length field is 0, §4.2.
    WebSocket,
}

/// What a reader of a connection allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rules {
    /// What says how long a message is.
    pub framing: Framing,
    /// The longest token, as in [`Rules`](crate::Rules) of datagrams.
    pub max_token_len: usize,
    /// The most bytes of a message, from its first byte to the end of its payload: what was announced as Max-Message-Size.
    pub max_message_size: usize,
}

impl Rules {
    /// Those that hold before anything was negotiated.
    pub const fn new(framing: Framing) -> Self {
        Self { framing, max_token_len: MAX_TOKEN_LEN, max_message_size: BASE_MAX_MESSAGE_SIZE }
    }
}

/// A whole message, whose options have not been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Method, response code, signal or Empty.
    pub code: Code,
    /// The token.
    pub token: &'a [u8],
    /// Options, and the payload with its marker.
    pub body: &'a [u8],
}

/// Takes the first message from the buffer, and says how many bytes it has. `None`: more bytes are needed; more bytes
/// never change any other answer. Over WebSockets the buffer is one WebSocket message, which is whole.
///
/// A message that is too large is refused as soon as its length has been seen.
///
/// # Errors
/// The broken rule; the connection has to be aborted.
#[inline]
pub fn next_frame<'a>(buffer: &'a [u8], rules: &Rules) -> Result<Option<(Frame<'a>, usize)>, Malformed> {
    match rules.framing {
        Framing::Tcp => from_tcp(buffer, rules),
        Framing::WebSocket => from_web_socket(buffer, rules).map(|frame| Some((frame, buffer.len()))),
    }
}

fn from_tcp<'a>(buffer: &'a [u8], rules: &Rules) -> Result<Option<(Frame<'a>, usize)>, Malformed> {
    let [first, rest @ ..] = buffer else { return Ok(None) };
    let nibble = first & 0x0F;
    let Some((rest, body_len)) = body_len(first >> 4, rest) else { return Ok(None) };
    // The code is one byte more.
    let known = (buffer.len() - rest.len() + 1) as u64 + body_len;
    let max = rules.max_message_size as u64;
    if known > max {
        return Err(Malformed::MessageTooLarge);
    }
    let lengths = token_lengths(rest.get(1..).unwrap_or_default(), nibble, rules.max_token_len)?;
    let Some((extension_len, token_len)) = lengths else { return Ok(None) };
    let len = known + (extension_len + token_len) as u64;
    if len > max {
        return Err(Malformed::MessageTooLarge);
    }
    // At most `max_message_size`, so it is a usize.
    let len = len as usize;
    if len > buffer.len() {
        return Ok(None);
    }
    let message = rest.get(..rest.len() - (buffer.len() - len)).unwrap_or_default();
    let [code, token_and_body @ ..] = message else { return Ok(None) };
    let (body, token) = token(token_and_body, nibble, rules.max_token_len)?;
    Ok(Some((Frame { code: Code::from_byte(*code), token, body }, len)))
}

/// The length field with its extension, §3.2. `None` when the extension has not come yet.
#[inline]
const fn body_len(nibble: u8, input: &[u8]) -> Option<(&[u8], u64)> {
    Some(match (nibble, input) {
        (13, [byte, rest @ ..]) => (rest, *byte as u64 + 13),
        (14, [high, low, rest @ ..]) => (rest, u16::from_be_bytes([*high, *low]) as u64 + 269),
        (15, [a, b, c, d, rest @ ..]) => (rest, u32::from_be_bytes([*a, *b, *c, *d]) as u64 + 65_805),
        (13..=15, _) => return None,
        (itself, rest) => (rest, itself as u64),
    })
}

fn from_web_socket<'a>(message: &'a [u8], rules: &Rules) -> Result<Frame<'a>, Malformed> {
    let [first, code, rest @ ..] = message else { return Err(Malformed::NoHeader) };
    if first >> 4 != 0 {
        return Err(Malformed::LengthInWebSocket);
    }
    if message.len() > rules.max_message_size {
        return Err(Malformed::MessageTooLarge);
    }
    let (body, token) = token(rest, first & 0x0F, rules.max_token_len)?;
    Ok(Frame { code: Code::from_byte(*code), token, body })
}
