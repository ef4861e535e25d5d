//! Laws of `mqttsn-core`'s gateway, of either kind, under arbitrary clients, servers and clocks.

mod clients;
mod config;
mod host;
mod ledger;
mod server;

use machine::Instant;
use mqttsn_core::gateway::Counters;

use self::clients::{CLIENTS, place};
use self::config::{config, seconds};
use self::host::Host;
pub use self::host::Reports;
use self::server::Server;
use crate::Source;

/// Bytes as a course of events around a gateway: clients that make sense or do not, some of them behind a forwarder, who move and
/// take each other's places; strangers and garbage; a broker, or a server that refuses, forgets, breaks off or talks nonsense; and
/// time.
///
/// After each event the gateway has said only what it may to whom it may, everything under its own topic, has acknowledged nothing
/// too early, and stayed within its limits. At the end everybody is silent, and when enough time has passed nothing is kept.
/// Returns a digest of all that came out, which is the same for the same bytes, and what the gateway counted and reported.
pub fn gateway(data: &[u8]) -> (u64, Counters, Reports) {
    let mut source = Source::new(data);
    let now = Instant::from_micros(1_000_000);
    let (real, hostile) = (source.once_in(2), source.once_in(3));
    let config = config(&mut source);
    let server = Server::new(real, now);
    let host = Host::new(config, source.byte().into(), server, hostile && !real, now);
    let mut world = World { host, places: [0, 1, 2, 5, 6] };
    while !source.is_empty() {
        world.event(&mut source);
    }
    let mut host = world.host;
    host.wind_up();
    (host.history(), *host.gateway.counters(), host.reports)
}

struct World {
    host: Host,
    /// Where the clients are.
    places: [usize; CLIENTS.len()],
}

impl World {
    fn event(&mut self, source: &mut Source<'_>) {
        match source.below(32) {
            0..=8 => self.client_says(source),
            9..=15 => self.client_answers(source),
            16..=20 => self.flow_one(source),
            21..=23 => self.flow_all(source),
            24 | 25 => self.host.server.publish(source, &mut self.host.ledger, self.host.now),
            26 => self.garbage(source),
            27 => self.places[source.below(CLIENTS.len())] = source.below(7),
            28 if source.once_in(4) && !self.host.server.connections.is_empty() => {
                let index = source.below(self.host.server.connections.len());
                self.host.close(index);
            }
            29 if source.once_in(2) => self.client_says(source),
            _ => self.pass_time(source),
        }
    }

    fn client_says(&mut self, source: &mut Source<'_>) {
        let client = source.below(CLIENTS.len());
        let at = place(self.places[client]);
        let spoilt = source.once_in(40);
        let is = self.host.connected_at(&at);
        let id = CLIENTS[client];
        let mut message = if is.is_some() || source.once_in(8) {
            clients::packet(source, id, &mut self.host.ledger, is.as_deref(), !spoilt)
        } else {
            clients::connect(source, id)
        };
        if spoilt {
            source.spoil(&mut message);
        }
        let broadcast = source.once_in(8);
        for _ in 0..source.mostly(&[1, 2]) {
            self.host.receive(&at, message.clone(), broadcast);
        }
    }

    /// Mostly the newest message is answered, and once.
    fn client_answers(&mut self, source: &mut Source<'_>) {
        let newest = self.host.got.len().wrapping_sub(1);
        let Some((at, got)) = self.host.got.get(newest.wrapping_sub(source.mostly(&[0, 1, 2, 4]))) else {
            return;
        };
        let Some(answer) = clients::answer(got, clients::code(source)) else { return };
        let at = at.clone();
        for _ in 0..source.mostly(&[1, 2]) {
            self.host.receive(&at, answer.clone(), false);
        }
    }

    fn flow_one(&mut self, source: &mut Source<'_>) {
        let connections = self.host.server.connections.len();
        if connections > 0 {
            let index = usize::from(source.byte()) % connections;
            self.host.flow(index, source);
        }
    }

    fn flow_all(&mut self, source: &mut Source<'_>) {
        for index in (0..self.host.server.connections.len()).rev() {
            self.host.flow(index, source);
        }
    }

    fn garbage(&mut self, source: &mut Source<'_>) {
        let (at, len) = (place(source.below(7)), source.below(12));
        let mut bytes = source.take(len).to_vec();
        if !source.once_in(3)
            && let Some(first) = bytes.first_mut()
        {
            *first = len as u8;
        }
        self.host.receive(&at, bytes, source.once_in(4));
    }

    fn pass_time(&mut self, source: &mut Source<'_>) {
        let later = match source.below(4) {
            0..=2 => self.host.gateway.next_deadline().unwrap_or(self.host.now),
            _ => self.host.now + seconds(source.mostly(&[1, 0, 5, 30, 100, 1000])),
        };
        // Sometimes a little early.
        let early = source.mostly(&[0, 1]);
        self.host.tick(Instant::from_micros(later.as_micros() - early));
    }
}
