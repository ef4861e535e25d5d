//! Laws of `coap-core`'s endpoint under arbitrary peers, applications and clocks.

mod application;
mod config;
mod host;
mod ledger;
mod messages;

use coap_core::Counters;
use machine::Instant;

use self::config::{config, seconds};
use self::host::Host;
pub use self::host::Reports;
use self::ledger::GROUP;
use crate::Source;

/// The endpoints' addresses are 0 and 1; the other peers' are these.
const STRANGERS: [u8; 2] = [2, 3];
/// How many of the last messages to a stranger it may answer.
const KEPT: usize = 6;

/// Bytes as a course of events around two endpoints and two other peers: requests, observations and answers of applications, datagrams
/// that are lost, late, repeated, mutated, valid or arbitrary, to one or to a group, and time.
///
/// After each event both endpoints have sent only what they may, reported only what is open, and stayed within their limits. At the end
/// everything is cancelled, and when enough time has passed nothing is kept.
/// Returns a digest of all that came out, which is the same for the same bytes, and what the endpoints counted and reported.
pub fn endpoint(data: &[u8]) -> (u64, [(Counters, Reports); 2]) {
    let mut source = Source::new(data);
    let mut world = World::new(&mut source);
    while !source.is_empty() {
        world.event(&mut source);
    }
    let [first, second] = &mut world.hosts;
    first.wind_up();
    second.wind_up();
    let counts = [first, second].map(|host| (*host.endpoint.counters(), core::mem::take(&mut host.reports)));
    let [first, second] = world.hosts.map(|host| host.history());
    (first.rotate_left(1) ^ second, counts)
}

struct World {
    hosts: [Host; 2],
    now: Instant,
    /// Between the two endpoints.
    wire: Vec<Datagram>,
    /// What the strangers got last.
    strangers: Vec<(u8, usize, Vec<u8>)>,
    /// The last Echo value that a stranger was given.
    echo: Option<Vec<u8>>,
    sequence: u32,
}

/// On its way to the host of this index.
struct Datagram {
    to: usize,
    from: u8,
    bytes: Vec<u8>,
    multicast: bool,
}

impl World {
    fn new(source: &mut Source<'_>) -> Self {
        let now = Instant::from_micros(1_000_000);
        let mut hosts = [1, 2].map(|seed| Host::new(config(source), seed ^ source.byte() << 2, now));
        for host in &mut hosts {
            for resource in application::resources() {
                host.resources.extend(host.endpoint.add_resource(resource));
            }
        }
        Self { hosts, now, wire: Vec::new(), strangers: Vec::new(), echo: None, sequence: 0 }
    }

    fn event(&mut self, source: &mut Source<'_>) {
        let what = source.byte() % 32;
        let host = source.below(2);
        match what {
            0..=8 => self.deliver(source),
            9..=13 => self.stranger_asks(source, host),
            14..=18 => self.stranger_answers(source),
            19 | 20 => application::ask(&mut self.hosts[host], source),
            21..=24 => application::answer(&mut self.hosts[host], source),
            25 | 26 => application::change(&mut self.hosts[host], source),
            27 => application::end(&mut self.hosts[host], source),
            28..=30 => self.pass_time(source, host),
            _ if source.once_in(4) => self.hosts[host].unreachable(source.below(4) as u8),
            _ => self.garbage(source, host),
        }
        self.collect(host);
        self.collect(1 - host);
    }

    /// What the endpoints have sent goes on its way.
    fn collect(&mut self, host: usize) {
        for (to, bytes) in core::mem::take(&mut self.hosts[host].sent) {
            let (multicast, other) = (to == GROUP, 1 - host);
            if multicast || usize::from(to) == other {
                let bytes = bytes.clone();
                self.wire.push(Datagram { to: other, from: host as u8, bytes, multicast });
            }
            if multicast || STRANGERS.contains(&to) {
                self.echo = application::echo_in(&bytes).or(self.echo.take());
                let to = if multicast { STRANGERS[0] } else { to };
                self.strangers.push((to, host, bytes));
                if self.strangers.len() > KEPT {
                    self.strangers.remove(0);
                }
            }
        }
    }

    /// A datagram between the endpoints arrives: mostly the first, mostly once and as it was sent.
    fn deliver(&mut self, source: &mut Source<'_>) {
        if self.wire.is_empty() {
            return;
        }
        let place = source.mostly(&[0, 1, 2, 7]) % self.wire.len();
        let Datagram { to, from, mut bytes, multicast } = self.wire.remove(place);
        if source.once_in(12) {
            return;
        }
        if source.once_in(40) {
            source.spoil(&mut bytes);
        }
        let verified = source.once_in(3);
        for _ in 0..source.mostly(&[1, 2]) {
            self.hosts[to].receive(from, &bytes, multicast, verified);
        }
    }

    fn stranger_asks(&mut self, source: &mut Source<'_>, host: usize) {
        let from = source.pick(&STRANGERS);
        let echo = self.echo.as_deref().filter(|_| source.once_in(3));
        let mut bytes = messages::request(source, echo);
        let multicast = source.once_in(8);
        if multicast && !source.once_in(4) {
            // NON
            bytes[0] |= 1 << 4;
        }
        if source.once_in(40) {
            source.spoil(&mut bytes);
        }
        let times = source.mostly(&[1, 2]);
        for _ in 0..times {
            self.hosts[host].receive(from, &bytes, multicast, source.once_in(8));
        }
    }

    fn stranger_answers(&mut self, source: &mut Source<'_>) {
        let newest = self.strangers.len().wrapping_sub(1);
        let Some((from, host, datagram)) =
            self.strangers.get(newest.wrapping_sub(source.mostly(&[0, 1, 2, 4])))
        else {
            return;
        };
        self.sequence += u32::from(!source.once_in(6));
        let mut bytes = messages::reply(source, datagram, self.sequence);
        if source.once_in(40) {
            source.spoil(&mut bytes);
        }
        for _ in 0..source.mostly(&[1, 2]) {
            self.hosts[*host].receive(*from, &bytes, false, false);
        }
    }

    fn garbage(&mut self, source: &mut Source<'_>, host: usize) {
        let len = source.below(20);
        let mut bytes = source.take(len).to_vec();
        if let Some(first) = bytes.first_mut().filter(|_| !source.once_in(4)) {
            // The version, at least.
            *first = *first & 0x3F | 0x40;
        }
        let (from, multicast) = (source.below(4) as u8, source.once_in(8));
        self.hosts[host].receive(from, &bytes, multicast, false);
    }

    fn pass_time(&mut self, source: &mut Source<'_>, host: usize) {
        let next = self.hosts[host].endpoint.next_deadline();
        let later = match source.below(4) {
            0 | 1 => next.unwrap_or(self.now),
            2 => self.now + seconds(source.mostly(&[1, 0])),
            _ => self.now + seconds(source.mostly(&[3, 20, 100, 300])),
        };
        self.now = self.now.max(later);
        for host in &mut self.hosts {
            host.now = self.now;
        }
        // Sometimes late.
        if !source.once_in(8) {
            self.hosts[host].tick(self.now);
        }
        if !source.once_in(4) {
            self.hosts[1 - host].tick(self.now);
        }
    }
}
