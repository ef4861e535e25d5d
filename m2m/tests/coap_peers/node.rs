//! node-coap 1.5.0: a server and a client made with it; and coap-cli 0.7.1, which stands on node-coap 0.23.
//!
//! What its server cannot do: answer a ping; notify of what does not fit into one message; find links by itself (the script
//! does).

use crate::checks::{
    IMPATIENT, answers_separately, binary, is_found_in_its_group, is_observed, keeps_and_forgets,
    returns_files,
};
use crate::foreign::{Foreign, Running, interpreter, node_module, printed};
use crate::network::Lossy;
use crate::server::Demo;
use crate::tool::run;

fn server() -> Foreign {
    Foreign::script("node_server.mjs", "127.0.0.1", &[])
}

// Our client, their server.

#[test]
#[ignore = "needs node-coap"]
fn our_client_reads_changes_and_finds_at_node_coap() {
    let server = server();
    run(&["get", &server.uri("/hello")]).with(0, "hello from node-coap");
    keeps_and_forgets(&server.uri("/value"));
    run(&["post", "-e", "abc", &server.uri("/upper")]).with(0, "ABC");
    run(&["fetch", "-t", "text", "-e", "abc", &server.uri("/upper")]).with(0, "ABC");
    run(&["ipatch", "-e", "abc", &server.uri("/upper")]).with(0, "ABC");
    let found = "</hello>;rt=\"greeting\"\n";
    run(&["discover", "--raw", &server.uri(""), "rt=greeting"]).with(0, found);
    answers_separately(&server.uri("/separate"), "at last");
}

#[test]
#[ignore = "needs node-coap"]
fn our_client_exchanges_files_with_node_coap() {
    let server = server();
    let uri = server.uri("/value");
    returns_files(&uri, &binary(5000), &[]);
    returns_files(&uri, &binary(5000), &["-b", "64"]);
    returns_files(&uri, &binary(100_000), &[]);
    let text = "both ways ".repeat(400);
    run(&["post", "-b", "512", "-e", &text, &server.uri("/upper")]).with(0, &text.to_uppercase());
}

#[test]
#[ignore = "needs node-coap"]
fn our_client_observes_node_coap() {
    is_observed(&server().uri("/value"), &["one", "two"]);
}

#[test]
#[ignore = "needs node-coap"]
fn our_client_gets_through_to_node_coap_over_a_network_that_loses_datagrams() {
    let server = server();
    let network = Lossy::to(server.port);
    returns_files(&network.uri("/value"), &binary(4000), &IMPATIENT);
    let separate = run(&[&["get", &network.uri("/separate")], &IMPATIENT[..]].concat());
    separate.with(0, "at last");
    assert!(network.lost() > 6, "only {}", network.lost());
}

#[test]
#[ignore = "needs node-coap"]
fn our_client_finds_node_coap_in_its_group() {
    let server = Foreign::script("node_server.mjs", "0.0.0.0", &["127.0.0.1"]);
    is_found_in_its_group("224.0.1.187", server.port, "</hello>;rt=\"greeting\"");
}

// Their client, our server.

#[test]
#[ignore = "needs node-coap"]
fn node_coap_client_does_all_it_can_at_our_server() {
    let server = Demo::start();
    let seen = printed(interpreter("node_client.mjs").arg(server.address.port().to_string()));
    let expected = "\
get: 2.05 What is at /test.
put: 2.04
get: 2.05 from node-coap
post: 2.01
location: location1/location2/location3
delete: 2.02
no such path: 4.04
non-confirmable: 2.05 /seg1/seg2
fetch: 4.05
ipatch: 4.05
query: 2.05 The query has these arguments:
first=1
second=2

accept xml: 2.05 <text>The same in two formats.</text>
accept json: 4.06
separate: 2.05 done
get: 2.05 What is at /validate.
same etag: 2.03
if-match: 2.04
if-match again: 4.12
if-none-match: 2.01
if-none-match again: 4.12
found: </time>;title=\"Internal Clock\";rt=\"ticks\";if=\"clock\";ct=0;obs
all: 33
5000 bytes: 2.04 2.05 true
100000 bytes: 2.04 2.05 true
both ways: 2.04 true
observed: zero
notified of one
notified of two
";
    assert_eq!(seen, expected);
}

#[test]
#[ignore = "needs node-coap"]
fn node_coap_client_gets_through_to_our_server_over_a_network_that_loses_datagrams() {
    let server = Demo::start();
    let network = Lossy::to(server.address.port());
    let seen = printed(interpreter("node_client.mjs").args([&network.port.to_string(), "loss"]));
    let expected = "\
put: 2.04
get: 2.05 through
separate: 2.05 done
2500 bytes: 2.04 2.05 true
";
    assert_eq!(seen, expected);
    assert!(network.lost() > 6, "only {}", network.lost());
}

#[test]
#[ignore = "needs node-coap"]
fn node_coap_client_finds_our_server_in_its_group() {
    let server = Demo::with(&["--listen", "udp://0.0.0.0:0", "--multicast", "lo"]);
    let seen = printed(interpreter("node_client.mjs").args([&server.address.port().to_string(), "group"]));
    assert_eq!(seen, "found: </time>;title=\"Internal Clock\";rt=\"ticks\";if=\"clock\";ct=0;obs\n");
}

#[test]
#[ignore = "needs coap-cli"]
fn coap_cli_reads_changes_and_observes_at_our_server() {
    let server = Demo::start();
    let uri = server.uri("/obs");
    let cli = |arguments: &[&str]| {
        let mut command = node_module("coap-cli/index.js");
        command.args(arguments);
        command
    };
    printed(&mut cli(&["put", "-p", "zero", &uri]));
    assert_eq!(printed(&mut cli(&["get", &uri])), "zero\n");
    assert_eq!(printed(&mut cli(&["get", "-c", &server.uri("/seg1/seg2")])), "/seg1/seg2\n");
    let large = printed(&mut cli(&["get", "-b", "2", &server.uri("/large")]));
    assert_eq!(large.lines().filter(|line| line.contains("Five quacking zephyrs")).count(), 50);
    let observer = Running::start(cli(&["get", "-o", &uri]));
    observer.prints("zero");
    for text in ["one", "two"] {
        printed(&mut cli(&["put", "-p", text, &uri]));
        observer.prints(text);
    }
    printed(&mut cli(&["delete", &server.uri("/test")]));
}
