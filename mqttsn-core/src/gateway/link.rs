//! Connections to the MQTT server: an MQTT client each, and what its actions mean here.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::fmt::Debug;

use machine::Instant;
use mqtt_codec::{Properties, Property, ProtocolVersion, ReasonCode};
use mqtt_core::client::{self, Action as ClientAction, Client, DisconnectReason, Handle, Outcome};
use mqttsn_codec::{MessageId, ReturnCode};

use super::io::{self, Action, UpstreamId};
use super::oversize::{self, Cutter};
use super::peer::PeerKey;
use super::state::State;
use super::{Gateway, Mode, Timer, inbound};

/// An MQTT client and its connection.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(super) struct Link {
    pub(super) client: Box<Client>,
    /// The connection that is open, being opened, or being closed.
    pub(super) upstream: Option<UpstreamId>,
    /// Of that connection, before MQTT 5.
    cutter: Option<Cutter>,
    /// Whose it is; `None` for the gateway's own, and for one that is about to go.
    pub(super) owner: Option<PeerKey>,
    /// The place of the client that refers to it.
    pub(super) place: Option<u32>,
    /// Whom its requests are for.
    pub(super) origins: BTreeMap<Handle, Origin>,
    /// It goes when its connection is closed.
    pub(super) remove: bool,
    /// The host has been told to close the connection.
    pub(super) closing: bool,
    /// It had nothing to say for a while: the memory of its last messages can be given back.
    pub(super) quiet: bool,
    /// Its connection is being closed without DISCONNECT.
    pub(super) abrupt: bool,
    /// It is to take leave when the will is with the server.
    pub(super) leaving: bool,
    /// Who wants a connection under the same client identifier when this one is closed.
    pub(super) next: Option<PeerKey>,
}

/// Whom a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) peer: PeerKey,
    pub(super) what: What,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Publish(MessageId),
    Subscribe(MessageId),
    Unsubscribe(MessageId),
    /// The will of a client that is lost.
    Will,
    /// SUBSCRIBE or UNSUBSCRIBE of a shared filter; the peer means nothing.
    Filter(u32),
}

impl Link {
    pub(super) fn new(client: Client) -> Self {
        Self {
            client: Box::new(client),
            upstream: None,
            cutter: None,
            owner: None,
            place: None,
            origins: BTreeMap::new(),
            remove: false,
            closing: false,
            quiet: false,
            abrupt: false,
            leaving: false,
            next: None,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.client.is_connected()
    }
}

impl<P: Clone + Ord + Debug> Gateway<P> {
    /// What all connections have in common.
    pub(super) fn client_config(&self) -> client::Config {
        let upstream = &self.config.upstream;
        let max_packet_size = match self.version {
            ProtocolVersion::V5 => upstream.max_packet_size,
            ProtocolVersion::V3_1 | ProtocolVersion::V3_1_1 => oversize::largest(upstream.max_packet_size),
        };
        client::Config {
            version: self.version,
            keep_alive: upstream.keep_alive,
            username: upstream.username.clone(),
            password: upstream.password.clone(),
            connect_timeout: upstream.connect_timeout,
            reconnect: Some(upstream.backoff),
            max_packet_size,
            subscription_identifiers: false,
            topic_alias_maximum: 0,
            max_outgoing_topic_aliases: 0,
            ..client::Config::default()
        }
    }

    /// The gateway's own connection. Its session outlives the link, but not the gateway: that knows no subscriptions then.
    pub(super) fn open_hub(&mut self, now: Instant) {
        let needed = self.config.mode == Mode::Aggregating
            || self.config.qos_minus_one != super::MinusOnePolicy::Off
            || self.config.advertise.is_some();
        if !needed {
            return;
        }
        let upstream = &self.config.upstream;
        let random = upstream.client_id.is_empty();
        let config = client::Config {
            client_id: self.hub_id.as_ref().into(),
            clean_start: random
                || self.version == ProtocolVersion::V5
                || self.config.mode == Mode::Transparent,
            session_expiry: if self.config.mode == Mode::Aggregating { 3600 } else { 0 },
            max_queued: upstream.max_shared_queued,
            max_memory: upstream.max_memory,
            ..self.client_config()
        };
        let client = Client::new(config, self.random.next_u64(), now);
        let index = self.links.insert(Link::new(client)) as u32;
        self.hub = Some(index);
        if let Some(link) = self.links.get_mut(index as usize) {
            link.client.connect(now);
        }
        self.dirty.push_back(index);
    }

    pub(super) fn feed(&mut self, upstream: UpstreamId, input: client::Input<'_>, now: Instant) {
        let link = self.links.get_mut(upstream.index as usize);
        let Some(link) = link.filter(|link| link.upstream == Some(upstream)) else { return };
        let closed = matches!(input, client::Input::Closed);
        // What comes on a connection that is given up is not for anybody.
        match (input, &mut link.cutter) {
            (client::Input::Bytes(_), _) if link.abrupt => {}
            (client::Input::Bytes(bytes), Some(cutter)) => {
                cutter.cut(bytes, |bytes| _ = link.client.handle(client::Input::Bytes(bytes), now));
            }
            (input, _) => _ = link.client.handle(input, now),
        }
        if closed {
            link.upstream = None;
        }
        self.dirty.push_back(upstream.index);
    }

    /// A deadline of the link's client: most of the time that of its keep-alive.
    pub(super) fn link_due(&mut self, index: u32, now: Instant) {
        if let Some(link) = self.links.get_mut(index as usize) {
            link.quiet = true;
            link.client.handle(client::Input::Tick, now);
            self.dirty.push_back(index);
        }
    }

    /// Does what the clients of all links ask for, until none asks any more.
    pub(super) fn settle(&mut self, now: Instant) {
        while let Some(index) = self.dirty.pop_front() {
            while let Some(action) =
                self.links.get_mut(index as usize).and_then(|link| link.client.poll_action())
            {
                self.on_link_action(index, action, now);
            }
            // There are as many links as clients, and most say nothing most of the time.
            let link = self.links.get_mut(index as usize);
            if let Some(link) = link.filter(|link| link.quiet && link.client.output().next().is_none()) {
                link.quiet = false;
                link.client.shrink_to_fit();
            }
            match self.links.get(index as usize).and_then(|link| link.client.next_deadline()) {
                Some(due) => self.deadlines.set(Timer::Link(index), due),
                None => _ = self.deadlines.cancel(Timer::Link(index)),
            }
        }
    }

    fn on_link_action(&mut self, index: u32, action: ClientAction, now: Instant) {
        match action {
            ClientAction::Open { server } => {
                let upstream = UpstreamId { index, generation: self.next_generation };
                self.next_generation = self.next_generation.wrapping_add(1);
                if let Some(link) = self.links.get_mut(index as usize) {
                    (link.upstream, link.closing) = (Some(upstream), false);
                    let untold = link.client.config().version < ProtocolVersion::V5;
                    link.cutter = untold.then(|| Cutter::new(self.config.upstream.max_packet_size));
                }
                self.out.actions.push_back(Action::Open { upstream, server });
            }
            ClientAction::Output => self.say_output(index),
            ClientAction::Close => self.close_upstream(index),
            ClientAction::Connected { session_present, .. } => {
                self.on_link_connected(index, session_present, now);
            }
            ClientAction::Disconnected { reason, retry_at, .. } => {
                self.on_link_disconnected(index, reason, retry_at, now);
            }
            ClientAction::Message(message) => self.on_message(index, message, now),
            ClientAction::Completed { handle, outcome } => self.on_completed(index, handle, &outcome, now),
            ClientAction::Authenticate { .. }
            | ClientAction::Reauthenticated
            | ClientAction::Record { .. } => {}
        }
    }

    fn say_output(&mut self, index: u32) {
        if let Some(upstream) = self.links.get(index as usize).and_then(|link| link.upstream) {
            self.out.actions.push_back(Action::Output(upstream));
        }
    }

    /// The host closes the connection, and is told so once.
    pub(super) fn close_upstream(&mut self, index: u32) {
        let Some(link) = self.links.get_mut(index as usize) else { return };
        if let Some(upstream) = link.upstream.filter(|_| !core::mem::replace(&mut link.closing, true)) {
            self.out.actions.push_back(Action::Close(upstream));
        }
    }

    fn client_of(&self, index: u32) -> Option<Arc<str>> {
        let owner = self.links.get(index as usize)?.owner?;
        self.peers.get(owner.index as usize).map(|peer| Arc::clone(&peer.client_id))
    }

    fn on_link_connected(&mut self, index: u32, session_present: bool, now: Instant) {
        let client_id = self.client_of(index);
        self.out.event(io::Event::UpstreamConnected { client_id });
        if self.hub == Some(index) {
            self.advertise(now);
        } else {
            self.link_connected(index, session_present, now);
        }
    }

    fn on_link_disconnected(
        &mut self,
        index: u32,
        reason: DisconnectReason,
        retry_at: Option<Instant>,
        now: Instant,
    ) {
        let client_id = self.client_of(index);
        // The end of a connection that is given up is no news.
        let given_up = self.links.get(index as usize).is_none_or(|link| link.abrupt || link.remove);
        if !given_up && (client_id.is_some() || self.hub == Some(index)) {
            self.out.event(io::Event::UpstreamDisconnected { client_id, reason, retry_at });
        }
        let old = reason == DisconnectReason::Refused(ReasonCode::UNSUPPORTED_PROTOCOL_VERSION);
        let fall_back = old
            && self
                .links
                .get(index as usize)
                .is_some_and(|link| link.client.config().version == ProtocolVersion::V5 && !link.remove);
        if fall_back {
            self.version = ProtocolVersion::V3_1_1;
        }
        if self.hub == Some(index) {
            if fall_back {
                self.hub = None;
                self.remove_link(index, now);
                self.open_hub(now);
                self.subscribe_anew(now);
            } else {
                // Says nothing while there is no server, and forgets when it would have.
                self.advertise(now);
            }
        } else {
            self.link_disconnected(index, reason, fall_back, now);
        }
    }

    fn on_message(&mut self, index: u32, message: client::Message, now: Instant) {
        if self.hub != Some(index) {
            self.link_message(index, message, now);
        } else if self.config.mode == Mode::Aggregating {
            self.fan_out(message, now);
        }
    }

    fn on_completed(&mut self, index: u32, handle: Handle, outcome: &Outcome, now: Instant) {
        let Some(link) = self.links.get_mut(index as usize) else { return };
        let Some(Origin { peer, what }) = link.origins.remove(&handle) else { return };
        match what {
            What::Publish(id) => self.on_published(peer, id, outcome),
            What::Subscribe(id) => self.on_subscribed(peer, id, outcome),
            What::Unsubscribe(id) => self.answer_unsubscribe(peer, id),
            What::Will => self.will_done(index, outcome, now),
            What::Filter(filter) => self.filter_answered(filter, outcome, now),
        }
    }

    /// Takes leave of the server; with the session, if that is not to be resumed.
    pub(super) fn part(&mut self, index: u32, end_session: bool, now: Instant) {
        let Some(link) = self.links.get_mut(index as usize) else { return };
        let expiry = [Property::SessionExpiryInterval(0)];
        let expires = end_session && link.client.config().version == ProtocolVersion::V5;
        let properties = if expires { Properties::list(&expiry) } else { Properties::NONE };
        link.client.disconnect(ReasonCode::NORMAL_DISCONNECTION, properties, now);
        self.dirty.push_back(index);
    }

    pub(super) fn remove_link(&mut self, index: u32, now: Instant) {
        let Some(link) = self.links.try_remove(index as usize) else { return };
        self.deadlines.cancel(Timer::Link(index));
        self.out.counters.wills_dropped += u64::from(link.leaving);
        // Who still waits for an answer gets one.
        for Origin { peer, what } in link.origins.into_values() {
            match what {
                What::Publish(id) => {
                    self.message_done(peer, id, inbound::Event::Failed, ReturnCode::CONGESTION);
                }
                What::Subscribe(id) => self.answer_subscribe(peer, id, Err(ReturnCode::CONGESTION)),
                What::Unsubscribe(id) => self.answer_unsubscribe(peer, id),
                What::Will | What::Filter(_) => {}
            }
        }
        if let Some(peer) = link.place.and_then(|place| self.peers.get_mut(place as usize))
            && peer.link == Some(index)
        {
            peer.link = None;
        }
        // Unless it has gone meanwhile.
        if let Some(next) = link.next
            && self.peer(next).is_some_and(|peer| peer.state == State::Connecting)
        {
            self.connect_link(next, now);
        }
    }
}
