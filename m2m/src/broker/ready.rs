//! Which connections have something to do: one queue and one task for all, in place of a task for each.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use mqtt_core::ConnectionId;
use tokio::sync::Notify;

/// The queue. Everything happens on one thread; that the wakers' contract wants more costs an uncontended lock.
#[derive(Default)]
pub(super) struct Ready {
    queue: Mutex<Vec<ConnectionId>>,
    notify: Notify,
}

/// Puts its connection into the queue, once until it is taken out.
pub(super) struct ConnectionWaker {
    id: ConnectionId,
    queued: AtomicBool,
    ready: Arc<Ready>,
}

impl Ready {
    /// Waits until somebody wants a turn.
    pub(super) async fn wait(&self) {
        self.notify.notified().await;
    }

    /// Asks for a turn without a connection.
    pub(super) fn notify(&self) {
        self.notify.notify_one();
    }

    /// Moves the queue into `batch`, which is empty.
    pub(super) fn take(&self, batch: &mut Vec<ConnectionId>) {
        core::mem::swap(&mut *self.queue(), batch);
    }

    fn queue(&self) -> MutexGuard<'_, Vec<ConnectionId>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionWaker {
    pub(super) fn new(id: ConnectionId, ready: &Arc<Ready>) -> Arc<Self> {
        Arc::new(Self { id, queued: AtomicBool::new(false), ready: Arc::clone(ready) })
    }

    /// What comes from now on asks for another turn.
    pub(super) fn rearm(&self) {
        self.queued.store(false, Ordering::Relaxed);
    }
}

impl Wake for ConnectionWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.queued.swap(true, Ordering::Relaxed) {
            self.ready.queue().push(self.id);
            self.ready.notify();
        }
    }
}
