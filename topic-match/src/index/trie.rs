//! The filters with wildcards: a tree of levels, walked breadth first.

use alloc::string::String;
use alloc::vec::Vec;

use super::hash::Key;
use super::place::Subscribers;
use super::slab::Slab;
use super::symbols::Symbols;
use super::table::Table;

pub(super) const NONE: u32 = u32::MAX;
pub(super) const ROOT: u32 = 0;

#[derive(Clone, Debug)]
pub(super) struct Node {
    parent: u32,
    /// The level that leads here from the parent; `NONE` for `+`.
    symbol: u32,
    /// The child for `+`.
    pub(super) plus: u32,
    /// How many other children there are.
    pub(super) literals: u32,
    /// Who subscribes to the filter that ends here.
    pub(super) here: Subscribers,
    /// Who subscribes to that filter followed by `#`.
    pub(super) multi: Subscribers,
}

#[derive(Clone, Debug)]
pub(super) struct Trie {
    nodes: Slab<Node>,
    /// Node and symbol to the child.
    children: Table,
    symbols: Symbols,
}

impl Trie {
    pub(super) fn new() -> Self {
        let mut nodes = Slab::default();
        nodes.insert(Node::new(NONE, NONE));
        Self { nodes, children: Table::default(), symbols: Symbols::default() }
    }

    /// The node of a filter and whether the filter ends in `#` after it.
    pub(super) fn find(&self, key: &Key, filter: &str) -> Option<(u32, bool)> {
        let (path, multi) = split(filter);
        let mut node = ROOT;
        for level in levels(path) {
            node = match level {
                "+" => Some(self.nodes[node].plus).filter(|&plus| plus != NONE)?,
                _ => self.child(key, node, self.symbols.find(key, level)?)?,
            };
        }
        Some((node, multi))
    }

    /// Like `find`, but makes the nodes that are missing; `None` if there is no space.
    pub(super) fn find_or_insert(&mut self, key: &Key, filter: &str) -> Option<(u32, bool)> {
        let (path, multi) = split(filter);
        let more = levels(path).count();
        if !self.nodes.has_space(more) || !self.symbols.has_space(more) {
            return None;
        }
        let node = levels(path).fold(ROOT, |node, level| self.step(key, node, level));
        Some((node, multi))
    }

    pub(super) fn node(&self, number: u32) -> &Node {
        &self.nodes[number]
    }

    pub(super) fn subscribers(&self, node: u32, multi: bool) -> Subscribers {
        if multi { self.nodes[node].multi } else { self.nodes[node].here }
    }

    pub(super) fn set_subscribers(&mut self, node: u32, multi: bool, subscribers: Subscribers) {
        let node = &mut self.nodes[node];
        *(if multi { &mut node.multi } else { &mut node.here }) = subscribers;
    }

    /// Removes a node that nobody needs any more, and those above it that only led there.
    pub(super) fn prune(&mut self, key: &Key, mut number: u32) {
        while number != ROOT && self.nodes[number].is_idle() {
            let Node { parent, symbol, .. } = self.nodes[number];
            if symbol == NONE {
                self.nodes[parent].plus = NONE;
            } else {
                if let Some(position) = self.children.find(key.pair(parent, symbol), |child| child == number)
                {
                    self.children.remove(position);
                }
                self.nodes[parent].literals -= 1;
                self.symbols.release(key, symbol);
            }
            self.nodes.remove(number);
            number = parent;
        }
    }

    /// Writes the filter that ends in a node.
    pub(super) fn write_filter(&self, node: u32, multi: bool, filter: &mut String) {
        let mut path = Vec::new();
        let mut number = node;
        while number != ROOT {
            let Node { parent, symbol, .. } = self.nodes[number];
            path.push(if symbol == NONE { "+" } else { self.symbols.text(symbol) });
            number = parent;
        }
        let levels = path.into_iter().rev().chain(multi.then_some("#"));
        for (index, level) in levels.enumerate() {
            if index > 0 {
                filter.push('/');
            }
            filter.push_str(level);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn holes(&self) -> usize {
        self.nodes.holes() + self.symbols.holes()
    }

    pub(super) fn symbol(&self, key: &Key, level: &str) -> Option<u32> {
        self.symbols.find(key, level)
    }

    pub(super) fn child(&self, key: &Key, node: u32, symbol: u32) -> Option<u32> {
        let is_it = |child| {
            let child: &Node = &self.nodes[child];
            child.parent == node && child.symbol == symbol
        };
        let position = self.children.find(key.pair(node, symbol), is_it)?;
        Some(self.children.index(position))
    }

    fn step(&mut self, key: &Key, node: u32, level: &str) -> u32 {
        if level == "+" {
            if self.nodes[node].plus == NONE {
                self.nodes[node].plus = self.nodes.insert(Node::new(node, NONE));
            }
            return self.nodes[node].plus;
        }
        if let Some(child) = self.symbols.find(key, level).and_then(|symbol| self.child(key, node, symbol)) {
            return child;
        }
        let symbol = self.symbols.acquire(key, level);
        let child = self.nodes.insert(Node::new(node, symbol));
        self.children.insert(key.pair(node, symbol), child);
        self.nodes[node].literals += 1;
        child
    }
}

impl Node {
    fn new(parent: u32, symbol: u32) -> Self {
        let nobody = Subscribers::NOBODY;
        Self { parent, symbol, plus: NONE, literals: 0, here: nobody, multi: nobody }
    }

    fn is_idle(&self) -> bool {
        let nobody = Subscribers::NOBODY;
        self.here == nobody && self.multi == nobody && self.plus == NONE && self.literals == 0
    }
}

/// A filter as what comes before `#`, which may be nothing, and whether there is `#`.
fn split(filter: &str) -> (Option<&str>, bool) {
    match filter.strip_suffix('#') {
        None => (Some(filter), false),
        Some(path) => (path.strip_suffix('/'), true),
    }
}

fn levels(path: Option<&str>) -> impl Iterator<Item = &str> {
    path.into_iter().flat_map(|path| path.split('/'))
}
