//! The format strings of `mosquitto_sub -F`.

mod json;
mod parse;
mod time;

use core::time::Duration;
use std::io::Write;

use mqtt_codec::{PacketIdentifier, SubscriptionIdentifier};
use mqtt_core::client::Message;

use self::time::Moment;
pub(crate) use self::time::Zone;

/// A format string, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Format(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(Vec<u8>),
    Field(Field, Shape),
    /// A conversion of strftime.
    Time(char),
}

/// What is between `%` and the letter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Shape {
    left: bool,
    zeros: bool,
    width: usize,
    max_width: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    TopicAlias,
    ContentType,
    CorrelationData,
    MessageExpiryInterval,
    PayloadFormatIndicator,
    Iso8601,
    Json,
    JsonPayload,
    PayloadLength,
    PacketId,
    UserProperties,
    Payload,
    Qos,
    ResponseTopic,
    Retain,
    SubscriptionIdentifier,
    Topic,
    UnixTime,
    HexLower,
    HexUpper,
}

/// The payload is not the JSON that `%J` wants; what is left of the line was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotJson;

impl Format {
    /// Appends a message, without an end of line.
    pub(crate) fn write(
        &self,
        out: &mut Vec<u8>,
        message: &Message,
        unix_time: Duration,
        zone: &Zone,
    ) -> Result<(), NotJson> {
        let moment = Moment::new(unix_time, zone);
        let mut result = Ok(());
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text),
                Piece::Time(conversion) => moment.write(out, *conversion),
                Piece::Field(field, shape) => result = result.and(field.write(out, *shape, message, &moment)),
            }
        }
        result
    }
}

impl Field {
    fn write(
        self,
        out: &mut Vec<u8>,
        shape: Shape,
        message: &Message,
        moment: &Moment<'_>,
    ) -> Result<(), NotJson> {
        let properties = message.properties();
        let payload = message.payload();
        match self {
            Self::TopicAlias => shape.number(out, properties.topic_alias()),
            Self::ContentType => shape.text(out, properties.content_type().unwrap_or_default().as_bytes()),
            Self::CorrelationData => out.extend_from_slice(properties.correlation_data().unwrap_or_default()),
            Self::MessageExpiryInterval => shape.number(out, properties.message_expiry_interval()),
            Self::PayloadFormatIndicator => {
                shape.number(out, properties.payload_format_indicator().map(u8::from));
            }
            Self::Iso8601 => shape.text(out, moment.iso8601().as_bytes()),
            Self::Json => json::write(out, message, &moment.timestamp()),
            Self::JsonPayload => return json::write_with_payload(out, message, &moment.timestamp()),
            Self::PayloadLength => shape.number(out, Some(payload.len())),
            Self::PacketId => shape.number(out, Some(message.packet_id.map_or(0, PacketIdentifier::get))),
            Self::UserProperties => {
                for (index, (name, value)) in properties.user_properties().enumerate() {
                    let separator = if index == 0 { "" } else { " " };
                    _ = write!(out, "{separator}{name}:{value}");
                }
            }
            // Here the width is the largest one, too: not documented so, but so it is.
            Self::Payload if shape.width > 0 => {
                shape.pad(out, &payload[..payload.len().min(shape.width)], shape.zeros);
            }
            Self::Payload => out.extend_from_slice(payload),
            Self::Qos => out.push(b'0' + u8::from(message.qos)),
            Self::ResponseTopic => {
                shape.text(out, properties.response_topic().unwrap_or_default().as_bytes());
            }
            Self::Retain => out.push(b'0' + u8::from(message.retain)),
            Self::SubscriptionIdentifier => {
                let first = properties.subscription_identifiers().next();
                shape.number(out, first.map(SubscriptionIdentifier::get));
            }
            Self::Topic => shape.text(out, message.topic().as_bytes()),
            Self::UnixTime => moment.write_unix(out),
            Self::HexLower => shape.pad(out, hex(payload, b"0123456789abcdef").as_slice(), shape.zeros),
            Self::HexUpper => shape.pad(out, hex(payload, b"0123456789ABCDEF").as_slice(), shape.zeros),
        }
        Ok(())
    }
}

impl Shape {
    fn number(self, out: &mut Vec<u8>, number: Option<impl core::fmt::Display>) {
        let text = number.map(|number| number.to_string()).unwrap_or_default();
        self.pad(out, text.as_bytes(), self.zeros);
    }

    /// Widths count bytes, and zeros are for numbers, as with printf.
    fn text(self, out: &mut Vec<u8>, text: &[u8]) {
        let len = self.max_width.map_or(text.len(), |max| max.min(text.len()));
        self.pad(out, &text[..len], false);
    }

    fn pad(self, out: &mut Vec<u8>, text: &[u8], zeros: bool) {
        let padding = self.width.saturating_sub(text.len());
        if self.left {
            out.extend_from_slice(text);
            out.resize(out.len() + padding, b' ');
        } else {
            out.resize(out.len() + padding, if zeros { b'0' } else { b' ' });
            out.extend_from_slice(text);
        }
    }
}

fn hex(bytes: &[u8], digits: &[u8; 16]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| [digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]).collect()
}

#[cfg(test)]
mod tests;
