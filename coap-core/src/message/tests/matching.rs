//! What acknowledgements and Resets belong to (RFC 7252 §4.4, §5.3.2).

use super::*;

#[test]
fn the_source_must_be_the_destination_and_the_message_id_the_same() {
    for message_type in [ACK, RST] {
        let mut node = Node::new();
        let id = node.send_ok(1, CON_REQUEST);
        let message_id = id_of(&node.sent_one());
        node.receive(2, &empty(message_type, message_id));
        node.receive(1, &empty(message_type, message_id.wrapping_add(1)));
        assert_eq!((node.sent(), node.outcomes()), (Vec::new(), Vec::new()));
        assert_eq!(node.counters.unmatched, 2);
        assert_eq!(node.receive(2, &message(ACK, Code::CONTENT, message_id, 1, b"")), Arrival::Nothing);
        node.receive(1, &empty(message_type, message_id));
        let expected = if message_type == ACK { Event::Acknowledged(id) } else { Event::Reset(id) };
        assert_eq!(node.outcomes(), [expected]);
        node.receive(1, &empty(message_type, message_id));
        assert_eq!((node.counters.unmatched, node.outcomes()), (4, Vec::new()));
    }
}

#[test]
fn the_repetitions_go_on_after_a_piggybacked_response_whose_token_does_not_fit() {
    let mut node = Node::new();
    let id = node.send_ok(1, CON_REQUEST);
    let request = node.sent_one();
    let wrong = message(ACK, Code::CONTENT, id_of(&request), 99, b"");
    let expected = Arrival::Response { acknowledges: Some(id), incoming: None, confirmable: false };
    assert_eq!(node.receive(1, &wrong), expected);
    node.wait(seconds(3.0));
    assert_eq!(node.sent_one(), request);
    assert_eq!(node.receive(1, &message(ACK, Code::CONTENT, id_of(&request), 1, b"")), expected);
}

#[test]
fn a_separate_response_before_the_acknowledgement_stands_for_it() {
    let mut node = Node::new();
    let id = node.send_ok(1, CON_REQUEST);
    let request = node.sent_one();
    let response = message(CON, Code::CONTENT, 4000, 1, b"");
    assert!(matches!(node.receive(1, &response), Arrival::Response { acknowledges: None, .. }));
    node.layer.settle(id, node.now);
    assert_eq!(node.receive(1, &empty(ACK, id_of(&request))), Arrival::Nothing);
    node.wait(seconds(100.0));
    assert_eq!((node.sent(), node.outcomes()), (Vec::new(), Vec::new()));
}

#[test]
fn a_reset_to_a_non_confirmable_notification_or_request_is_matched_for_non_lifetime() {
    for how in [NON_NOTIFICATION, NON_REQUEST] {
        let mut node = Node::new();
        let id = node.send_ok(1, how);
        let first = node.sent_one();
        node.wait(seconds(140.0));
        node.receive(1, &empty(RST, id_of(&first)));
        assert_eq!(node.outcomes(), [Event::Reset(id)]);

        let id = node.send_ok(1, how);
        let second = node.sent_one();
        node.wait(seconds(145.0));
        assert_eq!(node.outcomes(), [Event::Expired(id)]);
        node.receive(1, &empty(RST, id_of(&second)));
        assert_eq!((node.outcomes(), node.counters.unmatched), (Vec::new(), 1));
    }
}

#[test]
fn an_acknowledgement_of_a_non_confirmable_message_is_passed_over() {
    for how in [NON_NOTIFICATION, NON_REQUEST, NON_RESPONSE] {
        let mut node = Node::new();
        node.send_ok(1, how);
        let datagram = node.sent_one();
        node.receive(1, &empty(ACK, id_of(&datagram)));
        assert_eq!(node.receive(1, &message(ACK, Code::CONTENT, id_of(&datagram), 1, b"")), Arrival::Nothing);
        assert_eq!((node.outcomes(), node.counters.unmatched), (Vec::new(), 2));
    }
}

#[test]
fn ids_of_non_confirmable_messages_are_remembered_in_bounded_memory() {
    let mut node = Node::with_limits(Limits { outgoing: 3, ..Limits::default() });
    let ids: Vec<_> = (0..10).map(|_| node.send_ok(1, NON_NOTIFICATION)).collect();
    let expired: Vec<_> = ids[..7].iter().map(|&id| Event::Expired(id)).collect();
    assert_eq!(node.outcomes(), expired);
    let sent = node.sent();
    node.receive(1, &empty(RST, id_of(&sent[6].1)));
    node.receive(1, &empty(RST, id_of(&sent[7].1)));
    assert_eq!(node.outcomes(), [Event::Reset(ids[7])]);
}
