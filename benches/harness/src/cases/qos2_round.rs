//! mqtt-core: a QoS 2 message from a client to a broker, both in memory: PUBLISH, PUBREC, PUBREL, PUBCOMP.

use machine::Instant;
use mqtt_codec::{Properties, ProtocolVersion, QoS};
use mqtt_core::client::{Action as ClientAction, Client, Config as ClientConfig, Input as ClientInput};
use mqtt_core::{Action, Broker, Config, ConnectionId, Input, Publication};

use crate::corpus::mqtt::{TOPIC, VERSIONS};
use crate::corpus::payload;
use crate::{Case, case};

const NOW: Instant = Instant::from_micros(1);

pub(super) fn cases() -> Vec<Case> {
    let one = |(name, version): (&str, ProtocolVersion)| {
        let (mut pair, payload) = (Pair::new(version), payload(64));
        case("qos2_round", format!("{name} 64 B"), "ours", move |times| {
            for _ in 0..times {
                let publication = Publication {
                    topic: TOPIC,
                    qos: QoS::ExactlyOnce,
                    retain: false,
                    properties: Properties::NONE,
                    payload: &payload,
                };
                pair.client.publish(&publication, NOW).expect("room");
                assert_eq!(pair.carry(), 1);
            }
        })
    };
    VERSIONS.into_iter().map(one).collect()
}

struct Pair {
    client: Client,
    broker: Broker,
    connection: ConnectionId,
    /// Bytes on their way: what a socket would copy.
    wire: Vec<u8>,
}

impl Pair {
    fn new(version: ProtocolVersion) -> Self {
        let config = ClientConfig { client_id: "device-000123".into(), version, ..ClientConfig::default() };
        let config_of_broker = Config { sys_interval: core::time::Duration::ZERO, ..Config::default() };
        let mut client = Client::new(config, 1, NOW);
        let mut broker = Broker::new(config_of_broker, [1; 32], NOW);
        let connection = broker.open(NOW).expect("room");
        client.connect(NOW);
        assert!(matches!(client.poll_action(), Some(ClientAction::Open { .. })));
        client.handle(ClientInput::Opened, NOW);
        let mut pair = Self { client, broker, connection, wire: Vec::new() };
        pair.carry();
        pair
    }

    /// Carries bytes until both are silent; returns how many messages have reached their end.
    fn carry(&mut self) -> usize {
        let mut done = 0;
        loop {
            let mut silent = true;
            while let Some(action) = self.client.poll_action() {
                match action {
                    ClientAction::Output => {
                        silent = false;
                        self.wire.clear();
                        self.client.output().for_each(|chunk| self.wire.extend_from_slice(chunk));
                        self.client.handle(ClientInput::Sent(self.wire.len()), NOW);
                        let input = Input::Bytes { connection: self.connection, bytes: &self.wire };
                        assert_eq!(self.broker.handle(input, NOW), self.wire.len());
                    }
                    ClientAction::Completed { .. } => done += 1,
                    _ => {}
                }
            }
            while let Some(action) = self.broker.poll_action() {
                if let Action::Output(connection) = action {
                    silent = false;
                    self.wire.clear();
                    self.broker.output(connection).for_each(|chunk| self.wire.extend_from_slice(chunk));
                    self.broker.handle(Input::Sent { connection, bytes: self.wire.len() }, NOW);
                    self.client.handle(ClientInput::Bytes(&self.wire), NOW);
                }
            }
            if silent {
                return done;
            }
        }
    }
}
