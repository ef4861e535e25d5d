//! Topic ids that this client and its gateway have agreed upon (§6.5), in each direction.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use mqttsn_codec::TopicId;

/// Topic names with their ids to publish, and ids with their names of what arrives. The one that was not used for
/// longest makes room.
#[derive(Clone, Debug, Default)]
pub(super) struct Topics {
    to_gateway: BTreeMap<Box<str>, (TopicId, u64)>,
    from_gateway: BTreeMap<TopicId, (Arc<str>, u64)>,
    uses: u64,
}

impl Topics {
    /// The id to publish with.
    pub(super) fn id(&mut self, name: &str) -> Option<TopicId> {
        self.uses += 1;
        let (id, used) = self.to_gateway.get_mut(name)?;
        *used = self.uses;
        Some(*id)
    }

    /// The name of what arrives.
    pub(super) fn name(&mut self, id: TopicId) -> Option<Arc<str>> {
        self.uses += 1;
        let (name, used) = self.from_gateway.get_mut(&id)?;
        *used = self.uses;
        Some(Arc::clone(name))
    }

    /// An id to publish with; `true` when another one had to make room.
    pub(super) fn registered(&mut self, name: &str, id: TopicId, limit: usize) -> bool {
        // The gateway gives an id to one name at a time.
        self.to_gateway.retain(|other, (theirs, _)| *theirs != id || **other == *name);
        let evict = self.to_gateway.len() >= limit.max(1) && !self.to_gateway.contains_key(name);
        if evict {
            evict_oldest(&mut self.to_gateway);
        }
        self.uses += 1;
        self.to_gateway.insert(name.into(), (id, self.uses));
        evict
    }

    /// The name of what will arrive; `true` when another one had to make room.
    pub(super) fn announced(&mut self, id: TopicId, name: &str, limit: usize) -> bool {
        let evict = self.from_gateway.len() >= limit.max(1) && !self.from_gateway.contains_key(&id);
        if evict {
            evict_oldest(&mut self.from_gateway);
        }
        self.uses += 1;
        self.from_gateway.insert(id, (name.into(), self.uses));
        evict
    }

    /// The gateway does not know the id.
    pub(super) fn forget_id(&mut self, id: TopicId) {
        self.to_gateway.retain(|_, (theirs, _)| *theirs != id);
    }

    pub(super) fn forget_name(&mut self, name: &str) {
        self.to_gateway.remove(name);
    }

    /// A new connection: names are registered again.
    pub(super) fn forget_to_gateway(&mut self) {
        self.to_gateway.clear();
    }

    /// A new session: the gateway announces names again.
    pub(super) fn forget_from_gateway(&mut self) {
        self.from_gateway.clear();
    }
}

fn evict_oldest<K: Ord + Clone, V>(map: &mut BTreeMap<K, (V, u64)>) {
    let oldest = map.iter().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
    if let Some(key) = oldest {
        map.remove(&key);
    }
}
