use crate::LimitExceeded;

/// What a host accepts from its peers, within what the standard allows. Checked when a filter or a name
/// arrives, never while matching: the matcher and the indexes answer for any valid topic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FilterLimits {
    /// Levels of a filter or a name; 128 by default (the standard allows 65 536).
    pub levels: u16,
    /// `+` in one filter; 8 by default. Bounds the work of one lookup: see the README.
    pub single_level_wildcards: u16,
    /// Bytes of a filter or a name; 65 535 by default.
    pub bytes: u16,
}

impl Default for FilterLimits {
    fn default() -> Self {
        Self { levels: 128, single_level_wildcards: 8, bytes: u16::MAX }
    }
}

impl FilterLimits {
    pub(crate) fn check(self, text: &str) -> Result<(), LimitExceeded> {
        let count = |wanted: u8| text.bytes().filter(|&byte| byte == wanted).count();
        if text.len() > usize::from(self.bytes) {
            Err(LimitExceeded::Bytes)
        } else if count(b'/') >= usize::from(self.levels) {
            Err(LimitExceeded::Levels)
        } else if count(b'+') > usize::from(self.single_level_wildcards) {
            Err(LimitExceeded::SingleLevelWildcards)
        } else {
            Ok(())
        }
    }
}
