//! An application on this workspace's client: it follows every handle to its end, stores what it is told to store, crashes,
//! and comes back with what it has stored. What it did and saw is noted in the ledger, as the model's deeds are.

mod notebook;
mod requests;

use std::collections::BTreeMap;
use std::time::Duration;

use machine::{Instant, Random};
use mqtt_codec::{Properties, ProtocolVersion, QoS, ReasonCode};
use mqtt_core::client::{Action, Backoff, Client, Config, DeliveryId, Handle, Input, Message};

use self::notebook::Notebook;
use super::ledger::{Arrival, Fate, Ledger};
use super::participant::Participant;
use super::scenario::{ApplicationSpec, ClientSpec, Faults, NEVER, Op};
use crate::agenda::Agenda;
use crate::contract;
use crate::net::LinkId;

#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each holds on its own")]
pub(crate) struct Application {
    spec: ClientSpec,
    options: ApplicationSpec,
    index: usize,
    random: Random,
    /// How long storage takes, at most.
    storage: Duration,
    /// How long it is down after a crash, at most.
    downtime: Duration,
    /// `None` while it is down.
    client: Option<Client>,
    notebook: Notebook,
    agenda: Agenda<Due>,
    stalled_until: Option<Instant>,

    /// Wants to be connected.
    wanted: bool,
    link: Option<LinkId>,
    /// The client has asked for a connection.
    dial: bool,
    /// The client has asked to close its connection.
    close: bool,
    /// The client has announced output that has not left.
    announced: bool,
    /// There was a session.
    established: bool,
    /// CONNACK has come.
    connected: bool,
    /// A connection was lost before CONNACK, and none was accepted since.
    unanswered: bool,

    /// What is under way.
    tasks: BTreeMap<Handle, Task>,
    /// What it wants to be subscribed to: places in the ledger.
    filters: BTreeMap<String, usize>,
    /// Subscriptions that it has taken back and that are not gone.
    leaving: Vec<usize>,
    /// Those that are gone, with the number of records that say so.
    left: Vec<(usize, usize)>,
}

/// What a handle is for: a message's number, or the place of a subscription in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Publish(usize),
    Subscribe(usize),
    Unsubscribe(usize),
}

#[derive(Debug)]
enum Due {
    Durable(usize),
    Acknowledge(DeliveryId),
    Restart,
}

impl Application {
    pub(crate) fn new(
        spec: ClientSpec,
        options: ApplicationSpec,
        index: usize,
        faults: &Faults,
        mut random: Random,
        now: Instant,
    ) -> Self {
        let client = Client::new(config(&spec, options), random.next_u64(), now);
        Self {
            spec,
            options,
            index,
            random,
            storage: faults.storage,
            downtime: faults.downtime,
            client: Some(client),
            notebook: Notebook::default(),
            agenda: Agenda::default(),
            stalled_until: None,
            wanted: false,
            link: None,
            dial: false,
            close: false,
            announced: false,
            established: false,
            connected: false,
            unanswered: false,
            tasks: BTreeMap::new(),
            filters: BTreeMap::new(),
            leaving: Vec::new(),
            left: Vec::new(),
        }
    }

    fn input(&mut self, input: Input<'_>, now: Instant, ledger: &mut Ledger) {
        if let Some(client) = &mut self.client {
            client.handle(input, now);
            self.drain(now, ledger);
        }
    }

    fn drain(&mut self, now: Instant, ledger: &mut Ledger) {
        while let Some(action) = self.client.as_mut().and_then(Client::poll_action) {
            self.act(action, now, ledger);
        }
    }

    fn act(&mut self, action: Action, now: Instant, ledger: &mut Ledger) {
        match action {
            Action::Open { .. } => self.dial = true,
            Action::Output => self.announced = true,
            Action::Close => self.close = true,
            Action::Connected { session_present, .. } => self.connected(session_present, now, ledger),
            Action::Disconnected { .. } => {}
            Action::Message(message) => self.arrived(&message, now, ledger),
            Action::Completed { handle, outcome } => self.completed(handle, &outcome, now, ledger),
            Action::Record { number, changes } => {
                let count = self.notebook.write(changes);
                if number != self.notebook.number(count) {
                    self.fault(now, ledger, &format!("was given {number:?} out of turn"));
                }
                let done = now + self.random.between(Duration::ZERO, self.storage);
                let done = self.notebook.busy_until.map_or(done, |busy| busy.max(done));
                self.notebook.busy_until = Some(done);
                self.agenda.schedule(done, Due::Durable(count));
            }
            Action::Authenticate { .. } | Action::Reauthenticated => {
                self.fault(now, ledger, "was asked to authenticate");
            }
        }
    }

    fn connected(&mut self, session_present: bool, now: Instant, ledger: &mut Ledger) {
        self.connected = true;
        let unanswered = std::mem::take(&mut self.unanswered);
        if session_present {
            if unanswered && self.spec.expiry > 0 && self.spec.expiry < NEVER {
                self.doubt_session(now, ledger);
            }
            return;
        }
        if self.established && self.spec.expiry == NEVER {
            self.fault(now, ledger, "finds its session lost");
        }
        self.session_lost(now, ledger);
        self.established = true;
    }

    fn arrived(&mut self, message: &Message, now: Instant, ledger: &mut Ledger) {
        let (qos, retain) = (message.qos, message.retain);
        let (client, topic, payload) = (self.index, message.topic(), message.payload());
        let place = ledger.deliver(&Arrival { client, topic, payload, qos, retain }, now);
        if let (Some(place), Some(packet_id), QoS::ExactlyOnce) = (place, message.packet_id, qos) {
            self.notebook.unrecorded.push((packet_id, place));
        }
        if let Some(delivery) = message.delivery {
            let at = now + self.random.between(Duration::ZERO, self.spec.ack_delay);
            self.agenda.schedule(at, Due::Acknowledge(delivery));
        }
    }

    fn acknowledge(&mut self, delivery: DeliveryId, now: Instant, ledger: &mut Ledger) {
        // What came on another connection with QoS 1 comes again.
        _ = self.client.as_mut().map(|client| client.acknowledge(delivery, now));
        self.drain(now, ledger);
    }

    /// Nothing but records survives.
    fn crash(&mut self, now: Instant, ledger: &mut Ledger) {
        if !self.options.durable || self.client.take().is_none() {
            return;
        }
        let survive = self.random.below(self.notebook.lag() as u64 + 1) as usize;
        // It will not know that the session which there is now is not the one of its messages.
        self.unanswered |= self.notebook.would_forget_lost_session(survive);
        for place in self.notebook.crash(survive) {
            ledger.delivered[place].revoked = true;
        }
        self.forget_what_left(ledger);
        self.unanswered |= self.link.take().is_some() && !self.connected;
        self.stalled_until = None;
        (self.dial, self.close, self.announced) = (false, false, false);
        self.agenda.clear();
        let downtime = self.random.between(Duration::ZERO, self.downtime);
        self.agenda.schedule(now + downtime, Due::Restart);
    }

    fn restart(&mut self, now: Instant, ledger: &mut Ledger) {
        let mut client = Client::new(config(&self.spec, self.options), self.random.next_u64(), now);
        let numbers = self.notebook.unfinished();
        let handles = match client.restore(self.notebook.changes(), now) {
            Ok(handles) => handles,
            Err(refused) => return self.fault(now, ledger, &format!("restore: {refused}")),
        };
        self.client = Some(client);
        if self.notebook.is_empty() {
            // It does not know that there was anything: it may begin a new session.
            self.established = false;
            if self.options.clean_start {
                ledger.discard_spans(self.index);
            }
        }
        if handles.len() != numbers.len() {
            self.fault(now, ledger, &format!("has {} handles for the messages {numbers:?}", handles.len()));
        }
        for task in std::mem::take(&mut self.tasks).into_values() {
            if let Task::Publish(number) = task
                && !numbers.contains(&number)
            {
                ledger.give_up(number);
            }
        }
        ledger.restarts += 1;
        ledger.restored += numbers.len();
        for number in &numbers {
            let message = &mut ledger.published[*number];
            message.repeated |= matches!(message.fate, Fate::Acknowledged(_));
        }
        self.tasks = handles.into_iter().zip(numbers.into_iter().map(Task::Publish)).collect();
        self.request_all_again(now, ledger);
        if self.wanted {
            self.connect(now, ledger);
        }
    }

    fn connect(&mut self, now: Instant, ledger: &mut Ledger) {
        if let Some(client) = &mut self.client {
            client.connect(now);
            self.drain(now, ledger);
        }
    }

    fn disconnect(&mut self, now: Instant, ledger: &mut Ledger) {
        if let Some(client) = &mut self.client {
            client.disconnect(ReasonCode::NORMAL_DISCONNECTION, Properties::NONE, now);
            self.dial = false;
            self.drain(now, ledger);
        }
    }

    fn fault(&self, now: Instant, ledger: &mut Ledger, what: &str) {
        ledger.fault(now, format!("{} {what}", self.spec.id));
    }
}

impl Participant for Application {
    fn link(&self) -> Option<LinkId> {
        self.link
    }

    fn wants_link(&self) -> bool {
        self.link.is_none() && self.dial
    }

    fn is_leaving(&self) -> bool {
        self.close
    }

    fn reads(&self) -> bool {
        self.stalled_until.is_none()
    }

    fn output(&self) -> Vec<u8> {
        let client = self.client.iter().filter(|_| self.announced);
        client.flat_map(Client::output).flatten().copied().collect()
    }

    fn sent(&mut self, bytes: usize, now: Instant, ledger: &mut Ledger) {
        let all = bytes == self.output().len();
        self.announced = !all;
        self.input(Input::Sent(bytes), now, ledger);
    }

    fn perform(&mut self, op: &Op, now: Instant, ledger: &mut Ledger) {
        match op {
            Op::Connect => {
                self.wanted = true;
                self.connect(now, ledger);
            }
            Op::Publish { topic, qos, retain, size, expiry } => {
                self.publish((topic, *qos, *retain), *size, *expiry, now, ledger);
            }
            Op::Subscribe(filter, qos) => self.want(filter, *qos, now, ledger),
            Op::Unsubscribe(filter) => self.unsubscribe(filter, now, ledger),
            Op::Disconnect => {
                self.wanted = false;
                self.disconnect(now, ledger);
            }
            Op::Drop => {
                self.wanted = false;
                self.lost(now, ledger);
                self.disconnect(now, ledger);
            }
            Op::Crash => self.crash(now, ledger),
            Op::Stall(span) => self.stalled_until = self.link.map(|_| now + *span),
            Op::ClearRetained(_) | Op::Clean => {}
        }
    }

    fn dialled(&mut self, link: LinkId, now: Instant, ledger: &mut Ledger) {
        self.link = Some(link);
        (self.dial, self.connected) = (false, false);
        self.input(Input::Opened, now, ledger);
    }

    fn receive(&mut self, bytes: &[u8], now: Instant, ledger: &mut Ledger) {
        self.input(Input::Bytes(bytes), now, ledger);
    }

    fn lost(&mut self, now: Instant, ledger: &mut Ledger) {
        if self.link.take().is_some() {
            self.unanswered |= !self.connected;
            (self.close, self.announced, self.stalled_until) = (false, false, None);
            self.input(Input::Closed, now, ledger);
        }
    }

    fn patience(&mut self) -> Option<Duration> {
        None
    }

    fn next_deadline(&self) -> Option<Instant> {
        let client = self.client.as_ref().and_then(Client::next_deadline);
        [client, self.agenda.next_deadline(), self.stalled_until].into_iter().flatten().min()
    }

    fn wake(&mut self, now: Instant, ledger: &mut Ledger) -> bool {
        if let Some(client) = self.client.as_mut().filter(|client| client.next_deadline() <= Some(now))
            && client.next_deadline().is_some()
        {
            for action in contract::tick(client, now) {
                self.act(action, now, ledger);
            }
            self.drain(now, ledger);
        }
        while let Some(due) = self.agenda.pop(now) {
            match due {
                Due::Durable(count) => {
                    self.notebook.durable = count;
                    self.input(Input::Durable { up_to: self.notebook.number(count) }, now, ledger);
                }
                Due::Acknowledge(delivery) => self.acknowledge(delivery, now, ledger),
                Due::Restart => self.restart(now, ledger),
            }
        }
        let reads_again = self.stalled_until.is_some_and(|until| until <= now);
        if reads_again {
            self.stalled_until = None;
        }
        reads_again
    }

    fn is_idle(&self) -> bool {
        let nothing_waits = self.client.as_ref().is_some_and(|client| client.unfinished() == 0);
        nothing_waits && self.tasks.is_empty()
    }
}

fn config(spec: &ClientSpec, options: ApplicationSpec) -> Config {
    Config {
        version: spec.version,
        client_id: spec.id.clone(),
        clean_start: spec.expiry == 0 || (options.clean_start && spec.version == ProtocolVersion::V5),
        session_expiry: spec.expiry,
        keep_alive: spec.keep_alive,
        receive_maximum: if spec.receive_maximum == 0 { u16::MAX } else { spec.receive_maximum },
        topic_alias_maximum: spec.alias_maximum,
        max_outgoing_topic_aliases: spec.alias_maximum,
        max_inflight: options.max_inflight,
        reconnect: Some(Backoff { min: spec.patience, max: 4 * spec.patience }),
        resubscribe: options.resubscribe,
        manual_acknowledgement: options.manual_acknowledgement,
        durable: options.durable,
        ..Config::default()
    }
}
