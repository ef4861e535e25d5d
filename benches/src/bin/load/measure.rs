//! What a program pays for its load.

use core::time::Duration;
use std::io;

use crate::clock;
use crate::process::Process;
use crate::report::Figure;

/// A load that goes on for as long as it is wanted.
pub(crate) trait Load {
    /// Loads the program for so long.
    fn work_for(&mut self, length: Duration) -> io::Result<()>;

    /// What the program has done so far, in the unit of the figures.
    fn done(&self) -> u64;

    /// The warm-up is over: what was measured in it counts for nothing.
    fn begin(&mut self);
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
    load.work_for(warm_up)?;
    load.begin();
    let (done, cpu, started) = (load.done(), program.cpu()?, clock::now());
    load.work_for(length)?;
    let (done, length) = (load.done() - done, started.elapsed());
    Ok(Measured { done, cpu: program.cpu()?.saturating_sub(cpu), length })
}

impl Measured {
    /// Processor time and rate, under these names.
    pub(crate) fn figures(&self, cpu: &'static str, rate: &'static str) -> Vec<Figure> {
        vec![Figure::cpu(cpu, self.cpu, self.done), Figure::rate(rate, self.done, self.length)]
    }
}
