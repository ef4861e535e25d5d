//! The fixed header, §2.1 (3.1.1: §2.2).

use crate::writer::{Output, put_varint};

/// The fifteen control packet types, §2.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PacketType {
    /// Client asks for a connection.
    Connect = 1,
    /// Server answers CONNECT.
    ConnAck = 2,
    /// A message.
    Publish = 3,
    /// Acknowledges a PUBLISH of QoS 1.
    PubAck = 4,
    /// First answer to a PUBLISH of QoS 2.
    PubRec = 5,
    /// Answer to PUBREC.
    PubRel = 6,
    /// Answer to PUBREL.
    PubComp = 7,
    /// Client asks for subscriptions.
    Subscribe = 8,
    /// Server answers SUBSCRIBE.
    SubAck = 9,
    /// Client drops subscriptions.
    Unsubscribe = 10,
    /// Server answers UNSUBSCRIBE.
    UnsubAck = 11,
    /// Client shows that it is there.
    PingReq = 12,
    /// Server answers PINGREQ.
    PingResp = 13,
    /// The last packet of a connection (3.x: from the client only).
    Disconnect = 14,
    /// Authentication exchange (5.0 only).
    Auth = 15,
}

impl PacketType {
    /// The type with this number, `None` for 0 and above 15.
    #[inline]
    pub const fn new(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Connect,
            2 => Self::ConnAck,
            3 => Self::Publish,
            4 => Self::PubAck,
            5 => Self::PubRec,
            6 => Self::PubRel,
            7 => Self::PubComp,
            8 => Self::Subscribe,
            9 => Self::SubAck,
            10 => Self::Unsubscribe,
            11 => Self::UnsubAck,
            12 => Self::PingReq,
            13 => Self::PingResp,
            14 => Self::Disconnect,
            15 => Self::Auth,
            _ => return None,
        })
    }

    /// The flags that the standard fixes for the type, §2.1.3. PUBLISH has none fixed: 0 here.
    #[inline]
    pub(crate) const fn fixed_flags(self) -> u8 {
        match self {
            Self::PubRel | Self::Subscribe | Self::Unsubscribe => 0b0010,
            _ => 0,
        }
    }

    /// The first byte of a packet of this type with its fixed flags.
    #[inline]
    pub(crate) const fn first_byte(self) -> u8 {
        (self as u8) << 4 | self.fixed_flags()
    }
}

/// The largest remaining length, §2.1.4.
pub(crate) const MAX_REMAINING_LENGTH: usize = 268_435_455;

/// Bytes of the fixed header for this remaining length.
#[inline]
pub(crate) const fn header_len(remaining: usize) -> usize {
    1 + varint_len(remaining)
}

/// Bytes of the Variable Byte Integer for a value, §1.5.5.
#[inline]
pub(crate) const fn varint_len(value: usize) -> usize {
    match value {
        0..=127 => 1,
        128..=16_383 => 2,
        16_384..=2_097_151 => 3,
        _ => 4,
    }
}

/// Writes the fixed header and the two bytes that follow it in most packets (an identifier or a length).
#[inline(always)]
#[expect(clippy::inline_always, reason = "as a call it costs more than what it does for most packets")]
pub(crate) fn put_header_and_u16(first: u8, remaining: usize, value: u16, out: &mut impl Output) {
    let [high, low] = value.to_be_bytes();
    if remaining < 0x80 {
        out.put(&[first, remaining as u8, high, low]);
    } else {
        put_long_header(first, remaining, out);
        out.put(&[high, low]);
    }
}

/// Writes the fixed header.
#[inline]
pub(crate) fn put_header(first: u8, remaining: usize, out: &mut impl Output) {
    if remaining < 0x80 {
        out.put(&[first, remaining as u8]);
    } else {
        put_long_header(first, remaining, out);
    }
}

fn put_long_header(first: u8, remaining: usize, out: &mut impl Output) {
    out.put(&[first]);
    put_varint(remaining, out);
}
