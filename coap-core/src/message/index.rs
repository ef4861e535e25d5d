use alloc::vec::Vec;

const NONE: u32 = u32::MAX;
const SMALLEST: usize = 16;

/// Finds the slot of a message by its peer and message id: a hash table whose chains run through the slots.
///
/// Peers choose their message ids, so the hash is keyed.
#[derive(Debug)]
pub(super) struct Index {
    /// The first slot of each chain; a power of two of them.
    heads: Vec<u32>,
    /// By slot.
    links: Vec<Link>,
    len: usize,
    /// Odd.
    multiplier: u64,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    name: u64,
    next: u32,
}

/// A peer's slot and a message id in one number.
pub(super) const fn name(peer: u32, message_id: u16) -> u64 {
    (peer as u64) << 16 | message_id as u64
}

impl Index {
    pub(super) const fn new(key: u64) -> Self {
        Self { heads: Vec::new(), links: Vec::new(), len: 0, multiplier: key | 1 }
    }

    pub(super) fn get(&self, name: u64) -> Option<u32> {
        let mut slot = *self.heads.get(self.chain(name))?;
        while let Some(link) = self.links.get(slot as usize) {
            if link.name == name {
                return Some(slot);
            }
            slot = link.next;
        }
        None
    }

    /// Adds a slot under a name that has none.
    pub(super) fn insert(&mut self, name: u64, slot: u32) {
        if self.len >= self.heads.len() {
            self.grow();
        }
        if self.links.len() <= slot as usize {
            self.grow_links(slot);
        }
        let chain = self.chain(name);
        self.links[slot as usize] = Link { name, next: self.heads[chain] };
        self.heads[chain] = slot;
        self.len += 1;
    }

    /// Takes out a slot, if it is there under this name.
    pub(super) fn remove(&mut self, name: u64, slot: u32) {
        let chain = self.chain(name);
        let Some(&head) = self.heads.get(chain) else { return };
        let mut previous = NONE;
        let mut current = head;
        while let Some(&link) = self.links.get(current as usize) {
            if current != slot {
                previous = current;
                current = link.next;
                continue;
            }
            match self.links.get_mut(previous as usize) {
                Some(previous) => previous.next = link.next,
                None => self.heads[chain] = link.next,
            }
            self.len -= 1;
            return;
        }
    }

    #[cfg(test)]
    pub(super) const fn chains(&self) -> usize {
        self.heads.len()
    }

    fn chain(&self, name: u64) -> usize {
        let product = name.wrapping_mul(self.multiplier);
        // The high half, where every bit of the name has left its mark.
        (product >> 32) as usize & self.heads.len().wrapping_sub(1)
    }

    #[cold]
    fn grow_links(&mut self, slot: u32) {
        self.links.resize(slot as usize + 1, Link { name: 0, next: NONE });
    }

    #[cold]
    fn grow(&mut self) {
        let old = core::mem::take(&mut self.heads);
        self.heads = alloc::vec![NONE; (old.len() * 2).max(SMALLEST)];
        for mut slot in old {
            while slot != NONE {
                let Link { name, next } = self.links[slot as usize];
                let chain = self.chain(name);
                self.links[slot as usize].next = self.heads[chain];
                self.heads[chain] = slot;
                slot = next;
            }
        }
    }
}
