//! The small structures that the layer is made of, against simple models.

use alloc::collections::btree_map::{BTreeMap, Entry};

use super::*;
use crate::list::{Links, List};
use crate::message::index::{Index, name};
use crate::message::table::Table;
use crate::timers::Timers;
use crate::tree::Tree;

#[test]
fn timers_expire_in_order_however_they_were_set_moved_and_stopped() {
    let mut random = Random::from_u64(1);
    let mut timers = Timers::default();
    let mut model: BTreeMap<u32, Instant> = BTreeMap::new();
    for _ in 0..20_000 {
        let slot = random.below(40) as u32;
        let at = Instant::from_micros(random.below(30));
        match random.below(4) {
            0 | 1 => {
                timers.set(slot, at);
                model.insert(slot, at);
            }
            2 => {
                timers.cancel(slot);
                model.remove(&slot);
            }
            _ => {
                let due = model.iter().map(|(&slot, &at)| (at, slot)).min().filter(|(due, _)| *due <= at);
                assert_eq!(timers.expire(at), due.map(|(_, slot)| slot));
                due.map(|(_, slot)| model.remove(&slot));
            }
        }
        assert_eq!(timers.next(), model.values().min().copied());
    }
}

#[test]
fn a_tree_finds_the_slots_of_all_keys() {
    let mut random = Random::from_u64(6);
    let mut tree = Tree::new(random.next_u64());
    // The key of each slot, and the slots by key.
    let mut keys = [0_u64; 60];
    let mut model: BTreeMap<u64, u32> = BTreeMap::new();
    for _ in 0..20_000 {
        let slot = random.below(60) as u32;
        let there = model.iter().find(|(_, other)| **other == slot).map(|(&key, _)| key);
        if let Some(key) = there {
            tree.remove(slot, &|other| keys[other as usize].cmp(&key));
            model.remove(&key);
        } else {
            let key = random.below(1000);
            if let Entry::Vacant(place) = model.entry(key) {
                tree.insert(slot, &|other| keys[other as usize].cmp(&key));
                keys[slot as usize] = key;
                place.insert(slot);
            }
        }
        let wanted = random.below(1000);
        let compare = |slot: u32| keys[slot as usize].cmp(&wanted);
        assert_eq!(tree.find(compare), model.get(&wanted).copied());
        assert_eq!(tree.first_from(compare), model.range(wanted..).next().map(|(_, &slot)| slot));
    }
}

/// In whatever order keys come, a slot is found with few comparisons: what a peer could make long.
#[test]
fn a_tree_is_balanced_when_keys_come_in_order() {
    let mut tree = Tree::new(0x9E37_79B9_7F4A_7C15);
    for slot in 0..100_000_u32 {
        tree.insert(slot, &|other| other.cmp(&slot));
    }
    let longest = (0..100_000_u32).step_by(97).map(|wanted| {
        let compared = core::cell::Cell::new(0);
        let found = tree.find(|slot| {
            compared.set(compared.get() + 1);
            slot.cmp(&wanted)
        });
        assert_eq!(found, Some(wanted));
        compared.get()
    });
    assert!(longest.max() < Some(60));
}

#[test]
fn lists_keep_the_order_in_which_slots_came() {
    let mut random = Random::from_u64(2);
    let mut links = Links::EMPTY;
    let mut lists = [List::EMPTY; 3];
    let mut model: [Vec<u32>; 3] = Default::default();
    for _ in 0..20_000 {
        let slot = random.below(30) as u32;
        if let Some(list) = model.iter().position(|list| list.contains(&slot)) {
            lists[list].remove(&mut links, slot);
            model[list].retain(|&other| other != slot);
        } else {
            let list = random.below(3) as usize;
            lists[list].push(&mut links, slot);
            model[list].push(slot);
        }
        for (list, model) in lists.iter().zip(&model) {
            assert_eq!(list.iter(&links).collect::<Vec<_>>(), *model);
            assert_eq!((list.len(), list.first()), (model.len(), model.first().copied()));
        }
    }
}

#[test]
fn the_index_finds_what_is_there_and_nothing_else() {
    let mut random = Random::from_u64(3);
    let mut index = Index::new(random.next_u64());
    let mut model: BTreeMap<u64, u32> = BTreeMap::new();
    for _ in 0..50_000 {
        let slot = random.below(500) as u32;
        let name = name(slot % 3, slot as u16);
        if model.remove(&name).is_some() {
            index.remove(name, slot);
            index.remove(name, slot);
        } else {
            index.insert(name, slot);
            model.insert(name, slot);
        }
        let other = super::super::index::name(random.below(3) as u32, random.below(500) as u16);
        assert_eq!(index.get(other), model.get(&other).copied());
        assert_eq!(index.get(name), model.get(&name).copied());
    }
    assert_eq!(index.chains(), 512);
}

#[test]
fn a_key_finds_its_own_value_only() {
    let mut table = Table::new();
    let first = table.insert('a');
    assert_eq!(table.remove(first), Some('a'));
    let second = table.insert('b');
    assert_eq!(first.slot(), second.slot());
    assert!(first < second);
    assert_eq!(table.get(first), None);
    assert_eq!(table.get_mut(first), None);
    assert_eq!(table.remove(first), None);
    assert_eq!((table.get(second), table.key_at(second.slot())), (Some(&'b'), Some(second)));
    let passing = table.passing_key();
    assert_eq!(table.get(passing), None);
}
