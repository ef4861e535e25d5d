//! `%j` and `%J`: a message as JSON.

use std::io::Write;

use mqtt_codec::{Properties, Property};
use mqtt_core::client::Message;
use serde::Serialize;
use serde::de::IgnoredAny;

use super::NotJson;

/// With the payload as a string.
pub(super) fn write(out: &mut Vec<u8>, message: &Message, timestamp: &str) {
    head(out, message, timestamp);
    match message.payload() {
        [] => out.extend_from_slice(b"null"),
        payload => value(out, &*String::from_utf8_lossy(payload)),
    }
    out.push(b'}');
}

/// With the payload as the JSON that it is; nothing is written if it is none.
pub(super) fn write_with_payload(
    out: &mut Vec<u8>,
    message: &Message,
    timestamp: &str,
) -> Result<(), NotJson> {
    let payload = match message.payload() {
        [] => "null",
        payload => core::str::from_utf8(payload).map_err(|_| NotJson)?,
    };
    serde_json::from_str::<IgnoredAny>(payload).map_err(|_| NotJson)?;
    head(out, message, timestamp);
    compact(out, payload.as_bytes());
    out.push(b'}');
    Ok(())
}

/// All but the payload and the end.
fn head(out: &mut Vec<u8>, message: &Message, timestamp: &str) {
    out.extend_from_slice(b"{\"tst\":");
    value(out, timestamp);
    out.extend_from_slice(b",\"topic\":");
    value(out, message.topic());
    let (qos, retain) = (u8::from(message.qos), u8::from(message.retain));
    _ = write!(out, ",\"qos\":{qos},\"retain\":{retain},\"payloadlen\":{}", message.payload().len());
    if let Some(id) = message.packet_id {
        _ = write!(out, ",\"mid\":{id}");
    }
    let properties = message.properties();
    if properties.iter().next().is_some() {
        out.extend_from_slice(b",\"properties\":{");
        write_properties(out, &properties);
        out.push(b'}');
    }
    out.extend_from_slice(b",\"payload\":");
}

/// In their order; the user properties all at the place of the first one.
fn write_properties(out: &mut Vec<u8>, properties: &Properties<'_>) {
    let mut users = Some(properties.user_properties());
    let mut separator = Separator::default();
    for property in properties {
        match property {
            Property::PayloadFormatIndicator(on) => {
                separator.entry(out, "payload-format-indicator", &u8::from(on));
            }
            Property::MessageExpiryInterval(seconds) => {
                separator.entry(out, "message-expiry-interval", &seconds);
            }
            Property::ContentType(text) => separator.entry(out, "content-type", text),
            Property::ResponseTopic(topic) => separator.entry(out, "response-topic", topic),
            Property::CorrelationData(data) => {
                separator.entry(out, "correlation-data", &*String::from_utf8_lossy(data));
            }
            Property::SubscriptionIdentifier(identifier) => {
                separator.entry(out, "subscription-identifier", &identifier.get());
            }
            Property::TopicAlias(alias) => separator.entry(out, "topic-alias", &alias.get()),
            Property::UserProperty(..) => {
                let Some(users) = users.take() else { continue };
                separator.name(out, "user-properties");
                out.push(b'{');
                let mut separator = Separator::default();
                for (name, text) in users {
                    separator.entry(out, name, text);
                }
                out.push(b'}');
            }
            // No other property is in a PUBLISH.
            _ => {}
        }
    }
}

/// The comma between entries.
#[derive(Default)]
struct Separator {
    needed: bool,
}

impl Separator {
    fn name(&mut self, out: &mut Vec<u8>, name: &str) {
        if core::mem::replace(&mut self.needed, true) {
            out.push(b',');
        }
        value(out, name);
        out.push(b':');
    }

    fn entry(&mut self, out: &mut Vec<u8>, name: &str, what: &(impl Serialize + ?Sized)) {
        self.name(out, name);
        value(out, what);
    }
}

/// Strings and numbers only, so that it cannot fail.
fn value(out: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    _ = serde_json::to_writer(out, value);
}

/// Without blanks between its parts; numbers and strings stay as they are.
fn compact(out: &mut Vec<u8>, json: &[u8]) {
    let (mut quoted, mut escaped) = (false, false);
    for &byte in json {
        if quoted || !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            out.push(byte);
        }
        match byte {
            b'"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && byte == b'\\' && !escaped;
    }
}
