//! mosquitto as the broker, mosquitto's client as the judge, and mqtt-sn-12 as the client.

use std::process::Command;

use crate::messages::{MODES, publishes, subscribes, wills};
use crate::tool::{Mosquitto, Program, Reader, predefined, publish_at_broker, python_tool, run};

/// Its exit code says nothing: the broker is asked.
fn mqtt_sn_pub(gateway: &str, arguments: &[&str]) {
    run(python_tool("mqtt_sn_pub").args(["-p", gateway]).args(arguments));
}

fn their_publishes(gateway: &str, watcher: &Reader) {
    for qos in ["0", "1", "2"] {
        mqtt_sn_pub(gateway, &["-t", "long/name", "-q", qos, "-m", "named"]);
        watcher.expect(&[&format!("long/name {qos} named")]);
        mqtt_sn_pub(gateway, &["-t", "ab", "-q", qos, "-m", "short"]);
        watcher.expect(&[&format!("ab {qos} short")]);
        mqtt_sn_pub(gateway, &["-T", "1", "-q", qos, "-m", "predefined"]);
        watcher.expect(&[&format!("pre/one {qos} predefined")]);
    }
    mqtt_sn_pub(gateway, &["-T", "1", "-q", "-1", "-m", "minus"]);
    watcher.expect(&["pre/one 0 minus"]);
    mqtt_sn_pub(gateway, &["-t", "ab", "-q", "-1", "-m", "minus"]);
    watcher.expect(&["ab 0 minus"]);
}

/// It subscribes at QoS 0 and 1, and not to short topic names.
fn their_subscribes(broker: &str, gateway: &str) {
    for (topic, published) in [
        (["-t", "from/+/broker"], "from/the/broker"),
        (["-t", "from/the/broker"], "from/the/broker"),
        (["-T", "1"], "pre/one"),
    ] {
        for qos in ["0", "1"] {
            // Retained: it gets the message whenever its subscription stands.
            publish_at_broker(broker, &["-t", published, "-q", qos, "-r", "-m", "to you"]);
            let mut command = python_tool("mqtt_sn_sub");
            command.env("PYTHONUNBUFFERED", "1").args(["-p", gateway, "-q", qos]).args(topic);
            Reader::spawn(&mut command, None).expect(&["to you"]);
            publish_at_broker(broker, &["-t", published, "-q", "1", "-r", "-n"]);
        }
    }
}

fn their_wills(gateway: &str, watcher: &Reader) {
    let mut command = python_tool("mqtt_sn_sub");
    command.args(["-p", gateway, "-k", "1", "-t", "nothing", "-d"]);
    command.args(["--will-topic", "will/of", "--will-payload", "gone", "--will-qos", "1"]);
    let mut mortal = Reader::spawn(&mut command, Some("SUBACK"));
    mortal.kill();
    watcher.expect(&["will/of 1 gone"]);
}

fn everything(broker: &str) {
    let folder = tempfile::tempdir().unwrap();
    for mode in MODES {
        let gateway = Program::gateway(broker, &["--mode", mode, "--predefined", &predefined(&folder)]);
        let watcher = Reader::watch(&mut Command::new("mosquitto_sub"), broker);
        publishes(&gateway.port(), &watcher);
        wills(&gateway.port(), &watcher);
        their_publishes(&gateway.port(), &watcher);
        their_wills(&gateway.port(), &watcher);
        drop(watcher);
        subscribes(broker, &gateway.port());
        their_subscribes(broker, &gateway.port());
    }
}

#[test]
#[ignore = "needs mosquitto, mosquitto_sub, mqtt-sn-12: ./test installs and runs them"]
fn in_front_of_mosquitto() {
    everything(&Mosquitto::start().port);
}

#[test]
#[ignore = "needs mosquitto_sub, mqtt-sn-12: ./test installs and runs them"]
fn in_front_of_our_broker() {
    everything(&Program::broker().port());
}
