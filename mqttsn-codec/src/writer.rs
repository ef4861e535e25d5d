//! Where messages are written to.

/// A place for encoded bytes.
///
/// With the feature `bytes` every `bytes::BufMut` is one (`Vec<u8>`, `BytesMut`, `&mut [u8]`, …); without it
/// `&mut [u8]`, which moves on past what was written as [`std::io::Write`] does. Own types can be one, too.
///
/// [`std::io::Write`]: https://doc.rust-lang.org/std/io/trait.Write.html#impl-Write-for-%26mut+%5Bu8%5D
pub trait Output {
    /// How many more bytes fit.
    fn room(&self) -> usize;

    /// Appends the bytes. An encoder asks for [`room`](Self::room) for a whole message before its first `put`.
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
