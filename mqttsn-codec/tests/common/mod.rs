//! What several tests share.
#![allow(dead_code, reason = "no test uses all of it")]

pub(crate) mod fields;
pub(crate) mod strategies;

use mqttsn_codec::{EncodeError, MessageId, Packet, Rules, TopicId};
use serde_json::Value;

/// Takes RSMB's extension, too.
pub(crate) const RSMB: Rules = Rules { max_client_id: 128, rsmb_qos_minus_one: true };

pub(crate) fn id(number: u16) -> MessageId {
    MessageId::new(number).expect("not 0")
}

pub(crate) fn topic(number: u16) -> TopicId {
    TopicId::new(number).expect("not reserved")
}

/// Encodes into a slice and into whatever room there is exactly enough of.
pub(crate) fn bytes_of(packet: &Packet<'_>) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = vec![0; packet.encoded_len()?];
    let len = packet.encode_to_slice(&mut bytes)?;
    assert_eq!(len, bytes.len(), "encoded_len is what encode writes");
    Ok(bytes)
}

/// A message of this type around a variable part.
pub(crate) fn message(msg_type: u8, body: &[u8]) -> Vec<u8> {
    let head = [body.len() as u8 + 2, msg_type];
    [&head, body].concat()
}

/// The vectors of the project: MQTT-SN 1.2, checked with `TShark`, and what live peers sent.
pub(crate) fn vectors() -> Value {
    serde_json::from_str(include_str!("../data/mqttsn.json")).expect("JSON")
}

pub(crate) fn list<'a>(vectors: &'a Value, name: &str) -> &'a [Value] {
    vectors[name].as_array().expect("a list")
}

pub(crate) fn hex(of: &Value) -> Vec<u8> {
    let text = of["hex"].as_str().expect("hex");
    let digits: Vec<_> = text.bytes().map(|byte| (byte as char).to_digit(16).expect("hex") as u8).collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).expect("four bits");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 0xF)]).collect()
}
