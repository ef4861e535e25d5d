//! The two programs, and a broker that tells what it has seen.
#![allow(dead_code, reason = "every test binary uses a part")]

use std::io::Read;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Broker, feed, m2m};

pub(crate) fn broker() -> Broker {
    broker_with(&[])
}

pub(crate) fn broker_with(arguments: &[&str]) -> Broker {
    let any_port = ["--listen", "tcp://127.0.0.1:0", "--metrics", "127.0.0.1:0"];
    Broker::with(&[&any_port[..], arguments].concat())
}

/// `m2m NAME -h 127.0.0.1 -p PORT ARGUMENTS`, which ends after 20 s whatever happens.
pub(crate) fn tool(name: &str, port: &str, arguments: &[&str]) -> Command {
    let mut command = m2m();
    command.args([name, "-h", "127.0.0.1", "-p", port]).args(arguments);
    command.env("TZ", "UTC").stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Exit code, standard output, standard error.
pub(crate) type Result = (i32, String, String);

pub(crate) fn result(output: &Output) -> Result {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Runs to the end.
pub(crate) fn run(name: &str, broker: &Broker, arguments: &[&str]) -> Result {
    result(&tool(name, &broker.port(), arguments).output().unwrap())
}

/// Publishes, and asserts success and silence.
#[track_caller]
pub(crate) fn publish(broker: &Broker, arguments: &[&str]) {
    assert_eq!(run("pub", broker, arguments), (0, String::new(), String::new()), "m2m pub {arguments:?}");
}

/// Publishes what is written to standard input.
#[track_caller]
pub(crate) fn publish_input(broker: &Broker, arguments: &[&str], input: &[u8]) -> Result {
    let mut child = tool("pub", &broker.port(), arguments).stdin(Stdio::piped()).spawn().unwrap();
    feed(&mut child, input);
    result(&child.wait_with_output().unwrap())
}

/// A running `m2m sub`.
pub(crate) struct Subscriber(pub(crate) Child);

impl Subscriber {
    /// Returns once the broker knows of the subscription.
    #[track_caller]
    pub(crate) fn start(broker: &Broker, arguments: &[&str]) -> Self {
        let before = broker.metric("m2m_mqtt_subscriptions");
        let subscriber = Self::begin(broker, arguments);
        wait_for(broker, "m2m_mqtt_subscriptions", before + 1);
        subscriber
    }

    /// Without waiting for anything.
    pub(crate) fn begin(broker: &Broker, arguments: &[&str]) -> Self {
        Self(tool("sub", &broker.port(), &[&["-W", "20"], arguments].concat()).spawn().unwrap())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    /// What the next so many bytes of its output are.
    pub(crate) fn read(&mut self, bytes: usize) -> String {
        let mut buffer = vec![0; bytes];
        self.0.stdout.as_mut().unwrap().read_exact(&mut buffer).unwrap();
        String::from_utf8(buffer).unwrap()
    }

    /// How it ended.
    pub(crate) fn end(self) -> Result {
        result(&self.0.wait_with_output().unwrap())
    }

    /// What it printed; asserts that it ended well.
    #[track_caller]
    pub(crate) fn output(self) -> String {
        let (code, output, problem) = self.end();
        assert_eq!((code, problem.as_str()), (0, ""), "{output}");
        output
    }
}

/// Waits until a metric has this value.
#[track_caller]
pub(crate) fn wait_for(broker: &Broker, metric: &str, value: u64) {
    let start = Instant::now();
    while broker.metric(metric) != value {
        assert!(start.elapsed() < Duration::from_secs(20), "{metric} stays at {}", broker.metric(metric));
        thread::sleep(Duration::from_millis(5));
    }
}
