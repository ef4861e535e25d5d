//! What a program pays for its load.

use core::time::Duration;
use std::io;

use mio::Events;

use crate::clock;
use crate::process::Process;
use crate::report::Figure;

/// Load before the measurement begins, where nothing else is to be waited for.
pub(crate) const WARM_UP: Duration = Duration::from_millis(500);
/// When nothing is done for so long, something is taken to be lost.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// A load that goes on for as long as it is wanted.
pub(crate) trait Load {
    /// Asks for as much as may be under way, waits for [`PATIENCE`] at most, and takes what has come.
    fn turn(&mut self, events: &mut Events) -> io::Result<()>;

    /// What the program has done so far, in the unit of the figures.
    fn done(&self) -> u64;

    /// The warm-up is over: what was measured in it counts for nothing.
    fn begin(&mut self);

    /// What did not come, when nothing came for [`PATIENCE`].
    fn missing(&self) -> String {
        "no answer".to_owned()
    }
}

/// What was done, and with how much.
pub(crate) struct Measured {
    pub(crate) done: u64,
    cpu: Duration,
    length: Duration,
}

/// Loads a program for `length`, after a warm-up.
pub(crate) fn measure(
    load: &mut impl Load,
    program: &Process,
    warm_up: Duration,
    length: Duration,
) -> io::Result<Measured> {
    let mut events = Events::with_capacity(1024);
    work_for(load, warm_up, &mut events)?;
    load.begin();
    let (done, cpu, started) = (load.done(), program.cpu()?, clock::now());
    work_for(load, length, &mut events)?;
    let (done, length) = (load.done() - done, started.elapsed());
    Ok(Measured { done, cpu: program.cpu()?.saturating_sub(cpu), length })
}

fn work_for(load: &mut impl Load, length: Duration, events: &mut Events) -> io::Result<()> {
    let started = clock::now();
    let mut last = started;
    while started.elapsed() < length {
        let before = load.done();
        load.turn(events)?;
        if load.done() > before {
            last = clock::now();
        } else if last.elapsed() > PATIENCE {
            return Err(io::Error::new(io::ErrorKind::TimedOut, load.missing()));
        }
    }
    Ok(())
}

impl Measured {
    /// Processor time and rate, under these names.
    pub(crate) fn figures(&self, cpu: &'static str, rate: &'static str) -> Vec<Figure> {
        vec![Figure::cpu(cpu, self.cpu, self.done), Figure::rate(rate, self.done, self.length)]
    }
}
