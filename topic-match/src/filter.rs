use crate::level::{is_discouraged, scan, scan_valid};
use crate::{FilterLimits, InvalidTopic, LimitExceeded, TopicName, matches};

/// A topic filter, as a SUBSCRIBE carries it: 1 to 65 535 bytes of UTF-8 without U+0000; `+` alone in its
/// level, `#` alone in the last level (MQTT 5.0 §4.7.1). `$share/…` is a plain filter here:
/// see [`Subscription`](crate::Subscription).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub struct TopicFilter<'a>(&'a str);

impl<'a> TopicFilter<'a> {
    /// Checks a filter, in one pass over its bytes and a second one if it holds a wildcard.
    ///
    /// # Errors
    /// The rule that the text breaks.
    #[inline]
    pub fn new(filter: &'a str) -> Result<Self, InvalidTopic> {
        if scan_valid(filter)?.wildcard {
            check_wildcards(filter.as_bytes())?;
        }
        Ok(Self(filter))
    }

    /// Checks a filter that may not be UTF-8.
    ///
    /// # Errors
    /// The rule that the bytes break.
    pub fn from_bytes(filter: &'a [u8]) -> Result<Self, InvalidTopic> {
        Self::new(core::str::from_utf8(filter).map_err(|_| InvalidTopic::NotUtf8)?)
    }

    /// Takes a filter that was checked before, by a packet decoder for example. A filter that breaks a rule
    /// may match wrongly, but nothing panics; debug builds assert the rules.
    #[inline]
    pub fn assume_valid(filter: &'a str) -> Self {
        debug_assert_eq!(Self::new(filter), Ok(Self(filter)));
        Self(filter)
    }

    /// The whole filter.
    #[inline]
    pub fn as_str(self) -> &'a str {
        self.0
    }

    /// The levels, which may be empty strings.
    pub fn levels(self) -> impl DoubleEndedIterator<Item = &'a str> + Clone {
        self.0.split('/')
    }

    /// Whether the filter holds `+` or `#`.
    pub fn has_wildcard(self) -> bool {
        scan(self.0.as_bytes()).wildcard
    }

    /// Whether the filter matches the name (MQTT 5.0 §4.7): iterative, without allocation, in time
    /// proportional to the bytes of both.
    pub fn matches(self, name: TopicName<'_>) -> bool {
        matches::matches(self.0.as_bytes(), name.as_str().as_bytes())
    }

    /// Whether the filter holds a control character or a Unicode non-character, which a receiver may refuse
    /// (MQTT 5.0 §1.5.4). This crate accepts them.
    pub fn is_discouraged(self) -> bool {
        self.0.chars().any(is_discouraged)
    }

    /// Compares with the limits of a host.
    ///
    /// # Errors
    /// The limit that the filter exceeds.
    pub fn check(self, limits: &FilterLimits) -> Result<(), LimitExceeded> {
        limits.check_filter(self.0)
    }
}

impl<'a> From<TopicName<'a>> for TopicFilter<'a> {
    /// The filter that matches this name and no other.
    fn from(name: TopicName<'a>) -> Self {
        Self(name.as_str())
    }
}

impl core::fmt::Display for TopicFilter<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.0)
    }
}

fn check_wildcards(filter: &[u8]) -> Result<(), InvalidTopic> {
    let is_boundary = |byte: Option<&u8>| byte.is_none_or(|&byte| byte == b'/');
    for (index, &byte) in filter.iter().enumerate() {
        let (before, after) = (index.checked_sub(1).and_then(|at| filter.get(at)), filter.get(index + 1));
        match byte {
            b'#' if !is_boundary(before) || after.is_some() => return Err(InvalidTopic::MisplacedMultiLevel),
            b'+' if !is_boundary(before) || !is_boundary(after) => {
                return Err(InvalidTopic::MisplacedSingleLevel);
            }
            _ => {}
        }
    }
    Ok(())
}
