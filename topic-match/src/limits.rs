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
    /// A filter, or a part of one.
    pub(crate) fn check_filter(self, filter: &str) -> Result<(), LimitExceeded> {
        self.check_name(filter)?;
        if has_more(filter, b'+', self.single_level_wildcards) {
            Err(LimitExceeded::SingleLevelWildcards)
        } else {
            Ok(())
        }
    }

    /// What has no wildcards.
    pub(crate) fn check_name(self, name: &str) -> Result<(), LimitExceeded> {
        if name.len() > usize::from(self.bytes) {
            Err(LimitExceeded::Bytes)
        } else if self.levels == 0 || has_more(name, b'/', self.levels - 1) {
            Err(LimitExceeded::Levels)
        } else {
            Ok(())
        }
    }
}

/// Whether a byte occurs more often than so. Nobody has to count in a text that is no longer.
fn has_more(text: &str, wanted: u8, most: u16) -> bool {
    let most = usize::from(most);
    text.len() > most && text.bytes().filter(|&byte| byte == wanted).count() > most
}
