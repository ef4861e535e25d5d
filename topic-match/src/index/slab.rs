//! Things under 30-bit numbers that stay the same while the thing is there.

use alloc::vec::Vec;
use core::ops::{Index, IndexMut};

/// One more than the largest number.
const SPACE: usize = 1 << 30;

#[derive(Clone, Debug)]
pub(super) struct Slab<T> {
    items: Vec<T>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { items: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Whether `more` further things can be numbered.
    pub(super) fn has_space(&self, more: usize) -> bool {
        self.items.len() - self.free.len() + more <= SPACE
    }

    /// The caller has asked `has_space`.
    pub(super) fn insert(&mut self, item: T) -> u32 {
        if let Some(number) = self.free.pop() {
            self.items[number as usize] = item;
            return number;
        }
        reserve(&mut self.items);
        self.items.push(item);
        (self.items.len() - 1) as u32
    }

    /// The thing itself stays behind until its number is used again.
    pub(super) fn remove(&mut self, number: u32) {
        self.free.push(number);
    }

    pub(super) fn get(&self, number: u32) -> Option<&T> {
        self.items.get(number as usize)
    }

    pub(super) fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// Removed things included: the caller knows which are there.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.items.iter_mut()
    }

    /// Removed things included: the caller knows which are there.
    pub(super) fn into_iter(self) -> impl Iterator<Item = T> {
        self.items.into_iter()
    }

    /// Removed things included: the caller knows which are there.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.items.iter()
    }

    /// Places that are not in use.
    pub(super) fn holes(&self) -> usize {
        self.free.len()
    }
}

impl<T> Index<u32> for Slab<T> {
    type Output = T;
    fn index(&self, number: u32) -> &T {
        &self.items[number as usize]
    }
}

impl<T> IndexMut<u32> for Slab<T> {
    fn index_mut(&mut self, number: u32) -> &mut T {
        &mut self.items[number as usize]
    }
}

/// Room for one more, with a sixteenth of slack where a vector would double.
pub(super) fn reserve<T>(items: &mut Vec<T>) {
    if items.len() == items.capacity() {
        items.reserve_exact(items.len() / 16 + 1);
    }
}
