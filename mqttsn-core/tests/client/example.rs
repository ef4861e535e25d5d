//! The example runs, over real sockets, and is as short as a driver should be.
#![allow(dead_code, reason = "an example's main is not called here")]

use std::net::UdpSocket;
use std::time::Duration;

use machine::Instant;
use mqttsn_codec::SubscribeTopic;
use mqttsn_core::client::{Action, Client, Config, Outcome, Publication, PublishTopic};

use crate::model::Gateway;
use crate::support::{AtLeastOnce, ExactlyOnce};

#[path = "../../examples/blocking_sensor.rs"]
mod blocking_sensor;

/// A driver that takes more says that the interface is wrong.
#[test]
fn a_driver_fits_sixty_lines() {
    let source = include_str!("../../examples/blocking_sensor.rs");
    let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
    assert!(source.lines().filter(code).count() <= 60);
}

#[test]
fn the_example_talks_to_a_gateway() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::scope(|scope| {
        let gateway = scope.spawn(move || {
            let (mut gateway, mut buffer) = (Gateway::default(), [0; 2048]);
            loop {
                let (len, client) = socket.recv_from(&mut buffer).expect("the client is busy");
                for answer in gateway.handle(&buffer[..len]) {
                    socket.send_to(&answer, client).unwrap();
                }
                // DISCONNECT.
                if buffer[..len] == [2, 0x18] {
                    return gateway.arrived;
                }
            }
        });
        let config = Config {
            client_id: "example".into(),
            gateways: vec![address],
            discovery: false,
            ..Config::default()
        };
        let mut client = Client::new(config, 1, Instant::EPOCH);
        let now = Instant::EPOCH;
        client.subscribe(SubscribeTopic::Name("a"), AtLeastOnce, now).unwrap();
        let topic = PublishTopic::Name("a");
        client.publish(&Publication { topic, qos: ExactlyOnce, retain: false, data: b"a!" }, now).unwrap();
        client.connect(now).unwrap();
        let mut outcomes = Vec::new();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        blocking_sensor::run(&mut client, &socket, |client, action| {
            if let Action::Completed { outcome, .. } = action {
                outcomes.push(outcome);
                if outcome == Outcome::Published {
                    client.disconnect(now);
                }
            }
        })
        .unwrap();
        assert!(matches!(outcomes[..], [Outcome::Subscribed { .. }, Outcome::Published]), "{outcomes:?}");
        assert_eq!(gateway.join().unwrap(), [(b"a!".to_vec(), 1)].into());
    });
}
