use crate::{InvalidTopic, TopicName};

/// A short topic name of MQTT-SN: a topic name of exactly two bytes, sent in place of a topic id
/// (MQTT-SN 1.2, sections 3 and 5.3.11, `TopicIdType` 0b10).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct ShortName([u8; 2]);

impl ShortName {
    /// Checks a text.
    ///
    /// # Errors
    /// The rule that the text breaks.
    pub fn new(name: &str) -> Result<Self, InvalidTopic> {
        let bytes = name.as_bytes().try_into().map_err(|_| InvalidTopic::ShortLength)?;
        Self::from_bytes(bytes)
    }

    /// Checks the two bytes of a message.
    ///
    /// # Errors
    /// The rule that the bytes break.
    pub fn from_bytes(bytes: [u8; 2]) -> Result<Self, InvalidTopic> {
        TopicName::from_bytes(&bytes).map(|_| Self(bytes))
    }

    /// The two bytes of a message.
    pub fn to_bytes(self) -> [u8; 2] {
        self.0
    }

    /// The name as text of one or two characters.
    pub fn as_str(&self) -> &str {
        core::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The name that subscribers of MQTT see.
    pub fn topic_name(&self) -> TopicName<'_> {
        TopicName::assume_valid(self.as_str())
    }
}
