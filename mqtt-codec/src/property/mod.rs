//! Properties of MQTT 5.0, §2.2.2.

mod block;
mod kind;
mod table;

pub use block::{Properties, PropertyIter};
pub use table::Property;

/// What a block of properties belongs to: it decides which properties are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PropertyContext {
    /// CONNECT.
    Connect,
    /// The will inside of CONNECT.
    Will,
    /// CONNACK.
    ConnAck,
    /// PUBLISH from a client.
    PublishToServer,
    /// PUBLISH from a server.
    PublishToClient,
    /// PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK: they have the same properties.
    Acknowledgement,
    /// SUBSCRIBE.
    Subscribe,
    /// UNSUBSCRIBE.
    Unsubscribe,
    /// DISCONNECT from a client.
    DisconnectToServer,
    /// DISCONNECT from a server.
    DisconnectToClient,
    /// AUTH.
    Auth,
}

impl PropertyContext {
    pub(crate) const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// The number of a subscription: 1 to 268 435 455, §3.8.2.1.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionIdentifier(core::num::NonZeroU32);

impl SubscriptionIdentifier {
    /// The largest identifier, 268 435 455.
    pub const MAX: u32 = 268_435_455;

    /// The identifier with this number, `None` for 0 and above [`MAX`](Self::MAX).
    #[inline]
    pub const fn new(number: u32) -> Option<Self> {
        match core::num::NonZeroU32::new(number) {
            Some(nonzero) if number <= Self::MAX => Some(Self(nonzero)),
            _ => None,
        }
    }

    /// The number on the wire.
    #[inline]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}
