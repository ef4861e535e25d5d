//! DISCONNECT, §5.4.21.

use crate::reader::{be_u16, end};
use crate::{Malformed, Output};

/// DISCONNECT: the end of a connection, or a client going to sleep, §5.4.21.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Disconnect {
    /// The sleep timer in seconds of a client that goes to sleep, §6.14. Zero can be said; the specification does
    /// not say what it means.
    pub duration: Option<u16>,
}

impl Disconnect {
    #[inline]
    pub(super) fn read(input: &[u8]) -> Result<Self, Malformed> {
        if input.is_empty() {
            return Ok(Self { duration: None });
        }
        let (input, duration) = be_u16(input)?;
        end(input)?;
        Ok(Self { duration: Some(duration) })
    }

    #[inline]
    pub(super) const fn body_len(self) -> usize {
        if self.duration.is_some() { 2 } else { 0 }
    }

    #[inline]
    pub(super) fn put(self, out: &mut impl Output) {
        if let Some(duration) = self.duration {
            out.put(&duration.to_be_bytes());
        }
    }
}
