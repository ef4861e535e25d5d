//! PUBLISH packets for clients: one message to many of them is encoded once for each kind of packet they take.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;

use machine::Instant;
use mqtt_codec::{MAX_PACKET_SIZE, Property, ProtocolVersion};

use super::connection::Connection;
use crate::counters::Counters;
use crate::output::Pool;
use crate::publish_packet::{Outgoing, Receiver, TooLarge};

/// Encodes PUBLISH packets, and remembers those that other clients may get as well.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    bytes: Vec<u8>,
    /// Of a message at most twelve: by version, QoS and retain flag.
    classes: Vec<Class>,
}

/// An encoded packet: whole, or without its tail if that is shared.
#[derive(Clone, Debug)]
struct Class {
    number: usize,
    bytes: Range<usize>,
    packet_id_at: usize,
}

impl Encoder {
    /// The next packets are about another message, or another instant.
    pub(crate) fn start(&mut self) {
        self.bytes.clear();
        self.classes.clear();
    }

    /// Appends a PUBLISH to a connection's output. `reuse`: the message is that of the last [`start`](Self::start).
    pub(crate) fn write(
        &mut self,
        connection: &mut Connection,
        pool: &mut Pool,
        counters: &mut Counters,
        what: &Outgoing<'_>,
        reuse: bool,
        now: Instant,
    ) -> Result<(), TooLarge> {
        let v5 = connection.version == ProtocolVersion::V5;
        let individual = v5 && (!what.identifiers.is_empty() || connection.outgoing_aliases.is_used());
        if reuse && !individual && !what.delivery.dup() {
            self.write_class(connection, pool, what, now)?;
        } else {
            let mut receiver = Receiver {
                outbox: &mut connection.outbox,
                aliases: &mut connection.outgoing_aliases,
                version: connection.version,
                max_packet_size: connection.max_packet_size,
            };
            what.write(&mut receiver, pool, now)?;
        }
        counters.packets_sent += 1;
        counters.publish_sent += 1;
        counters.publish_bytes_sent += what.draft.payload.len() as u64;
        Ok(())
    }

    fn write_class(
        &mut self,
        connection: &mut Connection,
        pool: &mut Pool,
        what: &Outgoing<'_>,
        now: Instant,
    ) -> Result<(), TooLarge> {
        let v5 = connection.version == ProtocolVersion::V5;
        let number = usize::from(v5) * 6 + what.delivery.qos() as usize * 2 + usize::from(what.retain);
        let known = self.classes.iter().position(|class| class.number == number);
        let place = known.unwrap_or(self.classes.len());
        if known.is_none() {
            self.classes.push(encode_class(number, &mut self.bytes, connection.version, what, now)?);
        }
        let class = &self.classes[place];
        let shared = what.shared(connection.version);
        let size = class.bytes.len() + shared.map_or(0, |message| message.tail(connection.version).len());
        if size > connection.max_packet_size as usize {
            return Err(TooLarge);
        }
        let buffer = connection.outbox.buffer(pool);
        let start = buffer.len();
        buffer.extend_from_slice(&self.bytes[class.bytes.clone()]);
        if let Some(id) = what.delivery.packet_id() {
            buffer[start + class.packet_id_at..][..2].copy_from_slice(&id.get().to_be_bytes());
        }
        if let Some(message) = shared {
            connection.outbox.push_tail(Arc::clone(message), connection.version);
        }
        Ok(())
    }
}

fn encode_class(
    number: usize,
    bytes: &mut Vec<u8>,
    version: ProtocolVersion,
    what: &Outgoing<'_>,
    now: Instant,
) -> Result<Class, TooLarge> {
    let expiry = what.draft.expiry_left(now).map(Property::MessageExpiryInterval);
    let publish = what.packet(what.draft.topic, expiry.as_slice());
    let start = bytes.len();
    what.encode(&publish, version, MAX_PACKET_SIZE, bytes)?;
    // After the type and a remaining length of one to four bytes come the topic's length and the topic.
    let length_bytes = bytes[start + 1..].iter().take_while(|byte| **byte >= 0x80).count() + 1;
    let packet_id_at = 1 + length_bytes + 2 + what.draft.topic.len();
    Ok(Class { number, bytes: start..bytes.len(), packet_id_at })
}
