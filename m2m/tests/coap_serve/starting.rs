//! Command lines, addresses, signals, and clients that may be someone else.

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::process::Stdio;

use coap_codec::{Code, OptionNumber};
use rustix::process::Signal;

use crate::peer::{Client, Server, get};
use crate::support::m2m;

/// Exit code and what was said.
fn run(arguments: &[&str]) -> (i32, String) {
    let child =
        m2m().args(["coap", "serve"]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let output = child.unwrap().wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[track_caller]
fn refused(arguments: &[&str], code: i32, saying: &str) {
    let (ended, said) = run(arguments);
    assert_eq!(ended, code, "{said}");
    assert!(said.contains(saying), "`{saying}` is not in: {said}");
}

#[test]
fn wrong_command_lines_are_explained() {
    refused(&[], 2, "<DIR|--demo>");
    refused(&["--write", "--demo"], 2, "<DIR>");
    refused(&["--demo", "--listen", "tcp://127.0.0.1"], 2, "only udp:// can be listened on");
    refused(&["--demo", "--listen", "127.0.0.1:5683"], 2, "expected udp://ADDRESS[:PORT]");
    refused(&["--demo", "--listen", "udp://[fe80::1%25nowhere]"], 2, "no network interface nowhere");
    refused(&["--demo", "--multicast", "nowhere"], 2, "no network interface nowhere");
    refused(&["--demo", "--block-size", "100"], 2, "expected 16, 32, 64");
    refused(&["--demo", "--trust", "192.0.2.0/33"], 2, "expected a network such as");
    refused(&["--demo", "--amplification", "0"], 2, "expected a number above 0, or off");
}

#[test]
fn a_folder_that_cannot_be_served_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let missing = folder.path().join("missing");
    for path in [file, missing] {
        let path = path.to_str().unwrap();
        refused(&[path, "--listen", "udp://127.0.0.1:0"], 1, &format!("cannot serve {path}: "));
    }
}

#[test]
fn a_port_in_use_is_said_to_be() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap();
    let listen = format!("udp://{}", taken.local_addr().unwrap());
    refused(&["--demo", "--listen", &listen], 1, &format!("cannot listen on {listen}: "));
    refused(&["--demo", "--listen", &listen], 1, "uses this port");
}

#[test]
fn signals_end_it_with_a_report() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut server = Server::with(&["--demo", "--listen", "udp://127.0.0.1:0"]);
        server.client().ask(&get("test"));
        assert_eq!(server.end(signal).code(), Some(0));
        let counters = server.wait_for_log("Counters");
        assert!(counters.contains("received: 1"), "{counters}");
        server.wait_for_log("ended");
    }
}

#[test]
fn it_listens_on_both_families_and_answers_from_the_address_that_was_asked() {
    let mut server = Server::with(&["--demo", "--listen", "udp://[::]:0"]);
    let second = server.wait_for_log("listening on udp://");
    server.wait_for_log("member of the groups of all CoAP nodes");
    let port = server.address.port();
    assert!(second.ends_with(&format!("0.0.0.0:{port}")), "{second}");
    // The clients' sockets are connected: an answer from elsewhere would not reach them.
    for address in ["127.0.0.1", "127.0.0.2", "::1"] {
        let mut client = Client::of(SocketAddr::new(address.parse().unwrap(), port));
        assert_eq!(client.code(&get("test")), Code::CONTENT, "{address}");
    }
}

#[test]
fn no_group_is_joined_where_none_can_be_or_shall_be() {
    let mut server = Server::with(&["--demo", "--listen", "udp://127.0.0.1:0", "--multicast", "lo"]);
    server.wait_for_log("member of no group");
}

/// An address of this machine by which it counts as another.
fn outer_address() -> Option<SocketAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").ok()?;
    // Nothing is sent.
    socket.connect("192.0.2.1:9").ok()?;
    socket.local_addr().ok().filter(|address| !address.ip().is_loopback())
}

#[test]
fn clients_whose_address_may_be_forged_get_little_until_they_have_shown_that_it_is_theirs() {
    let Some(SocketAddr::V4(outer)) = outer_address() else { return };
    let listen = format!("udp://{}:0", outer.ip());
    let server = |more: &[&str]| Server::with(&[&["--demo", "--listen", &listen], more].concat());

    let asking = server(&[]);
    let mut client = asking.client();
    let challenge = client.ask(&get("large"));
    assert_eq!(challenge.code, Code::UNAUTHORIZED);
    let echo = challenge.options().echo().expect("an Echo option").to_vec();
    assert_eq!(client.code(&get("large").with(OptionNumber::ECHO, &echo)), Code::CONTENT);

    let network = format!("{}/24", outer.ip());
    for more in [&["--trust", &network][..], &["--amplification", "off"], &["--amplification", "1000"]] {
        assert_eq!(server(more).client().code(&get("large")), Code::CONTENT, "{more:?}");
    }
}
