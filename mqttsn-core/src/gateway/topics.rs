//! The topic ids of one client (§6.5, §7.3): never shared with another.

use alloc::boxed::Box;
use alloc::vec::Vec;

use mqttsn_codec::TopicId;

/// Names and ids of one client. An id is a place in a list; it stands for another name only when the client is told so with
/// REGISTER, and only if the client did not ask for it itself.
#[derive(Debug, Default)]
pub(super) struct Topics {
    /// What the first id is above 1.
    base: u16,
    entries: Vec<Entry>,
    /// Places of `entries`, in the order of their names.
    by_name: Vec<u16>,
    clock: u32,
}

#[derive(Debug)]
struct Entry {
    name: Box<str>,
    /// When it was last asked for.
    used: u32,
    /// The client knows what the id stands for.
    known: bool,
    /// The client asked for the id, so it may use it at any time.
    held: bool,
    /// The client does not want messages of this topic (§6.10).
    refused: bool,
}

impl Topics {
    /// No ids yet; the first will be above this.
    pub(super) fn new(base: u16) -> Self {
        Self { base: base % TopicId::MAX.get(), ..Self::default() }
    }

    /// The id of a name.
    pub(super) fn find(&self, name: &str) -> Option<TopicId> {
        let place = self.search(name).ok()?;
        self.by_name.get(place).and_then(|&at| self.id(usize::from(at)))
    }

    /// The name of an id.
    pub(super) fn name(&self, id: TopicId) -> Option<&str> {
        self.entry(id).map(|entry| &*entry.name)
    }

    /// The id of a name, a new one if it has none; `None` when all `limit` ids are in use. What is `pinned` is in use, too.
    pub(super) fn assign(
        &mut self,
        name: &str,
        limit: u16,
        pinned: impl Fn(TopicId) -> bool,
    ) -> Option<TopicId> {
        self.clock = self.clock.wrapping_add(1);
        if let Some(id) = self.find(name) {
            let clock = self.clock;
            if let Some(entry) = self.entry_mut(id) {
                entry.used = clock;
            }
            return Some(id);
        }
        let entry = Entry { name: name.into(), used: self.clock, known: false, held: false, refused: false };
        let at = if self.entries.len() < usize::from(limit.min(TopicId::MAX.get())) {
            if self.entries.len() == self.entries.capacity() {
                // Most clients have a few topics and keep them.
                self.entries.reserve_exact((self.entries.len() / 2).max(1));
            }
            self.entries.push(entry);
            self.entries.len() - 1
        } else {
            let at = self.least_used(pinned)?;
            let old = core::mem::replace(&mut self.entries[at], entry).name;
            if let Some(place) = self.by_name.iter().position(|&place| usize::from(place) == at) {
                debug_assert!(!old.is_empty());
                self.by_name.remove(place);
            }
            at
        };
        let place = self.search(name).unwrap_or_else(|place| place);
        if self.by_name.len() == self.by_name.capacity() {
            self.by_name.reserve_exact((self.by_name.len() / 2).max(1));
        }
        self.by_name.insert(place, at as u16);
        self.id(at)
    }

    /// The client asked for this id: REGISTER, SUBSCRIBE by name.
    pub(super) fn hold(&mut self, id: TopicId) {
        if let Some(entry) = self.entry_mut(id) {
            (entry.held, entry.known, entry.refused) = (true, true, false);
        }
    }

    /// Whether the client knows the id.
    pub(super) fn is_known(&self, id: TopicId) -> bool {
        self.entry(id).is_some_and(|entry| entry.known)
    }

    /// REGACK, or PUBACK "invalid topic id".
    pub(super) fn set_known(&mut self, id: TopicId, known: bool) {
        if let Some(entry) = self.entry_mut(id) {
            entry.known = known;
        }
    }

    /// After a new connection: the client may have forgotten all ids (§6.10).
    pub(super) fn forget_known(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.known = false);
    }

    /// Whether the client has refused the topic.
    pub(super) fn is_refused(&self, id: TopicId) -> bool {
        self.entry(id).is_some_and(|entry| entry.refused)
    }

    /// The client refuses the topic until it subscribes to it again.
    pub(super) fn refuse(&mut self, id: TopicId) {
        if let Some(entry) = self.entry_mut(id) {
            entry.refused = true;
        }
    }

    /// A new subscription may be meant for any topic that was refused.
    pub(super) fn forgive(&mut self, matches: impl Fn(&str) -> bool) {
        for entry in self.entries.iter_mut().filter(|entry| entry.refused) {
            entry.refused = !matches(&entry.name);
        }
    }

    fn entry(&self, id: TopicId) -> Option<&Entry> {
        self.entries.get(self.place(id))
    }

    fn entry_mut(&mut self, id: TopicId) -> Option<&mut Entry> {
        let place = self.place(id);
        self.entries.get_mut(place)
    }

    fn search(&self, name: &str) -> Result<usize, usize> {
        self.by_name.binary_search_by(|&at| {
            self.entries
                .get(usize::from(at))
                .map_or(core::cmp::Ordering::Less, |entry| (*entry.name).cmp(name))
        })
    }

    /// The place that was not used for the longest time and that the client did not ask for.
    fn least_used(&self, pinned: impl Fn(TopicId) -> bool) -> Option<usize> {
        let entries = self.entries.iter().enumerate();
        let free = entries.filter(|(at, entry)| !entry.held && !self.id(*at).is_some_and(&pinned));
        free.max_by_key(|(_, entry)| self.clock.wrapping_sub(entry.used)).map(|(at, _)| at)
    }

    /// The ids go round: 1 follows on 65 534.
    fn id(&self, at: usize) -> Option<TopicId> {
        let number = (at + usize::from(self.base)) % usize::from(TopicId::MAX.get()) + 1;
        u16::try_from(number).ok().and_then(TopicId::new)
    }

    fn place(&self, id: TopicId) -> usize {
        let (max, number) = (usize::from(TopicId::MAX.get()), usize::from(id.get()) - 1);
        (number + max - usize::from(self.base)) % max
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn the_same_name_has_the_same_id() {
        let mut topics = Topics::default();
        let ids: Vec<_> =
            ["b", "a", "c", "a"].map(|name| topics.assign(name, 9, |_| false).unwrap().get()).into();
        assert_eq!(ids, [1, 2, 3, 2]);
        assert_eq!(topics.find("c"), TopicId::new(3));
        assert_eq!(topics.name(TopicId::new(2).unwrap()), Some("a"));
        assert_eq!(topics.find("d"), None);
        assert_eq!(topics.name(TopicId::new(4).unwrap()), None);
    }

    #[test]
    fn ids_that_the_client_asked_for_never_give_way() {
        let mut topics = Topics::default();
        for name in ["a", "b", "c"] {
            topics.assign(name, 3, |_| false);
        }
        let (a, b) = (topics.find("a").unwrap(), topics.find("b").unwrap());
        topics.hold(a);
        topics.set_known(b, true);
        topics.assign("c", 3, |_| false);
        assert_eq!(topics.assign("d", 3, |_| false), Some(b), "the one not used for the longest time");
        assert!(!topics.is_known(b));
        assert_eq!(topics.find("b"), None);
        assert_eq!(topics.assign("e", 3, |id| id == b), topics.assign("e", 3, |_| false));
        for id in [2, 3] {
            topics.hold(TopicId::new(id).unwrap());
        }
        assert_eq!(topics.assign("f", 3, |_| false), None);
    }

    #[test]
    fn ids_go_round() {
        let mut topics = Topics::new(65_532);
        let ids: Vec<_> = ["a", "b", "c"].map(|name| topics.assign(name, 9, |_| false).unwrap().get()).into();
        assert_eq!(ids, [65_533, 65_534, 1]);
        assert_eq!(topics.name(TopicId::MIN), Some("c"));
        assert_eq!(topics.name(TopicId::new(2).unwrap()), None);
    }

    #[test]
    fn all_65534_ids_can_be_used() {
        let mut topics = Topics::default();
        for number in 1..=u16::MAX {
            let id = topics.assign(&format!("topic/{number}"), u16::MAX, |_| false);
            if let Some(id) = id {
                topics.hold(id);
            }
            assert_eq!(id.is_some(), number < u16::MAX);
        }
        assert_eq!(topics.find("topic/65534"), Some(TopicId::MAX));
    }
}
