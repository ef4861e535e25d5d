//! What was read of files, kept as long as they stay as they were.
//!
//! Looking at a file costs a tenth of reading it, and wakes nobody who watches the folder. Within one turn of the server
//! a file is only looked at once: that is when all its observers are told.

use alloc::collections::BTreeMap;
use core::hash::Hasher;
use core::time::Duration;
use std::hash::DefaultHasher;

use bytes::Bytes;
use machine::Instant;

use super::folder::{Folder, Problem, Stamp};
use super::name::FilePath;
use crate::clock::unix_time;

/// How long a file must have been as it is, for its stamp to tell every change to come: the times of file systems go on in
/// steps, some of two seconds.
const SETTLED: Duration = Duration::from_secs(3);
/// Bytes that are kept, with [`OVERHEAD`] for each file.
const MOST: usize = 16 << 20;
const OVERHEAD: usize = 256;

pub(super) struct Contents {
    kept: BTreeMap<FilePath, Kept>,
    bytes: usize,
    turn: Instant,
}

struct Kept {
    content: Content,
    stamp: Stamp,
    /// The stamp tells every change.
    settled: bool,
    /// The turn in which it was looked at last.
    looked: Instant,
}

/// A strong entity-tag of what is in a file: the same after a restart, as long as the program is.
pub(super) type EntityTag = [u8; 8];

/// All that is in a file.
#[derive(Clone)]
pub(super) struct Content {
    pub(super) body: Bytes,
    pub(super) etag: EntityTag,
}

impl Contents {
    pub(super) fn new() -> Self {
        Self { kept: BTreeMap::new(), bytes: 0, turn: Instant::EPOCH }
    }

    /// This is the turn of now.
    pub(super) fn set_turn(&mut self, now: Instant) {
        self.turn = now;
    }

    /// The whole of a file, as it is in this turn.
    pub(super) fn read(
        &mut self,
        path: &FilePath,
        folder: &Folder,
        limit: usize,
    ) -> Result<Content, Problem> {
        if let Some(kept) = self.kept.get_mut(path) {
            let is_as_before = || folder.stamp(path).is_ok_and(|stamp| stamp == kept.stamp);
            if kept.looked == self.turn || kept.settled && is_as_before() {
                kept.looked = self.turn;
                return Ok(kept.content.clone());
            }
            self.forget(path);
        }
        let now = unix_time();
        let (body, stamp) = folder.read(path, limit)?;
        let content = Content::new(body.into());
        let settled = stamp.is_older(now, SETTLED);
        self.keep(path, Kept { content: content.clone(), stamp, settled, looked: self.turn });
        Ok(content)
    }

    /// The file has been changed within this turn.
    pub(super) fn forget(&mut self, path: &FilePath) {
        let forgotten = self.kept.remove(path);
        self.bytes -= forgotten.map_or(0, |kept| kept.content.cost());
    }

    fn keep(&mut self, path: &FilePath, kept: Kept) {
        let cost = kept.content.cost();
        if self.bytes + cost > MOST {
            self.kept.clear();
            self.bytes = 0;
        }
        if cost <= MOST {
            self.bytes += cost;
            self.kept.insert(path.clone(), kept);
        }
    }
}

impl Content {
    pub(super) fn new(body: Bytes) -> Self {
        let etag = entity_tag(&body);
        Self { body, etag }
    }

    fn cost(&self) -> usize {
        self.body.len() + OVERHEAD
    }
}

pub(super) fn entity_tag(body: &[u8]) -> EntityTag {
    let mut hasher = DefaultHasher::new();
    hasher.write(body);
    hasher.finish().to_be_bytes()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::thread::sleep;

    use super::*;

    #[test]
    fn a_file_is_read_as_it_is_whether_it_is_kept_or_not() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("a");
        let path = FilePath::from_path(Path::new("a")).unwrap();
        let folder = Folder::open(root.path()).unwrap();
        let mut contents = Contents::new();
        let mut turn = Instant::EPOCH;
        let mut read = |contents: &mut Contents| {
            turn += Duration::from_micros(1);
            contents.set_turn(turn);
            contents.read(&path, &folder, 100).map(|content| content.body)
        };

        // Changes that a time alone would not tell.
        for number in 0..1000 {
            let text = format!("{number:04}");
            fs::write(&file, &text).unwrap();
            assert_eq!(read(&mut contents).unwrap(), text);
        }

        sleep(SETTLED + Duration::from_millis(100));
        assert_eq!(read(&mut contents).unwrap(), "0999");
        assert!(contents.kept[&path].settled);
        assert_eq!(read(&mut contents).unwrap(), "0999");
        fs::write(&file, "1000").unwrap();
        assert_eq!(read(&mut contents).unwrap(), "1000");
        assert!(!contents.kept[&path].settled);
        fs::remove_file(&file).unwrap();
        assert!(matches!(read(&mut contents), Err(Problem::NotFound)));
        assert_eq!((contents.kept.len(), contents.bytes), (0, 0));
    }

    #[test]
    fn a_file_is_looked_at_once_in_a_turn() {
        let root = tempfile::tempdir().unwrap();
        let path = FilePath::from_path(Path::new("a")).unwrap();
        let folder = Folder::open(root.path()).unwrap();
        let mut contents = Contents::new();
        let read =
            |contents: &mut Contents| contents.read(&path, &folder, 100).map(|content| content.body).unwrap();
        fs::write(root.path().join("a"), "1").unwrap();
        assert_eq!(read(&mut contents), "1");
        fs::write(root.path().join("a"), "2").unwrap();
        assert_eq!(read(&mut contents), "1");
        contents.forget(&path);
        assert_eq!(read(&mut contents), "2");
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "").unwrap();
        let path = |number: usize| FilePath::from_path(Path::new(&number.to_string())).unwrap();
        let stamp = Folder::open(root.path()).unwrap().stamp(&FilePath::from_path(Path::new("a")).unwrap());
        let stamp = stamp.unwrap();
        let content = Content { body: vec![0; 1 << 20].into(), etag: [0; 8] };
        let mut contents = Contents::new();
        for number in 0..100 {
            let kept = Kept { content: content.clone(), stamp, settled: true, looked: Instant::EPOCH };
            contents.keep(&path(number), kept);
            assert!(contents.bytes <= MOST && contents.kept.contains_key(&path(number)));
        }
    }
}
