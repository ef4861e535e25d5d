//! A client whose gateway the test plays, in virtual time.

use core::time::Duration;

use machine::Instant;
use mqttsn_codec::{
    Connect, Delivery, MessageId, Packet, Publish, QoS, RegAck, Register, ReturnCode, ShortTopic, SubAck,
    Subscribe, SubscribeTopic, Topic, TopicId,
};
use mqttsn_core::client::{
    Action, AddressFormat, Client, Config, DisconnectReason, Handle, Input, Message, Outcome, Publication,
    PublishTopic,
};

pub use QoS::{AtLeastOnce, AtMostOnce, ExactlyOnce};

/// The address of the gateway that most tests have.
pub const GATEWAY: u8 = 1;
pub const OTHER: u8 = 2;

pub struct Rig {
    pub client: Client<u8>,
    pub now: Instant,
    /// What was sent and not looked at.
    pub sent: Vec<(u8, Vec<u8>)>,
    pub broadcast: Vec<(u8, Vec<u8>)>,
    /// Everything else.
    pub events: Vec<Action<u8>>,
}

pub fn config() -> Config<u8> {
    let addresses = AddressFormat {
        write: |address| vec![*address],
        read: |octets| <[u8; 1]>::try_from(octets).ok().map(|[address]| address),
    };
    Config {
        client_id: "dev1".into(),
        gateways: vec![GATEWAY],
        discovery: false,
        addresses: Some(addresses),
        keep_alive: 0,
        ..Config::default()
    }
}

pub fn id(number: u16) -> MessageId {
    MessageId::new(number).expect("not 0")
}

pub fn topic(number: u16) -> TopicId {
    TopicId::new(number).expect("not reserved")
}

pub fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn short(name: &str) -> ShortTopic {
    ShortTopic::new(name).expect("two octets")
}

pub fn encoded(packet: &Packet<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    packet.encode(&mut bytes).expect("valid");
    bytes
}

pub const fn connect(clean_session: bool, will: bool) -> Packet<'static> {
    Packet::Connect(Connect { will, clean_session, duration: 0, client_id: "dev1" })
}

pub const fn register(number: MessageId, topic_name: &str) -> Packet<'_> {
    Packet::Register(Register { topic_id: None, message_id: number, topic_name })
}

pub fn reg_ack(message: u16, topic_id: u16, return_code: ReturnCode) -> Packet<'static> {
    Packet::RegAck(RegAck { topic_id, message_id: id(message), return_code })
}

pub fn puback(message: u16, topic_id: u16, return_code: ReturnCode) -> Packet<'static> {
    Packet::PubAck(mqttsn_codec::PubAck { topic_id, message_id: MessageId::new(message), return_code })
}

pub fn publish(qos: QoS, message: u16, topic: Topic, dup: bool, data: &str) -> Packet<'_> {
    let delivery = match qos {
        AtMostOnce => Delivery::AtMostOnce,
        AtLeastOnce => Delivery::AtLeastOnce { message_id: id(message), dup },
        ExactlyOnce => Delivery::ExactlyOnce { message_id: id(message), dup },
    };
    Packet::Publish(Publish { delivery, retain: false, topic, data: data.as_bytes() })
}

pub fn subscribe(message: u16, topic: SubscribeTopic<'_>, qos: QoS, dup: bool) -> Packet<'_> {
    Packet::Subscribe(Subscribe { dup, qos, message_id: id(message), topic })
}

pub fn suback(message: u16, topic_id: u16, qos: QoS, return_code: ReturnCode) -> Packet<'static> {
    Packet::SubAck(SubAck { qos, topic_id, message_id: id(message), return_code })
}

impl Rig {
    pub fn new(config: Config<u8>) -> Self {
        let now = Instant::from_micros(1);
        let client = Client::new(config, 7, now);
        Self { client, now, sent: Vec::new(), broadcast: Vec::new(), events: Vec::new() }
    }

    /// A client that is connected.
    pub fn connected(config: Config<u8>) -> Self {
        let mut rig = Self::new(config);
        rig.client.connect(rig.now).expect("a good configuration");
        rig.accept();
        rig
    }

    /// Answers CONNECT, whatever it says, and forgets what was sent.
    pub fn accept(&mut self) {
        let to = *self.client.gateway().expect("a gateway is asked");
        self.forget_sent();
        self.receive_from(to, &Packet::ConnAck(ReturnCode::ACCEPTED));
        self.events.clear();
    }

    pub fn forget_sent(&mut self) {
        self.drain();
        self.sent.clear();
    }

    pub fn drain(&mut self) {
        while let Some(action) = self.client.poll_action() {
            match action {
                Action::Send { to, datagram } => self.sent.push((to, datagram.to_vec())),
                Action::Broadcast { radius, datagram } => self.broadcast.push((radius, datagram.to_vec())),
                other => self.events.push(other),
            }
        }
    }

    pub fn receive(&mut self, packet: &Packet<'_>) {
        self.receive_from(GATEWAY, packet);
    }

    pub fn receive_from(&mut self, from: u8, packet: &Packet<'_>) {
        self.client.handle(Input::Datagram { from, datagram: &encoded(packet) }, self.now);
        self.drain();
    }

    /// Exactly these messages have been sent to the gateway.
    #[track_caller]
    pub fn expect(&mut self, packets: &[Packet<'_>]) {
        self.expect_to(GATEWAY, packets);
    }

    #[track_caller]
    pub fn expect_to(&mut self, to: u8, packets: &[Packet<'_>]) {
        self.drain();
        let sent = core::mem::take(&mut self.sent);
        let shown: Vec<_> =
            sent.iter().map(|(to, bytes)| (*to, Packet::decode(bytes).expect("valid"))).collect();
        let expected: Vec<_> = packets.iter().map(|packet| (to, *packet)).collect();
        assert_eq!(shown, expected);
    }

    #[track_caller]
    pub fn expect_broadcast(&mut self, radius: u8, packet: &Packet<'_>) {
        self.drain();
        assert_eq!(core::mem::take(&mut self.broadcast), [(radius, encoded(packet))]);
    }

    /// What the application was told, and has not looked at.
    pub fn told(&mut self) -> Vec<Action<u8>> {
        self.drain();
        core::mem::take(&mut self.events)
    }

    #[track_caller]
    pub fn expect_completed(&mut self, expected: &[(Handle, Outcome)]) {
        let completed: Vec<_> = self
            .told()
            .into_iter()
            .filter_map(|action| match action {
                Action::Completed { handle, outcome } => Some((handle, outcome)),
                _ => None,
            })
            .collect();
        assert_eq!(completed, expected);
    }

    pub fn messages(&mut self) -> Vec<Message> {
        let told = self.told().into_iter();
        told.filter_map(|action| if let Action::Message(message) = action { Some(message) } else { None })
            .collect()
    }

    pub fn disconnections(&mut self) -> Vec<(DisconnectReason, Option<Instant>)> {
        let told = self.told().into_iter();
        told.filter_map(|action| match action {
            Action::Disconnected { reason, retry_at } => Some((reason, retry_at)),
            _ => None,
        })
        .collect()
    }

    /// Lets time pass, ticking at every deadline on the way.
    pub fn advance(&mut self, span: Duration) {
        let end = self.now + span;
        while let Some(next) = self.client.next_deadline().filter(|next| *next <= end) {
            assert!(next >= self.now, "no deadline is left behind");
            self.now = next;
            self.client.handle(Input::Tick, self.now);
            self.drain();
            assert!(self.client.next_deadline() > Some(self.now) || self.client.next_deadline().is_none());
        }
        self.now = end;
        // Early, late and repeated ticks are harmless.
        self.client.handle(Input::Tick, self.now);
        self.drain();
    }

    pub fn publish(&mut self, name: &str, qos: QoS, data: &str) -> Handle {
        self.publish_to(PublishTopic::Name(name), qos, data)
    }

    pub fn publish_to(&mut self, topic: PublishTopic<'_>, qos: QoS, data: &str) -> Handle {
        let publication = Publication { topic, qos, retain: false, data: data.as_bytes() };
        let handle = self.client.publish(&publication, self.now).expect("room");
        self.drain();
        handle
    }

    pub fn subscribe(&mut self, filter: &str, qos: QoS) -> Handle {
        let handle = self.client.subscribe(SubscribeTopic::Name(filter), qos, self.now).expect("room");
        self.drain();
        handle
    }

    /// Has a name registered, with this id, and takes the message that asked for it.
    pub fn know(&mut self, name: &str, number: u16) {
        self.client.register(name, self.now).expect("room");
        self.drain();
        let (_, bytes) = self.sent.pop().expect("REGISTER");
        let Ok(Packet::Register(asked)) = Packet::decode(&bytes) else { panic!("REGISTER") };
        self.receive(&reg_ack(asked.message_id.get(), number, ReturnCode::ACCEPTED));
        self.events.clear();
    }
}
