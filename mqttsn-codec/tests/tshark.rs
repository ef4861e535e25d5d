//! An independent decoder reads what we encode, and says what the vectors say.

mod common;

use common::{bytes_of, hex, list, vectors};
use mqttsn_codec::{Datagram, MessageType, Packet};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

/// Valid by the specification, but flagged by `TShark`: empty will topics, and node ids that are no integer.
const MISJUDGED: &[&str] = &["willtopic_empty", "willtopicupd_empty", "encap_8byte_node", "encap_empty_node"];

/// The longer Length says so in the length; our encoding is the shorter one.
const LONGER_THAN_OURS: &[(&str, &str)] = &[("connect_3octet", "10"), ("publish_len258_3octet", "258")];

#[test]
#[ignore = "needs tshark"]
fn tshark_reads_what_we_write() {
    let vectors = vectors();
    let mut types = BTreeSet::new();
    let valid: Vec<&Value> =
        list(&vectors, "vectors").iter().filter(|vector| vector["valid"] == true).collect();
    let datagrams: Vec<Vec<u8>> = valid.iter().map(|vector| written(&hex(vector), &mut types)).collect();
    assert_eq!(types.len(), MessageType::ALL.len(), "every message");

    let read = tshark(&datagrams);
    assert_eq!(read.len(), valid.len());
    for (vector, ours) in valid.iter().zip(&read) {
        let name = vector["name"].as_str().expect("a name");
        if MISJUDGED.contains(&name) {
            continue;
        }
        assert!(!ours.contains_key("_ws.malformed"), "{name}: {ours:?}");
        let expected = vector["tshark"].as_object().expect("fields");
        for (field, value) in expected.iter().filter(|(field, _)| field.starts_with("mqttsn.")) {
            let shorter = LONGER_THAN_OURS.iter().find(|(other, _)| *other == name);
            let value = match shorter {
                Some((_, len)) if field == "mqttsn.msg.len" => len,
                _ => value.as_str().expect("text"),
            };
            assert_eq!(ours.get(field).map(String::as_str), Some(value), "{field} of {name}");
        }
    }
}

/// Our encoding of what we decoded.
fn written(bytes: &[u8], types: &mut BTreeSet<MessageType>) -> Vec<u8> {
    match Packet::decode_any(bytes).expect("valid") {
        Datagram::Packet(packet) => {
            types.insert(packet.message_type());
            bytes_of(&packet).expect("valid")
        }
        Datagram::Encapsulated(encapsulated) => {
            let mut bytes = vec![0; encapsulated.encoded_len().expect("valid")];
            encapsulated.encode_to_slice(&mut bytes).expect("valid");
            bytes
        }
    }
}

type Fields = BTreeMap<String, String>;

fn tshark(datagrams: &[Vec<u8>]) -> Vec<Fields> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("tshark");
    std::fs::create_dir_all(&folder).expect("a folder");
    let (dump, capture) = (folder.join("v.txt"), folder.join("v.pcap"));
    let mut text = String::new();
    for datagram in datagrams {
        write!(text, "000000").expect("a string");
        for octet in datagram {
            write!(text, " {octet:02x}").expect("a string");
        }
        text.push_str("\n\n");
    }
    std::fs::write(&dump, text).expect("a file");
    run(Command::new("text2pcap").args(["-q", "-u", "50000,1885"]).arg(&dump).arg(&capture));
    let json = run(Command::new("tshark").arg("-r").arg(&capture).args([
        "-d",
        "udp.port==1885,mqttsn",
        "-T",
        "json",
        "--no-duplicate-keys",
    ]));
    let frames: Vec<Value> = serde_json::from_str(&json).expect("JSON");
    frames.iter().map(|frame| fields_of(&frame["_source"]["layers"])).collect()
}

fn run(command: &mut Command) -> String {
    let output = command.output().expect("text2pcap and tshark are installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// All fields of a frame, however deep; of those that appear twice (around and in an encapsulation) the last.
fn fields_of(layers: &Value) -> Fields {
    let mut fields = Fields::new();
    let mut left = vec![layers];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    match member {
                        Value::String(text) => _ = fields.insert(name.clone(), text.clone()),
                        Value::Array(items) => {
                            if let Some(text) = items.last().and_then(Value::as_str) {
                                fields.insert(name.clone(), text.to_owned());
                            }
                            left.extend(items);
                        }
                        _ => left.push(member),
                    }
                }
            }
            Value::Array(items) => left.extend(items),
            _ => {}
        }
    }
    fields
}
