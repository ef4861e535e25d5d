//! A set of row numbers, in order: a sorted list where they are far apart, bits where they are close.

use alloc::vec::Vec;

use super::slab::reserve;

#[derive(Clone, Debug)]
pub(super) enum Rows {
    Sparse(Vec<u32>),
    Dense(Bits),
}

#[derive(Clone, Debug)]
pub(super) struct Bits {
    words: Vec<u64>,
    /// The rows of the first word begin at 64 times this.
    first: u32,
    count: u32,
}

impl Default for Rows {
    fn default() -> Self {
        Self::Sparse(Vec::new())
    }
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Sparse(list) => list.len(),
            Self::Dense(bits) => bits.count as usize,
        }
    }

    /// The first row from `start` on.
    pub(super) fn next_from(&self, start: u32) -> Option<u32> {
        match self {
            Self::Sparse(list) => list.get(list.partition_point(|&row| row < start)).copied(),
            Self::Dense(bits) => bits.next_from(start),
        }
    }

    /// Adds a row that is not in the set.
    pub(super) fn insert(&mut self, row: u32) {
        let (words, count) = (self.span_with(row), self.len() + 1);
        match self {
            // Lists have 4 bytes a row; the factor of two keeps a set from changing to and fro.
            Self::Sparse(list) if count >= 2 * words => {
                let mut bits = Bits::over(list.first().map_or(row, |&first| first.min(row)), words);
                for &row in list.iter() {
                    bits.insert(row);
                }
                bits.insert(row);
                *self = Self::Dense(bits);
            }
            Self::Dense(bits) if count < words => {
                let mut list = bits.list();
                insert_sorted(&mut list, row);
                *self = Self::Sparse(list);
            }
            Self::Sparse(list) => insert_sorted(list, row),
            Self::Dense(bits) => bits.insert(row),
        }
    }

    /// Removes a row that is in the set.
    pub(super) fn remove(&mut self, row: u32) {
        match self {
            Self::Sparse(list) => {
                if let Ok(at) = list.binary_search(&row) {
                    list.remove(at);
                }
                if list.len() * 4 < list.capacity() {
                    list.shrink_to(list.len() * 2);
                }
            }
            Self::Dense(bits) => bits.remove(row),
        }
    }

    /// How many words of bits the set would be with one row more.
    fn span_with(&self, row: u32) -> usize {
        let word = row / 64;
        let (first, last) = match self {
            Self::Sparse(list) => {
                (list.first().map_or(word, |row| row / 64), list.last().map_or(word, |row| row / 64))
            }
            Self::Dense(bits) => (bits.first, bits.first + bits.words.len() as u32 - 1),
        };
        (last.max(word) - first.min(word)) as usize + 1
    }
}

impl Bits {
    fn over(row: u32, words: usize) -> Self {
        let mut bits = Vec::new();
        bits.reserve_exact(words);
        Self { words: bits, first: row / 64, count: 0 }
    }

    fn insert(&mut self, row: u32) {
        let word = row / 64;
        if word < self.first {
            let more = (self.first - word) as usize;
            self.words.splice(0..0, core::iter::repeat_n(0, more));
            self.first = word;
        }
        let at = (word - self.first) as usize;
        while self.words.len() <= at {
            reserve(&mut self.words);
            self.words.push(0);
        }
        self.words[at] |= 1 << (row % 64);
        self.count += 1;
    }

    fn remove(&mut self, row: u32) {
        let at = (row / 64).checked_sub(self.first);
        if let Some(word) = at.and_then(|at| self.words.get_mut(at as usize)) {
            *word &= !(1 << (row % 64));
            self.count -= 1;
        }
    }

    fn next_from(&self, start: u32) -> Option<u32> {
        let start = start.max(self.first * 64);
        let at = (start / 64 - self.first) as usize;
        let mut mask = u64::MAX << (start % 64);
        for (offset, word) in self.words.get(at..)?.iter().enumerate() {
            let word = word & mask;
            if word != 0 {
                return Some((self.first + (at + offset) as u32) * 64 + word.trailing_zeros());
            }
            mask = u64::MAX;
        }
        None
    }

    fn list(&self) -> Vec<u32> {
        let mut list = Vec::new();
        list.reserve_exact(self.count as usize + 1);
        let next = |&row: &u32| self.next_from(row + 1);
        list.extend(core::iter::successors(self.next_from(0), next));
        list
    }
}

fn insert_sorted(list: &mut Vec<u32>, row: u32) {
    reserve(list);
    list.insert(list.partition_point(|&other| other < row), row);
}
