//! Laws of `mqtt-core`'s broker under arbitrary clients, hosts and clocks.

mod config;
mod host;
mod packets;
mod peer;
mod pieces;

use machine::Instant;
use mqtt_codec::{Properties, Property, QoS, ReasonCode};
use mqtt_core::{Admission, Answer, Counters, Input, Publication, RecordNumber, Refused};

use self::config::{LONGEST_SESSION, config, seconds};
use self::host::Host;
pub use self::pieces::pieces;
use crate::Source;

/// Bytes as a course of events: connections, valid, broken and arbitrary packets in any fragments, slow readers, answers,
/// time, reconfiguration, crashes.
///
/// After each event the host has been told only what it can know (no action is about a connection that is gone, output
/// is announced exactly when there is some, connections are closed once, records have no gaps), what left is packets that
/// the client accepts, and memory is within its limit. At the end every connection is closed, and once all sessions have
/// expired nothing is kept but retained messages.
/// Returns a digest of all that came out, which is the same for the same bytes, and what the broker counted.
pub fn broker(data: &[u8]) -> (u64, Counters) {
    let mut source = Source::new(data);
    let mut host = Host::new(config(&mut source), source.byte());
    while !source.is_empty() {
        event(&mut host, &mut source);
    }
    end(&mut host);
    (host.history(), *host.broker.counters())
}

fn event(host: &mut Host, source: &mut Source<'_>) {
    let what = source.byte();
    if host.peers.is_empty() {
        host.open();
        return;
    }
    let peer = source.below(host.peers.len());
    match what % 32 {
        0..=14 => send(host, source, peer),
        15..=18 => host.write(peer, source.mostly(&[usize::MAX, 0, 1, 7, 1500])),
        19..=21 => answer(host, source, peer),
        22 => host.close(peer),
        23 | 24 => host.open(),
        25 | 26 => pass_time(host, source),
        27 => publish(host, source),
        28 => {
            let up_to = RecordNumber(host.recorded.saturating_sub(u64::from(source.byte() % 4)));
            host.handle(Input::Durable { up_to });
        }
        29 => disturb(host, source),
        30 => {
            let connection = host.peers[peer].id;
            if source.once_in(4) {
                assert_eq!(host.broker.disconnect(connection, error(source), host.now), Ok(()));
                host.settle();
            }
        }
        _ => {
            if host.broker.config().durable && source.once_in(4) {
                let lost = usize::from(source.byte() % 4);
                host.restart(host.records.len().saturating_sub(lost));
            }
        }
    }
}

/// A connection sends something: mostly valid packets, once in a while with a few bytes changed, or anything at all.
fn send(host: &mut Host, source: &mut Source<'_>, peer: usize) {
    let mut bytes = Vec::new();
    let client = &mut host.peers[peer];
    if !client.said_connect && !source.once_in(16) {
        (client.speaks, bytes) = packets::connect(source);
        client.said_connect = true;
    }
    if !source.once_in(8) {
        bytes.append(&mut client.replies);
    }
    for _ in 0..source.mostly(&[1, 0, 2, 5]) {
        bytes.extend(packets::packet(source, client.speaks));
    }
    if source.once_in(32) {
        bytes = bytes.repeat(source.below(50));
    }
    if source.once_in(40) && !bytes.is_empty() {
        for _ in 0..=source.below(3) {
            let at = usize::from(source.u16()) % bytes.len();
            bytes[at] = source.byte();
        }
    }
    if source.once_in(40) {
        let len = source.below(20);
        bytes.extend_from_slice(source.take(len));
    }
    if source.once_in(40) {
        bytes.truncate(bytes.len() / 2);
    }
    let size = source.mostly(&[usize::MAX, 1, 3, 100]);
    let patient = !source.once_in(4);
    for piece in bytes.chunks(size) {
        host.receive(peer, piece, patient);
    }
}

fn answer(host: &mut Host, source: &mut Source<'_>, peer: usize) {
    let questions = &host.peers[peer].questions;
    let Some(question) = questions.get(source.below(2)).or(questions.first()) else { return };
    let question = *question;
    let admission = Admission {
        checks: config::checks(source),
        authentication_data: source.once_in(4).then(|| Box::from(&b"last"[..])),
    };
    let answer = match source.below(16) {
        0..=9 if question.about_connection => Answer::Admit(admission),
        0..=10 => Answer::Allow,
        11 => Answer::Admit(admission),
        12 | 13 => Answer::Continue(Box::from(&b"next"[..])),
        _ => Answer::Deny(error(source)),
    };
    host.answer(question.id, answer);
}

/// Any reason code that is an error, whether or not the standard knows it.
fn error(source: &mut Source<'_>) -> ReasonCode {
    ReasonCode::new(0x80 + source.byte() % 0x40)
}

fn pass_time(host: &mut Host, source: &mut Source<'_>) {
    let later = match source.below(4) {
        0 => host.broker.next_deadline().unwrap_or(host.now),
        1 => host.now,
        2 => host.now + seconds(1),
        _ => host.now + seconds(source.mostly(&[0, 3, 20, 200])),
    };
    host.tick(later);
}

fn publish(host: &mut Host, source: &mut Source<'_>) {
    let properties = [Property::MessageExpiryInterval(2), Property::UserProperty("from", "host")];
    let topic = if source.once_in(8) { "not/a/+" } else { source.pick(&packets::TOPICS) };
    let publication = Publication {
        topic,
        qos: source.pick(&[QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce]),
        retain: source.once_in(3),
        properties: Properties::list(&properties[..source.below(3)]),
        payload: &[b'x'; 2000][..source.mostly(&[10, 0, 1024, 2000])],
    };
    let published = host.broker.publish(&publication, host.now);
    assert!(published != Err(Refused::InvalidTopic) || topic.contains('+') || topic.contains('/'));
    assert!(matches!(published, Ok(()) | Err(Refused::InvalidTopic | Refused::Full)));
    host.settle();
}

/// What a host may do by mistake, or too late.
fn disturb(host: &mut Host, source: &mut Source<'_>) {
    let what = source.below(6);
    let peer = &host.peers[source.below(host.peers.len())];
    let (connection, number) = (peer.id, usize::from(source.byte()));
    let gone = host.gone.get(number % host.gone.len().max(1)).copied();
    let question = host.old_questions.get(number % host.old_questions.len().max(1)).copied();
    match (what, gone, question) {
        (0, Some(connection), _) => {
            let bytes = b"\x10\x00";
            assert_eq!(host.broker.handle(Input::Bytes { connection, bytes }, host.now), bytes.len());
            assert_eq!(
                host.broker.disconnect(connection, error(source), host.now),
                Err(Refused::NoConnection)
            );
            host.settle();
        }
        (1, Some(connection), _) => host.handle(Input::Sent { connection, bytes: number }),
        (2, Some(connection), _) => host.handle(Input::Closed { connection }),
        (3, _, Some(question)) => host.handle(Input::Answer { question, answer: Answer::Allow }),
        (4, ..) => {
            host.handle(Input::Bytes { connection, bytes: &[] });
            host.handle(Input::Durable { up_to: RecordNumber(u64::MAX) });
        }
        _ => {
            let durable = host.broker.config().durable;
            let mut config = config(source);
            config.durable = durable;
            host.reconfigure(config);
        }
    }
}

/// The broker shuts down, and what it keeps is let expire.
fn end(host: &mut Host) {
    host.handle(Input::Durable { up_to: RecordNumber(u64::MAX) });
    host.broker.shutdown(host.now);
    host.settle();
    assert_eq!(host.broker.open(host.now), Err(Refused::ShuttingDown));
    while let Some(peer) = host.peers.len().checked_sub(1) {
        assert!(host.peers[peer].closing, "shutting down closes every connection");
        while host.peers[peer].announced {
            host.write(peer, usize::MAX);
            host.handle(Input::Durable { up_to: RecordNumber(u64::MAX) });
        }
        assert!(host.peers[peer].has_whole_packets(), "output ends within a packet");
        host.close(peer);
    }
    // They share the broker's messages.
    host.records.clear();
    let end = host.now + seconds(u64::from(LONGEST_SESSION) + 1);
    for now in [host.now, end, end + seconds(10_000)] {
        host.tick(now);
    }
    host.records.clear();
    let gauges = host.gauges();
    assert_eq!((gauges.connections, gauges.clients, gauges.sessions, gauges.subscriptions), (0, 0, 0, 0));
    assert_eq!(gauges.messages, gauges.retained, "a message is kept that nobody waits for");
    assert_eq!(gauges.memory == 0, gauges.messages == 0, "{gauges:?}");
    host.tick(Instant::from_micros(u64::MAX / 2));
}
