//! The corpus is made with our own encoders: here it is held against bytes written by hand from the specifications.

use harness::corpus::{coap, mqtt, mqttsn, payload};
use mqtt_codec::ProtocolVersion::{self, V3_1_1, V5};

fn mqtt_sample(version: ProtocolVersion, name: &str) -> Vec<u8> {
    mqtt::samples(version).into_iter().find(|sample| sample.name == name).expect("in the corpus").bytes
}

#[test]
fn mqtt_packets() {
    let topic = b"\x00\x1Esite/s0100/device/d000123/temp";
    let publish = [&[0x30, 96][..], topic, &payload(64)].concat();
    assert_eq!(mqtt_sample(V3_1_1, "publish_q0_64B"), publish);
    let publish = [&[0x32, 99][..], topic, b"\0\x0A\0", &payload(64)].concat();
    assert_eq!(mqtt_sample(V5, "publish_q1_64B"), publish);
    let publish = [&[0x32, 0xA2, 0x80, 0x04][..], topic, b"\0\x0A", &payload(65_536)].concat();
    assert_eq!(mqtt_sample(V3_1_1, "publish_q1_64KiB"), publish);
    let connect = [
        &b"\x10\x67\x00\x04MQTT\x04\xEE\x00\x3C\x00\x0Ddevice-000123"[..],
        b"\x00\x1Fsite/s0100/device/d000123/state\x00\x07offline",
        b"\x00\x0Buser-000123\x00\x15correct horse battery",
    ]
    .concat();
    assert_eq!(mqtt_sample(V3_1_1, "connect_will_user_pass"), connect);
    assert_eq!(mqtt_sample(V3_1_1, "puback"), b"\x40\x02\x00\x0A");
    assert_eq!(mqtt_sample(V5, "pingreq"), b"\xC0\x00");
    let properties = [
        &b"\x66\x01\x01\x02\x00\x00\x0E\x10\x23\x00\x01\x08\x00\x12site/s0100/answers"[..],
        b"\x09\x00\x100123456789abcdef\x03\x00\x0Atext/plain",
        b"\x26\x00\x04unit\x00\x04degC\x26\x00\x05trace\x00\x104bf92f3577b34da6",
    ]
    .concat();
    assert_eq!(properties.len(), 1 + 0x66);
    let publish = [&[0x32, 0xC9, 0x01][..], topic, b"\0\x0A", &properties, &payload(64)].concat();
    assert_eq!(mqtt_sample(V5, "publish_q1_8props"), publish);
    assert_eq!(mqtt::stream(V5).len(), 1000);
}

#[test]
fn coap_messages() {
    let samples = coap::samples();
    let lengths: Vec<_> = samples.iter().map(|sample| sample.bytes.len()).collect();
    assert_eq!(lengths, [20, 79, 114, 1042]);
    assert_eq!(samples[0].bytes, b"\x44\x01\x12\x34tk01\xB6sensor\x04temp");
    let notification = [&b"\x44\x45\x12\x34tk01\x42e1\x21\x07\x60\xFF"[..], &payload(64)].concat();
    assert_eq!(samples[1].bytes, notification);
}

#[test]
fn mqttsn_messages() {
    let samples = mqttsn::samples();
    let publish = [&b"\x47\x0C\x20\x00\x03\x00\x0A"[..], &payload(64)].concat();
    assert_eq!(samples[2].bytes, publish);
    let publish = [&b"\x01\x04\x09\x0C\x20\x00\x03\x00\x0A"[..], &payload(1024)].concat();
    assert_eq!(samples[3].bytes, publish);
    assert_eq!(samples[0].bytes, b"\x13\x04\x04\x01\x00\x3Cdevice-000123");
}
