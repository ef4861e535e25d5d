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
        let payload = if self.payload.is_empty() { 0 } else { 1 + self.payload.len() };
        let token = token_length(self.token.len()).1 + self.token.len();
        4 + token + self.options.encoded().len() + payload
    }

    /// Appends the message.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for a token above 65 804 bytes, [`EncodeError::NoRoom`], [`EncodeError::Malformed`] for
    /// a type and code that do not go together. Nothing has been written then.
    #[inline]
    pub fn encode(&self, out: &mut impl Output) -> Result<(), EncodeError> {
        check_head(self.message_type, self.code)?;
        let rest = [self.token.len(), self.options.encoded().len(), self.payload.len()];
        if self.code.is_empty() && rest != [0; 3] {
            return Err(EncodeError::Malformed(Malformed::EmptyWithContent));
        }
        if self.token.len() > MAX_EXTENDED_TOKEN_LEN {
            return Err(EncodeError::TooLong);
        }
        if out.room() < self.encoded_len() {
            return Err(EncodeError::NoRoom);
        }
        let (header, len) = header(self.message_type, self.code, self.message_id, self.token.len());
        out.put(header.get(..len).unwrap_or_default());
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
    pub fn encode_to_slice(&self, mut slice: &mut [u8]) -> Result<usize, EncodeError> {
        self.encode(&mut slice)?;
        Ok(self.encoded_len())
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
    // Reserved in datagrams: 1, 6, 7.
    const RESERVED: u8 = 1 << 1 | 1 << 6 | 1 << 7;
    if RESERVED >> code.class() & 1 != 0 {
        return Err(Malformed::ReservedClass);
    }
    match message_type {
        MessageType::NonConfirmable if code.is_empty() => Err(Malformed::EmptyNonConfirmable),
        MessageType::Acknowledgement if code.is_request() => Err(Malformed::RequestInAcknowledgement),
        MessageType::Reset if !code.is_empty() => Err(Malformed::ResetWithContent),
        _ => Ok(()),
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
