//! Packets out of a byte stream. Everything that the fixed header shows is judged before anything is waited
//! for.

use crate::header::{MAX_REMAINING_LENGTH, header_len};
use crate::{Direction, Malformed, PacketType, ProtocolVersion};

/// The largest packet there can be, header and all: 268 435 460 bytes (§2.1.4).
pub const MAX_PACKET_SIZE: u32 = MAX_REMAINING_LENGTH as u32 + 5;

/// What a reader of a connection expects of the next packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRules {
    /// The way the bytes travel.
    pub direction: Direction,
    /// From a client: no CONNECT has come yet, and only that may come. From a server: no CONNACK has come
    /// yet, and only that or AUTH may come. Later neither may come again.
    pub first: bool,
    /// The version of the connection. It does not matter before CONNECT.
    pub version: ProtocolVersion,
    /// The most bytes that a packet may have, fixed header included. [`MAX_PACKET_SIZE`] is no limit at all.
    pub max_packet_size: u32,
}

/// A whole packet whose fixed header is in order. [`Packet::decode`](crate::Packet::decode) looks inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    packet_type: PacketType,
    flags: u8,
    header_len: u8,
    direction: Direction,
    body: &'a [u8],
}

impl<'a> Frame<'a> {
    /// The type of the packet.
    #[inline]
    pub const fn packet_type(&self) -> PacketType {
        self.packet_type
    }

    /// The four flags of the fixed header, in the low bits.
    #[inline]
    pub const fn flags(&self) -> u8 {
        self.flags
    }

    /// The way the packet travels.
    #[inline]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The bytes after the fixed header.
    #[inline]
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// The bytes of the packet in the stream, fixed header included: never 0.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a packet is never empty")]
    pub const fn len(&self) -> usize {
        self.header_len as usize + self.body.len()
    }

    /// Whether the remaining length is in its shortest form.
    #[inline]
    pub(crate) const fn is_shortest(&self) -> bool {
        self.header_len as usize == header_len(self.body.len())
    }
}

/// The packet at the start of `input`, or `None` while more bytes are needed.
///
/// Type, flags, direction, place in the connection and size are refused as soon as the bytes that show them
/// are there, so nobody has to buffer a packet that will not be accepted. After a packet go on at
/// [`Frame::len`].
///
/// # Errors
/// The [`Malformed`] rule that the fixed header breaks.
#[inline(always)]
#[expect(clippy::inline_always, reason = "as a call it costs twice as much as what it does")]
pub fn next_frame<'a>(input: &'a [u8], rules: &FrameRules) -> Result<Option<Frame<'a>>, Malformed> {
    let [first, rest @ ..] = input else { return Ok(None) };
    let Some(packet_type) = admit(*first, *rules) else {
        return Err(refusal(*first, *rules));
    };
    let (remaining, header_len) = match rest {
        [] => return Ok(None),
        [byte, ..] if *byte < 0x80 => (usize::from(*byte), 2),
        [low, high @ 1..0x80, ..] => (usize::from(low & 0x7F) | usize::from(*high) << 7, 3),
        _ => match long_remaining_length(rest, packet_type, rules.version)? {
            Some(length) => length,
            None => return Ok(None),
        },
    };
    let len = remaining + header_len;
    if len > rules.max_packet_size as usize {
        return Err(Malformed::PacketTooLarge);
    }
    let Some(body) = input.get(header_len..len) else { return Ok(None) };
    let (flags, direction) = (first & 0x0F, rules.direction);
    Ok(Some(Frame { packet_type, flags, header_len: header_len as u8, direction, body }))
}

/// The length of the packet at the start of `input`, fixed header included, as soon as it can be told.
///
/// It says how much a reader still has to wait for; [`next_frame`] says whether it should.
pub fn frame_len_hint(input: &[u8]) -> Option<usize> {
    let (remaining, header_len) = remaining_length(input.get(1..)?).ok()??;
    Some(remaining + header_len)
}

/// A remaining length of more than two bytes, or of two of which the second is 0; from 5.0 in its shortest form.
/// (CONNECT sees to that itself.)
#[inline(never)]
fn long_remaining_length(
    rest: &[u8],
    packet_type: PacketType,
    version: ProtocolVersion,
) -> Result<Option<(usize, usize)>, Malformed> {
    let length = remaining_length(rest)?;
    match length {
        Some((remaining, header_len))
            if header_len != self::header_len(remaining)
                && version == ProtocolVersion::V5
                && packet_type != PacketType::Connect =>
        {
            Err(Malformed::VariableByteIntegerNotShortest)
        }
        _ => Ok(length),
    }
}

/// The remaining length behind the first byte, and the bytes of the whole fixed header.
fn remaining_length(rest: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let mut remaining = 0;
    for (index, byte) in rest.iter().take(4).enumerate() {
        remaining |= usize::from(byte & 0x7F) << (7 * index);
        if *byte < 0x80 {
            return Ok(Some((remaining, index + 2)));
        }
    }
    if rest.len() < 4 { Ok(None) } else { Err(Malformed::VariableByteIntegerTooLong) }
}

/// The packet type in a first byte that the reader takes.
#[inline]
const fn admit(first: u8, rules: FrameRules) -> Option<PacketType> {
    let admitted = &ADMITTED[rules.direction as usize][rules.version as usize][rules.first as usize];
    let (high, low) = (first >> 4, first & 0x0F);
    if admitted[high as usize] & 1 << low == 0 { None } else { PacketType::new(high) }
}

/// For each direction, version and place in the connection, and each packet type: one bit for each value of
/// the flags that has no [`judge`] against it.
static ADMITTED: [[[[u16; 16]; 2]; 3]; 2] = {
    let mut admitted = [[[[0; 16]; 2]; 3]; 2];
    let mut index = 0;
    while index < 2 * 3 * 2 * 256 {
        let (direction, version, place, first) =
            (index / (3 * 512), index / 512 % 3, index / 256 % 2, index % 256);
        let rules = FrameRules {
            direction: [Direction::ClientToServer, Direction::ServerToClient][direction],
            version: [ProtocolVersion::V3_1, ProtocolVersion::V3_1_1, ProtocolVersion::V5][version],
            first: place == 1,
            max_packet_size: MAX_PACKET_SIZE,
        };
        if judge(first as u8, rules).is_ok() {
            admitted[direction][version][place][first >> 4] |= 1 << (first & 0x0F);
        }
        index += 1;
    }
    admitted
};

#[cold]
fn refusal(first: u8, rules: FrameRules) -> Malformed {
    judge(first, rules).err().unwrap_or(Malformed::ReservedPacketType)
}

/// Everything that a first byte can do wrong.
const fn judge(first: u8, rules: FrameRules) -> Result<(), Malformed> {
    let Some(packet_type) = PacketType::new(first >> 4) else { return Err(Malformed::ReservedPacketType) };
    let place = match rules.direction {
        Direction::ClientToServer => judge_from_client(packet_type, rules),
        Direction::ServerToClient => judge_from_server(packet_type, rules),
    };
    match place {
        Ok(()) => judge_flags(packet_type, first & 0x0F, rules.version),
        Err(rule) => Err(rule),
    }
}

const fn judge_from_client(packet_type: PacketType, rules: FrameRules) -> Result<(), Malformed> {
    use PacketType as T;
    match packet_type {
        T::Connect if rules.first => Ok(()),
        T::Connect => Err(Malformed::SecondConnect),
        _ if rules.first => Err(Malformed::FirstPacketNotConnect),
        T::Auth if !matches!(rules.version, ProtocolVersion::V5) => Err(Malformed::ReservedPacketType),
        T::ConnAck | T::SubAck | T::UnsubAck | T::PingResp => Err(Malformed::WrongDirection(packet_type)),
        _ => Ok(()),
    }
}

const fn judge_from_server(packet_type: PacketType, rules: FrameRules) -> Result<(), Malformed> {
    use PacketType as T;
    let v5 = matches!(rules.version, ProtocolVersion::V5);
    match packet_type {
        T::Auth if !v5 => Err(Malformed::ReservedPacketType),
        T::ConnAck | T::Auth if rules.first => Ok(()),
        T::ConnAck => Err(Malformed::SecondConnAck),
        T::Connect | T::Subscribe | T::Unsubscribe | T::PingReq => {
            Err(Malformed::WrongDirection(packet_type))
        }
        T::Disconnect if !v5 => Err(Malformed::WrongDirection(packet_type)),
        _ if rules.first => Err(Malformed::FirstPacketNotConnAck),
        _ => Ok(()),
    }
}

const fn judge_flags(packet_type: PacketType, flags: u8, version: ProtocolVersion) -> Result<(), Malformed> {
    use PacketType as T;
    match (packet_type, flags) {
        (T::Publish, 0b0110 | 0b0111 | 0b1110 | 0b1111) => Err(Malformed::PublishQoS3),
        (T::Publish, 0b1000 | 0b1001) => Err(Malformed::DupAtQoS0),
        (T::Publish, _) => Ok(()),
        // In 3.1 these are messages of QoS 1 and a repetition of one sets DUP (3.1 §3.6, §3.8, §3.10).
        (T::PubRel | T::Subscribe | T::Unsubscribe, 0b1010) if matches!(version, ProtocolVersion::V3_1) => {
            Ok(())
        }
        _ if flags == packet_type.fixed_flags() => Ok(()),
        _ => Err(Malformed::FixedHeaderFlags(packet_type)),
    }
}
