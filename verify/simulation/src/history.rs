//! What happened in a run, line by line.

use std::fmt::{Arguments, Write};

use machine::Instant;

/// The history of a run, if anybody wants it: writing it costs more than most runs.
#[derive(Clone, Debug, Default)]
pub struct History(Option<String>);

impl History {
    /// A history that is written, or one that is not.
    pub fn new(wanted: bool) -> Self {
        Self(wanted.then(String::new))
    }

    /// Adds a line.
    pub fn note(&mut self, now: Instant, what: Arguments<'_>) {
        if let Some(text) = &mut self.0 {
            // Writing to a string cannot fail.
            _ = writeln!(text, "{now:?} {what}");
        }
    }

    /// All lines; empty if nobody wanted them.
    pub fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}
