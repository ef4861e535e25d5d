//! Everything is bounded, and nothing is left when it is over.

use super::*;

#[test]
fn at_the_limit_of_peers_the_longest_silent_one_gives_way_if_it_loses_nothing_that_matters() {
    let mut node = Node::with_limits(Limits { peers: 3, ..Limits::default() });
    let post = node.request(1, &message(CON, Code::POST, 1, 1, b""));
    node.layer.acknowledge(post, node.now);
    for peer in [2, 3] {
        let incoming = node.request(peer, &message(CON, Code::GET, 1, 1, b""));
        node.layer.piggyback(incoming, body(Code::CONTENT, 1, b"")).unwrap();
    }
    node.send_ok(3, CON_REQUEST);
    node.request(4, &message(CON, Code::POST, 1, 1, b""));
    assert_eq!((node.counters.forgotten_early, node.layer.peers.len()), (1, 3));
    node.receive(5, &message(CON, Code::GET, 1, 1, b""));
    assert_eq!(node.counters.dropped_full, 1);
    assert_eq!(node.send(5, body(Code::GET, 1, b""), CON_REQUEST), Err(Refused::Full));
    node.sent();
    assert_eq!(node.receive(1, &message(CON, Code::POST, 1, 1, b"")), Arrival::Nothing);
    assert_eq!(node.sent_one(), empty(ACK, 1));
}

#[test]
fn peers_that_cannot_be_forgotten_do_not_hide_those_that_can() {
    let mut node = Node::with_limits(Limits { peers: 100, ..Limits::default() });
    for peer in 0..90 {
        node.request(peer, &message(CON, Code::POST, 1, 1, b""));
    }
    for peer in 90..100 {
        node.request(peer, &message(NON, Code::GET, 1, 1, b""));
    }
    let tries = (0..10)
        .filter(|_| node.receive(200, &message(CON, Code::GET, 1, 1, b"")) != Arrival::Nothing)
        .count();
    assert_eq!((tries, node.layer.peers.len()), (1, 100));
    assert_eq!(node.counters.forgotten_early, 1);
}

#[test]
fn without_room_for_anything_everything_is_refused_and_nothing_panics() {
    let limits = Limits {
        peers: 0,
        queued_per_peer: 0,
        outgoing: 0,
        remembered: 0,
        remembered_per_peer: 0,
        remembered_bytes: 0,
        rejections_per_second: 0,
        ..Limits::default()
    };
    for limits in [limits, Limits { peers: 1, ..limits }, Limits { peers: 1, remembered: 1, ..limits }] {
        let mut node = Node::with_limits(limits);
        assert_eq!(node.send(1, body(Code::GET, 1, b""), CON_REQUEST), Err(Refused::Full));
        assert_eq!(node.receive(1, &message(CON, Code::GET, 1, 1, b"")), Arrival::Nothing);
        assert_eq!(node.counters.dropped_full, 1);
        node.wait(seconds(300.0));
        assert_eq!(node.layer.next_deadline(), None);
    }
}

#[test]
fn an_unreachable_peer_ends_all_that_is_under_way_to_it_and_nothing_else() {
    let mut node = Node::new();
    let mut ids = Vec::new();
    ids.push(node.send_ok(1, NON_NOTIFICATION));
    ids.push(node.send_ok(1, CON_REQUEST));
    ids.push(node.send_ok(1, CON_REQUEST));
    let how = Send { not_before: Some(node.now + seconds(9.0)), ..NON_RESPONSE };
    ids.push(node.send(1, body(Code::CONTENT, 1, b""), how).unwrap());
    let other = node.send_ok(2, CON_REQUEST);
    node.sent();
    node.outcomes();
    node.layer.unreachable(1, node.now);
    node.layer.unreachable(3, node.now);
    let expected: Vec<_> = ids.into_iter().map(Event::Unreachable).collect();
    assert_eq!(node.outcomes(), expected);
    node.wait(seconds(93.0));
    assert_eq!(node.outcomes(), [Event::TimedOut(other)]);
    assert!(node.sent().iter().all(|&(to, _)| to == 2));
    // The peer is served again as soon as there is something for it.
    node.send_ok(1, CON_REQUEST);
    assert_eq!(node.sent().len(), 1);
}

#[test]
fn nothing_is_left_when_all_lifetimes_are_over() {
    let mut node = Node::new();
    for peer in 0..50 {
        for how in [CON_REQUEST, NON_REQUEST, CON_RESPONSE, NON_NOTIFICATION] {
            node.send_ok(peer, how);
        }
        for (id, message_type) in [(1, CON), (2, NON)] {
            node.request(peer, &message(message_type, Code::POST, id, 1, b""));
        }
    }
    node.wait(seconds(1000.0));
    assert_eq!(node.layer.next_deadline(), None);
    assert_eq!((node.layer.peers.len(), node.layer.remembered.len()), (0, 0));
    assert_eq!(node.layer.messages.table.len(), 0);
}

#[test]
fn early_and_repeated_ticks_are_harmless() {
    let run = |extra: usize| {
        let mut node = Node::new();
        node.send_ok(1, CON_REQUEST);
        node.send_ok(1, NON_REQUEST);
        let mut log = Vec::new();
        for _ in 0..4000 {
            node.now += seconds(0.05);
            for _ in 0..=extra {
                node.tick();
            }
            log.push((node.sent(), node.events()));
        }
        log
    };
    assert_eq!(run(0), run(3));
}
