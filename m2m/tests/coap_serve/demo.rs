//! `--demo`, with and without a folder. What each resource does is tested over a simulated network.

use std::fs;

use coap_codec::{Code, OptionNumber};

use crate::peer::{Server, ask, get};

#[test]
fn the_demo_goes_before_files_of_the_same_name() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("test"), "a file").unwrap();
    fs::write(folder.path().join("a.txt"), "a file").unwrap();
    let mut server = Server::of(folder.path(), &["--demo"]);
    let mut client = server.client();
    assert_ne!(client.ask(&get("test")).text(), "a file");
    assert_eq!(client.ask(&get("a.txt")).text(), "a file");
    assert_eq!(client.ask(&get("")).text(), "</a.txt>;ct=0;sz=6,</test>;ct=42;sz=6");
    assert_eq!(server.end(rustix::process::Signal::TERM).code(), Some(0));
}

#[test]
fn an_observed_resource_whose_format_changes_ends_its_observations() {
    let server = Server::with(&["--demo", "--listen", "udp://127.0.0.1:0"]);
    let (mut client, mut writer) = (server.client(), server.client());
    assert!(client.ask(&get("obs").with(OptionNumber::OBSERVE, &[])).options().observe().is_some());
    let put = |format| ask(Code::PUT, "obs").with_uint(OptionNumber::CONTENT_FORMAT, format).payload("new");
    assert_eq!(writer.code(&put(0)), Code::CHANGED);
    client.next_that(|came| came.text() == "new");
    assert_eq!(writer.code(&put(50)), Code::CHANGED);
    let last = client.next_that(|came| came.code != Code::CONTENT);
    assert_eq!((last.code, last.options().observe()), (Code::NOT_ACCEPTABLE, None));
}

#[test]
fn the_clock_of_libcoap_can_be_set_put_right_and_taken_away() {
    let server = Server::with(&["--demo", "--listen", "udp://127.0.0.1:0"]);
    let mut client = server.client();
    let put = |time: &str| ask(Code::PUT, "time").payload(time);
    // 2000-02-29, 12:34:56.
    assert_eq!(client.code(&put("951827696")), Code::CHANGED);
    let shown = client.ask(&get("time"));
    assert!(shown.text().starts_with("Feb 29 12:3"), "{}", shown.text());
    let ticks = client.ask(&get("time").with(OptionNumber::URI_QUERY, b"ticks"));
    assert!(ticks.text().starts_with("9518276"), "{}", ticks.text());
    assert_eq!(client.code(&put("noon")), Code::BAD_REQUEST);
    assert_eq!(client.code(&ask(Code::DELETE, "time")), Code::DELETED);
    assert_eq!(client.code(&get("time")), Code::NOT_FOUND);
    assert_eq!(client.code(&put("")), Code::CREATED);
    let unix = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let ticks = client.ask(&get("time").with(OptionNumber::URI_QUERY, b"ticks"));
    assert!(ticks.text().parse::<u64>().unwrap().abs_diff(unix) < 10);
}

#[test]
fn the_size_of_the_large_resource_is_the_one_in_its_link() {
    let server = Server::with(&["--demo", "--listen", "udp://127.0.0.1:0"]);
    let mut client = server.client();
    let core = get(".well-known/core").with(OptionNumber::URI_QUERY, b"sz=*");
    let links = client.ask(&core);
    let size = links.text().rsplit_once("sz=").unwrap().1.parse().unwrap();
    assert_eq!(client.body("large", 6).len(), size);
}
