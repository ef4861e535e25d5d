//! `m2m sn sleep`.

use clap::Args;

use super::failure::Failure;
use super::subscribe::{Plan, Subscriber, SubscriberArguments};

/// What `m2m sn sleep` takes.
#[derive(Args, Debug)]
pub(crate) struct SleepArguments {
    #[command(flatten)]
    common: SubscriberArguments,
    /// How long it sleeps at a time, in seconds. It wakes when seven eighths of them are over.
    #[arg(short = 'e', long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(1..))]
    sleep: u16,
    /// End after it has woken so many times.
    #[arg(long, value_name = "TIMES", value_parser = clap::value_parser!(u32).range(1..))]
    naps: Option<u32>,
}

impl SleepArguments {
    pub(super) fn debug(&self) -> u8 {
        self.common.debug()
    }
}

/// Sleeps and wakes until there were enough messages, or a signal ends it.
pub(super) async fn run(arguments: SleepArguments) -> Result<(), Failure> {
    // Each time that it falls asleep again, it has woken once more.
    let naps = arguments.naps;
    Subscriber::new(arguments.common, Plan::Asleep(arguments.sleep, naps))?.run().await
}
