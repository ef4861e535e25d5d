//! The filters without wildcards: one table from the whole text to who subscribes.

use super::entries::Entries;
use super::hash::Key;
use super::lists::Lists;
use super::place::{Held, Origin, Source, Subscribers};
use super::table::Table;
use super::text::Texts;

#[derive(Clone, Default, Debug)]
pub(super) struct Exact {
    table: Table,
    texts: Texts,
}

impl Exact {
    pub(super) fn has_space(&self) -> bool {
        self.texts.has_space()
    }

    /// Position in the table of a filter. It does not outlive a change of the table.
    pub(super) fn find<V: Copy>(
        &self,
        key: &Key,
        filter: &str,
        entries: &Entries<V>,
        lists: &Lists,
    ) -> Option<usize> {
        let is_it = |word| match origin(word, entries, lists).map(Origin::source) {
            Some(Source::Exact(text)) => self.texts.get(text) == filter,
            _ => false,
        };
        self.table.find(key.text(filter), is_it)
    }

    pub(super) fn subscribers(&self, position: usize) -> Subscribers {
        Subscribers::from_word(self.table.index(position))
    }

    pub(super) fn set_subscribers(&mut self, position: usize, subscribers: Subscribers) {
        self.table.set_index(position, subscribers.word());
    }

    /// Keeps the text of a new filter; `insert` follows. The caller has asked `has_space`.
    pub(super) fn keep(&mut self, filter: &str) -> Origin {
        Origin::new(Source::Exact(self.texts.push(filter)))
    }

    pub(super) fn insert(&mut self, key: &Key, filter: &str, subscribers: Subscribers) {
        self.table.insert(key.text(filter), subscribers.word());
    }

    /// Position in the table of a text with these subscribers.
    pub(super) fn position(&self, key: &Key, text: u32, subscribers: Subscribers) -> Option<usize> {
        self.table.find(key.text(self.texts.get(text)), |word| word == subscribers.word())
    }

    pub(super) fn remove(&mut self, position: usize, text: u32) {
        self.table.remove(position);
        self.texts.remove(text);
    }

    pub(super) fn text(&self, text: u32) -> &str {
        self.texts.get(text)
    }

    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Moves the texts together if most of them are gone.
    pub(super) fn compact<V: Copy>(&mut self, entries: &mut Entries<V>, lists: &mut Lists) {
        if !self.texts.is_wasteful() {
            return;
        }
        let old = core::mem::take(&mut self.texts);
        for word in self.table.indexes() {
            let Some(Source::Exact(text)) = origin(word, entries, lists).map(Origin::source) else {
                continue;
            };
            let origin = Origin::new(Source::Exact(self.texts.push(old.get(text))));
            match Subscribers::from_word(word).held() {
                Held::Nobody => {}
                Held::One(entry) => entries[entry].origin = origin,
                Held::Many(list) => lists.set_origin(list, origin),
            }
        }
    }
}

fn origin<V: Copy>(word: u32, entries: &Entries<V>, lists: &Lists) -> Option<Origin> {
    match Subscribers::from_word(word).held() {
        Held::Nobody => None,
        Held::One(entry) => Some(entries[entry].origin),
        Held::Many(list) => Some(lists.origin(list)),
    }
}
