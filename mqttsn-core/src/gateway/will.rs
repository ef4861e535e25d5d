//! Wills: changed by clients (§6.4), and published by the gateway where the server does not know the last one.

use alloc::boxed::Box;
use core::fmt::Debug;

use machine::Instant;
use mqtt_codec::Properties;
use mqtt_core::Publication;
use mqttsn_codec::{Packet, ReturnCode, WillTopic};

use super::Gateway;
use super::handshake::WillChange;
use super::peer::{PeerKey, Will};
use super::publish::mqtt_qos;

impl<P: Clone + Ord + Debug> Gateway<P> {
    pub(super) fn change_will(&mut self, key: PeerKey, change: WillChange) {
        let Some(peer) = self.peers.get_mut(key.index as usize) else { return };
        let new = match change {
            WillChange::Keep => return,
            WillChange::Delete => None,
            WillChange::Set(will) => Some(will),
        };
        peer.will_changed |= peer.will != new;
        peer.will = new;
    }

    /// An empty one deletes topic and message; a topic alone gets an empty message.
    pub(super) fn on_will_topic_update(&mut self, key: PeerKey, topic: Option<&WillTopic<'_>>) {
        let valid = topic.is_none_or(|topic| self.is_will_topic(topic.topic));
        let Some(peer) = self.peers.get(key.index as usize) else { return };
        let address = peer.address.clone();
        if valid {
            let message = peer.will.as_ref().map(|will| will.message.clone()).unwrap_or_default();
            let will = topic.map(|topic| Will {
                topic: topic.topic.into(),
                message,
                qos: mqtt_qos(topic.qos),
                retain: topic.retain,
            });
            self.change_will(key, will.map_or(WillChange::Delete, |will| WillChange::Set(Box::new(will))));
        }
        let return_code = if valid { ReturnCode::ACCEPTED } else { ReturnCode::NOT_SUPPORTED };
        self.out.send(&address, &Packet::WillTopicResp(return_code));
    }

    /// Without a topic there is no will that a message could be for.
    pub(super) fn on_will_message_update(&mut self, key: PeerKey, message: &[u8]) {
        let fits = message.len() <= usize::from(self.config.max_will_size);
        let Some(peer) = self.peers.get(key.index as usize) else { return };
        let address = peer.address.clone();
        let will = peer.will.as_deref().filter(|_| fits).cloned();
        let return_code = if will.is_some() { ReturnCode::ACCEPTED } else { ReturnCode::NOT_SUPPORTED };
        if let Some(will) = will {
            self.change_will(key, WillChange::Set(Box::new(Will { message: message.into(), ..will })));
        }
        self.out.send(&address, &Packet::WillMsgResp(return_code));
    }

    /// The will goes out over the shared connection.
    pub(super) fn publish_will(&mut self, key: PeerKey, now: Instant) {
        let Some(will) = self.peers.get(key.index as usize).and_then(|peer| peer.will.as_deref()) else {
            return;
        };
        let handed_over = self.hub.and_then(|hub| {
            let link = self.links.get_mut(hub as usize)?;
            link.client.publish(&publication(will), now).ok()?;
            Some(hub)
        });
        match handed_over {
            Some(hub) => {
                self.out.counters.wills_published += 1;
                self.dirty.push_back(hub);
            }
            None => self.out.counters.wills_dropped += 1,
        }
    }
}

pub(super) fn publication(will: &Will) -> Publication<'_> {
    Publication {
        topic: &will.topic,
        qos: will.qos,
        retain: will.retain,
        properties: Properties::NONE,
        payload: &will.message,
    }
}
