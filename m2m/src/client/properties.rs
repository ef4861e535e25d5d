//! `-D COMMAND NAME VALUE`: MQTT 5 properties from the command line.

use core::fmt::Display;
use core::str::FromStr;

use mqtt_codec::Properties as Block;
use mqtt_codec::{Property, PropertyContext, SubscriptionIdentifier};
use mqtt_core::PropertyBuffer;
use thiserror::Error;

/// The properties of each packet that takes some from the command line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Properties {
    pub(crate) connect: PropertyBuffer,
    pub(crate) will: PropertyBuffer,
    pub(crate) publish: PropertyBuffer,
    pub(crate) subscribe: PropertyBuffer,
    pub(crate) unsubscribe: PropertyBuffer,
    pub(crate) disconnect: PropertyBuffer,
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum InvalidProperty {
    #[error("-D {0}: expected connect, will, publish, subscribe, unsubscribe or disconnect")]
    Command(String),
    #[error(
        "-D {command} {name}: MQTT 5 has no such property; names are as in the standard, with `-` for spaces"
    )]
    Name { command: String, name: String },
    #[error("-D {command} {name}: the value is missing")]
    NoValue { command: String, name: String },
    #[error("-D {command} {name} {value}: {problem}")]
    Value { command: String, name: String, value: String, problem: String },
    #[error("-D {command} {name}: {problem}")]
    NotAllowed { command: String, name: String, problem: String },
}

/// The name that takes two values.
const USER_PROPERTY: &str = "user-property";

impl Properties {
    /// Takes what followed all `-D`s, one after the other.
    pub(crate) fn parse(arguments: &[String]) -> Result<Self, InvalidProperty> {
        let mut parsed = Self::default();
        let mut arguments = arguments.iter().map(String::as_str);
        while let Some(command) = arguments.next() {
            let name = arguments.next().unwrap_or_default();
            let missing = || InvalidProperty::NoValue { command: command.into(), name: name.into() };
            let value = arguments.next().ok_or_else(missing)?;
            let second = if name == USER_PROPERTY { arguments.next().ok_or_else(missing)? } else { "" };
            let (buffer, context) = parsed.of(command)?;
            let property = property(name, value, second).map_err(|problem| match problem {
                None => InvalidProperty::Name { command: command.into(), name: name.into() },
                Some(problem) => InvalidProperty::Value {
                    command: command.into(),
                    name: name.into(),
                    value: value.into(),
                    problem,
                },
            })?;
            let refused = |problem: &dyn Display| InvalidProperty::NotAllowed {
                command: command.into(),
                name: name.into(),
                problem: problem.to_string(),
            };
            let all = PropertyBuffer::new(buffer.get().iter().chain([property]))
                .map_err(|error| refused(&error))?;
            Block::validate(all.get().encoded(), context).map_err(|error| refused(&error))?;
            *buffer = all;
        }
        Ok(parsed)
    }

    fn of(&mut self, command: &str) -> Result<(&mut PropertyBuffer, PropertyContext), InvalidProperty> {
        Ok(match command.to_ascii_lowercase().as_str() {
            "connect" => (&mut self.connect, PropertyContext::Connect),
            "will" => (&mut self.will, PropertyContext::Will),
            "publish" => (&mut self.publish, PropertyContext::PublishToServer),
            "subscribe" => (&mut self.subscribe, PropertyContext::Subscribe),
            "unsubscribe" => (&mut self.unsubscribe, PropertyContext::Unsubscribe),
            "disconnect" => (&mut self.disconnect, PropertyContext::DisconnectToServer),
            _ => return Err(InvalidProperty::Command(command.to_owned())),
        })
    }
}

/// The property, or what is wrong with its value; `None` for an unknown name.
fn property<'a>(name: &str, value: &'a str, second: &'a str) -> Result<Property<'a>, Option<String>> {
    Ok(match name {
        "payload-format-indicator" => Property::PayloadFormatIndicator(flag(value)?),
        "message-expiry-interval" => Property::MessageExpiryInterval(number(value)?),
        "content-type" => Property::ContentType(value),
        "response-topic" => Property::ResponseTopic(value),
        "correlation-data" => Property::CorrelationData(value.as_bytes()),
        "subscription-identifier" => {
            let identifier = SubscriptionIdentifier::new(number(value)?);
            let expected = || Some(format!("expected 1 to {}", SubscriptionIdentifier::MAX));
            Property::SubscriptionIdentifier(identifier.ok_or_else(expected)?)
        }
        "session-expiry-interval" => Property::SessionExpiryInterval(number(value)?),
        "authentication-method" => Property::AuthenticationMethod(value),
        "authentication-data" => Property::AuthenticationData(value.as_bytes()),
        "request-problem-information" => Property::RequestProblemInformation(flag(value)?),
        "will-delay-interval" => Property::WillDelayInterval(number(value)?),
        "request-response-information" => Property::RequestResponseInformation(flag(value)?),
        "reason-string" => Property::ReasonString(value),
        "receive-maximum" => Property::ReceiveMaximum(number(value)?),
        "topic-alias-maximum" => Property::TopicAliasMaximum(number(value)?),
        "topic-alias" => Property::TopicAlias(number(value)?),
        USER_PROPERTY => Property::UserProperty(value, second),
        "maximum-packet-size" => Property::MaximumPacketSize(number(value)?),
        _ => return Err(None),
    })
}

fn number<T: FromStr<Err: Display>>(value: &str) -> Result<T, Option<String>> {
    value.parse().map_err(|error: T::Err| Some(error.to_string()))
}

fn flag(value: &str) -> Result<bool, Option<String>> {
    match value {
        "0" => Ok(false),
        "1" => Ok(true),
        _ => Err(Some("expected 0 or 1".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Properties, InvalidProperty> {
        Properties::parse(&text.split(' ').map(ToOwned::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn each_goes_to_its_packet_in_order() {
        let properties = parse(
            "publish content-type text/plain PUBLISH user-property a 1 publish user-property a 2 \
             connect receive-maximum 5 will will-delay-interval 7 subscribe subscription-identifier 9 \
             disconnect session-expiry-interval 3 unsubscribe user-property x y",
        )
        .unwrap();
        let publish: Vec<_> = properties.publish.get().iter().collect();
        let expected = [
            Property::ContentType("text/plain"),
            Property::UserProperty("a", "1"),
            Property::UserProperty("a", "2"),
        ];
        assert_eq!(publish, expected);
        assert_eq!(properties.connect.get().receive_maximum().unwrap().get(), 5);
        assert_eq!(properties.will.get().will_delay_interval(), Some(7));
        assert_eq!(properties.subscribe.get().subscription_identifiers().next().unwrap().get(), 9);
        assert_eq!(properties.disconnect.get().session_expiry_interval(), Some(3));
        assert_eq!(properties.unsubscribe.get().user_properties().next(), Some(("x", "y")));
    }

    #[test]
    fn errors_say_which_and_why() {
        for (text, expected) in [
            ("public content-type x", "-D public: expected connect, will,"),
            ("publish contenttype x", "-D publish contenttype: MQTT 5 has no such property"),
            ("publish content-type", "-D publish content-type: the value is missing"),
            ("publish user-property x", "-D publish user-property: the value is missing"),
            ("publish message-expiry-interval -1", "invalid digit"),
            ("publish message-expiry-interval 4294967296", "too large"),
            ("publish payload-format-indicator 2", "expected 0 or 1"),
            ("connect receive-maximum 0", "-D connect receive-maximum 0: "),
            ("subscribe subscription-identifier 0", "expected 1 to 268435455"),
            ("connect content-type x", "-D connect content-type: "),
            ("publish content-type a publish content-type b", "-D publish content-type: "),
            ("publish response-topic a/+", "-D publish response-topic: "),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
