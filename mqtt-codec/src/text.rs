//! UTF-8 Encoded Strings, §1.5.4 (3.1.1: §1.5.3), and topic names, §4.7.
//!
//! Eight bytes at a time are looked at for everything that could be wrong; only text with something
//! beyond plain ASCII pays for a closer look.

use ascii::AsAsciiStr;

use crate::Malformed;
use crate::reader::{Parsed, binary, refuse};

/// A string without U+0000.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a result that goes through memory costs more than what is here")]
pub(crate) fn string(input: &[u8]) -> Parsed<'_, &str> {
    let (rest, bytes) = binary(input)?;
    match plain_string(bytes) {
        Some(text) => Ok((rest, text)),
        None => Ok((rest, look_closer(bytes, false).map_err(refuse)?)),
    }
}

/// A string that was looked at before.
#[inline]
pub(crate) fn checked_string(input: &[u8]) -> Parsed<'_, &str> {
    let (rest, bytes) = binary(input)?;
    Ok((rest, ascii(bytes).map_err(refuse)?))
}

/// A topic name, or an empty one (which PUBLISH of 5.0 allows beside an alias).
#[inline]
pub(crate) fn topic_name_or_empty(input: &[u8]) -> Parsed<'_, &str> {
    let (rest, bytes) = binary(input)?;
    match plain_topic_name(bytes) {
        Some(text) => Ok((rest, text)),
        None => Ok((rest, look_closer(bytes, true).map_err(refuse)?)),
    }
}

/// A topic name of at least one character.
#[inline]
pub(crate) fn topic_name(input: &[u8]) -> Parsed<'_, &str> {
    match topic_name_or_empty(input)? {
        (_, "") => Err(refuse(Malformed::EmptyTopicName)),
        parsed => Ok(parsed),
    }
}

/// Whether the bytes are well-formed UTF-8 without U+0000.
#[inline]
pub(crate) fn check_string(bytes: &[u8]) -> Result<(), Malformed> {
    if is_plain(bytes, zero_or_beyond_ascii) { Ok(()) } else { look_closer(bytes, false).map(drop) }
}

/// Whether the bytes are well-formed UTF-8 without U+0000 and the wildcards.
#[inline]
pub(crate) fn check_topic_name(bytes: &[u8]) -> Result<(), Malformed> {
    if is_plain(bytes, unfit_for_topic_name) { Ok(()) } else { look_closer(bytes, true).map(drop) }
}

/// A string of plain ASCII. Out of line, for what it returns fits into registers.
#[inline(never)]
fn plain_string(bytes: &[u8]) -> Option<&str> {
    if is_plain(bytes, zero_or_beyond_ascii) { Some(bytes.as_ascii_str().ok()?.as_str()) } else { None }
}

/// A topic name of plain ASCII.
#[inline]
fn plain_topic_name(bytes: &[u8]) -> Option<&str> {
    if is_plain(bytes, unfit_for_topic_name) { Some(bytes.as_ascii_str().ok()?.as_str()) } else { None }
}

/// The text, which is most likely ASCII: that is cheaper to tell than UTF-8.
#[inline]
fn ascii(bytes: &[u8]) -> Result<&str, Malformed> {
    match bytes.as_ascii_str() {
        Ok(text) => Ok(text.as_str()),
        Err(_) => core::str::from_utf8(bytes).map_err(|_| Malformed::NotUtf8),
    }
}

#[cold]
fn look_closer(bytes: &[u8], topic_name: bool) -> Result<&str, Malformed> {
    let text = core::str::from_utf8(bytes).map_err(|_| Malformed::NotUtf8)?;
    if text.contains('\0') {
        Err(Malformed::NullCharacter)
    } else if topic_name && text.contains(['+', '#']) {
        Err(Malformed::WildcardInTopicName)
    } else {
        Ok(text)
    }
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Non-zero when a byte of the word is 0 or above 0x7F: only those set the high bit here.
#[inline]
const fn zero_or_beyond_ascii(word: u64) -> u64 {
    (word.wrapping_sub(ONES) | word) & HIGH_BITS
}

/// Non-zero when a byte of an ASCII word is `+` (0x2B) or `#` (0x23), which differ in one bit.
#[inline]
const fn wildcard(word: u64) -> u64 {
    ((word | (0x08 * ONES)) ^ (0x2B * ONES)).wrapping_sub(ONES) & HIGH_BITS
}

#[inline]
const fn unfit_for_topic_name(word: u64) -> u64 {
    zero_or_beyond_ascii(word) | wildcard(word)
}

/// Whether no word of the text is suspicious. The last word may overlap the one before.
#[inline]
fn is_plain(bytes: &[u8], suspicious: impl Fn(u64) -> u64) -> bool {
    let (words, _) = bytes.as_chunks();
    let mut found = words.iter().fold(0, |found, word| found | suspicious(u64::from_le_bytes(*word)));
    found |= suspicious(last_word(bytes));
    found == 0
}

/// The last eight bytes; a shorter text is repeated or padded with a harmless letter.
#[inline]
fn last_word(bytes: &[u8]) -> u64 {
    if let Some(word) = bytes.last_chunk() {
        u64::from_le_bytes(*word)
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        u64::from(u32::from_le_bytes(*first)) | u64::from(u32::from_le_bytes(*last)) << 32
    } else {
        let at = |index| bytes.get(index).copied().unwrap_or(b'a');
        u64::from_le_bytes([at(0), at(1), at(2), b'a', b'a', b'a', b'a', b'a'])
    }
}
