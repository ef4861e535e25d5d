//! Each message is processed once (RFC 7252 §4.5).

use super::*;
use crate::message::deduplication::{Event as Happening, Reply, State};

fn post(id: u16) -> Vec<u8> {
    message(CON, Code::POST, id, 1, b"")
}

fn get(id: u16) -> Vec<u8> {
    message(CON, Code::GET, id, 1, b"")
}

fn answer(node: &mut Node, incoming: IncomingId) {
    node.layer.piggyback(incoming, body(Code::CONTENT, 1, b"0123456789")).unwrap();
}

/// Every state × event: the next state and the reply.
#[test]
fn state_event_table() {
    use Happening::{Acknowledge, Ignore, Piggyback, Reject, Repetition};
    use State::{Acknowledged, Answered, Confirmable, NonConfirmable, Rejected, Silent};
    let events = [Repetition, Acknowledge, Piggyback, Reject, Ignore];
    let stay = |state| (state, Reply::Nothing);
    #[rustfmt::skip]
    let table = [
        (Confirmable, [
            stay(Confirmable), (Acknowledged, Reply::Acknowledgement), (Answered, Reply::Answer),
            (Rejected, Reply::Reset), stay(Silent),
        ]),
        (NonConfirmable, [
            stay(NonConfirmable), stay(NonConfirmable), stay(NonConfirmable), (Silent, Reply::Reset), stay(Silent),
        ]),
        (Acknowledged, [
            (Acknowledged, Reply::Acknowledgement), stay(Acknowledged), stay(Acknowledged), stay(Acknowledged),
            stay(Acknowledged),
        ]),
        (Answered, [
            (Answered, Reply::Answer), stay(Answered), stay(Answered), stay(Answered), stay(Answered),
        ]),
        (Rejected, [
            (Rejected, Reply::Reset), stay(Rejected), stay(Rejected), stay(Rejected), stay(Rejected),
        ]),
        (Silent, [stay(Silent); 5]),
    ];
    for (state, row) in table {
        for (event, expected) in events.into_iter().zip(row) {
            assert_eq!(state.on(event), expected, "{state:?} × {event:?}");
        }
    }
}

#[test]
fn a_repetition_gets_the_same_bytes_for_exchange_lifetime_and_is_new_after_it() {
    for payload in [&b"short"[..], &[b'x'; 500]] {
        let mut node = Node::new();
        let incoming = node.request(1, &post(5));
        node.layer.piggyback(incoming, body(Code::CHANGED, 1, payload)).unwrap();
        let first = node.sent_one();
        for _ in 0..3 {
            node.wait(seconds(82.0));
            assert_eq!(node.receive(1, &post(5)), Arrival::Nothing);
            assert_eq!(node.sent_one(), first);
        }
        node.wait(seconds(0.999));
        assert_eq!(node.receive(1, &post(5)), Arrival::Nothing);
        node.wait(seconds(0.001));
        node.request(1, &post(5));
        assert_eq!(node.counters.duplicates, 4);
    }
}

#[test]
fn the_lifetime_is_kept_without_ticks_too() {
    let mut node = Node::new();
    node.request(1, &post(5));
    node.now += seconds(247.0);
    node.request(1, &post(5));
    node.wait(seconds(246.0));
    assert_eq!(node.receive(1, &post(5)), Arrival::Nothing);
}

#[test]
fn a_repetition_is_passed_over_while_the_request_is_being_processed() {
    let mut node = Node::new();
    let incoming = node.request(1, &post(5));
    assert_eq!(node.receive(1, &post(5)), Arrival::Nothing);
    assert_eq!(node.sent(), []);
    answer(&mut node, incoming);
    assert_eq!(type_of(&node.sent_one()), ACK);
}

#[test]
fn a_repeated_non_confirmable_message_is_passed_over_for_non_lifetime() {
    let mut node = Node::new();
    let datagram = message(NON, Code::GET, 5, 1, b"");
    node.request(1, &datagram);
    node.wait(seconds(144.9));
    assert_eq!(node.receive(1, &datagram), Arrival::Nothing);
    assert_eq!(node.sent(), []);
    node.wait(seconds(0.1));
    node.request(1, &datagram);
}

#[test]
fn a_repeated_response_is_told_once() {
    let mut node = Node::new();
    for message_type in [CON, NON] {
        let datagram = message(message_type, Code::CONTENT, 5 + message_type as u16, 1, b"");
        assert!(matches!(node.receive(1, &datagram), Arrival::Response { incoming: Some(_), .. }));
        assert_eq!(node.receive(1, &datagram), Arrival::Nothing);
    }
}

#[test]
fn message_ids_of_different_peers_have_nothing_to_do_with_each_other() {
    let mut node = Node::new();
    node.request(1, &post(5));
    node.request(2, &post(5));
    node.request(1, &post(6));
    assert_eq!(node.counters.duplicates, 0);
}

#[test]
fn a_message_id_used_again_with_another_token_gets_the_old_answer_and_is_counted() {
    let mut node = Node::new();
    let incoming = node.request(1, &post(5));
    answer(&mut node, incoming);
    let first = node.sent_one();
    assert_eq!(node.receive(1, &message(CON, Code::POST, 5, 2, b"")), Arrival::Nothing);
    assert_eq!(node.sent_one(), first);
    assert_eq!((node.counters.duplicates, node.counters.message_ids_reused), (1, 1));
}

#[test]
fn when_memory_is_full_the_oldest_answered_idempotent_request_is_forgotten_first() {
    for limits in [
        Limits { remembered: 4, ..Limits::default() },
        Limits { remembered_per_peer: 4, ..Limits::default() },
    ] {
        let mut node = Node::with_limits(limits);
        let order = [post(1), get(2), get(3), get(4)];
        let ids = order.map(|datagram| node.request(1, &datagram));
        // 2 is still being processed, and 4 was answered before 3.
        for incoming in [ids[0], ids[3], ids[2]] {
            answer(&mut node, incoming);
        }
        node.request(1, &post(5));
        node.request(1, &post(6));
        assert_eq!(node.counters.forgotten_early, 2);
        node.sent();
        assert_eq!(node.receive(1, &post(1)), Arrival::Nothing);
        assert_eq!(type_of(&node.sent_one()), ACK);
        assert_eq!(node.receive(1, &get(2)), Arrival::Nothing);
        // Nothing is left to forget: new messages are dropped until there is room.
        assert_eq!(node.receive(1, &get(3)), Arrival::Nothing);
        assert_eq!(node.counters.dropped_full, 1);
        assert_eq!(node.layer.remembered.len(), 4);
        node.wait(seconds(247.0));
        node.request(1, &get(3));
    }
}

#[test]
fn what_is_kept_of_one_peer_does_not_grow_at_the_cost_of_another() {
    let mut node = Node::with_limits(Limits { remembered_per_peer: 2, ..Limits::default() });
    let other = node.request(2, &get(1));
    answer(&mut node, other);
    for id in 0..50 {
        let incoming = node.request(1, &get(id));
        answer(&mut node, incoming);
    }
    node.sent();
    assert_eq!(node.receive(2, &get(1)), Arrival::Nothing);
    assert_eq!(node.sent().len(), 1);
    assert_eq!(node.counters.forgotten_early, 48);
    assert_eq!(node.layer.remembered.len(), 3);
}

#[test]
fn the_bytes_of_answers_are_bounded_and_an_answer_that_cannot_be_kept_is_sent_all_the_same() {
    let len = body(Code::CONTENT, 1, b"0123456789").len();
    let mut node = Node::with_limits(Limits { remembered_bytes: 2 * len, ..Limits::default() });
    for (id, code) in [(1, Code::GET), (2, Code::POST), (3, Code::POST), (4, Code::POST)] {
        let incoming = node.request(1, &message(CON, code, id, 1, b""));
        answer(&mut node, incoming);
    }
    assert_eq!(node.sent().len(), 4);
    assert_eq!(node.layer.remembered.bytes(), 2 * len);
    assert_eq!(node.receive(1, &post(2)), Arrival::Nothing);
    assert_eq!(node.sent().len(), 1);
    // The third POST found no room: never process it again, even if its answer is lost.
    assert_eq!(node.receive(1, &post(4)), Arrival::Nothing);
    assert_eq!(node.sent(), []);
    assert_eq!((node.counters.forgotten_early, node.counters.dropped_full), (1, 1));
    node.wait(seconds(247.0));
    assert_eq!((node.layer.remembered.len(), node.layer.remembered.bytes()), (0, 0));
}

#[test]
fn an_answer_larger_than_all_memory_costs_nobody_else_theirs() {
    let mut node = Node::with_limits(Limits { remembered_bytes: 100, ..Limits::default() });
    let incoming = node.request(1, &get(1));
    answer(&mut node, incoming);
    let large = node.request(1, &get(2));
    node.layer.piggyback(large, body(Code::CONTENT, 1, &[0; 200])).unwrap();
    assert_eq!(node.sent().len(), 2);
    assert_eq!(node.receive(1, &get(1)), Arrival::Nothing);
    assert_eq!(node.sent().len(), 1);
}
