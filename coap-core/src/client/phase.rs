//! The states of a request of this endpoint (RFC 7252 §5.2, RFC 7641 §3).
//!
//! ```text
//!              Acknowledged, or Sent without wanting one
//!  ┌─ Sending ───────────────────────────► Waiting ─┐
//!  │     ▲ ▲                                  │     │ NextMessage: a block, an Echo, the registration anew
//!  │     │ └──────────────────────────────────┴─────┘
//!  │     │ NextMessage (stale, or deregistering)
//!  │  Observing ◄── Registered, from Sending and Waiting; every notification
//!  ▼     ▼
//! Ended: a last response, a Reset, no acknowledgement, no response in time, unreachable, cancelled
//! ```
//!
//! A response may overtake the acknowledgement of its request: it is as good as one (§5.2.2).

use crate::Failure;

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its message waits to be sent, or for its acknowledgement.
    Sending,
    /// The peer has it; the response is to come.
    Waiting,
    /// Registered; notifications may come.
    Observing,
    /// Over.
    Ended,
}

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Its non-confirmable message has left.
    Sent,
    /// Its message was acknowledged, without a response.
    Acknowledged,
    /// Another message of it is sent: the next block, the same with Echo, a registration anew, a deregistration.
    NextMessage,
    /// A response that registers, or a notification.
    Registered,
    /// A response after which none comes.
    LastResponse,
    /// Its message was repeated in vain.
    NotAcknowledged,
    /// Its message, or all of the peer's, was rejected with a Reset.
    Reset,
    /// The peer cannot be reached.
    Unreachable,
    /// Its deadline has passed.
    Expired,
    /// The application cancels.
    Cancelled,
}

/// What is to be done after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    Nothing,
    /// Wait for the response, but not for ever.
    AwaitResponse,
    /// Watch over the freshness of what is observed.
    AwaitNotification,
    /// Register anew.
    Register,
    /// The request is over with the response that was handed out.
    End,
    /// The request is over without one.
    Fail(Failure),
}

impl Phase {
    /// The phase after an event, and what is to be done.
    pub(crate) const fn after(self, event: Event) -> (Self, Effect) {
        use {Effect as F, Event as E, Phase as P};
        match (self, event) {
            (P::Sending, E::Sent | E::Acknowledged) => (P::Waiting, F::AwaitResponse),
            (P::Sending | P::Waiting | P::Observing, E::NextMessage)
            // While the message is under way, the message layer knows when to give up.
            | (P::Sending, E::Expired) => (P::Sending, F::Nothing),
            (P::Sending | P::Waiting | P::Observing, E::Registered) => (P::Observing, F::AwaitNotification),
            (P::Sending | P::Waiting | P::Observing, E::LastResponse) => (P::Ended, F::End),

            (P::Waiting, E::Sent | E::Acknowledged) => (P::Waiting, F::Nothing),
            // A notification has come before what became of the message of the registration was known.
            (P::Observing, E::Sent | E::Acknowledged | E::NotAcknowledged | E::Reset) => (P::Observing, F::Nothing),
            (P::Observing, E::Expired) => (P::Sending, F::Register),

            (P::Sending | P::Waiting, E::NotAcknowledged) => (P::Ended, F::Fail(Failure::NotAcknowledged)),
            (P::Sending | P::Waiting, E::Reset) => (P::Ended, F::Fail(Failure::Reset)),
            (P::Waiting, E::Expired) => (P::Ended, F::Fail(Failure::NoResponse)),
            (P::Sending | P::Waiting | P::Observing, E::Unreachable) => (P::Ended, F::Fail(Failure::Unreachable)),
            (P::Sending | P::Waiting | P::Observing, E::Cancelled) => (P::Ended, F::Fail(Failure::Cancelled)),

            (
                P::Ended,
                E::Sent
                | E::Acknowledged
                | E::NextMessage
                | E::Registered
                | E::LastResponse
                | E::NotAcknowledged
                | E::Reset
                | E::Unreachable
                | E::Expired
                | E::Cancelled,
            ) => (P::Ended, F::Nothing),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;

    /// Every phase × event: the next phase by its first letter, and the effect after a dot: `r` await the response, `n` a
    /// notification, `g` register, `l` the last response, and the failures `a` not acknowledged, `t` no response, `x` Reset,
    /// `u` unreachable, `c` cancelled.
    #[test]
    fn phase_event_table() {
        let events = [
            Event::Sent,
            Event::Acknowledged,
            Event::NextMessage,
            Event::Registered,
            Event::LastResponse,
            Event::NotAcknowledged,
            Event::Reset,
            Event::Unreachable,
            Event::Expired,
            Event::Cancelled,
        ];
        let table = [
            (Phase::Sending, "w.r w.r s o.n e.l e.a e.x e.u s e.c"),
            (Phase::Waiting, "w w s o.n e.l e.a e.x e.u e.t e.c"),
            (Phase::Observing, "o o s o.n e.l o o e.u s.g e.c"),
            (Phase::Ended, "e e e e e e e e e e"),
        ];
        for (phase, row) in table {
            let cells: Vec<&str> = row.split(' ').collect();
            assert_eq!(cells.len(), events.len());
            for (event, cell) in events.into_iter().zip(cells) {
                assert_eq!(name(phase.after(event)), cell, "{phase:?} × {event:?}");
            }
        }
    }

    fn name((phase, effect): (Phase, Effect)) -> String {
        let phase = match phase {
            Phase::Sending => "s",
            Phase::Waiting => "w",
            Phase::Observing => "o",
            Phase::Ended => "e",
        };
        let effect = match effect {
            Effect::Nothing => "",
            Effect::AwaitResponse => ".r",
            Effect::AwaitNotification => ".n",
            Effect::Register => ".g",
            Effect::End => ".l",
            Effect::Fail(Failure::NotAcknowledged) => ".a",
            Effect::Fail(Failure::NoResponse) => ".t",
            Effect::Fail(Failure::Reset) => ".x",
            Effect::Fail(Failure::Unreachable) => ".u",
            Effect::Fail(Failure::Cancelled) => ".c",
            Effect::Fail(other) => panic!("{other}"),
        };
        [phase, effect].concat()
    }
}
