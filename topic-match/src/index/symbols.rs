//! Numbers for the levels that occur in filters, counted by use.

use super::hash::Key;
use super::slab::Slab;
use super::table::Table;
use super::text::Texts;

#[derive(Clone, Debug)]
struct Symbol {
    text: u32,
    /// 0 of a symbol that was removed.
    uses: u32,
}

#[derive(Clone, Default, Debug)]
pub(super) struct Symbols {
    slab: Slab<Symbol>,
    table: Table,
    texts: Texts,
}

impl Symbols {
    pub(super) fn has_space(&self, more: usize) -> bool {
        self.slab.has_space(more) && self.texts.has_space()
    }

    pub(super) fn find(&self, key: &Key, level: &str) -> Option<u32> {
        self.position(key.text(level), level).map(|position| self.table.index(position))
    }

    /// The number of a level, with one use more. The caller has asked `has_space`.
    pub(super) fn acquire(&mut self, key: &Key, level: &str) -> u32 {
        let tag = key.text(level);
        if let Some(position) = self.position(tag, level) {
            let number = self.table.index(position);
            self.slab[number].uses += 1;
            return number;
        }
        let number = self.slab.insert(Symbol { text: self.texts.push(level), uses: 1 });
        self.table.insert(tag, number);
        number
    }

    /// One use less.
    pub(super) fn release(&mut self, key: &Key, number: u32) {
        self.slab[number].uses -= 1;
        if self.slab[number].uses > 0 {
            return;
        }
        let text = self.slab[number].text;
        if let Some(position) = self.table.find(key.text(self.texts.get(text)), |index| index == number) {
            self.table.remove(position);
        }
        self.texts.remove(text);
        self.slab.remove(number);
        self.compact();
    }

    pub(super) fn text(&self, number: u32) -> &str {
        self.texts.get(self.slab[number].text)
    }

    pub(super) fn holes(&self) -> usize {
        self.slab.holes()
    }

    fn position(&self, tag: u32, level: &str) -> Option<usize> {
        self.table.find(tag, |number| self.text(number) == level)
    }

    fn compact(&mut self) {
        if self.texts.is_wasteful() {
            let old = core::mem::take(&mut self.texts);
            for symbol in self.slab.iter_mut().filter(|symbol| symbol.uses > 0) {
                symbol.text = self.texts.push(old.get(symbol.text));
            }
        }
    }
}
