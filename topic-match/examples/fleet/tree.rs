//! The tree of `HashMap`s that one would write first: what an index is compared with, here and in `benches`.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher};

/// Keyed with zeros, so that each run is like the other.
type Children = HashMap<String, Tree, BuildHasherDefault<DefaultHasher>>;

/// A level of filters, with all below it.
#[derive(Default)]
pub struct Tree {
    children: Children,
    here: Vec<u32>,
    multi: Vec<u32>,
}

impl Tree {
    /// Adds a filter of a subscriber.
    pub fn insert(&mut self, filter: &str, subscriber: u32) {
        let mut node = self;
        for level in filter.split('/') {
            if level == "#" {
                node.multi.push(subscriber);
                return;
            }
            node = node.children.entry(level.to_owned()).or_default();
        }
        node.here.push(subscriber);
    }

    /// Finds the subscribers of a topic.
    pub fn visit(&self, name: &str, found: &mut impl FnMut(u32)) {
        self.multi.iter().copied().for_each(&mut *found);
        let (level, rest) = match name.split_once('/') {
            Some((level, rest)) => (level, Some(rest)),
            None => (name, None),
        };
        for child in [self.children.get(level), self.children.get("+")].into_iter().flatten() {
            match rest {
                Some(rest) => child.visit(rest, found),
                None => child.here.iter().chain(&child.multi).copied().for_each(&mut *found),
            }
        }
    }
}
