//! ClientId, TopicName and WillTopic: UTF-8 without U+0000, as MQTT wants it of the server's side.

use crate::Malformed;

/// The octets as a string, if they are one that an MQTT server takes.
#[inline]
pub(crate) fn string(octets: &[u8]) -> Result<&str, Malformed> {
    if !is_plain(octets) {
        look_closer(octets)?;
    }
    core::str::from_utf8(octets).map_err(|_| Malformed::NotUtf8)
}

#[cold]
fn look_closer(octets: &[u8]) -> Result<(), Malformed> {
    if core::str::from_utf8(octets).is_err() {
        Err(Malformed::NotUtf8)
    } else if octets.contains(&0) {
        Err(Malformed::NullCharacter)
    } else {
        Ok(())
    }
}

/// Whether all octets are ASCII and none is 0.
#[inline]
fn is_plain(octets: &[u8]) -> bool {
    octets.iter().fold(true, |plain, octet| plain & (1..0x80).contains(octet))
}
