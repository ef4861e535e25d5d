//! ADVERTISE, SEARCHGW, GWINFO (MQTT-SN 1.2 §6.1), and clients behind forwarders (§5.5).

use mqttsn_codec::{Advertise, Encapsulated, GwInfo, Packet, SearchGw, Topic};
use mqttsn_core::gateway::{self, Input, State};

use crate::support::{
    AtLeastOnce, Bench, CONNACK, DISCONNECT, PING, aggregating, both, connect, hex, publish, qos1, seconds,
};

const GWINFO: Packet<'static> = Packet::GwInfo(GwInfo { gateway_id: 1, address: None });

fn advertising(config: &mut gateway::Config) {
    config.advertise = Some(gateway::Advertise { interval: 900, radius: 2 });
}

fn broadcast(bench: &mut Bench, packet: &Packet<'_>) {
    let mut bytes = Vec::new();
    packet.encode(&mut bytes).unwrap();
    bench.gateway.handle(Input::Datagram { from: 1, bytes: &bytes, broadcast: true }, bench.now);
    bench.settle();
}

fn wrap(node: &[u8], packet: &Packet<'_>) -> Vec<u8> {
    let (mut message, mut bytes) = (Vec::new(), Vec::new());
    packet.encode(&mut message).unwrap();
    let whole = Encapsulated { radius: 0, wireless_node_id: node, message: &message };
    whole.encode(&mut bytes).unwrap();
    bytes
}

/// What came for a node behind forwarder 7: radius and message.
fn unwrap(bench: &mut Bench, node: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let got = bench.take(7);
    let wrapped = got.iter().map(|datagram| Encapsulated::decode(datagram).unwrap());
    wrapped
        .filter(|whole| whole.wireless_node_id == node)
        .map(|whole| (whole.radius, whole.message.to_vec()))
        .collect()
}

fn bytes(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(&mut bytes).unwrap();
    bytes
}

#[test]
fn the_gateway_advertises_while_the_server_is_there_and_only_then() {
    let advertise = bytes(&Packet::Advertise(Advertise { gateway_id: 1, duration: 900 }));
    for aggregate in [false, true] {
        let mut bench = Bench::unsettled(|config| {
            advertising(config);
            if aggregate {
                aggregating(config);
            }
        });
        assert_eq!(bench.broadcasts, []);
        bench.settle();
        bench.advance(seconds(2000));
        assert_eq!(bench.broadcasts, vec![(2, advertise.clone()); 3], "at 0, 900 and 1800 seconds");
        bench.cut();
        bench.advance(seconds(2000));
        assert_eq!(bench.broadcasts.len(), 3);
        bench.down = false;
        bench.advance(seconds(61));
        assert_eq!(bench.broadcasts.len(), 4);
        bench.advance(seconds(900));
        assert_eq!(bench.broadcasts.len(), 5);
    }
}

#[test]
fn a_search_is_answered_the_way_it_came() {
    both(|mut bench| {
        broadcast(&mut bench, &Packet::SearchGw(SearchGw { radius: 5 }));
        assert_eq!(bench.broadcasts, [(5, bytes(&GWINFO))]);
        bench.ask(1, &Packet::SearchGw(SearchGw { radius: 0 }), &[GWINFO]);
        bench.cut();
        bench.ask(1, &Packet::SearchGw(SearchGw { radius: 0 }), &[]);
    });
}

#[test]
fn clients_behind_a_forwarder_are_told_apart_by_their_node_ids() {
    both(|mut bench| {
        for node in [b"n1", b"n2"] {
            let client_id = core::str::from_utf8(node).unwrap();
            bench.send_raw(7, &wrap(node, &Packet::Connect(connect(client_id))));
            assert_eq!(unwrap(&mut bench, node), [(0, bytes(&CONNACK))]);
        }
        assert_eq!(bench.address("n1").unwrap().node.as_deref(), Some(&b"n1"[..]));
        bench.send_raw(7, &wrap(b"n3", &PING));
        assert_eq!(unwrap(&mut bench, b"n3"), [(0, bytes(&DISCONNECT))]);
        bench.send_raw(7, &bytes(&PING));
        bench.expect(7, &[DISCONNECT]);
        bench.send_raw(7, &wrap(b"n1", &PING));
        assert_eq!(unwrap(&mut bench, b"n1"), [(0, bytes(&Packet::PingResp))]);
    });
}

#[test]
fn a_client_whose_node_id_changes_is_answered_at_the_new_one() {
    both(|mut bench| {
        bench.send_raw(7, &wrap(b"old", &Packet::Connect(connect("c"))));
        bench.take(7);
        bench.send_raw(7, &wrap(b"new", &Packet::Connect(connect("c"))));
        assert_eq!(unwrap(&mut bench, b"new"), [(0, bytes(&CONNACK))]);
        bench.assert_state("c", State::Active);
        bench.send_raw(7, &wrap(b"new", &PING));
        assert_eq!(unwrap(&mut bench, b"new"), [(0, bytes(&Packet::PingResp))]);
    });
}

#[test]
fn a_forwarder_gets_advertise_for_those_behind_it() {
    let mut bench = Bench::with(advertising);
    bench.send_raw(7, &wrap(b"n", &Packet::SearchGw(SearchGw { radius: 9 })));
    assert_eq!(unwrap(&mut bench, b"n"), [(3, bytes(&GWINFO))], "as far as the control octet can say");
    bench.advance(seconds(900));
    let advertise = bytes(&Packet::Advertise(Advertise { gateway_id: 1, duration: 900 }));
    assert_eq!(unwrap(&mut bench, b""), [(2, advertise)]);
}

#[test]
fn nested_and_broken_encapsulations_are_dropped() {
    both(|mut bench| {
        let once = wrap(b"n", &PING);
        let nested = [&[0x04, 0xfe, 0x00, 0x6e][..], &once].concat();
        for datagram in
            [nested, hex("03 fe"), hex("02 fe"), hex("ff fe 00 01"), hex("01 0004 fe"), hex("04 fe 00 6e")]
        {
            bench.send_raw(7, &datagram);
            bench.expect(7, &[]);
        }
        assert_eq!(bench.gateway.counters().malformed, 6);
    });
}

#[test]
fn the_longest_node_id() {
    both(|mut bench| {
        let node = [7; 252];
        bench.send_raw(7, &wrap(&node, &Packet::Connect(connect("c"))));
        assert_eq!(unwrap(&mut bench, &node), [(0, bytes(&CONNACK))]);
    });
}

#[test]
fn forwarders_are_bounded() {
    let mut bench = Bench::with(|config| {
        advertising(config);
        config.max_forwarders = 2;
    });
    for peer in [7, 8, 9] {
        bench.send_raw(peer, &wrap(b"n", &PING));
        bench.take(peer);
        bench.advance(seconds(1));
    }
    bench.advance(seconds(900));
    assert_eq!([7, 8, 9].map(|peer| bench.take(peer).len()), [0, 1, 1]);
}

#[test]
fn messages_go_both_ways_through_a_forwarder() {
    both(|mut bench| {
        bench.send_raw(7, &wrap(b"n", &Packet::Connect(connect("c"))));
        let register =
            mqttsn_codec::Register { topic_id: None, message_id: crate::support::id(1), topic_name: "up" };
        bench.send_raw(7, &wrap(b"n", &Packet::Register(register)));
        bench.take(7);
        let packet = publish(Topic::Id(crate::support::topic(1)), "m", qos1(1));
        bench.send_raw(7, &wrap(b"n", &packet));
        assert_eq!(unwrap(&mut bench, b"n"), [(0, bytes(&crate::support::puback(1, 1, 0)))]);
        assert_eq!(bench.seen().len(), 1);
        let topic = mqttsn_codec::SubscribeTopic::Name("down");
        let subscribe = mqttsn_codec::Subscribe {
            dup: false,
            qos: AtLeastOnce,
            message_id: crate::support::id(2),
            topic,
        };
        bench.send_raw(7, &wrap(b"n", &Packet::Subscribe(subscribe)));
        bench.advance(seconds(1));
        bench.take(7);
        bench.publish_at_broker("down", "d", 0);
        let got = unwrap(&mut bench, b"n");
        assert!(matches!(Packet::decode(&got[0].1), Ok(Packet::Publish(_))));
    });
}
