//! Messages in datagrams.

use coap_codec::{
    MAX_EXTENDED_TOKEN_LEN, Malformed, Message, MessageBuilder, MessageType, Reaction, Rejected, Rules,
};

use super::{cuts, encoded, options_hold};

/// The rules under which everything is read: RFC 7252, two of RFC 8974.
const RULES: [Rules; 3] =
    [Rules::DEFAULT, Rules { max_token_len: 40 }, Rules { max_token_len: MAX_EXTENDED_TOKEN_LEN }];

/// Bytes as a datagram, under several rules: what is decoded encodes to the same bytes, and so does what is built option by
/// option in another order; a prefix is malformed unless it ends between options or in the payload; what is
/// malformed says which rule, and asks for a Reset only where RFC 7252 has one.
/// Returns in how many ways the bytes are a message.
pub fn message(data: &[u8]) -> usize {
    RULES.iter().filter(|rules| one_message(data, **rules)).count()
}

fn one_message(data: &[u8], rules: Rules) -> bool {
    match Message::decode(data, &rules) {
        Ok(message) => {
            let bytes = encoded(
                message.encoded_len(),
                |out| message.encode(out),
                |slice| message.encode_to_slice(slice),
            );
            assert_eq!(bytes, data, "there is one encoding");
            assert!(message.token.len() <= rules.max_token_len);
            options_hold(message.options);
            assert_eq!(built(&message), data);
            prefixes(data, &message, rules);
            true
        }
        Err(rejected) => explained(data, rejected),
    }
}

/// The message with its payload set first, last option first.
fn built(message: &Message<'_>) -> Vec<u8> {
    let Message { message_type, code, message_id, token, options, payload } = *message;
    let mut buffer = vec![0; message.encoded_len()];
    let mut builder = MessageBuilder::new(&mut buffer, message_type, code, message_id, token).expect("room");
    builder.payload(payload).expect("room");
    let mut backwards: Vec<_> = options.iter().collect();
    backwards.sort_by_key(|option| u16::MAX - option.number.get());
    for option in backwards {
        builder.option(option.number, option.value).expect("room");
    }
    builder.finish().expect("a message").to_vec()
}

fn prefixes(data: &[u8], message: &Message<'_>, rules: Rules) {
    let before_options = data.len() - message.options.encoded().len() - after_options(message);
    for cut in cuts(data.len()) {
        match Message::decode(&data[..cut], &rules) {
            Ok(shorter) => {
                assert!(cut >= before_options, "{cut} bytes of {data:02X?}");
                assert_eq!(shorter.token, message.token);
                assert!(message.options.encoded().starts_with(shorter.options.encoded()));
                assert!(message.payload.starts_with(shorter.payload));
                assert!(shorter.payload.is_empty() || shorter.options == message.options);
            }
            Err(rejected) => {
                _ = explained(&data[..cut], rejected);
                assert_eq!(rejected.rule == Malformed::NoHeader, cut < 4);
            }
        }
    }
}

/// Bytes of the payload with its marker.
const fn after_options(message: &Message<'_>) -> usize {
    if message.payload.is_empty() { 0 } else { 1 + message.payload.len() }
}

fn explained(data: &[u8], rejected: Rejected) -> bool {
    assert!(rejected.rule.section().starts_with("RFC "), "{rejected:?}");
    assert!(!rejected.to_string().is_empty());
    match rejected.reaction {
        Reaction::Silence => {
            assert!(data.len() < 4 || data[0] & 0xF0 != 0x40, "a Confirmable one: {data:02X?}");
        }
        Reaction::Reset(id) => {
            assert_eq!((data[0] & 0xF0, &data[2..4]), (0x40, &id.get().to_be_bytes()[..]));
            let mut reset = [0; 4];
            assert_eq!(Message::empty(MessageType::Reset, id).encode_to_slice(&mut reset), Ok(4));
        }
    }
    false
}
