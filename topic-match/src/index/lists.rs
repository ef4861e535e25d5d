//! The subscriptions of filters that more than one subscriber has.

use alloc::vec::Vec;

use super::SubscriberId;
use super::entries::Entries;
use super::hash::Key;
use super::place::{Held, Origin, Source, Subscribers};
use super::slab::{Slab, reserve};
use super::table::Table;

#[derive(Clone, Debug)]
struct List {
    /// Where the list hangs; its members have the list for their origin.
    origin: Origin,
    members: Vec<u32>,
}

#[derive(Clone, Default, Debug)]
pub(super) struct Lists {
    lists: Slab<List>,
    /// List and subscriber to the place in the list.
    table: Table,
}

impl Lists {
    /// The subscription of one subscriber among those of a filter.
    pub(super) fn find<V: Copy>(
        &self,
        key: &Key,
        entries: &Entries<V>,
        subscribers: Subscribers,
        subscriber: SubscriberId,
    ) -> Option<u32> {
        match subscribers.held() {
            Held::Nobody => None,
            Held::One(entry) => (entries[entry].subscriber == subscriber).then_some(entry),
            Held::Many(list) => {
                let members = &self.lists[list].members;
                let is_it = |place| {
                    members.get(place as usize).is_some_and(|&entry| entries[entry].subscriber == subscriber)
                };
                let position = self.table.find(key.pair(list, subscriber.0), is_it)?;
                members.get(self.table.index(position) as usize).copied()
            }
        }
    }

    /// The subscribers of a filter with one subscription more, whose origin is set.
    pub(super) fn add<V: Copy>(
        &mut self,
        key: &Key,
        entries: &mut Entries<V>,
        subscribers: Subscribers,
        entry: u32,
    ) -> Subscribers {
        match subscribers.held() {
            Held::Nobody => Subscribers::one(entry),
            Held::One(other) => {
                let origin = entries[other].origin;
                let list = self.lists.insert(List { origin, members: Vec::new() });
                self.push(key, entries, list, other);
                self.push(key, entries, list, entry);
                Subscribers::many(list)
            }
            Held::Many(list) => {
                self.push(key, entries, list, entry);
                subscribers
            }
        }
    }

    /// The subscribers of a filter with one subscription less. The last member takes the place of the one
    /// that goes.
    pub(super) fn remove<V: Copy>(
        &mut self,
        key: &Key,
        entries: &mut Entries<V>,
        subscribers: Subscribers,
        entry: u32,
    ) -> Subscribers {
        let Held::Many(list) = subscribers.held() else { return Subscribers::NOBODY };
        let List { origin, ref mut members } = self.lists[list];
        let tag = |entry: u32| key.pair(list, entries[entry].subscriber.0);
        let is_it = |place| members.get(place as usize) == Some(&entry);
        if let (Some(position), Some(&last)) = (self.table.find(tag(entry), is_it), members.last()) {
            let place = self.table.index(position);
            self.table.remove(position);
            let end = members.len() as u32 - 1;
            if place != end
                && let Some(moved) = self.table.find(tag(last), |at| at == end)
            {
                self.table.set_index(moved, place);
            }
            members.swap_remove(place as usize);
            if members.len() * 4 < members.capacity() {
                members.shrink_to(members.len() * 2);
            }
        }
        let &[only] = &members[..] else { return subscribers };
        if let Some(position) = self.table.find(tag(only), |place| place == 0) {
            self.table.remove(position);
        }
        self.lists[list].members = Vec::new();
        self.lists.remove(list);
        entries[only].origin = origin;
        Subscribers::one(only)
    }

    /// The subscriptions of a filter.
    pub(super) fn members<'a>(&'a self, subscribers: Subscribers, one: &'a mut u32) -> &'a [u32] {
        match subscribers.held() {
            Held::Nobody => &[],
            Held::One(entry) => {
                *one = entry;
                core::slice::from_ref(one)
            }
            Held::Many(list) => &self.lists[list].members,
        }
    }

    pub(super) fn origin(&self, list: u32) -> Origin {
        self.lists[list].origin
    }

    pub(super) fn set_origin(&mut self, list: u32, origin: Origin) {
        self.lists[list].origin = origin;
    }

    pub(super) fn holes(&self) -> usize {
        self.lists.holes()
    }

    fn push<V: Copy>(&mut self, key: &Key, entries: &mut Entries<V>, list: u32, entry: u32) {
        let members = &mut self.lists[list].members;
        reserve(members);
        members.push(entry);
        let subscriber = entries[entry].subscriber;
        self.table.insert(key.pair(list, subscriber.0), members.len() as u32 - 1);
        entries[entry].origin = Origin::new(Source::List(list));
    }
}
