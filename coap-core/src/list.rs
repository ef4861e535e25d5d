//! Lists of the slots of a table.

use alloc::vec::Vec;

const NONE: u32 = u32::MAX;

/// The neighbours of each slot of a table, for lists that slots join and leave in constant time.
///
/// A slot is in one list at most of those that share the links.
#[derive(Clone, Debug)]
pub(crate) struct Links(Vec<Link>);

#[derive(Clone, Copy, Debug)]
struct Link {
    previous: u32,
    next: u32,
}

impl Links {
    pub(crate) const EMPTY: Self = Self(Vec::new());

    #[cold]
    fn grow(&mut self, to: usize) {
        self.0.resize(to + 1, Link { previous: NONE, next: NONE });
    }
}

/// A list of slots, the oldest first.
#[derive(Clone, Copy, Debug)]
pub(crate) struct List {
    first: u32,
    last: u32,
    len: u32,
}

impl List {
    pub(crate) const EMPTY: Self = Self { first: NONE, last: NONE, len: 0 };

    pub(crate) const fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) fn first(&self) -> Option<u32> {
        (self.first != NONE).then_some(self.first)
    }

    pub(crate) fn last(&self) -> Option<u32> {
        (self.last != NONE).then_some(self.last)
    }

    /// The slots in order.
    pub(crate) fn iter<'a>(&self, links: &'a Links) -> impl Iterator<Item = u32> + use<'a> {
        core::iter::successors(self.first(), |&slot| {
            Some(links.0[slot as usize].next).filter(|&next| next != NONE)
        })
    }

    /// Puts a slot that is in no list at the end of this one.
    pub(crate) fn push(&mut self, links: &mut Links, slot: u32) {
        let index = slot as usize;
        if links.0.len() <= index {
            links.grow(index);
        }
        links.0[index] = Link { previous: self.last, next: NONE };
        match self.last {
            NONE => self.first = slot,
            last => links.0[last as usize].next = slot,
        }
        self.last = slot;
        self.len += 1;
    }

    /// Takes out a slot that is in this list.
    pub(crate) fn remove(&mut self, links: &mut Links, slot: u32) {
        let Link { previous, next } = links.0[slot as usize];
        match previous {
            NONE => self.first = next,
            previous => links.0[previous as usize].next = next,
        }
        match next {
            NONE => self.last = previous,
            next => links.0[next as usize].previous = previous,
        }
        self.len -= 1;
    }
}
