//! Filtering of links by one argument of a query. RFC 6690 §4.1.

use super::grammar::is_attr_char;
use super::link::ONCE;
use super::{Attribute, Link};
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
        if self.name.eq_ignore_ascii_case("href") {
            return self.fits(self.pattern.bytes(), DecodedBytes::new(link.target));
        }
        link.attributes().any(|attribute| attribute.is_named(self.name) && self.matches_attribute(&attribute))
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
        if self.name.eq_ignore_ascii_case("href") {
            return self.fits(self.pattern.bytes(), DecodedBytes::new(target));
        }
        let mut named = attributes.into_iter().filter(|(name, _)| self.name.eq_ignore_ascii_case(name));
        let mut fits = |(_, value): (&str, Option<&str>)| match value {
            None => self.pattern.is_empty(),
            Some(value) if self.name.eq_ignore_ascii_case("anchor") => {
                self.fits(self.pattern.bytes(), DecodedBytes::new(value))
            }
            Some(value) => {
                let fits = |value: &str| self.fits(self.pattern.chars(), value.chars());
                fits(value)
                    || self.is_of_list() && value.split(' ').any(|word| !word.is_empty() && fits(word))
            }
        };
        if ONCE.iter().any(|name| self.name.eq_ignore_ascii_case(name)) {
            named.next().is_some_and(fits)
        } else {
            named.any(&mut fits)
        }
    }

    fn is_of_list(&self) -> bool {
        LISTS.iter().any(|name| self.name.eq_ignore_ascii_case(name))
    }

    fn matches_attribute(&self, attribute: &Attribute<'_>) -> bool {
        let Some(value) = attribute.value else {
            return self.pattern.is_empty();
        };
        if attribute.is_named("anchor") {
            return self.fits(self.pattern.bytes(), DecodedBytes::new(value.raw()));
        }
        let fits = |value: super::AttributeValue<'_>| self.fits(self.pattern.chars(), value.chars());
        fits(value) || self.is_of_list() && value.words().any(fits)
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
