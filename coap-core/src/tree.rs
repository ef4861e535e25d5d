//! Slots of a table in the order of their keys.

use alloc::vec::Vec;
use core::cmp::Ordering;

const NONE: u32 = u32::MAX;

/// Finds slots by what lies there: a search tree that runs through the slots, and knows of their keys what it is told.
///
/// All tables share its code, and no key is kept twice. It is a zip tree (Tarjan, Levy, Timmel 2019): balanced, as likely as not,
/// by ranks that nobody can foretell.
#[derive(Clone, Debug)]
pub(crate) struct Tree {
    root: u32,
    /// By slot.
    nodes: Vec<Node>,
    /// Where ranks come from: xorshift.
    state: u64,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    left: u32,
    right: u32,
    /// No node has a higher one than its parent.
    rank: u32,
}

/// A place where a node hangs.
#[derive(Clone, Copy)]
enum Link {
    Root,
    Left(u32),
    Right(u32),
}

impl Tree {
    /// An empty one. Peers choose keys, so the ranks are keyed.
    pub(crate) const fn new(key: u64) -> Self {
        Self { root: NONE, nodes: Vec::new(), state: key | 1 }
    }

    /// The slot with a key. `compare` tells the order of a slot's key and the wanted one.
    #[inline]
    pub(crate) fn find(&self, compare: impl Fn(u32) -> Ordering) -> Option<u32> {
        let mut at = self.root;
        while let Some(node) = self.nodes.get(at as usize) {
            at = match compare(at) {
                Ordering::Equal => return Some(at),
                Ordering::Greater => node.left,
                Ordering::Less => node.right,
            };
        }
        None
    }

    /// The first slot whose key is not `Less` than the wanted one.
    pub(crate) fn first_from(&self, compare: impl Fn(u32) -> Ordering) -> Option<u32> {
        let (mut at, mut found) = (self.root, None);
        while let Some(node) = self.nodes.get(at as usize) {
            at = if compare(at) == Ordering::Less {
                node.right
            } else {
                found = Some(at);
                node.left
            };
        }
        found
    }

    /// Adds a slot that is not there; `compare` tells the order of another slot's key and its own.
    pub(crate) fn insert(&mut self, slot: u32, compare: &dyn Fn(u32) -> Ordering) {
        let rank = self.next_rank();
        if self.nodes.len() <= slot as usize {
            self.nodes.resize(slot as usize + 1, Node { left: NONE, right: NONE, rank: 0 });
        }
        let (mut link, mut at) = (Link::Root, self.root);
        while at != NONE && rank <= self.nodes[at as usize].rank {
            link = if compare(at) == Ordering::Greater { Link::Left(at) } else { Link::Right(at) };
            at = self.get(link);
        }
        self.nodes[slot as usize] = Node { left: NONE, right: NONE, rank };
        self.set(link, slot);
        // What was below is parted into smaller and larger ones.
        let (mut smaller, mut larger) = (Link::Left(slot), Link::Right(slot));
        while at != NONE {
            if compare(at) == Ordering::Greater {
                self.set(larger, at);
                larger = Link::Left(at);
                at = self.get(larger);
            } else {
                self.set(smaller, at);
                smaller = Link::Right(at);
                at = self.get(smaller);
            }
        }
        self.set(smaller, NONE);
        self.set(larger, NONE);
    }

    /// Takes out a slot that is there; `compare` tells the order of another slot's key and its own.
    pub(crate) fn remove(&mut self, slot: u32, compare: &dyn Fn(u32) -> Ordering) {
        let (mut link, mut at) = (Link::Root, self.root);
        while at != NONE && at != slot {
            link = if compare(at) == Ordering::Greater { Link::Left(at) } else { Link::Right(at) };
            at = self.get(link);
        }
        let Some(&Node { mut left, mut right, .. }) = self.nodes.get(at as usize) else { return };
        // What was below on both sides is joined.
        while left != NONE && right != NONE {
            if self.nodes[left as usize].rank >= self.nodes[right as usize].rank {
                self.set(link, left);
                link = Link::Right(left);
                left = self.get(link);
            } else {
                self.set(link, right);
                link = Link::Left(right);
                right = self.get(link);
            }
        }
        self.set(link, if left == NONE { right } else { left });
    }

    fn get(&self, link: Link) -> u32 {
        match link {
            Link::Root => self.root,
            Link::Left(of) => self.nodes[of as usize].left,
            Link::Right(of) => self.nodes[of as usize].right,
        }
    }

    fn set(&mut self, link: Link, slot: u32) {
        match link {
            Link::Root => self.root = slot,
            Link::Left(of) => self.nodes[of as usize].left = slot,
            Link::Right(of) => self.nodes[of as usize].right = slot,
        }
    }

    fn next_rank(&mut self) -> u32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 32) as u32
    }
}
