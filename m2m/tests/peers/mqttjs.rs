//! mqtt.js, the client of the JavaScript world.

use super::{broker, node, script};

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn mqttjs_gets_what_was_sent() {
    let broker = broker();
    let mut expected = Vec::new();
    for version in ["3.1", "3.1.1", "5"] {
        for qos in 0..3 {
            expected.push(format!("{version} qos {qos}: 0 1 2 3 4 5 6 7 8 9"));
        }
        expected.push(format!("{version} retained: true state"));
        expected.push(format!("{version} resumed: true 0 1 2"));
        expected.push(format!("{version} will: gone"));
    }
    expected.extend(
        [
            "5 properties: text/plain answers {\"a\":\"1\"}",
            "5 aliases: long/topic long/topic long/topic",
            "5 shared: 0 1 2 3 4 5 6 7 8 9",
            "5 taken over: 142",
        ]
        .map(ToOwned::to_owned),
    );
    assert_eq!(script(&mut node(), "mqttjs_client.mjs", &broker), expected);
}
