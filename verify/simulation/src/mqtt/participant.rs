//! What the world asks of whoever takes part.

use std::fmt::Debug;
use std::time::Duration;

use machine::Instant;

use super::ledger::Ledger;
use super::scenario::Op;
use crate::net::LinkId;

/// A client and whoever uses it, with one connection at a time.
pub(crate) trait Participant: Debug {
    /// Its connection.
    fn link(&self) -> Option<LinkId>;
    /// Whether it has no connection and wants one now.
    fn wants_link(&self) -> bool;
    /// Whether its connection is to be closed.
    fn is_leaving(&self) -> bool;
    /// Whether it reads what arrives.
    fn reads(&self) -> bool;
    /// What it has to say.
    fn output(&self) -> Vec<u8>;
    /// So many bytes of it have left.
    fn sent(&mut self, bytes: usize, now: Instant, ledger: &mut Ledger);
    /// Does what the scenario says. Its connection, if any, is cut by the caller for [`Op::Drop`] and [`Op::Crash`], and
    /// closed for [`Op::Disconnect`] and [`Op::Clean`].
    fn perform(&mut self, op: &Op, now: Instant, ledger: &mut Ledger);
    /// A connection is there.
    fn dialled(&mut self, link: LinkId, now: Instant, ledger: &mut Ledger);
    /// Bytes came.
    fn receive(&mut self, bytes: &[u8], now: Instant, ledger: &mut Ledger);
    /// The connection is over.
    fn lost(&mut self, now: Instant, ledger: &mut Ledger);
    /// How long until it connects again after it lost its connection, if it does not know by itself.
    fn patience(&mut self) -> Option<Duration>;
    /// When it has something to do by itself.
    fn next_deadline(&self) -> Option<Instant>;
    /// Does what is due; says whether it reads again after a while in which it did not.
    fn wake(&mut self, now: Instant, ledger: &mut Ledger) -> bool;
    /// Whether nothing is left to be done for its messages and subscriptions.
    fn is_idle(&self) -> bool;
}
