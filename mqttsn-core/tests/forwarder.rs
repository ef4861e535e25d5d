//! The forwarder (MQTT-SN 1.2 §5.5).

use machine::Instant;
use mqttsn_codec::{Advertise, Encapsulated, GwInfo, Packet, PingReq};
use mqttsn_core::forwarder::{Action, Config, Forwarder, Input};

const NOW: Instant = Instant::EPOCH;
const PING: Packet<'static> = Packet::PingReq(PingReq { client_id: None });

fn bytes(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(&mut bytes).unwrap();
    bytes
}

fn wrap(radius: u8, node: &[u8], message: &[u8]) -> Vec<u8> {
    let mut whole = vec![3 + node.len() as u8, 0xfe, radius];
    whole.extend_from_slice(node);
    whole.extend_from_slice(message);
    whole
}

fn from_node(forwarder: &mut Forwarder<u8>, from: u8, id: &[u8], bytes: &[u8]) -> Vec<Action<u8>> {
    forwarder.handle(Input::Node { from, id, bytes }, NOW);
    core::iter::from_fn(|| forwarder.poll_action()).collect()
}

fn from_gateway(forwarder: &mut Forwarder<u8>, bytes: &[u8]) -> Vec<Action<u8>> {
    forwarder.handle(Input::Gateway { bytes }, NOW);
    core::iter::from_fn(|| forwarder.poll_action()).collect()
}

#[test]
fn there_and_back_unchanged() {
    let mut forwarder = Forwarder::new(Config::default(), 0, NOW);
    for message in [bytes(&PING), bytes(&Packet::WillMsg(&[7; 300]))] {
        let [Action::ToGateway(whole)] = &from_node(&mut forwarder, 5, b"node", &message)[..] else {
            panic!("one datagram")
        };
        let decoded = Encapsulated::decode(whole).unwrap();
        assert_eq!((decoded.wireless_node_id, decoded.message), (&b"node"[..], &message[..]));
        let back = from_gateway(&mut forwarder, whole);
        assert_eq!(back, [Action::ToNode { node: 5, datagram: message.into() }]);
    }
}

#[test]
fn a_node_at_another_address_is_answered_there() {
    let mut forwarder = Forwarder::new(Config::default(), 0, NOW);
    from_node(&mut forwarder, 5, b"node", &bytes(&PING));
    from_node(&mut forwarder, 6, b"node", &bytes(&PING));
    let back = from_gateway(&mut forwarder, &wrap(0, b"node", &bytes(&PING)));
    assert_eq!(back, [Action::ToNode { node: 6, datagram: bytes(&PING).into() }]);
    assert_eq!(forwarder.nodes(), 1);
}

#[test]
fn advertise_and_gwinfo_are_for_all_by_their_radius() {
    let mut forwarder = Forwarder::new(Config::default(), 0, NOW);
    let advertise = bytes(&Packet::Advertise(Advertise { gateway_id: 1, duration: 900 }));
    let info = bytes(&Packet::GwInfo(GwInfo { gateway_id: 1, address: None }));
    let all =
        |radius, datagram: &[u8]| vec![Action::Broadcast { radius, datagram: datagram.to_vec().into() }];
    assert_eq!(from_gateway(&mut forwarder, &wrap(2, b"", &advertise)), all(2, &advertise));
    assert_eq!(from_gateway(&mut forwarder, &wrap(3, b"node", &info)), all(3, &info));
    assert_eq!(from_gateway(&mut forwarder, &advertise), all(0, &advertise));
    assert_eq!(from_gateway(&mut forwarder, &bytes(&PING)), []);
    assert_eq!(forwarder.counters().unknown_node, 1);
}

#[test]
fn no_nesting_in_either_direction() {
    let mut forwarder = Forwarder::new(Config::default(), 0, NOW);
    let once = wrap(0, b"n", &bytes(&PING));
    assert_eq!(from_node(&mut forwarder, 5, b"node", &once), []);
    assert_eq!(from_gateway(&mut forwarder, &wrap(0, b"node", &once)), []);
    assert_eq!(forwarder.counters().nested, 2);
    assert_eq!(forwarder.nodes(), 0);
}

#[test]
fn what_is_no_message_is_dropped() {
    let mut forwarder = Forwarder::new(Config::default(), 0, NOW);
    for datagram in [&b""[..], b"\x05\x16", b"\x02\x16\x00", b"\x01\x00"] {
        assert_eq!(from_node(&mut forwarder, 5, b"node", datagram), []);
        assert_eq!(from_gateway(&mut forwarder, &wrap(0, b"node", datagram)), []);
    }
    assert_eq!(from_gateway(&mut forwarder, b"\x02\xfe"), []);
    assert_eq!(forwarder.counters().malformed, 9);
}

#[test]
fn node_ids_have_one_octet_at_least_and_the_limit_at_most() {
    let mut forwarder = Forwarder::new(Config { max_node_id: 252, ..Config::default() }, 0, NOW);
    assert_eq!(from_node(&mut forwarder, 5, b"", &bytes(&PING)), []);
    assert_eq!(from_node(&mut forwarder, 5, &[1; 252], &bytes(&PING)).len(), 1);
    assert_eq!(from_node(&mut forwarder, 5, &[1; 253], &bytes(&PING)), []);
    assert_eq!(forwarder.counters().invalid_node_id, 2);
    let mut forwarder = Forwarder::new(Config { max_node_id: 4, ..Config::default() }, 0, NOW);
    assert_eq!(from_node(&mut forwarder, 5, b"12345", &bytes(&PING)), []);
}

#[test]
fn the_node_that_was_silent_for_the_longest_time_gives_way() {
    let mut forwarder = Forwarder::new(Config { max_nodes: 2, ..Config::default() }, 0, NOW);
    let to = |forwarder: &mut Forwarder<u8>, node: &[u8]| {
        from_gateway(forwarder, &wrap(0, node, &bytes(&PING))).len()
    };
    from_node(&mut forwarder, 1, b"1", &bytes(&PING));
    from_node(&mut forwarder, 2, b"2", &bytes(&PING));
    assert_eq!(to(&mut forwarder, b"1"), 1);
    from_node(&mut forwarder, 3, b"3", &bytes(&PING));
    assert_eq!([b"1", b"2", b"3"].map(|node| to(&mut forwarder, node)), [1, 0, 1]);
    assert_eq!(forwarder.nodes(), 2);
}
