//! Groups (RFC 7252 §8).

use coap_codec::Reaction;

use super::*;

#[test]
fn nothing_but_a_non_confirmable_request_comes_by_multicast() {
    let mut node = Node::new();
    let wrong = [
        message(CON, Code::GET, 1, 1, b""),
        message(NON, Code::CONTENT, 2, 1, b""),
        message(CON, Code::CONTENT, 3, 1, b""),
        message(ACK, Code::CONTENT, 4, 1, b""),
        empty(CON, 5),
        empty(ACK, 6),
        empty(RST, 7),
    ];
    for (number, datagram) in wrong.into_iter().enumerate() {
        assert_eq!(node.receive_multicast(1, &datagram), Arrival::Nothing);
        assert_eq!(node.counters.rejected, number as u64 + 1);
    }
    let request = message(NON, Code::GET, 8, 1, b"");
    assert!(matches!(node.receive_multicast(1, &request), Arrival::Request { confirmable: false, .. }));
    assert_eq!(node.receive_multicast(1, &request), Arrival::Nothing);
    assert_eq!((node.counters.duplicates, node.sent()), (1, Vec::new()));
}

#[test]
fn a_request_to_a_group_is_never_rejected_with_a_reset() {
    let mut node = Node::new();
    let Arrival::Request { incoming, .. } = node.receive_multicast(1, &message(NON, Code::GET, 8, 1, b""))
    else {
        panic!("no request");
    };
    node.layer.reset(incoming, node.now);
    node.layer.malformed(1, Reaction::Reset(MessageId::new(9)), true, &mut node.counters, node.now);
    assert_eq!(node.sent(), []);
}

#[test]
fn an_answer_leaves_when_its_leisure_is_over_and_holds_nobody_up() {
    let mut node = Node::new();
    let at = |node: &Node, span| Send { not_before: Some(node.now + seconds(span)), ..NON_RESPONSE };
    let (late, early) = (at(&node, 4.0), at(&node, 1.5));
    let late = node.send(1, body(Code::CONTENT, 1, b""), late).unwrap();
    let early = node.send(1, body(Code::CONTENT, 2, b""), early).unwrap();
    let now = node.send(1, body(Code::CONTENT, 3, b""), at(&node, 0.0)).unwrap();
    assert_eq!((node.sent().len(), node.events()), (1, Vec::from([Event::Sent(now)])));
    assert_eq!(node.layer.next_deadline(), Some(node.now + seconds(1.5)));
    node.wait(seconds(1.5));
    assert_eq!((node.sent().len(), node.events()), (1, Vec::from([Event::Sent(early)])));
    node.wait(seconds(2.4));
    assert_eq!(node.sent(), []);
    node.wait(seconds(0.1));
    assert_eq!((node.sent().len(), node.events()), (1, Vec::from([Event::Sent(late)])));
}

#[test]
fn a_delayed_answer_can_be_cancelled_or_replaced() {
    let mut node = Node::new();
    let how = Send { not_before: Some(node.now + seconds(1.0)), ..NON_RESPONSE };
    let cancelled = node.send(1, body(Code::CONTENT, 1, b""), how).unwrap();
    let replaced = node.send(1, body(Code::CONTENT, 2, b"old"), how).unwrap();
    node.layer.cancel(cancelled, node.now);
    assert!(node.layer.replace(replaced, body(Code::CONTENT, 3, b"new")));
    node.wait(seconds(1.0));
    assert_eq!(decode(&node.sent_one()).payload, b"new");
}

#[test]
fn a_request_to_a_group_goes_at_once_without_nstart_and_leaves_nothing_behind() {
    let mut node = Node::new();
    for _ in 0..10 {
        let id = node.send_ok(255, GROUP);
        let datagram = node.sent_one();
        assert_eq!((type_of(&datagram), node.events()), (NON, Vec::from([Event::Sent(id)])));
        node.receive(255, &empty(RST, id_of(&datagram)));
        assert_eq!(node.events(), []);
        node.layer.cancel(id, node.now);
    }
    assert_eq!((node.counters.unmatched, node.layer.next_deadline()), (10, None));
}
