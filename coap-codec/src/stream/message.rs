//! Messages on reliable transports: no type and no message ID, RFC 8323 §3.2.

use super::{Frame, Framing};
use crate::header::{MAX_EXTENDED_TOKEN_LEN, token_length};
use crate::option::PAYLOAD_MARKER;
use crate::{Code, EncodeError, Malformed, Options, Output};

/// A message on a reliable transport.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Method, response code, signal or Empty (which is to be ignored, §3.4).
    pub code: Code,
    /// Tells what request a response belongs to. May be empty.
    pub token: &'a [u8],
    /// The options. Those of signals have numbers of their own, see [`Signal`](super::Signal).
    pub options: Options<'a>,
    /// The payload. May be empty.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// Reads the message in a frame.
    ///
    /// # Errors
    /// The broken rule; the connection has to be aborted (§5.6).
    #[inline]
    pub fn decode(frame: Frame<'a>) -> Result<Self, Malformed> {
        let Frame { code, token, body } = frame;
        check_code(code, token.is_empty() && body.is_empty())?;
        let (options, payload) = Options::split(body)?;
        Ok(Self { code, token, options, payload })
    }

    /// Bytes of the message in its encoded form: what a peer's Max-Message-Size is about.
    #[inline]
    pub const fn encoded_len(&self, framing: Framing) -> usize {
        let length = match framing {
            Framing::Tcp => body_length(self.body_len()).1,
            Framing::WebSocket => 0,
        };
        2 + length + token_length(self.token.len()).1 + self.token.len() + self.body_len()
    }

    /// Appends the message.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for a token or a message beyond what their length fields can say,
    /// [`EncodeError::NoRoom`], [`EncodeError::Malformed`] for a reserved code or an Empty message with content.
    /// Nothing has been written then.
    #[inline]
    pub fn encode(&self, framing: Framing, out: &mut impl Output) -> Result<(), EncodeError> {
        let body_len = self.body_len();
        check_code(self.code, self.token.is_empty() && body_len == 0)?;
        if self.token.len() > MAX_EXTENDED_TOKEN_LEN || body_len as u64 > u64::from(u32::MAX) + 65_805 {
            return Err(EncodeError::TooLong);
        }
        if out.room() < self.encoded_len(framing) {
            return Err(EncodeError::NoRoom);
        }
        self.put_header(framing, out);
        out.put(self.token);
        out.put(self.options.encoded());
        if !self.payload.is_empty() {
            out.put(&[PAYLOAD_MARKER]);
            out.put(self.payload);
        }
        Ok(())
    }

    /// Writes the message to the start of the slice and returns its length.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    #[inline]
    pub fn encode_to_slice(&self, framing: Framing, mut slice: &mut [u8]) -> Result<usize, EncodeError> {
        self.encode(framing, &mut slice)?;
        Ok(self.encoded_len(framing))
    }

    /// Options, marker and payload.
    #[inline]
    const fn body_len(&self) -> usize {
        let payload = if self.payload.is_empty() { 0 } else { 1 + self.payload.len() };
        self.options.encoded().len() + payload
    }

    #[inline]
    fn put_header(&self, framing: Framing, out: &mut impl Output) {
        let (token_nibble, token_extension_len, token_extension) = token_length(self.token.len());
        let (nibble, extension_len, extension) = match framing {
            Framing::Tcp => body_length(self.body_len()),
            Framing::WebSocket => (0, 0, [0; 4]),
        };
        out.put(&[nibble << 4 | token_nibble]);
        out.put(extension.get(..extension_len).unwrap_or_default());
        out.put(&[self.code.as_byte()]);
        out.put(token_extension.get(..token_extension_len).unwrap_or_default());
    }
}

/// The length field, and the bytes of its extension with their number, §3.2.
#[inline]
const fn body_length(len: usize) -> (u8, usize, [u8; 4]) {
    match len {
        0..13 => (len as u8, 0, [0; 4]),
        13..269 => (13, 1, [(len - 13) as u8, 0, 0, 0]),
        269..65_805 => {
            let [high, low] = ((len - 269) as u16).to_be_bytes();
            (14, 2, [high, low, 0, 0])
        }
        _ => (15, 4, ((len - 65_805) as u32).to_be_bytes()),
    }
}

#[inline]
const fn check_code(code: Code, no_content: bool) -> Result<(), Malformed> {
    if code.is_reserved() {
        Err(Malformed::ReservedClass)
    } else if code.is_empty() && !no_content {
        Err(Malformed::EmptyWithContent)
    } else {
        Ok(())
    }
}
