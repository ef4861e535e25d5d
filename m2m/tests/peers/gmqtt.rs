//! gmqtt, an asynchronous Python client of its own making.

use super::{broker, python, script};

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn gmqtt_gets_what_was_sent() {
    let broker = broker();
    let expected = [
        "3.1.1 qos 0: 0 1 2 3 4 5 6 7 8 9",
        "3.1.1 qos 1: 0 1 2 3 4 5 6 7 8 9",
        "3.1.1 qos 2: 0 1 2 3 4 5 6 7 8 9",
        "3.1.1 retained: state",
        "3.1.1 will: gone",
        "5 qos 0: 0 1 2 3 4 5 6 7 8 9",
        "5 qos 1: 0 1 2 3 4 5 6 7 8 9",
        "5 qos 2: 0 1 2 3 4 5 6 7 8 9",
        "5 retained: state",
        "5 will: gone",
        "5 properties: ['text/plain'] ['answers'] [('key', 'value')]",
        "5 identifiers: [9]",
        "5 resumed: 1 0 1 2",
        "5 shared: 0 1 2 3 4 5 6 7 8 9",
    ];
    assert_eq!(script(&mut python(), "gmqtt_client.py", &broker), expected);
}
