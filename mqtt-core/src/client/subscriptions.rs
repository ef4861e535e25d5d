//! The subscriptions that the server has granted.

use alloc::boxed::Box;
use alloc::vec::Vec;

use mqtt_codec::SubscriptionOptions;

use super::Handle;

/// A subscription that the server has granted.
#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) filter: Box<str>,
    pub(super) options: SubscriptionOptions,
    /// 0 for none.
    pub(super) identifier: u32,
    /// The SUBSCRIBE that made it, if that was in this run.
    pub(super) owner: Option<Handle>,
}

/// At most one subscription for each filter, sorted by these: a client has few, for which a map is too much code.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscriptions(Vec<Subscription>);

impl Subscriptions {
    /// Adds a subscription, in place of any other with its filter.
    pub(super) fn insert(&mut self, subscription: Subscription) {
        match self.place(&subscription.filter) {
            Ok(place) => self.0[place] = subscription,
            Err(place) => self.0.insert(place, subscription),
        }
    }

    pub(super) fn remove(&mut self, filter: &str) {
        if let Ok(place) = self.place(filter) {
            self.0.remove(place);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Subscription> {
        self.0.iter()
    }

    /// All of them, those of one SUBSCRIBE together.
    pub(super) fn into_groups(self) -> Vec<Subscription> {
        let mut subscriptions = self.0;
        subscriptions.sort_unstable_by(|a, b| (a.group(), &a.filter).cmp(&(b.group(), &b.filter)));
        subscriptions
    }

    fn place(&self, filter: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|subscription| (*subscription.filter).cmp(filter))
    }
}

impl Subscription {
    /// What those of one SUBSCRIBE have in common.
    pub(super) fn group(&self) -> (u32, Option<Handle>) {
        (self.identifier, self.owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(filter: &str, identifier: u32) -> Subscription {
        let options = SubscriptionOptions::default();
        Subscription { filter: filter.into(), options, identifier, owner: None }
    }

    fn contents<'a>(list: impl IntoIterator<Item = &'a Subscription>) -> Vec<(&'a str, u32)> {
        list.into_iter().map(|subscription| (&*subscription.filter, subscription.identifier)).collect()
    }

    #[test]
    fn one_for_each_filter_the_last_one_counts_and_groups_are_together() {
        let mut subscriptions = Subscriptions::default();
        for (filter, identifier) in [("b", 2), ("d", 1), ("a", 1), ("c", 3), ("b", 1), ("e", 2)] {
            subscriptions.insert(subscription(filter, identifier));
        }
        subscriptions.remove("c");
        subscriptions.remove("nothing");
        assert_eq!(contents(subscriptions.iter()), [("a", 1), ("b", 1), ("d", 1), ("e", 2)]);
        subscriptions.insert(subscription("aa", 2));
        assert_eq!(
            contents(&subscriptions.into_groups()),
            [("a", 1), ("b", 1), ("d", 1), ("aa", 2), ("e", 2)]
        );
    }
}
