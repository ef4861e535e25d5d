//! The grammar of RFC 6690 §2. Loops are by hand, so that a fault keeps its cause and place.

use nom::Parser;
use nom::bytes::complete::{take_while, take_while1};
use nom::character::complete::char;
use nom::combinator::{opt, recognize, verify};
use nom::sequence::pair;

use super::value::{AttributeValue, ExtValue};
use super::{Attribute, InvalidLinkFormat, Link, LinkFault};

pub(super) type Parsed<'a, T> = nom::IResult<&'a str, T, At<'a>>;

/// A fault and the text that begins with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct At<'a> {
    rest: &'a str,
    fault: LinkFault,
}

impl At<'_> {
    pub(super) const fn in_document(self, len: usize) -> InvalidLinkFormat {
        InvalidLinkFormat { offset: len - self.rest.len(), fault: self.fault }
    }
}

/// Blanks and line ends: not in the grammar, but in documents (see the module).
pub(super) fn blanks(input: &str) -> &str {
    input.trim_start_matches([' ', '\t', '\r', '\n'])
}

/// `"," link-value`.
pub(super) fn next_link_value(input: &str) -> Parsed<'_, Link<'_>> {
    let (rest, _) = leaf(input, char(','), LinkFault::Separator)?;
    link_value(blanks(rest))
}

/// `"<" URI-Reference ">" *( ";" link-param )`.
pub(super) fn link_value(input: &str) -> Parsed<'_, Link<'_>> {
    let (after_target, target) = target(input)?;
    let mut rest = after_target;
    while let Some((after, _)) = next_attribute(rest)? {
        rest = after;
    }
    let attributes = after_target.get(..after_target.len() - rest.len()).unwrap_or_default();
    Ok((rest, Link { target, attributes }))
}

/// `";" link-param`, or `None` when something else follows.
pub(super) fn next_attribute(input: &str) -> Result<Option<(&str, Attribute<'_>)>, nom::Err<At<'_>>> {
    match blanks(input).strip_prefix(';') {
        Some(rest) => attribute(blanks(rest)).map(Some),
        None => Ok(None),
    }
}

fn target(input: &str) -> Parsed<'_, &str> {
    let (rest, _) = leaf(input, char('<'), LinkFault::Link)?;
    let (rest, target) = leaf(rest, take_while(is_target), LinkFault::TargetCharacter)?;
    let fault = if rest.is_empty() { LinkFault::UnterminatedTarget } else { LinkFault::TargetCharacter };
    let (rest, _) = leaf(rest, char('>'), fault)?;
    Ok((rest, target))
}

/// `parmname [ "*" ] [ "=" value ]`.
fn attribute(input: &str) -> Parsed<'_, Attribute<'_>> {
    let name = recognize(pair(take_while1(is_attr_char), opt(char('*'))));
    let (rest, name) = leaf(input, name, LinkFault::Name)?;
    let Some(value) = rest.strip_prefix('=') else {
        if name.ends_with('*') {
            return refuse(rest, LinkFault::ExtValue);
        }
        return Ok((rest, Attribute { name, value: None }));
    };
    let (rest, value) = match value.strip_prefix('"') {
        _ if name.ends_with('*') => ext_value(value)?,
        Some(string) => quoted_string(string)?,
        None => ptoken(value)?,
    };
    Ok((rest, Attribute { name, value: Some(value) }))
}

fn ptoken(input: &str) -> Parsed<'_, AttributeValue<'_>> {
    let (rest, raw) = leaf(input, take_while1(is_ptoken_char), LinkFault::Value)?;
    Ok((rest, AttributeValue { raw, is_quoted: false }))
}

/// `ext-value`, RFC 5987 §3.2.1, never in quotes.
fn ext_value(input: &str) -> Parsed<'_, AttributeValue<'_>> {
    let token = verify(take_while1(is_ptoken_char), |token: &str| ExtValue::parse(token).is_some());
    let (rest, raw) = leaf(input, token, LinkFault::ExtValue)?;
    Ok((rest, AttributeValue { raw, is_quoted: false }))
}

/// What follows the opening quote: any text but control characters, and any character after a backslash. RFC 2616 §2.2.
fn quoted_string(input: &str) -> Parsed<'_, AttributeValue<'_>> {
    let mut characters = input.char_indices();
    while let Some((at, next)) = characters.next() {
        let (raw, rest) = input.split_at_checked(at).unwrap_or((input, ""));
        match next {
            '"' => {
                let rest = rest.get(1..).unwrap_or_default();
                return Ok((rest, AttributeValue { raw, is_quoted: true }));
            }
            '\\' => {
                characters.next();
            }
            '\t' => {}
            next if next.is_ascii_control() => return refuse(rest, LinkFault::ControlCharacter),
            _ => {}
        }
    }
    refuse(input.get(input.len()..).unwrap_or_default(), LinkFault::UnterminatedString)
}

/// A leaf of nom, of which an error means `fault` where it began.
fn leaf<'a, T>(
    input: &'a str,
    mut parser: impl Parser<&'a str, Output = T, Error = ()>,
    fault: LinkFault,
) -> Parsed<'a, T> {
    parser.parse_complete(input).or_else(|_| refuse(input, fault))
}

const fn refuse<T>(rest: &str, fault: LinkFault) -> Parsed<'_, T> {
    Err(nom::Err::Failure(At { rest, fault }))
}

/// What a URI reference consists of (RFC 3986 §2), and everything beyond ASCII.
pub(super) const fn is_target(next: char) -> bool {
    !matches!(next, '\0'..=' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' | '\x7f')
}

/// `attr-char` of RFC 5987, of which a `parmname` consists.
pub(super) const fn is_attr_char(next: char) -> bool {
    next.is_ascii_alphanumeric()
        || matches!(next, '!' | '#' | '$' | '&' | '+' | '-' | '.' | '^' | '_' | '`' | '|' | '~')
}

pub(super) const fn is_ptoken_char(next: char) -> bool {
    matches!(next, '!'..='~') && !matches!(next, '"' | ',' | ';' | '\\')
}
