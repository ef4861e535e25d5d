use machine::{Deadlines, Instant, Random};

/// A retransmission timer with a random back-off, as every core has one.
#[unsafe(no_mangle)]
pub fn no_std_machine(timers: &mut Deadlines<u16>, random: &mut Random, now: Instant) -> Option<Instant> {
    while let Some(key) = timers.expire(now) {
        let wait = random.between(core::time::Duration::from_secs(2), core::time::Duration::from_secs(3));
        timers.set(key, now + wait);
    }
    timers.next()
}
