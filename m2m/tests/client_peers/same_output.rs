//! `mosquitto_sub` and `m2m sub` print the same for the same flags, and exit with the same codes.

use std::process::{Child, Command, Stdio};

use crate::support::{Broker, passwd};
use crate::tool::{broker, publish, publish_input, result, tool, wait_for};

/// Topics and payloads that are published one after the other, all at one QoS.
const MESSAGES: [(&str, &[u8]); 7] = [
    ("m/plain", b"hello world"),
    ("m/empty", b""),
    ("m/text", "grüße\tto \"you\" \\o/".as_bytes()),
    ("m/json", b" {\"a\": 1, \"b\": [\"x y\", null, true]}\n"),
    ("m/binary", b"\x01\xff\x00\x80~"),
    ("m/long", &[b'x'; 3000]),
    ("r/last", b"last"),
];

/// Flags, and how many messages they let through: all come after one that is retained.
const FLAGS: &[(&[&str], usize)] = &[
    (&[], 8),
    (&["-v"], 8),
    (&["-N"], 8),
    (&["-v", "-N"], 8),
    (&["-R"], 7),
    (&["-R", "-v"], 7),
    (&["-T", "m/+"], 2),
    (&["-T", "m/empty", "-T", "m/text", "-v"], 6),
    (&["-F", "%t %p"], 8),
    (&["-v", "-F", "%t %p"], 8),
    (&["-N", "-F", "%t %p|"], 8),
    (&["-F", "%x %X %l %q %r %%"], 8),
    (&["-F", "[%20t][%-20t][%020t][%3t][%.3t][%6.3t][%-6.3t]"], 8),
    (&["-F", "[%20p][%-20p][%020p][%4p]"], 8),
    (&["-F", "[%8l][%-8l][%08l]"], 8),
    // Which numbers later messages have depends on how fast the earlier ones were acknowledged.
    (&["-F", "%m [%8m][%-8m][%08m]"], 2),
    (&["-F", "\\\\ \\0 \\a \\e \\n \\r \\t \\v @@ %%"], 8),
    (&["-F", "@Y @C @z @Z @@Y @n @t @Q @v @+ @i"], 8),
    (&["-F", "[%C][%R][%D][%E][%F][%P][%S][%A]"], 8),
    (&["-F", "[%12C][%-12C][%.3C][%12.3C][%3F][%-3F][%03F]"], 8),
    (&["-F", "%j", "-T", "m/binary"], 7),
    (&["-F", "%J", "-T", "m/binary"], 7),
    (&["-F", "<%J> %t", "-T", "m/binary"], 7),
];

#[test]
#[ignore = "needs mosquitto, amqtt, aedes: ./test installs and runs them"]
fn the_same_output_for_the_same_flags() {
    for version in ["31", "311", "5"] {
        for qos in ["0", "1", "2"] {
            compare(version, qos);
        }
    }
}

fn compare(version: &str, qos: &str) {
    let broker = broker();
    publish(&broker, &[&["-t", "r/kept", "-m", "kept", "-r", "-V", version], properties(version)].concat());
    let mut pairs = Vec::new();
    for (flags, count) in FLAGS {
        let count = count.to_string();
        let common = ["-t", "m/#", "-t", "r/#", "-q", "2", "-V", version, "-C", &count, "-W", "60"];
        let arguments = [&common[..], flags].concat();
        pairs.push((flags, theirs(&broker, &arguments), ours(&broker, &arguments)));
    }
    wait_for(&broker, "m2m_mqtt_subscriptions", 4 * FLAGS.len() as u64);
    for (topic, payload) in MESSAGES {
        let arguments = [&["-t", topic, "-q", qos, "-V", version], properties(version)].concat();
        if payload.is_empty() {
            publish(&broker, &[&arguments[..], &["-n"]].concat());
        } else {
            let input = [&arguments[..], &["-s"]].concat();
            assert_eq!(publish_input(&broker, &input, payload).0, 0);
        }
    }
    for (flags, theirs, ours) in pairs {
        let (theirs, ours) = (theirs.wait_with_output().unwrap(), ours.wait_with_output().unwrap());
        assert_eq!(
            (comparable(&ours.stdout), ours.status.code()),
            (comparable(&theirs.stdout), theirs.status.code()),
            "{flags:?} at version {version}, QoS {qos}: {}{}",
            String::from_utf8_lossy(&ours.stderr),
            String::from_utf8_lossy(&theirs.stderr),
        );
        assert!(!ours.stdout.is_empty(), "{flags:?}");
    }
}

fn properties(version: &str) -> &'static [&'static str] {
    match version {
        "5" => &[
            "-D",
            "publish",
            "content-type",
            "text/plain",
            "-D",
            "publish",
            "user-property",
            "name",
            "va\"lue",
            "-D",
            "publish",
            "payload-format-indicator",
            "0",
            "-D",
            "publish",
            "user-property",
            "other",
            "2",
            "-D",
            "publish",
            "response-topic",
            "re/spond",
            "-D",
            "publish",
            "correlation-data",
            "data",
        ],
        _ => &[],
    }
}

fn theirs(broker: &Broker, arguments: &[&str]) -> Child {
    let mut command = Command::new("mosquitto_sub");
    command.env("TZ", "Asia/Kolkata").args(["-h", "127.0.0.1", "-p", &broker.port()]).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn ours(broker: &Broker, arguments: &[&str]) -> Child {
    tool("sub", &broker.port(), arguments).env("TZ", "Asia/Kolkata").spawn().unwrap()
}

/// The output without times and packet identifiers in JSON.
fn comparable(output: &[u8]) -> String {
    let text = without(&output.escape_ascii().to_string(), "\\\"tst\\\":\\\"", "\\\",");
    without(&text, "\\\"mid\\\":", ",")
}

/// The text without what is between a begin and an end.
fn without(text: &str, begin: &str, end: &str) -> String {
    let mut parts = text.split(begin);
    let first = parts.next().unwrap_or_default();
    let rest = parts.map(|part| part.split_once(end).unwrap().1);
    core::iter::once(first).chain(rest).collect()
}

#[test]
#[ignore = "needs mosquitto, amqtt, aedes: ./test installs and runs them"]
fn the_same_exit_codes() {
    let folder = tempfile::tempdir().unwrap();
    let passwords = folder.path().join("passwords");
    assert_eq!(passwd(&passwords, "alice", "secret"), 0);
    let broker = crate::tool::broker_with(&["--password-file", passwords.to_str().unwrap()]);
    let alice = ["-u", "alice", "-P", "secret"];
    for (arguments, expected) in [
        ([&alice[..], &["-W", "1"]].concat(), 27),
        ([&alice[..], &["-E"]].concat(), 0),
        ([&alice[..], &["-E", "-V", "5"]].concat(), 0),
        (vec!["-V", "31"], 5),
        (vec!["-V", "311", "-u", "alice", "-P", "wrong"], 4),
        (vec!["-V", "5", "-u", "alice", "-P", "wrong"], 134),
        (vec!["-V", "5"], 135),
        (vec!["-p", "1"], 1),
    ] {
        let arguments = [&["-t", "a"], &arguments[..]].concat();
        let code = |child: Child| result(&child.wait_with_output().unwrap()).0;
        let mut ours = crate::support::m2m();
        ours.args(["sub", "-h", "127.0.0.1"]).args(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        if !arguments.contains(&"-p") {
            ours.args(["-p", &broker.port()]);
        }
        assert_eq!(code(ours.spawn().unwrap()), expected, "m2m sub {arguments:?}");
        assert_eq!(code(theirs(&broker, &arguments)), expected, "mosquitto_sub {arguments:?}");
    }
}
