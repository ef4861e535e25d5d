//! The loop around every operation that is measured.

use std::hint::black_box;
use std::io::{self, Write, stdout};

/// Themes whose time is of interest, too.
const STATE_MACHINES: [&str; 4] = ["qos2_round", "coap_exchange", "gateway_round", "broker_fanout"];

/// One operation, measured in a loop.
pub struct Case {
    /// What belongs into one table: `parse_mqtt`.
    pub theme: &'static str,
    /// What is done: `v5 puback`.
    pub name: String,
    /// Who does it: `ours`, `floor` or the name and version of a peer.
    pub who: &'static str,
    /// How often it is done to be measured.
    pub times: u64,
    /// How many operations one time is: the packets of a stream.
    pub operations: u64,
    operation: Box<dyn Operation>,
}

/// What is done, and what has to be laid ready for it without being measured.
trait Operation {
    fn prepare(&mut self, times: u64);
    fn run(&mut self, times: u64);
}

impl<F: FnMut(u64)> Operation for F {
    fn prepare(&mut self, _: u64) {}

    fn run(&mut self, times: u64) {
        self(times);
    }
}

struct Prepared<T, P, R> {
    ready: T,
    prepare: P,
    run: R,
}

impl<T, P: FnMut(u64) -> T, R: FnMut(&mut T, u64)> Operation for Prepared<T, P, R> {
    fn prepare(&mut self, times: u64) {
        self.ready = (self.prepare)(times);
    }

    fn run(&mut self, times: u64) {
        (self.run)(&mut self.ready, times);
    }
}

impl Case {
    /// Lays ready what the operation uses up in so many times.
    pub fn prepare(&mut self, times: u64) {
        self.operation.prepare(times);
    }

    /// Does the operation so many times, as many as were prepared.
    pub fn run(&mut self, times: u64) {
        self.operation.run(times);
    }

    /// Another number of times: where one takes long.
    #[must_use]
    pub fn times(self, times: u64) -> Self {
        Self { times, ..self }
    }

    /// All that a measurement needs to be found again.
    pub fn key(&self) -> String {
        format!("{}\t{}\t{}", self.theme, self.name, self.who)
    }
}

/// What is done to the bytes again and again.
pub fn case(
    theme: &'static str,
    name: impl Into<String>,
    who: &'static str,
    run: impl FnMut(u64) + 'static,
) -> Case {
    Case { theme, name: name.into(), who, times: 100, operations: 1, operation: Box::new(run) }
}

/// The same for an operation that uses something up.
pub fn prepared_case<T: 'static>(
    theme: &'static str,
    name: impl Into<String>,
    who: &'static str,
    mut prepare: impl FnMut(u64) -> T + 'static,
    run: impl FnMut(&mut T, u64) + 'static,
) -> Case {
    let operation = Prepared { ready: prepare(0), prepare, run };
    Case { operation: Box::new(operation), ..case(theme, name, who, |_| {}) }
}

/// The same where one time is many operations.
pub fn stream_case(
    theme: &'static str,
    name: impl Into<String>,
    who: &'static str,
    operations: usize,
    run: impl FnMut(u64) + 'static,
) -> Case {
    Case { times: 4, operations: operations as u64, ..case(theme, name, who, run) }
}

/// The operation in a loop; what comes of it is looked at by nobody the compiler knows.
#[inline(always)]
#[expect(clippy::inline_always, reason = "a call would be measured, too")]
pub fn repeat<R>(times: u64, mut operation: impl FnMut() -> R) {
    for _ in 0..times {
        let result = operation();
        black_box(&result);
    }
}

/// Under callgrind one part of the profile is one call of this function.
#[inline(never)]
pub fn measured(case: &mut Case) {
    case.run(case.times);
}

/// What a program of cases does, by its first argument: runs those whose key contains it, warm and once, in order, for
/// callgrind to count; or takes the `time` of those of state machines, natively.
///
/// # Errors
/// Standard output cannot be written to.
pub fn main(cases: impl IntoIterator<Item = Case>) -> io::Result<()> {
    let argument = std::env::args().nth(1).unwrap_or_default();
    for mut case in cases {
        if argument == "time" {
            if STATE_MACHINES.contains(&case.theme) {
                writeln!(stdout(), "{}\t{:.0}", case.key(), nanoseconds(&mut case))?;
            }
        } else if case.key().contains(&argument) {
            case.prepare(2);
            case.run(2);
            case.prepare(case.times);
            measured(&mut case);
            writeln!(stdout(), "{}\t{}", case.key(), case.times * case.operations)?;
        }
    }
    Ok(())
}

/// Allocations per operation, once everything is warm.
pub fn allocations(case: &mut Case, count: impl FnOnce(&mut dyn FnMut()) -> u64) -> f64 {
    case.prepare(case.times);
    case.run(case.times);
    case.prepare(case.times);
    let times = case.times;
    count(&mut || case.run(times)) as f64 / (times * case.operations) as f64
}

/// The fastest of several rounds.
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn nanoseconds(case: &mut Case) -> f64 {
    const ROUNDS: u32 = 30;
    let times = 1000;
    let round = |case: &mut Case| {
        case.prepare(times);
        let start = std::time::Instant::now();
        case.run(times);
        start.elapsed().as_nanos() as f64 / (times * case.operations) as f64
    };
    (0..ROUNDS).map(|_| round(case)).fold(f64::INFINITY, f64::min)
}
