//! Where things are, in 32 bits each.

/// The subscribers of one filter: none, one subscription, or a list of subscriptions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Subscribers(u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Held {
    Nobody,
    One(u32),
    Many(u32),
}

const MANY: u32 = 1 << 31;

impl Subscribers {
    pub(super) const NOBODY: Self = Self(u32::MAX);

    /// From the word that `word` gave.
    pub(super) const fn from_word(word: u32) -> Self {
        Self(word)
    }

    pub(super) const fn word(self) -> u32 {
        self.0
    }

    pub(super) const fn one(subscription: u32) -> Self {
        Self(subscription)
    }

    pub(super) const fn many(list: u32) -> Self {
        Self(list | MANY)
    }

    pub(super) const fn held(self) -> Held {
        match self.0 {
            u32::MAX => Held::Nobody,
            word if word & MANY != 0 => Held::Many(word & !MANY),
            word => Held::One(word),
        }
    }
}

/// Where a subscription or a list of subscriptions hangs: kind and 30-bit number in one word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Origin(u32);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// A filter without wildcards: its text.
    Exact(u32),
    /// A node of the trie, as the end of a filter, or as what comes before `#`.
    Node { node: u32, multi: bool },
    /// The subscriptions of one filter.
    List(u32),
}

impl Origin {
    pub(super) const fn new(source: Source) -> Self {
        Self(match source {
            Source::Exact(text) => text << 2,
            Source::Node { node, multi } => (node << 2) | (1 + multi as u32),
            Source::List(list) => (list << 2) | 3,
        })
    }

    pub(super) const fn source(self) -> Source {
        let number = self.0 >> 2;
        match self.0 & 3 {
            0 => Source::Exact(number),
            3 => Source::List(number),
            kind => Source::Node { node: number, multi: kind == 2 },
        }
    }
}
