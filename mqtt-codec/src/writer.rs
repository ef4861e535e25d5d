//! Where packets are written to.

use crate::EncodeError;

/// A place for encoded bytes.
///
/// With the feature `bytes` every `bytes::BufMut` is one (`Vec<u8>`, `BytesMut`, `&mut [u8]`, …); without it
/// `&mut [u8]`, which moves on past what was written as [`std::io::Write`] does. Own types can be one, too.
///
/// [`std::io::Write`]: https://doc.rust-lang.org/std/io/trait.Write.html#impl-Write-for-%26mut+%5Bu8%5D
pub trait Output {
    /// How many more bytes fit.
    fn room(&self) -> usize;

    /// Appends the bytes. An encoder asks for [`room`](Self::room) for a whole packet before its first `put`.
    fn put(&mut self, bytes: &[u8]);
}

#[cfg(feature = "bytes")]
impl<B: bytes::BufMut + ?Sized> Output for B {
    #[inline]
    fn room(&self) -> usize {
        self.remaining_mut()
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        self.put_slice(bytes);
    }
}

#[cfg(not(feature = "bytes"))]
impl Output for &mut [u8] {
    #[inline]
    fn room(&self) -> usize {
        self.len()
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) {
        if let Some((head, tail)) = core::mem::take(self).split_at_mut_checked(bytes.len()) {
            head.copy_from_slice(bytes);
            *self = tail;
        }
    }
}

#[inline]
pub(crate) fn put_u16(value: u16, out: &mut impl Output) {
    out.put(&value.to_be_bytes());
}

/// Bytes of a field with its two bytes of length.
#[inline]
pub(crate) fn binary_len(bytes: &[u8]) -> Result<usize, EncodeError> {
    if bytes.len() > usize::from(u16::MAX) { Err(EncodeError::TooLong) } else { Ok(2 + bytes.len()) }
}

/// Binary Data or a UTF-8 string; the length was checked with [`binary_len`].
#[inline]
pub(crate) fn put_binary(bytes: &[u8], out: &mut impl Output) {
    put_u16(bytes.len() as u16, out);
    out.put(bytes);
}

/// A Variable Byte Integer of at most 268 435 455.
#[inline]
pub(crate) fn put_varint(value: usize, out: &mut impl Output) {
    if value < 0x80 {
        out.put(&[value as u8]);
    } else {
        put_long_varint(value, out);
    }
}

fn put_long_varint(mut value: usize, out: &mut impl Output) {
    while value >= 0x80 {
        out.put(&[value as u8 | 0x80]);
        value >>= 7;
    }
    out.put(&[value as u8]);
}
