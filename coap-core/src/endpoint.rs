//! The whole: one machine that is client and server at once.

use alloc::collections::VecDeque;
use alloc::string::String;

use coap_codec::{Message, Options, Rules};
use machine::{Instant, Random};

use crate::client::{Client, Taken};
use crate::context::Context;
use crate::message::{Arrival, IncomingId, MessageLayer, Peer};
use crate::outbound::{Outbound, Owner};
use crate::resource::{Resource, ResourceId, core_links};
use crate::server::{Arrived, Server};
use crate::timers::earlier;
use crate::{Action, Config, Counters, Gauges, Handle, Input, Refused, Request, RequestId, Response};

/// A CoAP endpoint: datagrams, time and an application's wishes in, [`Action`]s out.
///
/// `P` is whatever tells peers apart and lets the host send to them: a socket address, a node number, a session of DTLS.
#[derive(Debug)]
pub struct Endpoint<P> {
    config: Config,
    random: Random,
    counters: Counters,
    outbound: Outbound<P>,
    client: Client<P>,
    server: Server<P>,
    actions: VecDeque<Action<P>>,
}

impl<P: Peer> Endpoint<P> {
    /// An endpoint without resources. Tokens, message ids and Echo values come from the seed: take 32 bytes of entropy.
    pub fn new(config: Config, seed: [u8; 32]) -> Self {
        // A key of its own: peers see tokens, and must not foretell Echo values from them.
        let of_echo = seed.map(|byte| byte ^ 0xEC);
        let mut random = Random::from_seed(seed);
        let layer_random = fork(&mut random);
        let layer = MessageLayer::new(config.transmission, config.limits, layer_random);
        let server = Server::new(&config, &mut random, Random::from_seed(of_echo));
        let client = Client::new(random.next_u64());
        Self {
            random,
            counters: Counters::default(),
            outbound: Outbound::new(layer),
            client,
            server,
            actions: VecDeque::new(),
            config,
        }
    }

    /// Takes an input in.
    pub fn handle(&mut self, input: Input<'_, P>, now: Instant) {
        match input {
            Input::Datagram { from, bytes, multicast, verified } => {
                self.counters.received += 1;
                self.datagram(&Datagram { from, bytes, multicast, verified }, now);
            }
            Input::Unreachable { peer } => self.unreachable(peer, now),
            Input::Tick => self.tick(now),
        }
        self.settle_events(now);
    }

    /// The next thing to do or to know, until `None`.
    pub fn poll_action(&mut self) -> Option<Action<P>> {
        if let Some(action) = self.actions.pop_front() {
            return Some(action);
        }
        let (to, datagram) = self.outbound.layer.poll_transmit()?;
        self.counters.sent += 1;
        Some(Action::Send { to, datagram })
    }

    /// When [`Input::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        let roles = earlier(self.client.next_deadline(), self.server.next_deadline());
        earlier(self.outbound.layer.next_deadline(), roles)
    }

    /// Sends a request to one peer. With Observe 0 among its options it registers for what the resource becomes (RFC 7641):
    /// responses then say that more may follow.
    ///
    /// # Errors
    /// [`Refused::WrongCode`], [`Refused::OptionTooLong`], [`Refused::TooLarge`], [`Refused::TokenInUse`], [`Refused::Full`],
    /// [`Refused::NoMessageId`].
    pub fn request(&mut self, to: P, request: Request, now: Instant) -> Result<Handle, Refused> {
        let (client, _, mut cx) = self.parts(now);
        let asked = client.request(to, request, &mut cx);
        self.settle_events(now);
        asked
    }

    /// Sends a request to all that listen on a multicast address, without asking for acknowledgements (RFC 7252 §8). Responses come
    /// from any peer until the time for them is over ([`Failure::GroupClosed`](crate::Failure::GroupClosed)); bodies in blocks are
    /// fetched from each.
    ///
    /// # Errors
    /// As [`request`](Self::request), and [`Refused::NotForGroups`].
    pub fn request_group(&mut self, group: P, request: Request, now: Instant) -> Result<Handle, Refused> {
        let (client, _, mut cx) = self.parts(now);
        let asked = client.request_group(group, request, &mut cx);
        self.settle_events(now);
        asked
    }

    /// Asks for a sign of life (RFC 7252 §4.3).
    ///
    /// # Errors
    /// [`Refused::Full`], [`Refused::NoMessageId`].
    pub fn ping(&mut self, to: P, now: Instant) -> Result<Handle, Refused> {
        let (client, _, mut cx) = self.parts(now);
        let asked = client.ping(to, &mut cx);
        self.settle_events(now);
        asked
    }

    /// Forgets a request of this endpoint; one that has ended is ignored. The peer is told nothing; a later notification gets a Reset.
    pub fn cancel(&mut self, handle: Handle, now: Instant) {
        let (client, _, mut cx) = self.parts(now);
        client.cancel(handle, &mut cx);
        self.settle_events(now);
    }

    /// Asks the peer to end an observation (RFC 7641 §3.6). The response to that, or its failure, ends the handle.
    ///
    /// # Errors
    /// [`Refused::Unknown`] when the handle is no observation's.
    pub fn deregister(&mut self, handle: Handle, now: Instant) -> Result<(), Refused> {
        let (client, _, mut cx) = self.parts(now);
        let asked = client.deregister(handle, &mut cx);
        self.settle_events(now);
        asked
    }

    /// Answers a peer's request.
    ///
    /// # Errors
    /// [`Refused::Unknown`] when it needs no answer any more, [`Refused::WrongCode`], [`Refused::OptionTooLong`],
    /// [`Refused::TooLarge`]; [`Refused::Full`] and [`Refused::NoMessageId`] when it cannot be sent now, then it may be tried again.
    pub fn respond(&mut self, id: RequestId, response: Response, now: Instant) -> Result<(), Refused> {
        let (_, server, mut cx) = self.parts(now);
        let responded = server.respond(id, response, &mut cx);
        self.settle_events(now);
        responded
    }

    /// Adds a resource. Requests for it become [`Action::Request`]s, and `/.well-known/core` lists it (RFC 6690).
    ///
    /// # Errors
    /// [`Refused::PathInUse`].
    pub fn add_resource(&mut self, resource: Resource) -> Result<ResourceId, Refused> {
        self.server.resources.insert(resource)
    }

    /// Takes a resource out; its observers are told 4.04 (RFC 7641 §4.2). One that is gone is ignored.
    pub fn remove_resource(&mut self, id: ResourceId, now: Instant) {
        let (_, server, mut cx) = self.parts(now);
        server.remove_resource(id, &mut cx);
        self.settle_events(now);
    }

    /// The state of a resource has changed: each observer's request comes again as an [`Action::Request`], and the answer to it
    /// becomes the notification.
    pub fn changed(&mut self, id: ResourceId, now: Instant) {
        let (_, server, mut cx) = self.parts(now);
        server.changed(id, &mut cx);
        self.settle_events(now);
    }

    /// The links of `/.well-known/core` (RFC 6690), all of them.
    pub fn links(&self) -> String {
        core_links(&self.server.resources, Options::EMPTY)
    }

    /// What was dropped, and other counts.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What there is right now.
    pub fn gauges(&self) -> Gauges {
        let mut gauges =
            Gauges { requests: self.client.len(), awaited: self.outbound.awaited(), ..self.server.gauges() };
        self.outbound.layer.gauge(&mut gauges);
        gauges
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    fn unreachable(&mut self, peer: P, now: Instant) {
        self.outbound.layer.unreachable(peer, now);
        self.settle_events(now);
        let (client, server, mut cx) = self.parts(now);
        client.unreachable(peer, &mut cx);
        server.unreachable(peer, &mut cx);
    }

    fn tick(&mut self, now: Instant) {
        self.outbound.layer.tick(&mut self.counters, now);
        self.settle_events(now);
        let (_, server, mut cx) = self.parts(now);
        server.tick(&mut cx);
        // A request that ends may let the next one go, which may want to wait no time at all.
        while self.client.next_deadline().is_some_and(|at| at <= now) {
            let (client, _, mut cx) = self.parts(now);
            client.tick(&mut cx);
            self.settle_events(now);
        }
    }

    fn datagram(&mut self, datagram: &Datagram<'_, P>, now: Instant) {
        let Datagram { from, bytes, multicast, verified } = *datagram;
        let rules = Rules { max_token_len: self.config.max_token_len };
        let message = match Message::decode(bytes, &rules) {
            Ok(message) => message,
            Err(rejected) => {
                self.counters.malformed += 1;
                return self.outbound.layer.malformed(
                    from,
                    rejected.reaction,
                    multicast,
                    &mut self.counters,
                    now,
                );
            }
        };
        let arrival = self.outbound.layer.receive(from, &message, multicast, &mut self.counters, now);
        // Acknowledgements and Resets have their effect before what the message asks for.
        self.settle_events(now);
        match arrival {
            Arrival::Nothing => {}
            Arrival::Request { incoming, confirmable } => {
                let len = bytes.len();
                let (_, server, mut cx) = self.parts(now);
                server.request(
                    &Arrived { from, message, incoming, confirmable, multicast, verified, len },
                    &mut cx,
                );
            }
            Arrival::Response { acknowledges, incoming, confirmable } => {
                let (client, _, mut cx) = self.parts(now);
                let taken = client.response(from, &message, acknowledges, &mut cx);
                self.conclude(taken, incoming, confirmable, now);
            }
        }
    }

    /// The messages of responses: acknowledged when taken, and rejected otherwise, which for all but confirmable ones is to be silent
    /// (RFC 7252 §4.2, §4.3).
    fn conclude(&mut self, taken: Taken, incoming: Option<IncomingId>, confirmable: bool, now: Instant) {
        self.counters.unmatched += u64::from(taken == Taken::Unknown);
        let Some(incoming) = incoming else { return };
        match taken {
            Taken::Accepted if confirmable => self.outbound.layer.acknowledge(incoming, now),
            Taken::Accepted => self.outbound.layer.ignore(incoming),
            // A Reset to a notification ends the observation, of whatever type its message is (RFC 7641 §3.6).
            Taken::Unknown | Taken::Rejected => self.outbound.layer.reset(incoming, now),
        }
    }

    /// Tells the owners of messages what became of them.
    #[inline]
    fn settle_events(&mut self, now: Instant) {
        if self.outbound.layer.has_events() {
            self.tell_owners(now);
        }
    }

    #[inline(never)]
    fn tell_owners(&mut self, now: Instant) {
        while let Some((event, id, owner)) = self.outbound.poll_event() {
            let (client, server, mut cx) = self.parts(now);
            match owner {
                Owner::Exchange(key) => client.message_event(key, id, event, &mut cx),
                Owner::Observer(observer) => server.notification_event(observer, id, event, &mut cx),
            }
        }
    }

    fn parts(&mut self, now: Instant) -> (&mut Client<P>, &mut Server<P>, Context<'_, P>) {
        let context = Context {
            outbound: &mut self.outbound,
            actions: &mut self.actions,
            counters: &mut self.counters,
            config: &self.config,
            random: &mut self.random,
            now,
        };
        (&mut self.client, &mut self.server, context)
    }
}

struct Datagram<'a, P> {
    from: P,
    bytes: &'a [u8],
    multicast: bool,
    verified: bool,
}

fn fork(random: &mut Random) -> Random {
    let mut seed = [0; 32];
    random.fill(&mut seed);
    Random::from_seed(seed)
}
