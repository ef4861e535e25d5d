//! What people are told when it does not work.

use std::fs;
use std::net::UdpSocket;
use std::path::Path;

use crate::support::{m2m, passwd};
use crate::tool::{Program, publish, run, sn};

#[track_caller]
fn refused(arguments: &[&str], code: i32, parts: &[&str]) {
    let (found, output, problem) = run(m2m().args(arguments));
    assert_eq!((found, output.as_str()), (Some(code), ""), "{problem}");
    for part in parts {
        assert!(problem.contains(part), "`{part}` is not in: {problem}");
    }
}

#[test]
fn command_lines_of_the_gateway() {
    refused(&["gateway", "--broker", "127.0.0.1"], 2, &["expected mqtt://[user[:password]@]host[:port]"]);
    refused(&["gateway", "--listen", "127.0.0.1:1885"], 2, &["expected udp://ADDRESS[:PORT]"]);
    refused(&["gateway", "--multicast", "127.0.0.1"], 2, &["neither a group nor the broadcast address"]);
    refused(&["gateway", "--mode", "other"], 2, &["transparent", "aggregating"]);
    refused(&["broker", "--sn-mode", "aggregating"], 2, &["--sn"]);
}

#[test]
fn files_of_predefined_topics() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("topics");
    let file = path.to_str().unwrap();
    refused(&["gateway", "--predefined", file], 3, &["cannot read", "topics", "No such file"]);
    fs::write(&path, "*,a,1\n*,b/#,2\n").unwrap();
    refused(&["gateway", "--predefined", file], 3, &["topics, line 2: `b/#` is not a topic name"]);
    let broker = ["broker", "--listen", "tcp://127.0.0.1:0", "--sn", "udp://127.0.0.1:0"];
    refused(&[&broker[..], &["--sn-predefined", file]].concat(), 3, &["topics, line 2"]);
}

#[test]
fn a_port_in_use() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listen = format!("udp://{}", taken.local_addr().unwrap());
    refused(
        &["gateway", "--listen", &listen],
        1,
        &["cannot listen on udp://127.0.0.1:", "perhaps another gateway"],
    );
}

#[test]
fn command_lines_of_the_client() {
    refused(&["sn", "pub", "-m", "x"], 2, &["--topic"]);
    refused(&["sn", "pub", "-t", "a", "-T", "1", "-m", "x"], 2, &["cannot be used with"]);
    refused(&["sn", "pub", "-t", "abc", "-q", "3", "-m", "x"], 2, &["expected -1, 0, 1 or 2"]);
    refused(&["sn", "pub", "-T", "0", "-m", "x"], 2, &["expected 1 to 65534"]);
    refused(&["sn", "pub", "-t", "abc", "-q", "-1", "-m", "x"], 2, &["QoS -1 goes to a predefined topic id"]);
    refused(&["sn", "sub", "-t", "abc", "-c"], 2, &["add -i"]);
}

#[test]
fn no_gateway() {
    let free = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let port = free.port().to_string();
    refused(&["sn", "pub", "-p", &port, "-t", "a", "-m", "x"], 3, &[&format!("no gateway at {free}")]);
    // Somebody who listens and says nothing.
    let silent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap().to_string();
    let port = silent.local_addr().unwrap().port().to_string();
    let quick = ["--retry", "0.1", "--retries", "1"];
    let arguments = ["sn", "pub", "-p", &port, "-t", "a", "-m", "x"];
    refused(&[&arguments[..], &quick].concat(), 3, &["no gateway answers at", &address]);
}

#[test]
fn no_broker_behind_the_gateway() {
    let own = ["gateway", "--broker", "mqtt://127.0.0.1:1", "--listen", "udp://127.0.0.1:0"];
    let mut gateway = Program::start(&own, 1);
    let line = gateway.wait_for_log("no connection to the broker");
    for part in ["mqtt://127.0.0.1:1", "refused", "trying again in"] {
        assert!(line.contains(part), "{line}");
    }
    let (code, _, problem) = run(&mut sn("pub", &gateway.port(), &["-t", "abc", "-q", "1", "-m", "x"]));
    assert_eq!(code, Some(4));
    assert!(problem.contains("congestion") && problem.contains("its broker"), "{problem}");
}

#[test]
fn topics_that_the_gateway_refuses() {
    let broker = Program::broker();
    let gateway = Program::gateway(&broker.port(), &[]);
    let (code, _, problem) = run(&mut sn("pub", &gateway.port(), &["-T", "9", "-q", "1", "-m", "x"]));
    assert_eq!(code, Some(4));
    assert!(problem.contains("invalid topic ID") && problem.contains("predefined"), "{problem}");
    let (code, _, problem) = run(&mut sn("sub", &gateway.port(), &["-T", "9"]));
    assert_eq!(code, Some(4));
    assert!(problem.contains("the subscription to predefined topic 9"), "{problem}");
    let (code, _, problem) = run(&mut sn("sub", &gateway.port(), &["-t", "a/#/b"]));
    assert_eq!(code, Some(2));
    assert!(problem.contains("cannot subscribe to a/#/b"), "{problem}");
}

#[test]
fn brokers_that_ask_who_the_gateway_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (passwords, secret) = (file("passwords"), file("secret"));
    assert_eq!(passwd(Path::new(&passwords), "gate", "secret"), 0);
    fs::write(&secret, "secret\nand a comment\n").unwrap();
    let own = ["broker", "--listen", "tcp://127.0.0.1:0", "--password-file", &passwords];
    let inside = ["--sn", "udp://127.0.0.1:0", "--sn-username", "gate", "--sn-password-file", &secret];
    let mut broker = Program::start(&[&own[..], &inside].concat(), 2);
    broker.wait_for_log("connected to the broker");
    publish(&broker.port(), &["-t", "inside", "-q", "1", "-m", "x"]);

    let to = format!("mqtt://127.0.0.1:{}", broker.addresses[0].port());
    let gateway = ["gateway", "--broker", &to, "--listen", "udp://127.0.0.1:0"];
    let mut stranger = Program::start(&gateway, 1);
    let line = stranger.wait_for_log("no connection to the broker");
    assert!(line.contains("it refuses") && line.contains("--username"), "{line}");
    let login = ["--username", "gate", "--password-file", &secret];
    let mut known = Program::start(&[&gateway[..], &login].concat(), 1);
    known.wait_for_log("connected to the broker");
    publish(&known.port(), &["-t", "outside", "-q", "1", "-m", "x"]);
}
