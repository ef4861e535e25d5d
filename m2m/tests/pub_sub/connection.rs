//! Connections: refused, lost, made again, ended.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::{Broker, m2m, passwd};
use crate::tool::{Subscriber, broker, broker_with, publish, result, run, tool, wait_for};

/// Alice may do all but under `no/`; her password is `secret`.
fn guarded() -> (TempDir, Broker) {
    let folder = tempfile::tempdir().unwrap();
    let (passwords, acl) = (folder.path().join("passwords"), folder.path().join("acl"));
    assert_eq!(passwd(&passwords, "alice", "secret"), 0);
    fs::write(&acl, "user alice\ntopic readwrite #\ntopic deny no/#\n").unwrap();
    fs::set_permissions(&acl, fs::Permissions::from_mode(0o600)).unwrap();
    let arguments = ["--password-file", passwords.to_str().unwrap(), "--acl", acl.to_str().unwrap()];
    let broker = broker_with(&arguments);
    (folder, broker)
}

#[test]
fn refusals_have_exit_codes_and_remedies() {
    let (_folder, broker) = guarded();
    let wrong = ["-u", "alice", "-P", "wrong"];
    for name in ["pub", "sub"] {
        let what: &[&str] = if name == "pub" { &["-t", "a", "-m", "x"] } else { &["-t", "a", "-C", "1"] };
        for (version, code) in [("31", 4), ("311", 4), ("5", 134)] {
            let (status, output, problem) =
                run(name, &broker, &[&["-V", version], &wrong[..], what].concat());
            assert_eq!((status, output.as_str()), (code, ""), "{name} {version}: {problem}");
            assert!(problem.contains("refused the connection: 0x86 Bad User Name or Password"), "{problem}");
            assert!(problem.contains("check -u and -P"), "{problem}");
        }
        let quiet = run(name, &broker, &[&["--quiet"], &wrong[..], what].concat());
        assert_eq!(quiet, (4, String::new(), String::new()));
    }
    let subscriber = Subscriber::start(&broker, &["-u", "alice", "-P", "secret", "-t", "a", "-C", "1"]);
    let url = format!("mqtt://alice:%73ecret@127.0.0.1:{}/a", broker.port());
    assert!(m2m().args(["pub", "-L", &url, "-m", "by URL"]).status().unwrap().success());
    assert_eq!(subscriber.output(), "by URL\n");
}

#[test]
fn what_is_not_allowed_fails() {
    let (_folder, broker) = guarded();
    let alice = ["-u", "alice", "-P", "secret"];
    for (version, code) in [("311", 128), ("5", 135)] {
        let arguments = [&alice[..], &["-V", version, "-t", "no/a"]].concat();
        let (status, _, problem) = run("sub", &broker, &arguments);
        assert_eq!(status, code, "{problem}");
        assert!(problem.contains("m2m: the broker refused all subscriptions: "), "{problem}");
    }
    let some = [&alice[..], &["-V", "5", "-t", "no/a", "-t", "yes", "-E"]].concat();
    let (status, _, problem) = run("sub", &broker, &some);
    assert_eq!(status, 0);
    assert!(problem.contains("refused a subscription: 0x87 Not authorized; going on"), "{problem}");

    let message = [&alice[..], &["-V", "5", "-q", "1", "-t", "no/a", "-m", "x", "--repeat", "3"]].concat();
    let (status, _, problem) = run("pub", &broker, &message);
    assert_eq!(status, 135, "{problem}");
    assert!(problem.contains("3 of 3 messages did not reach their end"), "{problem}");
}

#[test]
fn nothing_listens() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
    for (name, what) in [("pub", "-m"), ("sub", "-i")] {
        let (code, _, problem) = result(&tool(name, &port, &["-t", "a", what, "x"]).output().unwrap());
        assert_eq!(code, 1);
        let expected = format!("m2m: cannot connect to 127.0.0.1:{port}: Connection refused");
        assert!(problem.starts_with(&expected) && problem.contains("nothing listens there"), "{problem}");
    }
}

#[test]
fn command_lines_that_are_none() {
    for (arguments, part) in [
        (&["pub", "-t", "a"][..], "--message"),
        (&["pub", "-t", "a", "-m", "x", "-n"], "cannot be used with"),
        (&["pub", "-t", "a/+", "-m", "x"], "not a topic name"),
        (&["pub", "-m", "x"], "--topic"),
        (&["pub", "-L", "mqtts://h/a", "-m", "x"], "mqtts:// is not supported"),
        (&["pub", "-L", "mqtt://h/a/#", "-m", "x"], "not a topic name"),
        (&["pub", "-t", "a", "-m", "x", "-P", "p"], "a password needs a user name"),
        (&["pub", "-t", "a", "-m", "x", "-D", "publish", "server-reference", "x"], "no such property"),
        (&["pub", "-t", "a", "-m", "x", "-q", "3"], "expected 0, 1 or 2"),
        (&["sub"], "nothing to subscribe to"),
        (&["sub", "-t", "a/#/b"], "not a topic filter"),
        (&["sub", "-t", "a", "-F", "%y"], "%y"),
        (&["sub", "-t", "a", "-c"], "add -i"),
        (&["sub", "-t", "a", "-R", "--retained-only"], "cannot be used with"),
        (&["sub", "-t", "a", "-V", "4"], "mqttv311"),
        (&["sub", "-t", "a", "-i", "x", "-I", "y"], "cannot be used with"),
    ] {
        let (code, output, problem) = result(&m2m().args(arguments).output().unwrap());
        assert_eq!((code, output.as_str()), (2, ""), "{arguments:?}: {problem}");
        assert!(problem.contains(part), "{arguments:?}: `{part}` is not in: {problem}");
    }
    for name in ["pub", "sub"] {
        let (code, output, _) = result(&m2m().args([name, "--help"]).output().unwrap());
        assert_eq!(code, 0);
        assert!(output.contains("Exit codes:") && output.contains("--will-topic"));
    }
}

#[test]
fn a_signal_is_a_polite_end_and_leaves_no_will() {
    let broker = broker();
    let watcher = Subscriber::start(&broker, &["-t", "will", "-q", "1", "-C", "1", "-v"]);
    for (signal, version) in [(Signal::INT, "311"), (Signal::TERM, "5")] {
        let will = ["--will-topic", "will", "--will-payload", "not this", "-V", version, "-t", "x"];
        let polite = Subscriber::start(&broker, &will);
        polite.signal(signal);
        assert_eq!(polite.output(), "");
        wait_for(&broker, "m2m_mqtt_subscriptions", 1);
    }
    let will =
        ["--will-topic", "will", "--will-payload", "gone", "--will-qos", "1", "--will-retain", "-t", "x"];
    let killed = Subscriber::start(&broker, &will);
    killed.signal(Signal::KILL);
    assert_eq!(killed.end().0, -1);
    assert_eq!(watcher.output(), "will gone\n");
    assert_eq!(Subscriber::begin(&broker, &["-t", "will", "-C", "1"]).output(), "gone\n");
}

#[test]
fn a_flood_does_not_swallow_the_goodbye() {
    let broker = broker();
    for _ in 0..5 {
        let arguments = ["-t", "f", "-C", "10", "--will-topic", "w", "--will-payload", "x"];
        let subscriber = Subscriber::start(&broker, &arguments);
        publish(&broker, &["-t", "f", "-m", &"x".repeat(5000), "--repeat", "2000"]);
        assert_eq!(subscriber.output().lines().count(), 10);
    }
    assert_eq!(broker.metric("m2m_mqtt_wills_published_total"), 0);
}

#[test]
fn an_interrupted_publisher_says_so() {
    let broker = broker();
    let mut child =
        tool("pub", &broker.port(), &["-t", "a", "-l", "-q", "1"]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.as_mut().unwrap().write_all(b"one\n").unwrap();
    wait_for(&broker, "m2m_mqtt_connections", 1);
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), Signal::INT).unwrap();
    let (code, _, problem) = result(&child.wait_with_output().unwrap());
    assert_eq!((code, problem.as_str()), (130, "m2m: interrupted\n"));
}

#[test]
fn a_lost_connection_is_made_again() {
    for version in ["311", "5"] {
        let mut first = broker();
        let port = first.port();
        let arguments = ["-V", version, "-t", "a", "-q", "1", "-C", "4"];
        let subscriber = Subscriber::start(&first, &arguments);
        let mut publisher = tool("pub", &port, &["-V", version, "-t", "a", "-l", "-q", "1"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        publisher.stdin.as_mut().unwrap().write_all(b"1\n2\n").unwrap();
        wait_for(&first, "m2m_mqtt_publish_sent_total", 2);
        first.signal(Signal::KILL);
        first.wait();
        drop(first);
        let listen = format!("tcp://127.0.0.1:{port}");
        let second = Broker::with(&["--listen", &listen, "--metrics", "127.0.0.1:0"]);
        wait_for(&second, "m2m_mqtt_subscriptions", 1);
        publisher.stdin.as_mut().unwrap().write_all(b"3\n4\n").unwrap();
        let (code, _, problem) = result(&publisher.wait_with_output().unwrap());
        assert_eq!(code, 0, "{problem}");
        assert!(problem.starts_with(&format!("m2m: no connection to 127.0.0.1:{port}: ")), "{problem}");
        let (code, output, problem) = subscriber.end();
        assert_eq!((code, output.as_str()), (0, "1\n2\n3\n4\n"), "{problem}");
        assert!(problem.contains("; trying again in "), "{problem}");
    }
}

#[test]
fn a_session_that_was_taken_over_stays_so() {
    let broker = broker();
    let first = Subscriber::start(&broker, &["-V", "5", "-i", "same", "-t", "a"]);
    let second = Subscriber::begin(&broker, &["-V", "5", "-i", "same", "-t", "a", "-E"]);
    let (code, _, problem) = first.end();
    assert_eq!(code, 142);
    assert!(problem.contains("0x8E Session taken over: another client has the same identifier"), "{problem}");
    assert_eq!(second.output(), "");
}

/// A server that lets everybody in and closes at the first packet after that.
#[test]
fn a_server_that_never_acknowledges_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let server = thread::spawn(move || {
        for _ in 0..5 {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 1024];
            assert!(stream.read(&mut buffer).unwrap() > 0 && buffer[0] == 0x10);
            stream.write_all(&[0x20, 2, 0, 0]).unwrap();
            assert!(stream.read(&mut buffer).unwrap() > 0 && buffer[0] & 0xf0 == 0x30);
        }
    });
    let start = Instant::now();
    let output = tool("pub", &port, &["-t", "a", "-m", "x", "-q", "1"]).output().unwrap();
    let (code, _, problem) = result(&output);
    assert_eq!(code, 1, "{problem}");
    assert!(problem.contains("ended 5 connections in a row without acknowledging anything"), "{problem}");
    assert!(start.elapsed() < Duration::from_secs(15));
    server.join().unwrap();
}

/// Somebody else's port.
#[test]
fn a_server_of_another_protocol() {
    for (answer, part) in [
        (&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], "does not answer as an MQTT broker"),
        (b"", "is it an MQTT broker"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut buffer = [0; 1024];
            assert!(stream.read(&mut buffer).unwrap() > 0);
            stream.write_all(answer).unwrap();
        });
        let (code, _, problem) = result(&tool("sub", &port, &["-t", "a"]).output().unwrap());
        assert_eq!(code, 1);
        assert!(problem.contains(part), "{problem}");
        server.join().unwrap();
    }
}

#[test]
fn names_and_ipv6_addresses() {
    let broker = Broker::with(&["--listen", "tcp://[::1]:0", "--listen", "tcp://127.0.0.1:0"]);
    for (host, address) in ["::1", "localhost"].into_iter().zip(&broker.addresses) {
        let port = address.port().to_string();
        let publish = m2m().args(["pub", "-h", host, "-p", &port, "-t", "a", "-m", "x", "-r"]).status();
        assert!(publish.unwrap().success(), "{host}");
    }
    let url = format!("mqtt://{}/a", broker.addresses[0]);
    let output = m2m().args(["sub", "-L", &url, "-C", "1"]).output().unwrap();
    assert_eq!(result(&output), (0, "x\n".to_owned(), String::new()));
    let (code, _, problem) =
        result(&m2m().args(["pub", "-h", "no.such.host.invalid", "-t", "a", "-m", "x"]).output().unwrap());
    assert_eq!(code, 1);
    assert!(problem.starts_with("m2m: cannot connect to no.such.host.invalid:1883: "), "{problem}");
}

/// "Server moved" (MQTT 5 §4.11).
#[test]
fn a_server_that_names_another_one() {
    let broker = broker();
    publish(&broker, &["-t", "a", "-m", "here", "-r", "-q", "1"]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let reference = format!("127.0.0.1:{} elsewhere", broker.port());
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut buffer = [0; 1024];
        assert!(stream.read(&mut buffer).unwrap() > 0);
        let length = reference.len() as u8;
        stream.write_all(&[0x20, length + 6, 0, 0x9d, length + 3, 0x1c, 0, length]).unwrap();
        stream.write_all(reference.as_bytes()).unwrap();
    });
    let (code, output, told) =
        result(&tool("sub", &port, &["-V", "5", "-t", "a", "-C", "1"]).output().unwrap());
    assert_eq!((code, output.as_str()), (0, "here\n"), "{told}");
    assert!(told.contains(": 0x9D Server moved; trying again in "), "{told}");
    server.join().unwrap();
}
