//! mqtt-protocol-core, client and server in memory: a QoS 2 message with its three answers.

use harness::corpus::mqtt::TOPIC;
use harness::corpus::payload;
use harness::{Case, case};
use mqtt_protocol_core::mqtt::Version;
use mqtt_protocol_core::mqtt::common::Cursor;
use mqtt_protocol_core::mqtt::connection::{Connection, Event, role};
use mqtt_protocol_core::mqtt::packet::{GenericPacketTrait, Packet, Qos, v3_1_1, v5_0};
use mqtt_protocol_core::mqtt::result_code::{ConnectReasonCode, ConnectReturnCode};

const WHO: &str = "mqtt-protocol-core 0.7.9";

pub(super) fn cases() -> Vec<Case> {
    let one = |(name, version): (&str, Version)| {
        let (mut pair, payload) = (Pair::new(version), payload(64));
        case("qos2_round", format!("{name} 64 B"), WHO, move |times| {
            (0..times).for_each(|_| pair.publish(&payload));
        })
    };
    [("v311", Version::V3_1_1), ("v5", Version::V5_0)].into_iter().map(one).collect()
}

struct Pair {
    client: Connection<role::Client>,
    server: Connection<role::Server>,
    version: Version,
}

impl Pair {
    fn new(version: Version) -> Self {
        let (mut client, mut server) = (Connection::new(version), Connection::new(version));
        client.set_auto_pub_response(true);
        server.set_auto_pub_response(true);
        let mut pair = Self { client, server, version };
        let connect: Packet = if version == Version::V5_0 {
            v5_0::Connect::builder().client_id("device").expect("short").build().expect("valid").into()
        } else {
            v3_1_1::Connect::builder()
                .client_id("device")
                .expect("short")
                .clean_session(true)
                .build()
                .expect("valid")
                .into()
        };
        let connack: Packet = if version == Version::V5_0 {
            let connack =
                v5_0::Connack::builder().session_present(false).reason_code(ConnectReasonCode::Success);
            connack.build().expect("valid").into()
        } else {
            let connack =
                v3_1_1::Connack::builder().session_present(false).return_code(ConnectReturnCode::Accepted);
            connack.build().expect("valid").into()
        };
        let events = pair.client.send(connect);
        pair.carry(events);
        let events = pair.server.send(connack);
        let to_client = bytes_of(&events).pop().expect("CONNACK");
        pair.client.recv(&mut Cursor::new(&to_client[..]));
        pair
    }

    fn publish(&mut self, payload: &[u8]) {
        let packet_id = self.client.acquire_packet_id().expect("free");
        let publish: Packet = if self.version == Version::V5_0 {
            let publish = v5_0::Publish::builder().topic_name(TOPIC).expect("valid").qos(Qos::ExactlyOnce);
            publish.packet_id(packet_id).payload(payload).build().expect("valid").into()
        } else {
            let publish = v3_1_1::Publish::builder().topic_name(TOPIC).expect("valid").qos(Qos::ExactlyOnce);
            publish.packet_id(packet_id).payload(payload).build().expect("valid").into()
        };
        let events = self.client.send(publish);
        assert_eq!(self.carry(events), 2, "PUBLISH and PUBREL");
    }

    /// Carries packets to and fro; returns how many the client sent.
    fn carry(&mut self, mut events: Vec<Event>) -> usize {
        let mut sent = 0;
        loop {
            let to_server = bytes_of(&events);
            sent += to_server.len();
            if to_server.is_empty() {
                return sent;
            }
            events = Vec::new();
            for bytes in to_server {
                let answers = self.server.recv(&mut Cursor::new(&bytes[..]));
                for bytes in bytes_of(&answers) {
                    events.extend(self.client.recv(&mut Cursor::new(&bytes[..])));
                }
            }
        }
    }
}

fn bytes_of(events: &[Event]) -> Vec<Vec<u8>> {
    let packet = |event: &Event| match event {
        Event::RequestSendPacket { packet, .. } => Some(packet.to_continuous_buffer()),
        _ => None,
    };
    events.iter().filter_map(packet).collect()
}
