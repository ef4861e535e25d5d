use crate::level::{scan, scan_valid};
use crate::{InvalidTopic, TopicFilter};

const PREFIX: &str = "$share/";

/// What the topic filter field of a SUBSCRIBE of MQTT 5.0 says: a plain filter, or
/// `$share/{ShareName}/{filter}` (§4.8.2). In MQTT 3.1.1 there are plain filters only, so a text that begins
/// with `$share/` goes to [`TopicFilter::new`] there.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Subscription<'a> {
    /// A subscription of one session.
    Plain(TopicFilter<'a>),
    /// A subscription that the sessions of a group share.
    Shared {
        /// The name of the group: at least one character, without `/`, `+` and `#`.
        share_name: &'a str,
        /// What the group subscribes to; only this takes part in matching.
        filter: TopicFilter<'a>,
    },
}

impl<'a> Subscription<'a> {
    /// Checks and takes apart the text. `$share` is told from other filters by its letters, which are
    /// case-sensitive; the filter within is not looked into for a second `$share`.
    ///
    /// # Errors
    /// The rule that the text breaks; `$share` alone breaks \[MQTT-4.8.2-2\].
    pub fn parse(text: &'a str) -> Result<Self, InvalidTopic> {
        let Some(rest) = text.strip_prefix(PREFIX) else {
            return match text {
                "$share" => Err(InvalidTopic::ShareFilter),
                _ => TopicFilter::new(text).map(Self::Plain),
            };
        };
        // Length and U+0000 are rules for the whole text, the group's name included.
        scan_valid(text)?;
        let (share_name, filter) = rest.split_once('/').unwrap_or((rest, ""));
        if share_name.is_empty() || scan(share_name.as_bytes()).wildcard {
            return Err(InvalidTopic::ShareName);
        }
        if filter.is_empty() {
            return Err(InvalidTopic::ShareFilter);
        }
        Ok(Self::Shared { share_name, filter: TopicFilter::new(filter)? })
    }

    /// What takes part in matching.
    pub fn filter(&self) -> TopicFilter<'a> {
        match *self {
            Self::Plain(filter) | Self::Shared { filter, .. } => filter,
        }
    }

    /// The name of the group, if it is one.
    pub fn share_name(&self) -> Option<&'a str> {
        match *self {
            Self::Plain(_) => None,
            Self::Shared { share_name, .. } => Some(share_name),
        }
    }
}
