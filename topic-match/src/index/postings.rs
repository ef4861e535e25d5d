//! Which rows have which level at which depth: the inverted part of the retained index.

use super::hash::Key;
use super::rows::Rows;
use super::slab::Slab;
use super::table::Table;
use super::text::Texts;

/// Levels below this depth are compared with the name only, so that a name of 65 536 levels costs no more
/// than one of 32.
pub(super) const DEPTH: usize = 32;
/// Fewer unused places are not worth a rebuild.
const WORTHWHILE: usize = 1024;

#[derive(Clone, Debug)]
struct Posting {
    text: u32,
    depth: u32,
    /// Empty of a posting that was removed.
    rows: Rows,
}

#[derive(Clone, Default, Debug)]
pub(super) struct Postings {
    slab: Slab<Posting>,
    table: Table,
    texts: Texts,
    rebuilds: u64,
}

impl Postings {
    pub(super) fn has_space(&self) -> bool {
        self.slab.has_space(DEPTH) && self.texts.has_space()
    }

    /// The rows with this level at this depth, by a number that holds until they are gone or
    /// `rebuilds` changes.
    pub(super) fn find(&self, key: &Key, depth: usize, level: &str) -> Option<u32> {
        self.position(key, depth, level).map(|position| self.table.index(position))
    }

    pub(super) fn rebuilds(&self) -> u64 {
        self.rebuilds
    }

    pub(super) fn rows(&self, number: u32) -> Option<&Rows> {
        self.slab.get(number).map(|posting| &posting.rows)
    }

    /// Adds a row under all its levels. The caller has asked `has_space`.
    pub(super) fn add(&mut self, key: &Key, name: &str, row: u32) {
        for (depth, level) in name.split('/').take(DEPTH).enumerate() {
            let number = self.find(key, depth, level).unwrap_or_else(|| {
                let posting =
                    Posting { text: self.texts.push(level), depth: depth as u32, rows: Rows::default() };
                self.insert(key, posting)
            });
            self.slab[number].rows.insert(row);
        }
    }

    /// Removes a row from under all its levels.
    pub(super) fn remove(&mut self, key: &Key, name: &str, row: u32) {
        for (depth, level) in name.split('/').take(DEPTH).enumerate() {
            let Some(position) = self.position(key, depth, level) else { continue };
            let number = self.table.index(position);
            let posting = &mut self.slab[number];
            posting.rows.remove(row);
            if posting.rows.len() == 0 {
                posting.rows = Rows::default();
                self.texts.remove(posting.text);
                self.table.remove(position);
                self.slab.remove(number);
            }
        }
        self.compact(key);
    }

    fn position(&self, key: &Key, depth: usize, level: &str) -> Option<usize> {
        let is_it = |number| {
            let posting: &Posting = &self.slab[number];
            posting.depth == depth as u32 && self.texts.get(posting.text) == level
        };
        self.table.find(key.numbered(depth as u32, level), is_it)
    }

    fn insert(&mut self, key: &Key, posting: Posting) -> u32 {
        let tag = key.numbered(posting.depth, self.texts.get(posting.text));
        let number = self.slab.insert(posting);
        self.table.insert(tag, number);
        number
    }

    /// Moves what is left together if most is gone.
    fn compact(&mut self, key: &Key) {
        let holes = self.slab.holes();
        if self.texts.is_wasteful() || (holes >= WORTHWHILE && holes > 3 * self.slab.len()) {
            let old = core::mem::take(self);
            self.rebuilds = old.rebuilds + 1;
            for posting in old.slab.into_iter().filter(|posting| posting.rows.len() > 0) {
                let text = self.texts.push(old.texts.get(posting.text));
                self.insert(key, Posting { text, ..posting });
            }
        }
    }
}
