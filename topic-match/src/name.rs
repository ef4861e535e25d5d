use crate::level::{is_discouraged, scan_valid};
use crate::{FilterLimits, InvalidTopic, LimitExceeded};

/// A topic name, as a PUBLISH carries it: 1 to 65 535 bytes of UTF-8 without U+0000, `+` and `#`
/// (MQTT 5.0 §4.7). Levels are separated by `/` and may be empty.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct TopicName<'a>(&'a str);

impl<'a> TopicName<'a> {
    /// Checks a name, in one pass over its bytes.
    ///
    /// # Errors
    /// The rule that the text breaks.
    #[inline]
    pub fn new(name: &'a str) -> Result<Self, InvalidTopic> {
        if scan_valid(name)?.wildcard { Err(InvalidTopic::WildcardInName) } else { Ok(Self(name)) }
    }

    /// Checks a name that may not be UTF-8.
    ///
    /// # Errors
    /// The rule that the bytes break.
    pub fn from_bytes(name: &'a [u8]) -> Result<Self, InvalidTopic> {
        Self::new(core::str::from_utf8(name).map_err(|_| InvalidTopic::NotUtf8)?)
    }

    /// Takes a name that was checked before, by a packet decoder for example. A name that breaks a rule
    /// may match wrongly, but nothing panics; debug builds assert the rules.
    #[inline]
    pub fn assume_valid(name: &'a str) -> Self {
        debug_assert_eq!(Self::new(name), Ok(Self(name)));
        Self(name)
    }

    /// The whole name.
    #[inline]
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The levels, which may be empty strings.
    pub fn levels(self) -> impl DoubleEndedIterator<Item = &'a str> + Clone {
        self.0.split('/')
    }

    /// Whether the name begins with `$`: filters that begin with a wildcard do not match it
    /// \[MQTT-4.7.2-1\].
    #[inline]
    pub fn is_dollar(self) -> bool {
        self.0.starts_with('$')
    }

    /// Whether the name holds a control character or a Unicode non-character, which a receiver may refuse
    /// (MQTT 5.0 §1.5.4). This crate accepts them.
    pub fn is_discouraged(self) -> bool {
        self.0.chars().any(is_discouraged)
    }

    /// Compares with the limits of a host.
    ///
    /// # Errors
    /// The limit that the name exceeds.
    pub fn check(self, limits: &FilterLimits) -> Result<(), LimitExceeded> {
        limits.check_name(self.0)
    }
}

impl core::fmt::Display for TopicName<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.0)
    }
}
