//! One MQTT client: blocking until it is subscribed, event-driven from then on.

use core::net::Ipv4Addr;
use core::time::Duration;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::AsRawFd;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use mqtt_codec::{
    Acknowledge, Connect, Delivery, Direction, Disconnect, FrameRules, Packet, PacketIdentifier, Properties,
    ProtocolVersion, Publish, QoS, ReasonCode, Subscribe, SubscribeFilters, SubscriptionOptions, next_frame,
};

/// What messages carry, from its beginning.
static PAYLOAD: [u8; 64 << 10] = [b'x'; 64 << 10];
/// Room for a message of that size, and more.
const INCOMING: usize = 128 << 10;

/// Seconds. Longer than any load lasts; rumqttd lets in nobody who asks for none.
const KEEP_ALIVE: u16 = 600;
/// Filters in one SUBSCRIBE.
const FILTERS_PER_SUBSCRIBE: usize = 100;

pub(crate) struct Connection {
    stream: TcpStream,
    version: ProtocolVersion,
    payload: &'static [u8],
    incoming: Box<[u8]>,
    /// How much of `incoming` waits for the rest of its packet.
    held: usize,
    outgoing: Vec<u8>,
    /// How much of `outgoing` has left.
    sent: usize,
    connected: bool,
    /// Messages published and not acknowledged.
    pub(crate) unacknowledged: usize,
    last_id: u16,
}

/// What a packet meant for the load.
#[derive(PartialEq, Eq)]
enum Event {
    Connected,
    Subscribed,
    Delivered,
    Acknowledged,
    Alive,
    Other,
}

impl Connection {
    /// Connects with a clean session. Messages, to it and from it, have payloads of this length.
    pub(crate) fn open(
        port: u16,
        client_id: &str,
        version: ProtocolVersion,
        payload: usize,
    ) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        let mut connection = Self {
            stream,
            version,
            payload: &PAYLOAD[..payload],
            incoming: vec![0; INCOMING].into(),
            held: 0,
            outgoing: Vec::new(),
            sent: 0,
            connected: false,
            unacknowledged: 0,
            last_id: 0,
        };
        connection.send(&Packet::Connect(Connect {
            version,
            clean_start: true,
            keep_alive: KEEP_ALIVE,
            properties: Properties::NONE,
            client_id,
            will: None,
            username: None,
            password: None,
        }))?;
        connection.wait_for(&Event::Connected)?;
        connection.connected = true;
        Ok(connection)
    }

    pub(crate) fn subscribe(&mut self, filters: &[String], qos: QoS) -> io::Result<()> {
        for filters in filters.chunks(FILTERS_PER_SUBSCRIBE) {
            let filters: Vec<_> =
                filters.iter().map(|filter| (filter.as_str(), SubscriptionOptions::qos(qos))).collect();
            let packet_id = self.next_id();
            let filters = SubscribeFilters::list(&filters);
            self.send(&Packet::Subscribe(Subscribe { packet_id, properties: Properties::NONE, filters }))?;
            self.wait_for(&Event::Subscribed)?;
        }
        Ok(())
    }

    /// Asks whether the server is there, and waits until it says so.
    pub(crate) fn ping(&mut self) -> io::Result<()> {
        self.send(&Packet::PingReq)?;
        self.wait_for(&Event::Alive)
    }

    /// Takes leave, and waits until the server has closed the connection.
    pub(crate) fn close(mut self) -> io::Result<()> {
        self.send(&Packet::Disconnect(Disconnect::new(ReasonCode::NORMAL_DISCONNECTION)))?;
        loop {
            match self.read(|_| ()) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    /// From here on nothing blocks, and `registry` says when there is something to do.
    pub(crate) fn register(&self, registry: &Registry, token: Token) -> io::Result<()> {
        self.stream.set_nonblocking(true)?;
        registry.register(
            &mut SourceFd(&self.stream.as_raw_fd()),
            token,
            Interest::READABLE | Interest::WRITABLE,
        )
    }

    /// Queues a message: [`flush`](Self::flush) sends it.
    pub(crate) fn publish(&mut self, topic: &str, qos: QoS) -> io::Result<()> {
        let delivery = match qos {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            QoS::AtLeastOnce => Delivery::AtLeastOnce { packet_id: self.next_id(), dup: false },
            QoS::ExactlyOnce => Delivery::ExactlyOnce { packet_id: self.next_id(), dup: false },
        };
        self.unacknowledged += usize::from(qos != QoS::AtMostOnce);
        let publish =
            Publish { delivery, retain: false, topic, properties: Properties::NONE, payload: self.payload };
        publish.encode(self.version, &mut self.outgoing).map_err(io::Error::other)
    }

    /// Reads all there is, answers what wants an answer, and returns how many messages were delivered.
    pub(crate) fn receive(&mut self) -> io::Result<usize> {
        let (mut delivered, mut acknowledged) = (0, 0);
        let result = loop {
            let count = |event| match event {
                Event::Delivered => delivered += 1,
                Event::Acknowledged => acknowledged += 1,
                Event::Connected | Event::Subscribed | Event::Alive | Event::Other => {}
            };
            match self.read(count) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break Ok(delivered),
                Err(error) => break Err(error),
            }
        };
        self.unacknowledged -= acknowledged;
        result
    }

    /// Sends what is queued, as far as the socket takes it.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.outgoing.len() {
            match self.stream.write(&self.outgoing[self.sent..]) {
                Ok(count) => self.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.outgoing.clear();
        self.sent = 0;
        Ok(())
    }

    fn send(&mut self, packet: &Packet<'_>) -> io::Result<()> {
        packet.encode(self.version, &mut self.outgoing).map_err(io::Error::other)?;
        self.flush()
    }

    fn wait_for(&mut self, expected: &Event) -> io::Result<()> {
        let mut seen = false;
        while !seen {
            self.read(|event| seen |= event == *expected)?;
        }
        Ok(())
    }

    /// Reads once, and says what each whole packet means.
    fn read(&mut self, mut on_event: impl FnMut(Event)) -> io::Result<()> {
        let count = self.stream.read(&mut self.incoming[self.held..])?;
        if count == 0 {
            return Err(io::Error::new(ErrorKind::UnexpectedEof, "closed the connection"));
        }
        let end = self.held + count;
        let rules = FrameRules {
            direction: Direction::ServerToClient,
            first: !self.connected,
            version: self.version,
            max_packet_size: u32::MAX,
        };
        let mut unread = &self.incoming[..end];
        while let Some(frame) = next_frame(unread, &rules).map_err(io::Error::other)? {
            unread = &unread[frame.len()..];
            let packet = Packet::decode(frame, self.version).map_err(io::Error::other)?;
            if matches!(&packet, Packet::Publish(publish) if publish.payload != self.payload) {
                return Err(io::Error::other("delivered another payload than was published"));
            }
            let (event, answer) = react(&packet)?;
            if let Some(answer) = answer {
                answer.encode(self.version, &mut self.outgoing).map_err(io::Error::other)?;
            }
            on_event(event);
        }
        self.held = unread.len();
        self.incoming.copy_within(end - self.held..end, 0);
        Ok(())
    }

    fn next_id(&mut self) -> PacketIdentifier {
        self.last_id = self.last_id.checked_add(1).unwrap_or(1);
        PacketIdentifier::new(self.last_id).expect("is at least 1")
    }
}

/// What a packet means, and the answer that its QoS asks for.
fn react(packet: &Packet<'_>) -> io::Result<(Event, Option<Packet<'static>>)> {
    Ok(match packet {
        Packet::ConnAck(connack) if connack.reason.is_error() => return Err(refused(connack.reason.name())),
        Packet::SubAck(suback) if suback.reasons.iter().any(ReasonCode::is_error) => {
            return Err(refused("a filter"));
        }
        Packet::PubAck(ack) | Packet::PubRec(ack) if ack.reason.is_error() => {
            return Err(refused(ack.reason.name()));
        }
        Packet::Disconnect(disconnect) => return Err(refused(disconnect.reason.name())),
        Packet::ConnAck(_) => (Event::Connected, None),
        Packet::SubAck(_) => (Event::Subscribed, None),
        Packet::Publish(publish) => (Event::Delivered, acknowledge(publish.delivery)),
        Packet::PubRel(pubrel) => {
            (Event::Other, Some(Packet::PubComp(Acknowledge::success(pubrel.packet_id))))
        }
        Packet::PubRec(pubrec) => {
            (Event::Other, Some(Packet::PubRel(Acknowledge::success(pubrec.packet_id))))
        }
        Packet::PubAck(_) | Packet::PubComp(_) => (Event::Acknowledged, None),
        Packet::PingResp => (Event::Alive, None),
        _ => (Event::Other, None),
    })
}

fn acknowledge(delivery: Delivery) -> Option<Packet<'static>> {
    match delivery {
        Delivery::AtMostOnce => None,
        Delivery::AtLeastOnce { packet_id, .. } => Some(Packet::PubAck(Acknowledge::success(packet_id))),
        Delivery::ExactlyOnce { packet_id, .. } => Some(Packet::PubRec(Acknowledge::success(packet_id))),
    }
}

fn refused(what: &str) -> io::Error {
    io::Error::new(ErrorKind::ConnectionRefused, format!("refused: {what}"))
}
