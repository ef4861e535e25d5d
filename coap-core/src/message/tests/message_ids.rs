//! Message ids of own messages (RFC 7252 §4.4, §8.1).

use alloc::collections::{BTreeMap, BTreeSet};

use super::*;

fn next_id(node: &mut Node, how: Send) -> Result<u16, Refused> {
    node.send(1, body(Code::CONTENT, 1, b""), how)?;
    node.events();
    Ok(id_of(&node.sent_one()))
}

#[test]
fn no_id_is_used_twice_within_exchange_lifetime_and_the_sender_is_refused_instead() {
    let mut node = Node::new();
    let mut used: BTreeMap<u16, Instant> = BTreeMap::new();
    let mut refused = 0;
    // Twice as many as there can be.
    for _ in 0..2 * 65_536 * 3 {
        node.now += seconds(247.0 / 65_536.0 / 2.0);
        match next_id(&mut node, NON_RESPONSE) {
            Ok(id) => {
                let before = used.insert(id, node.now);
                assert!(before.is_none_or(|at| node.now - at >= seconds(247.0)), "{id} again");
            }
            Err(error) => {
                assert_eq!(error, Refused::NoMessageId);
                refused += 1;
            }
        }
    }
    assert!(refused > 65_536 * 2, "{refused}");
    assert_eq!(used.len(), 60 * 1024);
}

#[test]
fn a_message_that_waits_for_an_id_goes_when_one_is_free() {
    let mut node = Node::new();
    while next_id(&mut node, NON_RESPONSE).is_ok() {}
    let exhausted = node.now;
    let due = exhausted + seconds(1.0);
    node.send(1, body(Code::CONTENT, 1, b""), Send { not_before: Some(due), ..NON_RESPONSE }).unwrap();
    node.wait(seconds(246.0));
    assert_eq!(node.sent(), []);
    node.wait(seconds(1.0));
    assert_eq!(node.sent().len(), 1);
}

#[test]
fn peers_have_ids_of_their_own_from_a_random_start() {
    let mut node = Node::new();
    let mut starts = BTreeSet::new();
    for peer in 0..100 {
        node.send_ok(peer, NON_RESPONSE);
        node.send_ok(peer, NON_RESPONSE);
        let sent = node.sent();
        assert_ne!(id_of(&sent[0].1), id_of(&sent[1].1));
        starts.insert(id_of(&sent[0].1));
    }
    assert!(starts.len() > 95 && starts.last().unwrap() - starts.first().unwrap() > 40_000, "{starts:?}");
}

#[test]
fn ids_of_group_messages_are_in_use_with_no_peer() {
    let mut node = Node::new();
    let mut unicast = BTreeSet::new();
    while let Ok(id) = next_id(&mut node, NON_RESPONSE) {
        assert!(unicast.insert(id));
    }
    let mut group = BTreeSet::new();
    while let Ok(id) = next_id(&mut node, GROUP) {
        assert!(group.insert(id));
    }
    assert!(unicast.is_disjoint(&group));
    assert!(unicast.len() > 60_000 - 1024 && group.len() > 3 * 1024, "{} {}", unicast.len(), group.len());
}

#[test]
fn a_forgotten_peer_has_no_id_in_use_any_more() {
    let mut node = Node::new();
    node.send_ok(1, NON_RESPONSE);
    node.wait(seconds(246.9));
    assert_eq!(node.layer.peers.len(), 1);
    node.wait(seconds(0.1));
    assert_eq!(node.layer.peers.len(), 0);
    assert_eq!(node.layer.next_deadline(), None);
}
