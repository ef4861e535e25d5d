//! Messages that are written into a buffer piece by piece.

use crate::header::MAX_EXTENDED_TOKEN_LEN;
use crate::message::{check_head, header};
use crate::option::{Extent, PAYLOAD_MARKER};
use crate::writer::copy;
use crate::{Code, EncodeError, Malformed, MessageId, MessageType, OptionNumber, UintValue};

/// Writes a message into a buffer of the caller's: options in any order, each behind those of the same number; the
/// payload before, between or after them.
#[derive(Debug)]
pub struct MessageBuilder<'b> {
    buffer: &'b mut [u8],
    options: Extent,
    empty: bool,
}

impl<'b> MessageBuilder<'b> {
    /// Writes header and token.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for a token above 65 804 bytes, [`EncodeError::NoRoom`], [`EncodeError::Malformed`] for
    /// a type and code that do not go together, or an Empty message with a token.
    #[inline]
    pub fn new(
        buffer: &'b mut [u8],
        message_type: MessageType,
        code: Code,
        message_id: MessageId,
        token: &[u8],
    ) -> Result<Self, EncodeError> {
        check_head(message_type, code)?;
        let empty = code.is_empty();
        if empty && !token.is_empty() {
            return Err(EncodeError::Malformed(Malformed::EmptyWithContent));
        }
        let header = header(message_type, code, message_id, token.len());
        let start = match header {
            // Nearly always, and then every length is known.
            ([first, code, high, low, ..], 4) => put_head(buffer, &[first, code, high, low], token)?,
            _ if token.len() > MAX_EXTENDED_TOKEN_LEN => return Err(EncodeError::TooLong),
            (bytes, len) => put_head(buffer, bytes.get(..len).unwrap_or_default(), token)?,
        };
        Ok(Self { buffer, options: Extent::at(start), empty })
    }

    /// Adds an option, behind those of the same number.
    ///
    /// # Errors
    /// [`EncodeError::TooLong`] for a value above 65 804 bytes, [`EncodeError::NoRoom`], [`EncodeError::Malformed`] in
    /// an Empty message. The message stays as it was.
    #[inline]
    pub fn option(&mut self, number: OptionNumber, value: &[u8]) -> Result<&mut Self, EncodeError> {
        self.check_not_empty()?;
        self.options.insert(self.buffer, number, value)?;
        Ok(self)
    }

    /// Adds an option whose value is a number.
    ///
    /// # Errors
    /// As [`option`](Self::option).
    #[inline]
    pub fn uint_option(&mut self, number: OptionNumber, value: u64) -> Result<&mut Self, EncodeError> {
        self.option(number, &UintValue::new(value))
    }

    /// Sets the payload, in place of one that was set before.
    ///
    /// # Errors
    /// [`EncodeError::NoRoom`], or [`EncodeError::Malformed`] in an Empty message. The message stays as it was.
    #[inline]
    pub fn payload(&mut self, payload: &[u8]) -> Result<&mut Self, EncodeError> {
        let end = self.options.end;
        if payload.is_empty() {
            self.options.behind = 0;
            return Ok(self);
        }
        self.check_not_empty()?;
        let place = self.buffer.get_mut(end..end + 1 + payload.len()).ok_or(EncodeError::NoRoom)?;
        if let [marker, place @ ..] = place {
            *marker = PAYLOAD_MARKER;
            place.copy_from_slice(payload);
        }
        self.options.behind = 1 + payload.len();
        Ok(self)
    }

    /// Bytes of the message so far.
    #[inline]
    pub const fn len(&self) -> usize {
        self.options.end + self.options.behind
    }

    /// Whether nothing is there but a header: an Empty message.
    #[inline]
    pub const fn is_empty(&self) -> bool {
        self.empty
    }

    /// The message.
    ///
    /// # Errors
    /// None today.
    #[inline]
    pub fn finish(self) -> Result<&'b [u8], EncodeError> {
        let len = self.len();
        let Self { buffer, .. } = self;
        let buffer: &'b [u8] = buffer;
        buffer.get(..len).ok_or(EncodeError::NoRoom)
    }

    #[inline]
    const fn check_not_empty(&self) -> Result<(), EncodeError> {
        if self.empty { Err(EncodeError::Malformed(Malformed::EmptyWithContent)) } else { Ok(()) }
    }
}

/// Writes header and token, and returns how many bytes they are.
#[inline]
fn put_head(buffer: &mut [u8], header: &[u8], token: &[u8]) -> Result<usize, EncodeError> {
    let len = header.len() + token.len();
    let place = buffer.get_mut(..len).ok_or(EncodeError::NoRoom)?;
    let (for_header, for_token) = place.split_at_mut_checked(header.len()).ok_or(EncodeError::NoRoom)?;
    copy(for_header, header);
    copy(for_token, token);
    Ok(len)
}
