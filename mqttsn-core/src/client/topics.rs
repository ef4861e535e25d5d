//! Topic ids that this client and its gateway have agreed upon (§6.5), in each direction.

use alloc::sync::Arc;
use alloc::vec::Vec;

use mqttsn_codec::TopicId;

/// Topic names with their ids to publish, and ids with their names of what arrives. The one that was not used for
/// longest makes room. There are few: lists that are searched through.
#[derive(Clone, Debug, Default)]
pub(super) struct Topics {
    to_gateway: Vec<Known>,
    from_gateway: Vec<Known>,
    uses: u64,
}

#[derive(Clone, Debug)]
struct Known {
    name: Arc<str>,
    id: TopicId,
    used: u64,
}

impl Topics {
    /// The id to publish with.
    pub(super) fn id(&mut self, name: &str) -> Option<TopicId> {
        self.uses += 1;
        let known = self.to_gateway.iter_mut().find(|known| *known.name == *name)?;
        known.used = self.uses;
        Some(known.id)
    }

    /// The name of what arrives.
    pub(super) fn name(&mut self, id: TopicId) -> Option<Arc<str>> {
        self.uses += 1;
        let known = self.from_gateway.iter_mut().find(|known| known.id == id)?;
        known.used = self.uses;
        Some(Arc::clone(&known.name))
    }

    /// An id to publish with; `true` when another one had to make room.
    pub(super) fn registered(&mut self, name: &Arc<str>, id: TopicId, limit: usize) -> bool {
        // The gateway gives an id to one name at a time.
        self.to_gateway.retain(|known| known.id != id && known.name != *name);
        self.uses += 1;
        add(&mut self.to_gateway, Known { name: Arc::clone(name), id, used: self.uses }, limit)
    }

    /// The name of what will arrive; `true` when another one had to make room.
    pub(super) fn announced(&mut self, id: TopicId, name: &str, limit: usize) -> bool {
        self.from_gateway.retain(|known| known.id != id);
        self.uses += 1;
        add(&mut self.from_gateway, Known { name: name.into(), id, used: self.uses }, limit)
    }

    /// The gateway does not know the id.
    pub(super) fn forget_id(&mut self, id: TopicId) {
        self.to_gateway.retain(|known| known.id != id);
    }

    pub(super) fn forget_name(&mut self, name: &str) {
        self.to_gateway.retain(|known| *known.name != *name);
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

fn add(list: &mut Vec<Known>, known: Known, limit: usize) -> bool {
    let full = list.len() >= limit.max(1);
    let oldest = list.iter().enumerate().min_by_key(|(_, known)| known.used).map(|(place, _)| place);
    if let Some(oldest) = oldest.filter(|_| full) {
        list.swap_remove(oldest);
    }
    list.push(known);
    full
}
