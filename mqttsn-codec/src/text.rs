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
    if octets.contains(&0) { Err(Malformed::NullCharacter) } else { Ok(text) }
}
