//! `mosquitto_pub` and `mosquitto_sub`.

use std::fs;
use std::io::Read;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use super::support::Broker;
use super::{broker, wait_for};

const VERSIONS: [&str; 3] = ["mqttv31", "mqttv311", "mqttv5"];

/// A running `mosquitto_sub`, ended by its own process when the test ends.
struct Subscriber(Child);

fn tool(name: &str, address: SocketAddr) -> Command {
    let mut command = Command::new(name);
    command.args(["-h", &address.ip().to_string(), "-p", &address.port().to_string()]);
    command.stdin(Stdio::null());
    command
}

/// Publishes, and asserts that it was acknowledged as the QoS asks for.
#[track_caller]
fn publish(broker: &Broker, arguments: &[&str]) {
    let status = tool("mosquitto_pub", broker.address()).args(arguments).status().unwrap();
    assert!(status.success(), "mosquitto_pub {arguments:?}: {status}");
}

impl Subscriber {
    /// Subscribes, and returns once the broker knows of it.
    #[track_caller]
    fn start(broker: &Broker, arguments: &[&str]) -> Self {
        Self::start_at(broker, broker.address(), arguments)
    }

    #[track_caller]
    fn start_at(broker: &Broker, address: SocketAddr, arguments: &[&str]) -> Self {
        let before = broker.metric("m2m_mqtt_subscriptions");
        let subscriber = Self::resume_at(address, arguments);
        wait_for(broker, "m2m_mqtt_subscriptions", before + 1);
        subscriber
    }

    /// Without waiting: for a session that has the subscription already, or for retained messages.
    fn resume_at(address: SocketAddr, arguments: &[&str]) -> Self {
        let mut command = tool("mosquitto_sub", address);
        Self(command.args(["-W", "20"]).args(arguments).stdout(Stdio::piped()).spawn().unwrap())
    }

    /// What it printed until it ended.
    fn lines(mut self) -> Vec<String> {
        let mut text = String::new();
        self.0.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        text.lines().map(ToOwned::to_owned).collect()
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        _ = self.0.kill();
        _ = self.0.wait();
    }
}

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn every_version_talks_to_every_other_at_every_qos() {
    let broker = broker();
    let subscribers = VERSIONS.map(|version| {
        Subscriber::start(&broker, &["-V", version, "-t", "talk/#", "-q", "2", "-C", "9", "-F", "%t %q %p"])
    });
    let mut expected = Vec::new();
    for version in VERSIONS {
        for qos in ["0", "1", "2"] {
            let (topic, payload) = (format!("talk/{version}"), format!("at {qos}"));
            publish(&broker, &["-V", version, "-t", &topic, "-q", qos, "-m", &payload]);
            expected.push(format!("{topic} {qos} {payload}"));
        }
    }
    for subscriber in subscribers {
        assert_eq!(subscriber.lines(), expected);
    }
}

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn subscriptions_lower_the_qos() {
    let broker = broker();
    let subscriber = Subscriber::start(&broker, &["-t", "low", "-q", "1", "-C", "3", "-F", "%q"]);
    for qos in ["2", "1", "0"] {
        publish(&broker, &["-t", "low", "-q", qos, "-m", "x"]);
    }
    assert_eq!(subscriber.lines(), ["1", "1", "0"]);
}

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn ipv6_and_ipv4_meet() {
    let broker =
        Broker::with(&["--listen", "tcp://[::1]:0", "--listen", "tcp://127.0.0.1:0", "--metrics", "[::1]:0"]);
    let [v6, v4] = broker.addresses[..] else { panic!("two listeners") };
    assert!(v6.is_ipv6() && v4.is_ipv4());
    let subscriber = Subscriber::start_at(&broker, v4, &["-t", "a", "-q", "1", "-C", "1"]);
    let status = tool("mosquitto_pub", v6).args(["-t", "a", "-q", "1", "-m", "from IPv6"]).status().unwrap();
    assert!(status.success());
    assert_eq!(subscriber.lines(), ["from IPv6"]);
}

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn retained_messages_come_and_go() {
    let broker = broker();
    for version in VERSIONS {
        let topic = format!("kept/{version}");
        publish(&broker, &["-V", version, "-t", &topic, "-q", "1", "-r", "-m", "old"]);
        publish(&broker, &["-V", version, "-t", &topic, "-q", "1", "-r", "-m", "new"]);
        let arguments = ["-V", version, "-t", &topic, "-q", "1", "-C", "2", "-F", "%r %p"];
        let subscriber = Subscriber::start(&broker, &arguments);
        publish(&broker, &["-V", version, "-t", &topic, "-q", "1", "-m", "live"]);
        assert_eq!(subscriber.lines(), ["1 new", "0 live"]);

        publish(&broker, &["-V", version, "-t", &topic, "-q", "1", "-r", "-n"]);
        let subscriber = Subscriber::start(&broker, &["-V", version, "-t", &topic, "-C", "1", "-F", "%r %p"]);
        publish(&broker, &["-V", version, "-t", &topic, "-q", "1", "-m", "only this"]);
        assert_eq!(subscriber.lines(), ["0 only this"]);
    }
    assert_eq!(broker.metric("m2m_mqtt_dropped_queue_full_total"), 0);
}

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn a_client_that_vanishes_leaves_its_will() {
    let broker = broker();
    for version in VERSIONS {
        let watcher = Subscriber::start(&broker, &["-t", "wills/#", "-q", "1", "-C", "1", "-v"]);
        let topic = format!("wills/{version}");
        let will = ["--will-topic", &topic, "--will-payload", "gone", "--will-qos", "1"];
        let mortal = Subscriber::start(&broker, &[&["-V", version, "-t", "x"][..], &will].concat());
        drop(mortal); // killed: it says no DISCONNECT
        assert_eq!(watcher.lines(), [format!("{topic} gone")]);
    }
    assert_eq!(broker.metric("m2m_mqtt_wills_published_total"), 3);
}

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn a_session_keeps_what_came_meanwhile() {
    let broker = broker();
    for version in VERSIONS {
        // In turn, because clients hand on messages at QoS 2 later, when they are released.
        for qos in ["1", "2"] {
            let topic = format!("kept/{version}");
            let session = ["-V", version, "-i", version, "-c", "-t", &topic, "-q", "2"];
            let expiry: &[&str] = if version == "mqttv5" { &["-x", "60"] } else { &[] };
            let arguments = [&session[..], expiry].concat();
            drop(Subscriber::start(&broker, &arguments));
            for (qos, payload) in [(qos, "one"), (qos, "two"), ("0", "not kept"), (qos, "three")] {
                publish(&broker, &["-t", &topic, "-q", qos, "-m", payload]);
            }
            let arguments = [&arguments[..], &["-C", "3", "-F", "%q %p"]].concat();
            let subscriber = Subscriber::resume_at(broker.address(), &arguments);
            assert_eq!(
                subscriber.lines(),
                ["one", "two", "three"].map(|payload| format!("{qos} {payload}")),
                "{version}"
            );
            publish(&broker, &["-i", version, "-V", "mqttv311", "-t", "end", "-m", "of the session"]);
        }
    }
    assert_eq!(broker.metric("m2m_mqtt_dropped_offline_qos0_total"), 6);
}

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn a_shared_subscription_shares() {
    let broker = broker();
    let members = ["mqttv5", "mqttv5", "mqttv311"].map(|version| {
        Subscriber::start(&broker, &["-V", version, "-t", "$share/group/work/+", "-q", "1", "-C", "10"])
    });
    let witness = Subscriber::start(&broker, &["-t", "work/+", "-q", "1", "-C", "30"]);
    let payloads: Vec<_> = (10..40).map(|number| number.to_string()).collect();
    for payload in &payloads {
        publish(&broker, &["-t", "work/item", "-q", "1", "-m", payload]);
    }
    // Each ends after ten: three fair shares, of which no message is in two.
    let mut shared: Vec<_> = members.into_iter().flat_map(Subscriber::lines).collect();
    shared.sort();
    assert_eq!(shared, payloads);
    assert_eq!(witness.lines(), payloads);
}

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn properties_arrive() {
    let broker = broker();
    let format = "%C|%R|%D|%F|%P|%p";
    let subscriber = Subscriber::start(&broker, &["-V", "mqttv5", "-t", "p", "-C", "1", "-F", format]);
    let mut arguments = vec!["-V", "mqttv5", "-t", "p", "-m", "body"];
    for property in [
        &["content-type", "text/plain"][..],
        &["response-topic", "answers"],
        &["correlation-data", "42"],
        &["payload-format-indicator", "1"],
        &["user-property", "name", "value"],
        &["message-expiry-interval", "60"],
    ] {
        arguments.extend([&["-D", "publish"][..], property].concat());
    }
    publish(&broker, &arguments);
    assert_eq!(subscriber.lines(), ["text/plain|answers|42|1|name:value|body"]);
}

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn a_large_message_arrives_whole() {
    let broker = broker();
    let file = tempfile::NamedTempFile::new().unwrap();
    let text = (0..200_000).map(|number: u32| number.to_string()).collect::<Vec<_>>().join(" ");
    fs::write(file.path(), &text).unwrap();
    for qos in ["0", "1", "2"] {
        let subscriber = Subscriber::start(&broker, &["-t", "big", "-q", qos, "-C", "1"]);
        publish(&broker, &["-t", "big", "-q", qos, "-f", file.path().to_str().unwrap()]);
        assert_eq!(subscriber.lines(), [text.as_str()]);
    }
}

#[test]
#[ignore = "needs mosquitto, paho, gmqtt, mqtt.js: ./test installs and runs them"]
fn the_system_topics_have_mosquittos_names() {
    let broker = broker();
    let topics = ["$SYS/broker/version", "$SYS/broker/clients/connected", "$SYS/broker/messages/received"];
    for topic in topics {
        let subscriber = Subscriber::resume_at(broker.address(), &["-t", topic, "-C", "1", "-F", "%r %t"]);
        assert_eq!(subscriber.lines(), [format!("1 {topic}")]);
    }
}
