//! Why a command failed, and its exit code.

use core::fmt::Display;
use std::io;
use std::process::ExitCode;

use coap_codec::Code;
use coap_codec::uri::InvalidUri;
use coap_core::Refused;
use thiserror::Error;

use super::super::dump::CodeName;

/// For `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    answered, with success
  1    a file cannot be read or written, a name has no address, or the system refused something
  2    wrong command line
  3    no answer in time, or nobody there to give one
  4    the answer is an error of this side: 4.xx
  5    the answer is an error of the server: 5.xx
  6    the request was rejected, the answer cannot be used, or the resource cannot be observed
  130  ended by a signal before it was answered, or by a second one";

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("{0}\nFor more information, try '--help'.")]
    Usage(String),
    #[error("{}", pointed_at(.text, .problem))]
    Uri { text: String, problem: InvalidUri },
    #[error("{0}")]
    Other(String),
    #[error("{0}")]
    NoAnswer(String),
    #[error("{}{}", CodeName(*.code), note(.diagnostic))]
    Answer { code: Code, diagnostic: String },
    #[error("{0}")]
    Unusable(String),
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    pub(crate) fn usage(problem: impl Display) -> Self {
        Self::Usage(problem.to_string())
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Other(_) => 1,
            Self::Usage(_) | Self::Uri { .. } => 2,
            Self::NoAnswer(_) => 3,
            Self::Answer { code, .. } if code.is_client_error() => 4,
            Self::Answer { .. } => 5,
            Self::Unusable(_) => 6,
            Self::Interrupted => 130,
        })
    }

    pub(crate) fn cannot_read(what: impl Display, error: &io::Error) -> Self {
        Self::Other(format!("cannot read {what}: {error}"))
    }

    pub(crate) fn cannot_write(what: impl Display, error: &io::Error) -> Self {
        Self::Other(format!("cannot write {what}: {error}"))
    }

    /// A request that did not even leave.
    pub(crate) fn refused(refused: Refused) -> Self {
        match refused {
            Refused::TooLarge | Refused::OptionTooLong | Refused::NotForGroups | Refused::WrongCode => {
                Self::usage(refused)
            }
            _ => Self::Other(format!("cannot send the request: {refused}")),
        }
    }
}

impl From<coap_core::Failure> for Failure {
    fn from(failure: coap_core::Failure) -> Self {
        use coap_core::Failure as F;
        match failure {
            F::NotAcknowledged => Self::NoAnswer(
                "no answer: is a CoAP server there, and does it speak UDP without DTLS?".into(),
            ),
            F::NoResponse => Self::NoAnswer("no answer in time".into()),
            F::GroupClosed => Self::NoAnswer("nobody in the group has answered".into()),
            F::Unreachable => {
                Self::NoAnswer("nobody listens there (the network says that it cannot be reached)".into())
            }
            F::Cancelled => Self::Interrupted,
            F::Refused(refused) => Self::refused(refused),
            F::Reset => Self::Unusable("the server rejected the request with a Reset".into()),
            other => Self::Unusable(format!("the answer cannot be used: {other}")),
        }
    }
}

fn note(diagnostic: &str) -> String {
    if diagnostic.is_empty() { String::new() } else { format!(": {diagnostic}") }
}

/// The fault, the text, and where in it the fault is.
fn pointed_at(text: &str, problem: &InvalidUri) -> String {
    let before = text.get(..problem.offset).unwrap_or(text).chars().count();
    format!("{}\n  {text}\n  {:before$}^", problem.fault, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use coap_codec::uri::Uri;

    #[test]
    fn a_fault_of_a_uri_is_pointed_at() {
        let text = "coap://h/é%2".to_owned();
        let problem = Uri::parse("coap://h/x%2").unwrap_err();
        let failure = Failure::Uri { text, problem: InvalidUri { offset: problem.offset + 1, ..problem } };
        let lines = failure.to_string();
        let lines: Vec<&str> = lines.lines().collect();
        assert_eq!(lines[1..], ["  coap://h/é%2", "            ^"]);
    }

    #[test]
    fn exit_codes() {
        let of = |code| Failure::Answer { code, diagnostic: String::new() }.exit_code();
        assert_eq!(of(Code::NOT_FOUND), ExitCode::from(4));
        assert_eq!(of(Code::GATEWAY_TIMEOUT), ExitCode::from(5));
        assert_eq!(Failure::from(coap_core::Failure::NoResponse).exit_code(), ExitCode::from(3));
        assert_eq!(Failure::from(coap_core::Failure::Reset).exit_code(), ExitCode::from(6));
        assert_eq!(Failure::refused(Refused::NotForGroups).exit_code(), ExitCode::from(2));
    }
}
