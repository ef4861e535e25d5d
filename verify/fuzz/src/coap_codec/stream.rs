//! Messages on connections.

use coap_codec::stream::{Frame, Framing, Message, Rules, Signal, next_frame};
use coap_codec::{Malformed, OptionsWriter};

use super::{cuts, encoded, options_hold};
use crate::source::{Source, cut};

/// Bytes as what travels one way on a connection: the messages are the same, and so is the end, however the bytes are cut into
/// pieces; what is said of bytes does not change when more come; what is decoded encodes to the same bytes; a signal
/// that is written says the same. And bytes as one message of a WebSocket.
/// Returns how many messages there were.
pub fn stream(data: &[u8]) -> usize {
    let mut source = Source::new(data);
    let max_token_len = source.pick(&[8, 8, 40, 65_804]);
    let max_message_size = source.pick(&[1152, 70_000, 200, 20, usize::MAX]);
    let sizes = source.take(4);
    let bytes = source.rest();
    let rules = Rules { framing: Framing::Tcp, max_token_len, max_message_size };

    let whole = Reader::new(rules).read(core::iter::once(bytes));
    assert_eq!(Reader::new(rules).read(bytes.chunks(1)), whole);
    assert_eq!(Reader::new(rules).read(cut(bytes, sizes)), whole);
    said_once(bytes, rules);
    let web_socket = Rules { framing: Framing::WebSocket, ..rules };
    whole.messages.len() + usize::from(one_web_socket_message(bytes, web_socket))
}

/// An answer is final: more bytes change nothing but `None`.
fn said_once(bytes: &[u8], rules: Rules) {
    let whole = next_frame(bytes, &rules);
    let mut decided = false;
    for cut in cuts(bytes.len()) {
        let answer = next_frame(&bytes[..cut], &rules);
        decided |= answer != Ok(None);
        assert_eq!(answer, if decided { whole } else { Ok(None) }, "after {cut} bytes of {bytes:02X?}");
    }
}

fn one_web_socket_message(bytes: &[u8], rules: Rules) -> bool {
    match next_frame(bytes, &rules) {
        Ok(Some((frame, len))) => {
            assert_eq!(len, bytes.len());
            read_frame(frame, bytes, Framing::WebSocket).is_ok()
        }
        Ok(None) => panic!("a message of a WebSocket is whole"),
        Err(_) => false,
    }
}

/// A frame that `bytes` are.
fn read_frame(frame: Frame<'_>, bytes: &[u8], framing: Framing) -> Result<(), Malformed> {
    let message = Message::decode(frame)?;
    let again = encoded(
        message.encoded_len(framing),
        |out| message.encode(framing, out),
        |slice| message.encode_to_slice(framing, slice),
    );
    assert_eq!(again, bytes, "there is one encoding");
    options_hold(message.options);
    signals_hold(&message);
    Ok(())
}

fn signals_hold(message: &Message<'_>) {
    let Ok(Some(signal)) = Signal::read(message.code, message.options) else { return };
    assert!(message.code.is_signalling());
    assert_eq!(signal.code(), message.code);
    let mut buffer = [0; 263];
    let mut writer = OptionsWriter::new(&mut buffer);
    signal.write_options(&mut writer).expect("room");
    assert_eq!(Signal::read(signal.code(), writer.finish()), Ok(Some(signal)));
}

/// What a peer reads: messages as bytes, and the rule that ended the connection.
#[derive(Debug, PartialEq, Eq)]
struct Reader {
    rules: Rules,
    kept: Vec<u8>,
    messages: Vec<Vec<u8>>,
    end: Option<Malformed>,
}

impl Reader {
    fn new(rules: Rules) -> Self {
        Self { rules, kept: Vec::new(), messages: Vec::new(), end: None }
    }

    fn read<'a>(mut self, pieces: impl Iterator<Item = &'a [u8]>) -> Self {
        for piece in pieces {
            self.kept.extend_from_slice(piece);
            if let Err(rule) = self.read_kept() {
                // What follows is not looked at; how much of it was kept does not matter.
                self.kept.clear();
                self.end = Some(rule);
                break;
            }
        }
        self
    }

    fn read_kept(&mut self) -> Result<(), Malformed> {
        let kept = core::mem::take(&mut self.kept);
        let mut rest = &kept[..];
        while let Some((frame, len)) = next_frame(rest, &self.rules)? {
            assert!(len <= self.rules.max_message_size);
            let (bytes, later) = rest.split_at(len);
            read_frame(frame, bytes, Framing::Tcp)?;
            self.messages.push(bytes.to_vec());
            rest = later;
        }
        self.kept = rest.to_vec();
        Ok(())
    }
}
