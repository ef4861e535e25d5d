//! Bytes from a connection: packets out of the stream, and each to the file that handles it.

use machine::Instant;
use mqtt_codec::{Direction, Frame, FrameRules, Malformed, Packet, frame_len_hint, next_frame};

use super::connection::Connection;
use super::phase::{Event, Phase};
use super::{Broker, Ended};
use crate::action::CloseReason;
use crate::config::Config;

/// A packet that arrives in pieces is first given this much room, and more as it grows.
const FIRST_ROOM: usize = 512;

impl Broker {
    /// Takes bytes from a connection, up to the first packet that has to wait; returns how many.
    pub(super) fn receive(&mut self, index: usize, bytes: &[u8], now: Instant) -> usize {
        let connection = &mut self.connections[index];
        if connection.phase == Phase::Closing || bytes.is_empty() {
            return bytes.len();
        }
        if connection.is_blocked(self.config.output_high_water) {
            connection.held_up = true;
            return 0;
        }
        connection.held_up = false;
        let mut taken = 0;
        if !connection.partial.is_empty() {
            match self.complete_partial(index, bytes, now) {
                Ok(more) => taken = more,
                Err(Ended) => return bytes.len(),
            }
            if taken < bytes.len() && self.holds_up(index) {
                self.counters.bytes_received += taken as u64;
                return taken;
            }
        }
        while taken < bytes.len() {
            match next_frame(&bytes[taken..], &rules(&self.connections[index], &self.config)) {
                Ok(Some(frame)) => {
                    taken += frame.len();
                    if self.handle_frame(index, frame, now).is_err() {
                        return self.ended(bytes.len());
                    }
                    if taken < bytes.len() && self.holds_up(index) {
                        break;
                    }
                }
                Ok(None) => match self.keep_partial(index, &bytes[taken..], now) {
                    Ok(()) => taken = bytes.len(),
                    Err(Ended) => return self.ended(bytes.len()),
                },
                Err(malformed) => {
                    self.refuse_malformed(index, malformed, now);
                    return self.ended(bytes.len());
                }
            }
        }
        self.counters.bytes_received += taken as u64;
        taken
    }

    /// Whether the next packet has to wait: the host keeps its bytes.
    fn holds_up(&mut self, index: usize) -> bool {
        let connection = &mut self.connections[index];
        connection.held_up = connection.is_blocked(self.config.output_high_water);
        connection.held_up
    }

    /// A connection that is being closed takes all that comes.
    fn ended(&mut self, bytes: usize) -> usize {
        self.counters.bytes_received += bytes as u64;
        bytes
    }

    /// Adds to a packet that has come in part, and handles it when it is whole; returns how many bytes that took.
    fn complete_partial(&mut self, index: usize, bytes: &[u8], now: Instant) -> Result<usize, Ended> {
        let mut taken = 0;
        while !self.connections[index].partial.is_empty() && taken < bytes.len() {
            let partial = &self.connections[index].partial;
            // While not even the length is known, one byte at a time: at most four.
            let missing = frame_len_hint(partial).map_or(1, |len| len.saturating_sub(partial.len()).max(1));
            let step = missing.min(bytes.len() - taken);
            self.keep_partial(index, &bytes[taken..taken + step], now)?;
            taken += step;

            let rules = rules(&self.connections[index], &self.config);
            let partial = core::mem::take(&mut self.connections[index].partial);
            match next_frame(&partial, &rules) {
                Ok(Some(frame)) => {
                    self.budget.give_back(partial.capacity());
                    let result = self.handle_frame(index, frame, now);
                    self.pool.put_partial(partial);
                    result?;
                }
                Ok(None) => self.connections[index].partial = partial,
                Err(malformed) => {
                    self.budget.give_back(partial.capacity());
                    self.refuse_malformed(index, malformed, now);
                    return Err(Ended);
                }
            }
        }
        Ok(taken)
    }

    /// Keeps the beginning of a packet: the room grows with what has come, never with what is announced.
    fn keep_partial(&mut self, index: usize, bytes: &[u8], now: Instant) -> Result<(), Ended> {
        let connection = &mut self.connections[index];
        let partial = &mut connection.partial;
        let needed = partial.len() + bytes.len();
        if needed > partial.capacity() {
            let whole =
                frame_len_hint(if partial.is_empty() { bytes } else { partial }).unwrap_or(FIRST_ROOM);
            let room = (needed * 2).max(FIRST_ROOM).min(whole.max(needed));
            let before = partial.capacity();
            // Strangers get no more than their own bytes ask for.
            let spare = if before == 0 && connection.phase.is_connected() {
                self.pool.take_partial(room..=room.max(whole) * 2)
            } else {
                None
            };
            if let Some(spare) = spare.filter(|spare| self.budget.take(spare.capacity()).is_ok()) {
                *partial = spare;
            } else if self.budget.take(room - before).is_ok() {
                partial.reserve_exact(room - partial.len());
                // The allocator may give more than was asked for.
                self.budget.add(partial.capacity().saturating_sub(room));
            } else {
                self.out_of_memory(index, now);
                return Err(Ended);
            }
        }
        partial.extend_from_slice(bytes);
        Ok(())
    }

    fn handle_frame(&mut self, index: usize, frame: Frame<'_>, now: Instant) -> Result<(), Ended> {
        self.counters.packets_received += 1;
        let connection = &mut self.connections[index];
        connection.last_received = now;
        // By reference: a packet is large to move.
        match &Packet::decode(frame, connection.version) {
            Ok(packet) => self.handle_packet(index, packet, now),
            Err(malformed) => {
                self.refuse_malformed(index, *malformed, now);
                Err(Ended)
            }
        }
    }

    fn handle_packet(&mut self, index: usize, packet: &Packet<'_>, now: Instant) -> Result<(), Ended> {
        let connection = &self.connections[index];
        let enhanced = connection.authentication_method.is_some();
        if let Err(violation) = connection.phase.admit(Event::of(packet), enhanced) {
            return self.violation(index, violation, now);
        }
        let result = match packet {
            Packet::Connect(connect) => self.on_connect(index, connect, now),
            Packet::Publish(publish) => self.on_publish(index, publish, now),
            Packet::PubAck(ack) => self.on_puback(index, ack, now),
            Packet::PubRec(ack) => self.on_pubrec(index, ack, now),
            Packet::PubRel(ack) => {
                self.on_pubrel(index, ack);
                Ok(())
            }
            Packet::PubComp(ack) => self.on_pubcomp(index, ack, now),
            Packet::Subscribe(subscribe) => self.on_subscribe(index, subscribe, now),
            Packet::Unsubscribe(unsubscribe) => self.on_unsubscribe(index, unsubscribe, now),
            Packet::PingReq => {
                self.write(index, &Packet::PingResp);
                Ok(())
            }
            Packet::Disconnect(disconnect) => self.on_disconnect(index, disconnect, now),
            Packet::Auth(auth) => self.on_auth(index, auth, now),
            // A server's packets were not admitted.
            Packet::ConnAck(_) | Packet::SubAck(_) | Packet::UnsubAck(_) | Packet::PingResp => Ok(()),
        };
        self.commit(now);
        match result {
            Ok(()) if self.connections[index].phase == Phase::Closing => Err(Ended),
            Ok(()) => Ok(()),
            Err(Stop::Ended) => Err(Ended),
            Err(Stop::Violation(violation)) => self.violation(index, violation, now),
        }
    }

    fn refuse_malformed(&mut self, index: usize, malformed: Malformed, now: Instant) {
        self.counters.malformed += 1;
        let why = CloseReason::Malformed(malformed);
        self.end_with_error(index, malformed.reason_code(), Some(&malformed), why, now);
    }
}

/// Why a packet is the last of its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// It has been dealt with.
    Ended,
    /// The client is to be told of this.
    Violation(crate::error::Violation),
}

impl From<crate::error::Violation> for Stop {
    fn from(violation: crate::error::Violation) -> Self {
        Self::Violation(violation)
    }
}

fn rules(connection: &Connection, config: &Config) -> FrameRules {
    let first = connection.phase == Phase::AwaitConnect;
    let authenticated = connection.phase.is_connected();
    FrameRules {
        direction: Direction::ClientToServer,
        first,
        version: connection.version,
        max_packet_size: if authenticated { config.max_packet_size } else { config.max_connect_size },
    }
}
