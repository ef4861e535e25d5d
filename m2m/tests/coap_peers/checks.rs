//! What our client does at any server.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use crate::foreign::Running;
use crate::support::m2m;
use crate::tool::run;

/// So that a lost datagram costs a moment; more often than the default, as half of the exchanges lose something.
pub(crate) const IMPATIENT: [&str; 4] = ["--ack-timeout", "0.3", "--max-retransmit", "10"];

/// Bytes of any value.
pub(crate) fn binary(len: u32) -> Vec<u8> {
    (0..len).map(|at| (at.wrapping_mul(at) >> 3) as u8).collect()
}

/// For peers whose payloads are texts.
pub(crate) fn text(len: usize) -> Vec<u8> {
    let mut text = (0..).map(|at| format!("{at}\n")).take(len).collect::<String>().into_bytes();
    text.truncate(len);
    text
}

/// PUT, GET, PUT, GET, DELETE, GET, in CON and NON.
#[track_caller]
pub(crate) fn keeps_and_forgets(uri: &str) {
    for text in ["one", "two"] {
        let put = run(&["put", "-v", "-e", text, uri]);
        assert_eq!(put.code, 0, "{}", put.stderr);
        assert!(put.stderr.contains("2.04") || put.stderr.contains("2.01"), "{}", put.stderr);
        run(&["get", uri]).with(0, text);
    }
    run(&["get", "-v", "-N", uri]).with(0, "two").saying(&["NON 0.01 GET", "NON 2.05"]);
    run(&["delete", "-v", uri]).with(0, "").saying(&["2.02 Deleted"]);
    run(&["get", uri]).with(4, "").saying(&["4.04 Not Found"]);
}

/// Bodies that need many blocks each way compare equal.
#[track_caller]
pub(crate) fn returns_files(uri: &str, body: &[u8], arguments: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let (sent, received) = (folder.path().join("sent"), folder.path().join("received"));
    fs::write(&sent, body).unwrap();
    let nowhere = folder.path().join("answer");
    let put = ["put", "-f", sent.to_str().unwrap(), "-o", nowhere.to_str().unwrap(), uri];
    let put = run(&[&put[..], arguments].concat());
    assert_eq!(put.code, 0, "{}", put.stderr);
    let get = run(&[&["get", "-o", received.to_str().unwrap(), uri], arguments].concat());
    assert_eq!(get.code, 0, "{}", get.stderr);
    assert!(fs::read(&received).unwrap() == body, "{} bytes with {arguments:?}", body.len());
}

/// An empty acknowledgement, and the response in a message of its own.
#[track_caller]
pub(crate) fn answers_separately(uri: &str, answer: &str) {
    run(&["get", "-v", uri]).with(0, answer).saying(&["ACK 0.00 Empty", "CON 2.05 Content"]);
}

/// Each new state comes, as a line; a signal ends the observation.
#[track_caller]
pub(crate) fn is_observed(uri: &str, states: &[&str]) {
    assert_eq!(run(&["put", "-e", "zero", uri]).code, 0);
    let mut command = m2m();
    command.args(["coap", "observe", uri]);
    let mut observer = Running::start(command);
    observer.prints("zero");
    for text in states {
        let put = run(&["put", "-e", text, uri]);
        assert_eq!(put.code, 0, "{}", put.stderr);
        observer.prints(text);
    }
    kill_process(Pid::from_child(&observer.child), Signal::INT).unwrap();
    assert_eq!(observer.child.wait().unwrap().code(), Some(0));
}

/// The server's only member in this group that answers lists this link.
#[track_caller]
pub(crate) fn is_found_in_its_group(group: &str, port: u16, link: &str) {
    let uri = format!("coap://{group}:{port}");
    let found = run(&["discover", "--raw", "-B", "7", "--interface", "lo", "-a", "127.0.0.1", &uri]);
    assert_eq!(found.code, 0, "{}", found.stderr);
    assert!(found.stdout.contains(&format!("coap://127.0.0.1:{port}\n")), "{}", found.stdout);
    assert!(found.stdout.contains(link), "{}", found.stdout);
}
