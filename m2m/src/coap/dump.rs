//! A message as people read it: for `--verbose` and for the log of the server.

use core::fmt::{self, Display, Formatter};
use core::net::SocketAddr;

use coap_codec::{
    Block, CoapOption, Code, ContentFormat, Format, MAX_EXTENDED_TOKEN_LEN, Message, NoResponse,
    OptionNumber, Rules,
};

/// Characters of a payload that are shown.
const SHOWN_TEXT: usize = 512;
/// Bytes of a payload that are shown when it is no text.
const SHOWN_BYTES: usize = 64;

/// A datagram; the first line begins with its direction and peer, each further one with four spaces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dump<'a> {
    arrow: &'static str,
    peer: SocketAddr,
    datagram: &'a [u8],
}

impl<'a> Dump<'a> {
    pub(crate) const fn sent(peer: SocketAddr, datagram: &'a [u8]) -> Self {
        Self { arrow: "->", peer, datagram }
    }

    pub(crate) const fn received(peer: SocketAddr, datagram: &'a [u8]) -> Self {
        Self { arrow: "<-", peer, datagram }
    }
}

impl Display for Dump<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.arrow, self.peer)?;
        match Message::decode(self.datagram, &Rules { max_token_len: MAX_EXTENDED_TOKEN_LEN }) {
            Ok(message) => write_message(f, &message),
            Err(rejected) => {
                let rule = rejected.rule;
                write!(f, "no CoAP message: {rule} ({})\n    ", rule.section())?;
                write_bytes(f, self.datagram)
            }
        }
    }
}

fn write_message(f: &mut Formatter<'_>, message: &Message<'_>) -> fmt::Result {
    write!(f, "{} {}", message.message_type, CodeName(message.code))?;
    write!(f, ", message id {}", message.message_id.get())?;
    if !message.token.is_empty() {
        write!(f, ", token {}", Hex(message.token))?;
    }
    for option in message.options {
        write!(f, "\n    {} ", option.number)?;
        write_value(f, &option)?;
    }
    if !message.payload.is_empty() {
        write!(f, "\n    payload of {} bytes: ", message.payload.len())?;
        write_payload(f, message.payload)?;
    }
    Ok(())
}

/// `0.01 GET`, `2.05 Content`, `0.00 Empty`.
pub(crate) struct CodeName(pub(crate) Code);

impl Display for CodeName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        self.0.name().map_or(Ok(()), |name| write!(f, " {name}"))
    }
}

/// `0x01ab`; empty as `0x`.
pub(crate) struct Hex<'a>(pub(crate) &'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("0x")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

fn write_value(f: &mut Formatter<'_>, option: &CoapOption<'_>) -> fmt::Result {
    let Some(definition) = option.number.definition() else {
        let kind = if option.number.is_critical() { "critical" } else { "elective" };
        return write!(f, "{} ({kind}, not registered)", Hex(option.value));
    };
    if !definition.allows(option.value.len()) {
        return write!(f, "{} (of wrong length)", Hex(option.value));
    }
    match (definition.format, option.uint()) {
        (Format::Empty, _) => Ok(()),
        (Format::Uint, Some(number)) => write_number(f, option, number),
        (Format::String, _) => match core::str::from_utf8(option.value) {
            Ok(text) => write!(f, "{text:?}"),
            Err(_) => write!(f, "{} (no UTF-8)", Hex(option.value)),
        },
        (Format::Opaque | Format::Uint, _) => Hex(option.value).fmt(f),
    }
}

fn write_number(f: &mut Formatter<'_>, option: &CoapOption<'_>, number: u64) -> fmt::Result {
    match option.number {
        OptionNumber::BLOCK1 | OptionNumber::BLOCK2 | OptionNumber::Q_BLOCK1 | OptionNumber::Q_BLOCK2 => {
            match Block::decode(option.value) {
                Ok(block) => write!(
                    f,
                    "number {}, {}of {} bytes",
                    block.num(),
                    if block.more() { "more follow, " } else { "" },
                    block.size()
                ),
                Err(_) => Hex(option.value).fmt(f),
            }
        }
        OptionNumber::CONTENT_FORMAT | OptionNumber::ACCEPT => {
            write!(f, "{}", FormatName(ContentFormat::new(number as u16)))
        }
        OptionNumber::NO_RESPONSE => {
            let what = NoResponse(number as u8);
            let classes = [Code::CONTENT, Code::BAD_REQUEST, Code::INTERNAL_SERVER_ERROR];
            write!(f, "{number}")?;
            let suppressed = classes.into_iter().filter(|code| what.suppresses(*code));
            suppressed.enumerate().try_for_each(|(at, code)| {
                write!(f, "{}{}.xx", if at == 0 { ": no " } else { ", " }, code.class())
            })
        }
        OptionNumber::MAX_AGE => write!(f, "{number} s"),
        _ => write!(f, "{number}"),
    }
}

/// `40 application/link-format`, with the content coding if there is one.
pub(crate) struct FormatName(pub(crate) ContentFormat);

impl Display for FormatName {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.get())?;
        self.0.media_type().map_or(Ok(()), |name| write!(f, " {name}"))?;
        self.0.content_coding().map_or(Ok(()), |coding| write!(f, " in {coding}"))
    }
}

fn write_payload(f: &mut Formatter<'_>, payload: &[u8]) -> fmt::Result {
    let is_text =
        |text: &&str| !text.contains(|character: char| character.is_control() && !character.is_whitespace());
    match core::str::from_utf8(payload).ok().filter(is_text) {
        Some(text) => {
            let shown = text.char_indices().nth(SHOWN_TEXT).map_or(text, |(end, _)| &text[..end]);
            write!(f, "{shown:?}{}", if shown.len() < text.len() { "…" } else { "" })
        }
        None => write_bytes(f, payload),
    }
}

fn write_bytes(f: &mut Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    let shown = bytes.get(..SHOWN_BYTES).unwrap_or(bytes);
    write!(f, "{}{}", Hex(shown), if shown.len() < bytes.len() { "…" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use coap_codec::{MessageBuilder, MessageId, MessageType};

    fn dump(build: impl FnOnce(&mut MessageBuilder<'_>)) -> String {
        let mut buffer = [0; 1024];
        let id = MessageId::new(7);
        let mut builder =
            MessageBuilder::new(&mut buffer, MessageType::Confirmable, Code::GET, id, &[1, 0xab]).unwrap();
        build(&mut builder);
        Dump::sent("[::1]:5683".parse().unwrap(), builder.finish().unwrap()).to_string()
    }

    #[test]
    fn options_are_named_and_their_values_decoded() {
        let text = dump(|builder| {
            builder.option(OptionNumber::URI_PATH, "a\"é".as_bytes()).unwrap();
            builder.uint_option(OptionNumber::ACCEPT, 40).unwrap();
            builder.option(OptionNumber::BLOCK2, &Block::new(2, true, 2).unwrap().value()).unwrap();
            builder.uint_option(OptionNumber::NO_RESPONSE, 18).unwrap();
            builder.option(OptionNumber::ETAG, &[0, 255]).unwrap();
            builder.option(OptionNumber::IF_NONE_MATCH, &[]).unwrap();
            builder.option(OptionNumber::new(65_001), b"x").unwrap();
            builder.option(OptionNumber::HOP_LIMIT, &[1, 2]).unwrap();
            builder.payload(b"hi\n").unwrap();
        });
        assert_eq!(
            text,
            "-> [::1]:5683 CON 0.01 GET, message id 7, token 0x01ab\n    \
             ETag 0x00ff\n    \
             If-None-Match \n    \
             Uri-Path \"a\\\"é\"\n    \
             Hop-Limit 0x0102 (of wrong length)\n    \
             Accept 40 application/link-format\n    \
             Block2 number 2, more follow, of 64 bytes\n    \
             No-Response 18: no 2.xx, 5.xx\n    \
             65001 0x78 (critical, not registered)\n    \
             payload of 3 bytes: \"hi\\n\""
        );
    }

    #[test]
    fn a_payload_that_is_no_text_is_hexadecimal_and_a_long_one_is_cut() {
        let text = dump(|builder| _ = builder.payload(&[0xff; 100]).unwrap());
        let shown = format!("payload of 100 bytes: 0x{}…", "ff".repeat(64));
        assert!(text.ends_with(&shown), "{text}");
        let text = dump(|builder| _ = builder.payload("é".repeat(400).as_bytes()).unwrap());
        assert!(text.ends_with("é\""), "{text}");
        let text = dump(|builder| _ = builder.payload("é".repeat(513 - 1 - 100).as_bytes()).unwrap());
        assert!(text.ends_with("é\""), "{text}");
    }

    #[test]
    fn what_is_no_message_says_why() {
        let text = Dump::received("1.2.3.4:5".parse().unwrap(), &[0, 1, 2, 3]).to_string();
        assert!(text.starts_with("<- 1.2.3.4:5 no CoAP message: "), "{text}");
        assert!(text.ends_with("\n    0x00010203"), "{text}");
    }
}
