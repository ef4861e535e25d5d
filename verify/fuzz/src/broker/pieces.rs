use machine::Instant;
use mqtt_core::{Action, Broker, CloseReason, Config, Counters, Gauges, Input};

use crate::source::{Source, cut};

/// Bytes from one client: the broker does and says the same however they are cut into pieces.
/// Returns whether the client was let in.
pub fn pieces(data: &[u8]) -> bool {
    let mut source = Source::new(data);
    let sizes = source.take(4);
    let bytes = source.rest();
    let whole = Outcome::of(core::iter::once(bytes));
    assert_eq!(Outcome::of(bytes.chunks(1)), whole);
    assert_eq!(Outcome::of(cut(bytes, sizes)), whole);
    whole.counters.connects_accepted > 0
}

#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    output: Vec<u8>,
    end: Option<CloseReason>,
    counters: Counters,
    gauges: Gauges,
}

impl Outcome {
    fn of<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Self {
        // With a limit to its output the client might be made to wait in one case and not in the other.
        let config = Config { output_high_water: usize::MAX, ..Config::default() };
        let now = Instant::EPOCH;
        let mut broker = Broker::new(config, [1; 32], now);
        let connection = broker.open(now).expect("room for one");
        let (mut output, mut end) = (Vec::new(), None);
        for bytes in pieces {
            assert_eq!(broker.handle(Input::Bytes { connection, bytes }, now), bytes.len());
            while let Some(action) = broker.poll_action() {
                if let Action::Close { reason, .. } = action {
                    assert_eq!(end, None);
                    end = Some(reason);
                }
            }
            output.extend(broker.output(connection).flatten());
            broker.handle(Input::Sent { connection, bytes: usize::MAX }, now);
        }
        let gauges = broker.gauges();
        // What comes after the end is not always counted, and what has come in part takes the memory that it takes.
        let counters = Counters { bytes_received: 0, ..*broker.counters() };
        let gauges = Gauges { memory: if end.is_some() { gauges.memory } else { 0 }, ..gauges };
        Self { output, end, counters, gauges }
    }
}
