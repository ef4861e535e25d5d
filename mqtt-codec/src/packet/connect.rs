//! CONNECT, §3.1.

use super::{Encode, Lengths};
use crate::header::put_header;
use crate::reader::{Parsed, be_u16, binary, byte, cond, end, refuse};
use crate::text::{string, topic_name};
use crate::writer::{Output, binary_len, put_binary};
use crate::{
    EncodeError, Frame, Malformed, Packet, PacketType, Properties, PropertyContext, ProtocolVersion, QoS,
};

/// CONNECT: a client asks for a connection, §3.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connect<'a> {
    /// The version that the client speaks. It also decides how the packet is encoded.
    pub version: ProtocolVersion,
    /// Clean Start; in 3.x Clean Session.
    pub clean_start: bool,
    /// The longest silence of the client in seconds; 0 is no limit.
    pub keep_alive: u16,
    /// Properties, from 5.0.
    pub properties: Properties<'a>,
    /// The client identifier; empty to be given one. Of 3.1 more than its 23 characters are accepted, for its
    /// clients never kept to them.
    pub client_id: &'a str,
    /// What the server publishes when the connection ends.
    pub will: Option<Will<'a>>,
    /// The user name.
    pub username: Option<&'a str>,
    /// The password; before 5.0 only beside a user name.
    pub password: Option<&'a [u8]>,
}

/// The will of a client, §3.1.2.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Will<'a> {
    /// With which quality of service it is published.
    pub qos: QoS,
    /// Whether it is published as a retained message.
    pub retain: bool,
    /// Properties, from 5.0.
    pub properties: Properties<'a>,
    /// The topic name.
    pub topic: &'a str,
    /// The message, at most 65 535 bytes.
    pub payload: &'a [u8],
}

const CLEAN_START: u8 = 1 << 1;
const WILL: u8 = 1 << 2;
const WILL_QOS_SHIFT: u8 = 3;
const WILL_RETAIN: u8 = 1 << 5;
const PASSWORD: u8 = 1 << 6;
const USERNAME: u8 = 1 << 7;

impl<'a> Connect<'a> {
    pub(super) fn read(frame: &Frame<'a>) -> Result<Packet<'a>, Malformed> {
        let (input, version) = protocol_version(frame.body())?;
        let (input, flags) = byte(input)?;
        let will_qos = check_flags(flags, version)?;
        let (input, keep_alive) = be_u16(input)?;
        let (input, properties) = Properties::read(input, version, PropertyContext::Connect)?;
        let (input, client_id) = string(input)?;
        let clean_start = flags & CLEAN_START != 0;
        check_client_id(client_id, clean_start, version)?;
        let (input, will) = if flags & WILL == 0 {
            (input, None)
        } else {
            let (input, properties) = Properties::read(input, version, PropertyContext::Will)?;
            let (input, topic) = topic_name(input)?;
            let (input, payload) = binary(input)?;
            let retain = flags & WILL_RETAIN != 0;
            (input, Some(Will { qos: will_qos, retain, properties, topic, payload }))
        };
        let (input, username) = cond(is_there(flags & USERNAME, input, version), string, input)?;
        let (input, password) = cond(is_there(flags & PASSWORD, input, version), binary, input)?;
        end(input)?;
        if version == ProtocolVersion::V5 && !frame.is_shortest() {
            return Err(Malformed::VariableByteIntegerNotShortest);
        }
        Ok(Packet::Connect(Self {
            version,
            clean_start,
            keep_alive,
            properties,
            client_id,
            will,
            username,
            password,
        }))
    }

    fn flags(&self) -> u8 {
        let flag = |set: bool, flag: u8| if set { flag } else { 0 };
        let will = self
            .will
            .map_or(0, |will| WILL | (will.qos as u8) << WILL_QOS_SHIFT | flag(will.retain, WILL_RETAIN));
        flag(self.clean_start, CLEAN_START)
            | will
            | flag(self.username.is_some(), USERNAME)
            | flag(self.password.is_some(), PASSWORD)
    }
}

/// Protocol name and level, §3.1.2.1 and §3.1.2.2.
fn protocol_version(input: &[u8]) -> Parsed<'_, ProtocolVersion> {
    let (rest, name) = binary(input)?;
    let version = match name {
        b"MQTT" | b"MQIsdp" => byte(rest)?,
        _ => return Err(refuse(Malformed::UnsupportedProtocolName)),
    };
    match (name, version) {
        (b"MQTT", (rest, 5)) => Ok((rest, ProtocolVersion::V5)),
        (b"MQTT", (rest, 4)) => Ok((rest, ProtocolVersion::V3_1_1)),
        (b"MQIsdp", (rest, 3)) => Ok((rest, ProtocolVersion::V3_1)),
        (_, (_, level)) => Err(refuse(Malformed::UnsupportedProtocolLevel(level))),
    }
}

/// The rules of §3.1.2.3 to §3.1.2.9; returns the QoS of the will.
fn check_flags(flags: u8, version: ProtocolVersion) -> Result<QoS, Malformed> {
    let will_qos = QoS::new(flags >> WILL_QOS_SHIFT & 0b11).ok_or(Malformed::WillQoS3)?;
    if flags & 1 != 0 {
        return Err(Malformed::ReservedConnectFlag);
    }
    if flags & WILL == 0 {
        if will_qos != QoS::AtMostOnce {
            return Err(Malformed::WillQoSWithoutWill);
        }
        if flags & WILL_RETAIN != 0 {
            return Err(Malformed::WillRetainWithoutWill);
        }
    }
    check_password(flags & USERNAME != 0, flags & PASSWORD != 0, version)?;
    Ok(will_qos)
}

/// The rule of the flags that a [`Connect`] can break.
fn check_password(username: bool, password: bool, version: ProtocolVersion) -> Result<(), Malformed> {
    if password && !username && version < ProtocolVersion::V5 {
        Err(Malformed::PasswordWithoutUserName)
    } else {
        Ok(())
    }
}

fn check_client_id(client_id: &str, clean_start: bool, version: ProtocolVersion) -> Result<(), Malformed> {
    let may_be_empty = match version {
        ProtocolVersion::V3_1 => false,
        ProtocolVersion::V3_1_1 => clean_start,
        ProtocolVersion::V5 => true,
    };
    if client_id.is_empty() && !may_be_empty { Err(Malformed::EmptyClientIdentifier) } else { Ok(()) }
}

/// Whether a flagged field is there. In 3.1 the remaining length takes precedence over the flags (3.1 §3.1).
fn is_there(flag: u8, input: &[u8], version: ProtocolVersion) -> bool {
    flag != 0 && !(version == ProtocolVersion::V3_1 && input.is_empty())
}

impl Will<'_> {
    fn len(&self, version: ProtocolVersion) -> Result<usize, EncodeError> {
        if self.topic.is_empty() {
            return Err(Malformed::EmptyTopicName.into());
        }
        Ok(self.properties.field_len(version, PropertyContext::Will.bit())?
            + binary_len(self.topic.as_bytes())?
            + binary_len(self.payload)?)
    }
}

impl Encode for Connect<'_> {
    fn lengths(&self, _: ProtocolVersion) -> Result<Lengths, EncodeError> {
        check_password(self.username.is_some(), self.password.is_some(), self.version)?;
        check_client_id(self.client_id, self.clean_start, self.version)?;
        let properties = self.properties.field_len(self.version, PropertyContext::Connect.bit())?;
        let mut len = 2 + self.version.name().len() + 1 + 1 + 2 + properties;
        len += binary_len(self.client_id.as_bytes())?;
        if let Some(will) = &self.will {
            len += will.len(self.version)?;
        }
        if let Some(username) = self.username {
            len += binary_len(username.as_bytes())?;
        }
        if let Some(password) = self.password {
            len += binary_len(password)?;
        }
        Ok(Lengths { remaining: len, properties })
    }

    fn put(&self, _: ProtocolVersion, lengths: Lengths, out: &mut impl Output) {
        put_header(PacketType::Connect.first_byte(), lengths.remaining, out);
        let (level, flags, [high, low]) = (self.version.level(), self.flags(), self.keep_alive.to_be_bytes());
        match self.version {
            ProtocolVersion::V3_1 => {
                out.put(&[0, 6, b'M', b'Q', b'I', b's', b'd', b'p', level, flags, high, low]);
            }
            ProtocolVersion::V3_1_1 | ProtocolVersion::V5 => {
                out.put(&[0, 4, b'M', b'Q', b'T', b'T', level, flags, high, low]);
            }
        }
        self.properties.put_field_of(lengths.properties, out);
        put_binary(self.client_id.as_bytes(), out);
        if let Some(will) = &self.will {
            will.properties.put_field(self.version, out);
            put_binary(will.topic.as_bytes(), out);
            put_binary(will.payload, out);
        }
        if let Some(username) = self.username {
            put_binary(username.as_bytes(), out);
        }
        if let Some(password) = self.password {
            put_binary(password, out);
        }
    }
}
