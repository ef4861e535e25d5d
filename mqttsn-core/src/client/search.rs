//! The search for a gateway (§6.1).
//!
//! ```text
//!        wanted              time: SEARCHGW, or another's was heard
//!  Quiet ──────▶ Delayed ───────────────────────────────────────────▶ Waiting ─┐ time: SEARCHGW, and twice the time
//!    ▲              │ a gateway is known                                 │  ▲───┘
//!    └──────────────┴────────────────────────────────────────────────────┘
//! ```

/// How far a search has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search {
    /// None is under way.
    Quiet,
    /// SEARCHGW goes when a random time is over.
    Delayed,
    /// A SEARCHGW has gone, this client's or another's.
    Waiting {
        /// How many went before.
        repeated: u32,
    },
}

/// What moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SearchEvent {
    /// A gateway is wanted.
    Wanted,
    /// Another client sent the same SEARCHGW.
    Overheard,
    /// The time is over.
    Time,
    /// A gateway is known, or not wanted any more.
    Stop,
}

/// What is to be done, and then the search has come so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SearchStep {
    /// Nothing.
    Stay,
    /// Wait a random time.
    Delay,
    /// Wait for answers as if SEARCHGW had been sent.
    Wait,
    /// Send SEARCHGW and wait for answers.
    Send {
        /// How many went before.
        repeated: u32,
    },
    /// No timer any more.
    Rest,
}

impl Search {
    pub(super) const fn step(self, event: SearchEvent) -> SearchStep {
        use SearchEvent as E;
        use SearchStep as S;
        match (self, event) {
            (Self::Quiet, E::Wanted) => S::Delay,
            (Self::Delayed, E::Overheard) => S::Wait,
            (Self::Delayed, E::Time) => S::Send { repeated: 0 },
            (Self::Waiting { repeated }, E::Time) => S::Send { repeated: repeated.saturating_add(1) },
            (Self::Quiet | Self::Delayed | Self::Waiting { .. }, E::Stop) => S::Rest,
            (Self::Quiet, E::Overheard | E::Time)
            | (Self::Delayed, E::Wanted)
            | (Self::Waiting { .. }, E::Wanted | E::Overheard) => S::Stay,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn search_event_table() {
        use SearchStep as S;
        let events = [SearchEvent::Wanted, SearchEvent::Overheard, SearchEvent::Time, SearchEvent::Stop];
        let again = Search::Waiting { repeated: 4 };
        let table = [
            (Search::Quiet, [S::Delay, S::Stay, S::Stay, S::Rest]),
            (Search::Delayed, [S::Stay, S::Wait, S::Send { repeated: 0 }, S::Rest]),
            (again, [S::Stay, S::Stay, S::Send { repeated: 5 }, S::Rest]),
        ];
        for (search, row) in table {
            for (event, expected) in events.into_iter().zip(row) {
                assert_eq!(search.step(event), expected, "{search:?} × {event:?}");
            }
        }
    }
}
