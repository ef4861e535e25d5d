//! Values of options: unsigned integers, RFC 7252 §3.2; No-Response, RFC 7967; the order of notifications, RFC 7641.

use core::fmt;
use core::ops::Deref;
use core::time::Duration;

use crate::Code;

/// A number as an option value: big-endian, without leading zero bytes, so that 0 is empty (§3.2).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct UintValue {
    bytes: [u8; 8],
    start: u8,
}

impl UintValue {
    /// The value of this number.
    #[inline]
    pub const fn new(number: u64) -> Self {
        Self { bytes: number.to_be_bytes(), start: (number.leading_zeros() / 8) as u8 }
    }

    /// The number.
    #[inline]
    pub const fn get(&self) -> u64 {
        u64::from_be_bytes(self.bytes)
    }

    /// The bytes.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(usize::from(self.start)..).unwrap_or_default()
    }
}

impl Deref for UintValue {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl AsRef<[u8]> for UintValue {
    #[inline]
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Debug for UintValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UintValue").field(&self.get()).finish()
    }
}

/// The number of an option value. Leading zero bytes are accepted, as §3.2 asks; `None` above eight bytes.
#[inline]
pub(crate) fn uint(value: &[u8]) -> Option<u64> {
    if value.len() > 8 {
        return None;
    }
    Some(value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// The value of No-Response: which classes of responses the client does not want, RFC 7967 §2.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct NoResponse(pub u8);

impl NoResponse {
    /// Every response is of interest.
    pub const NONE: Self = Self(0);
    /// No 2.xx is of interest.
    pub const SUCCESS: Self = Self(2);
    /// No 4.xx is of interest.
    pub const CLIENT_ERROR: Self = Self(8);
    /// No 5.xx is of interest.
    pub const SERVER_ERROR: Self = Self(16);
    /// No response is of interest.
    pub const ALL: Self = Self(26);

    /// Whether a response with this code is not to be sent.
    #[inline]
    pub const fn suppresses(self, code: Code) -> bool {
        code.is_response() && self.0 & 1 << (code.class() - 1) != 0
    }
}

/// Whether the second notification is newer than the first, RFC 7641 §3.4: `first` and `second` are their Observe
/// values in the order of arrival, `elapsed` is the time between.
///
/// Only the low 24 bits of the values count.
pub const fn is_newer_notification(first: u32, second: u32, elapsed: Duration) -> bool {
    const HALF: u32 = 1 << 23;
    const LONG: Duration = Duration::from_secs(128);
    let ahead = second.wrapping_sub(first) & 0xFF_FFFF;
    let (first, second) = (first & 0xFF_FFFF, second & 0xFF_FFFF);
    let newer = if first < second { ahead < HALF } else { first > second && first - second > HALF };
    newer || elapsed.as_nanos() > LONG.as_nanos()
}
