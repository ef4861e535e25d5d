//! REGISTER from clients, and what topic ids stand for (§6.5, §6.7).

use core::fmt::Debug;

use mqttsn_codec::{Packet, RegAck, Register, ReturnCode, ShortTopic, Topic, TopicId};

use super::Gateway;
use super::config::Config;
use super::peer::{Peer, PeerKey, Request, RequestKind};
use super::predefined::Predefined;

/// What a message to a client is sent under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outgoing {
    /// The client knows it.
    Send(Topic),
    /// The client is to be told what the id stands for first (§6.10).
    Register(TopicId),
    /// The client does not want the topic.
    Refused,
    /// All ids are in use.
    NoId,
}

impl<P: Clone + Ord + Debug> Gateway<P> {
    pub(super) fn on_register(&mut self, key: PeerKey, register: &Register<'_>) {
        let name = register.topic_name;
        let valid = self.may_publish_to(name);
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let (topic_id, return_code) = if valid {
            match assign(peer, &self.config, name) {
                Some(id) => {
                    peer.topics.hold(id);
                    peer.topics.set_known(id, true);
                    (id.get(), ReturnCode::ACCEPTED)
                }
                None => (0, ReturnCode::CONGESTION),
            }
        } else {
            (0, ReturnCode::NOT_SUPPORTED)
        };
        let regack = RegAck { topic_id, message_id: register.message_id, return_code };
        self.out.send(&peer.address, &Packet::RegAck(regack));
    }
}

/// The client's id of a topic, a new one if it has none.
pub(super) fn assign<P>(peer: &mut Peer<P>, config: &Config, name: &str) -> Option<TopicId> {
    let sending = peer.slot.as_ref().and_then(|slot| slot.topic_id());
    // What SUBACK will tell.
    let told = |id: TopicId, request: &Request| request.kind == RequestKind::Subscribe { topic_id: id.get() };
    let pinned = |id| sending == Some(id) || peer.requests.iter().any(|request| told(id, request));
    peer.topics.assign(name, config.max_topics, pinned)
}

/// The topic name that a client means.
pub(super) fn topic_name<'a, P>(
    peer: &'a Peer<P>,
    predefined: &'a Predefined,
    topic: &'a Topic,
) -> Option<&'a str> {
    match topic {
        Topic::Id(id) => peer.topics.name(*id),
        Topic::Predefined(id) => predefined.get(Some(&peer.client_id), *id),
        Topic::Short(short) => short_name(short),
    }
}

/// The topic name that two octets are, if they are one.
pub(super) fn short_name(short: &ShortTopic) -> Option<&str> {
    short.as_str().filter(|name| !name.contains(['+', '#']))
}

/// What a message is sent under: an id that the client knows, a predefined one that it subscribed to, the short name that
/// it is, or an id that it must be told of.
pub(super) fn outgoing<P>(peer: &mut Peer<P>, config: &Config, name: &str) -> Outgoing {
    let own = peer.topics.find(name);
    match own {
        Some(id) if peer.topics.is_refused(id) => return Outgoing::Refused,
        Some(id) if peer.topics.is_known(id) => {
            assign(peer, config, name);
            return Outgoing::Send(Topic::Id(id));
        }
        _ => {}
    }
    let client_id = Some(&*peer.client_id);
    let predefined = peer.predefined.iter().find(|id| config.predefined.get(client_id, **id) == Some(name));
    match (predefined, ShortTopic::new(name)) {
        (Some(id), _) => Outgoing::Send(Topic::Predefined(*id)),
        // With an id of its own, the client has subscribed to it as to a long name.
        (None, Some(short)) if own.is_none() => Outgoing::Send(Topic::Short(short)),
        _ => assign(peer, config, name).map_or(Outgoing::NoId, Outgoing::Register),
    }
}
