//! Answers that are given later.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use coap_codec::Code;
use coap_core::{Endpoint, Refused, RequestId, Response};
use machine::Instant;

/// When an answer that there was no room for is tried again.
const AGAIN: Duration = Duration::from_secs(1);

/// By the time when they are due.
#[derive(Default)]
pub(crate) struct Waiting(BTreeMap<(Instant, RequestId), Response>);

impl Waiting {
    /// Answers now, or as soon as there is room for it.
    pub(crate) fn answer<P: Copy + Ord + Debug>(
        &mut self,
        id: RequestId,
        response: Response,
        endpoint: &mut Endpoint<P>,
        now: Instant,
    ) {
        // What came in CON can always be answered: only what cannot ride on an acknowledgement may have to wait.
        match endpoint.respond(id, response.clone(), now) {
            Err(Refused::Full | Refused::NoMessageId) => self.add(id, response, now + AGAIN),
            Err(Refused::TooLarge | Refused::OptionTooLong) => {
                _ = endpoint.respond(id, Response::new(Code::INTERNAL_SERVER_ERROR), now);
            }
            _ => {}
        }
    }

    pub(crate) fn add(&mut self, id: RequestId, response: Response, at: Instant) {
        self.0.insert((at, id), response);
    }

    /// Whether it was waiting.
    pub(crate) fn cancel(&mut self, id: RequestId) -> bool {
        let before = self.0.len();
        self.0.retain(|(_, waiting), _| *waiting != id);
        self.0.len() < before
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn tick<P: Copy + Ord + Debug>(&mut self, endpoint: &mut Endpoint<P>, now: Instant) {
        while let Some(first) = self.0.first_entry().filter(|first| first.key().0 <= now) {
            let ((_, id), response) = first.remove_entry();
            self.answer(id, response, endpoint, now);
        }
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.0.keys().next().map(|(at, _)| *at)
    }
}
