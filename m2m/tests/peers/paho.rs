//! paho-mqtt, the Python client of the Eclipse Foundation.

use super::{broker, python, script};

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn paho_gets_what_was_sent() {
    let broker = broker();
    let mut expected = Vec::new();
    for version in ["3.1", "3.1.1", "5"] {
        for qos in 0..3 {
            expected.push(format!("{version} qos {qos}: 0 1 2 3 4 5 6 7 8 9"));
        }
        expected.push(format!("{version} retained: True state"));
        // MQTT 3.1 has no flag to say so.
        let present = if version == "3.1" { "False" } else { "True" };
        expected.push(format!("{version} resumed: {present} 0 1 2 3 4"));
        expected.push(format!("{version} will: gone"));
    }
    expected.extend(
        [
            "5 alias: long/topic long/topic long/topic",
            "5 properties: text/plain answers b'\\x00\\x01' [('a', '1'), ('b', '2'), ('a', '3')]",
            "5 identifiers: [7]",
            "5 no local: nothing",
            "5 expired: nothing",
            "5 taken over: Session taken over",
            "5 refused filter: Topic filter invalid",
        ]
        .map(ToOwned::to_owned),
    );
    assert_eq!(script(&mut python(), "paho_client.py", &broker), expected);
}
