//! Own messages (RFC 7252 §4.2, §4.3).
//!
//! ```text
//!   Delayed ──Due──▶ Waiting ──Transmitted──┬─ CON ───────────▶ AwaitAck          TimeOut: repeat
//!                                           ├─ NON request ───▶ AwaitResponse     told
//!                                           ├─ NON notification ▶ Rejectable      told; RST: told
//!                                           └─ other NON ─────▶ Ended             told
//!
//!   AwaitAck ──ACK, RST, Exhausted──▶ Ended, told
//!   AwaitAck ──Superseded──▶ Waiting           ACK, but a newer datagram is to take its place
//!   AwaitResponse ──TimeOut──▶ Rejectable      RST: told
//!   Rejectable ──TimeOut (NON_LIFETIME)──▶ Ended, told
//! ```
//! From everywhere to `Ended`: settled and cancelled by the caller, silently; the peer unreachable, told. `AwaitAck` and
//! `AwaitResponse` are the outstanding interactions that NSTART counts (§4.7). `Rejectable` remembers the message id of a
//! Non-confirmable message, for RST (§4.3, RFC 7641 §3.6).

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Delayed,
    Waiting,
    AwaitAck,
    AwaitResponse,
    Rejectable,
    Ended,
}

/// What kind of message it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Confirmable,
    /// A Non-confirmable request.
    Request,
    /// A Non-confirmable notification.
    Notification,
    /// Another Non-confirmable message.
    Plain,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// The time to which it was delayed has come.
    Due,
    /// It has gone for the first time.
    Transmitted(Kind),
    TimeOut,
    /// The last time-out of all.
    Exhausted,
    Ack,
    /// As `Ack`, but there is a newer datagram to send in its place (RFC 7641 §4.5.2).
    Superseded,
    Rst,
    /// A response has come that proves that the message has.
    Settled,
    Cancelled,
    Unreachable,
}

/// What follows, apart from the new state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Nothing,
    Repeat,
    TellSent,
    TellAcknowledged,
    TellReset,
    TellTimedOut,
    TellUnreachable,
    TellExpired,
}

impl State {
    pub(super) const fn on(self, event: Event) -> (Self, Effect) {
        match (self, event) {
            (Self::Delayed, Event::Due) | (Self::AwaitAck, Event::Superseded) => {
                (Self::Waiting, Effect::Nothing)
            }
            // Of a Confirmable message it is told when it has arrived.
            (Self::Waiting, Event::Transmitted(Kind::Confirmable)) => (Self::AwaitAck, Effect::Nothing),
            (Self::Waiting, Event::Transmitted(Kind::Request)) => (Self::AwaitResponse, Effect::TellSent),
            (Self::Waiting, Event::Transmitted(Kind::Notification)) => (Self::Rejectable, Effect::TellSent),
            (Self::Waiting, Event::Transmitted(Kind::Plain)) => (Self::Ended, Effect::TellSent),
            (Self::AwaitAck, Event::TimeOut) => (self, Effect::Repeat),
            (Self::AwaitAck, Event::Exhausted) => (Self::Ended, Effect::TellTimedOut),
            (Self::AwaitAck, Event::Ack) => (Self::Ended, Effect::TellAcknowledged),
            (Self::AwaitAck | Self::AwaitResponse | Self::Rejectable, Event::Rst) => {
                (Self::Ended, Effect::TellReset)
            }
            (Self::AwaitResponse, Event::TimeOut) => (Self::Rejectable, Effect::Nothing),
            (Self::Rejectable, Event::TimeOut) => (Self::Ended, Effect::TellExpired),
            (
                Self::Delayed | Self::Waiting | Self::AwaitAck | Self::AwaitResponse | Self::Rejectable,
                Event::Settled | Event::Cancelled,
            ) => (Self::Ended, Effect::Nothing),
            (
                Self::Delayed | Self::Waiting | Self::AwaitAck | Self::AwaitResponse | Self::Rejectable,
                Event::Unreachable,
            ) => (Self::Ended, Effect::TellUnreachable),
            (
                Self::Delayed,
                Event::Transmitted(_)
                | Event::TimeOut
                | Event::Exhausted
                | Event::Ack
                | Event::Superseded
                | Event::Rst,
            )
            | (
                Self::Waiting,
                Event::Due | Event::TimeOut | Event::Exhausted | Event::Ack | Event::Superseded | Event::Rst,
            )
            | (Self::AwaitAck, Event::Due | Event::Transmitted(_))
            | (
                Self::AwaitResponse | Self::Rejectable,
                Event::Due | Event::Transmitted(_) | Event::Exhausted | Event::Ack | Event::Superseded,
            )
            | (
                Self::Ended,
                Event::Due
                | Event::Transmitted(_)
                | Event::TimeOut
                | Event::Exhausted
                | Event::Ack
                | Event::Superseded
                | Event::Rst
                | Event::Settled
                | Event::Cancelled
                | Event::Unreachable,
            ) => (self, Effect::Nothing),
        }
    }

    /// Whether NSTART counts it.
    pub(super) const fn is_outstanding(self) -> bool {
        matches!(self, Self::AwaitAck | Self::AwaitResponse)
    }
}
