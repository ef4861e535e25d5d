//! The examples run: the blocking client against the broker on one thread, over real sockets.
#![allow(dead_code, reason = "an example's main is not called here")]

use core::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::net::TcpListener;

use machine::Instant;
use mqtt_codec::{Properties, QoS, ReasonCode, SubscriptionOptions};
use mqtt_core::client::{self, Action, Client, Outcome};
use mqtt_core::{Broker, Config, Publication};

#[path = "../examples/blocking.rs"]
mod blocking;
#[path = "../examples/one_thread.rs"]
mod one_thread;

/// A driver that takes more says that the interface is wrong.
#[test]
fn a_driver_fits_sixty_lines() {
    for source in [include_str!("../examples/blocking.rs"), include_str!("../examples/one_thread.rs")] {
        let code = |line: &&str| !line.trim().is_empty() && !line.trim_start().starts_with("//");
        assert!(source.lines().filter(code).count() <= 60);
    }
}

#[test]
fn the_examples_talk_to_each_other() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let server = listener.local_addr().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut broker = Broker::new(Config::default(), [0; 32], Instant::EPOCH);
            one_thread::serve(&listener, &mut broker, || !done.load(Relaxed));
        });
        let mut client = Client::new(client::Config::default(), 1, Instant::EPOCH);
        let filters = [("example/#", SubscriptionOptions::qos(QoS::ExactlyOnce))];
        client.subscribe(&filters, Properties::NONE, Instant::EPOCH).unwrap();
        client.connect(Instant::EPOCH);
        let mut seen = Vec::new();
        blocking::run(&mut client, server, |client, action| {
            let now = Instant::EPOCH;
            match action {
                Action::Completed { outcome: Outcome::Subscribed(_), .. } => {
                    for qos in [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce] {
                        let (topic, properties) = ("example/a", Properties::NONE);
                        let publication =
                            Publication { topic, qos, retain: false, properties, payload: b"hi" };
                        client.publish(&publication, now).unwrap();
                    }
                }
                Action::Message(message) => seen.push((message.topic().to_owned(), message.qos)),
                Action::Completed { outcome: Outcome::Published(_), .. } if client.unfinished() == 0 => {
                    client.disconnect(ReasonCode::NORMAL_DISCONNECTION, Properties::NONE, now);
                }
                _ => {}
            }
        });
        done.store(true, Relaxed);
        let topics =
            [QoS::AtMostOnce, QoS::AtLeastOnce, QoS::ExactlyOnce].map(|qos| ("example/a".to_owned(), qos));
        assert_eq!(seen, topics);
    });
}
