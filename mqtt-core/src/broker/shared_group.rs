//! Shared subscriptions (MQTT 5 §4.8.2): each message goes to one member of the group.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use core::ops::Bound::{Excluded, Unbounded};

use slab::Slab;

use super::subscriber::{GroupId, Route, SessionKey};

/// The sessions that share one subscription.
#[derive(Debug)]
struct Group {
    /// `$share/<ShareName>/<filter>`.
    name: Arc<str>,
    /// Members with a connection, and without.
    online: BTreeMap<SessionKey, Route>,
    offline: BTreeMap<SessionKey, Route>,
    last: SessionKey,
}

/// All groups, by place and by name.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    slots: Slab<Group>,
    by_name: BTreeMap<Arc<str>, GroupId>,
    members: usize,
}

impl Groups {
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Memberships in all groups.
    pub(crate) fn members(&self) -> usize {
        self.members
    }

    pub(crate) fn find(&self, name: &str) -> Option<GroupId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn name(&self, id: GroupId) -> Option<&Arc<str>> {
        Some(&self.slots.get(id.0 as usize)?.name)
    }

    /// The group of this name, made if need be; says whether it was.
    pub(crate) fn find_or_insert(&mut self, name: &str) -> (GroupId, bool) {
        if let Some(id) = self.find(name) {
            return (id, false);
        }
        let name: Arc<str> = name.into();
        let group = Group {
            name: Arc::clone(&name),
            online: BTreeMap::new(),
            offline: BTreeMap::new(),
            last: SessionKey(0),
        };
        let id = GroupId(self.slots.insert(group) as u32);
        self.by_name.insert(name, id);
        (id, true)
    }

    /// Adds or replaces a member.
    pub(crate) fn join(&mut self, id: GroupId, member: SessionKey, route: Route, online: bool) {
        let Some(group) = self.slots.get_mut(id.0 as usize) else { return };
        let before = group.online.remove(&member).or_else(|| group.offline.remove(&member)).is_some();
        let side = if online { &mut group.online } else { &mut group.offline };
        side.insert(member, route);
        self.members += usize::from(!before);
    }

    pub(crate) fn has_member(&self, id: GroupId, member: SessionKey) -> bool {
        let group = self.slots.get(id.0 as usize);
        group.is_some_and(|group| group.online.contains_key(&member) || group.offline.contains_key(&member))
    }

    /// Takes a member out; `Some(true)` when the group is gone with it, `None` when it was no member.
    pub(crate) fn leave(&mut self, id: GroupId, member: SessionKey) -> Option<bool> {
        let group = self.slots.get_mut(id.0 as usize)?;
        group.online.remove(&member).or_else(|| group.offline.remove(&member))?;
        self.members -= 1;
        let empty = group.online.is_empty() && group.offline.is_empty();
        if empty {
            let group = self.slots.remove(id.0 as usize);
            self.by_name.remove(&group.name);
        }
        Some(empty)
    }

    /// A member's connection came or went.
    pub(crate) fn set_online(&mut self, id: GroupId, member: SessionKey, online: bool) {
        let Some(group) = self.slots.get_mut(id.0 as usize) else { return };
        let (from, to) = if online {
            (&mut group.offline, &mut group.online)
        } else {
            (&mut group.online, &mut group.offline)
        };
        if let Some(route) = from.remove(&member) {
            to.insert(member, route);
        }
    }

    pub(crate) fn has_online(&self, id: GroupId) -> bool {
        self.slots.get(id.0 as usize).is_some_and(|group| !group.online.is_empty())
    }

    /// Whose turn it is: the members that are on-line one after the other; the others only when none is.
    pub(crate) fn choose(&mut self, id: GroupId) -> Option<(SessionKey, Route)> {
        let group = self.slots.get_mut(id.0 as usize)?;
        let side = if group.online.is_empty() { &group.offline } else { &group.online };
        let next = side.range((Excluded(group.last), Unbounded)).next().or_else(|| side.first_key_value());
        let (&member, &route) = next?;
        group.last = member;
        Some((member, route))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn group(members: &[(u32, bool)]) -> (Groups, GroupId) {
        let mut groups = Groups::default();
        let (id, _) = groups.find_or_insert("$share/g/a");
        for &(member, online) in members {
            groups.join(id, SessionKey(member), Route::default(), online);
        }
        (groups, id)
    }

    fn turns(groups: &mut Groups, id: GroupId, count: usize) -> Vec<u32> {
        (0..count).filter_map(|_| groups.choose(id)).map(|(member, _)| member.0).collect()
    }

    #[test]
    fn members_take_turns() {
        let (mut groups, id) = group(&[(1, true), (2, true), (3, true)]);
        let turns = turns(&mut groups, id, 6);
        assert_eq!(turns, [1, 2, 3, 1, 2, 3]);
    }

    #[test]
    fn members_on_line_come_first() {
        let (mut groups, id) = group(&[(1, false), (2, true), (3, false)]);
        assert_eq!(turns(&mut groups, id, 3), [2, 2, 2]);
        groups.set_online(id, SessionKey(2), false);
        assert_eq!(turns(&mut groups, id, 3), [3, 1, 2]);
        assert!(!groups.has_online(id));
    }

    #[test]
    fn the_last_member_takes_the_group_along() {
        let (mut groups, id) = group(&[(1, true), (2, false)]);
        assert_eq!(groups.members(), 2);
        assert_eq!(groups.leave(id, SessionKey(1)), Some(false));
        assert_eq!(groups.leave(id, SessionKey(1)), None);
        assert_eq!(groups.leave(id, SessionKey(2)), Some(true));
        assert_eq!((groups.members(), groups.find("$share/g/a")), (0, None));
        assert!(groups.choose(id).is_none());
    }
}
