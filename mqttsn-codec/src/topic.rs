//! The three kinds of topic, §3 and §6.7.

use crate::flags::{NORMAL, PREDEFINED, SHORT};

/// A topic id, normal or predefined, §5.3.11: neither 0x0000 nor 0xFFFF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicId(core::num::NonZeroU16);

impl TopicId {
    /// The smallest topic id, 1.
    pub const MIN: Self = Self(core::num::NonZeroU16::MIN);
    /// The largest topic id, 0xFFFE.
    pub const MAX: Self = match Self::new(0xFFFE) {
        Some(id) => id,
        None => Self::MIN,
    };

    /// The topic id with this number, `None` for the reserved values.
    #[inline]
    pub const fn new(number: u16) -> Option<Self> {
        match core::num::NonZeroU16::new(number) {
            Some(number) if number.get() != 0xFFFF => Some(Self(number)),
            _ => None,
        }
    }

    /// The number on the wire.
    #[inline]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl core::fmt::Display for TopicId {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.fmt(f)
    }
}

/// A short topic name, §6.7: two octets, kept as they came. They need not be a topic name that a server takes;
/// [`as_str`](Self::as_str) knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShortTopic(pub [u8; 2]);

impl ShortTopic {
    /// The short topic name of a topic name or filter, `None` unless that has two octets.
    #[inline]
    pub fn new(name: &str) -> Option<Self> {
        name.as_bytes().try_into().ok().map(Self)
    }

    /// The name, if the octets are UTF-8 without U+0000. It may be a wildcard.
    #[inline]
    pub fn as_str(&self) -> Option<&str> {
        crate::text::string(&self.0).ok()
    }

    /// The octets as the TopicId field has them.
    #[inline]
    pub const fn field(self) -> u16 {
        u16::from_be_bytes(self.0)
    }
}

/// The topic of a PUBLISH, §5.4.12.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// A normal topic id: of REGACK, SUBACK, or the peer's REGISTER.
    Id(TopicId),
    /// A predefined topic id.
    Predefined(TopicId),
    /// A short topic name.
    Short(ShortTopic),
}

impl Topic {
    /// The TopicId field, which a PUBACK echoes.
    #[inline]
    pub const fn field(self) -> u16 {
        match self {
            Self::Id(id) | Self::Predefined(id) => id.get(),
            Self::Short(name) => name.field(),
        }
    }

    #[inline]
    pub(crate) const fn flags(self) -> u8 {
        match self {
            Self::Id(_) => NORMAL,
            Self::Predefined(_) => PREDEFINED,
            Self::Short(_) => SHORT,
        }
    }
}

/// The topic of a SUBSCRIBE or UNSUBSCRIBE, §5.4.15.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SubscribeTopic<'a> {
    /// A topic name, perhaps with wildcards: a topic filter. UTF-8 without U+0000; whether wildcards stand where
    /// they may, and whether it is empty, is for the gateway, which answers.
    Name(&'a str),
    /// A predefined topic id.
    Predefined(TopicId),
    /// A short topic name.
    Short(ShortTopic),
}

impl SubscribeTopic<'_> {
    #[inline]
    pub(crate) const fn flags(&self) -> u8 {
        match self {
            Self::Name(_) => NORMAL,
            Self::Predefined(_) => PREDEFINED,
            Self::Short(_) => SHORT,
        }
    }

    #[inline]
    pub(crate) const fn len(&self) -> usize {
        match self {
            Self::Name(name) => name.len(),
            Self::Predefined(_) | Self::Short(_) => 2,
        }
    }

    #[inline]
    pub(crate) fn put(&self, out: &mut impl crate::Output) {
        match self {
            Self::Name(name) => out.put(name.as_bytes()),
            Self::Predefined(id) => out.put(&id.get().to_be_bytes()),
            Self::Short(name) => out.put(&name.0),
        }
    }
}
