//! Forwarder encapsulation, §5.5: a message with the node that it comes from or goes to.

use crate::header::{ENCAPSULATED, split};
use crate::{EncodeError, Malformed, Output, Packet, Rules};

/// The longest wireless node id: Length has one octet and counts three more.
pub const MAX_WIRELESS_NODE_ID: usize = 252;

const HEADER: usize = 3;
const RADIUS: u8 = 0b11;

/// A message on its way between a forwarder and a gateway, §5.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Encapsulated<'a> {
    /// The broadcast radius, 0 to 3; only the gateway says one, and 0 means the whole network.
    pub radius: u8,
    /// The node behind the forwarder, 0 to 252 octets.
    pub wireless_node_id: &'a [u8],
    /// The message as it is: with its own header, not looked into further, no encapsulation itself.
    pub message: &'a [u8],
}

/// What a gateway receives: a message, or one by way of a forwarder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Datagram<'a> {
    /// A message of the sender's own.
    Packet(Packet<'a>),
    /// A message that a forwarder passes on.
    Encapsulated(Encapsulated<'a>),
}

impl<'a> Datagram<'a> {
    /// Decodes a message, or an encapsulated one as far as its header.
    ///
    /// # Errors
    /// The first [`Malformed`] rule that the datagram breaks.
    #[inline]
    pub fn decode(datagram: &'a [u8], rules: &Rules) -> Result<Self, Malformed> {
        match Packet::decode_with(datagram, rules) {
            Err(Malformed::Encapsulated) => Encapsulated::decode(datagram).map(Self::Encapsulated),
            packet => packet.map(Self::Packet),
        }
    }
}

impl<'a> Encapsulated<'a> {
    /// Decodes the header, and checks that one message follows.
    ///
    /// # Errors
    /// The first [`Malformed`] rule that the datagram breaks; [`Malformed::NotEncapsulated`] for a message.
    pub fn decode(datagram: &'a [u8]) -> Result<Self, Malformed> {
        let (length, control, rest) = match datagram {
            [0x01, _, _, ENCAPSULATED, ..] => return Err(Malformed::LongEncapsulation),
            [length, ENCAPSULATED, control, rest @ ..] => (usize::from(*length), *control, rest),
            [_, ENCAPSULATED] | [] | [_] => return Err(Malformed::TruncatedHeader),
            _ => return Err(Malformed::NotEncapsulated),
        };
        let node = length.checked_sub(HEADER).ok_or(Malformed::LengthTooSmall)?;
        let (wireless_node_id, message) =
            rest.split_at_checked(node).ok_or(Malformed::LengthBeyondDatagram)?;
        check_inner(message)?;
        Ok(Self { radius: control & RADIUS, wireless_node_id, message })
    }

    /// Octets of the datagram.
    ///
    /// # Errors
    /// As [`encode`](Self::encode), but for the room.
    pub fn encoded_len(&self) -> Result<usize, EncodeError> {
        if self.wireless_node_id.len() > MAX_WIRELESS_NODE_ID {
            return Err(EncodeError::TooLong);
        }
        if self.radius > RADIUS {
            return Err(EncodeError::Radius);
        }
        check_inner(self.message)?;
        Ok(HEADER + self.wireless_node_id.len() + self.message.len())
    }

    /// Appends the datagram to `out`, whole or not at all.
    ///
    /// # Errors
    /// Any [`EncodeError`].
    pub fn encode(&self, out: &mut impl Output) -> Result<(), EncodeError> {
        if self.encoded_len()? > out.room() {
            return Err(EncodeError::NoRoom);
        }
        out.put(&[(HEADER + self.wireless_node_id.len()) as u8, ENCAPSULATED, self.radius]);
        out.put(self.wireless_node_id);
        out.put(self.message);
        Ok(())
    }

    /// Writes the datagram to the start of `buffer` and returns its length.
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn encode_to_slice(&self, buffer: &mut [u8]) -> Result<usize, EncodeError> {
        let mut out = buffer;
        let room = out.len();
        self.encode(&mut out)?;
        Ok(room - out.len())
    }
}

/// One whole message, as far as its header tells, and no encapsulation.
fn check_inner(message: &[u8]) -> Result<(), Malformed> {
    match split(message) {
        Ok(_) => Ok(()),
        Err(Malformed::Encapsulated | Malformed::LongEncapsulation) => Err(Malformed::NestedEncapsulation),
        Err(rule) => Err(rule),
    }
}
