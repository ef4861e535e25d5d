//! Every connection takes a file descriptor, and systems give a process few of them unless it asks.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::{debug, info};

/// Descriptors for everything that is not a connection.
const RESERVED: u64 = 64;

/// Raises the limit as far as the system lets us, and says so when it is not enough for so many connections.
pub(super) fn allow_for(connections: u32) {
    let wanted = u64::from(connections) + RESERVED;
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let (Some(current), reachable) = (current, maximum.unwrap_or(wanted).min(wanted)) else { return };
    if current < reachable {
        match setrlimit(Resource::Nofile, Rlimit { current: Some(reachable), maximum }) {
            Ok(()) => debug!(from = current, to = reachable, "raised the limit of open files"),
            Err(error) => debug!(%error, "cannot raise the limit of open files"),
        }
    }
    let granted = getrlimit(Resource::Nofile).current.unwrap_or(wanted);
    if granted < wanted {
        info!(
            "the system allows {granted} open files: no more than {} clients can connect (max_connections is {connections})",
            granted.saturating_sub(RESERVED)
        );
    }
}
