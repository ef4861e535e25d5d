//! Length and MsgType, §5.2.

use crate::{Malformed, Output};

/// The largest message: what a Length of three octets can say. What a network carries is less.
pub const MAX_MESSAGE_SIZE: usize = u16::MAX as usize;

/// The first octet of a Length of three octets.
const LONG: u8 = 0x01;

/// MsgType of a forwarder encapsulation, which is no message itself.
pub(crate) const ENCAPSULATED: u8 = 0xFE;

macro_rules! message_types {
    ($($number:literal $variant:ident $name:literal $section:literal)*) => {
        /// MsgType, table 3. Encapsulation (0xFE) wraps messages and is none.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum MessageType {
            $(
                #[doc = concat!($name, ", §", $section, ".")]
                $variant = $number,
            )*
        }

        impl MessageType {
            /// Every type, in the order of the numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The type with this number, `None` for reserved ones and encapsulation.
            #[inline]
            pub const fn new(number: u8) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name that the specification has for it.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

message_types! {
    0x00 Advertise "ADVERTISE" "5.4.1"
    0x01 SearchGw "SEARCHGW" "5.4.2"
    0x02 GwInfo "GWINFO" "5.4.3"
    0x04 Connect "CONNECT" "5.4.4"
    0x05 ConnAck "CONNACK" "5.4.5"
    0x06 WillTopicReq "WILLTOPICREQ" "5.4.6"
    0x07 WillTopic "WILLTOPIC" "5.4.7"
    0x08 WillMsgReq "WILLMSGREQ" "5.4.8"
    0x09 WillMsg "WILLMSG" "5.4.9"
    0x0A Register "REGISTER" "5.4.10"
    0x0B RegAck "REGACK" "5.4.11"
    0x0C Publish "PUBLISH" "5.4.12"
    0x0D PubAck "PUBACK" "5.4.13"
    0x0E PubComp "PUBCOMP" "5.4.14"
    0x0F PubRec "PUBREC" "5.4.14"
    0x10 PubRel "PUBREL" "5.4.14"
    0x12 Subscribe "SUBSCRIBE" "5.4.15"
    0x13 SubAck "SUBACK" "5.4.16"
    0x14 Unsubscribe "UNSUBSCRIBE" "5.4.17"
    0x15 UnsubAck "UNSUBACK" "5.4.18"
    0x16 PingReq "PINGREQ" "5.4.19"
    0x17 PingResp "PINGRESP" "5.4.20"
    0x18 Disconnect "DISCONNECT" "5.4.21"
    0x1A WillTopicUpd "WILLTOPICUPD" "5.4.22"
    0x1B WillTopicResp "WILLTOPICRESP" "5.4.24"
    0x1C WillMsgUpd "WILLMSGUPD" "5.4.23"
    0x1D WillMsgResp "WILLMSGRESP" "5.4.25"
}

impl core::fmt::Display for MessageType {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// The MsgType of a datagram that is one message, and its variable part.
#[inline]
pub(crate) fn split(datagram: &[u8]) -> Result<(u8, &[u8]), Malformed> {
    match datagram {
        [LONG, high, low, msg_type, rest @ ..] => {
            if *msg_type == ENCAPSULATED {
                return Err(Malformed::LongEncapsulation);
            }
            check_length(usize::from(u16::from_be_bytes([*high, *low])), 4, datagram)?;
            Ok((*msg_type, rest))
        }
        [] | [_] | [LONG, ..] => Err(Malformed::TruncatedHeader),
        [length, msg_type, rest @ ..] => {
            if *msg_type == ENCAPSULATED {
                return Err(Malformed::Encapsulated);
            }
            check_length(usize::from(*length), 2, datagram)?;
            Ok((*msg_type, rest))
        }
    }
}

#[inline]
const fn check_length(length: usize, header: usize, datagram: &[u8]) -> Result<(), Malformed> {
    if length == datagram.len() {
        Ok(())
    } else if length < header {
        Err(Malformed::LengthTooSmall)
    } else if length > datagram.len() {
        Err(Malformed::LengthBeyondDatagram)
    } else {
        Err(Malformed::TrailingOctets)
    }
}

/// Octets of a message with this many in its variable part: the shorter Length wherever that can be.
#[inline]
pub(crate) const fn message_len(body: usize) -> usize {
    if body <= 253 { 2 + body } else { 4 + body }
}

/// Writes Length and MsgType; `body` was checked to fit.
#[inline]
pub(crate) fn put(msg_type: MessageType, body: usize, out: &mut impl Output) {
    let length = message_len(body);
    if body <= 253 {
        out.put(&[length as u8, msg_type as u8]);
    } else {
        let [high, low] = (length as u16).to_be_bytes();
        out.put(&[LONG, high, low, msg_type as u8]);
    }
}
