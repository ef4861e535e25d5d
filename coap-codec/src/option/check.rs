//! Which options a message cannot be used with, RFC 7252 §5.4.

use core::fmt;

use super::{CoapOption, Definition, Format, OptionNumber, Options};
use crate::Code;

/// A critical option that has to be treated like one that nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{number}: {kind}")]
pub struct OptionFault {
    /// Which option.
    pub number: OptionNumber,
    /// What is wrong with it.
    pub kind: FaultKind,
}

impl OptionFault {
    /// With what a request that has it is answered: 4.02, §5.4.1. (A response that has it is rejected.)
    pub const fn response_code(self) -> Code {
        Code::BAD_OPTION
    }
}

/// What is wrong with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FaultKind {
    /// It is not known here, §5.4.1.
    Unrecognised,
    /// Its value has a length that it cannot have, §5.4.3.
    WrongLength,
    /// Its value is no string, §3.2.
    NotUtf8,
    /// It cannot be in a message more than once, §5.4.5.
    Supernumerary,
}

impl FaultKind {
    /// Words for a diagnostic payload.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unrecognised => "unrecognised",
            Self::WrongLength => "wrong length",
            Self::NotUtf8 => "not UTF-8",
            Self::Supernumerary => "more than once",
        }
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Options<'_> {
    /// Finds the first *critical* option that makes the message unusable: one that `known` does not know, with a value
    /// that it cannot have, or once more than allowed. Elective ones with such faults are as if absent: accessors
    /// leave them out.
    ///
    /// # Errors
    /// What is wrong, with which option.
    #[inline]
    pub fn check(self, known: impl FnMut(OptionNumber) -> bool) -> Result<(), OptionFault> {
        self.check_defined(known, OptionNumber::definition)
    }

    /// As [`check`](Self::check), with definitions from whatever registry.
    #[inline]
    pub(crate) fn check_defined(
        self,
        mut known: impl FnMut(OptionNumber) -> bool,
        definition: impl Fn(OptionNumber) -> Option<&'static Definition>,
    ) -> Result<(), OptionFault> {
        let mut previous = None;
        for option in self {
            let number = option.number;
            if number.is_critical() {
                let repeated = previous == Some(number);
                let definition = definition(number);
                let kind = if known(number) {
                    fault(option, definition, repeated)
                } else {
                    Some(FaultKind::Unrecognised)
                };
                if let Some(kind) = kind {
                    return Err(OptionFault { number, kind });
                }
            }
            previous = Some(number);
        }
        Ok(())
    }
}

#[inline]
fn fault(option: CoapOption<'_>, definition: Option<&Definition>, repeated: bool) -> Option<FaultKind> {
    let definition = definition?;
    if repeated && !definition.repeatable {
        Some(FaultKind::Supernumerary)
    } else if !definition.allows(option.value.len()) {
        Some(FaultKind::WrongLength)
    } else if definition.format == Format::String && !is_utf8(option.value) {
        Some(FaultKind::NotUtf8)
    } else {
        None
    }
}

/// Most strings are short and ASCII.
#[inline]
fn is_utf8(value: &[u8]) -> bool {
    value.is_ascii() || core::str::from_utf8(value).is_ok()
}
