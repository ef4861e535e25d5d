//! A network for datagrams: loss, bursts of loss, delay, reordering, duplicates and partitions, for each direction by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::time::Duration;

use machine::{Instant, Random};

use crate::agenda::Agenda;

/// What tells the ends of a network apart; some name groups.
pub trait Address: Copy + Ord + Debug {}

impl<A: Copy + Ord + Debug> Address for A {}

/// What becomes of the datagrams of one direction.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// The shortest and longest time that a datagram travels as a rule. Those that are under way together may overtake each other.
    pub latency: (Duration, Duration),
    /// Of a thousand datagrams, so many are late.
    pub late_per_mille: u64,
    /// How much later than others they are, at most.
    pub lateness: Duration,
    /// Of a thousand datagrams, so many are lost.
    pub loss_per_mille: u64,
    /// Of a thousand datagrams, so many begin a burst: they are lost, and all that are sent soon after.
    pub burst_per_mille: u64,
    /// How long a burst lasts, at most.
    pub burst: Duration,
    /// Of a thousand datagrams, so many arrive twice, each at its own time.
    pub twice_per_mille: u64,
}

impl Weather {
    /// Nothing goes wrong.
    pub const FAIR: Self = Self {
        latency: (Duration::from_millis(1), Duration::from_millis(1)),
        late_per_mille: 0,
        lateness: Duration::ZERO,
        loss_per_mille: 0,
        burst_per_mille: 0,
        burst: Duration::ZERO,
        twice_per_mille: 0,
    };
}

/// A datagram that arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival<A> {
    /// Who sent it.
    pub from: A,
    /// To whom: a group, or the receiver.
    pub to: A,
    /// Who gets it.
    pub receiver: A,
    /// The datagram.
    pub bytes: Vec<u8>,
}

impl<A: Address> Arrival<A> {
    /// Whether it was sent to a group.
    pub fn is_multicast(&self) -> bool {
        self.to != self.receiver
    }
}

/// What became of all datagrams so far, each receiver of a group counted by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// Sent.
    pub sent: u64,
    /// Lost one by one, or in bursts.
    pub lost: u64,
    /// Sent where a partition is.
    pub cut: u64,
    /// Sent once, arriving twice.
    pub doubled: u64,
    /// Sent before one that arrives earlier.
    pub overtaken: u64,
}

/// All ends, and what is under way between them.
#[derive(Debug)]
pub struct Network<A> {
    weather: Weather,
    random: Random,
    directions: BTreeMap<(A, A), Direction>,
    cut: BTreeSet<(A, A)>,
    groups: BTreeMap<A, BTreeSet<A>>,
    agenda: Agenda<Arrival<A>>,
    fates: Fates,
}

#[derive(Debug, Default)]
struct Direction {
    /// If it has weather of its own.
    weather: Option<Weather>,
    burst_until: Option<Instant>,
    latest_arrival: Option<Instant>,
}

impl<A: Address> Network<A> {
    /// With the same weather everywhere.
    pub fn new(weather: Weather, random: Random) -> Self {
        Self {
            weather,
            random,
            directions: BTreeMap::new(),
            cut: BTreeSet::new(),
            groups: BTreeMap::new(),
            agenda: Agenda::default(),
            fates: Fates::default(),
        }
    }

    /// A direction has weather of its own.
    pub fn set_weather(&mut self, from: A, to: A, weather: Weather) {
        self.directions.entry((from, to)).or_default().weather = Some(weather);
    }

    /// There is a group with this address, without members as yet.
    pub fn found(&mut self, group: A) {
        self.groups.entry(group).or_default();
    }

    /// What is sent to the group reaches this end too, unless it sent it.
    pub fn join(&mut self, group: A, member: A) {
        self.groups.entry(group).or_default().insert(member);
    }

    /// From now on nothing passes in this direction; what is under way arrives.
    pub fn cut(&mut self, from: A, to: A) {
        self.cut.insert((from, to));
    }

    /// The direction is open again.
    pub fn mend(&mut self, from: A, to: A) {
        self.cut.remove(&(from, to));
    }

    /// Nothing is cut, and the weather is the same everywhere. What is under way arrives as it would have.
    pub fn calm(&mut self, weather: Weather) {
        self.weather = weather;
        self.directions.clear();
        self.cut.clear();
    }

    /// Sends a datagram to an end or to a group.
    pub fn send(&mut self, from: A, to: A, bytes: &[u8], now: Instant) {
        let Some(members) = self.groups.get(&to) else { return self.carry(from, to, to, bytes, now) };
        let members: Vec<A> = members.iter().copied().filter(|member| *member != from).collect();
        for receiver in members {
            self.carry(from, to, receiver, bytes, now);
        }
    }

    /// When something arrives next.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.agenda.next_deadline()
    }

    /// What has arrived.
    pub fn poll(&mut self, now: Instant) -> Option<Arrival<A>> {
        self.agenda.pop(now)
    }

    /// What became of all datagrams.
    pub fn fates(&self) -> &Fates {
        &self.fates
    }

    fn carry(&mut self, from: A, to: A, receiver: A, bytes: &[u8], now: Instant) {
        self.fates.sent += 1;
        if self.cut.contains(&(from, receiver)) {
            self.fates.cut += 1;
            return;
        }
        let direction = self.directions.entry((from, receiver)).or_default();
        let weather = direction.weather.unwrap_or(self.weather);
        let random = &mut self.random;
        if random.chance(weather.burst_per_mille, 1000) {
            direction.burst_until = Some(now + random.between(Duration::ZERO, weather.burst));
        }
        let in_burst = direction.burst_until.is_some_and(|until| now <= until);
        if in_burst || random.chance(weather.loss_per_mille, 1000) {
            self.fates.lost += 1;
            return;
        }
        let copies = if random.chance(weather.twice_per_mille, 1000) { 2 } else { 1 };
        self.fates.doubled += copies - 1;
        for _ in 0..copies {
            let late = random.chance(weather.late_per_mille, 1000);
            let extra = if late { random.between(Duration::ZERO, weather.lateness) } else { Duration::ZERO };
            let at = now + random.between(weather.latency.0, weather.latency.1) + extra;
            self.fates.overtaken += u64::from(direction.latest_arrival.is_some_and(|latest| latest > at));
            direction.latest_arrival = direction.latest_arrival.max(Some(at));
            self.agenda.schedule(at, Arrival { from, to, receiver, bytes: bytes.to_vec() });
        }
    }
}
