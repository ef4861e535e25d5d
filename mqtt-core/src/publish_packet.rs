//! A PUBLISH on its way out: what all who send one have in common.

use alloc::sync::Arc;
use alloc::vec::Vec;

use machine::Instant;
use mqtt_codec::{
    Delivery, PacketIdentifier, Properties, Property, ProtocolVersion, Publish, QoS, SubscriptionIdentifier,
};

use crate::message::{Draft, Message};
use crate::output::{Outbox, Pool};
use crate::topic_alias::{Naming, OutgoingAliases};

/// Properties and payload are shared between the outputs of connections if they are longer than this together, else
/// copied: the copy is cheaper.
pub(crate) const SHARED_ABOVE: usize = 1024;

/// A PUBLISH for one peer.
pub(crate) struct Outgoing<'a> {
    pub(crate) draft: &'a Draft<'a>,
    /// The same as stored, if it is.
    pub(crate) message: Option<&'a Arc<Message>>,
    pub(crate) delivery: Delivery,
    pub(crate) retain: bool,
    pub(crate) identifiers: &'a [u32],
}

/// The packet is larger than the peer accepts [MQTT-3.1.2-24].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// Whom it is for.
pub(crate) struct Receiver<'a> {
    pub(crate) outbox: &'a mut Outbox,
    pub(crate) aliases: &'a mut OutgoingAliases,
    pub(crate) version: ProtocolVersion,
    pub(crate) max_packet_size: u32,
}

impl Outgoing<'_> {
    /// Appends the packet to a peer's output, with the topic alias that the peer allows.
    pub(crate) fn write(&self, to: &mut Receiver<'_>, pool: &mut Pool, now: Instant) -> Result<(), TooLarge> {
        let naming = to.aliases.naming(self.draft.topic);
        match (naming, self.write_as(naming, to, pool, now)) {
            // Setting an alias makes the packet larger, this once.
            (Naming::NameAndAlias(_), Err(TooLarge)) => self.write_as(Naming::Name, to, pool, now),
            (_, result) => result,
        }
    }

    #[inline]
    fn write_as(
        &self,
        naming: Naming,
        to: &mut Receiver<'_>,
        pool: &mut Pool,
        now: Instant,
    ) -> Result<(), TooLarge> {
        let (topic, alias) = match naming {
            Naming::Name => (self.draft.topic, None),
            Naming::NameAndAlias(alias) => (self.draft.topic, Some(alias)),
            Naming::Alias(alias) => ("", Some(alias)),
        };
        let mut more = core::mem::take(&mut pool.properties);
        if to.version == ProtocolVersion::V5 {
            let identifiers =
                self.identifiers.iter().filter_map(|number| SubscriptionIdentifier::new(*number));
            more.extend(self.draft.expiry_left(now).map(Property::MessageExpiryInterval));
            more.extend(alias.map(Property::TopicAlias));
            more.extend(identifiers.map(Property::SubscriptionIdentifier));
        }
        let publish = self.packet(topic, &more);
        let buffer = to.outbox.buffer(pool);
        let result = self.encode(&publish, to.version, to.max_packet_size, buffer);
        more.clear();
        pool.properties = more;
        if result.is_err() {
            to.outbox.reclaim(pool);
        }
        if let Some(message) = result? {
            to.outbox.push_tail(Arc::clone(message), to.version);
        }
        to.aliases.establish(naming, self.draft.topic);
        Ok(())
    }

    /// The packet, with this topic and these properties beside those of the message.
    pub(crate) fn packet<'a>(&'a self, topic: &'a str, more: &'a [Property<'a>]) -> Publish<'a> {
        let properties: Properties<'a> = self.draft.properties();
        Publish {
            delivery: self.delivery,
            retain: self.retain,
            topic,
            properties: properties.and(more),
            payload: self.draft.payload,
        }
    }

    /// Appends the packet, without its [`tail`](Message::tail) if that is worth sharing: then returns the message.
    #[inline]
    pub(crate) fn encode(
        &self,
        publish: &Publish<'_>,
        version: ProtocolVersion,
        max_packet_size: u32,
        bytes: &mut Vec<u8>,
    ) -> Result<Option<&Arc<Message>>, TooLarge> {
        let start = bytes.len();
        let shared = self.shared(version);
        let (encoded, rest) = match shared {
            Some(message) => (publish.encode_start(version, bytes), message.tail(version).len()),
            None => (publish.encode_head(version, bytes), self.draft.payload.len()),
        };
        encoded.map_err(|_| TooLarge)?;
        if bytes.len() - start + rest > max_packet_size as usize {
            bytes.truncate(start);
            return Err(TooLarge);
        }
        if shared.is_none() {
            bytes.extend_from_slice(self.draft.payload);
        }
        Ok(shared)
    }

    /// The stored message, if its tail is worth sharing.
    pub(crate) fn shared(&self, version: ProtocolVersion) -> Option<&Arc<Message>> {
        self.message.filter(|message| message.tail(version).len() > SHARED_ABOVE)
    }
}

/// The QoS part of a PUBLISH; QoS 0 when there is no packet identifier.
pub(crate) fn delivery(qos: QoS, packet_id: Option<PacketIdentifier>, dup: bool) -> Delivery {
    match (qos, packet_id) {
        (QoS::AtLeastOnce, Some(packet_id)) => Delivery::AtLeastOnce { packet_id, dup },
        (QoS::ExactlyOnce, Some(packet_id)) => Delivery::ExactlyOnce { packet_id, dup },
        (QoS::AtMostOnce, _) | (_, None) => Delivery::AtMostOnce,
    }
}
