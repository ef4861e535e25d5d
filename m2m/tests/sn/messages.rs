//! Every kind of message through a gateway, in both modes, in front of any broker.

use crate::tool::{Program, Reader, predefined, publish, publish_at_broker, run, sn};

pub(crate) const MODES: [&str; 2] = ["transparent", "aggregating"];

/// From clients to the broker: every QoS, every kind of topic.
pub(crate) fn publishes(gateway: &str, watcher: &Reader) {
    for qos in ["0", "1", "2"] {
        publish(gateway, &["-t", "long/name", "-q", qos, "-m", "named"]);
        publish(gateway, &["-t", "ab", "-q", qos, "-m", "short"]);
        publish(gateway, &["-T", "1", "-q", qos, "-m", "predefined"]);
        let line = |topic: &str, payload: &str| format!("{topic} {qos} {payload}");
        watcher.expect(&[&line("long/name", "named"), &line("ab", "short"), &line("pre/one", "predefined")]);
    }
    publish(gateway, &["-q", "-1", "-T", "1", "-m", "minus"]);
    watcher.expect(&["pre/one 0 minus"]);
    publish(gateway, &["-q", "-1", "-t", "ab", "-m", "minus"]);
    watcher.expect(&["ab 0 minus"]);
}

/// From the broker to clients: every QoS, every kind of subscription, and what was retained.
pub(crate) fn subscribes(broker: &str, gateway: &str) {
    for qos in ["0", "1", "2"] {
        let subscribe = |topic: &[&str]| {
            let arguments = [topic, &["-q", qos, "-C", "1", "-v"]].concat();
            Reader::sn("sub", gateway, &arguments)
        };
        let mut readers = [
            (subscribe(&["-t", "from/+/broker"]), "from/the/broker: x"),
            (subscribe(&["-t", "from/the/broker"]), "from/the/broker: x"),
            (subscribe(&["-t", "cd"]), "cd: y"),
            (subscribe(&["-T", "1"]), "0001: z"),
        ];
        publish_at_broker(broker, &["-t", "from/the/broker", "-q", qos, "-m", "x"]);
        publish_at_broker(broker, &["-t", "cd", "-q", qos, "-m", "y"]);
        publish_at_broker(broker, &["-t", "pre/one", "-q", qos, "-m", "z"]);
        for (reader, line) in &mut readers {
            reader.expect(&[line]);
            reader.expect_end();
        }
    }
    publish(gateway, &["-t", "kept/here", "-q", "1", "-r", "-m", "old"]);
    let arguments = ["-t", "kept/#", "-C", "1", "-v"];
    for _ in 0..2 {
        let found = run(&mut sn("sub", gateway, &arguments));
        assert_eq!(found, (Some(0), "kept/here: old\n".into(), String::new()));
    }
    publish(gateway, &["-t", "kept/here", "-q", "1", "-r", "-n"]);
}

/// A client that vanishes, and one that takes leave.
pub(crate) fn wills(gateway: &str, watcher: &Reader) {
    let will = ["-k", "1", "--will-topic", "will/of", "--will-payload", "gone", "--will-qos", "1"];
    let mut mortal = Reader::sn("sub", gateway, &[&["-t", "nothing"][..], &will].concat());
    publish(gateway, &[&["-t", "ab", "-q", "1", "-m", "leaves"][..], &will].concat());
    mortal.kill();
    watcher.expect(&["ab 1 leaves", "will/of 1 gone"]);
    publish(gateway, &["-t", "ab", "-q", "1", "-m", "last"]);
    watcher.expect(&["ab 1 last"]);
}

#[test]
fn through_a_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Program::broker();
    for mode in MODES {
        let predefined = predefined(&folder);
        let gateway = Program::gateway(&broker.port(), &["--mode", mode, "--predefined", &predefined]);
        let watcher = Reader::m2m(&broker.port());
        publishes(&gateway.port(), &watcher);
        wills(&gateway.port(), &watcher);
        drop(watcher);
        subscribes(&broker.port(), &gateway.port());
        assert_eq!(gateway.stop().code(), Some(0));
    }
}

#[test]
fn through_the_gateway_inside_the_broker() {
    let folder = tempfile::tempdir().unwrap();
    for mode in MODES {
        let predefined = predefined(&folder);
        let sn = ["--sn", "udp://127.0.0.1:0", "--sn-mode", mode, "--sn-predefined", &predefined];
        let mut broker = Program::start(&[&["broker", "--listen", "tcp://127.0.0.1:0"], &sn[..]].concat(), 2);
        broker.wait_for_log("connected to the broker");
        let [mqtt, sn] = [0, 1].map(|place| broker.addresses[place].port().to_string());
        let watcher = Reader::m2m(&mqtt);
        publishes(&sn, &watcher);
        wills(&sn, &watcher);
        subscribes(&mqtt, &sn);
        assert_eq!(broker.stop().code(), Some(0));
    }
}

#[test]
fn through_a_forwarder() {
    let folder = tempfile::tempdir().unwrap();
    let broker = Program::broker();
    let watcher = Reader::m2m(&broker.port());
    let gateway = Program::gateway(&broker.port(), &["--predefined", &predefined(&folder)]);
    let to = format!("udp://127.0.0.1:{}", gateway.port());
    let forwarder = Program::start(&["forwarder", "--gateway", &to, "--listen", "udp://127.0.0.1:0"], 1);
    publishes(&forwarder.port(), &watcher);
    // A client may be its own forwarder.
    publish(&gateway.port(), &["--fe", "--wlnid", "node", "-t", "ab", "-q", "2", "-m", "wrapped"]);
    watcher.expect(&["ab 2 wrapped"]);
    drop(watcher);
    subscribes(&broker.port(), &forwarder.port());
    assert_eq!(forwarder.stop().code(), Some(0));
}

/// More than one read and one write can carry, in both directions through memory.
#[test]
fn many_messages_fit_through_the_broker_inside() {
    let mut broker =
        Program::start(&["broker", "--listen", "tcp://127.0.0.1:0", "--sn", "udp://127.0.0.1:0"], 2);
    broker.wait_for_log("connected to the broker");
    let [mqtt, sn] = [0, 1].map(|place| broker.addresses[place].port().to_string());
    let mut reader = Reader::sn("sub", &sn, &["-t", "many", "-q", "1", "-C", "60"]);
    let large = "x".repeat(1200);
    for _ in 0..60 {
        publish_at_broker(&mqtt, &["-t", "many", "-q", "1", "-m", &large]);
    }
    reader.expect(&[large.as_str(); 60]);
    reader.expect_end();
}
