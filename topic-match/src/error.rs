use thiserror::Error;

/// Why a text is no topic name, topic filter, shared subscription or short topic name. Each variant
/// names the statement of MQTT 5.0 that it breaks; MQTT 3.1.1 has the same rules for names and filters.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Error)]
#[non_exhaustive]
pub enum InvalidTopic {
    /// Topic names and filters have at least one character.
    #[error("empty topic [MQTT-4.7.3-1]")]
    Empty,
    /// Topic names and filters have at most 65 535 bytes of UTF-8.
    #[error("topic of more than 65535 bytes [MQTT-4.7.3-3]")]
    TooLong,
    /// U+0000 is forbidden.
    #[error("U+0000 in a topic [MQTT-4.7.3-2]")]
    NullCharacter,
    /// The bytes are not well-formed UTF-8.
    #[error("ill-formed UTF-8 in a topic [MQTT-1.5.4-1]")]
    NotUtf8,
    /// `+` or `#` anywhere in a topic name.
    #[error("wildcard in a topic name [MQTT-3.3.2-2]")]
    WildcardInName,
    /// `#` that is not the last character, or not alone in its level.
    #[error("misplaced multi-level wildcard [MQTT-4.7.1-1]")]
    MisplacedMultiLevel,
    /// `+` that is not alone in its level.
    #[error("misplaced single-level wildcard [MQTT-4.7.1-2]")]
    MisplacedSingleLevel,
    /// The `ShareName` after `$share/` is empty or holds a wildcard.
    #[error("empty ShareName, or wildcard in it [MQTT-4.8.2-1]")]
    ShareName,
    /// No `/` with a topic filter follows the `ShareName`.
    #[error("shared subscription without a topic filter [MQTT-4.8.2-2]")]
    ShareFilter,
    /// An MQTT-SN short topic name is exactly two bytes.
    #[error("short topic name is not two bytes long [MQTT-SN 1.2, 3]")]
    ShortLength,
}

/// Which of the [`FilterLimits`](crate::FilterLimits) a valid topic exceeds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Error)]
#[non_exhaustive]
pub enum LimitExceeded {
    /// More levels than `levels`.
    #[error("too many topic levels")]
    Levels,
    /// More `+` than `single_level_wildcards`.
    #[error("too many single-level wildcards")]
    SingleLevelWildcards,
    /// More bytes than `bytes`.
    #[error("topic too long for the configured limit")]
    Bytes,
}
