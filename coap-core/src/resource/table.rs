//! Which resource a path leads to.

use alloc::boxed::Box;
use alloc::vec::Vec;

use slab::Slab;

use super::Resource;
use crate::Refused;
use crate::list::{Links, List};

/// Names a resource of this endpoint, as long as it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    /// Counts up: no two resources ever have the same.
    serial: u64,
    place: usize,
}

impl ResourceId {
    /// A small number that no other resource has at the same time.
    pub(crate) const fn place(self) -> usize {
        self.place
    }
}

/// All resources of a server, in a tree of path segments.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    resources: Slab<Entry>,
    next_serial: u64,
    /// In the order of their making.
    in_order: List,
    links: Links,
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
    /// By segment.
    children: Vec<(Box<[u8]>, usize)>,
    resource: Option<ResourceId>,
    /// The resource stands for all below, too.
    subtree: bool,
}

impl Node {
    fn child(&self, segment: &[u8]) -> Option<usize> {
        let place = self.place_of(segment).ok()?;
        self.children.get(place).map(|(_, child)| *child)
    }

    /// Where the child is, or would be.
    fn place_of(&self, segment: &[u8]) -> Result<usize, usize> {
        self.children.binary_search_by(|(of, _)| (**of).cmp(segment))
    }
}

impl Table {
    /// No resources.
    pub(crate) fn new() -> Self {
        let mut nodes = Slab::new();
        let root = nodes.insert(Node::default());
        let (in_order, links) = (List::EMPTY, Links::EMPTY);
        Self { resources: Slab::new(), next_serial: 0, in_order, links, nodes, root }
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
        let place = self.resources.insert(Entry { serial, resource, changes: 0 });
        self.in_order.push(&mut self.links, place as u32);
        let id = ResourceId { serial, place };
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
        self.in_order.remove(&mut self.links, id.place as u32);
        let mut at = self.root;
        let mut way: Vec<(usize, &str)> = Vec::new();
        for segment in resource.segments() {
            way.push((at, segment));
            at = self.nodes.get(at)?.child(segment.as_bytes())?;
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

    /// All resources, in the order of their making.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Resource> {
        let entries = self.in_order.iter(&self.links).filter_map(|place| self.resources.get(place as usize));
        entries.map(|entry| &entry.resource)
    }

    /// Nodes of the tree, the root among them.
    #[cfg(test)]
    pub(crate) fn node_count(&self) -> usize {
        self.nodes.len()
    }

    fn entry(&self, id: ResourceId) -> Option<&Entry> {
        self.resources.get(id.place).filter(|entry| entry.serial == id.serial)
    }

    /// What lies on a path: all of its segments are looked at.
    pub(crate) fn walk<'s>(&self, path: impl Iterator<Item = &'s [u8]>) -> Found {
        let mut found = Found { exact: None, above: None };
        let mut at = self.nodes.get(self.root);
        // To the end of the path, even where it leads nowhere: the caller looks at its segments, too.
        for segment in path {
            let Some(node) = at else { continue };
            if node.subtree {
                found.above = node.resource;
            }
            at = node.child(segment).and_then(|child| self.nodes.get(child));
        }
        found.exact = at.and_then(|node| node.resource);
        found
    }

    fn child(&mut self, of: usize, segment: &[u8]) -> usize {
        let Some(Err(place)) = self.nodes.get(of).map(|node| node.place_of(segment)) else {
            return self.nodes.get(of).and_then(|node| node.child(segment)).unwrap_or(of);
        };
        let child = self.nodes.insert(Node::default());
        if let Some(node) = self.nodes.get_mut(of) {
            node.children.insert(place, (segment.into(), child));
        }
        child
    }

    /// Takes out the nodes at the end of a way that lead nowhere.
    fn prune(&mut self, mut way: Vec<(usize, &str)>) {
        while let Some((parent, segment)) = way.pop() {
            let child = self.nodes.get(parent).and_then(|node| node.child(segment.as_bytes()));
            let Some(child) = child else { return };
            let idle = |node: &Node| node.resource.is_none() && node.children.is_empty();
            if !self.nodes.get(child).is_some_and(idle) {
                return;
            }
            self.nodes.try_remove(child);
            if let Some(node) = self.nodes.get_mut(parent) {
                node.children.retain(|(_, other)| *other != child);
            }
        }
    }
}

/// What lies on a path.
pub(crate) struct Found {
    /// The resource that has it.
    pub(crate) exact: Option<ResourceId>,
    /// The one with the longest path above it that stands for all below.
    pub(crate) above: Option<ResourceId>,
}
