//! What can be wrong with a link-format document.

/// A text that is not in link format: the broken rule and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("at byte {offset}: {fault}")]
pub struct InvalidLinkFormat {
    /// The byte of the document where the fault begins.
    pub offset: usize,
    /// The rule.
    pub fault: LinkFault,
}

/// A broken rule of RFC 6690 §2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LinkFault {
    /// A link begins with `<`.
    #[error("a link begins with `<`")]
    Link,
    /// The target does not end with `>`.
    #[error("the target of the link does not end with `>`")]
    UnterminatedTarget,
    /// A character in the target that no URI has: blank, control character, quote, `<`, `\`, `^`, a backquote, `{`, `|`, `}`.
    #[error("this character cannot be part of a target")]
    TargetCharacter,
    /// After a link comes `,` or `;` or the end.
    #[error("after a link comes `,`, `;` or the end")]
    Separator,
    /// After `;` comes the name of an attribute.
    #[error("after `;` comes the name of an attribute")]
    Name,
    /// After `=` comes a token or a quoted string.
    #[error("after `=` comes a token or a string in quotes")]
    Value,
    /// A quoted string has no end.
    #[error("the string does not end with a quote")]
    UnterminatedString,
    /// A control character in a quoted string without a backslash before it.
    #[error("a control character in a string")]
    ControlCharacter,
    /// The value of a name with an asterisk is not `charset'language'percent-encoded`. RFC 5987 §3.2.
    #[error("a name with `*` has a value of the form `UTF-8'en'text`")]
    ExtValue,
}
