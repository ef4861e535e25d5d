//! Laws of `mqttsn-core`'s client under arbitrary gateways, applications and clocks.

mod application;
mod config;
mod host;
mod ledger;
mod messages;

use machine::Instant;
use mqttsn_core::client::Counters;

use self::config::{config, seconds};
use self::host::Host;
pub use self::host::Reports;
use crate::Source;

/// Nobody that the client knows of.
const STRANGERS: [u8; 2] = [7, 3];

/// Bytes as a course of events around a client: wishes of its application, datagrams of gateways that answer, of gateways that
/// do not make sense, of strangers, mutated and arbitrary ones, and time.
///
/// After each event the client has sent only what it may, to gateways that it was told of, reported only what is open, and stayed
/// within its limits. At the end the gateways do what they should, and everything that was asked for comes to its end.
/// Returns a digest of all that came out, which is the same for the same bytes, and what the client counted and reported.
pub fn client(data: &[u8]) -> (u64, Counters, Reports) {
    let mut source = Source::new(data);
    let config = config(&mut source);
    let mut host = Host::new(config, source.byte().into(), Instant::from_micros(1_000_000));
    while !source.is_empty() {
        event(&mut host, &mut source);
    }
    host.wind_up();
    (host.history(), host.client.counters(), host.reports)
}

fn event(host: &mut Host, source: &mut Source<'_>) {
    match source.below(32) {
        0..=11 => answer(host, source),
        12..=16 => {
            let message = messages::any(source);
            receive(host, source, message);
        }
        17 if source.once_in(4) => flood(host, source),
        17 => {
            let len = source.below(12);
            let garbage = source.take(len).to_vec();
            receive(host, source, garbage);
        }
        18..=24 => application::wish(host, source),
        _ => pass_time(host, source),
    }
}

/// A gateway answers, mostly the last message and mostly once.
fn answer(host: &mut Host, source: &mut Source<'_>) {
    let newest = host.sent.len().wrapping_sub(1);
    let Some((to, sent)) = host.sent.get(newest.wrapping_sub(source.mostly(&[0, 1, 2, 4]))) else { return };
    let topic_id = source.once_in(6).then(|| u16::from(source.byte()) % 4);
    let Some(mut answer) = messages::answer(sent, messages::code(source), topic_id) else { return };
    let from = if *to == 0 { source.pick(&[1, 2, 4, 5]) } else { *to };
    if source.once_in(30) {
        source.spoil(&mut answer);
    }
    for _ in 0..source.mostly(&[1, 2]) {
        host.receive(from, &answer);
    }
}

/// A message that was not asked for, mostly of the gateway.
fn receive(host: &mut Host, source: &mut Source<'_>, mut message: Vec<u8>) {
    let gateway = host.client.gateway().copied();
    let from = gateway.filter(|_| !source.once_in(8)).unwrap_or_else(|| source.pick(&STRANGERS));
    if source.once_in(30) {
        source.spoil(&mut message);
    }
    for _ in 0..source.mostly(&[1, 2]) {
        host.receive(from, &message);
    }
}

/// More messages than the client remembers, and none of them is released.
fn flood(host: &mut Host, source: &mut Source<'_>) {
    let first = source.byte().into();
    for number in first..first + 20 {
        host.receive_from_gateway(&messages::exactly_once(number));
    }
}

fn pass_time(host: &mut Host, source: &mut Source<'_>) {
    let later = match source.below(4) {
        0..=2 => host.client.next_deadline().unwrap_or(host.now),
        _ => host.now + seconds(source.mostly(&[1, 0, 5, 20, 400, 100_000])),
    };
    // Sometimes a little early.
    let early = source.mostly(&[0, 1]);
    host.tick(Instant::from_micros(later.as_micros() - early));
}
