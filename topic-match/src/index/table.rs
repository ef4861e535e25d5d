//! An open-addressing table from 32-bit tags to 32-bit indexes. Its slots are in the order of their tags,
//! so that a miss ends early, and growing or shrinking is one pass that never looks at what the indexes
//! mean. Equality is the caller's business.

use alloc::vec::Vec;

#[derive(Clone, Copy, Debug)]
struct Slot {
    tag: u32,
    index: u32,
}

/// No index may be this one.
const EMPTY: u32 = u32::MAX;
const SMALLEST: usize = 8;
/// Room after the last home, for entries that collide there.
const SPARE: usize = 16;

#[derive(Clone, Default, Debug)]
pub(super) struct Table {
    slots: Vec<Slot>,
    homes: usize,
    len: usize,
}

impl Table {
    /// The position of the entry with this tag whose index satisfies `is_it`.
    pub(super) fn find(&self, tag: u32, mut is_it: impl FnMut(u32) -> bool) -> Option<usize> {
        let home = self.home(tag);
        for (offset, slot) in self.slots.get(home..)?.iter().enumerate() {
            if slot.index == EMPTY || slot.tag > tag {
                return None;
            }
            if slot.tag == tag && is_it(slot.index) {
                return Some(home + offset);
            }
        }
        None
    }

    /// The index at a position that `find` returned, as long as nothing was inserted or removed since.
    pub(super) fn index(&self, position: usize) -> u32 {
        self.slots[position].index
    }

    pub(super) fn set_index(&mut self, position: usize, index: u32) {
        self.slots[position].index = index;
    }

    pub(super) fn insert(&mut self, tag: u32, index: u32) {
        if (self.len + 1) * 10 > self.homes * 9 {
            self.resize(self.homes + self.homes / 12 + SMALLEST);
        }
        let home = self.home(tag);
        let at = self.first_from(home, |slot| slot.index == EMPTY || slot.tag > tag);
        let end = self.first_from(at, |slot| slot.index == EMPTY);
        if end == self.slots.len() {
            self.slots.reserve_exact(1);
            self.slots.push(Slot { tag, index: EMPTY });
        }
        self.slots.copy_within(at..end, at + 1);
        self.slots[at] = Slot { tag, index };
        self.len += 1;
    }

    pub(super) fn remove(&mut self, position: usize) {
        let stays = |at: usize| self.slots[at].index == EMPTY || self.home(self.slots[at].tag) == at;
        let end = (position + 1..self.slots.len()).find(|&at| stays(at)).unwrap_or(self.slots.len());
        self.slots.copy_within(position + 1..end, position);
        self.slots[end - 1].index = EMPTY;
        self.len -= 1;
        if self.len * 4 < self.homes && self.homes > 4 * SMALLEST {
            self.resize(self.len * 2);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// All indexes, in the order of their tags.
    pub(super) fn indexes(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().map(|slot| slot.index).filter(|&index| index != EMPTY)
    }

    /// Homes are in the order of the tags, whatever their number.
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag) * self.homes as u64) >> 32) as usize
    }

    fn first_from(&self, start: usize, is_it: impl FnMut(&Slot) -> bool) -> usize {
        self.slots[start..].iter().position(is_it).map_or(self.slots.len(), |offset| start + offset)
    }

    fn resize(&mut self, homes: usize) {
        let mut slots = Vec::new();
        slots.reserve_exact(homes + SPARE);
        slots.resize(homes, Slot { tag: 0, index: EMPTY });
        let old = core::mem::replace(&mut self.slots, slots);
        self.homes = homes;
        let mut free = 0;
        for slot in old.into_iter().filter(|slot| slot.index != EMPTY) {
            let at = self.home(slot.tag).max(free);
            if at < self.slots.len() {
                self.slots[at] = slot;
            } else {
                self.slots.push(slot);
            }
            free = at + 1;
        }
    }
}
