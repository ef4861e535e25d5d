//! What mutation starts from: the vectors of `coap-codec`, and texts that they lack.

use serde_json::Value;

use crate::corpus::octets;

/// A field of the vectors of a kind.
pub fn vectors(kind: &str, field: &str) -> Vec<String> {
    let file = include_str!("../../../../coap-codec/tests/data/coap.json");
    let file: Value = serde_json::from_str(file).expect("JSON");
    let vectors = file["vectors"].as_array().expect("a list").iter();
    let found: Vec<_> = vectors
        .filter(|vector| vector["kind"] == kind)
        .map(|vector| vector[field].as_str().expect("a text").to_owned())
        .collect();
    assert!(!found.is_empty(), "no vector of kind {kind}");
    found
}

/// Bytes of the vectors of a kind that are there as a whole.
pub fn bytes(kind: &str) -> Vec<Vec<u8>> {
    let hex = vectors(kind, "hex");
    let whole = hex.iter().filter(|hex| !hex.ends_with(".."));
    whole.map(|hex| octets(hex).expect("hexadecimal")).collect()
}

/// Messages of RFC 7252 and RFC 8974.
pub fn datagrams() -> Vec<Vec<u8>> {
    [bytes("coap-udp"), bytes("coap-udp-8974")].concat()
}

/// Directions of connections over TCP, one message more each, and messages of WebSockets.
pub fn streams() -> Vec<Vec<u8>> {
    let messages: Vec<_> = bytes("coap-tcp").into_iter().filter(|bytes| bytes.len() < 100).collect();
    (0..messages.len()).map(|from| messages[from..].concat()).chain(bytes("coap-ws")).collect()
}

/// URIs and documents of links.
pub fn texts() -> Vec<Vec<u8>> {
    let own = [
        "coap://[fe80::1%25eth0]:61616/a/./b/../c?",
        "coaps+tcp://user.example/%C3%A9;x=1?a=b&c",
        "</a>;rt=\"x y\";title*=UTF-8'de'%C3%A4;ct=\"0 40\" , </b>;obs;sz=9",
    ];
    let all = [vectors("uri-options", "uri"), vectors("link-format", "text"), own.map(String::from).to_vec()];
    all.concat().into_iter().map(String::into_bytes).collect()
}
