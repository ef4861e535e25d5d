//! Packets out of a byte stream. Everything that the fixed header shows is judged before anything is waited for.

use crate::header::{MAX_REMAINING_LENGTH, header_len};
use crate::{Direction, Malformed, PacketType, ProtocolVersion};

/// The largest packet there can be, header and all: 268 435 460 bytes (§2.1.4).
pub const MAX_PACKET_SIZE: u32 = MAX_REMAINING_LENGTH as u32 + 5;

/// What a reader of a connection expects of the next packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameRules {
    /// The way the bytes travel.
    pub direction: Direction,
    /// From a client: no CONNECT has come yet, and only that may come. From a server: no CONNACK has come yet, and only
    /// that or AUTH may come. Later neither may come again.
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
/// Type, flags, direction, place in the connection and size are refused as soon as the bytes that show them are there,
/// so nobody has to buffer a packet that will not be accepted. After a packet go on at [`Frame::len`].
///
/// # Errors
/// The [`Malformed`] rule that the fixed header breaks.
#[inline]
pub fn next_frame<'a>(input: &'a [u8], rules: &FrameRules) -> Result<Option<Frame<'a>>, Malformed> {
    let [first, rest @ ..] = input else { return Ok(None) };
    let packet_type = admit(*first, *rules)?;
    let Some((remaining, header_len)) = remaining_length(rest)? else { return Ok(None) };
    let len = remaining + header_len;
    if len > rules.max_packet_size as usize {
        return Err(Malformed::PacketTooLarge);
    }
    let Some(body) = input.get(header_len..len) else { return Ok(None) };
    let frame = Frame {
        packet_type,
        flags: first & 0x0F,
        header_len: header_len as u8,
        direction: rules.direction,
        body,
    };
    let shortest_only = rules.version == ProtocolVersion::V5 && packet_type != PacketType::Connect;
    if header_len > 2 && shortest_only && !frame.is_shortest() {
        return Err(Malformed::VariableByteIntegerNotShortest);
    }
    Ok(Some(frame))
}

/// The length of the packet at the start of `input`, fixed header included, as soon as it can be told.
///
/// It says how much a reader still has to wait for; [`next_frame`] says whether it should.
#[inline]
pub fn frame_len_hint(input: &[u8]) -> Option<usize> {
    let (remaining, header_len) = remaining_length(input.get(1..)?).ok()??;
    Some(remaining + header_len)
}

/// The remaining length behind the first byte, and the bytes of the whole fixed header.
#[inline]
fn remaining_length(rest: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    match rest {
        [] => Ok(None),
        [byte, ..] if *byte < 0x80 => Ok(Some((usize::from(*byte), 2))),
        _ => long_remaining_length(rest),
    }
}

fn long_remaining_length(rest: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    let mut remaining = 0;
    for (index, byte) in rest.iter().take(4).enumerate() {
        remaining |= usize::from(byte & 0x7F) << (7 * index);
        if *byte < 0x80 {
            return Ok(Some((remaining, index + 2)));
        }
    }
    if rest.len() < 4 { Ok(None) } else { Err(Malformed::VariableByteIntegerTooLong) }
}

/// Judges the first byte.
#[inline]
fn admit(first: u8, rules: FrameRules) -> Result<PacketType, Malformed> {
    let packet_type = PacketType::new(first >> 4).ok_or(Malformed::ReservedPacketType)?;
    match rules.direction {
        Direction::ClientToServer => admit_from_client(packet_type, rules)?,
        Direction::ServerToClient => admit_from_server(packet_type, rules)?,
    }
    let flags = first & 0x0F;
    if packet_type == PacketType::Publish {
        check_publish_flags(flags)?;
    } else if flags != packet_type.fixed_flags() && !is_3_1_retry(packet_type, flags, rules) {
        return Err(Malformed::FixedHeaderFlags(packet_type));
    }
    Ok(packet_type)
}

#[inline]
fn admit_from_client(packet_type: PacketType, rules: FrameRules) -> Result<(), Malformed> {
    use PacketType as T;
    match packet_type {
        T::Connect if rules.first => Ok(()),
        T::Connect => Err(Malformed::SecondConnect),
        _ if rules.first => Err(Malformed::FirstPacketNotConnect),
        T::Auth if rules.version < ProtocolVersion::V5 => Err(Malformed::ReservedPacketType),
        T::ConnAck | T::SubAck | T::UnsubAck | T::PingResp => Err(Malformed::WrongDirection(packet_type)),
        _ => Ok(()),
    }
}

#[inline]
fn admit_from_server(packet_type: PacketType, rules: FrameRules) -> Result<(), Malformed> {
    use PacketType as T;
    match packet_type {
        T::Auth if rules.version < ProtocolVersion::V5 => Err(Malformed::ReservedPacketType),
        T::ConnAck | T::Auth if rules.first => Ok(()),
        T::ConnAck => Err(Malformed::SecondConnAck),
        T::Connect | T::Subscribe | T::Unsubscribe | T::PingReq => {
            Err(Malformed::WrongDirection(packet_type))
        }
        T::Disconnect if rules.version < ProtocolVersion::V5 => Err(Malformed::WrongDirection(packet_type)),
        _ if rules.first => Err(Malformed::FirstPacketNotConnAck),
        _ => Ok(()),
    }
}

#[inline]
fn check_publish_flags(flags: u8) -> Result<(), Malformed> {
    match flags & 0b1110 {
        0b0110 | 0b1110 => Err(Malformed::PublishQoS3),
        0b1000 => Err(Malformed::DupAtQoS0),
        _ => Ok(()),
    }
}

/// In 3.1 these three are messages of QoS 1 and a repetition of one sets DUP (3.1 §3.6, §3.8, §3.10).
fn is_3_1_retry(packet_type: PacketType, flags: u8, rules: FrameRules) -> bool {
    use PacketType as T;
    rules.version == ProtocolVersion::V3_1
        && matches!(packet_type, T::PubRel | T::Subscribe | T::Unsubscribe)
        && flags == 0b1010
}
