use slab::Slab;

/// Values under keys that are never used twice, so that the key of a value that is gone finds nothing.
#[derive(Debug)]
pub(super) struct Table<T> {
    entries: Slab<(u32, T)>,
    next_serial: u32,
}

/// Names a value; older values have smaller keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    serial: u32,
    slot: u32,
}

impl Key {
    /// Where the value lies, for the lists and timers beside the table.
    pub(super) const fn slot(self) -> u32 {
        self.slot
    }
}

impl<T> Table<T> {
    pub(super) const fn new() -> Self {
        Self { entries: Slab::new(), next_serial: 0 }
    }

    pub(super) fn insert(&mut self, value: T) -> Key {
        let serial = self.passing_key().serial;
        Key { serial, slot: self.entries.insert((serial, value)) as u32 }
    }

    /// The key of a value that is over before it could be inserted.
    pub(super) fn passing_key(&mut self) -> Key {
        let serial = self.next_serial;
        self.next_serial = serial.wrapping_add(1);
        Key { serial, slot: u32::MAX }
    }

    pub(super) fn get(&self, key: Key) -> Option<&T> {
        let (serial, value) = self.entries.get(key.slot as usize)?;
        (*serial == key.serial).then_some(value)
    }

    pub(super) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let (serial, value) = self.entries.get_mut(key.slot as usize)?;
        (*serial == key.serial).then_some(value)
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        self.get(key)?;
        self.entries.try_remove(key.slot as usize).map(|(_, value)| value)
    }

    /// The value that lies there now.
    pub(super) fn at(&self, slot: u32) -> Option<&T> {
        self.entries.get(slot as usize).map(|(_, value)| value)
    }

    /// The key of the value that lies there now.
    pub(super) fn key_at(&self, slot: u32) -> Option<Key> {
        self.entries.get(slot as usize).map(|&(serial, _)| Key { serial, slot })
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
