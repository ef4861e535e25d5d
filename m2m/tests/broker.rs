//! `m2m broker` from outside: files, signals, metrics, and what a socket can do to it.

#![allow(clippy::disallowed_methods, reason = "these tests run in the machine's time")]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use support::{Broker, m2m, passwd};

const FREE_PORT: [&str; 2] = ["--listen", "tcp://127.0.0.1:0"];
const SUCCESS: u8 = 0x00;
const PROTOCOL_ERROR: u8 = 0x82;
const NOT_AUTHORIZED: u8 = 0x87;
const BAD_USER_NAME_OR_PASSWORD: u8 = 0x86;
const SERVER_SHUTTING_DOWN: u8 = 0x8b;
const ADMINISTRATIVE_ACTION: u8 = 0x98;

fn write(path: &Path, text: &str) {
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// A password file in which every user's password is `secret`.
fn passwords(folder: &Path, users: &[&str]) -> PathBuf {
    let file = folder.join("passwords");
    for user in users {
        assert_eq!(passwd(&file, user, "secret"), 0);
    }
    file
}

#[test]
fn passwords_are_checked() {
    let folder = tempfile::tempdir().unwrap();
    let file = passwords(folder.path(), &["alice"]);
    let broker = Broker::with(&[&FREE_PORT[..], &["--password-file", file.to_str().unwrap()]].concat());
    for (login, reason) in [
        (Some(("alice", "secret")), SUCCESS),
        (Some(("alice", "Secret")), BAD_USER_NAME_OR_PASSWORD),
        (Some(("bob", "secret")), BAD_USER_NAME_OR_PASSWORD),
        (None, NOT_AUTHORIZED),
    ] {
        let mut client = broker.connect();
        client.connect("c", login, reason);
        if reason != SUCCESS {
            client.expect_end();
        }
    }
}

/// Packets that follow CONNECT at once wait for the check, and nobody else does.
#[test]
fn a_password_being_checked_holds_up_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = passwords(folder.path(), &["alice"]);
    let broker = Broker::with(&[&FREE_PORT[..], &["--password-file", file.to_str().unwrap()]].concat());
    let mut clients: Vec<_> = (0..20).map(|_| broker.connect()).collect();
    for (number, client) in clients.iter_mut().enumerate() {
        client.send_connect(&format!("c{number}"), Some(("alice", "secret")));
        client.send(&[0x82, 7, 0, 1, 0, 0, 1, b'a', 0]);
    }
    for client in &mut clients {
        assert_eq!(client.packet().0, 0x20);
        client.expect(&[0x90, 4, 0, 1, 0, 0]);
    }
    clients[0].publish("a", b"x");
    for client in &mut clients {
        client.expect_publish("a", b"x");
    }
}

#[test]
fn an_acl_is_enforced() {
    let folder = tempfile::tempdir().unwrap();
    let acl = folder.path().join("acl");
    write(
        &acl,
        "topic read open/#\n\nuser alice\ntopic readwrite #\ntopic deny open/safe\n\npattern write in/%c/#\npattern read in/%c/#\n",
    );
    let file = passwords(folder.path(), &["alice", "bob"]);
    write(
        &folder.path().join("m2m.toml"),
        "allow_anonymous = true\npassword_file = 'passwords'\nacl_file = 'acl'\n",
    );
    let config = folder.path().join("m2m.toml");
    assert!(file.exists());
    let arguments =
        [&FREE_PORT[..], &["--config", config.to_str().unwrap(), "--metrics", "127.0.0.1:0"]].concat();
    let broker = Broker::with(&arguments);
    let (mut alice, mut bob, mut anonymous) = (broker.connect(), broker.connect(), broker.connect());
    alice.connect("a", Some(("alice", "secret")), SUCCESS);
    bob.connect("b", Some(("bob", "secret")), SUCCESS);
    anonymous.connect("n", None, SUCCESS);

    assert_eq!(bob.subscribe("open/#"), NOT_AUTHORIZED);
    assert_eq!(bob.subscribe("in/#"), SUCCESS);
    assert_eq!(anonymous.subscribe("#"), SUCCESS);
    assert_eq!(alice.publish_acknowledged("in/b/x", b"1"), SUCCESS);
    assert_eq!(alice.publish_acknowledged("in/c/x", b"2"), SUCCESS);
    assert_eq!(alice.publish_acknowledged("open/door", b"3"), SUCCESS);
    assert_eq!(alice.publish_acknowledged("open/safe", b"4"), NOT_AUTHORIZED);
    bob.expect_publish("in/b/x", b"1");
    assert_eq!(bob.publish_acknowledged("in/a/x", b"5"), NOT_AUTHORIZED);
    anonymous.expect_publish("open/door", b"3");
    assert_eq!(anonymous.publish_acknowledged("open/door", b"6"), NOT_AUTHORIZED);
    bob.expect_nothing();
    anonymous.expect_nothing();
    assert_eq!(broker.metric("m2m_mqtt_dropped_publish_denied_total"), 3);
    assert_eq!(broker.metric("m2m_mqtt_dropped_deliver_denied_total"), 3);
}

#[test]
fn sighup_reads_the_files_again_and_keeps_the_old_when_they_are_bad() {
    let folder = tempfile::tempdir().unwrap();
    let acl = folder.path().join("acl");
    write(&acl, "topic read a\n");
    let mut broker = Broker::with(&[&FREE_PORT[..], &["--acl", acl.to_str().unwrap()]].concat());
    let mut client = broker.connect();
    client.connect("c", None, SUCCESS);
    assert_eq!((client.subscribe("a"), client.subscribe("b")), (SUCCESS, NOT_AUTHORIZED));

    write(&acl, "topic reed b\n");
    broker.signal(Signal::HUP);
    broker.wait_for_log("the configuration stays as it was");
    assert_eq!((client.subscribe("a"), client.subscribe("b")), (SUCCESS, NOT_AUTHORIZED));

    write(&acl, "topic read b\n");
    broker.signal(Signal::HUP);
    broker.wait_for_log("configuration read again");
    assert_eq!((client.subscribe("a"), client.subscribe("b")), (NOT_AUTHORIZED, SUCCESS));
}

#[test]
fn sighup_ends_connections_that_would_not_be_let_in_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = passwords(folder.path(), &["alice", "bob"]);
    let mut broker = Broker::with(&[&FREE_PORT[..], &["--password-file", file.to_str().unwrap()]].concat());
    let (mut alice, mut bob) = (broker.connect(), broker.connect());
    alice.connect("a", Some(("alice", "secret")), SUCCESS);
    bob.connect("b", Some(("bob", "secret")), SUCCESS);
    assert!(m2m().arg("passwd").arg(&file).args(["bob", "-D"]).status().unwrap().success());
    broker.signal(Signal::HUP);
    broker.wait_for_log("configuration read again");
    assert_eq!(bob.packet(), (0xe0, vec![ADMINISTRATIVE_ACTION]));
    bob.expect_end();
    alice.expect_nothing();
}

/// Deliveries to a client that may read everything are not checked, until the rules have changed.
#[test]
fn sighup_ends_connections_only_when_something_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let acl = folder.path().join("acl");
    write(&acl, "topic readwrite #\n");
    let mut broker = Broker::with(&[&FREE_PORT[..], &["--acl", acl.to_str().unwrap()]].concat());
    let mut client = broker.connect();
    client.connect("c", None, SUCCESS);
    assert_eq!((client.subscribe("#"), client.subscribe("$SYS/#")), (SUCCESS, NOT_AUTHORIZED));
    broker.signal(Signal::HUP);
    broker.wait_for_log("configuration read again");
    client.publish("a", b"1");
    client.expect_publish("a", b"1");

    write(&acl, "topic readwrite #\ntopic deny a\n");
    broker.signal(Signal::HUP);
    broker.wait_for_log("configuration read again");
    assert_eq!(client.packet(), (0xe0, vec![ADMINISTRATIVE_ACTION]));
    let mut client = broker.connect();
    client.connect("c", None, SUCCESS);
    assert_eq!(client.subscribe("#"), SUCCESS);
    assert_eq!(client.publish_acknowledged("a", b"2"), NOT_AUTHORIZED);
    client.publish("b", b"3");
    client.expect_publish("b", b"3");
}

#[test]
fn sigterm_takes_leave_of_the_clients() {
    let mut broker = Broker::start();
    let mut client = broker.connect();
    client.connect("c", None, SUCCESS);
    broker.signal(Signal::TERM);
    assert_eq!(client.packet(), (0xe0, vec![SERVER_SHUTTING_DOWN]));
    client.expect_end();
    assert_eq!(broker.wait().code(), Some(0));
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut broker = Broker::start();
    // This client reads nothing of what it asked for, so that its connection cannot be drained.
    let mut client = broker.connect();
    client.connect("c", None, SUCCESS);
    assert_eq!(client.subscribe("a"), SUCCESS);
    let payload = vec![0; 1 << 20];
    for _ in 0..32 {
        client.publish("a", &payload);
    }
    broker.signal(Signal::INT);
    broker.wait_for_log("ending");
    let start = Instant::now();
    broker.signal(Signal::INT);
    assert_eq!(broker.wait().code(), Some(130));
    assert!(start.elapsed() < Duration::from_secs(3));
}

/// A client that does not read what it is sent is given five seconds, and holds up the end no longer.
#[test]
fn a_client_that_does_not_read_is_not_waited_for() {
    let mut broker = Broker::start();
    let mut client = broker.connect();
    client.connect("c", None, SUCCESS);
    assert_eq!(client.subscribe("a"), SUCCESS);
    let mut publisher = broker.connect();
    publisher.connect("publisher", None, SUCCESS);
    for _ in 0..12 {
        assert_eq!(publisher.publish_acknowledged("a", &vec![0; 1 << 20]), SUCCESS);
    }
    let start = Instant::now();
    broker.signal(Signal::TERM);
    assert_eq!(broker.wait().code(), Some(0));
    let waited = start.elapsed();
    assert!(waited > Duration::from_secs(4) && waited < Duration::from_secs(8), "{waited:?}");
}

/// A socket that is closed with bytes unread resets the connection: the client would not see why.
#[test]
fn a_client_that_keeps_sending_sees_why_it_was_told_to_go() {
    let broker = Broker::start();
    let mut client = broker.connect();
    client.connect("c", None, SUCCESS);
    client.send_connect("c", None);
    for _ in 0..64 {
        client.send(&[0; 16 << 10]);
    }
    let (first, body) = client.packet();
    assert_eq!((first, body[0]), (0xe0, PROTOCOL_ERROR));
    client.expect_end();
}

/// A client that does not read keeps its own messages waiting, and nobody else's; when it reads, all come, in order.
#[test]
fn a_slow_reader_delays_nobody() {
    let broker = Broker::start();
    let (mut slow, mut quick, mut publisher) = (broker.connect(), broker.connect(), broker.connect());
    slow.connect("slow", None, SUCCESS);
    quick.connect("quick", None, SUCCESS);
    publisher.connect("publisher", None, SUCCESS);
    assert_eq!((slow.subscribe("a"), quick.subscribe("a")), (SUCCESS, SUCCESS));
    let payload = |number: u8| vec![number; 256 << 10];
    for number in 0..60 {
        assert_eq!(publisher.publish_acknowledged("a", &payload(number)), SUCCESS);
        quick.expect_publish("a", &payload(number));
    }
    (0..60).for_each(|number| slow.expect_publish("a", &payload(number)));
    slow.expect_nothing();
}

#[test]
fn any_fragmentation_is_the_same_to_it() {
    let broker = Broker::start();
    let mut client = broker.connect();
    client.stream.set_nodelay(true).unwrap();
    let connect = [&[0x10, 14, 0, 4][..], b"MQTT", &[5, 2, 0, 60, 0, 0, 1, b'c']].concat();
    let publish = [0x30, 5, 0, 1, b'a', 0, b'!'];
    for byte in [&connect[..], &[0x82, 7, 0, 1, 0, 0, 1, b'a', 0], &publish].concat() {
        client.send(&[byte]);
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(client.packet().0, 0x20);
    client.expect(&[0x90, 4, 0, 1, 0, 0]);
    client.expect_publish("a", b"!");
}

/// A connection that sends what is no MQTT is closed; one that sends nothing, when its time is over.
#[test]
fn strangers_are_shown_out() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("m2m.toml");
    write(&config, "[broker]\nconnect_timeout = 0.3\n");
    let broker = Broker::with(&[&FREE_PORT[..], &["--config", config.to_str().unwrap()]].concat());
    let mut web = broker.connect();
    web.send(b"GET / HTTP/1.1\r\n\r\n");
    web.expect_end();
    let start = Instant::now();
    let mut silent = broker.connect();
    silent.expect_end();
    let waited = start.elapsed();
    assert!(waited >= Duration::from_millis(300) && waited < Duration::from_secs(2), "{waited:?}");
}

#[test]
fn connections_beyond_the_limit_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("m2m.toml");
    write(&config, "[broker]\nmax_connections = 2\n");
    let arguments =
        [&FREE_PORT[..], &["--config", config.to_str().unwrap(), "--metrics", "127.0.0.1:0"]].concat();
    let broker = Broker::with(&arguments);
    let (mut first, mut second) = (broker.connect(), broker.connect());
    first.connect("1", None, SUCCESS);
    second.connect("2", None, SUCCESS);
    let mut third = broker.connect();
    let mut rest = Vec::new();
    _ = third.stream.read_to_end(&mut rest);
    assert_eq!(rest, []);
    drop(second);
    while broker.metric("m2m_mqtt_connections") > 1 {
        thread::sleep(Duration::from_millis(10));
    }
    broker.connect().connect("3", None, SUCCESS);
    assert_eq!(broker.metric("m2m_mqtt_connections_refused_total"), 1);
}

#[test]
fn metrics_count_what_happened() {
    let broker = Broker::with(&[&FREE_PORT[..], &["--metrics", "127.0.0.1:0"]].concat());
    let mut client = broker.connect();
    client.connect("c", None, SUCCESS);
    client.subscribe("a");
    client.publish("a", b"12345");
    client.expect_publish("a", b"12345");
    assert!(broker.metrics_page().starts_with("HTTP/1.1 200 OK\r\n"));
    assert!(broker.metrics_page().contains("content-type: text/plain; version=0.0.4"));
    for (name, value) in [
        ("connects_accepted_total", 1),
        ("publish_received_total", 1),
        ("publish_sent_total", 1),
        ("publish_bytes_sent_total", 5),
        ("clients", 1),
        ("subscriptions", 1),
    ] {
        assert_eq!(broker.metric(&format!("m2m_mqtt_{name}")), value, "{name}");
    }
    assert!(broker.metric("process_resident_memory_bytes") > 1 << 20);
}
