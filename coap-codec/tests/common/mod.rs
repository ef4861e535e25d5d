//! What several tests share.
#![allow(dead_code, reason = "no test uses all of it")]

pub(crate) mod owned;
pub(crate) mod strategies;

use coap_codec::{Malformed, Message, Options, Rejected, Rules};
use serde_json::Value;

/// Vectors of these kinds, in the order of the file.
pub(crate) fn vectors(kind: &str) -> Vec<Value> {
    let found: Vec<Value> = all_vectors().into_iter().filter(|vector| vector["kind"] == kind).collect();
    assert!(!found.is_empty(), "no vector of kind {kind}");
    found
}

pub(crate) fn all_vectors() -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../data/coap.json")).expect("JSON");
    file["vectors"].as_array().expect("a list").clone()
}

/// A text field of a vector.
pub(crate) fn text<'v>(vector: &'v Value, field: &str) -> &'v str {
    vector[field].as_str().unwrap_or_else(|| panic!("{field} in {vector}"))
}

pub(crate) fn hex(digits: &str) -> Vec<u8> {
    assert!(digits.len().is_multiple_of(2), "{digits}");
    let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
    (0..digits.len()).step_by(2).map(digit).collect()
}

pub(crate) fn decode(bytes: &[u8]) -> Result<Message<'_>, Rejected> {
    Message::decode(bytes, &Rules::DEFAULT)
}

/// The rule that the bytes break.
pub(crate) fn rule(bytes: &[u8]) -> Malformed {
    decode(bytes).expect_err("malformed").rule
}

/// Any token that RFC 8974 can express.
pub(crate) const LONG_TOKENS: Rules = Rules { max_token_len: coap_codec::MAX_EXTENDED_TOKEN_LEN };

/// `(number, value)` of each option.
pub(crate) fn list(options: Options<'_>) -> Vec<(u16, Vec<u8>)> {
    options.iter().map(|option| (option.number.get(), option.value.to_vec())).collect()
}
