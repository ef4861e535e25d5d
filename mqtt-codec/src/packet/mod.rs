//! The packets.

mod acknowledge;
mod auth;
mod connack;
mod connect;
mod disconnect;
mod filters;
mod ping;
mod publish;
mod suback;
mod subscribe;
mod unsuback;
mod unsubscribe;

pub use acknowledge::Acknowledge;
pub use auth::Auth;
pub use connack::ConnAck;
pub use connect::{Connect, Will};
pub use disconnect::Disconnect;
pub use filters::{SubscribeFilters, SubscribeFiltersIter, UnsubscribeFilters, UnsubscribeFiltersIter};
pub use publish::{Delivery, Publish};
pub use suback::{ReasonCodes, SubAck};
pub use subscribe::{RetainHandling, Subscribe, SubscriptionOptions};
pub use unsuback::UnsubAck;
pub use unsubscribe::Unsubscribe;

use crate::header::{MAX_REMAINING_LENGTH, header_len};
use crate::reader::end;
use crate::writer::Output;
use crate::{EncodeError, Frame, Malformed, PacketType, ProtocolVersion};
use ping::Ping;

/// A packet, borrowed from the bytes it was decoded from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packet<'a> {
    /// CONNECT, §3.1.
    Connect(Connect<'a>),
    /// CONNACK, §3.2.
    ConnAck(ConnAck<'a>),
    /// PUBLISH, §3.3.
    Publish(Publish<'a>),
    /// PUBACK, §3.4.
    PubAck(Acknowledge<'a>),
    /// PUBREC, §3.5.
    PubRec(Acknowledge<'a>),
    /// PUBREL, §3.6.
    PubRel(Acknowledge<'a>),
    /// PUBCOMP, §3.7.
    PubComp(Acknowledge<'a>),
    /// SUBSCRIBE, §3.8.
    Subscribe(Subscribe<'a>),
    /// SUBACK, §3.9.
    SubAck(SubAck<'a>),
    /// UNSUBSCRIBE, §3.10.
    Unsubscribe(Unsubscribe<'a>),
    /// UNSUBACK, §3.11.
    UnsubAck(UnsubAck<'a>),
    /// PINGREQ, §3.12.
    PingReq,
    /// PINGRESP, §3.13.
    PingResp,
    /// DISCONNECT, §3.14.
    Disconnect(Disconnect<'a>),
    /// AUTH, §3.15.
    Auth(Auth<'a>),
}

/// The expression for the packet, whichever it is.
macro_rules! of_each {
    ($packet:expr, |$each:ident| $value:expr) => {
        match $packet {
            Packet::Connect($each) => $value,
            Packet::ConnAck($each) => $value,
            Packet::Publish($each) => $value,
            Packet::PubAck($each) => of_each!(@typed PubAck, $each, $value),
            Packet::PubRec($each) => of_each!(@typed PubRec, $each, $value),
            Packet::PubRel($each) => of_each!(@typed PubRel, $each, $value),
            Packet::PubComp($each) => of_each!(@typed PubComp, $each, $value),
            Packet::Subscribe($each) => $value,
            Packet::SubAck($each) => $value,
            Packet::Unsubscribe($each) => $value,
            Packet::UnsubAck($each) => $value,
            Packet::PingReq => of_each!(@ping PingReq, $each, $value),
            Packet::PingResp => of_each!(@ping PingResp, $each, $value),
            Packet::Disconnect($each) => $value,
            Packet::Auth($each) => $value,
        }
    };
    (@typed $packet_type:ident, $each:ident, $value:expr) => {{
        let $each = $each.of_type(PacketType::$packet_type);
        $value
    }};
    (@ping $packet_type:ident, $each:ident, $value:expr) => {{
        let $each = Ping(PacketType::$packet_type);
        $value
    }};
}

impl<'a> Packet<'a> {
    /// Decodes a packet of a connection of this version. CONNECT says its version itself.
    ///
    /// # Errors
    /// The first [`Malformed`] rule that the packet breaks.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as a call it costs more than what it does for most packets")]
    pub fn decode(frame: Frame<'a>, version: ProtocolVersion) -> Result<Self, Malformed> {
        let packet_type = frame.packet_type();
        match packet_type {
            PacketType::Connect => Connect::read(&frame),
            PacketType::ConnAck => ConnAck::read(frame.body(), version).map(Self::ConnAck),
            PacketType::Publish => Publish::read(&frame, version),
            PacketType::PubAck => Acknowledge::read(frame.body(), version, packet_type).map(Self::PubAck),
            PacketType::PubRec => Acknowledge::read(frame.body(), version, packet_type).map(Self::PubRec),
            PacketType::PubRel => Acknowledge::read(frame.body(), version, packet_type).map(Self::PubRel),
            PacketType::PubComp => Acknowledge::read(frame.body(), version, packet_type).map(Self::PubComp),
            PacketType::Subscribe => Subscribe::read(frame.body(), version).map(Self::Subscribe),
            PacketType::SubAck => SubAck::read(frame.body(), version).map(Self::SubAck),
            PacketType::Unsubscribe => Unsubscribe::read(frame.body(), version).map(Self::Unsubscribe),
            PacketType::UnsubAck => UnsubAck::read(frame.body(), version).map(Self::UnsubAck),
            PacketType::PingReq => end(frame.body()).map(|()| Self::PingReq),
            PacketType::PingResp => end(frame.body()).map(|()| Self::PingResp),
            PacketType::Disconnect => Disconnect::read(&frame, version).map(Self::Disconnect),
            PacketType::Auth => Auth::read(frame.body(), version).map(Self::Auth),
        }
    }

    /// Bytes of the encoded packet, fixed header included.
    ///
    /// # Errors
    /// As [`encode`](Self::encode), but for the room.
    #[inline]
    pub fn encoded_len(&self, version: ProtocolVersion) -> Result<usize, EncodeError> {
        of_each!(self, |packet| packet.encoded_len(version))
    }

    /// Appends the encoded packet to `out`, whole or not at all. CONNECT brings its own version.
    ///
    /// # Errors
    /// Any [`EncodeError`]. What strings contain is not looked at: a topic name with a wildcard is the
    /// caller's.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as a call it costs more than what it does for most packets")]
    pub fn encode(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        of_each!(self, |packet| packet.encode(version, out))
    }

    /// Writes the encoded packet to the start of `buffer` and returns its length.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as a call it costs more than what it does for most packets")]
    pub fn encode_to_slice(&self, version: ProtocolVersion, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        of_each!(self, |packet| packet.encode_to_slice(version, buffer))
    }

    /// The type of the packet.
    pub const fn packet_type(&self) -> PacketType {
        match self {
            Self::Connect(_) => PacketType::Connect,
            Self::ConnAck(_) => PacketType::ConnAck,
            Self::Publish(_) => PacketType::Publish,
            Self::PubAck(_) => PacketType::PubAck,
            Self::PubRec(_) => PacketType::PubRec,
            Self::PubRel(_) => PacketType::PubRel,
            Self::PubComp(_) => PacketType::PubComp,
            Self::Subscribe(_) => PacketType::Subscribe,
            Self::SubAck(_) => PacketType::SubAck,
            Self::Unsubscribe(_) => PacketType::Unsubscribe,
            Self::UnsubAck(_) => PacketType::UnsubAck,
            Self::PingReq => PacketType::PingReq,
            Self::PingResp => PacketType::PingResp,
            Self::Disconnect(_) => PacketType::Disconnect,
            Self::Auth(_) => PacketType::Auth,
        }
    }
}

/// What a packet does to be encoded.
pub(crate) trait Encode {
    /// Checks what the types leave open and returns how long the packet will be.
    fn lengths(&self, version: ProtocolVersion) -> Result<Lengths, EncodeError>;

    /// Writes the whole packet of these lengths. Nothing can fail any more.
    fn put(&self, version: ProtocolVersion, lengths: Lengths, out: &mut impl Output);
}

/// The lengths that a packet is written with.
#[derive(Clone, Copy)]
pub(crate) struct Lengths {
    /// The remaining length.
    pub(crate) remaining: usize,
    /// The field of properties, if the packet has them always.
    pub(crate) properties: usize,
}

/// The remaining length, if there can be such a packet.
#[inline]
pub(crate) fn bounded(remaining: usize) -> Result<usize, EncodeError> {
    if remaining > MAX_REMAINING_LENGTH { Err(EncodeError::TooLong) } else { Ok(remaining) }
}

#[inline]
fn encoded_len(packet: &impl Encode, version: ProtocolVersion) -> Result<usize, EncodeError> {
    let remaining = bounded(packet.lengths(version)?.remaining)?;
    Ok(header_len(remaining) + remaining)
}

/// Out of line, so that the small packets do not pay for what the large ones need.
#[inline(never)]
fn encode<P: Encode>(packet: &P, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
    let lengths = packet.lengths(version)?;
    let remaining = bounded(lengths.remaining)?;
    if header_len(remaining) + remaining > out.room() {
        return Err(EncodeError::NoRoom);
    }
    packet.put(version, lengths, out);
    Ok(())
}

/// The same to the start of a slice. What is left of that is kept in registers here: behind a reference it would
/// be written back after every field.
#[inline(never)]
fn encode_to_slice<P: Encode>(
    packet: &P,
    version: ProtocolVersion,
    mut buffer: &mut [u8],
) -> Result<usize, EncodeError> {
    let lengths = packet.lengths(version)?;
    let remaining = bounded(lengths.remaining)?;
    let len = header_len(remaining) + remaining;
    if len > buffer.len() {
        return Err(EncodeError::NoRoom);
    }
    packet.put(version, lengths, &mut buffer);
    Ok(len)
}

/// Writes a whole packet of a few bytes.
#[inline]
fn put_small(packet: &[u8], out: &mut impl Output) -> Result<(), EncodeError> {
    if packet.len() > out.room() {
        return Err(EncodeError::NoRoom);
    }
    out.put(packet);
    Ok(())
}

/// The same to the start of a slice.
#[inline]
fn small_to_slice<const N: usize>(packet: [u8; N], buffer: &mut [u8]) -> Result<usize, EncodeError> {
    *buffer.first_chunk_mut().ok_or(EncodeError::NoRoom)? = packet;
    Ok(N)
}

/// The verbs of everything that can be encoded.
macro_rules! encode_methods {
    ($($packet:ident),+) => { $(
        impl $packet<'_> {
            /// Bytes of the encoded packet, fixed header included.
            ///
            /// # Errors
            /// As [`encode`](Self::encode), but for the room.
            pub fn encoded_len(&self, version: ProtocolVersion) -> Result<usize, EncodeError> {
                encoded_len(self, version)
            }

            /// Appends the encoded packet to `out`, whole or not at all. CONNECT brings its own version.
            ///
            /// # Errors
            /// Any [`EncodeError`]. What strings contain is not looked at: a topic name with a wildcard is
            /// the caller's.
            #[inline]
            pub fn encode(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
                encode(self, version, out)
            }

            /// Writes the encoded packet to the start of `buffer` and returns its length.
            ///
            /// # Errors
            /// As [`encode`](Self::encode).
            #[inline]
            pub fn encode_to_slice(&self, version: ProtocolVersion, buffer: &mut [u8]) -> Result<usize, EncodeError> {
                encode_to_slice(self, version, buffer)
            }
        }
    )+ };
}

encode_methods!(Connect, ConnAck, Publish, Subscribe, SubAck, Unsubscribe, UnsubAck, Disconnect, Auth);
