//! Who gets a message: subscriptions, overlaps, shared groups (MQTT 5 §3.3.4, §4.8).

use alloc::vec::Vec;

use mqtt_codec::{QoS, RetainHandling, SubscriptionOptions};
use topic_match::{IndexLimits, Scratch, SubscriberId, SubscriptionIndex, TopicName};

use super::queue::Identifiers;
use super::session::{SessionKey, Sessions};
use super::shared_group::{GroupId, Groups};
use crate::config::{Config, Overlapping};

/// Marks a subscriber of the index as a shared group instead of a session.
const GROUP: u32 = 1 << 31;

/// What a subscription asks for, in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) options: SubscriptionOptions,
    /// The subscription identifier; 0 for none.
    pub(crate) identifier: u32,
}

impl Default for Route {
    fn default() -> Self {
        let options = SubscriptionOptions {
            maximum_qos: QoS::AtMostOnce,
            no_local: false,
            retain_as_published: false,
            retain_handling: RetainHandling::SendAtSubscribe,
        };
        Self { options, identifier: 0 }
    }
}

/// A session that gets a message, and how.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) session: SessionKey,
    pub(crate) maximum_qos: QoS,
    pub(crate) retain_as_published: bool,
    pub(crate) identifiers: Identifiers,
    pub(crate) group: Option<GroupId>,
}

#[derive(Debug)]
pub(crate) struct Routing {
    pub(crate) index: SubscriptionIndex<Route>,
    pub(crate) groups: Groups,
    pub(crate) targets: Vec<Target>,
    scratch: Scratch,
    /// Numbers the messages, for the marks on sessions.
    message: u64,
}

impl SessionKey {
    pub(crate) fn subscriber(self) -> SubscriberId {
        SubscriberId(self.0)
    }
}

impl GroupId {
    pub(crate) fn subscriber(self) -> SubscriberId {
        SubscriberId(GROUP | self.0)
    }
}

impl Routing {
    pub(crate) fn new(config: &Config, seed: u64) -> Self {
        Self {
            index: SubscriptionIndex::new(limits(config), seed),
            groups: Groups::default(),
            targets: Vec::new(),
            scratch: Scratch::default(),
            message: 0,
        }
    }

    /// Fills `targets` with everybody who gets a message on `name` that `from` published.
    pub(crate) fn collect(
        &mut self,
        name: TopicName<'_>,
        from: Option<SessionKey>,
        sessions: &mut Sessions,
        overlapping: Overlapping,
    ) {
        self.message += 1;
        let Self { index, groups, targets, scratch, message } = self;
        targets.clear();
        let visited = index.visit(name, scratch, |subscriber, route| {
            if subscriber.0 & GROUP != 0 {
                let id = GroupId(subscriber.0 & !GROUP);
                if let Some((member, route)) = groups.choose(id) {
                    targets.push(Target::new(member, route, Some(id)));
                }
                return;
            }
            let session = SessionKey(subscriber.0);
            if route.options.no_local && from == Some(session) {
                return;
            }
            let mark = &mut sessions[session].mark;
            if overlapping == Overlapping::Once && mark.0 == *message {
                targets[mark.1 as usize].merge(route);
            } else {
                *mark = (*message, targets.len() as u32);
                targets.push(Target::new(session, route, None));
            }
        });
        // The limits let a lookup visit every node there is.
        debug_assert!(visited.is_ok(), "a lookup was cut short");
    }
}

impl Target {
    pub(crate) fn new(session: SessionKey, route: Route, group: Option<GroupId>) -> Self {
        Self {
            session,
            maximum_qos: route.options.maximum_qos,
            retain_as_published: route.options.retain_as_published,
            identifiers: Identifiers::None.with(route.identifier),
            group,
        }
    }

    /// Another subscription of the same session matches: one copy with the highest QoS [MQTT-3.3.4-2] and all
    /// identifiers [MQTT-3.3.4-4].
    fn merge(&mut self, route: Route) {
        self.maximum_qos = self.maximum_qos.max(route.options.maximum_qos);
        self.retain_as_published |= route.options.retain_as_published;
        self.identifiers = core::mem::take(&mut self.identifiers).with(route.identifier);
    }
}

/// The bounds of the subscription index. What a lookup may visit is bounded by what may be stored: levels and wildcards of
/// a filter, filters of a client, filters in all.
fn limits(config: &Config) -> IndexLimits {
    IndexLimits {
        filters: config.max_subscriptions,
        subscriptions: config.max_subscriptions,
        per_subscriber: config.max_subscriptions_per_client,
        visited_nodes: u32::MAX,
    }
}
