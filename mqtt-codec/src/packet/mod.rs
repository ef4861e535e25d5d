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

/// `encode` of a type, but to the start of a slice.
macro_rules! to_slice {
    ($packet:expr, $version:expr, $buffer:expr) => {{
        let mut out = $buffer;
        let room = out.len();
        $packet.encode($version, &mut out)?;
        Ok(room - out.len())
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
            PacketType::Connect => Connect::read(&frame).map(Self::Connect),
            PacketType::ConnAck => ConnAck::read(frame.body(), version).map(Self::ConnAck),
            PacketType::Publish => Publish::read(&frame, version).map(Self::Publish),
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
        match self {
            Self::Connect(packet) => packet.encoded_len(version),
            Self::ConnAck(packet) => packet.encoded_len(version),
            Self::Publish(packet) => packet.encoded_len(version),
            Self::PubAck(packet) => encoded_len(&packet.of_type(PacketType::PubAck), version),
            Self::PubRec(packet) => encoded_len(&packet.of_type(PacketType::PubRec), version),
            Self::PubRel(packet) => encoded_len(&packet.of_type(PacketType::PubRel), version),
            Self::PubComp(packet) => encoded_len(&packet.of_type(PacketType::PubComp), version),
            Self::Subscribe(packet) => packet.encoded_len(version),
            Self::SubAck(packet) => packet.encoded_len(version),
            Self::Unsubscribe(packet) => packet.encoded_len(version),
            Self::UnsubAck(packet) => packet.encoded_len(version),
            Self::PingReq | Self::PingResp => Ok(2),
            Self::Disconnect(packet) => packet.encoded_len(version),
            Self::Auth(packet) => packet.encoded_len(version),
        }
    }

    /// Appends the encoded packet to `out`, whole or not at all. CONNECT brings its own version.
    ///
    /// # Errors
    /// Any [`EncodeError`]. What strings contain is not looked at: a topic name with a wildcard is the
    /// caller's.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as a call it costs more than what it does for most packets")]
    pub fn encode(&self, version: ProtocolVersion, out: &mut impl Output) -> Result<(), EncodeError> {
        match self {
            Self::Connect(packet) => packet.encode(version, out),
            Self::ConnAck(packet) => packet.encode(version, out),
            Self::Publish(packet) => packet.encode(version, out),
            Self::PubAck(packet) => packet.of_type(PacketType::PubAck).encode(version, out),
            Self::PubRec(packet) => packet.of_type(PacketType::PubRec).encode(version, out),
            Self::PubRel(packet) => packet.of_type(PacketType::PubRel).encode(version, out),
            Self::PubComp(packet) => packet.of_type(PacketType::PubComp).encode(version, out),
            Self::Subscribe(packet) => packet.encode(version, out),
            Self::SubAck(packet) => packet.encode(version, out),
            Self::Unsubscribe(packet) => packet.encode(version, out),
            Self::UnsubAck(packet) => packet.encode(version, out),
            Self::PingReq => ping::encode(PacketType::PingReq, out),
            Self::PingResp => ping::encode(PacketType::PingResp, out),
            Self::Disconnect(packet) => packet.encode(version, out),
            Self::Auth(packet) => packet.encode(version, out),
        }
    }

    /// Writes the encoded packet to the start of `buffer` and returns its length.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    #[inline]
    pub fn encode_to_slice(&self, version: ProtocolVersion, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        to_slice!(self, version, buffer)
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

/// Writes a whole packet of a few bytes.
#[inline]
fn put_small(packet: &[u8], out: &mut impl Output) -> Result<(), EncodeError> {
    if packet.len() > out.room() {
        return Err(EncodeError::NoRoom);
    }
    out.put(packet);
    Ok(())
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
                to_slice!(self, version, buffer)
            }
        }
    )+ };
}

encode_methods!(Connect, ConnAck, Publish, Subscribe, SubAck, Unsubscribe, UnsubAck, Disconnect, Auth);
