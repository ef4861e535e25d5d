//! Messages that came: each is processed once, and a repetition gets what the first one got (RFC 7252 §4.2, §4.5).
//!
//! ```text
//!                       ┌─Acknowledge: ACK──▶ Acknowledged   Repetition: ACK
//!   Confirmable ────────┼─Piggyback: answer─▶ Answered       Repetition: answer
//!   (Repetition: none)  ├─Reject: RST───────▶ Rejected       Repetition: RST
//!                       └─Ignore────────────▶ Silent         Repetition: none
//!
//!   NonConfirmable ─────┬─Reject: RST───────▶ Silent
//!   (Repetition: none)  └─Ignore────────────▶ Silent
//! ```
//! Once left, the first state never comes back: a response after `Acknowledged` is a message of its own (§5.2.2), and the
//! acknowledgement is repeated even after that response was acknowledged (§4.2). What came by multicast begins `Silent`.

/// How far the answer to a message has got, at the message layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Confirmable,
    NonConfirmable,
    Acknowledged,
    Answered,
    Rejected,
    Silent,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Repetition,
    Acknowledge,
    Piggyback,
    Reject,
    Ignore,
}

/// What goes to the peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Nothing,
    Acknowledgement,
    /// The piggybacked response, as it is kept.
    Answer,
    Reset,
}

impl State {
    pub(super) const fn on(self, event: Event) -> (Self, Reply) {
        match (self, event) {
            (Self::Confirmable, Event::Acknowledge) | (Self::Acknowledged, Event::Repetition) => {
                (Self::Acknowledged, Reply::Acknowledgement)
            }
            (Self::Confirmable, Event::Piggyback) | (Self::Answered, Event::Repetition) => {
                (Self::Answered, Reply::Answer)
            }
            (Self::Confirmable, Event::Reject) | (Self::Rejected, Event::Repetition) => {
                (Self::Rejected, Reply::Reset)
            }
            (Self::NonConfirmable, Event::Reject) => (Self::Silent, Reply::Reset),
            (Self::Confirmable | Self::NonConfirmable, Event::Ignore) => (Self::Silent, Reply::Nothing),
            (Self::Confirmable | Self::NonConfirmable, Event::Repetition)
            | (Self::NonConfirmable, Event::Acknowledge | Event::Piggyback)
            | (
                Self::Acknowledged | Self::Answered | Self::Rejected,
                Event::Acknowledge | Event::Piggyback | Event::Reject | Event::Ignore,
            )
            | (
                Self::Silent,
                Event::Repetition | Event::Acknowledge | Event::Piggyback | Event::Reject | Event::Ignore,
            ) => (self, Reply::Nothing),
        }
    }

    /// Whether the message layer has nothing more to say of its own.
    pub(super) const fn is_answered(self) -> bool {
        !matches!(self, Self::Confirmable)
    }
}
