//! Why a command failed, and its exit code.

use core::fmt::Display;
use core::net::SocketAddr;
use std::io;
use std::process::ExitCode;

use mqttsn_codec::ReturnCode;
use mqttsn_core::client::{Outcome, Refused};
use thiserror::Error;

/// For `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0    done
  1    a file or standard input cannot be read, a name has no address, or the system refused something
  2    wrong command line
  3    no gateway answers
  4    the gateway refused the connection, a subscription, or a message
  27   sub, sleep: the time of -W is over
  130  ended by a signal before all was done (pub), or by a second one";

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("{0}\nFor more information, try '--help'.")]
    Usage(String),
    #[error("no gateway at {0}: nobody listens there")]
    Nobody(SocketAddr),
    #[error("no gateway answers{}", place(*.0))]
    NoAnswer(Option<SocketAddr>),
    #[error("the gateway refused the connection: {code}{}", remedy(*.code))]
    Refused { code: ReturnCode },
    #[error("the gateway ended the connection")]
    Dismissed,
    #[error("the gateway refused the subscription to {topic}: {}{}", why(*.outcome), doubt(*.outcome))]
    Subscription { topic: String, outcome: Outcome },
    #[error("{refused} of {all} messages did not reach their end, the first because of: {}{}", why(*.first), doubt(*.first))]
    Messages { refused: u64, all: u64, first: Outcome },
    #[error("timed out")]
    TimedOut,
    #[error("interrupted")]
    Interrupted,
    #[error("{0}")]
    Other(String),
}

impl Failure {
    pub(crate) fn usage(problem: impl Display) -> Self {
        Self::Usage(problem.to_string())
    }

    /// Something the client machine does not do.
    pub(crate) fn refused(what: impl Display, refused: Refused) -> Self {
        match refused {
            Refused::InvalidTopic | Refused::InvalidClientId | Refused::TooLong => {
                Self::usage(format_args!("{what}: {refused}"))
            }
            Refused::Full | Refused::NoGateway | Refused::NotConnected => {
                Self::Other(format!("{what}: {refused}"))
            }
        }
    }

    #[expect(clippy::needless_pass_by_value, reason = "for map_err")]
    pub(crate) fn output(error: io::Error) -> Self {
        Self::Other(format!("cannot write to standard output: {error}"))
    }

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Other(_) => 1,
            Self::Usage(_) => 2,
            Self::Nobody(_) | Self::NoAnswer(_) => 3,
            Self::Refused { .. } | Self::Dismissed | Self::Subscription { .. } | Self::Messages { .. } => 4,
            Self::TimedOut => 27,
            Self::Interrupted => 130,
        })
    }
}

/// How something ended, in words.
pub(crate) fn why(outcome: Outcome) -> String {
    match outcome {
        Outcome::Rejected(code) => code.to_string(),
        Outcome::Unanswered => "no answer".to_owned(),
        Outcome::Interrupted => "the connection was lost, and it may have arrived".to_owned(),
        Outcome::NotConnected => "no connection".to_owned(),
        other => format!("{other:?}"),
    }
}

/// What may be behind it.
pub(crate) fn doubt(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Rejected(ReturnCode::INVALID_TOPIC_ID) => "; does the gateway know the predefined topic id?",
        Outcome::Rejected(ReturnCode::CONGESTION) => "; has the gateway a connection to its broker?",
        _ => "",
    }
}

fn place(address: Option<SocketAddr>) -> String {
    address.map(|address| format!(" at {address}")).unwrap_or_default()
}

fn remedy(code: ReturnCode) -> &'static str {
    match code {
        ReturnCode::CONGESTION => "; has the gateway a connection to its broker?",
        _ => "",
    }
}
