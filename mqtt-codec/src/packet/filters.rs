//! The topic filters of SUBSCRIBE and UNSUBSCRIBE: validated once, then read one after the other.

use super::SubscriptionOptions;
use crate::reader::{Parsed, binary, byte, refuse};
use crate::writer::{Output, binary_len, put_binary};
use crate::{EncodeError, Malformed, PacketType, ProtocolVersion, text};

/// Topic filters with their options, in their order. Two are equal if they give the same.
///
/// Filters are UTF-8 without U+0000 and not empty; where wildcards may stand in them is another crate's
/// knowledge.
#[derive(Clone, Copy)]
pub struct SubscribeFilters<'a>(Source<'a, (&'a str, SubscriptionOptions)>);

/// Topic filters, in their order. Two are equal if they give the same.
#[derive(Clone, Copy)]
pub struct UnsubscribeFilters<'a>(Source<'a, &'a str>);

#[derive(Clone, Copy)]
enum Source<'a, T> {
    Encoded {
        block: &'a [u8],
        count: usize,
        /// All bits of all options that are set in the block.
        options: u8,
    },
    List(&'a [T]),
}

impl<T> Source<'_, T> {
    const fn len(&self) -> usize {
        match self {
            Self::Encoded { count, .. } => *count,
            Self::List(list) => list.len(),
        }
    }
}

/// What 3.x has of the options.
const QOS_BITS: u8 = 0b11;

impl<'a> SubscribeFilters<'a> {
    /// Filters to be encoded.
    #[inline]
    pub const fn list(list: &'a [(&'a str, SubscriptionOptions)]) -> Self {
        Self(Source::List(list))
    }

    /// How many filters there are; at least one in a decoded packet.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a decoded packet is never empty")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Filters and options.
    #[inline]
    pub const fn iter(&self) -> SubscribeFiltersIter<'a> {
        SubscribeFiltersIter(self.0)
    }

    pub(super) fn read(block: &'a [u8], version: ProtocolVersion) -> Result<Self, Malformed> {
        let (mut input, mut count, mut all) = (block, 0, 0);
        while !input.is_empty() {
            let (rest, filter) = topic_filter(input)?;
            let (rest, options) = byte(rest)?;
            check_options(filter, options, version)?;
            (input, count, all) = (rest, count + 1, all | options);
        }
        if count == 0 {
            return Err(Malformed::NoTopicFilters(PacketType::Subscribe));
        }
        Ok(Self(Source::Encoded { block, count, options: all }))
    }

    pub(super) fn checked_len(&self) -> Result<usize, EncodeError> {
        match self.0 {
            Source::Encoded { block, .. } => Ok(block.len()),
            Source::List([]) => Err(Malformed::NoTopicFilters(PacketType::Subscribe).into()),
            Source::List(list) => list.iter().try_fold(0, |len, (filter, options)| {
                check_shared(filter.as_bytes(), *options)?;
                Ok(len + filter_len(filter)? + 1)
            }),
        }
    }

    pub(super) fn put(&self, version: ProtocolVersion, out: &mut impl Output) {
        let mask = if version == ProtocolVersion::V5 { u8::MAX } else { QOS_BITS };
        match self.0 {
            Source::Encoded { block, options, .. } if options & !mask == 0 => out.put(block),
            _ => self.iter().for_each(|(filter, options)| {
                put_binary(filter.as_bytes(), out);
                out.put(&[options.to_byte() & mask]);
            }),
        }
    }
}

impl<'a> UnsubscribeFilters<'a> {
    /// Filters to be encoded.
    #[inline]
    pub const fn list(list: &'a [&'a str]) -> Self {
        Self(Source::List(list))
    }

    /// How many filters there are; at least one in a decoded packet.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a decoded packet is never empty")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The filters.
    #[inline]
    pub const fn iter(&self) -> UnsubscribeFiltersIter<'a> {
        UnsubscribeFiltersIter(self.0)
    }

    pub(super) fn read(block: &'a [u8]) -> Result<Self, Malformed> {
        let (mut input, mut count) = (block, 0);
        while !input.is_empty() {
            (input, count) = (topic_filter(input)?.0, count + 1);
        }
        if count == 0 {
            return Err(Malformed::NoTopicFilters(PacketType::Unsubscribe));
        }
        Ok(Self(Source::Encoded { block, count, options: 0 }))
    }

    pub(super) fn checked_len(&self) -> Result<usize, EncodeError> {
        match self.0 {
            Source::Encoded { block, .. } => Ok(block.len()),
            Source::List([]) => Err(Malformed::NoTopicFilters(PacketType::Unsubscribe).into()),
            Source::List(list) => list.iter().try_fold(0, |len, filter| Ok(len + filter_len(filter)?)),
        }
    }

    pub(super) fn put(&self, out: &mut impl Output) {
        match self.0 {
            Source::Encoded { block, .. } => out.put(block),
            Source::List(list) => list.iter().for_each(|filter| put_binary(filter.as_bytes(), out)),
        }
    }
}

/// A topic filter as bytes that are known to be a string.
#[inline]
fn topic_filter(input: &[u8]) -> Parsed<'_, &[u8]> {
    let (rest, filter) = binary(input)?;
    if filter.is_empty() {
        return Err(refuse(Malformed::EmptyTopicFilter));
    }
    text::check_string(filter).map_err(refuse)?;
    Ok((rest, filter))
}

#[inline]
fn check_options(filter: &[u8], byte: u8, version: ProtocolVersion) -> Result<(), Malformed> {
    check_shared(filter, SubscriptionOptions::from_byte(byte, version)?)
}

#[inline]
fn check_shared(filter: &[u8], options: SubscriptionOptions) -> Result<(), Malformed> {
    if options.no_local && filter.starts_with(b"$share/") {
        return Err(Malformed::NoLocalOnSharedSubscription);
    }
    Ok(())
}

fn filter_len(filter: &str) -> Result<usize, EncodeError> {
    if filter.is_empty() { Err(Malformed::EmptyTopicFilter.into()) } else { binary_len(filter.as_bytes()) }
}

/// Topic filters and options, one after the other.
#[derive(Clone)]
pub struct SubscribeFiltersIter<'a>(Source<'a, (&'a str, SubscriptionOptions)>);

impl<'a> Iterator for SubscribeFiltersIter<'a> {
    type Item = (&'a str, SubscriptionOptions);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Encoded { block, count, .. } => {
                let (rest, filter) = text::string(block).ok()?;
                let (rest, options) = byte(rest).ok()?;
                (*block, *count) = (rest, count.saturating_sub(1));
                // The block was validated for its version; 5.0 reads the options of the others alike.
                Some((filter, SubscriptionOptions::from_byte(options, ProtocolVersion::V5).ok()?))
            }
            Source::List(list) => {
                let (first, rest) = list.split_first()?;
                *list = rest;
                Some(*first)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl ExactSizeIterator for SubscribeFiltersIter<'_> {}

/// Topic filters, one after the other.
#[derive(Clone)]
pub struct UnsubscribeFiltersIter<'a>(Source<'a, &'a str>);

impl<'a> Iterator for UnsubscribeFiltersIter<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            Source::Encoded { block, count, .. } => {
                let (rest, filter) = text::string(block).ok()?;
                (*block, *count) = (rest, count.saturating_sub(1));
                Some(filter)
            }
            Source::List(list) => {
                let (first, rest) = list.split_first()?;
                *list = rest;
                Some(*first)
            }
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl ExactSizeIterator for UnsubscribeFiltersIter<'_> {}

macro_rules! sequence {
    ($sequence:ident, $iter:ident, $item:ty) => {
        impl<'a> IntoIterator for $sequence<'a> {
            type Item = $item;
            type IntoIter = $iter<'a>;

            fn into_iter(self) -> $iter<'a> {
                self.iter()
            }
        }

        impl<'a> IntoIterator for &$sequence<'a> {
            type Item = $item;
            type IntoIter = $iter<'a>;

            fn into_iter(self) -> $iter<'a> {
                self.iter()
            }
        }

        impl PartialEq for $sequence<'_> {
            fn eq(&self, other: &Self) -> bool {
                self.iter().eq(other.iter())
            }
        }

        impl Eq for $sequence<'_> {}

        impl core::fmt::Debug for $sequence<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_list().entries(self.iter()).finish()
            }
        }
    };
}

sequence!(SubscribeFilters, SubscribeFiltersIter, (&'a str, SubscriptionOptions));
sequence!(UnsubscribeFilters, UnsubscribeFiltersIter, &'a str);
