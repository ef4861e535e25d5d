//! Small values that many messages share.

use core::num::NonZeroU16;

/// Quality of service, §5.3.4, of everything that has a connection. QoS -1 has none and a type of its own,
/// [`PublishMinusOne`](crate::PublishMinusOne).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QoS {
    /// QoS 0: nothing is acknowledged.
    #[default]
    AtMostOnce = 0,
    /// QoS 1: PUBACK.
    AtLeastOnce = 1,
    /// QoS 2: PUBREC, PUBREL, PUBCOMP.
    ExactlyOnce = 2,
}

impl QoS {
    /// The level with this number, `None` above 2.
    #[inline]
    pub const fn new(level: u8) -> Option<Self> {
        match level {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }
}

impl From<QoS> for u8 {
    #[inline]
    fn from(qos: QoS) -> Self {
        qos as Self
    }
}

/// MsgId, §5.3.7, where one is needed: never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(NonZeroU16);

impl MessageId {
    /// The smallest identifier, 1.
    pub const MIN: Self = Self(NonZeroU16::MIN);
    /// The largest identifier, 65 535.
    pub const MAX: Self = Self(NonZeroU16::MAX);

    /// The identifier with this number, `None` for 0.
    #[inline]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number on the wire.
    #[inline]
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// The identifier after this one: 1 after 65 535.
    #[inline]
    #[must_use]
    pub const fn next(self) -> Self {
        match NonZeroU16::new(self.0.get().wrapping_add(1)) {
            Some(number) => Self(number),
            None => Self::MIN,
        }
    }
}

impl From<NonZeroU16> for MessageId {
    fn from(number: NonZeroU16) -> Self {
        Self(number)
    }
}

impl core::fmt::Display for MessageId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// A return code, §5.3.10. Any octet can be held: reserved values are rejections without a known reason.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ReturnCode(u8);

impl ReturnCode {
    /// 0x00: accepted.
    pub const ACCEPTED: Self = Self(0);
    /// 0x01: rejected, congestion. To be tried again after `T_WAIT`.
    pub const CONGESTION: Self = Self(1);
    /// 0x02: rejected, invalid topic ID.
    pub const INVALID_TOPIC_ID: Self = Self(2);
    /// 0x03: rejected, not supported.
    pub const NOT_SUPPORTED: Self = Self(3);

    /// The code with this number.
    #[inline]
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// The number on the wire.
    #[inline]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// Whether the code is 0x00. Everything else rejects.
    #[inline]
    pub const fn is_accepted(self) -> bool {
        self.0 == 0
    }

    /// What table 5 calls it, `"reserved"` from 0x04 on.
    pub const fn name(self) -> &'static str {
        match self.0 {
            0 => "accepted",
            1 => "rejected: congestion",
            2 => "rejected: invalid topic ID",
            3 => "rejected: not supported",
            _ => "reserved",
        }
    }
}

impl core::fmt::Debug for ReturnCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "ReturnCode({:#04x} {})", self.0, self.name())
    }
}

impl core::fmt::Display for ReturnCode {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{:#04x} ({})", self.0, self.name())
    }
}
