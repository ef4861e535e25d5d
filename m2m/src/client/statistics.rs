//! `m2m sub --stats`: how much comes, and where from.

use alloc::collections::BTreeMap;
use core::time::Duration;

use machine::Instant;

use super::report;

/// Topics that are counted apart; all further ones are one.
const TOPICS: usize = 100_000;
/// Lines of the list at the end.
const TOP: usize = 10;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    messages: u64,
    bytes: u64,
}

/// Counts of messages and of the bytes of their payloads.
pub(crate) struct Statistics {
    since: Instant,
    all: Count,
    /// The last whole second, and what had come by then.
    last: (Instant, Count),
    topics: BTreeMap<Box<str>, Count>,
    others: Count,
}

impl Statistics {
    pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

    pub(crate) fn new(now: Instant) -> Self {
        let none = Count::default();
        Self { since: now, all: none, last: (now, none), topics: BTreeMap::new(), others: none }
    }

    pub(crate) fn note(&mut self, topic: &str, bytes: usize) {
        self.all.add(bytes);
        if let Some(count) = self.topics.get_mut(topic) {
            count.add(bytes);
        } else if self.topics.len() < TOPICS {
            self.topics.entry(topic.into()).or_default().add(bytes);
        } else {
            self.others.add(bytes);
        }
    }

    /// When [`tick`](Self::tick) is due.
    pub(crate) fn due(&self) -> Instant {
        self.last.0 + Self::INTERVAL
    }

    /// Tells of the last interval.
    pub(crate) fn tick(&mut self, now: Instant) {
        let (then, before) = self.last;
        report(&format_args!("{}, {} in all", rate(self.all.since(before), now - then), self.all.messages));
        self.last = (now, self.all);
    }

    /// Tells of all.
    pub(crate) fn end(&self, now: Instant) {
        for line in self.summary(now) {
            report(&line);
        }
    }

    fn summary(&self, now: Instant) -> Vec<String> {
        let span = now - self.since;
        let Count { messages, bytes } = self.all;
        let mut lines =
            vec![format!("{messages} messages, {bytes} bytes in {span:.1?}: {}", rate(self.all, span))];
        let mut top: Vec<_> = self.topics.iter().collect();
        top.sort_by_key(|(_, count)| core::cmp::Reverse(count.messages));
        for (topic, count) in top.iter().take(TOP) {
            lines.push(format!("{:>10} messages {:>12} bytes  {topic}", count.messages, count.bytes));
        }
        let topics = top.len().saturating_sub(TOP);
        let rest = top.iter().skip(TOP).fold(self.others, |sum, (_, count)| sum.plus(**count));
        if rest.messages > 0 {
            let more = if self.others.messages > 0 { " or more" } else { "" };
            lines.push(format!(
                "{:>10} messages {:>12} bytes  on {topics}{more} other topics",
                rest.messages, rest.bytes
            ));
        }
        lines
    }
}

impl Count {
    fn add(&mut self, bytes: usize) {
        self.messages += 1;
        self.bytes += bytes as u64;
    }

    fn plus(self, other: Self) -> Self {
        Self { messages: self.messages + other.messages, bytes: self.bytes + other.bytes }
    }

    fn since(self, earlier: Self) -> Self {
        Self { messages: self.messages - earlier.messages, bytes: self.bytes - earlier.bytes }
    }
}

fn rate(count: Count, span: Duration) -> String {
    let per_second = |number: u64| u128::from(number) * 1_000_000 / span.as_micros().max(1);
    format!("{} messages/s, {} bytes/s", per_second(count.messages), per_second(count.bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_rates_and_the_busiest_topics_first() {
        let start = Instant::from_micros(5);
        let mut statistics = Statistics::new(start);
        for (topic, messages) in (0..12).map(|number| (format!("t{number:02}"), number + 1)) {
            for _ in 0..messages {
                statistics.note(&topic, 10);
            }
        }
        let lines = statistics.summary(start + Duration::from_secs(2));
        assert_eq!(lines[0], "78 messages, 780 bytes in 2.0s: 39 messages/s, 390 bytes/s");
        assert_eq!(lines[1], "        12 messages          120 bytes  t11");
        assert_eq!(lines[10], "         3 messages           30 bytes  t02");
        assert_eq!(lines[11], "         3 messages           30 bytes  on 2 other topics");
        assert_eq!(lines.len(), 12);
    }

    #[test]
    fn topics_are_bounded() {
        let mut statistics = Statistics::new(Instant::EPOCH);
        for number in 0..TOPICS + 5 {
            statistics.note(&number.to_string(), 1);
        }
        assert_eq!((statistics.topics.len(), statistics.others.messages), (TOPICS, 5));
        let lines = statistics.summary(Instant::EPOCH + Duration::from_secs(1));
        assert!(lines[11].ends_with("on 99990 or more other topics"), "{}", lines[11]);
    }
}
