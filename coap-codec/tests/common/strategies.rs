//! Arbitrary messages.

use coap_codec::{Code, DEFINITIONS, MessageId, MessageType};
use proptest::collection::vec;
use proptest::prelude::*;

use super::owned::Owned;

fn bytes(len: impl Into<proptest::collection::SizeRange>) -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), len)
}

/// Registered numbers mostly, others sometimes.
fn number() -> impl Strategy<Value = u16> {
    prop_oneof![
        4 => (0..DEFINITIONS.len()).prop_map(|index| DEFINITIONS[index].number.get()),
        1 => any::<u16>(),
        1 => 0..400_u16,
    ]
}

pub(crate) fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![6 => bytes(0..12), 2 => bytes(0..40), 1 => bytes(250..290), 1 => bytes(269..269 + 40)]
}

/// Options in any order.
pub(crate) fn options() -> impl Strategy<Value = Vec<(u16, Vec<u8>)>> {
    vec((number(), value()), 0..12)
}

fn token(long: bool) -> BoxedStrategy<Vec<u8>> {
    if long { prop_oneof![bytes(0..=8), bytes(9..40), bytes(260..280)].boxed() } else { bytes(0..=8).boxed() }
}

/// Classes 0, 2 to 5; never 0.00.
fn code() -> impl Strategy<Value = Code> {
    any::<u8>().prop_map(|byte| {
        let code = Code::from_byte(byte);
        if code.is_request() || code.is_response() { code } else { Code::CONTENT }
    })
}

fn response_code() -> impl Strategy<Value = Code> {
    (2..=5_u8, 0..32_u8).prop_map(|(class, detail)| Code::new(class, detail).expect("in range"))
}

/// Valid messages, with long tokens or without.
pub(crate) fn message(long_tokens: bool) -> impl Strategy<Value = Owned> {
    let head = prop_oneof![
        4 => (Just(MessageType::Confirmable), code()),
        3 => (Just(MessageType::NonConfirmable), code()),
        3 => (Just(MessageType::Acknowledgement), response_code()),
    ];
    let payload = prop_oneof![bytes(0..1), bytes(1..80), bytes(1000..1100)];
    let full = (head, any::<u16>(), token(long_tokens), options(), payload).prop_map(
        |((message_type, code), id, token, options, payload)| Owned {
            message_type,
            code,
            message_id: MessageId::new(id),
            token,
            options,
            payload,
        },
    );
    prop_oneof![12 => full, 1 => empty()]
}

fn empty() -> impl Strategy<Value = Owned> {
    let types = [MessageType::Confirmable, MessageType::Acknowledgement, MessageType::Reset];
    (0..3_usize, any::<u16>()).prop_map(move |(index, id)| Owned {
        message_type: types[index],
        code: Code::EMPTY,
        message_id: MessageId::new(id),
        token: vec![],
        options: vec![],
        payload: vec![],
    })
}
