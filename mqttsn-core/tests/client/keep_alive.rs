//! Keep-alive (§6.11).

use mqttsn_codec::{Packet, PingReq, ReturnCode};
use mqttsn_core::client::{Config, DisconnectReason, PublishTopic};

use crate::support::*;

const PING: Packet<'static> = Packet::PingReq(PingReq { client_id: None });

fn rig() -> Rig {
    Rig::connected(Config { keep_alive: 40, ..config() })
}

#[test]
fn a_ping_within_each_period() {
    let mut rig = rig();
    for _ in 0..3 {
        rig.advance(secs(29));
        rig.expect(&[]);
        rig.advance(secs(1));
        rig.expect(&[PING]);
        rig.receive(&Packet::PingResp);
    }
}

#[test]
fn an_exchange_is_as_good_as_a_ping() {
    let mut rig = rig();
    rig.advance(secs(20));
    rig.publish_to(PublishTopic::Short(short("ab")), AtLeastOnce, "x");
    rig.receive(&puback(1, 0, ReturnCode::ACCEPTED));
    rig.forget_sent();
    rig.advance(secs(29));
    rig.expect(&[]);
    rig.advance(secs(1));
    rig.expect(&[PING]);
}

/// Sending alone does not show that the gateway is there, and hearing alone does not show that the client is.
#[test]
fn one_way_is_not_enough() {
    let mut rig = rig();
    for _ in 0..3 {
        rig.advance(secs(10));
        rig.publish_to(PublishTopic::Short(short("ab")), AtMostOnce, "x");
        rig.sent.retain(|(_, bytes)| bytes[1] == 0x16);
    }
    rig.expect(&[PING]);
    rig.receive(&Packet::PingResp);
    for _ in 0..3 {
        rig.advance(secs(10));
        rig.receive(&publish(AtMostOnce, 0, mqttsn_codec::Topic::Short(short("ab")), false, "x"));
    }
    rig.expect(&[PING]);
}

#[test]
fn a_gateway_that_does_not_answer_is_lost() {
    let mut rig = rig();
    rig.advance(secs(30 + 39));
    rig.expect(&[PING; 4]);
    rig.advance(secs(1));
    assert_eq!(rig.disconnections()[0].0, DisconnectReason::GatewayLost);
    assert_eq!(rig.client.counters().gateways_given_up, 1);
}
