//! Which resource a path leads to.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use slab::Slab;

use super::Resource;
use crate::Refused;

/// Names a resource of this endpoint, as long as it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    /// Counts up: no two resources ever have the same.
    serial: u64,
    place: usize,
}

/// All resources of a server, in a tree of path segments.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    resources: Slab<Entry>,
    next_serial: u64,
    nodes: Slab<Node>,
    root: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    serial: u64,
    resource: Resource,
    /// How often its state has changed.
    changes: u64,
}

#[derive(Clone, Debug, Default)]
struct Node {
    children: BTreeMap<Box<[u8]>, usize>,
    resource: Option<ResourceId>,
    /// The resource stands for all below, too.
    subtree: bool,
}

impl Table {
    /// No resources.
    pub(crate) fn new() -> Self {
        let mut nodes = Slab::new();
        let root = nodes.insert(Node::default());
        Self { resources: Slab::new(), next_serial: 0, nodes, root }
    }

    /// Adds a resource.
    ///
    /// # Errors
    /// [`Refused::PathInUse`].
    pub(crate) fn insert(&mut self, resource: Resource) -> Result<ResourceId, Refused> {
        if self.walk(resource.segments().map(str::as_bytes)).exact.is_some() {
            return Err(Refused::PathInUse);
        }
        let mut at = self.root;
        for segment in resource.segments() {
            at = self.child(at, segment.as_bytes());
        }
        let subtree = resource.is_subtree();
        let serial = self.next_serial;
        self.next_serial += 1;
        let id = ResourceId { serial, place: self.resources.insert(Entry { serial, resource, changes: 0 }) };
        if let Some(node) = self.nodes.get_mut(at) {
            node.resource = Some(id);
            node.subtree = subtree;
        }
        Ok(id)
    }

    /// Takes a resource out.
    pub(crate) fn remove(&mut self, id: ResourceId) -> Option<Resource> {
        self.get(id)?;
        let Entry { resource, .. } = self.resources.try_remove(id.place)?;
        let mut at = self.root;
        let mut way: Vec<(usize, &str)> = Vec::new();
        for segment in resource.segments() {
            way.push((at, segment));
            at = self.nodes.get(at)?.children.get(segment.as_bytes()).copied()?;
        }
        let node = self.nodes.get_mut(at)?;
        (node.resource, node.subtree) = (None, false);
        self.prune(way);
        Some(resource)
    }

    /// A resource.
    pub(crate) fn get(&self, id: ResourceId) -> Option<&Resource> {
        self.entry(id).map(|entry| &entry.resource)
    }

    /// The state of a resource has changed.
    pub(crate) fn note_change(&mut self, id: ResourceId) {
        if let Some(entry) = self.resources.get_mut(id.place).filter(|entry| entry.serial == id.serial) {
            entry.changes += 1;
        }
    }

    /// How often the state of a resource has changed.
    pub(crate) fn changes(&self, id: ResourceId) -> u64 {
        self.entry(id).map_or(0, |entry| entry.changes)
    }

    /// The resource for a path: the one that has it, or else the one with the longest path above it that stands for all below.
    pub(crate) fn find<'s>(&self, path: impl Iterator<Item = &'s [u8]>) -> Option<ResourceId> {
        let found = self.walk(path);
        found.exact.or(found.above)
    }

    /// All resources, in the order of their making.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resource> {
        let mut all: Vec<_> =
            self.resources.iter().map(|(_, entry)| (entry.serial, &entry.resource)).collect();
        all.sort_unstable_by_key(|(serial, _)| *serial);
        all.into_iter().map(|(_, resource)| resource)
    }

    /// Nodes of the tree, the root among them.
    #[cfg(test)]
    pub(crate) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    fn entry(&self, id: ResourceId) -> Option<&Entry> {
        self.resources.get(id.place).filter(|entry| entry.serial == id.serial)
    }

    fn walk<'s>(&self, path: impl Iterator<Item = &'s [u8]>) -> Found {
        let mut found = Found { exact: None, above: None };
        let mut at = self.nodes.get(self.root);
        for segment in path {
            let Some(node) = at else { break };
            if node.subtree {
                found.above = node.resource;
            }
            at = node.children.get(segment).and_then(|child| self.nodes.get(*child));
        }
        found.exact = at.and_then(|node| node.resource);
        found
    }

    fn child(&mut self, of: usize, segment: &[u8]) -> usize {
        let there = self.nodes.get(of).and_then(|node| node.children.get(segment)).copied();
        there.unwrap_or_else(|| {
            let child = self.nodes.insert(Node::default());
            if let Some(node) = self.nodes.get_mut(of) {
                node.children.insert(segment.into(), child);
            }
            child
        })
    }

    /// Takes out the nodes at the end of a way that lead nowhere.
    fn prune(&mut self, mut way: Vec<(usize, &str)>) {
        while let Some((parent, segment)) = way.pop() {
            let child =
                self.nodes.get(parent).and_then(|node| node.children.get(segment.as_bytes())).copied();
            let Some(child) = child else { return };
            let idle = |node: &Node| node.resource.is_none() && node.children.is_empty();
            if !self.nodes.get(child).is_some_and(idle) {
                return;
            }
            self.nodes.try_remove(child);
            if let Some(node) = self.nodes.get_mut(parent) {
                node.children.remove(segment.as_bytes());
            }
        }
    }
}

/// What lies on a path.
struct Found {
    exact: Option<ResourceId>,
    /// The last on the way that stands for all below.
    above: Option<ResourceId>,
}
