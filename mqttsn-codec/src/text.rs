//! ClientId, TopicName and WillTopic: UTF-8 without U+0000, as MQTT wants it of the server's side.

use ascii::AsAsciiStr;

use crate::Malformed;

/// The octets as a string, if they are one that an MQTT server takes.
#[inline]
pub(crate) fn string(octets: &[u8]) -> Result<&str, Malformed> {
    match plain(octets) {
        Some(text) => Ok(text),
        None => look_closer(octets),
    }
}

/// ASCII without U+0000, which is most likely and cheaper to tell than UTF-8.
#[inline]
fn plain(octets: &[u8]) -> Option<&str> {
    let text = octets.as_ascii_str().ok()?.as_str();
    if has_null(octets) { None } else { Some(text) }
}

/// Looks at eight octets of ASCII at a time: a word from which ones are taken borrows into the high bit of one that was 0.
#[inline]
fn has_null(octets: &[u8]) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
    let Some(last) = octets.last_chunk() else { return octets.contains(&0) };
    let borrowed = |found, word: &[u8; 8]| found | u64::from_le_bytes(*word).wrapping_sub(ONES);
    // The last word may overlap the one before.
    borrowed(octets.as_chunks().0.iter().fold(0, borrowed), last) & HIGH_BITS != 0
}

/// What is wrong, if it is not just something beyond ASCII.
#[cold]
fn look_closer(octets: &[u8]) -> Result<&str, Malformed> {
    let text = core::str::from_utf8(octets).map_err(|_| Malformed::NotUtf8)?;
    if octets.contains(&0) { Err(Malformed::NullCharacter) } else { Ok(text) }
}
