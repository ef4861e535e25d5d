//! ClientId, TopicName and WillTopic: UTF-8 without U+0000, as MQTT wants it of the server's side.

use ascii::AsAsciiStr;

use crate::Malformed;

/// The octets as a string, if they are one that an MQTT server takes. ASCII, which is most likely, is cheaper to tell than UTF-8.
#[inline]
pub(crate) fn string(octets: &[u8]) -> Result<&str, Malformed> {
    let text = match octets.as_ascii_str() {
        Ok(text) => text.as_str(),
        Err(_) => core::str::from_utf8(octets).map_err(|_| Malformed::NotUtf8)?,
    };
    if has_null(octets) { Err(Malformed::NullCharacter) } else { Ok(text) }
}

/// Looks at eight octets at a time: a word from which ones are taken borrows into the high bit of one that was 0.
#[inline]
fn has_null(octets: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    let Some(last) = octets.last_chunk() else { return octets.contains(&0) };
    let null = |found, word: &[u8; 8]| {
        let word = u64::from_le_bytes(*word);
        found | (word.wrapping_sub(ONES) & !word & HIGH_BITS)
    };
    // The last word may overlap the one before.
    null(octets.as_chunks().0.iter().fold(0, null), last) != 0
}
