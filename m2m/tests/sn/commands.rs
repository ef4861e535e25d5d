//! `m2m sn`: its options, sleep and search.

use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crate::support::{feed, m2m};
use crate::tool::{Program, Reader, metrics_page, publish, publish_at_broker, run, sn};

#[test]
fn lines_files_and_standard_input_are_published() {
    let broker = Program::broker();
    let gateway = Program::gateway(&broker.port(), &[]);
    let watcher = Reader::m2m(&broker.port());
    for (option, input) in [("-l", "one\ntwo\n"), ("-s", "all of it")] {
        let mut command = sn("pub", &gateway.port(), &["-t", "in", "-q", "1", option]);
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        feed(&mut child, input.as_bytes());
        assert!(child.wait().unwrap().success());
    }
    watcher.expect(&["in 1 one", "in 1 two", "in 1 all of it"]);
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "from a file").unwrap();
    publish(&gateway.port(), &["-t", "in", "-f", file.path().to_str().unwrap()]);
    publish(&gateway.port(), &["-t", "in", "-n"]);
    watcher.expect(&["in 0 from a file", "in 0 "]);
}

#[test]
fn a_sleeper_gets_what_was_kept_for_it() {
    let broker = Program::broker();
    for mode in ["transparent", "aggregating"] {
        let gateway = Program::gateway(&broker.port(), &["--mode", mode]);
        let arguments = ["-t", "nap/+", "-q", "1", "-e", "2", "-C", "3", "-v"];
        let mut sleeper = Reader::sn("sleep", &gateway.port(), &arguments);
        for payload in ["1", "2", "3"] {
            publish_at_broker(&broker.port(), &["-t", "nap/time", "-q", "1", "-m", payload]);
        }
        sleeper.expect(&["nap/time: 1", "nap/time: 2", "nap/time: 3"]);
        sleeper.expect_end();
        let napped = run(&mut sn("sleep", &gateway.port(), &["-t", "none", "-e", "1", "--naps", "2"]));
        assert_eq!(napped, (Some(0), String::new(), String::new()));
    }
}

/// `-e` leaves a session asleep; the gateway keeps what comes, and the next connection brings it.
#[test]
fn a_session_left_asleep_goes_on() {
    let broker = Program::broker();
    let gateway = Program::gateway(&broker.port(), &[]);
    let arguments = ["-i", "left", "-c", "-t", "late", "-q", "1", "-W", "3", "-e", "60"];
    assert_eq!(run(&mut sn("sub", &gateway.port(), &arguments)).0, Some(27));
    publish_at_broker(&broker.port(), &["-t", "late", "-q", "1", "-m", "kept"]);
    let again = ["-i", "left", "-c", "-t", "late", "-q", "1", "-C", "1"];
    assert_eq!(run(&mut sn("sub", &gateway.port(), &again)), (Some(0), "kept\n".into(), String::new()));
}

#[test]
fn gateways_are_found() {
    let broker = Program::broker();
    let group = "225.1.1.1:28830";
    let gateway = Program::gateway(&broker.port(), &["--multicast", group, "--gateway-id", "7"]);
    let found = format!("7 127.0.0.1:{}\n", gateway.port());
    let by_group = ["sn", "search", "--multicast", group, "-C", "1", "-W", "20"];
    assert_eq!(run(m2m().args(by_group)), (Some(0), found.clone(), String::new()));
    let asked = ["sn", "search", "--host", "127.0.0.1", "-p", &gateway.port(), "-C", "1", "-W", "20"];
    assert_eq!(run(m2m().args(asked)), (Some(0), found, String::new()));
    // A client finds it, too.
    let watcher = Reader::m2m(&broker.port());
    let found = ["sn", "pub", "--multicast", group, "-t", "found", "-q", "1", "-m", "it"];
    assert_eq!(run(m2m().args(found)), (Some(0), String::new(), String::new()));
    watcher.expect(&["found 1 it"]);
}

#[test]
fn a_gateway_without_a_broker_does_not_say_that_it_is_there() {
    let group = "225.1.1.1:28831";
    let own = ["gateway", "--broker", "mqtt://127.0.0.1:1", "--listen", "udp://127.0.0.1:0"];
    let mut gateway = Program::start(&[&own[..], &["--multicast", group]].concat(), 1);
    gateway.wait_for_log("no connection to the broker");
    let search = ["sn", "search", "--multicast", group, "-W", "1"];
    let nobody = (Some(3), String::new(), "m2m: no gateway answers\n".to_owned());
    assert_eq!(run(m2m().args(search)), nobody);
}

#[test]
fn subscribers_end_as_asked() {
    let broker = Program::broker();
    let gateway = Program::gateway(&broker.port(), &[]);
    let (code, output, problem) = run(&mut sn("sub", &gateway.port(), &["-t", "quiet", "-W", "0.5"]));
    assert_eq!((code, output.as_str(), problem.as_str()), (Some(27), "", "m2m: timed out\n"));
    let mut one = Reader::sn("sub", &gateway.port(), &["-t", "loud", "-1", "-V"]);
    thread::sleep(Duration::from_millis(10));
    publish(&gateway.port(), &["-t", "loud", "-m", "x"]);
    one.expect_end_with(" loud: x");
}

#[test]
fn a_gateway_tells_its_counters() {
    let broker = Program::broker();
    let counts = "m2m_mqttsn_published_total 1";
    let at = format!("mqtt://127.0.0.1:{}", broker.port());
    let arguments = ["gateway", "--broker", &at, "--listen", "udp://127.0.0.1:0", "--metrics", "127.0.0.1:0"];
    let mut gateway = Program::start(&arguments, 1);
    let page = gateway.metrics_address();
    gateway.wait_for_log("connected to the broker");
    publish(&gateway.port(), &["-t", "in", "-q", "1", "-m", "1"]);
    let page = metrics_page(&page);
    assert!(page.contains(counts) && page.contains("\nprocess_resident_memory_bytes "), "{page}");

    // Within a broker, its part stands on the broker's page.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("m2m.toml");
    let text =
        "listen = ['tcp://127.0.0.1:0']\nmetrics = '127.0.0.1:0'\n[sn]\nlisten = ['udp://127.0.0.1:0']\n";
    std::fs::write(&file, text).unwrap();
    let mut broker = Program::start(&["broker", "--config", file.to_str().unwrap()], 1);
    let page = broker.metrics_address();
    broker.wait_for_listening();
    publish(&broker.port(), &["-t", "in", "-q", "1", "-m", "1"]);
    let page = metrics_page(&page);
    assert!(page.contains(counts) && page.contains("\nm2m_mqtt_publish_received_total 1\n"), "{page}");
    assert_eq!(page.matches("\nprocess_resident_memory_bytes ").count(), 1);
}
