//! Filtering of links by one argument of a query. RFC 6690 §4.1.

use super::grammar::is_attr_char;
use super::link::ONCE;
use super::{AttributeValue, Link};
use crate::uri::DecodedBytes;

/// `name=pattern`: one argument of the query of `/.well-known/core`, percent-decoded as Uri-Query has it.
///
/// A `*` at the end of the pattern makes it a prefix, and alone it asks for the attribute to be there. Otherwise all of a value
/// has to match; of `rt`, `if`, `rel`, `rev` and `ct` one of the values between blanks is enough. `href` is the target, and
/// `href` and `anchor` are compared percent-decoded.
/// ```
/// use coap_codec::link_format::{Filter, links};
///
/// let link = links(r#"</light/1>;rt="light-lux core.sen-light""#).next().unwrap()?;
/// let matches = |query| Filter::parse(query).is_some_and(|filter| filter.matches(&link));
/// assert!(matches("rt=core.sen-light"));
/// assert!(matches("rt=light*"));
/// assert!(matches("href=/light/*"));
/// assert!(!matches("rt=light"));
/// assert!(!matches("if=*"));
/// # Ok::<(), coap_codec::link_format::InvalidLinkFormat>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Filter<'q> {
    name: &'q str,
    pattern: &'q str,
    is_prefix: bool,
}

/// The attributes of which the value is a list.
const LISTS: [&str; 5] = ["rt", "if", "rel", "rev", "ct"];

impl<'q> Filter<'q> {
    /// `None` when the argument is not of the form `name=pattern`; a server may ignore it then.
    pub fn parse(query: &'q str) -> Option<Self> {
        let (name, pattern) = query.split_once('=')?;
        let parmname = name.strip_suffix('*').unwrap_or(name);
        if parmname.is_empty() || !parmname.chars().all(is_attr_char) {
            return None;
        }
        let prefix = pattern.strip_suffix('*');
        Some(Self { name, pattern: prefix.unwrap_or(pattern), is_prefix: prefix.is_some() })
    }

    /// The name of the attribute, or `href`.
    pub const fn name(&self) -> &'q str {
        self.name
    }

    /// Whether the link passes.
    pub fn matches(&self, link: &Link<'_>) -> bool {
        if self.asks_for("href") {
            return self.fits_encoded(link.target);
        }
        link.attributes().filter(|attribute| self.asks_for(attribute.name)).any(|attribute| {
            attribute.value.map_or(self.pattern.is_empty(), |value| {
                self.fits_value(value.raw(), value.chars(), value.words().map(AttributeValue::chars))
            })
        })
    }

    /// Whether a link passes that is yet to be written: [`write_link`](super::write_link) with the same target and attributes.
    /// ```
    /// use coap_codec::link_format::Filter;
    ///
    /// let filter = Filter::parse("rt=light*").unwrap();
    /// assert!(filter.matches_parts("/light/1", [("rt", Some("core.sen light-lux")), ("obs", None)]));
    /// assert!(!filter.matches_parts("/light/1", [("title", Some("light"))]));
    /// ```
    pub fn matches_parts<'t>(
        &self,
        target: &str,
        attributes: impl IntoIterator<Item = (&'t str, Option<&'t str>)>,
    ) -> bool {
        if self.asks_for("href") {
            return self.fits_encoded(target);
        }
        let mut named = attributes.into_iter().filter(|(name, _)| self.asks_for(name));
        let mut fits = |(_, value): (&str, Option<&str>)| {
            value.map_or(self.pattern.is_empty(), |value| {
                let words = value.split(' ').filter(|word| !word.is_empty());
                self.fits_value(value, value.chars(), words.map(str::chars))
            })
        };
        if self.asks_for_one_of(&ONCE) { named.next().is_some_and(fits) } else { named.any(&mut fits) }
    }

    fn asks_for(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn asks_for_one_of(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.asks_for(name))
    }

    /// Whether the value of the attribute fits: as it stands there, its characters, and its words if it is a list.
    fn fits_value<C: Iterator<Item = char>>(
        &self,
        raw: &str,
        value: C,
        mut words: impl Iterator<Item = C>,
    ) -> bool {
        if self.asks_for("anchor") {
            return self.fits_encoded(raw);
        }
        let fits = |value: C| self.fits(self.pattern.chars(), value);
        fits(value) || self.asks_for_one_of(&LISTS) && words.any(fits)
    }

    fn fits_encoded(&self, uri: &str) -> bool {
        self.fits(self.pattern.bytes(), DecodedBytes::new(uri))
    }

    fn fits<T: PartialEq>(
        &self,
        pattern: impl Iterator<Item = T>,
        mut value: impl Iterator<Item = T>,
    ) -> bool {
        for wanted in pattern {
            if value.next() != Some(wanted) {
                return false;
            }
        }
        self.is_prefix || value.next().is_none()
    }
}
