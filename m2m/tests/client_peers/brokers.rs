//! `m2m pub` and `m2m sub` against mosquitto, amqtt and aedes.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use crate::foreign::Foreign;
use crate::support::feed;
use crate::tool::{Result, result, tool};

/// Messages in both directions at every QoS, one after the other and many at once, in order and complete.
fn talk(broker: &Foreign, versions: &[&str]) {
    for version in versions {
        let version = ["-V", version];
        for qos in ["0", "1", "2"] {
            let subscriber = Subscriber::start(
                broker,
                &[&version[..], &["-q", qos, "-C", "1", "-F", "%t %q %p"]].concat(),
            );
            publish(broker, &[&version[..], &["-q", qos, "-m", "one"]].concat());
            assert_eq!(subscriber.output(), format!("talk {qos} one\n"), "{version:?}");
        }
        // At QoS 0, a broker may drop what a subscriber does not take at once.
        for qos in ["1", "2"] {
            let lines = (0..500).map(|number| number.to_string()).collect::<Vec<_>>().join("\n") + "\n";
            let subscriber = Subscriber::start(broker, &[&version[..], &["-q", qos, "-C", "500"]].concat());
            let arguments = [&version[..], &["-t", "talk", "-q", qos, "-l"]].concat();
            let mut publisher = tool("pub", &broker.port, &arguments).stdin(Stdio::piped()).spawn().unwrap();
            feed(&mut publisher, lines.as_bytes());
            assert_eq!(end(publisher), (0, String::new(), String::new()));
            assert_eq!(subscriber.output(), lines, "{version:?} {qos}");
        }
    }
}

/// Retained messages and wills.
fn keep(broker: &Foreign, versions: &[&str]) {
    for version in versions {
        publish(broker, &["-V", version, "-q", "1", "-r", "-m", "kept"]);
        let retained = subscribe(broker, &["-V", version, "-C", "1", "-F", "%r %p"]);
        assert_eq!(retained, (0, "1 kept\n".into(), String::new()), "{version}");
        publish(broker, &["-V", version, "-q", "1", "-r", "-n"]);

        let watcher = Subscriber::start(broker, &["-q", "1", "-C", "1"]);
        let will = ["--will-topic", "talk", "--will-payload", "gone", "--will-qos", "1"];
        let mut mortal = Subscriber::start(broker, &[&["-V", version][..], &will].concat());
        mortal.child.kill().unwrap();
        mortal.child.wait().unwrap();
        assert_eq!(watcher.output(), "gone\n", "{version}");
    }
}

/// Messages that come between two runs.
fn resume(broker: &Foreign, versions: &[&str]) {
    for version in versions {
        let with = |flags: &[&str]| {
            subscribe(broker, &[&["-V", version, "-i", "kept", "-c", "-q", "2"], flags].concat())
        };
        assert_eq!(with(&["-E"]).0, 0);
        for (payload, qos) in [("1", "1"), ("2", "2"), ("3", "2")] {
            publish(broker, &["-V", version, "-q", qos, "-m", payload]);
        }
        assert_eq!(with(&["-C", "2"]), (0, "1\n2\n".into(), String::new()), "{version}");
        assert_eq!(with(&["-C", "1"]), (0, "3\n".into(), String::new()), "{version}");
        assert_eq!(subscribe(broker, &["-i", "kept", "-E"]).0, 0);
    }
}

#[test]
#[ignore = "needs mosquitto, amqtt, aedes: ./test installs and runs them"]
fn mosquitto() {
    let broker = Foreign::mosquitto();
    talk(&broker, &["31", "311", "5"]);
    keep(&broker, &["31", "311", "5"]);
    resume(&broker, &["31", "311", "5"]);
}

#[test]
#[ignore = "needs mosquitto, amqtt, aedes: ./test installs and runs them"]
fn aedes() {
    let broker = Foreign::aedes();
    talk(&broker, &["31", "311"]);
    keep(&broker, &["31", "311"]);
    let (code, _, problem) = subscribe(&broker, &["-V", "5"]);
    assert_eq!(code, 132, "{problem}");
    assert!(problem.contains("0x84 Unsupported Protocol Version: try another -V"), "{problem}");
    resume(&broker, &["31", "311"]);
}

#[test]
#[ignore = "needs mosquitto, amqtt, aedes: ./test installs and runs them"]
fn amqtt() {
    // It delivers nothing of a session that is resumed, to other clients neither.
    let broker = Foreign::amqtt();
    talk(&broker, &["311"]);
    keep(&broker, &["311"]);
}

#[test]
#[ignore = "needs mosquitto, amqtt, aedes: ./test installs and runs them"]
fn mosquittos_clients_at_the_other_end() {
    let broker = Foreign::mosquitto();
    for version in ["31", "311", "5"] {
        for qos in ["0", "1", "2"] {
            let arguments = ["-V", version, "-t", "talk", "-q", qos];
            let subscriber =
                Subscriber::start(&broker, &["-V", version, "-q", qos, "-C", "1", "-F", "%q %p"]);
            let mut publisher = Command::new("mosquitto_pub");
            let status =
                publisher.args(["-p", &broker.port, "-m", "theirs"]).args(arguments).status().unwrap();
            assert!(status.success());
            assert_eq!(subscriber.output(), format!("{qos} theirs\n"));

            publish(&broker, &["-V", version, "-q", qos, "-m", "ours", "-r"]);
            let mut subscriber = Command::new("mosquitto_sub");
            subscriber.args(["-p", &broker.port, "-W", "20", "-C", "1", "-F", "%q %p"]).args(arguments);
            let (code, output, problem) = result(&subscriber.output().unwrap());
            assert_eq!((code, output), (0, format!("{qos} ours\n")), "{problem}");
            publish(&broker, &["-V", version, "-n", "-r"]);
        }
    }
}

/// A subscriber to `talk`, or what the arguments name besides.
struct Subscriber {
    child: Child,
    log: JoinHandle<String>,
}

impl Subscriber {
    /// Returns once it has its subscription.
    fn start(broker: &Foreign, arguments: &[&str]) -> Self {
        let arguments = [&["-W", "20", "-t", "talk", "-d"], arguments].concat();
        let mut child = tool("sub", &broker.port, &arguments).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        while !line.contains("Subscribed") {
            line.clear();
            assert!(stderr.read_line(&mut line).unwrap() > 0, "m2m sub {arguments:?} ended early");
        }
        let log = thread::spawn(move || std::io::read_to_string(stderr).unwrap());
        Self { child, log }
    }

    /// What it printed until it ended well.
    #[track_caller]
    fn output(self) -> String {
        let (code, output, _) = result(&self.child.wait_with_output().unwrap());
        assert_eq!(code, 0, "{}", self.log.join().unwrap());
        output
    }
}

/// Publishes to `talk`, and asserts success and silence.
#[track_caller]
fn publish(broker: &Foreign, arguments: &[&str]) {
    let arguments = [&["-t", "talk"], arguments].concat();
    assert_eq!(
        end(tool("pub", &broker.port, &arguments).spawn().unwrap()),
        (0, String::new(), String::new())
    );
}

/// Subscribes to `talk` until there was enough.
fn subscribe(broker: &Foreign, arguments: &[&str]) -> Result {
    end(tool("sub", &broker.port, &[&["-W", "20", "-t", "talk"], arguments].concat()).spawn().unwrap())
}

fn end(child: Child) -> Result {
    result(&child.wait_with_output().unwrap())
}
