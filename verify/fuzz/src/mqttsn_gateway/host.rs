//! A host that does what its gateway says, and looks at all that it says.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use machine::Instant;
use mqttsn_codec::{Datagram, Packet, Rules};
use mqttsn_core::gateway::{Action, Address, Config, Counters, Event, Gateway, Input, State};

use super::clients::{CLIENTS, wrapped};
use super::config::GATEWAY_ID;
use super::ledger::{Ledger, first_sending};
use super::server::{Connection, Server};
use crate::Source;

/// How many of the last datagrams can be answered.
const KEPT: usize = 8;

pub(super) struct Host {
    pub(super) gateway: Gateway<u8>,
    pub(super) now: Instant,
    pub(super) ledger: Ledger,
    pub(super) server: Server,
    /// What clients got last, message by message.
    pub(super) got: Vec<(Address<u8>, Vec<u8>)>,
    /// Every client identifier that was heard of.
    names: BTreeSet<String>,
    /// Places that something came from, and the identifiers that were to be connected from there.
    heard: BTreeMap<Address<u8>, BTreeSet<String>>,
    /// How often the same was sent to a place since something came from there.
    times: BTreeMap<(Address<u8>, Vec<u8>), u32>,
    before: Counters,
    pub(super) reports: Reports,
    /// Everything that came out, for comparison with another run.
    history: DefaultHasher,
}

/// How often what was sent and reported, by name.
pub type Reports = BTreeMap<String, u64>;

/// What happened, and whom it concerns.
enum Cause {
    /// A datagram: the place that it came from, whose sessions it can change, and how much may be answered to it.
    Datagram {
        from: Address<u8>,
        clients: BTreeSet<String>,
        most: Option<usize>,
        searches: bool,
    },
    Other,
}

type States = BTreeMap<String, (Option<State>, Option<Address<u8>>)>;

impl Host {
    pub(super) fn new(config: Config, seed: u64, server: Server, hostile: bool, now: Instant) -> Self {
        let ledger = Ledger::new(&config, hostile);
        let mut host = Self {
            gateway: Gateway::new(config, seed, now),
            now,
            ledger,
            server,
            got: Vec::new(),
            names: CLIENTS.into_iter().map(str::to_owned).collect(),
            heard: BTreeMap::new(),
            times: BTreeMap::new(),
            before: Counters::default(),
            reports: Reports::default(),
            history: DefaultHasher::new(),
        };
        host.settle(&Cause::Other);
        host
    }

    /// The client that the gateway knows at a place: one that is connected, if there is one.
    pub(super) fn client_at(&self, address: &Address<u8>) -> Option<&str> {
        let here = |name: &&String| self.gateway.address(name) == Some(address);
        let connected = |name: &&String| self.is_connected(name);
        let mut all = self.names.iter().filter(here);
        all.clone().find(connected).or_else(|| all.next()).map(String::as_str)
    }

    /// The client that is connected from a place.
    pub(super) fn connected_at(&self, address: &Address<u8>) -> Option<String> {
        let name = self.client_at(address)?;
        self.is_connected(name).then(|| name.to_owned())
    }

    fn is_connected(&self, name: &str) -> bool {
        !matches!(self.gateway.state(name), None | Some(State::Disconnected | State::Lost))
    }

    /// A datagram arrives. It concerns the client that is there, and whom it names; nobody else.
    pub(super) fn receive(&mut self, from: &Address<u8>, message: Vec<u8>, broadcast: bool) {
        let bytes = wrapped(from, message);
        let rules = self.rules();
        let packet = match Datagram::decode(&bytes, &rules) {
            Ok(Datagram::Packet(packet)) => Some((Address { peer: from.peer, node: None }, packet)),
            Ok(Datagram::Encapsulated(outer)) => {
                let node = Some(outer.wireless_node_id.into());
                let address = Address { peer: from.peer, node };
                self.heard.entry(Address { peer: from.peer, node: Some([].into()) }).or_default();
                self.heard.entry(address.clone()).or_default();
                Packet::decode_with(outer.message, &rules).ok().map(|packet| (address, packet))
            }
            Err(_) => None,
        };
        let address = packet.as_ref().map_or_else(|| from.clone(), |(address, _)| address.clone());
        self.heard.entry(address.clone()).or_default();
        self.heard.entry(Address { peer: from.peer, node: None }).or_default();
        let (clients, may_grow) = match &packet {
            Some((_, packet)) => self.concerned(&address, packet),
            None => (self.clients_at(&address), false),
        };
        let stranger = !clients.iter().any(|name| self.is_connected(name));
        let searches = matches!(packet, Some((_, Packet::SearchGw(_))));
        let most = (stranger && !may_grow).then_some(bytes.len());
        if let Some((_, packet)) = &packet
            && let Some(client) = self.client_at(&address).map(str::to_owned)
        {
            self.ledger.client_says(&client, packet);
        }
        self.times.retain(|(to, _), _| *to != address);
        let before = self.states();
        self.gateway.handle(Input::Datagram { from: from.peer, bytes: &bytes, broadcast }, self.now);
        let after = self.states();
        for (name, state) in before.iter().filter(|(name, _)| !clients.contains(*name)) {
            // One that was given its identifier may get it again, here.
            let again = *state == (None, None) && self.gateway.address(name) == Some(&address);
            assert!(again || after.get(name) == Some(state), "{name} is touched by {address:?}: {packet:?}");
        }
        self.settle(&Cause::Datagram { from: address, clients, most, searches });
    }

    fn rules(&self) -> Rules {
        let config = self.gateway.config();
        Rules { max_client_id: config.max_client_id.into(), rsmb_qos_minus_one: config.rsmb_qos_minus_one }
    }

    fn clients_at(&self, address: &Address<u8>) -> BTreeSet<String> {
        let here = |name: &&String| self.gateway.address(name) == Some(address);
        self.names.iter().filter(here).cloned().collect()
    }

    /// Whose sessions a message can change; and whether it can be one that lets a client in, which may get more than it sent.
    fn concerned(&mut self, address: &Address<u8>, packet: &Packet<'_>) -> (BTreeSet<String>, bool) {
        let mut clients = self.clients_at(address);
        let mut grows = false;
        match packet {
            Packet::Connect(connect) => {
                self.names.insert(connect.client_id.into());
                self.heard.entry(address.clone()).or_default().insert(connect.client_id.into());
                self.ledger.begins(connect.client_id);
                clients.insert(connect.client_id.into());
                grows = true;
            }
            Packet::WillTopic(_) | Packet::WillMsg(_) => {
                // A copy of another CONNECT does not end the handshake for a will.
                clients.extend(self.heard.get(address).into_iter().flatten().cloned());
                grows = true;
            }
            Packet::PingReq(ping) => {
                let rebinds = self.gateway.config().rebind_on_ping;
                clients.extend(ping.client_id.filter(|_| rebinds).map(str::to_owned));
            }
            _ => {}
        }
        (clients, grows)
    }

    /// The host answers what was asked of it, mostly with a connection; its output leaves; what the server says arrives.
    pub(super) fn flow(&mut self, index: usize, source: &mut Source<'_>) {
        let connection = &self.server.connections[index];
        if connection.broken && connection.to_gateway.is_empty() {
            return self.close(index);
        }
        if !connection.open {
            if source.once_in(16) {
                return self.close(index);
            }
            self.server.opened(index, self.now);
            let id = self.server.connections[index].id;
            self.gateway.handle(Input::Opened(id), self.now);
            self.settle(&Cause::Other);
        }
        self.write(index, source);
        self.read(index, source);
    }

    fn write(&mut self, index: usize, source: &mut Source<'_>) {
        let connection = &mut self.server.connections[index];
        let mut bytes: Vec<u8> = self.gateway.output(connection.id).flatten().copied().collect();
        bytes.truncate(source.mostly(&[usize::MAX, 0, 1, 7]));
        let input = Input::Sent { upstream: connection.id, bytes: bytes.len() };
        connection.announced =
            self.gateway.output(connection.id).map(<[u8]>::len).sum::<usize>() > bytes.len();
        let closing = connection.closing;
        self.gateway.handle(input, self.now);
        let dropped = self.gateway.counters().dropped();
        let names = self.server.receive(index, &bytes, source, &mut self.ledger, dropped, self.now);
        bytes.hash(&mut self.history);
        for name in names {
            self.report(name);
        }
        self.settle(&Cause::Other);
        if closing && !source.once_in(4) {
            self.close(index);
        }
    }

    fn read(&mut self, index: usize, source: &mut Source<'_>) {
        let Some(connection) = self.server.connections.get_mut(index).filter(|connection| connection.open)
        else {
            return;
        };
        let len = connection.to_gateway.len().min(source.mostly(&[usize::MAX, 0, 1, 7]));
        let mut bytes: Vec<u8> = connection.to_gateway.drain(..len).collect();
        if self.ledger.hostile && source.once_in(16) {
            source.spoil(&mut bytes);
        }
        connection.gets(&bytes, &mut self.ledger);
        self.gateway.handle(Input::Bytes { upstream: connection.id, bytes: &bytes }, self.now);
        self.settle(&Cause::Other);
    }

    /// A connection ends, or could not be opened.
    pub(super) fn close(&mut self, index: usize) {
        let id = self.server.connections[index].id;
        self.server.closed(index, self.now);
        self.gateway.handle(Input::Closed(id), self.now);
        assert_eq!(self.gateway.output(id).count(), 0);
        // It is too late for anything.
        self.gateway.handle(Input::Bytes { upstream: id, bytes: b"\x20\x02\0\0" }, self.now);
        self.gateway.handle(Input::Closed(id), self.now);
        self.settle(&Cause::Other);
    }

    /// Time passes. Nothing that is due is left; a tick that comes too early, or again, changes nothing.
    pub(super) fn tick(&mut self, now: Instant) {
        self.now = self.now.max(now);
        let due = self.gateway.next_deadline();
        self.gateway.handle(Input::Tick, self.now);
        if due.is_none_or(|due| due > self.now) {
            self.assert_unchanged(due);
        }
        self.settle(&Cause::Other);
        let next = self.gateway.next_deadline();
        assert!(next.is_none_or(|next| next > self.now), "a deadline is left behind");
        self.gateway.handle(Input::Tick, self.now);
        self.assert_unchanged(next);
        self.server.tick(self.now);
    }

    fn assert_unchanged(&mut self, deadline: Option<Instant>) {
        assert_eq!(self.gateway.poll_action(), None, "a tick of no use does something");
        assert_eq!(self.gateway.next_deadline(), deadline);
    }

    fn states(&self) -> States {
        let state = |name: &String| (self.gateway.state(name), self.gateway.address(name).cloned());
        self.names.iter().map(|name| (name.clone(), state(name))).collect()
    }

    /// Takes everything that the gateway says; then looks at the gateway.
    fn settle(&mut self, cause: &Cause) {
        let mut answered = 0;
        while let Some(action) = self.gateway.poll_action() {
            format!("{action:?}").hash(&mut self.history);
            match action {
                Action::Send { to, datagram } => {
                    answered += datagram.len();
                    self.sent(to, &datagram, cause);
                }
                Action::Broadcast { datagram, .. } => {
                    let packet = Packet::decode(&datagram).expect("a message");
                    let allowed = match packet {
                        Packet::Advertise(_) => matches!(cause, Cause::Other),
                        Packet::GwInfo(_) => matches!(cause, Cause::Datagram { searches: true, .. }),
                        _ => false,
                    };
                    assert!(allowed, "to all: {packet:?}");
                    self.report(format!("to all: {}", packet.message_type()));
                }
                Action::Open { upstream, .. } => self.server.asked_for(upstream),
                Action::Output(upstream) => {
                    let connection = self.server.connections.iter_mut().find(|one| one.id == upstream);
                    let connection = connection.expect("output on a connection that is gone");
                    assert!(!connection.announced, "output is announced again before all of it has left");
                    connection.announced = true;
                }
                Action::Close(upstream) => {
                    let connection = self.server.connections.iter_mut().find(|one| one.id == upstream);
                    let connection = connection.expect("the end of a connection that is gone");
                    assert!(!connection.closing, "closed twice");
                    connection.closing = true;
                }
                Action::Event(event) => self.event(&event, cause),
            }
        }
        if let Cause::Datagram { most: Some(most), .. } = cause {
            assert!(answered <= *most, "{answered} octets for {most} of a stranger");
        }
        self.check_numbers();
    }

    /// A datagram is one that a gateway may send, to somebody who was heard of.
    fn sent(&mut self, to: u8, datagram: &[u8], cause: &Cause) {
        let rules = Rules { max_client_id: usize::MAX, rsmb_qos_minus_one: false };
        let decoded = Datagram::decode(datagram, &rules);
        let (address, message) =
            match decoded.unwrap_or_else(|why| panic!("it sends {datagram:02X?}: {why:?}")) {
                Datagram::Packet(_) => (Address { peer: to, node: None }, datagram),
                Datagram::Encapsulated(outer) => {
                    (Address { peer: to, node: Some(outer.wireless_node_id.into()) }, outer.message)
                }
            };
        let packet = Packet::decode_with(message, &rules);
        let packet = packet.unwrap_or_else(|why| panic!("it sends {message:02X?}: {why:?}"));
        assert!(self.heard.contains_key(&address), "{packet:?} to {address:?}, whom nobody has heard of");
        if let Cause::Datagram { from, .. } = cause {
            assert_eq!(address, *from, "what one client says makes the gateway say {packet:?} to another");
        }
        let config = self.gateway.config();
        match &packet {
            Packet::Advertise(advertise) => assert_eq!(advertise.gateway_id, GATEWAY_ID),
            Packet::GwInfo(info) => assert_eq!((info.gateway_id, info.address), (GATEWAY_ID, None)),
            Packet::Publish(_) | Packet::Register(_) => {
                assert!(message.len() <= usize::from(config.max_message_size), "{} octets", message.len());
            }
            Packet::Disconnect(disconnect) => assert_eq!(disconnect.duration, None),
            Packet::ConnAck(_)
            | Packet::WillTopicReq
            | Packet::WillMsgReq
            | Packet::RegAck(_)
            | Packet::PubAck(_)
            | Packet::PubRec(_)
            | Packet::PubRel(_)
            | Packet::PubComp(_)
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::PingResp
            | Packet::WillTopicResp(_)
            | Packet::WillMsgResp(_) => {}
            packet => panic!("a gateway does not send {packet:?}"),
        }
        self.repeats(&address, &packet, cause);
        if let Some(client) = self.client_at(&address).map(str::to_owned) {
            let uncertain = self.gateway.counters().uncertain;
            self.ledger.client_is_told(&client, &packet, uncertain);
        }
        self.report(packet.message_type().to_string());
        self.got.push((address, message.to_vec()));
        if self.got.len() > KEPT {
            self.got.remove(0);
        }
    }

    /// `N_retry` repetitions to a client that says nothing; with DUP.
    fn repeats(&mut self, to: &Address<u8>, packet: &Packet<'_>, cause: &Cause) {
        match packet {
            Packet::ConnAck(_) => return self.times.retain(|(address, _), _| address != to),
            Packet::Publish(publish) if publish.delivery.message_id().is_some() => {}
            Packet::Register(_) | Packet::PubRel(_) => {}
            _ => return,
        }
        if !matches!(cause, Cause::Other) {
            return;
        }
        let mut bytes = Vec::new();
        first_sending(packet).encode(&mut bytes).expect("it was sent");
        let times = self.times.entry((to.clone(), bytes)).or_default();
        *times += 1;
        let most = 1 + u32::from(self.gateway.config().retries);
        assert!(*times <= most, "{packet:?} for the {times}. time");
        let dup = if let Packet::Publish(publish) = packet { publish.delivery.dup() } else { true };
        assert!(*times == 1 || dup, "{packet:?} again, without DUP");
    }

    fn event(&mut self, event: &Event<u8>, cause: &Cause) {
        let client = match event {
            Event::Connected { client_id, .. } | Event::Moved { client_id, .. } => {
                self.names.insert(client_id.as_ref().into());
                None
            }
            Event::Asleep { client_id, .. }
            | Event::Disconnected { client_id }
            | Event::Lost { client_id } => Some(client_id),
            Event::Refused { .. } | Event::UpstreamConnected { .. } | Event::UpstreamDisconnected { .. } => {
                None
            }
        };
        if let (Some(client), Cause::Datagram { clients, from, .. }) = (client, cause) {
            let own = clients.contains(&**client) || self.gateway.address(client) == Some(from);
            assert!(own, "what one client says makes this of another: {event:?}");
        }
        let name = format!("{event:?}");
        self.report(name.split(' ').next().unwrap_or_default().into());
    }

    fn check_numbers(&mut self) {
        let (config, gauges) = (self.gateway.config(), self.gateway.gauges());
        assert!(gauges.clients <= config.max_clients.into(), "{gauges:?}");
        assert!(gauges.active + gauges.asleep <= gauges.clients, "{gauges:?}");
        assert!(gauges.buffered <= config.max_buffered as u64, "{gauges:?}");
        let queues = gauges.clients * u64::from(config.queue.bytes);
        assert!(gauges.buffered <= queues, "{gauges:?}");
        assert!(gauges.filters <= config.upstream.max_filters.into(), "{gauges:?}");
        assert_eq!(gauges.upstreams, self.server.connections.len() as u64, "{gauges:?}");
        for connection in self.server.connections.iter().filter(|one| one.open && !one.closing) {
            let has_output = self.gateway.output(connection.id).next().is_some();
            assert_eq!(has_output, connection.announced, "output is announced, and nothing else is");
        }

        let counters = *self.gateway.counters();
        for ((name, before), (_, now)) in self.before.rows().into_iter().zip(counters.rows()) {
            assert!(now >= before, "{name} went from {before} to {now}");
        }
        self.before = counters;
        format!("{gauges:?}").hash(&mut self.history);
    }

    fn report(&mut self, name: String) {
        *self.reports.entry(name).or_default() += 1;
    }

    pub(super) fn history(&self) -> u64 {
        self.history.finish()
    }

    /// The server is well again; clients say nothing any more. When all are lost and all sessions have expired, nothing is kept.
    pub(super) fn wind_up(&mut self) {
        let mut rest = Source::new(&[]);
        self.ledger.hostile = true;
        while !self.server.connections.is_empty() && !self.server.connections.iter().all(|one| !one.open) {
            let open = self.server.connections.iter().position(|one| one.open);
            self.close(open.expect("one is open"));
        }
        let mut rounds = 0;
        let quiet = |host: &Self| {
            let gauges = host.gateway.gauges();
            (gauges.clients, gauges.buffered, gauges.filters) == (0, 0, 0) && gauges.upstreams <= 1
        };
        while !quiet(self) {
            for _ in 0..100 {
                if !self.server.connections.iter().any(Connection::waits) {
                    break;
                }
                for index in (0..self.server.connections.len()).rev() {
                    self.flow(index, &mut rest);
                }
            }
            let next = self.gateway.next_deadline().unwrap_or(self.now);
            let step = super::config::seconds(if rounds % 2 == 0 { 0 } else { 1000 });
            self.tick(next.max(self.now + step));
            rounds += 1;
            assert!(rounds < 1000, "something is kept for ever: {:?}", self.gateway.gauges());
        }
    }
}
