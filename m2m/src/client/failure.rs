//! Why a command failed, and its exit code.

use core::fmt::Display;
use std::io;
use std::process::ExitCode;

use mqtt_codec::{ProtocolVersion, ReasonCode};
use mqtt_core::client::DropReason;
use thiserror::Error;

use super::url::Server;

/// For `--help`.
pub(crate) const EXIT_CODES: &str = "\
Exit codes:
  0        done
  1        no connection, or a file or standard input cannot be read
  2        wrong command line
  27       sub: the time of -W is over
  1 to 5   the broker refused the connection: the return code of MQTT 3.1 and 3.1.1
  128 on   the broker refused the connection, all subscriptions, or a message (pub): the reason code of MQTT 5
  130      ended by a signal before all was done (pub), or by a second one";

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("{0}\nFor more information, try '--help'.")]
    Usage(String),
    #[error("cannot connect to {server}: {problem}{}", hint(.problem))]
    Unreachable { server: Server, problem: io::Error },
    #[error("{server} does not answer as an MQTT broker does: {problem}")]
    NoBroker { server: Server, problem: String },
    #[error("{server} refused the connection: {reason}{}{}", note(.text.as_deref()), remedy(*.reason))]
    Refused { server: Server, reason: ReasonCode, version: ProtocolVersion, text: Option<String> },
    #[error("{server} ended the connection: {reason}{}{}", note(.text.as_deref()), remedy(*.reason))]
    Dismissed { server: Server, reason: ReasonCode, text: Option<String> },
    #[error(
        "{server} ended {connections} connections in a row without acknowledging anything: does it forbid what is asked of it, or \
         is a message too large for it?"
    )]
    NoProgress { server: Server, connections: u32 },
    #[error("the broker refused all subscriptions: {reason}{}", remedy(*.reason))]
    NoSubscription { reason: ReasonCode },
    #[error("{refused} of {all} messages did not reach their end, the first because of: {reason}{}", remedy(*.reason))]
    Messages { refused: u64, all: u64, reason: ReasonCode },
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

    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => 2,
            Self::TimedOut => 27,
            Self::Interrupted => 130,
            Self::Refused { reason, version: ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1, .. } => {
                reason.to_connect_return_code()
            }
            Self::Refused { reason, .. }
            | Self::Dismissed { reason, .. }
            | Self::NoSubscription { reason }
            | Self::Messages { reason, .. } => reason.get(),
            Self::Unreachable { .. } | Self::NoBroker { .. } | Self::NoProgress { .. } | Self::Other(_) => 1,
        })
    }
}

/// Whether a server that says so may say something else the next time.
pub(crate) fn is_temporary(reason: ReasonCode) -> bool {
    matches!(
        reason,
        ReasonCode::SUCCESS
            | ReasonCode::UNSPECIFIED_ERROR
            | ReasonCode::IMPLEMENTATION_SPECIFIC_ERROR
            | ReasonCode::SERVER_UNAVAILABLE
            | ReasonCode::SERVER_BUSY
            | ReasonCode::SERVER_SHUTTING_DOWN
            | ReasonCode::KEEP_ALIVE_TIMEOUT
            | ReasonCode::MESSAGE_RATE_TOO_HIGH
            | ReasonCode::CONNECTION_RATE_EXCEEDED
            | ReasonCode::MAXIMUM_CONNECT_TIME
    )
}

/// What a server would have said of something that the client does not even send.
pub(crate) fn equivalent(reason: DropReason) -> ReasonCode {
    match reason {
        DropReason::SessionLost | DropReason::Expired | DropReason::NotConnected => {
            ReasonCode::UNSPECIFIED_ERROR
        }
        DropReason::TooLarge => ReasonCode::PACKET_TOO_LARGE,
        DropReason::QoSNotSupported => ReasonCode::QOS_NOT_SUPPORTED,
        DropReason::RetainNotSupported => ReasonCode::RETAIN_NOT_SUPPORTED,
        DropReason::SubscriptionNotSupported => ReasonCode::WILDCARD_SUBSCRIPTIONS_NOT_SUPPORTED,
    }
}

fn note(text: Option<&str>) -> String {
    text.map(|text| format!(" ({text})")).unwrap_or_default()
}

fn hint(problem: &io::Error) -> &'static str {
    match problem.kind() {
        io::ErrorKind::ConnectionRefused => " (nothing listens there: check -h and -p, or start a broker)",
        io::ErrorKind::TimedOut => " (no answer: check -h and -p, and firewalls on the way)",
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            " (there is no way to that network)"
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
            " (is it an MQTT broker without TLS, and does it speak the version of -V?)"
        }
        _ => "",
    }
}

fn remedy(reason: ReasonCode) -> &'static str {
    match reason {
        ReasonCode::UNSUPPORTED_PROTOCOL_VERSION => ": try another -V",
        ReasonCode::CLIENT_IDENTIFIER_NOT_VALID => ": try another -i",
        ReasonCode::BAD_USER_NAME_OR_PASSWORD => ": check -u and -P",
        ReasonCode::NOT_AUTHORIZED => ": check -u, -P and what the broker allows this user",
        ReasonCode::SESSION_TAKEN_OVER => ": another client has the same identifier, try another -i",
        ReasonCode::QOS_NOT_SUPPORTED => ": try a lower -q",
        ReasonCode::RETAIN_NOT_SUPPORTED => ": leave out -r",
        ReasonCode::BAD_AUTHENTICATION_METHOD => ": the broker does not know this authentication-method",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(version: ProtocolVersion, reason: ReasonCode) -> Failure {
        let server = Server { host: "h".into(), port: 1 };
        Failure::Refused { server, reason, version, text: Some("why".into()) }
    }

    #[test]
    fn a_refusal_exits_with_the_code_of_the_version() {
        let code = |failure: Failure| failure.exit_code();
        let reason = ReasonCode::NOT_AUTHORIZED;
        assert_eq!(code(refused(ProtocolVersion::V3_1_1, reason)), ExitCode::from(5));
        assert_eq!(code(refused(ProtocolVersion::V5, reason)), ExitCode::from(135));
        assert_eq!(code(Failure::TimedOut), ExitCode::from(27));
        let text = refused(ProtocolVersion::V5, reason).to_string();
        assert!(
            text.starts_with("h:1 refused the connection: 0x87 Not authorized (why): check -u"),
            "{text}"
        );
    }
}
