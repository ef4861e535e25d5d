//! One MQTT-SN client.

use core::time::Duration;
use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use mqttsn_codec::{
    Connect, Delivery, MessageId, Packet, PubAck, Publish, QoS, RegAck, Register, ReturnCode, Subscribe,
    SubscribeTopic, Topic, TopicId,
};

use super::PAYLOAD;
use crate::process::connected;

/// How long an answer may take that is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) struct Client {
    socket: UdpSocket,
    message_id: MessageId,
    /// What it publishes to.
    topic: Topic,
}

/// What a message meant for the load.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Event {
    Connected,
    Registered(u16),
    Subscribed,
    Delivered,
    Acknowledged,
    Other,
}

/// What has come at once.
#[derive(Default)]
pub(super) struct Received {
    pub(super) delivered: u64,
    pub(super) acknowledged: u64,
}

impl Client {
    /// Connects with a clean session.
    pub(super) fn open(port: u16, client_id: &str) -> io::Result<Self> {
        let topic = Topic::Id(TopicId::MIN);
        let client = Self { socket: connected(port, PATIENCE)?, message_id: MessageId::MIN, topic };
        let connect = Connect { will: false, clean_session: true, duration: 3600, client_id };
        client.send(&Packet::Connect(connect))?;
        client.wait_for(|event| event == Event::Connected)?;
        Ok(client)
    }

    /// Registers the topic that it publishes to from now on.
    pub(super) fn register_topic(&mut self, topic_name: &str) -> io::Result<()> {
        let message_id = self.next_id();
        self.send(&Packet::Register(Register { topic_id: None, message_id, topic_name }))?;
        let mut number = 0;
        self.wait_for(|event| {
            let Event::Registered(given) = event else { return false };
            number = given;
            true
        })?;
        self.topic = TopicId::new(number).map(Topic::Id).ok_or_else(|| io::Error::other("no topic id"))?;
        Ok(())
    }

    pub(super) fn subscribe(&mut self, filter: &str, qos: QoS) -> io::Result<()> {
        let (message_id, topic) = (self.next_id(), SubscribeTopic::Name(filter));
        self.send(&Packet::Subscribe(Subscribe { dup: false, qos, message_id, topic }))?;
        self.wait_for(|event| event == Event::Subscribed)
    }

    /// From here on nothing blocks, and `registry` says when something has come.
    pub(super) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        self.socket.set_nonblocking(true)?;
        registry.register(&mut SourceFd(&self.socket.as_raw_fd()), token, Interest::READABLE)
    }

    /// Publishes a message, at QoS 1 or else 0.
    pub(super) fn publish(&mut self, qos: QoS) -> io::Result<()> {
        let message_id = self.next_id();
        let delivery = match qos {
            QoS::AtLeastOnce => Delivery::AtLeastOnce { message_id, dup: false },
            _ => Delivery::AtMostOnce,
        };
        self.send(&Packet::Publish(Publish { delivery, retain: false, topic: self.topic, data: PAYLOAD }))
    }

    /// Takes all that has come, and answers what wants an answer.
    pub(super) fn receive(&self) -> io::Result<Received> {
        let mut received = Received::default();
        loop {
            match self.read() {
                Ok(Event::Delivered) => received.delivered += 1,
                Ok(Event::Acknowledged) => received.acknowledged += 1,
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(received),
                Err(error) => return Err(error),
            }
        }
    }

    fn wait_for(&self, mut wanted: impl FnMut(Event) -> bool) -> io::Result<()> {
        while !wanted(self.read()?) {}
        Ok(())
    }

    fn read(&self) -> io::Result<Event> {
        let mut buffer = [0; 2048];
        let len = self.socket.recv(&mut buffer)?;
        let packet = Packet::decode(&buffer[..len]).map_err(io::Error::other)?;
        let (event, answer) = react(&packet)?;
        if let Some(answer) = answer {
            self.send(&answer)?;
        }
        Ok(event)
    }

    fn send(&self, packet: &Packet<'_>) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(128);
        packet.encode(&mut bytes).map_err(io::Error::other)?;
        self.socket.send(&bytes).map(drop)
    }

    fn next_id(&mut self) -> MessageId {
        self.message_id = self.message_id.next();
        self.message_id
    }
}

/// What a message means, and the answer to it.
fn react(packet: &Packet<'_>) -> io::Result<(Event, Option<Packet<'static>>)> {
    Ok(match packet {
        Packet::ConnAck(code) => (accepted(*code, Event::Connected)?, None),
        Packet::RegAck(ack) => (accepted(ack.return_code, Event::Registered(ack.topic_id))?, None),
        Packet::SubAck(ack) => (accepted(ack.return_code, Event::Subscribed)?, None),
        Packet::PubAck(ack) => (accepted(ack.return_code, Event::Acknowledged)?, None),
        Packet::Register(Register { topic_id: Some(id), message_id, .. }) => {
            let (topic_id, message_id, return_code) = (id.get(), *message_id, ReturnCode::ACCEPTED);
            (Event::Other, Some(Packet::RegAck(RegAck { topic_id, message_id, return_code })))
        }
        Packet::Publish(publish) if publish.data != PAYLOAD => {
            return Err(io::Error::other("delivered another payload than was published"));
        }
        Packet::Publish(publish) => {
            let answer = publish.delivery.message_id().map(|id| {
                let (topic_id, return_code) = (publish.topic.field(), ReturnCode::ACCEPTED);
                Packet::PubAck(PubAck { topic_id, message_id: Some(id), return_code })
            });
            (Event::Delivered, answer)
        }
        Packet::Disconnect(_) => return Err(io::Error::other("disconnected")),
        _ => (Event::Other, None),
    })
}

fn accepted(code: ReturnCode, event: Event) -> io::Result<Event> {
    if code.is_accepted() {
        return Ok(event);
    }
    Err(io::Error::new(ErrorKind::ConnectionRefused, format!("refused: {}", code.name())))
}
