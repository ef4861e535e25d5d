//! Finding gateways (§6.1).

use core::time::Duration;

use mqttsn_codec::{Advertise, GwInfo, Packet, SearchGw};
use mqttsn_core::client::{Action, AddressFormat, Config, State};

use crate::support::*;

const SEARCH: Packet<'static> = Packet::SearchGw(SearchGw { radius: 2 });
const GWINFO: Packet<'static> = Packet::GwInfo(GwInfo { gateway_id: 9, address: None });

fn searching() -> Config<u8> {
    Config { gateways: vec![], discovery: true, search_radius: 2, ..config() }
}

fn advertise(gateway_id: u8) -> Packet<'static> {
    Packet::Advertise(Advertise { gateway_id, duration: 60 })
}

#[test]
fn searchgw_after_a_random_delay_and_then_ever_more_seldom() {
    let mut rig = Rig::new(searching());
    rig.client.connect(rig.now).unwrap();
    let delay = rig.client.next_deadline().unwrap() - rig.now;
    assert!(delay > Duration::ZERO && delay <= secs(5), "{delay:?}");
    rig.advance(delay);
    rig.expect_broadcast(2, &SEARCH);
    for wait in [5, 10, 20, 40, 80, 160, 300, 300] {
        rig.advance(secs(wait).saturating_sub(Duration::from_micros(1)));
        assert!(rig.broadcast.is_empty());
        rig.advance(Duration::from_micros(1));
        rig.expect_broadcast(2, &SEARCH);
    }
}

#[test]
fn another_clients_search_is_as_good() {
    let mut rig = Rig::new(searching());
    rig.client.connect(rig.now).unwrap();
    // Another radius is another search.
    rig.receive_from(50, &Packet::SearchGw(SearchGw { radius: 1 }));
    assert!(rig.client.next_deadline().unwrap() - rig.now < secs(5));
    rig.receive_from(50, &SEARCH);
    assert_eq!(rig.client.next_deadline(), Some(rig.now + secs(5)), "as if it had been its own");
    rig.advance(secs(5));
    rig.expect_broadcast(2, &SEARCH);
}

#[test]
fn gwinfo_of_a_gateway_leads_to_connect() {
    let mut rig = Rig::new(searching());
    rig.client.connect(rig.now).unwrap();
    rig.receive_from(33, &GWINFO);
    assert_eq!(rig.told(), [Action::GatewayFound { gateway_id: 9, address: 33 }]);
    rig.expect_to(33, &[connect(true, false)]);
    rig.accept();
    assert!(rig.broadcast.is_empty(), "nothing is looked for any more");
    assert_eq!(rig.client.gateways().collect::<Vec<_>>(), [(Some(9), &33)]);
}

#[test]
fn gwinfo_of_a_client_has_the_address() {
    let mut rig = Rig::new(searching());
    rig.client.connect(rig.now).unwrap();
    rig.receive_from(50, &Packet::GwInfo(GwInfo { gateway_id: 9, address: Some(&[33]) }));
    rig.expect_to(33, &[connect(true, false)]);

    let mut rig = Rig::new(Config { addresses: None, ..searching() });
    rig.client.connect(rig.now).unwrap();
    rig.receive_from(50, &Packet::GwInfo(GwInfo { gateway_id: 9, address: Some(&[33]) }));
    assert_eq!((rig.client.state(), rig.client.counters().foreign), (State::Searching, 1));

    let mut rig = Rig::new(searching());
    rig.client.connect(rig.now).unwrap();
    rig.receive_from(50, &Packet::GwInfo(GwInfo { gateway_id: 9, address: Some(&[1, 2, 3]) }));
    assert_eq!((rig.client.state(), rig.client.counters().malformed), (State::Searching, 1));
}

#[test]
fn advertise_leads_to_connect() {
    let mut rig = Rig::new(searching());
    rig.client.connect(rig.now).unwrap();
    rig.receive_from(33, &advertise(9));
    rig.expect_to(33, &[connect(true, false)]);
}

#[test]
fn a_gateway_is_forgotten_when_its_advertisements_stay_away() {
    let mut rig = Rig::new(searching());
    rig.receive_from(33, &advertise(9));
    rig.told();
    // Two may be lost.
    rig.advance(secs(179));
    rig.receive_from(33, &advertise(9));
    rig.advance(secs(189));
    assert_eq!(rig.told(), []);
    rig.advance(secs(1));
    assert_eq!(rig.told(), [Action::GatewayLost { gateway_id: Some(9), address: 33 }]);
    assert_eq!((rig.client.gateways().count(), rig.client.next_deadline()), (0, None));
}

#[test]
fn the_gateway_in_use_is_judged_by_keep_alive() {
    let mut rig = Rig::new(searching());
    rig.client.connect(rig.now).unwrap();
    rig.receive_from(33, &advertise(9));
    rig.accept();
    rig.advance(secs(1000));
    assert_eq!((rig.told(), rig.client.state()), (vec![], State::Active));
    assert_eq!(rig.client.gateways().count(), 1);
}

#[test]
fn a_gateway_that_moved_is_found_at_its_new_address() {
    let mut rig = Rig::new(searching());
    rig.receive_from(33, &advertise(9));
    rig.receive_from(34, &advertise(9));
    assert_eq!(rig.client.gateways().collect::<Vec<_>>(), [(Some(9), &34)]);
}

#[test]
fn a_configured_gateway_tells_its_name_and_is_never_forgotten() {
    let mut rig = Rig::new(Config { discovery: true, ..config() });
    rig.receive_from(GATEWAY, &advertise(9));
    assert_eq!(rig.told(), [Action::GatewayFound { gateway_id: 9, address: GATEWAY }]);
    rig.receive_from(GATEWAY, &advertise(9));
    rig.advance(secs(10_000));
    assert_eq!((rig.told(), rig.client.gateways().collect::<Vec<_>>()), (vec![], vec![(Some(9), &GATEWAY)]));
}

#[test]
fn a_client_tells_others_of_its_gateway_unless_somebody_was_faster() {
    let mut rig = Rig::new(searching());
    rig.receive_from(50, &SEARCH);
    rig.advance(secs(5));
    assert!(rig.broadcast.is_empty(), "it knows of none");
    rig.receive_from(33, &GWINFO);

    rig.receive_from(50, &Packet::SearchGw(SearchGw { radius: 3 }));
    assert!(rig.broadcast.is_empty(), "gateways have priority");
    rig.advance(secs(5));
    rig.expect_broadcast(3, &Packet::GwInfo(GwInfo { gateway_id: 9, address: Some(&[33]) }));

    rig.receive_from(50, &SEARCH);
    rig.receive_from(33, &GWINFO);
    rig.advance(secs(5));
    assert!(rig.broadcast.is_empty());
}

#[test]
fn a_client_need_not_tell() {
    for config in
        [Config { answer_searches: false, ..searching() }, Config { addresses: None, ..searching() }]
    {
        let mut rig = Rig::new(config);
        rig.receive_from(33, &GWINFO);
        rig.receive_from(50, &SEARCH);
        rig.advance(secs(5));
        assert!(rig.broadcast.is_empty());
    }
}

#[test]
fn a_search_without_a_connection() {
    let mut rig = Rig::new(searching());
    rig.client.search(rig.now);
    rig.advance(secs(5));
    rig.expect_broadcast(2, &SEARCH);
    rig.receive_from(33, &GWINFO);
    assert_eq!(rig.told(), [Action::GatewayFound { gateway_id: 9, address: 33 }]);
    rig.advance(secs(60));
    rig.expect_to(33, &[]);
    assert!(rig.broadcast.is_empty());
}

/// A gateway for which there is no room is an answer, too.
#[test]
fn a_search_ends_also_when_the_list_of_gateways_is_full() {
    let mut rig = Rig::new(Config { max_gateways: 1, ..searching() });
    rig.receive_from(33, &advertise(9));
    rig.client.search(rig.now);
    rig.advance(secs(5));
    rig.expect_broadcast(2, &SEARCH);
    rig.receive_from(34, &Packet::GwInfo(GwInfo { gateway_id: 10, address: None }));
    rig.advance(secs(100));
    assert!(rig.broadcast.is_empty(), "it is looked for no more");
    assert_eq!(rig.client.gateways().collect::<Vec<_>>(), [(Some(9), &33)]);
}

#[test]
fn without_discovery_nobody_is_listened_to() {
    let mut rig = Rig::new(config());
    rig.receive_from(33, &advertise(9));
    rig.receive_from(33, &GWINFO);
    rig.client.search(rig.now);
    assert_eq!((rig.told(), rig.client.next_deadline()), (vec![], None));
}

#[test]
fn addresses_of_sockets() {
    let format = AddressFormat::SOCKET;
    for text in ["192.0.2.7:1885", "[2001:db8::1]:10000"] {
        let address = text.parse().unwrap();
        let octets = (format.write)(&address);
        assert_eq!((format.read)(&octets), Some(address));
    }
    assert_eq!((format.write)(&"192.0.2.7:1885".parse().unwrap()), [192, 0, 2, 7, 7, 93]);
    for wrong in [&[][..], &[1], &[1, 2, 3, 4, 5], &[0; 17]] {
        assert_eq!((format.read)(wrong), None);
    }
}
