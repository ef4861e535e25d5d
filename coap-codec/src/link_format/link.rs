//! A link and its attributes.

use core::fmt;

use super::grammar::next_attribute;
use super::value::{AttributeValue, Words};
use crate::ContentFormat;

/// A link: where it points and what is said about it. Everything in it is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// The URI reference between `<` and `>`, to be resolved against the URI of the document or the anchor.
    pub target: &'a str,
    /// The attributes as written, each with its semicolon.
    pub(super) attributes: &'a str,
}

impl<'a> Link<'a> {
    /// The attributes, in order. Of those that a link must not have twice, the first counts and later ones are left out:
    /// `rt`, `if`, `sz` (RFC 6690 §3), `rel`, `anchor`, `media`, `title`, `title*`, `type` (RFC 8288 §3), `ct` (RFC 7252
    /// §7.2.1 as corrected), `obs` (RFC 7641 §6).
    pub const fn attributes(&self) -> Attributes<'a> {
        Attributes { rest: self.attributes, seen: 0 }
    }

    /// The first attribute of this name, in any case.
    pub fn attribute(&self, name: &str) -> Option<Attribute<'a>> {
        self.attributes().find(|attribute| attribute.is_named(name))
    }

    /// The value of the first attribute of this name; `None` also when it has none.
    pub fn value(&self, name: &str) -> Option<AttributeValue<'a>> {
        self.attribute(name)?.value
    }

    /// `rt`: what the resource is. RFC 6690 §3.1.
    pub fn resource_types(&self) -> Words<'a> {
        self.words("rt")
    }

    /// `if`: how to use the resource. RFC 6690 §3.2.
    pub fn interfaces(&self) -> Words<'a> {
        self.words("if")
    }

    /// `rel`: what the target is to the context; `hosts` where there is none. RFC 6690 §2.2.
    pub fn relations(&self) -> Words<'a> {
        self.value("rel").unwrap_or(AttributeValue { raw: "hosts", is_quoted: false }).words()
    }

    /// `ct`: the Content-Formats on offer; what is not a number is left out. RFC 7252 §7.2.1.
    pub fn content_formats(&self) -> impl Iterator<Item = ContentFormat> + use<'a> {
        self.words("ct").filter_map(|word| word.as_str()?.parse().ok().map(ContentFormat::new))
    }

    /// `sz`: an estimate of the size in bytes. RFC 6690 §3.3.
    pub fn size(&self) -> Option<u64> {
        self.value("sz")?.as_str()?.parse().ok()
    }

    /// `obs`: the resource is worth observing. RFC 7641 §6; a value is ignored.
    pub fn is_observable(&self) -> bool {
        self.attribute("obs").is_some()
    }

    fn words(&self, name: &str) -> Words<'a> {
        self.value(name).map(AttributeValue::words).unwrap_or_default()
    }
}

/// As it was written.
impl fmt::Display for Link<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>{}", self.target, self.attributes)
    }
}

/// One attribute of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its name; case is of no meaning.
    pub name: &'a str,
    /// Its value; flags such as `obs` have none.
    pub value: Option<AttributeValue<'a>>,
}

impl Attribute<'_> {
    /// Whether this is its name, in any case.
    pub fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Iterator over the attributes of a [`Link`].
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    rest: &'a str,
    /// One bit per name of [`ONCE`].
    seen: u16,
}

/// The names that count once in a link.
pub(super) const ONCE: [&str; 11] =
    ["rt", "if", "sz", "ct", "rel", "anchor", "title", "title*", "type", "media", "obs"];

impl<'a> Iterator for Attributes<'a> {
    type Item = Attribute<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Ok(Some((rest, attribute))) = next_attribute(self.rest) {
            self.rest = rest;
            let bit = ONCE.iter().position(|name| attribute.is_named(name)).map_or(0, |at| 1 << at);
            if self.seen & bit == 0 {
                self.seen |= bit;
                return Some(attribute);
            }
        }
        None
    }
}
