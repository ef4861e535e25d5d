//! The shared vectors: every kind but OSCORE, and what `uri.rs` and `link_format.rs` take.
#![cfg(feature = "bytes")]

mod common;

use core::time::Duration;
use std::collections::BTreeSet;

use coap_codec::stream::{self, Framing, next_frame};
use coap_codec::{Block, Code, Message, MessageId, Options, Reaction, Rules, is_newer_notification};
use common::owned::{inserted, plain_block};
use common::{LONG_TOKENS, all_vectors, decode, hex, list, text, vectors};
use serde_json::Value;

const HERE: [&str; 6] =
    ["coap-udp", "coap-udp-8974", "coap-tcp", "coap-ws", "block-option-value", "observe-order"];
const IN_OTHER_TESTS: [&str; 2] = ["uri-options", "link-format"];
const FOR_OTHER_CRATES: [&str; 2] = ["oscore-kdf", "oscore-msg"];

#[test]
fn no_kind_is_left_out() {
    let all = all_vectors();
    let kinds: BTreeSet<&str> = all.iter().map(|vector| text(vector, "kind")).collect();
    let read: BTreeSet<&str> = HERE.into_iter().chain(IN_OTHER_TESTS).chain(FOR_OTHER_CRATES).collect();
    assert_eq!(kinds, read);
    let counted: usize = HERE.iter().map(|kind| vectors(kind).len()).sum();
    assert_eq!(counted, 148, "vectors read here");
}

fn options_of(vector: &Value) -> Vec<(u16, Vec<u8>)> {
    let pair = |option: &Value| {
        let number = u16::try_from(option[0].as_u64().expect("a number")).expect("a u16");
        (number, hex(option[1].as_str().expect("hexadecimal")))
    };
    vector["options"].as_array().expect("a list").iter().map(pair).collect()
}

#[test]
fn datagrams() {
    for vector in vectors("coap-udp") {
        let bytes = hex(text(&vector, "hex"));
        assert_eq!(bytes.len() as u64, vector["len"].as_u64().unwrap());
        if vector["valid"] == true {
            valid(&vector, &bytes);
        } else {
            invalid(&vector, &bytes);
        }
    }
}

fn valid(vector: &Value, bytes: &[u8]) {
    let id = text(vector, "id");
    let message = decode(bytes).unwrap_or_else(|rejected| panic!("{id}: {rejected:?}"));
    assert_eq!(message.message_type.to_string(), text(vector, "type"), "{id}");
    assert_eq!(message.code.to_string(), text(vector, "code"), "{id}");
    assert_eq!(u64::from(message.message_id.get()), vector["mid"].as_u64().unwrap(), "{id}");
    assert_eq!(message.token, hex(text(vector, "token")), "{id}");
    let options = options_of(vector);
    assert_eq!(list(message.options), options, "{id}");
    assert_eq!(message.payload, hex(text(vector, "payload")), "{id}");

    assert_eq!(encoded(&message), bytes, "{id}");
    assert_eq!(inserted(&options), message.options.encoded(), "{id}");
    let backwards: Vec<_> = options.iter().rev().cloned().collect();
    let mut sorted = backwards.clone();
    sorted.sort_by_key(|(number, _)| *number);
    assert_eq!(inserted(&backwards), plain_block(&sorted), "{id}");
}

fn encoded(message: &Message<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes).expect("what was decoded can be encoded");
    assert_eq!(message.encoded_len(), bytes.len());
    bytes
}

fn invalid(vector: &Value, bytes: &[u8]) {
    let id = text(vector, "id");
    let rejected = decode(bytes).expect_err(id);
    let expected = if text(vector, "reaction").contains("RST") {
        Reaction::Reset(MessageId::new(u16::from_be_bytes([bytes[2], bytes[3]])))
    } else {
        assert!(text(vector, "reaction").starts_with("silently"), "{vector}");
        Reaction::Silence
    };
    assert_eq!(rejected.reaction, expected, "{id}: {:?}", rejected.rule);
    assert!(rejected.rule.section().starts_with("RFC "), "{id}");
}

#[test]
fn long_tokens() {
    for vector in vectors("coap-udp-8974") {
        let bytes = hex(text(&vector, "hex"));
        let len = usize::try_from(vector["token_len"].as_u64().unwrap()).unwrap();
        let message = Message::decode(&bytes, &LONG_TOKENS).unwrap();
        assert_eq!(message.token, vec![0x74; len]);
        assert_eq!(encoded(&message), bytes);
        assert!(decode(&bytes).is_err(), "only once RFC 8974 is in use");
        assert!(Message::decode(&bytes, &Rules { max_token_len: len - 1 }).is_err());
    }
}

fn on_a_stream(vector: &Value, framing: Framing) {
    let id = text(vector, "id");
    let digits = text(vector, "hex");
    let block = plain_block(&options_of(vector));
    let payload_len = vector["payload_len"].as_u64().map(|len| usize::try_from(len).unwrap());
    let payload = match vector["payload"].as_str() {
        Some(digits) => hex(digits),
        None if id == "8323-abort" => b"bad option".to_vec(),
        None => vec![b'x'; payload_len.unwrap()],
    };
    let token = hex(text(vector, "token"));
    let code = text(vector, "code");
    let code = Code::new(code[..1].parse().unwrap(), code[2..].parse().unwrap()).unwrap();
    let options = Options::decode(&block).unwrap();
    let message = stream::Message { code, token: &token, options, payload: &payload };

    let mut bytes = Vec::new();
    message.encode(framing, &mut bytes).unwrap();
    assert_eq!(bytes.len(), message.encoded_len(framing));
    match digits.strip_suffix("..") {
        Some(beginning) => assert!(bytes.starts_with(&hex(beginning)), "{id}"),
        None => assert_eq!(bytes, hex(digits), "{id}"),
    }
    if let Some(len) = vector["total_len"].as_u64() {
        assert_eq!(bytes.len() as u64, len, "{id}");
    }

    let rules = stream::Rules { max_message_size: bytes.len(), ..stream::Rules::new(framing) };
    let (frame, len) = next_frame(&bytes, &rules).unwrap().expect("whole");
    assert_eq!(len, bytes.len(), "{id}");
    assert_eq!(stream::Message::decode(frame), Ok(message), "{id}");
    let smaller = stream::Rules { max_message_size: bytes.len() - 1, ..rules };
    assert!(next_frame(&bytes, &smaller).is_err(), "{id}");
}

#[test]
fn messages_on_tcp() {
    for vector in vectors("coap-tcp") {
        on_a_stream(&vector, Framing::Tcp);
    }
}

#[test]
fn messages_on_web_sockets() {
    for vector in vectors("coap-ws") {
        on_a_stream(&vector, Framing::WebSocket);
    }
}

#[test]
fn block_values() {
    for vector in vectors("block-option-value") {
        let id = text(&vector, "id");
        let value = hex(text(&vector, "hex"));
        let block = Block::decode(&value).unwrap();
        assert_eq!(u64::from(block.num()), vector["num"].as_u64().unwrap(), "{id}");
        assert_eq!(u64::from(block.more()), vector["m"].as_u64().unwrap(), "{id}");
        match vector["size"].as_u64() {
            Some(size) => assert_eq!((block.size() as u64, block.is_bert()), (size, false), "{id}"),
            None => assert_eq!((block.size(), block.is_bert()), (1024, true), "{id}"),
        }
        assert_eq!(Block::new(block.num(), block.more(), block.size_exponent()), Some(block), "{id}");
        assert_eq!(*block.value(), *value, "{id}");
    }
}

#[test]
fn order_of_notifications() {
    for vector in vectors("observe-order") {
        let value = |field: &str| u32::try_from(vector[field].as_u64().unwrap()).unwrap();
        let elapsed = vector["t2"].as_f64().unwrap() - vector["t1"].as_f64().unwrap();
        let newer = is_newer_notification(value("v1"), value("v2"), Duration::from_secs_f64(elapsed));
        assert_eq!(vector["newer"], newer, "{vector}");
    }
}
