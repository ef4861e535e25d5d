//! Who gets a message: subscriptions, overlaps, shared groups (MQTT 5 §3.3.4, §4.8).

use alloc::vec::Vec;

use mqtt_codec::QoS;
use topic_match::{IndexLimits, Scratch, SubscriptionIndex, TopicName};

use super::queue::Identifiers;
use super::session::Sessions;
use super::shared_group::Groups;
use super::subscriber::{GroupId, Route, SessionKey, Subscriber};
use crate::config::{Config, Overlapping};

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
            let session = match subscriber.into() {
                Subscriber::Session(session) => session,
                Subscriber::Group(id) => {
                    if let Some((member, route)) = groups.choose(id) {
                        targets.push(Target::new(member, route, Some(id)));
                    }
                    return;
                }
            };
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
