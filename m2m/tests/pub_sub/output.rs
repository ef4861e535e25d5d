//! What is printed, and for how long.

use std::io::BufRead;
use std::io::BufReader;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::tool::{Subscriber, broker, publish, run};

#[test]
fn empty_payloads_are_nothing_to_see() {
    let broker = broker();
    for (flags, expected) in [
        (&[][..], "x\ny\n"),
        (&["-N"], "xy"),
        (&["-v"], "t x\nt (null)\nt y\n"),
        (&["-v", "-N"], "t xt y"),
        (&["-F", "<%p>"], "<x>\n<>\n<y>\n"),
        (&["-N", "-F", "<%p>"], "<x><><y>"),
        (&["-v", "-F", "<%p>"], "<x>\n<>\n<y>\n"),
    ] {
        let subscriber = Subscriber::start(&broker, &[&["-t", "t", "-q", "1", "-C", "3"], flags].concat());
        publish(&broker, &["-t", "t", "-q", "1", "-m", "x"]);
        publish(&broker, &["-t", "t", "-q", "1", "-n"]);
        publish(&broker, &["-t", "t", "-q", "1", "-m", "y"]);
        assert_eq!(subscriber.output(), expected, "{flags:?}");
    }
}

#[test]
fn a_message_is_seen_at_once() {
    let broker = broker();
    let mut subscriber = Subscriber::start(&broker, &["-t", "t"]);
    for _ in 0..3 {
        publish(&broker, &["-t", "t", "-m", "now"]);
        assert_eq!(subscriber.read(4), "now\n");
    }
    subscriber.signal(Signal::INT);
    assert_eq!(subscriber.output(), "");
}

#[test]
fn the_time_out_has_an_exit_code_of_its_own() {
    let broker = broker();
    let start = Instant::now();
    let (code, output, problem) = run("sub", &broker, &["-t", "t", "-W", "1"]);
    assert_eq!((code, output.as_str(), problem.as_str()), (27, "", "m2m: timed out\n"));
    assert!(start.elapsed() >= Duration::from_secs(1) && start.elapsed() < Duration::from_secs(10));
    assert_eq!(run("sub", &broker, &["-t", "t", "-W", "0.1", "--quiet"]), (27, String::new(), String::new()));
}

#[test]
fn a_reader_that_has_gone_ends_it_quietly() {
    let broker = broker();
    let mut subscriber = Subscriber::start(&broker, &["-t", "t", "-v"]);
    let mut output = BufReader::new(subscriber.0.stdout.take().unwrap());
    publish(&broker, &["-t", "t", "-m", "1"]);
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "t 1\n");
    drop(output);
    publish(&broker, &["-t", "t", "-m", "2"]);
    assert_eq!(subscriber.end(), (0, String::new(), String::new()));
}

#[test]
fn payloads_that_are_no_json_are_told_of() {
    let broker = broker();
    let subscriber = Subscriber::start(&broker, &["-t", "t", "-q", "1", "-C", "2", "-F", "%J"]);
    publish(&broker, &["-t", "t", "-q", "1", "-m", "{oops"]);
    publish(&broker, &["-t", "t", "-q", "1", "-m", "[1, 2]"]);
    let (code, output, problem) = subscriber.end();
    assert_eq!(code, 0);
    let (empty, json) = output.split_once('\n').unwrap();
    assert!(empty.is_empty() && json.ends_with("\"payload\":[1,2]}\n"), "{output}");
    assert_eq!(problem, "m2m: the payload is not JSON, as %J wants it, on topic t\n");
}

#[test]
fn statistics_are_told_every_second_and_at_the_end() {
    let broker = broker();
    let subscriber = Subscriber::start(&broker, &["-t", "s/#", "-q", "1", "--stats"]);
    publish(&broker, &["-t", "s/busy", "-q", "1", "-m", "0123456789", "--repeat", "50"]);
    publish(&broker, &["-t", "s/idle", "-q", "1", "-m", "0123456789"]);
    thread::sleep(Duration::from_millis(1200));
    subscriber.signal(Signal::TERM);
    let (code, output, told) = subscriber.end();
    assert_eq!((code, output.lines().count()), (0, 51));
    let lines: Vec<_> = told.lines().map(|line| line.strip_prefix("m2m: ").unwrap()).collect();
    assert!(lines[0].contains(" messages/s, ") && lines[0].ends_with(" in all"), "{told}");
    let [.., all, busy, idle] = lines[..] else { panic!("{told}") };
    assert!(all.starts_with("51 messages, 510 bytes in "), "{told}");
    assert_eq!(busy, "        50 messages          500 bytes  s/busy");
    assert_eq!(idle, "         1 messages           10 bytes  s/idle");
}

#[test]
fn chance_lets_some_through() {
    let broker = broker();
    let subscriber =
        Subscriber::start(&broker, &["-t", "t", "-q", "1", "-C", "1000", "--random-filter", "30"]);
    publish(&broker, &["-t", "t", "-q", "1", "-m", "x", "--repeat", "1000"]);
    // Five standard deviations of a binomial distribution.
    let printed = subscriber.output().lines().count();
    assert!((225..375).contains(&printed), "{printed}");
}

#[test]
fn debugging_says_what_happens() {
    let broker = broker();
    let (code, _, log) = run("pub", &broker, &["-t", "t", "-m", "x", "-q", "1", "-d"]);
    assert_eq!(code, 0);
    for part in ["connecting to 127.0.0.1:", "connected as \"m2m-", "Published", "disconnected"] {
        assert!(log.contains(part), "`{part}` is not in: {log}");
    }
}
