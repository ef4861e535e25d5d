//! Writing a link-format document.

use core::fmt;

use super::Link;
use super::grammar::{is_attr_char, is_ptoken_char, is_target};
use crate::uri::write_encoded;

/// Why a link cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The target has a character that has to be percent-encoded.
    #[error("the target of the link is not a URI reference")]
    Target,
    /// The name is not a `parmname` of RFC 5987; one with `*` is written with [`LinkAttributes::extended`].
    #[error("this is not the name of an attribute")]
    Name,
    /// The language is not a language tag.
    #[error("this is not a language tag")]
    Language,
    /// The writer refused.
    #[error(transparent)]
    Write(#[from] fmt::Error),
}

/// Writes links one after the other, with commas between them.
#[derive(Clone, Debug)]
pub struct LinkWriter<W> {
    out: W,
    is_first: bool,
}

impl<W: fmt::Write> LinkWriter<W> {
    /// An empty document, or one to which `out` is appended.
    pub const fn new(out: W) -> Self {
        Self { out, is_first: true }
    }

    /// Begins a link; attributes are added to what is returned.
    ///
    /// # Errors
    /// [`WriteError::Target`], before anything is written, and the writer's.
    pub fn link(&mut self, target: &str) -> Result<LinkAttributes<'_, W>, WriteError> {
        if !target.chars().all(is_target) {
            return Err(WriteError::Target);
        }
        self.separate()?;
        write_all(&mut self.out, ["<", target, ">"])?;
        Ok(LinkAttributes { out: &mut self.out })
    }

    /// Writes a link as it was read.
    ///
    /// # Errors
    /// The writer's.
    pub fn copy(&mut self, link: &Link<'_>) -> Result<(), WriteError> {
        self.separate()?;
        Ok(write!(self.out, "{link}")?)
    }

    /// The writer back.
    pub fn into_inner(self) -> W {
        self.out
    }

    fn separate(&mut self) -> fmt::Result {
        let is_first = core::mem::take(&mut self.is_first);
        if is_first { Ok(()) } else { self.out.write_char(',') }
    }
}

/// Adds attributes to the link that was begun last.
#[derive(Debug)]
pub struct LinkAttributes<'w, W> {
    out: &'w mut W,
}

impl<W: fmt::Write> LinkAttributes<'_, W> {
    /// An attribute with a value, in quotes unless it is a number (`ct=40`, `sz=512`) or a language tag.
    /// Every value can be written: quotes, backslashes and control characters get a backslash.
    ///
    /// # Errors
    /// [`WriteError::Name`], before anything is written, and the writer's.
    pub fn attribute(mut self, name: &str, value: &str) -> Result<Self, WriteError> {
        self.name(name)?;
        if is_bare(name, value) {
            write_all(self.out, ["=", value])?;
        } else {
            self.out.write_str("=\"")?;
            for next in value.chars() {
                let has_backslash = matches!(next, '"' | '\\') || next.is_ascii_control() && next != '\t';
                self.out.write_str(if has_backslash { "\\" } else { "" })?;
                self.out.write_char(next)?;
            }
            self.out.write_char('"')?;
        }
        Ok(self)
    }

    /// An attribute of which the value is a number.
    ///
    /// # Errors
    /// As for [`attribute`](Self::attribute).
    pub fn number(mut self, name: &str, value: u64) -> Result<Self, WriteError> {
        self.name(name)?;
        write!(self.out, "={value}")?;
        Ok(self)
    }

    /// An attribute without a value, such as `obs`.
    ///
    /// # Errors
    /// As for [`attribute`](Self::attribute).
    pub fn flag(mut self, name: &str) -> Result<Self, WriteError> {
        self.name(name)?;
        Ok(self)
    }

    /// An attribute with an extended value: `extended("title", "de", …)` writes `title*=UTF-8'de'…`. RFC 5987 §3.2.
    ///
    /// # Errors
    /// As for [`attribute`](Self::attribute); [`WriteError::Language`].
    pub fn extended(mut self, name: &str, language: &str, text: &str) -> Result<Self, WriteError> {
        if !language.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return Err(WriteError::Language);
        }
        self.name(name)?;
        write_all(self.out, ["*=UTF-8'", language, "'"])?;
        write_encoded(self.out, text.bytes(), |byte| is_attr_char(char::from(byte)))?;
        Ok(self)
    }

    fn name(&mut self, name: &str) -> Result<(), WriteError> {
        if name.is_empty() || !name.chars().all(is_attr_char) {
            return Err(WriteError::Name);
        }
        Ok(write_all(self.out, [";", name])?)
    }
}

/// Writes one link with its attributes; a value of `None` makes a flag.
///
/// # Errors
/// As for [`LinkWriter::link`] and [`LinkAttributes::attribute`].
/// ```
/// let mut text = String::new();
/// let attributes = [("if", Some("sensor")), ("sz", Some("12")), ("obs", None)];
/// coap_codec::link_format::write_link(&mut text, "/temp", attributes)?;
/// assert_eq!(text, r#"</temp>;if="sensor";sz=12;obs"#);
/// # Ok::<(), coap_codec::link_format::WriteError>(())
/// ```
pub fn write_link<'t>(
    out: &mut impl fmt::Write,
    target: &str,
    attributes: impl IntoIterator<Item = (&'t str, Option<&'t str>)>,
) -> Result<(), WriteError> {
    let mut writer = LinkWriter::new(out);
    let mut link = writer.link(target)?;
    for (name, value) in attributes {
        link = match value {
            Some(value) => link.attribute(name, value)?,
            None => link.flag(name)?,
        };
    }
    Ok(())
}

/// As `write!` does, which would bring all of its formatting along.
fn write_all<const N: usize>(out: &mut impl fmt::Write, parts: [&str; N]) -> fmt::Result {
    parts.into_iter().try_for_each(|part| out.write_str(part))
}

/// §2: `sz` is a bare cardinal and `hreflang` a bare tag; `title` and `anchor` have to be in quotes.
fn is_bare(name: &str, value: &str) -> bool {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if value.is_empty() || is("title") || is("anchor") {
        return false;
    }
    value.bytes().all(|byte| byte.is_ascii_digit()) || is("hreflang") && value.chars().all(is_ptoken_char)
}
