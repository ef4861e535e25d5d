//! What 100 000 clients cost that are connected and idle, with two topics registered.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;

use allocation_counter::measure;
use machine::Instant;
use mqtt_core::{Broker, ConnectionId};
use mqttsn_codec::{Connect, MessageId, Packet, Register};
use mqttsn_core::gateway::{Action, Config, Gateway, Input, Mode, UpstreamId};

/// Of the gateway's connections.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

struct Bench {
    gateway: Gateway<SocketAddr>,
    broker: Broker,
    connections: Vec<(UpstreamId, ConnectionId)>,
    now: Instant,
    /// The server is three bytes of CONNACK.
    canned: bool,
}

impl Bench {
    fn new(mode: Mode) -> Self {
        let now = Instant::from_micros(1);
        let config = mqtt_core::Config { sys_interval: Duration::ZERO, ..mqtt_core::Config::default() };
        let broker = Broker::new(config, [1; 32], now);
        let gateway = Gateway::new(Config { mode, ..Config::default() }, 1, now);
        let mut bench = Self { gateway, broker, connections: Vec::new(), now, canned: false };
        bench.settle();
        bench
    }

    fn send(&mut self, client: u32, packet: &Packet<'_>) {
        let mut bytes = Vec::new();
        packet.encode(&mut bytes).unwrap();
        let from = SocketAddr::from((Ipv4Addr::from_bits(0x0a00_0000 + client), 1885));
        self.gateway.handle(Input::Datagram { from, bytes: &bytes, broadcast: false }, self.now);
        self.settle();
    }

    fn settle(&mut self) {
        while let Some(action) = self.gateway.poll_action() {
            match action {
                Action::Open { upstream, .. } if self.canned => {
                    self.gateway.handle(Input::Opened(upstream), self.now);
                    self.gateway.handle(Input::Bytes { upstream, bytes: &[0x20, 3, 0, 0, 0] }, self.now);
                }
                Action::Open { upstream, .. } => {
                    self.connections.push((upstream, self.broker.open(self.now).unwrap()));
                    self.gateway.handle(Input::Opened(upstream), self.now);
                }
                Action::Output(upstream) => {
                    let bytes: Vec<u8> = self.gateway.output(upstream).flatten().copied().collect();
                    self.gateway.handle(Input::Sent { upstream, bytes: bytes.len() }, self.now);
                    if self.canned {
                        continue;
                    }
                    let connection = self.connections.iter().rev().find(|(id, _)| *id == upstream).unwrap().1;
                    self.broker.handle(mqtt_core::Input::Bytes { connection, bytes: &bytes }, self.now);
                    while let Some(action) = self.broker.poll_action() {
                        if let mqtt_core::Action::Output(connection) = action {
                            let bytes: Vec<u8> = self.broker.output(connection).flatten().copied().collect();
                            let sent = mqtt_core::Input::Sent { connection, bytes: bytes.len() };
                            self.broker.handle(sent, self.now);
                            self.gateway.handle(Input::Bytes { upstream, bytes: &bytes }, self.now);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// The clients say nothing for so long that their MQTT clients have to.
    fn keep_alive(&mut self) {
        while let Some(next) = self.gateway.next_deadline().filter(|next| *next <= self.now + KEEP_ALIVE) {
            self.gateway.handle(Input::Tick, next);
            self.settle();
        }
    }

    fn join(&mut self, client: u32) {
        let client_id = &*format!("sensor-{client:06}");
        self.send(
            client,
            &Packet::Connect(Connect { will: false, clean_session: true, duration: 600, client_id }),
        );
        for (number, what) in (1..).zip(["temperature", "humidity"]) {
            let topic_name = &*format!("site/7/{client_id}/{what}");
            let message_id = MessageId::new(number).unwrap();
            self.send(client, &Packet::Register(Register { topic_id: None, message_id, topic_name }));
        }
    }
}

#[test]
fn an_aggregated_client_takes_less_than_a_kibibyte() {
    const CLIENTS: u32 = 100_000;
    let mut bench = Bench::new(Mode::Aggregating);
    let info = measure(|| (0..CLIENTS).for_each(|client| bench.join(client)));
    assert_eq!(bench.gateway.gauges().active, u64::from(CLIENTS));
    let each = info.bytes_current / i64::from(CLIENTS);
    println!("aggregating: {each} bytes for each of {CLIENTS} clients, idle, with two topics registered");
    assert!(each < 1024, "{each}");
}

/// Each with an MQTT client of its own; the server only says that it lets them in.
#[test]
fn a_transparent_client_takes_an_mqtt_client_more() {
    const CLIENTS: u32 = 20_000;
    let mut bench = Bench::new(Mode::Transparent);
    bench.canned = true;
    let info = measure(|| {
        (0..CLIENTS).for_each(|client| bench.join(client));
        bench.keep_alive();
    });
    assert_eq!(bench.gateway.gauges().active, u64::from(CLIENTS));
    let each = info.bytes_current / i64::from(CLIENTS);
    let client = size_of::<mqtt_core::client::Client>();
    println!("transparent: {each} bytes for each of {CLIENTS} clients, {client} of them the MQTT client");
    assert!(each < 2560, "{each}");
}
