//! Into the outputs of connections, and out of them.

use machine::Instant;
use mqtt_codec::Packet;

use super::Broker;
use super::connection::Connection;
use super::phase::Phase;
use crate::action::Action;
use crate::input::{ConnectionId, RecordNumber};
use crate::journal::Journal;
use crate::records::Change;

impl Broker {
    /// Writes a packet other than PUBLISH.
    pub(super) fn write(&mut self, index: usize, packet: &Packet<'_>) {
        if !self.try_write(index, packet) {
            self.unsendable.push(index);
        }
    }

    /// Writes a packet other than PUBLISH, unless it is larger than the client takes.
    pub(super) fn try_write(&mut self, index: usize, packet: &Packet<'_>) -> bool {
        let connection = &mut self.connections[index];
        if connection.phase == Phase::Closing {
            return true;
        }
        let fits = packet
            .encoded_len(connection.version)
            .is_ok_and(|len| len <= connection.max_packet_size as usize);
        if !fits || packet.encode(connection.version, connection.outbox.buffer(&mut self.pool)).is_err() {
            return false;
        }
        self.counters.packets_sent += 1;
        self.announce(index);
        true
    }

    /// Says once that a connection has output.
    pub(super) fn announce(&mut self, index: usize) {
        let connection = &mut self.connections[index];
        if !connection.announced && connection.outbox.chunks().next().is_some() {
            connection.announced = true;
            self.actions.push_back(Action::Output(connection.id));
        }
    }

    /// Holds back what is written to a connection from now on until all that has happened is durable.
    pub(super) fn gate(&mut self, index: usize) {
        gate(&mut self.journal, &mut self.connections[index]);
    }

    /// So much of a connection's output has left: there is room for more.
    pub(super) fn sent(&mut self, id: ConnectionId, bytes: usize, now: Instant) {
        let Some(index) = self.find(id) else { return };
        let connection = &mut self.connections[index];
        let before = connection.outbox.len();
        connection.outbox.advance(bytes, &mut self.pool);
        connection.announced = connection.outbox.chunks().next().is_some();
        self.counters.bytes_sent += (before - connection.outbox.len()) as u64;
        if connection.held_up {
            // Nothing is read from a client that does not read; one that does is not silent.
            connection.last_received = now;
        }
        let has_room = connection.outbox.len() <= self.config.output_high_water / 2;
        if let Some(key) = connection.session
            && has_room
            && self.sessions[key].has_backlog()
        {
            self.pump(key, now);
        }
        self.resume(index);
    }

    /// What waited for records up to this one may leave.
    pub(super) fn durable(&mut self, up_to: RecordNumber) {
        self.journal.advance(up_to);
        while let Some(id) = self.journal.next_released() {
            if let Some(index) = self.find(id)
                && self.connections[index].outbox.open_gates(self.journal.durable())
            {
                self.announce(index);
            }
        }
    }
}

/// Holds back what is written to a connection from now on until all that has happened is durable.
pub(super) fn gate(journal: &mut Journal<Change, ConnectionId>, connection: &mut Connection) {
    if let Some(record) = journal.gate() {
        connection.outbox.gate(record);
        journal.wait(record, connection.id);
    }
}
