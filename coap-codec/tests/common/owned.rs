//! Messages that own what they have, and the encoding of RFC 7252 §3 written a second time, plainly.

use coap_codec::{
    Code, Message, MessageId, MessageType, OptionNumber, Options, insert_option, option_growth,
};

#[derive(Clone, Debug)]
pub(crate) struct Owned {
    pub message_type: MessageType,
    pub code: Code,
    pub message_id: MessageId,
    pub token: Vec<u8>,
    /// In any order.
    pub options: Vec<(u16, Vec<u8>)>,
    pub payload: Vec<u8>,
}

impl Owned {
    /// The options as a message has them: by number, equal ones in their order.
    pub fn sorted(&self) -> Vec<(u16, Vec<u8>)> {
        let mut options = self.options.clone();
        options.sort_by_key(|(number, _)| *number);
        options
    }

    pub fn block(&self) -> Vec<u8> {
        plain_block(&self.sorted())
    }

    /// The message with a block from [`block`](Self::block).
    pub fn message<'a>(&'a self, block: &'a [u8]) -> Message<'a> {
        Message {
            message_type: self.message_type,
            code: self.code,
            message_id: self.message_id,
            token: &self.token,
            options: Options::decode(block).expect("a valid block"),
            payload: &self.payload,
        }
    }

    /// The encoding, as this file has it.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (nibble, extension) = nibble_and_extension(self.token.len());
        bytes.push(0x40 | (self.message_type as u8) << 4 | nibble);
        bytes.push(self.code.as_byte());
        bytes.extend(self.message_id.get().to_be_bytes());
        bytes.extend(extension);
        bytes.extend(&self.token);
        bytes.extend(self.block());
        if !self.payload.is_empty() {
            bytes.push(0xFF);
            bytes.extend(&self.payload);
        }
        bytes
    }
}

/// Four bits and what follows them, §3.1: the same for deltas, lengths and tokens.
pub(crate) fn nibble_and_extension(number: usize) -> (u8, Vec<u8>) {
    if number < 13 {
        (u8::try_from(number).unwrap(), vec![])
    } else if number < 269 {
        (13, vec![u8::try_from(number - 13).unwrap()])
    } else {
        (14, u16::try_from(number - 269).unwrap().to_be_bytes().to_vec())
    }
}

/// Sorted options, encoded.
pub(crate) fn plain_block(options: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut before = 0;
    for (number, value) in options {
        let (delta, delta_extension) = nibble_and_extension(usize::from(number - before));
        let (len, len_extension) = nibble_and_extension(value.len());
        bytes.push(delta << 4 | len);
        bytes.extend(delta_extension);
        bytes.extend(len_extension);
        bytes.extend(value);
        before = *number;
    }
    bytes
}

/// Options inserted one by one into a growing vector.
pub(crate) fn inserted(options: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (number, value) in options {
        let number = OptionNumber::new(*number);
        let len = block.len();
        block.resize(len + option_growth(number, value.len()), 0xA5);
        let len = insert_option(&mut block, len, number, value).expect("room");
        block.truncate(len);
    }
    block
}
