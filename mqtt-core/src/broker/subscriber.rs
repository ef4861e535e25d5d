//! Who subscribes, as the index knows it: a session, or the group of a shared subscription.

use mqtt_codec::{QoS, RetainHandling, SubscriptionOptions};
use topic_match::SubscriberId;

/// The place of a session in its table; also its number as a subscriber.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionKey(pub(crate) u32);

/// The place of a group in its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct GroupId(pub(crate) u32);

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

/// A subscriber of the index.
pub(crate) enum Subscriber {
    Session(SessionKey),
    Group(GroupId),
}

impl From<SubscriberId> for Subscriber {
    fn from(id: SubscriberId) -> Self {
        match id.0 & GROUP {
            0 => Self::Session(SessionKey(id.0)),
            _ => Self::Group(GroupId(id.0 & !GROUP)),
        }
    }
}
