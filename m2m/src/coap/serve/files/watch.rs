//! News of the folder from the operating system.

use alloc::collections::BTreeSet;
use alloc::sync::Arc;
use core::mem::take;
use core::time::Duration;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use notify::{Config, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::time::sleep;
use tracing::{debug, warn};

use super::name::FilePath;

/// Paths that may wait to be looked at; when there are more, everything is.
const WAITING: usize = 4096;
/// How long changes are gathered: a file that is written in pieces is looked at when it is whole, most often, and a new
/// folder when it is watched.
const GATHERING: Duration = Duration::from_millis(50);

/// Where something may have changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Changes {
    At(BTreeSet<FilePath>),
    Anywhere,
}

/// What has changed and was not looked at yet. The watcher notes it from a thread of its own.
#[derive(Default)]
pub(crate) struct Noticed {
    changes: Mutex<Changes>,
    something: Notify,
}

impl Default for Changes {
    fn default() -> Self {
        Self::At(BTreeSet::new())
    }
}

impl Noticed {
    pub(super) fn note(&self, path: FilePath) {
        let mut changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Changes::At(paths) = &mut *changes {
            paths.insert(path);
            if paths.len() > WAITING {
                *changes = Changes::Anywhere;
            }
        }
        self.something.notify_one();
    }

    fn note_all(&self) {
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner) = Changes::Anywhere;
        self.something.notify_one();
    }

    pub(super) fn take(&self) -> Changes {
        take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns when something has changed, and has had its time to go on changing.
    pub(crate) async fn wait(&self) {
        self.something.notified().await;
        sleep(GATHERING).await;
    }
}

/// Watches a folder, and all within it, until it is dropped.
///
/// `root` must be absolute and without symbolic links.
pub(super) fn start(root: &Path, noticed: Arc<Noticed>) -> notify::Result<RecommendedWatcher> {
    let folder = root.to_owned();
    let tell = move |event| tell(event, &folder, &noticed);
    let mut watcher = RecommendedWatcher::new(tell, Config::default().with_follow_symlinks(false))?;
    watcher.watch(root, RecursiveMode::Recursive)?;
    Ok(watcher)
}

fn tell(event: notify::Result<Event>, folder: &Path, noticed: &Noticed) {
    match event {
        Ok(event) if event.need_rescan() => noticed.note_all(),
        // Reading changes nothing.
        Ok(Event { kind: EventKind::Access(_), .. }) => {}
        Ok(event) => {
            event.paths.iter().filter_map(|path| within(path, folder)).for_each(|path| noticed.note(path));
        }
        Err(error) => {
            if let notify::ErrorKind::MaxFilesWatch = error.kind {
                warn!("changes of some files will not be seen: {error}");
            } else {
                debug!("watching files: {error}");
            }
            noticed.note_all();
        }
    }
}

/// `None` for what is not served.
fn within(path: &Path, folder: &Path) -> Option<FilePath> {
    FilePath::from_path(path.strip_prefix(folder).ok()?)
}
