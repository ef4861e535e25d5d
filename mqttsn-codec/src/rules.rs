//! What a reader may set.

/// The most characters that a ClientId has by §5.3.1. A client that means to be understood everywhere keeps to it.
pub const MAX_CLIENT_ID: usize = 23;

/// The only ProtocolId there is, §5.3.8.
pub const PROTOCOL_ID: u8 = 0x01;

/// Where a reader has a choice. The default is what [`Packet::decode`](crate::Packet::decode) goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// The most octets of a ClientId. §5.3.1 says 23 characters, no gateway in use holds clients to it, and many
    /// clients do not: 128 by default, [`MAX_CLIENT_ID`] for the letter of the specification.
    pub max_client_id: usize,
    /// Whether a PUBLISH of QoS -1 may bring its topic name along: an extension of RSMB, in which TopicIdType is
    /// 0b00, the TopicId field is the length of the name, and name and data follow each other in the Data field.
    /// §6.8 allows predefined topic ids and short topic names only, so this is off by default.
    pub rsmb_qos_minus_one: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { max_client_id: 128, rsmb_qos_minus_one: false }
    }
}
