//! Into the outputs of connections, and out of them.

use alloc::collections::VecDeque;

use machine::Instant;
use mqtt_codec::Packet;

use super::Broker;
use super::connection::Connection;
use super::phase::Phase;
use crate::action::Action;
use crate::input::{ConnectionId, RecordNumber};
use crate::journal::Journal;
use crate::output::append;
use crate::records::Change;

impl Broker {
    /// Writes a packet other than PUBLISH.
    #[inline]
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
        let buffer = connection.outbox.buffer(&mut self.pool);
        if !append(packet, connection.version, connection.max_packet_size, buffer) {
            connection.outbox.reclaim(&mut self.pool);
            return false;
        }
        self.counters.packets_sent += 1;
        announce(&mut self.actions, connection);
        true
    }

    /// Holds back what is written to a connection from now on until all that has happened is durable.
    pub(super) fn gate(&mut self, index: usize) {
        gate(&mut self.journal, &mut self.connections[index]);
    }

    /// So much of a connection's output has left: there is room for more.
    pub(super) fn sent(&mut self, id: ConnectionId, bytes: usize, now: Instant) {
        let Some(index) = self.find(id) else { return };
        let connection = &mut self.connections[index];
        let budget = &mut self.budget;
        let left = connection.outbox.advance(bytes, &mut self.pool, |message| budget.recycle(message));
        connection.announced = connection.outbox.has_available();
        self.counters.bytes_sent += left as u64;
        let held_up = connection.held_up;
        if held_up {
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
        if held_up {
            self.resume(index);
        }
    }

    /// What waited for records up to this one may leave.
    pub(super) fn durable(&mut self, up_to: RecordNumber) {
        self.journal.advance(up_to);
        while let Some(id) = self.journal.next_released() {
            if let Some(index) = self.find(id)
                && self.connections[index].outbox.open_gates(self.journal.durable())
            {
                announce(&mut self.actions, &mut self.connections[index]);
            }
        }
    }
}

/// Says once that a connection has output.
#[inline]
pub(super) fn announce(actions: &mut VecDeque<Action>, connection: &mut Connection) {
    if !connection.announced && connection.outbox.has_available() {
        connection.announced = true;
        actions.push_back(Action::Output(connection.id));
    }
}

/// Holds back what is written to a connection from now on until all that has happened is durable.
#[inline]
pub(super) fn gate(journal: &mut Journal<Change, ConnectionId>, connection: &mut Connection) {
    if let Some(record) = journal.gate() {
        connection.outbox.gate(record);
        journal.wait(record, connection.id);
    }
}
