//! What the format strings make of messages: expectations are what mosquitto's documentation says.

use super::parse::InvalidFormat;
use super::*;
use mqtt_codec::{Property, QoS};

const NOON: Duration = Duration::new(1_588_799_520, 123_456_789); // 2020-05-06T21:12:00Z

fn message(topic: &str, payload: &[u8], qos: QoS, properties: &[Property<'_>]) -> Message {
    received::message(topic, payload, qos, properties)
}

fn print(format: &str, message: &Message) -> Result<Vec<u8>, NotJson> {
    let format: Format = format.parse().unwrap();
    let mut out = Vec::new();
    format.write(&mut out, message, NOON, &Zone::hours_east(1)).map(|()| out)
}

#[track_caller]
fn expect(format: &str, message: &Message, expected: &str) {
    assert_eq!(String::from_utf8(print(format, message).unwrap()).unwrap(), expected, "{format}");
}

#[test]
fn parameters_of_a_message() {
    let message = message("a/b", b"he\x01y", QoS::AtLeastOnce, &[]);
    expect("%t %p", &message, "a/b he\x01y");
    expect("%x %X %l %q %r %m", &message, "68650179 68650179 4 1 0 1");
    expect("100%% @@ \\\\ \\t\\n\\r\\v\\a\\e\\0.é", &message, "100% @ \\ \t\n\r\x0b\x07\x1b\0.é");
    expect("[%C%D%E%F%P%R%S%A]", &message, "[]");
}

#[test]
fn properties() {
    let properties = [
        Property::ContentType("text"),
        Property::ResponseTopic("r/s"),
        Property::CorrelationData(b"\x02c"),
        Property::MessageExpiryInterval(60),
        Property::PayloadFormatIndicator(true),
        Property::UserProperty("k", "v"),
        Property::UserProperty("k", "w"),
        Property::SubscriptionIdentifier(SubscriptionIdentifier::new(7).unwrap()),
    ];
    let message = message("t", b"p", QoS::AtMostOnce, &properties);
    expect("%C|%R|%D|%E|%F|%P|%S|%m", &message, "text|r/s|\x02c|60|1|k:v k:w|7|0");
    expect("%6C|%-6C|%.2C|%6.2R|%05E|%-5E|%3S", &message, "  text|text  |te|    r/|00060|60   |  7");
}

#[test]
fn widths_count_bytes_and_zeros_are_for_numbers() {
    let message = message("topic", b"abc", QoS::AtMostOnce, &[]);
    expect("[%10t][%-10t][%010t]", &message, "[     topic][topic     ][     topic]");
    expect("[%2t][%.2t][%10.2t][%.0t]", &message, "[topic][to][        to][]");
    expect("[%5p][%-5p][%05p][%2p]", &message, "[  abc][abc  ][00abc][ab]");
    expect("[%8x][%-8X][%08x][%2x]", &message, "[  616263][616263  ][00616263][616263]");
    expect("[%5l][%05l][%-05l]", &message, "[    3][00003][3    ]");
    expect("[%5C][%3E][%03E]", &message, "[     ][   ][000]");
}

#[test]
fn times_of_day() {
    let message = message("t", b"p", QoS::AtMostOnce, &[]);
    expect("%I", &message, "2020-05-06T22:12:00+0100");
    expect("%U @s.@N", &message, "1588799520.123456789 1588799520.123456789");
    expect("@Y-@m-@d @H:@M:@S @j @a @b @z", &message, "2020-05-06 22:12:00 127 Wed May +0100");
    expect("@c|@x|@X|@r|@p|@l", &message, "Wed May  6 22:12:00 2020|05/06/20|22:12:00|10:12:00 PM|PM|10");
    // What strftime does not know: it leaves it, and so do we.
    expect("@Q@v@é@%", &message, "%Q%v%é%");
}

#[test]
fn json() {
    let quoted = message("to\"pic", b"he\"l\\lo \xc3\xa9\n\x01/", QoS::AtLeastOnce, &[]);
    expect(
        "%j",
        &quoted,
        r#"{"tst":"2020-05-06T22:12:00.123456+0100","topic":"to\"pic","qos":1,"retain":0,"payloadlen":13,"mid":1,"payload":"he\"l\\lo é\n\u0001/"}"#,
    );
    let properties = [
        Property::UserProperty("a", "1"),
        Property::ContentType("x"),
        Property::UserProperty("a", "2"),
        Property::MessageExpiryInterval(9),
    ];
    let nested = message("t", b" { \"a\" : [ 27.0 , \" \\\" \" ] } ", QoS::AtMostOnce, &properties);
    expect(
        "%J.",
        &nested,
        r#"{"tst":"2020-05-06T22:12:00.123456+0100","topic":"t","qos":0,"retain":0,"payloadlen":29,"properties":{"user-properties":{"a":"1","a":"2"},"content-type":"x","message-expiry-interval":9},"payload":{"a":[27.0," \" "]}}."#,
    );
    for format in ["%j", "%J"] {
        let empty = message("t", b"", QoS::AtMostOnce, &[]);
        let line = String::from_utf8(print(format, &empty).unwrap()).unwrap();
        assert!(line.ends_with(r#""payloadlen":0,"payload":null}"#), "{line}");
    }
    for not_json in [&b"hello"[..], b"{", b"1 2", b"\"\xff\"", b"{\"a\":1,}"] {
        let message = message("t", not_json, QoS::AtMostOnce, &[]);
        assert_eq!(print("%J", &message), Err(NotJson));
        let mut line = Vec::new();
        let format: Format = "<%J>".parse().unwrap();
        assert_eq!(format.write(&mut line, &message, NOON, &Zone::hours_east(0)), Err(NotJson));
        assert_eq!(line, b"<>", "the rest of the line is there");
    }
}

#[test]
fn formats_that_are_none() {
    for (format, expected) in [
        ("%", InvalidFormat::Incomplete('%')),
        ("a%-0", InvalidFormat::Incomplete('%')),
        ("%10.3", InvalidFormat::Incomplete('%')),
        ("@", InvalidFormat::Incomplete('@')),
        ("\\", InvalidFormat::Incomplete('\\')),
        ("%y", InvalidFormat::Field('y')),
        ("%-5é", InvalidFormat::Field('é')),
        ("\\x", InvalidFormat::Escape('x')),
        ("%10000t", InvalidFormat::Width),
        ("%.99999999999999999999999t", InvalidFormat::Width),
    ] {
        assert_eq!(format.parse::<Format>(), Err(expected), "{format}");
    }
}

/// Messages come out of a client only: one is let in, and told what a server would say.
mod received {
    use super::*;
    use machine::Instant;
    use mqtt_codec::{
        ConnAck, Delivery, Packet, PacketIdentifier, Properties, ProtocolVersion, Publish, ReasonCode,
    };
    use mqtt_core::client::{Action, Client, Config, Input};

    pub(super) fn message(topic: &str, payload: &[u8], qos: QoS, properties: &[Property<'_>]) -> Message {
        let now = Instant::EPOCH;
        let mut client = Client::new(Config::default(), 0, now);
        client.connect(now);
        client.handle(Input::Opened, now);
        let packet_id = PacketIdentifier::MIN;
        let delivery = match qos {
            QoS::AtMostOnce => Delivery::AtMostOnce,
            QoS::AtLeastOnce => Delivery::AtLeastOnce { dup: false, packet_id },
            QoS::ExactlyOnce => Delivery::ExactlyOnce { dup: false, packet_id },
        };
        let connack =
            ConnAck { session_present: false, reason: ReasonCode::SUCCESS, properties: Properties::NONE };
        let publish =
            Publish { delivery, retain: false, topic, properties: Properties::list(properties), payload };
        for packet in [Packet::ConnAck(connack), Packet::Publish(publish)] {
            let mut bytes = Vec::new();
            packet.encode(ProtocolVersion::V5, &mut bytes).unwrap();
            client.handle(Input::Bytes(&bytes), now);
        }
        core::iter::from_fn(|| client.poll_action())
            .find_map(|action| if let Action::Message(message) = action { Some(message) } else { None })
            .unwrap()
    }
}
