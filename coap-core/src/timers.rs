//! Timers of the slots of a table.

use alloc::vec::Vec;

use machine::Instant;

const NONE: u32 = u32::MAX;

/// The first of two times, where there are any.
#[inline(never)]
pub(crate) fn earlier(a: Option<Instant>, b: Option<Instant>) -> Option<Instant> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// At most one time for each slot: a heap that knows where each slot stands, so that a timer can be moved and stopped.
///
/// `machine::Deadlines` without its trees: a timer is started and stopped with every exchange.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    /// The parent of `i` is `(i - 1) / 2`, and not later.
    heap: Vec<(Instant, u32)>,
    /// By slot: where it is in the heap.
    places: Vec<u32>,
}

impl Timers {
    /// The earliest time.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.first().map(|&(at, _)| at)
    }

    /// Starts the timer of a slot, or moves it.
    pub(crate) fn set(&mut self, slot: u32, at: Instant) {
        if self.places.len() <= slot as usize {
            self.grow(slot);
        }
        let place = match self.places[slot as usize] {
            NONE => {
                self.heap.push((at, slot));
                self.heap.len() - 1
            }
            place => {
                self.heap[place as usize].0 = at;
                place as usize
            }
        };
        self.settle(place);
    }

    /// Stops the timer of a slot.
    pub(crate) fn cancel(&mut self, slot: u32) {
        let Some(&place) = self.places.get(slot as usize) else { return };
        if place == NONE {
            return;
        }
        self.places[slot as usize] = NONE;
        self.heap.swap_remove(place as usize);
        if (place as usize) < self.heap.len() {
            self.settle(place as usize);
        }
    }

    /// Takes out a slot whose time is at or before `now`, the earliest first, and of those the lowest slot.
    pub(crate) fn expire(&mut self, now: Instant) -> Option<u32> {
        let &(_, slot) = self.heap.first().filter(|(at, _)| *at <= now)?;
        self.cancel(slot);
        Some(slot)
    }

    #[cold]
    fn grow(&mut self, slot: u32) {
        self.places.resize(slot as usize + 1, NONE);
    }

    /// Moves what stands at a place to where it belongs.
    fn settle(&mut self, mut place: usize) {
        let moving = self.heap[place];
        while place > 0 && moving < self.heap[(place - 1) / 2] {
            self.put(place, self.heap[(place - 1) / 2]);
            place = (place - 1) / 2;
        }
        loop {
            let left = 2 * place + 1;
            let Some(&first) = self.heap.get(left) else { break };
            let (child, earliest) = match self.heap.get(left + 1) {
                Some(&second) if second < first => (left + 1, second),
                _ => (left, first),
            };
            if moving <= earliest {
                break;
            }
            self.put(place, earliest);
            place = child;
        }
        self.put(place, moving);
    }

    fn put(&mut self, place: usize, entry: (Instant, u32)) {
        self.heap[place] = entry;
        self.places[entry.1 as usize] = place as u32;
    }
}
