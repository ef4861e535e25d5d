//! What peers say that are no endpoints of ours: valid messages over few names, and answers to what they were asked.

use coap_codec::{Block, Code, Message, MessageId, MessageType, OptionNumber, Options, Rules};
use coap_core::OptionList;

use crate::Source;

pub(super) const METHODS: [Code; 9] = [
    Code::GET,
    Code::GET,
    Code::GET,
    Code::FETCH,
    Code::PUT,
    Code::POST,
    Code::DELETE,
    Code::PATCH,
    Code::IPATCH,
];
pub(super) const PATHS: [&str; 8] = ["a", "a", "b", "b", "tree", "tree/x/y", ".well-known/core", "nowhere"];
const TOKENS: [&[u8]; 10] =
    [&[], b"1", b"2", b"3", b"1", b"2", b"3", b"4", b"12345678", b"a token as of RFC 8974"];
/// What a peer serves in blocks.
const BODY: [u8; 150] = [b'b'; 150];
const BYTES: [u8; 3000] = [b'x'; 3000];

/// A request of a peer; it may know an Echo value.
pub(super) fn request(source: &mut Source<'_>, echo: Option<&[u8]>) -> Vec<u8> {
    let mut options = OptionList::new();
    for segment in source.pick(&PATHS).split('/') {
        options.add(OptionNumber::URI_PATH, segment.as_bytes());
    }
    let code = source.pick(&METHODS);
    let mut len = source.mostly(&[0, 5, 16, 150]);
    if source.once_in(3) {
        options.add_uint(OptionNumber::OBSERVE, source.mostly(&[0, 1, 1, 2]));
    }
    if source.once_in(4) {
        options.add(OptionNumber::BLOCK2, &block(source, false).value());
    }
    if source.once_in(4) {
        let more = source.once_in(2);
        let block1 = block(source, more);
        options.add(OptionNumber::BLOCK1, &block1.value());
        len = if more { block1.size() } else { source.below(block1.size() + 1) };
    }
    if let (false, Some(echo)) = (source.once_in(4), echo) {
        options.add(OptionNumber::ECHO, echo);
    }
    if source.once_in(4) {
        some_option(source, &mut options);
    }
    let message_type = source.mostly(&[MessageType::Confirmable, MessageType::NonConfirmable]);
    encode(message_type, code, source.byte().into(), source.pick(&TOKENS), options.view(), &BYTES[..len])
}

fn block(source: &mut Source<'_>, more: bool) -> Block {
    let num = source.mostly(&[0, 1, 2, 3, 1, 1, Block::MAX_NUM]);
    Block::new(num, more, source.mostly(&[0, 0, 1, 2, 6])).expect("in range")
}

/// One of the options that change much.
fn some_option(source: &mut Source<'_>, options: &mut OptionList) {
    match source.below(16) {
        0 | 1 => _ = options.add_uint(OptionNumber::NO_RESPONSE, source.pick(&[0, 2, 8, 26])),
        2 | 3 => _ = options.add(OptionNumber::ETAG, source.pick(&[b"e", b"f"])),
        4 => _ = options.add(OptionNumber::IF_MATCH, b"e"),
        5 => _ = options.add(OptionNumber::IF_NONE_MATCH, b""),
        6 => _ = options.add_uint(OptionNumber::ACCEPT, 50),
        7 => _ = options.add(OptionNumber::URI_QUERY, b"rt=x"),
        8 => _ = options.add(OptionNumber::REQUEST_TAG, source.pick(&[b"", b"1"])),
        9 => _ = options.add_uint(OptionNumber::SIZE1, source.pick(&[48, 1 << 20])),
        10 => _ = options.add(OptionNumber::PROXY_URI, b"coap://elsewhere"),
        11 => _ = options.add_uint(OptionNumber::CONTENT_FORMAT, source.pick(&[0, 50])),
        12 => _ = options.add(OptionNumber::URI_QUERY, &BYTES[..200]),
        13 => _ = options.add(OptionNumber::ECHO, b"a guess!"),
        // Critical, and unknown.
        14 => _ = options.add(OptionNumber::new(65_001), b""),
        _ => _ = options.add(OptionNumber::new(65_002), b""),
    }
}

/// What a peer answers to a message that it got, once more for each time that it is asked.
pub(super) fn reply(source: &mut Source<'_>, datagram: &[u8], sequence: u32) -> Vec<u8> {
    let Ok(message) = Message::decode(datagram, &Rules { max_token_len: 65_804 }) else { return Vec::new() };
    let id = message.message_id.get();
    let empty = |message_type| encode(message_type, Code::EMPTY, id, &[], Options::EMPTY, &[]);
    let fresh = 0x100 + u16::from(source.byte());
    if !message.code.is_request() {
        return match source.below(8) {
            0..=4 if message.message_type == MessageType::Confirmable && !message.code.is_empty() => {
                empty(MessageType::Acknowledgement)
            }
            _ => empty(MessageType::Reset),
        };
    }
    let confirmable = message.message_type == MessageType::Confirmable;
    match source.below(16) {
        0..=8 if confirmable => response(source, &message, MessageType::Acknowledgement, id, sequence),
        9 if confirmable => empty(MessageType::Acknowledgement),
        10 => empty(MessageType::Reset),
        11 | 12 => response(source, &message, MessageType::Confirmable, fresh, sequence),
        13 => {
            let other = Message { token: b"other", ..message };
            response(source, &other, MessageType::Acknowledgement, id, sequence)
        }
        _ => response(source, &message, MessageType::NonConfirmable, fresh, sequence),
    }
}

fn response(
    source: &mut Source<'_>,
    request: &Message<'_>,
    message_type: MessageType,
    id: u16,
    sequence: u32,
) -> Vec<u8> {
    let mut options = OptionList::new();
    let mut code = if request.code == Code::GET { Code::CONTENT } else { Code::CHANGED };
    let mut payload = &BODY[..source.pick(&[0, 5, 16])];
    if let Some(Ok(block1)) = request.options.block1() {
        let exponent = block1.size_exponent().min(source.mostly(&[6, 0, 1]));
        let block = Block::new(block1.num(), block1.more(), exponent).expect("in range");
        options.add(OptionNumber::BLOCK1, &block.value());
        if block1.more() {
            code = Code::CONTINUE;
        }
    }
    if let (None, Some(0)) = (request.options.block1(), request.options.observe()) {
        options.add_uint(OptionNumber::OBSERVE, sequence.into());
    }
    let wanted = request.options.block2().and_then(Result::ok);
    if code != Code::CONTINUE && (wanted.is_some() || source.once_in(4)) {
        let wanted = wanted.or(Block::new(0, false, 6)).expect("in range");
        let exponent = wanted.size_exponent().min(source.mostly(&[2, 0]));
        let start = wanted.offset().min(BODY.len());
        let end = BODY.len().min(start + (16 << exponent));
        let block = Block::new(wanted.num(), end < BODY.len(), exponent).expect("in range");
        options.add(OptionNumber::BLOCK2, &block.value());
        options.add(OptionNumber::ETAG, source.mostly(&[b"e", b"f"]));
        payload = &BODY[start..end];
    }
    if source.once_in(6) {
        options.add_uint(OptionNumber::MAX_AGE, source.pick(&[0, 1, 600]));
    }
    match source.below(40) {
        0 => code = Code::UNAUTHORIZED,
        1 => {
            code = Code::UNAUTHORIZED;
            options.set(OptionNumber::ECHO, b"come again");
        }
        2 => code = Code::REQUEST_ENTITY_TOO_LARGE,
        3 => code = Code::REQUEST_ENTITY_INCOMPLETE,
        4 => code = Code::VALID,
        5 => code = Code::NOT_FOUND,
        6 => _ = options.set(OptionNumber::BLOCK1, &block(source, false).value()),
        7 => _ = options.set(OptionNumber::BLOCK2, &block(source, true).value()),
        8 => _ = options.add_uint(OptionNumber::SIZE2, source.pick(&[150, 1 << 30])),
        9 => _ = options.add(OptionNumber::new(65_001), b""),
        10 => _ = options.set_uint(OptionNumber::OBSERVE, 1 << 23),
        _ => {}
    }
    encode(message_type, code, id, request.token, options.view(), payload)
}

fn encode(
    message_type: MessageType,
    code: Code,
    id: u16,
    token: &[u8],
    options: Options<'_>,
    payload: &[u8],
) -> Vec<u8> {
    let message = Message { message_type, code, message_id: MessageId::new(id), token, options, payload };
    let mut bytes = Vec::new();
    // What no message can say is left unsaid.
    _ = message.encode(&mut bytes);
    bytes
}
