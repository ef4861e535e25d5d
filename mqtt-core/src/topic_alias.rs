//! Topic aliases of one connection (MQTT 5 §3.3.2.3.4): one map for each direction, gone with the connection.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::num::NonZeroU16;

/// Aliases that the peer has set.
#[derive(Clone, Debug, Default)]
pub(crate) struct IncomingAliases {
    topics: Vec<Option<Box<str>>>,
    bytes: usize,
}

/// An alias above the maximum, or one that stands for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InvalidAlias;

impl IncomingAliases {
    /// The topic that a PUBLISH with an alias is about; a topic name that is not empty sets the alias.
    pub(crate) fn resolve<'a>(
        &'a mut self,
        topic: &'a str,
        alias: NonZeroU16,
        maximum: u16,
    ) -> Result<&'a str, InvalidAlias> {
        if alias.get() > maximum {
            return Err(InvalidAlias);
        }
        let index = usize::from(alias.get()) - 1;
        if topic.is_empty() {
            return self.topics.get(index).and_then(Option::as_deref).ok_or(InvalidAlias);
        }
        if self.topics.len() <= index {
            self.topics.resize(index + 1, None);
        }
        if self.topics[index].as_deref() != Some(topic) {
            let before = self.topics[index].replace(topic.into());
            self.bytes = self.bytes + topic.len() - before.map_or(0, |before| before.len());
        }
        Ok(topic)
    }

    /// Bytes of all topics that have an alias.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The longest topic that we set an alias for, in bytes: what a connection's aliases may take is bounded by it.
const MAX_ALIASED_TOPIC: usize = 512;

/// Aliases that we have set. The first topics get them, for as long as the connection lasts.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutgoingAliases {
    topics: Vec<Box<str>>,
    maximum: u16,
}

/// How to name a topic to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// By its name.
    Name,
    /// By its name, which from now on has this alias.
    NameAndAlias(NonZeroU16),
    /// By its alias alone.
    Alias(NonZeroU16),
}

impl OutgoingAliases {
    pub(crate) fn new(maximum: u16) -> Self {
        Self { topics: Vec::new(), maximum }
    }

    pub(crate) fn is_used(&self) -> bool {
        self.maximum > 0
    }

    /// How to name `topic` in the next PUBLISH. An alias that this sets is in force only once
    /// [`establish`](Self::establish) is called: a PUBLISH that is too large is never sent.
    #[inline]
    pub(crate) fn naming(&self, topic: &str) -> Naming {
        if !self.is_used() {
            return Naming::Name;
        }
        let known = self.topics.iter().position(|known| **known == *topic);
        let index = known.unwrap_or(self.topics.len());
        match u16::try_from(index + 1).ok().and_then(NonZeroU16::new) {
            Some(alias) if known.is_some() => Naming::Alias(alias),
            Some(alias) if alias.get() <= self.maximum && topic.len() <= MAX_ALIASED_TOPIC => {
                Naming::NameAndAlias(alias)
            }
            _ => Naming::Name,
        }
    }

    /// The PUBLISH that sets an alias has been sent.
    pub(crate) fn establish(&mut self, naming: Naming, topic: &str) {
        if matches!(naming, Naming::NameAndAlias(_)) {
            self.topics.push(topic.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alias(number: u16) -> NonZeroU16 {
        NonZeroU16::new(number).unwrap()
    }

    #[test]
    fn incoming_aliases_are_set_used_changed_and_bounded() {
        let mut aliases = IncomingAliases::default();
        assert_eq!(aliases.resolve("", alias(1), 2), Err(InvalidAlias));
        assert_eq!(aliases.resolve("a", alias(2), 2), Ok("a"));
        assert_eq!(aliases.resolve("", alias(2), 2), Ok("a"));
        assert_eq!(aliases.resolve("", alias(1), 2), Err(InvalidAlias));
        assert_eq!(aliases.resolve("b", alias(2), 2), Ok("b"));
        assert_eq!(aliases.resolve("", alias(2), 2), Ok("b"));
        assert_eq!(aliases.resolve("c", alias(3), 2), Err(InvalidAlias));
        assert_eq!(aliases.resolve("c", alias(1), 0), Err(InvalidAlias));
        assert_eq!(aliases.resolve("long", alias(1), 2), Ok("long"));
        assert_eq!(aliases.bytes(), 5);
    }

    #[test]
    fn outgoing_aliases_take_effect_when_established_and_run_out() {
        let mut aliases = OutgoingAliases::new(1);
        assert_eq!(aliases.naming("a"), Naming::NameAndAlias(alias(1)));
        assert_eq!(aliases.naming("a"), Naming::NameAndAlias(alias(1)), "not sent, not in force");
        aliases.establish(aliases.naming("a"), "a");
        assert_eq!(aliases.naming("a"), Naming::Alias(alias(1)));
        assert_eq!(aliases.naming("b"), Naming::Name);
        let long = "x".repeat(MAX_ALIASED_TOPIC + 1);
        assert_eq!(OutgoingAliases::new(9).naming(&long), Naming::Name);
        assert_eq!(OutgoingAliases::new(0).naming("a"), Naming::Name);
    }
}
