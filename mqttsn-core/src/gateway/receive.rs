//! What datagrams say, and to whom it is said: a client, a handshake, or the gateway itself.

use core::fmt::Debug;

use machine::Instant;
use mqttsn_codec::{Datagram, Disconnect, Malformed, Packet};

use super::Gateway;
use super::io::Address;
use super::peer::PeerKey;
use super::state::State;
use super::strangers::Deed;

impl<P: Clone + Ord + Debug> Gateway<P> {
    pub(super) fn on_datagram(&mut self, from: P, bytes: &[u8], broadcast: bool, now: Instant) {
        self.out.counters.received += 1;
        let rules = self.rules;
        match Datagram::decode(bytes, &rules) {
            Ok(Datagram::Packet(packet)) => {
                self.on_packet(&Address { peer: from, node: None }, &packet, broadcast, now);
            }
            Ok(Datagram::Encapsulated(encapsulated)) => {
                self.remember_forwarder(&from, now);
                let node = Some(encapsulated.wireless_node_id.into());
                let address = Address { peer: from, node };
                match Packet::decode_with(encapsulated.message, &rules) {
                    Ok(packet) => self.on_packet(&address, &packet, broadcast, now),
                    Err(malformed) => self.on_malformed(&address, malformed, now),
                }
            }
            Err(malformed) => self.on_malformed(&Address { peer: from, node: None }, malformed, now),
        }
    }

    /// No message, or one with a value that the protocol reserves: dropped, and answered where an answer helps.
    fn on_malformed(&mut self, address: &Address<P>, malformed: Malformed, now: Instant) {
        self.out.counters.malformed += 1;
        let Some(answer) = malformed.answer() else { return };
        let known = self.client_at(address).is_some_and(|(_, state)| state.is_connected());
        match answer {
            Packet::ConnAck(return_code) => self.refuse_connect(address, return_code, now),
            _ if known => self.out.send(address, &answer),
            _ => {}
        }
    }

    fn on_packet(&mut self, address: &Address<P>, packet: &Packet<'_>, broadcast: bool, now: Instant) {
        match packet {
            Packet::SearchGw(search) => self.on_search(address, *search, broadcast, now),
            Packet::Connect(connect) => self.on_connect(address, connect, now),
            Packet::PublishMinusOne(publish) => self.on_publish_minus_one(address, publish, now),
            Packet::WillTopic(topic) if self.handshake_at.contains_key(address) => {
                self.on_will_topic(address, topic.as_ref(), now);
            }
            Packet::WillMsg(message) if self.handshake_at.contains_key(address) => {
                self.on_will_message(address, message, now);
            }
            // Of other gateways, or of clients for each other.
            Packet::Advertise(_) | Packet::GwInfo(_) => {}
            Packet::ConnAck(_)
            | Packet::WillTopicReq
            | Packet::WillMsgReq
            | Packet::SubAck(_)
            | Packet::UnsubAck(_)
            | Packet::WillTopicResp(_)
            | Packet::WillMsgResp(_) => self.out.counters.unexpected += 1,
            _ => self.on_client_packet(address, packet, now),
        }
    }

    /// What only a client may send that has a connection.
    fn on_client_packet(&mut self, address: &Address<P>, packet: &Packet<'_>, now: Instant) {
        let known = self.client_at(address);
        match (packet, known) {
            (Packet::PingReq(ping), _) => {
                // §6.14: the identifier says who wakes, whatever the address.
                let other = ping.client_id.filter(|client_id| {
                    known.is_none_or(|(key, _)| {
                        self.peers.get(key.index as usize).is_none_or(|peer| &*peer.client_id != *client_id)
                    })
                });
                match other {
                    Some(client_id) => self.on_foreign_ping(address, client_id, now),
                    None => self.with_client(address, packet, known, now),
                }
            }
            _ => self.with_client(address, packet, known, now),
        }
    }

    fn with_client(
        &mut self,
        address: &Address<P>,
        packet: &Packet<'_>,
        known: Option<(PeerKey, State)>,
        now: Instant,
    ) {
        match known {
            // A client that did not get the acknowledgement asks again, whatever it is by now.
            Some((key, _))
                if matches!(packet, Packet::Disconnect(Disconnect { duration: None | Some(0) })) =>
            {
                self.on_disconnect(key, now);
            }
            Some((key, State::Active | State::Asleep | State::Awake)) => {
                self.touch(key, now);
                self.dispatch(key, packet, now);
                self.unpark(key, now);
                self.schedule(key.index);
            }
            Some((_, State::Connecting)) => self.out.counters.unexpected += 1,
            Some((_, State::Disconnected | State::Lost)) | None => self.on_stranger(address, packet, now),
        }
    }

    fn dispatch(&mut self, key: PeerKey, packet: &Packet<'_>, now: Instant) {
        match packet {
            Packet::Register(register) => self.on_register(key, register),
            Packet::RegAck(regack) => self.on_regack(key, *regack, now),
            Packet::Publish(publish) => self.on_publish(key, publish, now),
            Packet::PubAck(puback) => self.on_puback(key, *puback, now),
            Packet::PubRec(id) => self.on_pubrec(key, *id, now),
            Packet::PubComp(id) => self.on_pubcomp(key, *id, now),
            Packet::PubRel(id) => self.on_pubrel(key, *id, now),
            Packet::Subscribe(subscribe) => self.on_subscribe(key, subscribe, now),
            Packet::Unsubscribe(unsubscribe) => self.on_unsubscribe(key, unsubscribe, now),
            Packet::PingReq(_) => self.on_ping(key, now),
            Packet::PingResp => {}
            Packet::Disconnect(disconnect) => self.on_sleep(key, disconnect.duration.unwrap_or(0), now),
            Packet::WillTopicUpd(topic) => self.on_will_topic_update(key, topic.as_ref()),
            Packet::WillMsgUpd(message) => self.on_will_message_update(key, message),
            // It did not get CONNACK.
            Packet::WillMsg(_) => self.answer_connect_again(key),
            _ => self.out.counters.unexpected += 1,
        }
    }

    /// §5.4.21: who is not known is told so, and connects anew. Never an answer that could cause another one, nor to what
    /// is an answer itself.
    pub(super) fn on_stranger(&mut self, address: &Address<P>, packet: &Packet<'_>, now: Instant) {
        self.out.counters.strangers += 1;
        let answer = matches!(
            packet,
            Packet::Register(_)
                | Packet::Publish(_)
                | Packet::PubRel(_)
                | Packet::Subscribe(_)
                | Packet::Unsubscribe(_)
                | Packet::PingReq(_)
                | Packet::Disconnect(Disconnect { duration: Some(_) })
                | Packet::WillTopic(_)
                | Packet::WillMsg(_)
                | Packet::WillTopicUpd(_)
                | Packet::WillMsgUpd(_)
        );
        if answer && self.may_answer(address, now) {
            self.out.send(address, &Packet::Disconnect(Disconnect { duration: None }));
        }
    }

    /// Whether an address may be sent something that it has no connection for.
    pub(super) fn may_answer(&mut self, address: &Address<P>, now: Instant) -> bool {
        let allowed = self.strangers.allow(address, Deed::Answer, now);
        self.out.counters.strangers_limited += u64::from(!allowed);
        allowed
    }

    /// The client at an address.
    pub(super) fn client_at(&self, address: &Address<P>) -> Option<(PeerKey, State)> {
        let index = *self.by_address.get(address)?;
        self.peers.get(index as usize).map(|peer| (PeerKey { index, serial: peer.serial }, peer.state))
    }
}
