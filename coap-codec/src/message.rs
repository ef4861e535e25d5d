//! Messages in datagrams, RFC 7252 §3.

use crate::header::{MAX_EXTENDED_TOKEN_LEN, token, token_length};
use crate::option::PAYLOAD_MARKER;
use crate::{
    Code, EncodeError, Malformed, MessageId, MessageType, Options, Output, Reaction, Rejected, Rules,
};

/// A message in a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Confirmable, Non-confirmable, Acknowledgement or Reset.
    pub message_type: MessageType,
    /// Method, response code or Empty.
    pub code: Code,
    /// Tells duplicates, and what an Acknowledgement or Reset belongs to.
    pub message_id: MessageId,
    /// Tells what request a response belongs to. May be empty.
    pub token: &'a [u8],
    /// The options.
    pub options: Options<'a>,
    /// The payload. May be empty.
    pub payload: &'a [u8],
}

const VERSION_1: u8 = 1 << 6;

impl<'a> Message<'a> {
    /// A message with nothing but a header: a ping as Confirmable, an acknowledgement or Reset otherwise. As
    /// Non-confirmable it cannot be encoded.
    #[inline]
    pub const fn empty(message_type: MessageType, message_id: MessageId) -> Self {
        Self {
            message_type,
            code: Code::EMPTY,
            message_id,
            token: &[],
            options: Options::EMPTY,
            payload: &[],
        }
    }

    /// Reads a datagram.
    ///
    /// # Errors
    /// The broken rule, and what the sender is to be told: [`Reaction::Reset`] for a Confirmable message of version 1,
    /// [`Reaction::Silence`] for everything else.
    #[inline]
    pub fn decode(datagram: &'a [u8], rules: &Rules) -> Result<Self, Rejected> {
        let Some((&[first, code, id_high, id_low], body)) = datagram.split_first_chunk() else {
            return Err(Rejected { rule: Malformed::NoHeader, reaction: Reaction::Silence });
        };
        if first >> 6 != 1 {
            return Err(Rejected { rule: Malformed::UnknownVersion, reaction: Reaction::Silence });
        }
        let head = Head {
            message_type: MessageType::of_first_byte(first),
            code: Code::from_byte(code),
            message_id: MessageId::new(u16::from_be_bytes([id_high, id_low])),
        };
        match head.read_body(first & 0x0F, body, rules.max_token_len) {
            Ok(message) => Ok(message),
            Err(rule) => Err(Rejected { rule, reaction: head.reaction() }),
        }
    }

    /// Bytes of the message in its encoded form.
    #[inline]
    pub const fn encoded_len(&self) -> usize {
        let token = token_length(self.token.len()).1 + self.token.len();
        4 + token + self.body_len()
    }

    /// Appends the message.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for a token above 65 804 bytes, [`EncodeError::NoRoom`], [`EncodeError::Malformed`] for
    /// a type and code that do not go together. Nothing has been written then.
    #[inline]
    pub fn encode(&self, out: &mut impl Output) -> Result<(), EncodeError> {
        self.put(out).map(drop)
    }

    /// Writes the message to the start of the slice and returns its length.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    #[inline]
    pub fn encode_to_slice(&self, mut slice: &mut [u8]) -> Result<usize, EncodeError> {
        self.put(&mut slice)
    }

    /// Options, marker and payload.
    #[inline]
    const fn body_len(&self) -> usize {
        let payload = if self.payload.is_empty() { 0 } else { 1 + self.payload.len() };
        self.options.encoded().len() + payload
    }

    #[inline]
    fn put(&self, out: &mut impl Output) -> Result<usize, EncodeError> {
        check_head(self.message_type, self.code)?;
        let body_len = self.body_len();
        if self.code.is_empty() && body_len + self.token.len() != 0 {
            return Err(EncodeError::Malformed(Malformed::EmptyWithContent));
        }
        let len = match short_token(self.token) {
            Some(token) => self.put_short_head(token, body_len, out)?,
            None => self.put_long_head(body_len, out)?,
        };
        out.put(self.options.encoded());
        if !self.payload.is_empty() {
            out.put(&[PAYLOAD_MARKER]);
            out.put(self.payload);
        }
        Ok(len)
    }

    /// Header and a token of RFC 7252, if there is room for the whole message, whose length is returned.
    #[inline]
    fn put_short_head(
        &self,
        token: u64,
        body_len: usize,
        out: &mut impl Output,
    ) -> Result<usize, EncodeError> {
        let head_len = 4 + self.token.len();
        if out.room() < head_len + body_len {
            return Err(EncodeError::NoRoom);
        }
        let first = VERSION_1 | (self.message_type as u8) << 4 | self.token.len() as u8;
        let [high, low] = self.message_id.get().to_be_bytes();
        let mut head = [0; 12];
        head[..4].copy_from_slice(&[first, self.code.as_byte(), high, low]);
        head[4..].copy_from_slice(&token.to_le_bytes());
        // Copies of a constant length are stores instead of calls.
        match self.token.len() {
            4 => out.put(&head[..8]),
            8 => out.put(&head),
            _ => out.put(head.get(..head_len).unwrap_or_default()),
        }
        Ok(head_len + body_len)
    }

    /// The same with a token of RFC 8974.
    #[cold]
    fn put_long_head(&self, body_len: usize, out: &mut impl Output) -> Result<usize, EncodeError> {
        if self.token.len() > MAX_EXTENDED_TOKEN_LEN {
            return Err(EncodeError::TooLong);
        }
        let (header, header_len) = header(self.message_type, self.code, self.message_id, self.token.len());
        let len = header_len + self.token.len() + body_len;
        if out.room() < len {
            return Err(EncodeError::NoRoom);
        }
        out.put(header.get(..header_len).unwrap_or_default());
        out.put(self.token);
        Ok(len)
    }
}

/// A token of at most eight bytes, its first byte lowest: in registers, so that it leaves with the header in one piece.
#[inline]
fn short_token(token: &[u8]) -> Option<u64> {
    let wide = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
    match (token, token.first_chunk(), token.last_chunk()) {
        ([_, _, _, _, rest @ ..], Some(low), Some(high)) if rest.len() <= 4 => {
            Some(wide(low) | wide(high) << (8 * rest.len()))
        }
        ([], ..) => Some(0),
        ([a], ..) => Some(u64::from(*a)),
        ([a, b], ..) => Some(u64::from(u16::from_le_bytes([*a, *b]))),
        ([a, b, c], ..) => Some(u64::from(u32::from_le_bytes([*a, *b, *c, 0]))),
        _ => None,
    }
}

/// What the first four bytes say.
struct Head {
    message_type: MessageType,
    code: Code,
    message_id: MessageId,
}

impl Head {
    #[inline]
    fn read_body<'a>(
        &self,
        nibble: u8,
        body: &'a [u8],
        max_token_len: usize,
    ) -> Result<Message<'a>, Malformed> {
        let Self { message_type, code, message_id } = *self;
        check_head(message_type, code)?;
        if code.is_empty() {
            return if nibble == 0 && body.is_empty() {
                Ok(Message::empty(message_type, message_id))
            } else {
                Err(Malformed::EmptyWithContent)
            };
        }
        let (body, token) = token(body, nibble, max_token_len)?;
        let (options, payload) = Options::split(body)?;
        Ok(Message { message_type, code, message_id, token, options, payload })
    }

    #[cold]
    const fn reaction(&self) -> Reaction {
        match self.message_type {
            MessageType::Confirmable => Reaction::Reset(self.message_id),
            _ => Reaction::Silence,
        }
    }
}

/// Which codes a type can have, §4.2 and §4.3.
#[inline]
pub(crate) const fn check_head(message_type: MessageType, code: Code) -> Result<(), Malformed> {
    // One bit for each type, and for each class by type.
    const MAY_BE_EMPTY: u8 = 0b1101;
    const CLASSES: [u8; 4] = [0b0011_1101, 0b0011_1101, 0b0011_1100, 0];
    let possible = if code.is_empty() {
        MAY_BE_EMPTY >> message_type as u8
    } else {
        CLASSES[message_type as usize] >> code.class()
    };
    if possible & 1 != 0 { Ok(()) } else { Err(broken_rule(message_type, code)) }
}

#[cold]
const fn broken_rule(message_type: MessageType, code: Code) -> Malformed {
    match message_type {
        MessageType::NonConfirmable if code.is_empty() => Malformed::EmptyNonConfirmable,
        _ if code.is_reserved() || code.is_signalling() => Malformed::ReservedClass,
        MessageType::Acknowledgement => Malformed::RequestInAcknowledgement,
        _ => Malformed::ResetWithContent,
    }
}

/// The header with the extended length of the token, and how many of the bytes it is.
#[inline]
pub(crate) const fn header(
    message_type: MessageType,
    code: Code,
    message_id: MessageId,
    token_len: usize,
) -> ([u8; 6], usize) {
    let (nibble, extension_len, extension) = token_length(token_len);
    let first = VERSION_1 | (message_type as u8) << 4 | nibble;
    let [high, low] = message_id.get().to_be_bytes();
    ([first, code.as_byte(), high, low, extension[0], extension[1]], 4 + extension_len)
}
