//! Link format (RFC 6690, `CoRE`): what `/.well-known/core` answers, read, filtered and written without memory.
//!
//! [`links`] reads link by link; what it hands out is checked and borrowed:
//! ```
//! use coap_codec::ContentFormat;
//! use coap_codec::link_format::links;
//!
//! let payload = r#"</sensors>;ct=40;title="Sensor \"index\"",</sensors/temp>;rt="temperature ucum:Cel";obs"#;
//! let mut links = links(payload);
//!
//! let index = links.next().unwrap()?;
//! assert_eq!(index.target, "/sensors");
//! assert_eq!(index.content_formats().next(), Some(ContentFormat::LINK_FORMAT));
//! assert_eq!(index.value("title").unwrap().to_string(), "Sensor \"index\"");
//!
//! let temp = links.next().unwrap()?;
//! assert!(temp.is_observable());
//! assert!(temp.resource_types().eq(["temperature", "ucum:Cel"]));
//! assert!(links.next().is_none());
//! # Ok::<(), coap_codec::link_format::InvalidLinkFormat>(())
//! ```
//! A server writes with [`LinkWriter`] and narrows with [`Filter`], one per Uri-Query:
//! ```
//! use coap_codec::link_format::{Filter, LinkWriter, links};
//!
//! let mut text = String::new();
//! let mut writer = LinkWriter::new(&mut text);
//! writer.link("/lamp")?.attribute("rt", "light")?.attribute("ct", "0 50")?;
//! writer.link("/fan")?.attribute("rt", "motor")?.number("sz", 12)?.flag("obs")?;
//! assert_eq!(text, r#"</lamp>;rt="light";ct="0 50",</fan>;rt="motor";sz=12;obs"#);
//!
//! let filter = Filter::parse("rt=li*").unwrap();
//! let found: Vec<_> = links(&text).filter_map(Result::ok).filter(|link| filter.matches(link)).collect();
//! assert_eq!(found[0].target, "/lamp");
//! assert_eq!(found.len(), 1);
//! # Ok::<(), coap_codec::link_format::WriteError>(())
//! ```
//! # What is strict and what is not
//! The grammar of §2 is followed, with two concessions to what peers send: blanks and line ends are skipped around `,` and
//! `;` (HTTP's Link header allows them, and RFC 6690 prints its examples so), and a target may contain characters beyond
//! ASCII (§2 has percent-encodings decoded when a link comes from HTTP). Types of values are not checked:
//! `link-extension` allows any value for any name. `name=` without a value, `;;`, an empty link and a comma at the end are faults.

mod error;
mod filter;
mod grammar;
mod link;
mod value;
mod writer;

pub use error::{InvalidLinkFormat, LinkFault};
pub use filter::Filter;
pub use link::{Attribute, Attributes, Link};
pub use value::{AttributeValue, ExtValue, Words};
pub use writer::{LinkAttributes, LinkWriter, WriteError, write_link};

/// The links of a document, in order. An empty document has none. RFC 6690 §2.
pub const fn links(text: &str) -> Links<'_> {
    Links { len: text.len(), rest: Some(text), is_first: true }
}

/// Iterator over the links of a document; ends after the first fault.
#[derive(Clone, Debug)]
pub struct Links<'a> {
    len: usize,
    /// `None` when the document has ended or is not to be trusted any longer.
    rest: Option<&'a str>,
    is_first: bool,
}

impl<'a> Iterator for Links<'a> {
    type Item = Result<Link<'a>, InvalidLinkFormat>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = grammar::blanks(self.rest.take()?);
        if rest.is_empty() {
            return None;
        }
        let link = if self.is_first { grammar::link_value(rest) } else { grammar::next_link_value(rest) };
        self.is_first = false;
        Some(match link {
            Ok((rest, link)) => {
                self.rest = Some(rest);
                Ok(link)
            }
            Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(fault.in_document(self.len)),
            Err(nom::Err::Incomplete(_)) => {
                Err(InvalidLinkFormat { offset: self.len, fault: LinkFault::Link })
            }
        })
    }
}

impl core::iter::FusedIterator for Links<'_> {}
