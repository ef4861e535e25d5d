//! What a client sends.

use machine::Instant;
use mqtt_codec::{Packet, QoS};

use super::super::ledger::{Fate, Ledger, Published, Span, payload};
use super::super::scenario::Op;
use super::super::session::{Outgoing, Request};
use super::super::wire;
use super::Client;

impl Client {
    /// Does what the scenario says, as far as it is not about connections.
    pub(super) fn act(&mut self, op: &Op, now: Instant, ledger: &mut Ledger) {
        match op {
            Op::Connect => {
                // A session that was to be ended is ended first: nobody else could tell a new one from it.
                self.wanted = true;
                self.again = self.clean;
            }
            Op::Publish { topic, qos, retain, size, expiry } => {
                let payload = payload(ledger.published.len(), *size);
                let number = self.note(topic, *qos, *retain, payload, *expiry, ledger);
                self.send_or_wait(number, now, ledger);
            }
            Op::ClearRetained(topic) => {
                let number = self.note(topic, QoS::AtLeastOnce, true, String::new(), None, ledger);
                self.send_or_wait(number, now, ledger);
            }
            Op::Subscribe(filter, qos) => self.want(filter, *qos, now, ledger),
            Op::Unsubscribe(filter) => {
                if let Some(place) = self.filters.remove(filter) {
                    ledger.spans[place].leaving.get_or_insert(now);
                    self.leaving.push(place);
                    self.request(Request::Unsubscribe(place), ledger);
                }
            }
            Op::Disconnect => self.disconnect(now, ledger),
            Op::Drop => self.wanted = false,
            // It has no storage to come back from.
            Op::Crash => {}
            Op::Stall(span) => self.stalled_until = self.link.map(|_| now + *span),
            Op::Clean => {
                self.disconnect(now, ledger);
                self.clean = true;
                self.wanted = true;
                self.filters.clear();
                ledger.discard_spans(self.index);
                self.backlog.drain(..).for_each(|number| ledger.give_up(number));
            }
        }
    }

    /// DISCONNECT; the caller closes the connection.
    pub(super) fn disconnect(&mut self, now: Instant, ledger: &mut Ledger) {
        self.wanted = false;
        self.closing = self.link.is_some();
        if self.connected {
            wire::disconnect(self.spec.version, &mut self.output);
            if let Some(will) = self.will {
                ledger.wills[will].taken_back = true;
            }
        }
        if self.clean && self.connected {
            self.forget_session(now, ledger);
        }
    }

    /// CONNACK has come: goes on where the last connection ended.
    pub(super) fn resume(&mut self, now: Instant, ledger: &mut Ledger) {
        for Outgoing { packet_id, number, released } in &self.session.outgoing {
            if *released {
                let pubrel = Packet::PubRel(wire::success(wire::id(*packet_id)));
                wire::put(&pubrel, self.spec.version, &mut self.output);
            } else {
                let message = &ledger.published[*number];
                wire::publish(self.spec.version, message, *packet_id, true, &mut self.output);
            }
        }
        let filters: Vec<_> = self.filters.iter().map(|(filter, place)| (filter.clone(), *place)).collect();
        for (filter, place) in filters {
            let span = &ledger.spans[place];
            if span.leaving.is_some() {
                let qos = span.qos;
                self.want(&filter, qos, now, ledger);
            } else if span.granted.is_none() {
                self.request(Request::Subscribe(place), ledger);
            }
        }
        for place in self.leaving.clone() {
            self.request(Request::Unsubscribe(place), ledger);
        }
        self.pump(now, ledger);
    }

    /// Sends messages that wait, as far as the window allows.
    pub(super) fn pump(&mut self, now: Instant, ledger: &mut Ledger) {
        while self.connected && self.session.outgoing.len() < self.window {
            let Some(number) = self.backlog.pop_front() else { return };
            let packet_id = self.session.take_id();
            self.session.outgoing.push(Outgoing { packet_id, number, released: false });
            self.send(number, packet_id, now, ledger);
        }
    }

    fn note(
        &self,
        topic: &str,
        qos: QoS,
        retain: bool,
        payload: String,
        expiry: Option<u32>,
        ledger: &mut Ledger,
    ) -> usize {
        let (client, topic) = (self.index, topic.to_owned());
        ledger.publish(Published {
            client,
            topic,
            qos,
            retain,
            payload,
            expiry,
            sent: None,
            fate: Fate::Open,
            repeated: false,
            doubtful: false,
        })
    }

    fn send_or_wait(&mut self, number: usize, now: Instant, ledger: &mut Ledger) {
        if ledger.published[number].qos > QoS::AtMostOnce {
            self.backlog.push_back(number);
            return self.pump(now, ledger);
        }
        ledger.give_up(number);
        if self.connected {
            self.send(number, 0, now, ledger);
        }
    }

    fn send(&mut self, number: usize, packet_id: u16, now: Instant, ledger: &mut Ledger) {
        let message = &mut ledger.published[number];
        message.sent = Some(now);
        wire::publish(self.spec.version, message, packet_id, false, &mut self.output);
    }

    /// Makes a subscription, in place of one with the same filter.
    fn want(&mut self, filter: &str, qos: QoS, now: Instant, ledger: &mut Ledger) {
        let place = ledger.spans.len();
        let same = |leaving: &usize| ledger.spans[*leaving].filter == filter;
        let taken_back = self.leaving.iter().position(same).map(|at| self.leaving.remove(at));
        let replaces = self.filters.insert(filter.to_owned(), place).or(taken_back);
        if let Some(before) = replaces {
            ledger.spans[before].leaving.get_or_insert(now);
        }
        let (client, filter) = (self.index, filter.to_owned());
        ledger.spans.push(Span {
            client,
            filter,
            qos,
            asked: now,
            granted: None,
            leaving: None,
            gone: None,
            replaces,
            discarded: false,
        });
        self.request(Request::Subscribe(place), ledger);
    }

    /// Sends SUBSCRIBE or UNSUBSCRIBE, if there is a connection.
    fn request(&mut self, request: Request, ledger: &Ledger) {
        if !self.connected {
            return;
        }
        let packet_id = self.session.take_id();
        self.session.requests.insert(packet_id, request);
        let version = self.spec.version;
        match request {
            Request::Subscribe(place) => {
                let span = &ledger.spans[place];
                wire::subscribe(version, packet_id, &span.filter, span.qos, &mut self.output);
            }
            Request::Unsubscribe(place) => {
                let filter = &ledger.spans[place].filter;
                wire::unsubscribe(version, packet_id, filter, &mut self.output);
            }
        }
    }
}
