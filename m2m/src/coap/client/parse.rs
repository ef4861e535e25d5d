//! For clap: values of options.

use coap_codec::{ContentFormat, DEFINITIONS, Format, MAX_EXTENDED_TOKEN_LEN, OptionNumber, UintValue};
use coap_core::Token;

/// `-b [NUM,]SIZE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockWish {
    /// The number of the first block to ask for.
    pub(super) first: Option<u32>,
    /// SZX.
    pub(super) size_exponent: u8,
}

/// `-O NUM,TEXT`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OptionText {
    pub(super) number: OptionNumber,
    pub(super) value: Vec<u8>,
}

/// Short names that coap-client knows; `application/` may be left out of the others.
const SHORT_NAMES: [(&str, ContentFormat); 5] = [
    ("plain", ContentFormat::TEXT_PLAIN),
    ("text", ContentFormat::TEXT_PLAIN),
    ("link", ContentFormat::LINK_FORMAT),
    ("binary", ContentFormat::OCTET_STREAM),
    ("octets", ContentFormat::OCTET_STREAM),
];

pub(super) fn content_format(text: &str) -> Result<ContentFormat, String> {
    let short = SHORT_NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
    short
        .map(|(_, format)| *format)
        .or_else(|| ContentFormat::from_spec(text))
        .or_else(|| ContentFormat::from_media_type(&format!("application/{text}")))
        .ok_or_else(|| {
            "expected 0 to 65535, or a media type with a number in CoAP, such as application/json".to_owned()
        })
}

pub(super) fn block(text: &str) -> Result<BlockWish, &'static str> {
    /// RFC 7959 §2.2: NUM has 20 bits.
    const MAX_NUMBER: u32 = (1 << 20) - 1;
    let (first, size) = match text.split_once(',') {
        Some((first, size)) => {
            let number = first.trim().parse().ok().filter(|number| *number <= MAX_NUMBER);
            (Some(number.ok_or("the number of a block is 0 to 1048575")?), size.trim())
        }
        None => (None, text),
    };
    let size_exponent = (0..=6).find(|exponent| size.parse() == Ok(16_u32 << exponent));
    let size_exponent = size_exponent.ok_or("the size of a block is 16, 32, 64, 128, 256, 512 or 1024")?;
    Ok(BlockWish { first, size_exponent })
}

/// Text as it stands, or `0x` and hexadecimal digits.
fn bytes(text: &str) -> Result<Vec<u8>, &'static str> {
    let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) else {
        return Ok(text.as_bytes().to_vec());
    };
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let byte = |pair: &[u8]| match pair {
        [high, low] => u8::try_from(digit(high)? << 4 | digit(low)?).ok(),
        _ => None,
    };
    let bytes: Option<Vec<u8>> = digits.as_bytes().chunks(2).map(byte).collect();
    bytes.ok_or("after 0x come two hexadecimal digits for each byte")
}

/// RFC 8974 §2.1: a token has up to 65 804 bytes.
pub(super) fn token(text: &str) -> Result<Token, &'static str> {
    let bytes = bytes(text)?;
    if bytes.len() > MAX_EXTENDED_TOKEN_LEN {
        return Err("a token has at most 65804 bytes");
    }
    Ok(Token::new(&bytes))
}

pub(super) fn option(text: &str) -> Result<OptionText, String> {
    let (name, value) = text.split_once(',').unwrap_or((text, ""));
    let number = match name.parse() {
        Ok(number) => OptionNumber::new(number),
        Err(_) => named(name).ok_or_else(|| format!("there is no option `{name}`: expected NUM,TEXT"))?,
    };
    let is_number = number.definition().is_some_and(|definition| definition.format == Format::Uint);
    let value = match value.parse() {
        Ok(value) if is_number => UintValue::new(value).as_bytes().to_vec(),
        _ => bytes(value)?,
    };
    Ok(OptionText { number, value })
}

fn named(name: &str) -> Option<OptionNumber> {
    let definition = DEFINITIONS.iter().find(|definition| definition.name.eq_ignore_ascii_case(name))?;
    Some(definition.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_formats_have_short_names() {
        for (text, number) in [
            ("0", 0),
            ("text/plain", 0),
            ("plain", 0),
            ("link-format", 40),
            ("link", 40),
            ("application/xml", 41),
            ("XML", 41),
            ("octet-stream", 42),
            ("binary", 42),
            ("json", 50),
            ("cbor", 60),
            ("senml+json", 110),
            ("65001", 65_001),
        ] {
            assert_eq!(content_format(text), Ok(ContentFormat::new(number)), "{text}");
        }
        for text in ["", "jsn", "65536", "-1", "text/html"] {
            assert!(content_format(text).is_err(), "{text}");
        }
    }

    #[test]
    fn blocks() {
        assert_eq!(block("64"), Ok(BlockWish { first: None, size_exponent: 2 }));
        assert_eq!(block("3,1024"), Ok(BlockWish { first: Some(3), size_exponent: 6 }));
        for text in ["", "0", "8", "17", "2048", "x,64", "1048576,64", "1,", ","] {
            assert!(block(text).is_err(), "{text}");
        }
    }

    #[test]
    fn options_by_number_and_by_name() {
        let of = |text| option(text).map(|option| (option.number.get(), option.value));
        assert_eq!(of("2048,hi, there"), Ok((2048, b"hi, there".to_vec())));
        assert_eq!(of("4,0x00ff"), Ok((4, vec![0, 255])));
        assert_eq!(of("ETag,12"), Ok((4, b"12".to_vec())), "ETag is no number");
        assert_eq!(of("uri-query,a=b"), Ok((15, b"a=b".to_vec())));
        assert_eq!(of("14,300"), Ok((14, vec![1, 44])));
        assert_eq!(of("observe,0"), Ok((6, vec![])));
        assert_eq!(of("14,0x0100"), Ok((14, vec![1, 0])), "as it stands");
        assert_eq!(of("if-none-match"), Ok((5, vec![])));
        for text in ["", ",x", "65536,x", "Uri,x", "4,0x0", "4,0xzz"] {
            assert!(option(text).is_err(), "{text}");
        }
    }
}
