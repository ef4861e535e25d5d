//! Against `m2m coap serve --demo`.

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::time::Duration;
use std::{fs, thread};

use rustix::process::{Pid, Signal, kill_process};

use crate::server::Demo;
use crate::tool::{Ended, end, run, start};

fn signal(child: &Child, signal: Signal) {
    kill_process(Pid::from_child(child), signal).unwrap();
}

/// Reads lines until there were so many, and leaves the rest to [`end`].
fn lines(child: &mut Child, count: usize) -> Vec<String> {
    let mut output = BufReader::with_capacity(1, child.stdout.take().unwrap());
    let lines = (0..count).map(|_| {
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        line
    });
    let lines = lines.collect();
    child.stdout = Some(output.into_inner());
    lines
}

#[test]
fn bodies_in_blocks_come_back_as_they_went() {
    let server = Demo::start();
    let folder = tempfile::tempdir().unwrap();
    let (sent, received) = (folder.path().join("sent"), folder.path().join("received"));
    let body: Vec<u8> = (0..70_000_u32).map(|at| (at.wrapping_mul(at) >> 3) as u8).collect();
    fs::write(&sent, &body).unwrap();
    let uri = server.uri("/large-update");
    for size in ["1024", "256"] {
        let ended = run(&["put", "-b", size, "-f", sent.to_str().unwrap(), "-t", "binary", &uri]);
        assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{}", ended.stderr);
        assert_eq!(ended.stderr, "", "a bar is for terminals");
        run(&["get", "-b", size, "-o", received.to_str().unwrap(), &uri]).with(0, "");
        assert!(fs::read(&received).unwrap() == body, "with blocks of {size}");
        fs::remove_file(&received).unwrap();
    }
}

#[test]
fn a_separate_response_comes() {
    let server = Demo::start();
    let ended = run(&["get", "-v", &server.uri("/separate")]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(!ended.stdout.is_empty());
    ended.saying(&["ACK 0.00 Empty", "CON 2.05 Content"]);
}

#[test]
fn an_observation_prints_a_line_for_each_notification_until_its_time_is_over() {
    let server = Demo::start();
    for arguments in [["observe", "-s", "1.5"], ["get", "-s", "1.5"]] {
        let uri = server.uri("/obs");
        let Ended { code, stdout, stderr } = run(&[&arguments[..], &["-v", &uri]].concat());
        assert_eq!(code, 0, "{stderr}");
        assert!(!stdout.is_empty() && stdout.ends_with('\n'), "{stdout:?}");
        assert!(stderr.contains("Observe 1\n"), "the server is told of the end: {stderr}");
    }
}

#[test]
fn a_signal_ends_an_observation_by_deregistering() {
    let server = Demo::start();
    for with in [Signal::INT, Signal::TERM] {
        let mut child = start(&["observe", "-v", &server.uri("/obs")]);
        assert_eq!(lines(&mut child, 1).len(), 1);
        signal(&child, with);
        let ended = end(child);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended.saying(&["Observe 0\n", "Observe 1\n"]);
    }
}

#[test]
fn a_second_signal_ends_at_once() {
    let mut server = Demo::start();
    let mut child = start(&["observe", &server.uri("/obs")]);
    assert_eq!(lines(&mut child, 1).len(), 1);
    server.stop();
    signal(&child, Signal::INT);
    thread::sleep(Duration::from_millis(200));
    assert!(child.try_wait().unwrap().is_none(), "it waits for the server to know");
    signal(&child, Signal::INT);
    assert_eq!(end(child).code, 130);
}

#[test]
fn the_resources_are_listed() {
    let server = Demo::start();
    let all = run(&["discover", &server.uri("")]);
    assert_eq!(all.code, 0, "{}", all.stderr);
    let line = all.stdout.lines().find(|line| line.starts_with("/obs ")).expect("the demo has /obs");
    assert!(line.split("  ").any(|attribute| attribute == "obs"), "{line}");

    let one = run(&["discover", &server.uri(""), "href=/obs"]);
    assert_eq!(one.stdout.lines().count(), 1, "{}", one.stdout);
    let raw = run(&["discover", "--raw", &server.uri(""), "href=/obs"]);
    assert!(raw.stdout.starts_with("</obs>;"), "{}", raw.stdout);
}

#[test]
fn a_group_is_discovered() {
    let server = Demo::with(&["--listen", "udp://0.0.0.0:0", "--multicast", "lo"]);
    let uri = format!("coap://224.0.1.187:{}", server.address.port());
    let ended = run(&["discover", "-B", "6", "--interface", "lo", "-a", "127.0.0.1", &uri, "href=/obs"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let mut lines = ended.stdout.lines();
    assert_eq!(lines.next(), Some(server.uri("").as_str()));
    assert!(lines.next().is_some_and(|line| line.starts_with("    /obs ")), "{}", ended.stdout);
}

#[test]
fn pings() {
    let server = Demo::start();
    let ended = run(&["ping", "-c", "2", &server.uri("")]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(ended.stdout.lines().count(), 2);
}
