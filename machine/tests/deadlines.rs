//! `Deadlines` behaves as a plain list of (key, instant) pairs would.

use machine::{Deadlines, Instant, Random};

fn at(micros: u64) -> Instant {
    Instant::from_micros(micros)
}

/// The reference: no order kept, every question answered by a search.
#[derive(Default)]
struct Model(Vec<(u8, Instant)>);

impl Model {
    fn set(&mut self, key: u8, due: Instant) {
        self.cancel(key);
        self.0.push((key, due));
    }
    fn cancel(&mut self, key: u8) -> Option<Instant> {
        let index = self.0.iter().position(|(k, _)| *k == key)?;
        Some(self.0.swap_remove(index).1)
    }
    fn next(&self) -> Option<Instant> {
        self.0.iter().map(|(_, due)| *due).min()
    }
    fn expire(&mut self, now: Instant) -> Option<u8> {
        let (_, key) = self.0.iter().map(|&(key, due)| (due, key)).filter(|(due, _)| *due <= now).min()?;
        self.cancel(key);
        Some(key)
    }
}

#[test]
fn agrees_with_a_list() {
    for seed in 0..200 {
        let mut random = Random::from_u64(seed);
        let (mut deadlines, mut model) = (Deadlines::new(), Model::default());
        for _ in 0..200 {
            let (key, due) = (random.below(12) as u8, at(random.below(40)));
            match random.below(4) {
                0 => assert_eq!(deadlines.cancel(key), model.cancel(key)),
                1 => assert_eq!(deadlines.expire(due), model.expire(due)),
                _ => {
                    deadlines.set(key, due);
                    model.set(key, due);
                    assert_eq!(deadlines.get(key), Some(due));
                }
            }
            assert_eq!(deadlines.next(), model.next());
            assert_eq!(deadlines.len(), model.0.len());
        }
    }
}

#[test]
fn a_late_tick_expires_all_in_order_of_time_then_key() {
    let mut deadlines = Deadlines::new();
    for (key, due) in [(3, 10), (1, 20), (2, 10), (4, 99)] {
        deadlines.set(key, at(due));
    }
    let expired: Vec<_> = core::iter::from_fn(|| deadlines.expire(at(50))).collect();
    assert_eq!(expired, [2, 3, 1]);
    assert_eq!(deadlines.next(), Some(at(99)));
}
