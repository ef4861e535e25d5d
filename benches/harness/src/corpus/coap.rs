//! CoAP in datagrams.

use coap_codec::{Code, MessageBuilder, MessageId, MessageType, OptionNumber, UintValue};

use super::payload;

/// A message of the corpus, taken apart for those who put it together again.
#[derive(Clone)]
pub struct Sample {
    /// Its name in the tables.
    pub name: &'static str,
    /// The whole datagram.
    pub bytes: Vec<u8>,
    /// Its code.
    pub code: Code,
    /// Its type.
    pub message_type: MessageType,
    /// Options in order.
    pub options: Vec<(OptionNumber, Vec<u8>)>,
    /// The payload.
    pub payload: Vec<u8>,
}

/// The message id of all.
pub const MESSAGE_ID: MessageId = MessageId::new(0x1234);
/// The token of all.
pub const TOKEN: &[u8] = b"tk01";

/// All messages: 20, 79, 114 and 1042 bytes.
pub fn samples() -> Vec<Sample> {
    let uint = |number: u64| UintValue::new(number).as_bytes().to_vec();
    let text = |text: &str| text.as_bytes().to_vec();
    let get = vec![(OptionNumber::URI_PATH, text("sensor")), (OptionNumber::URI_PATH, text("temp"))];
    let notification = vec![
        (OptionNumber::ETAG, text("e1")),
        (OptionNumber::OBSERVE, uint(7)),
        (OptionNumber::CONTENT_FORMAT, vec![]),
    ];
    let twelve = vec![
        (OptionNumber::IF_MATCH, text("abcd")),
        (OptionNumber::URI_HOST, text("device.example")),
        (OptionNumber::ETAG, text("etag0001")),
        (OptionNumber::OBSERVE, vec![]),
        (OptionNumber::URI_PORT, uint(5684)),
        (OptionNumber::URI_PATH, text("building")),
        (OptionNumber::URI_PATH, text("floor2")),
        (OptionNumber::CONTENT_FORMAT, uint(50)),
        (OptionNumber::URI_QUERY, text("unit=celsius&from=yesterday")),
        (OptionNumber::ACCEPT, uint(60)),
        (OptionNumber::BLOCK2, uint(6)),
        (OptionNumber::SIZE1, uint(4096)),
    ];
    let block = vec![
        (OptionNumber::ETAG, text("etag")),
        (OptionNumber::CONTENT_FORMAT, uint(60)),
        (OptionNumber::BLOCK2, uint(0x2E)),
    ];
    vec![
        sample("get_2path", MessageType::Confirmable, Code::GET, get, 0),
        sample("observe_64B", MessageType::Confirmable, Code::CONTENT, notification, 64),
        sample("options_x12", MessageType::Confirmable, Code::POST, twelve, 16),
        sample("block_1KiB", MessageType::Acknowledgement, Code::CONTENT, block, 1024),
    ]
}

fn sample(
    name: &'static str,
    message_type: MessageType,
    code: Code,
    options: Vec<(OptionNumber, Vec<u8>)>,
    payload_len: usize,
) -> Sample {
    let payload = payload(payload_len);
    let mut buffer = [0; 2000];
    let mut builder = MessageBuilder::new(&mut buffer, message_type, code, MESSAGE_ID, TOKEN).expect("room");
    for (number, value) in &options {
        builder.option(*number, value).expect("room");
    }
    builder.payload(&payload).expect("room");
    let bytes = builder.finish().expect("room").to_vec();
    Sample { name, bytes, code, message_type, options, payload }
}
