//! The command line: exit codes, and errors that say what to do.

mod support;

use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use support::{Broker, m2m, passwd};

/// Runs to the end; the exit code and what was written to standard error.
fn run(arguments: &[&str]) -> (i32, String) {
    let output = m2m().args(arguments).output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[track_caller]
fn refused(arguments: &[&str], code: i32, parts: &[&str]) {
    let (status, stderr) = run(arguments);
    assert_eq!(status, code, "{stderr}");
    for part in parts {
        assert!(stderr.contains(part), "`{part}` is not in: {stderr}");
    }
}

#[test]
fn a_port_in_use() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("tcp://{}", taken.local_addr().unwrap());
    refused(&["broker", "--listen", &url], 1, &["cannot listen on", &url, "another program"]);
    let metrics = taken.local_addr().unwrap().to_string();
    let listen = ["broker", "--listen", "tcp://127.0.0.1:0", "--metrics", &metrics];
    refused(&listen, 1, &["cannot listen on http://", "another program"]);
}

#[test]
fn an_address_of_another_machine() {
    refused(&["broker", "--listen", "tcp://192.0.2.1:1883"], 1, &["this machine does not have that address"]);
}

#[test]
fn a_bad_address() {
    refused(&["broker", "--listen", "127.0.0.1:1883"], 3, &["127.0.0.1:1883: expected tcp://ADDRESS[:PORT]"]);
    refused(&["broker", "--listen", "tcp://no.such.host.invalid"], 3, &["cannot find the address"]);
}

#[test]
fn a_bad_command_line() {
    refused(&["broker", "--listne", "x"], 2, &["--listen"]);
    refused(&["broker", "--metrics", "9100"], 2, &["--metrics"]);
    refused(&[], 2, &["Usage"]);
    let help = m2m().args(["broker", "--help"]).output().unwrap();
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("Exit codes:"));
}

#[test]
fn a_bad_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m2m.toml");
    let name = file.to_str().unwrap();
    refused(&["broker", "--config", name], 3, &["cannot read", "m2m.toml"]);
    fs::write(&file, "[broker]\nmax_qos = 1\nretain_availabel = false\n").unwrap();
    refused(
        &["broker", "--config", name],
        3,
        &["line 3, column 1", "retain_availabel", "`retain_available`"],
    );
    fs::write(&file, "listen = [\n").unwrap();
    refused(&["broker", "--config", name], 3, &["m2m.toml", "line 1, column"]);
}

#[test]
fn files_that_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let name = file.to_str().unwrap();
    fs::write(&file, "user alice\ntopic read a\ntopic reed b\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    refused(&["broker", "--acl", name], 3, &["line 3: `reed`: expected read, write, readwrite or deny"]);
    refused(&["broker", "--password-file", name], 3, &["line 1: expected user:hash"]);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o646)).unwrap();
    refused(&["broker", "--acl", name], 3, &["must not be writable by everybody", "chmod o-w"]);
    refused(&["broker", "--password-file", name], 3, &["must not be readable by everybody", "chmod o-rwx"]);
    refused(&["broker", "--acl", folder.path().join("none").to_str().unwrap()], 3, &["cannot read"]);
}

#[test]
fn passwords_are_set_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passwords");
    assert_eq!(passwd(&file, "alice", "one"), 0);
    assert_eq!(passwd(&file, "bob", "two"), 0);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(passwd(&file, "alice", "three"), 0);
    let text = fs::read_to_string(&file).unwrap();
    let users: Vec<_> = text.lines().map(|line| line.split_once(":$argon2id$").unwrap().0).collect();
    assert_eq!(users, ["bob", "alice"]);
    assert!(!text.contains("three"));

    let name = file.to_str().unwrap();
    assert_eq!(run(&["passwd", name, "bob", "-D"]).0, 0);
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1);
    refused(&["passwd", name, "bob", "-D"], 1, &["there is no user bob"]);
    assert_eq!(passwd(&file, "carol", ""), 1);
    assert_eq!(passwd(&file, "a:b", "x"), 1);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
}

/// The ports of the standard may be in use on the machine that runs this: then the broker must say so.
#[test]
fn without_options_it_listens_on_loopback_and_says_how_to_open_up() {
    let free = |address: &str| {
        TcpListener::bind(address).map_or_else(|error| error.kind() == ErrorKind::AddrNotAvailable, |_| true)
    };
    if free("127.0.0.1:1883") && free("[::1]:1883") {
        let mut broker = Broker::with::<&str>(&[]);
        assert_eq!(broker.address().to_string(), "127.0.0.1:1883");
        broker.wait_for_log("--listen tcp://0.0.0.0:1883");
    } else {
        refused(&["broker"], 1, &["cannot listen on tcp://", "another program"]);
    }
}
