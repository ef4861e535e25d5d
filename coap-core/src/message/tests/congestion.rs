//! NSTART and `PROBING_RATE` (RFC 7252 §4.7).

use super::*;

fn numbered(number: u8) -> Vec<u8> {
    body(Code::GET, number, b"0123456789")
}

fn tokens(sent: &[(u8, Vec<u8>)]) -> Vec<u8> {
    sent.iter().map(|(_, datagram)| decode(datagram).token[0]).collect()
}

#[test]
fn one_interaction_at_a_time_in_the_order_of_sending_and_each_end_lets_the_next_go() {
    let ends: [fn(&mut Node, OutgoingId, u16); 5] = [
        |node, _, message_id| _ = node.receive(1, &empty(ACK, message_id)),
        |node, _, message_id| _ = node.receive(1, &empty(RST, message_id)),
        |node, id, _| node.layer.settle(id, node.now),
        |node, id, _| node.layer.cancel(id, node.now),
        |node, _, _| node.wait(seconds(93.0)),
    ];
    for end in ends {
        let mut node = Node::new();
        let ids: Vec<_> = (0..5).map(|number| node.send(1, numbered(number), CON_REQUEST).unwrap()).collect();
        for (number, id) in ids.into_iter().enumerate() {
            let mut sent = node.sent();
            sent.dedup();
            let going: Vec<_> =
                sent.iter().filter(|(_, datagram)| decode(datagram).token[0] == number as u8).collect();
            assert_eq!(going.len(), 1, "{number}");
            let message_id = id_of(&going[0].1);
            end(&mut node, id, message_id);
        }
        node.wait(seconds(1000.0));
        assert_eq!(node.layer.next_deadline(), None);
    }
}

#[test]
fn nstart_counts_for_each_peer_alone() {
    let mut node = Node::with(Transmission { nstart: 2, ..Transmission::default() }, Limits::default());
    for peer in [1, 1, 1, 2, 2] {
        node.send_ok(peer, CON_REQUEST);
    }
    let peers: Vec<u8> = node.sent().into_iter().map(|(to, _)| to).collect();
    assert_eq!(peers, [1, 1, 2, 2]);
}

#[test]
fn confirmable_responses_and_notifications_count_as_well() {
    for how in [CON_RESPONSE, CON_NOTIFICATION] {
        let mut node = Node::new();
        node.send_ok(1, how);
        let first = node.sent_one();
        node.send_ok(1, CON_REQUEST);
        assert_eq!(node.sent(), []);
        node.receive(1, &empty(ACK, id_of(&first)));
        assert_eq!(node.sent().len(), 1);
    }
}

#[test]
fn what_waits_is_bounded_for_a_peer_and_in_all() {
    let mut node = Node::with_limits(Limits { queued_per_peer: 2, outgoing: 5, ..Limits::default() });
    for _ in 0..3 {
        node.send_ok(1, CON_REQUEST);
    }
    assert_eq!(node.send(1, numbered(1), CON_REQUEST), Err(Refused::Full));
    assert_eq!(
        node.send(1, numbered(1), Send { not_before: Some(Instant::MAX), ..NON_RESPONSE }),
        Err(Refused::Full)
    );
    node.send_ok(2, CON_REQUEST);
    node.send_ok(3, CON_REQUEST);
    assert_eq!(node.send(4, numbered(1), CON_REQUEST), Err(Refused::Full));
    node.layer.unreachable(1, node.now);
    node.send_ok(4, CON_REQUEST);
}

#[test]
fn delayed_messages_count_among_those_that_wait() {
    let mut node = Node::with_limits(Limits { queued_per_peer: 2, ..Limits::default() });
    let later = Send { not_before: Some(node.now + seconds(1.0)), ..NON_RESPONSE };
    node.send_ok(1, later);
    node.send_ok(1, later);
    assert_eq!(node.send(1, numbered(1), later), Err(Refused::Full));
    node.send_ok(1, NON_RESPONSE);
}

#[test]
fn non_confirmable_responses_and_notifications_wait_for_nobody() {
    let mut node = Node::new();
    node.send_ok(1, CON_REQUEST);
    for _ in 0..100 {
        node.send_ok(1, NON_RESPONSE);
        node.send_ok(1, NON_NOTIFICATION);
    }
    assert_eq!(node.sent().len(), 201);
}

#[test]
fn a_silent_peer_gets_non_confirmable_requests_at_probing_rate_only() {
    for (rate, nstart) in [(1, 1), (10, 1), (10, 4)] {
        let transmission = Transmission { probing_rate: rate, nstart, ..Transmission::default() };
        let mut node = Node::with(transmission, Limits::default());
        let start = node.now;
        for number in 0..50 {
            node.send(1, numbered(number), NON_REQUEST).unwrap();
        }
        let mut bytes = 0;
        let mut order = tokens(&node.sent());
        assert_eq!(order, [0]);
        for _ in 0..2000 {
            node.wait(seconds(0.5));
            for (_, datagram) in node.sent() {
                // What went before must be paid off by now.
                let allowed = ((node.now - start).as_secs() + 1) * u64::from(rate);
                bytes += datagram.len() as u64;
                assert!(bytes <= allowed, "{bytes} bytes where {allowed} may be");
                order.push(decode(&datagram).token[0]);
            }
        }
        let expected = (rate as usize * 1000 / body(Code::GET, 0, b"0123456789").len()).min(50);
        assert_eq!(order.len(), expected);
        assert!(order.is_sorted());
    }
}

#[test]
fn a_peer_that_is_heard_from_gets_non_confirmable_requests_as_fast_as_it_answers() {
    let mut node = Node::new();
    let ids: Vec<_> = (0..20).map(|number| node.send(1, numbered(number), NON_REQUEST).unwrap()).collect();
    for (number, id) in ids.into_iter().enumerate() {
        assert_eq!(tokens(&node.sent()), [number as u8]);
        node.now += seconds(0.1);
        let response = message(NON, Code::CONTENT, number as u16, number as u8, b"");
        assert!(matches!(node.receive(1, &response), Arrival::Response { .. }));
        node.layer.settle(id, node.now);
    }
    assert_eq!(node.now, Instant::EPOCH + seconds(2.0));
}

#[test]
fn a_non_confirmable_request_without_answer_counts_under_nstart_for_one_time_out() {
    let mut node = Node::new();
    node.send(1, numbered(1), NON_REQUEST).unwrap();
    node.send(1, numbered(2), NON_REQUEST).unwrap();
    node.send(1, numbered(3), CON_REQUEST).unwrap();
    assert_eq!(tokens(&node.sent()), [1]);
    node.wait(seconds(2.99));
    assert_eq!(node.sent(), []);
    // PROBING_RATE still holds up the second, which stands in nobody's way.
    node.wait(seconds(0.01));
    assert_eq!(tokens(&node.sent()), [3]);
}

#[test]
fn a_non_confirmable_request_waits_while_another_interaction_is_outstanding() {
    let mut node = Node::new();
    let first = node.send(1, numbered(1), CON_REQUEST).unwrap();
    node.send(1, numbered(2), NON_REQUEST).unwrap();
    assert_eq!(tokens(&node.sent()), [1]);
    node.layer.settle(first, node.now);
    assert_eq!(tokens(&node.sent()), [2]);
}

#[test]
fn without_probing_only_a_sign_of_life_lets_the_next_go() {
    let mut node = Node::with(Transmission { probing_rate: 0, ..Transmission::default() }, Limits::default());
    node.send(1, numbered(1), NON_REQUEST).unwrap();
    node.send(1, numbered(2), NON_REQUEST).unwrap();
    node.wait(seconds(100_000.0));
    assert_eq!(tokens(&node.sent()), [1]);
    node.receive(1, &empty(CON, 1));
    let sent = node.sent();
    assert_eq!(decode(&sent[0].1).token, [2]);
}
