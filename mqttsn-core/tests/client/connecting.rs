//! Connection setup and its end (§6.2, §6.3, §6.12).

use mqttsn_codec::{Disconnect, Packet, ReturnCode};
use mqttsn_core::client::{Action, Config, DisconnectReason, Refused, State};

use crate::support::*;

const DISCONNECT: Packet<'static> = Packet::Disconnect(Disconnect { duration: None });

#[test]
fn connect_and_connack() {
    let mut rig = Rig::new(config());
    assert_eq!(rig.client.state(), State::Disconnected);
    rig.client.connect(rig.now).unwrap();
    rig.expect(&[connect(true, false)]);
    assert_eq!(rig.client.state(), State::Connecting);
    rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
    assert_eq!(rig.told(), [Action::Connected { gateway: GATEWAY, resumed: false }]);
    assert_eq!((rig.client.state(), rig.client.gateway()), (State::Active, Some(&GATEWAY)));
    rig.expect(&[]);
    assert_eq!(rig.client.next_deadline(), None, "no keep-alive was asked for");
}

#[test]
fn a_persistent_session_is_asked_for() {
    let mut rig = Rig::new(Config { clean_session: false, ..config() });
    rig.client.connect(rig.now).unwrap();
    rig.expect(&[connect(false, false)]);
    rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
    assert_eq!(rig.told(), [Action::Connected { gateway: GATEWAY, resumed: true }]);
}

#[test]
fn a_connack_that_comes_twice_or_from_elsewhere_changes_nothing() {
    let mut rig = Rig::new(config());
    rig.client.connect(rig.now).unwrap();
    rig.receive_from(OTHER, &Packet::ConnAck(ReturnCode::ACCEPTED));
    assert_eq!(rig.client.state(), State::Connecting);
    rig.accept();
    rig.receive(&Packet::ConnAck(ReturnCode::ACCEPTED));
    rig.receive(&Packet::ConnAck(ReturnCode::CONGESTION));
    assert_eq!((rig.client.state(), rig.told()), (State::Active, vec![]));
    let counters = rig.client.counters();
    assert_eq!((counters.foreign, counters.out_of_place), (1, 2));
}

#[test]
fn disconnect_waits_for_the_gateway() {
    let mut rig = Rig::connected(config());
    rig.client.disconnect(rig.now);
    rig.expect(&[DISCONNECT]);
    assert_eq!(rig.client.state(), State::Disconnecting);
    rig.receive(&DISCONNECT);
    assert_eq!(rig.disconnections(), [(DisconnectReason::Requested, None)]);
    assert_eq!((rig.client.state(), rig.client.next_deadline()), (State::Disconnected, None));
}

#[test]
fn disconnect_does_not_wait_for_ever() {
    let mut rig = Rig::connected(config());
    rig.client.disconnect(rig.now);
    rig.advance(secs(39));
    rig.expect(&[DISCONNECT; 4]);
    assert_eq!(rig.client.state(), State::Disconnecting);
    rig.advance(secs(1));
    assert_eq!(rig.disconnections(), [(DisconnectReason::Requested, None)]);
}

#[test]
fn connecting_again_while_saying_good_bye() {
    let mut rig = Rig::connected(config());
    rig.client.disconnect(rig.now);
    rig.client.connect(rig.now).unwrap();
    rig.expect(&[DISCONNECT]);
    rig.receive(&DISCONNECT);
    rig.expect(&[connect(true, false)]);
}

#[test]
fn an_attempt_can_be_given_up() {
    let mut rig = Rig::new(Config { gateways: vec![], discovery: true, ..config() });
    rig.client.connect(rig.now).unwrap();
    assert_eq!(rig.client.state(), State::Searching);
    rig.client.disconnect(rig.now);
    assert_eq!(rig.disconnections(), [(DisconnectReason::Requested, None)]);
    assert_eq!(rig.client.next_deadline(), None, "nothing is looked for any more");
}

#[test]
fn the_gateway_may_not_know_the_client_any_more() {
    let mut rig = Rig::connected(config());
    rig.receive(&DISCONNECT);
    assert_eq!(rig.disconnections(), [(DisconnectReason::ByGateway, Some(rig.now))]);
    rig.expect(&[connect(true, false)]);
    rig.accept();
    // It goes on: not at the speed of the network.
    rig.receive(&DISCONNECT);
    rig.expect(&[]);
    let [(DisconnectReason::ByGateway, Some(retry_at))] = rig.disconnections()[..] else { panic!("one end") };
    assert!(retry_at >= rig.now + secs(10), "{retry_at:?}");
    rig.advance(retry_at - rig.now);
    rig.expect(&[connect(true, false)]);
}

#[test]
fn without_reconnect_a_lost_connection_stays_lost() {
    let mut rig = Rig::connected(Config { reconnect: false, ..config() });
    rig.receive(&DISCONNECT);
    assert_eq!(rig.disconnections(), [(DisconnectReason::ByGateway, None)]);
    rig.expect(&[]);
    assert_eq!((rig.client.state(), rig.client.next_deadline()), (State::Disconnected, None));
    rig.client.connect(rig.now).unwrap();
    rig.expect(&[connect(true, false)]);
}

#[test]
fn a_refusal_is_told_and_tried_again_later() {
    let mut rig = Rig::new(config());
    rig.client.connect(rig.now).unwrap();
    rig.forget_sent();
    rig.receive(&Packet::ConnAck(ReturnCode::NOT_SUPPORTED));
    let reason = DisconnectReason::Refused(ReturnCode::NOT_SUPPORTED);
    let [(told, Some(retry_at))] = rig.disconnections()[..] else { panic!("one end") };
    assert_eq!(told, reason);
    assert!(retry_at >= rig.now + secs(5) && retry_at <= rig.now + secs(10));
    rig.forget_sent();
    rig.advance(secs(10));
    rig.expect(&[connect(true, false)]);
}

#[test]
fn what_cannot_be_a_connection_is_refused() {
    let refused = |config| Rig::new(config).client.connect(machine::Instant::EPOCH);
    assert_eq!(refused(Config { client_id: String::new(), ..config() }), Err(Refused::InvalidClientId));
    assert_eq!(refused(Config { client_id: "a\0".into(), ..config() }), Err(Refused::InvalidClientId));
    assert_eq!(refused(Config { gateways: vec![], ..config() }), Err(Refused::NoGateway));
    assert_eq!(refused(Config { max_message_size: 9, ..config() }), Err(Refused::TooLong));
    assert_eq!(refused(Config { max_message_size: 10, ..config() }), Ok(()));
}
