//! The registry: every property with its identifier, its type and the packets that have it, §2.2.2.2.

use super::kind::{Kind, Value};
use super::{Properties, PropertyContext as In, SubscriptionIdentifier};
use crate::reader::{Parsed, refuse};
use crate::writer::Output;
use crate::{EncodeError, Malformed, QoS};
use core::num::{NonZeroU16, NonZeroU32};

/// What the registry says about an identifier.
pub(super) struct Row {
    pub(super) kind: Kind,
    /// One bit for each [`PropertyContext`](super::PropertyContext) that has the property.
    pub(super) contexts: u16,
}

/// The registry by identifier.
pub(super) static TABLE: [Option<Row>; 43] = Property::ROWS;

/// The type of a property's value by identifier; those that are unknown have one that nobody asks for.
pub(super) static KINDS: [Kind; 64] = {
    let mut kinds = [Kind::Binary; 64];
    let mut identifier = 0;
    while identifier < TABLE.len() {
        if let Some(row) = &Property::ROWS[identifier] {
            kinds[identifier] = row.kind;
        }
        identifier += 1;
    }
    kinds
};

/// One bit for each identifier that the registry has in this place.
#[inline]
pub(super) fn admitted(context: In) -> u64 {
    ADMITTED[context as usize]
}

static ADMITTED: [u64; In::Auth as usize + 1] = {
    let mut admitted = [0; In::Auth as usize + 1];
    let mut index = 0;
    while index < admitted.len() * TABLE.len() {
        let (context, identifier) = (index / TABLE.len(), index % TABLE.len());
        if let Some(row) = &Property::ROWS[identifier]
            && row.contexts & 1 << context != 0
        {
            admitted[context] |= 1 << identifier;
        }
        index += 1;
    }
    admitted
};

macro_rules! properties {
    ($(
        $(#[$doc:meta])*
        $variant:ident = $identifier:tt, $getter:ident($($field:ident: $type:ty),+) in $($context:ident)|+;
    )*) => {
        /// A property of MQTT 5.0, §2.2.2.2, borrowed from the packet.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Property<'a> {
            $($(#[$doc])* $variant($($type),+),)*
        }

        impl<'a> Property<'a> {
            const ROWS: [Option<Row>; 43] = {
                let mut rows = [const { None }; 43];
                $(rows[$identifier] = Some(Row {
                    kind: properties!(@kind $identifier $($type),+),
                    contexts: 0 $(| In::$context.bit())+,
                });)*
                rows
            };

            /// The property identifier on the wire.
            #[inline]
            pub const fn identifier(&self) -> u8 {
                match self { $(Self::$variant(..) => $identifier,)* }
            }

            /// Bytes on the wire, identifier included.
            ///
            /// # Errors
            /// [`EncodeError::TooLong`] for a string or binary value above 65 535 bytes.
            pub fn encoded_len(&self) -> Result<usize, EncodeError> {
                match self { $(Self::$variant($($field),+) => Ok(1 $(+ $field.encoded_len()?)+),)* }
            }

            /// Writes identifier and value; the caller has seen to it that [`encoded_len`](Self::encoded_len)
            /// is fine.
            pub(super) fn put(&self, out: &mut impl Output) {
                out.put(&[self.identifier()]);
                match self { $(Self::$variant($($field),+) => { $($field.put(out);)+ })* }
            }

            /// The property with this identifier whose value is at the start of `input`.
            pub(super) fn read(identifier: u8, input: &'a [u8]) -> Parsed<'a, Self> {
                match identifier {
                    $($identifier => {
                        $(let (input, $field) = <$type>::read(input)?;)+
                        Ok((input, Self::$variant($($field),+)))
                    })*
                    _ => Err(refuse(Malformed::UnknownProperty(identifier))),
                }
            }
        }

        impl<'a> Properties<'a> {
            $(properties!(@getter $identifier $variant $getter $($type),+);)*
        }
    };
    // Rows whose value needs more than its type says.
    (@kind 0x08 $type:ty) => { Kind::Topic };
    (@kind $identifier:tt $type:ty) => { <$type as Value<'_>>::KIND };
    (@kind $identifier:tt $first:ty, $second:ty) => { Kind::StringPair };
    // What may appear more than once has iterators of its own.
    (@getter 0x26 $($rest:tt)*) => {};
    (@getter 0x0B $($rest:tt)*) => {};
    (@getter $identifier:tt $variant:ident $getter:ident $type:ty) => {
        #[doc = concat!("The value of [`Property::", stringify!($variant), "`], `None` if it is not there.")]
        #[inline]
        pub fn $getter(&self) -> Option<$type> {
            match self.find($identifier)? {
                Property::$variant(value) => Some(value),
                _ => None,
            }
        }
    };
}

properties! {
    /// Whether the payload is UTF-8 text.
    PayloadFormatIndicator = 0x01, payload_format_indicator(value: bool)
        in Will | PublishToServer | PublishToClient;
    /// Lifetime of the message in seconds.
    MessageExpiryInterval = 0x02, message_expiry_interval(value: u32)
        in Will | PublishToServer | PublishToClient;
    /// What the payload is, for example a MIME type.
    ContentType = 0x03, content_type(value: &'a str) in Will | PublishToServer | PublishToClient;
    /// The topic name for an answer.
    ResponseTopic = 0x08, response_topic(value: &'a str) in Will | PublishToServer | PublishToClient;
    /// What the answer is to carry.
    CorrelationData = 0x09, correlation_data(value: &'a [u8]) in Will | PublishToServer | PublishToClient;
    /// The number that a subscriber gave to a subscription.
    SubscriptionIdentifier = 0x0B, subscription_identifiers(value: SubscriptionIdentifier)
        in PublishToClient | Subscribe;
    /// Lifetime of the session after the connection in seconds; `0xFFFF_FFFF` never ends.
    SessionExpiryInterval = 0x11, session_expiry_interval(value: u32)
        in Connect | ConnAck | DisconnectToServer;
    /// The client identifier that the server chose.
    AssignedClientIdentifier = 0x12, assigned_client_identifier(value: &'a str) in ConnAck;
    /// The keep alive that the server wants instead, in seconds.
    ServerKeepAlive = 0x13, server_keep_alive(value: u16) in ConnAck;
    /// The name of the authentication method.
    AuthenticationMethod = 0x15, authentication_method(value: &'a str) in Connect | ConnAck | Auth;
    /// What the authentication method exchanges.
    AuthenticationData = 0x16, authentication_data(value: &'a [u8]) in Connect | ConnAck | Auth;
    /// Whether the server may explain failures with reason strings and user properties.
    RequestProblemInformation = 0x17, request_problem_information(value: bool) in Connect;
    /// Seconds between the end of the connection and the will.
    WillDelayInterval = 0x18, will_delay_interval(value: u32) in Will;
    /// Whether the server is asked for response information.
    RequestResponseInformation = 0x19, request_response_information(value: bool) in Connect;
    /// What to build response topics from.
    ResponseInformation = 0x1A, response_information(value: &'a str) in ConnAck;
    /// Another server to use.
    ServerReference = 0x1C, server_reference(value: &'a str) in ConnAck | DisconnectToClient;
    /// A reason for people to read.
    ReasonString = 0x1F, reason_string(value: &'a str)
        in ConnAck | Acknowledgement | DisconnectToServer | DisconnectToClient | Auth;
    /// How many PUBLISH above QoS 0 may be unacknowledged.
    ReceiveMaximum = 0x21, receive_maximum(value: NonZeroU16) in Connect | ConnAck;
    /// The highest topic alias that is accepted.
    TopicAliasMaximum = 0x22, topic_alias_maximum(value: u16) in Connect | ConnAck;
    /// A number for the topic name.
    TopicAlias = 0x23, topic_alias(value: NonZeroU16) in PublishToServer | PublishToClient;
    /// The highest QoS that the server takes: 0 or 1 (2 is said by leaving the property out).
    MaximumQoS = 0x24, maximum_qos(value: QoS) in ConnAck;
    /// Whether the server retains messages.
    RetainAvailable = 0x25, retain_available(value: bool) in ConnAck;
    /// A name and a value; may appear any number of times.
    UserProperty = 0x26, user_properties(name: &'a str, value: &'a str)
        in Connect | Will | ConnAck | PublishToServer | PublishToClient | Acknowledgement | Subscribe | Unsubscribe
            | DisconnectToServer | DisconnectToClient | Auth;
    /// The largest packet that is accepted, in bytes.
    MaximumPacketSize = 0x27, maximum_packet_size(value: NonZeroU32) in Connect | ConnAck;
    /// Whether the server takes filters with wildcards.
    WildcardSubscriptionAvailable = 0x28, wildcard_subscription_available(value: bool) in ConnAck;
    /// Whether the server takes subscription identifiers.
    SubscriptionIdentifiersAvailable = 0x29, subscription_identifiers_available(value: bool) in ConnAck;
    /// Whether the server takes shared subscriptions.
    SharedSubscriptionAvailable = 0x2A, shared_subscription_available(value: bool) in ConnAck;
}
