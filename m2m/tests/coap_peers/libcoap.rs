//! libcoap 4.3.1: `coap-server` and `coap-client`.

use std::fs;
use std::process::Command;

use crate::checks::{
    IMPATIENT, answers_separately, binary, is_found_in_its_group, is_observed, keeps_and_forgets,
    returns_files,
};
use crate::foreign::{Foreign, Running, printed};
use crate::network::Lossy;
use crate::server::Demo;
use crate::tool::run;

const LINK: &str = "</time>;if=\"clock\";rt=\"ticks\";title=\"Internal Clock\";ct=0;obs";

fn coap_server(arguments: &[&str]) -> Foreign {
    Foreign::libcoap(&[&["-A", "127.0.0.1"], arguments].concat())
}

fn coap_client(arguments: &[&str]) -> Command {
    let mut command = Command::new("coap-client-notls");
    command.args(["-B", "25"]).args(arguments);
    command
}

// Our client, their server.

#[test]
#[ignore = "needs libcoap's coap-server-notls"]
fn our_client_reads_changes_and_finds_at_coap_server() {
    let server = coap_server(&["-d", "10"]);
    keeps_and_forgets(&server.uri("/new"));
    let created = run(&["post", "-v", "-e", "made", &server.uri("/other")]);
    created.with(0, "").saying(&["2.01 Created"]);
    run(&["get", &server.uri("/other")]).with(0, "made");
    run(&["discover", "--raw", &server.uri(""), "rt=ticks"]).with(0, &format!("{LINK}\n"));
    run(&["discover", "--raw", &server.uri(""), "if=clo*"]).with(0, &format!("{LINK}\n"));
    answers_separately(&server.uri("/async?1"), "done");
    let pong = run(&["ping", &server.uri("")]);
    assert_eq!(pong.code, 0, "{}", pong.stderr);
    // Its example server offers neither; that a client is told so is all there is to see.
    run(&["fetch", "-e", "x", &server.uri("/")]).with(4, "").saying(&["4.05"]);
    run(&["ipatch", "-e", "x", &server.uri("/")]).with(4, "").saying(&["4.05"]);
}

#[test]
#[ignore = "needs libcoap's coap-server-notls"]
fn our_client_exchanges_files_with_coap_server() {
    let server = coap_server(&[]);
    let uri = server.uri("/example_data");
    returns_files(&uri, &binary(5000), &[]);
    returns_files(&uri, &binary(5000), &["-b", "16"]);
    returns_files(&uri, &binary(100_000), &[]);
    returns_files(&uri, &binary(100_000), &["-b", "256"]);
}

#[test]
#[ignore = "needs libcoap's coap-server-notls"]
fn our_client_observes_coap_server() {
    let server = coap_server(&[]);
    let states = ["one", &"several blocks".repeat(200), "two"];
    is_observed(&server.uri("/example_data"), &states);
    // Notifications in NON, each fifth in CON.
    let server = coap_server(&["-N"]);
    is_observed(&server.uri("/example_data"), &states);
}

/// The answer to the last block of the PUT, the eleventh datagram, is not lost: libcoap 4.3.1 forgets what it has answered, and
/// would take the repeated block for a PUT of its own (libcoap #1729, #1993).
#[test]
#[ignore = "needs libcoap's coap-server-notls"]
fn our_client_gets_through_to_a_coap_server_that_loses_datagrams() {
    let server = coap_server(&["-l", "1-3,5,8-9,13,15-16"]);
    let uri = server.uri("/example_data");
    returns_files(&uri, &binary(5000), &IMPATIENT);
}

#[test]
#[ignore = "needs libcoap's coap-server-notls"]
fn our_client_finds_coap_server_in_its_group() {
    let server = Foreign::libcoap(&["-A", "0.0.0.0", "-g", "224.0.1.187", "-G", "lo"]);
    is_found_in_its_group("224.0.1.187", server.port, LINK);
}

// Their client, our server.

#[test]
#[ignore = "needs libcoap's coap-client-notls"]
fn coap_client_reads_changes_and_finds_at_our_server() {
    let server = Demo::start();
    let ask = |method: &str, path: &str, more: &[&str]| {
        let uri = server.uri(path);
        printed(&mut coap_client(&[&["-m", method][..], more, &[&uri]].concat()))
    };
    assert_eq!(ask("get", "/test", &[]), "What is at /test.\n");
    assert_eq!(ask("put", "/test", &["-e", "from libcoap"]), "");
    assert_eq!(ask("get", "/test", &["-N"]), "from libcoap\n");
    let log = ["-v", "6"];
    assert!(ask("post", "/test", &["-e", "made", "-v", "6"]).contains("c:2.01"), "POST");
    assert!(ask("delete", "/test", &log).contains("c:2.02"), "DELETE");
    assert_eq!(
        ask("get", "/query?first=1&second=2", &[]),
        "The query has these arguments:\nfirst=1\nsecond=2\n\n"
    );
    let link = "</time>;title=\"Internal Clock\";rt=\"ticks\";if=\"clock\";ct=0;obs\n";
    assert_eq!(ask("get", "/.well-known/core?rt=ticks", &[]), link);
    assert_eq!(ask("get", "/.well-known/core?if=clo*", &[]), link);
    assert!(ask("get", "/.well-known/core", &[]).contains("</path/sub3>"), "several blocks");
    assert_eq!(ask("get", "/async?1", &[]), "done\n");
    for method in ["fetch", "patch", "ipatch"] {
        assert!(ask(method, "/test", &["-e", "x", "-v", "6"]).contains("c:4.05"), "{method}");
    }
}

#[test]
#[ignore = "needs libcoap's coap-client-notls"]
fn coap_client_sets_conditions_at_our_server() {
    let server = Demo::start();
    let log = |arguments: &[&str]| printed(&mut coap_client(&[&["-v", "6"], arguments].concat()));
    let uri = server.uri("/validate");
    let first = log(&["-m", "get", &uri]);
    let etag =
        first.split_once("ETag:").and_then(|(_, rest)| rest.split_once(',')).expect("an ETag").0.to_owned();
    let same = format!("4,{etag}");
    assert!(log(&["-m", "get", "-O", &same, &uri]).contains("c:2.03"), "ETag");
    let if_match = format!("1,{etag}");
    assert!(log(&["-m", "put", "-e", "new", "-O", &if_match, &uri]).contains("c:2.04"), "If-Match");
    assert!(log(&["-m", "put", "-e", "newer", "-O", &if_match, &uri]).contains("c:4.12"), "If-Match");
    let uri = server.uri("/create1");
    assert!(log(&["-m", "put", "-e", "new", "-O", "5", &uri]).contains("c:2.01"), "If-None-Match");
    assert!(log(&["-m", "put", "-e", "new", "-O", "5", &uri]).contains("c:4.12"), "If-None-Match");
    // An option that we do not know and must.
    assert!(log(&["-m", "get", "-O", "65001,x", &uri]).contains("c:4.02"), "unknown critical option");
}

#[test]
#[ignore = "needs libcoap's coap-client-notls"]
fn coap_client_exchanges_files_with_our_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let directory = path("served");
    fs::create_dir(&directory).unwrap();
    let server = Demo::with(&[&directory, "--write", "--listen", "udp://127.0.0.1:0"]);
    for (len, size) in [(5000, "1024"), (5000, "16"), (100_000, "1024"), (100_000, "256")] {
        let (body, uri) = (binary(len), server.uri("/file"));
        fs::write(path("sent"), &body).unwrap();
        printed(&mut coap_client(&["-b", size, "-m", "put", "-f", &path("sent"), &uri]));
        assert!(fs::read(path("served/file")).unwrap() == body, "{len} bytes sent in blocks of {size}");
        _ = fs::remove_file(path("received"));
        printed(&mut coap_client(&["-b", size, "-m", "get", "-o", &path("received"), &uri]));
        assert!(fs::read(path("received")).unwrap() == body, "{len} bytes read in blocks of {size}");
    }
    let text = "both ways ".repeat(400);
    fs::write(path("sent"), &text).unwrap();
    let uri = server.uri("/large-post");
    let answer = printed(&mut coap_client(&["-b", "512", "-m", "post", "-f", &path("sent"), &uri]));
    assert_eq!(answer.trim_end(), text.to_uppercase().trim_end());
}

#[test]
#[ignore = "needs libcoap's coap-client-notls"]
fn coap_client_observes_our_server() {
    let server = Demo::start();
    let uri = server.uri("/obs");
    assert_eq!(run(&["put", "-e", "zero", &uri]).code, 0);
    let observer = Running::start(coap_client(&["-w", "-s", "30", "-m", "get", &uri]));
    observer.prints("zero");
    for text in ["one", &"x".repeat(3000), "two"] {
        assert_eq!(run(&["put", "-e", text, &uri]).code, 0);
        observer.prints(text);
    }
}

#[test]
#[ignore = "needs libcoap's coap-client-notls"]
fn coap_client_pings_our_server() {
    let server = Demo::start();
    // Its only way to ping: after a second of silence, here while it observes.
    let arguments = ["-v", "7", "-K", "1", "-s", "3", "-m", "get", &server.uri("/example_data")];
    let seen = printed(&mut coap_client(&arguments));
    assert!(seen.contains("t:RST c:0.00"), "{seen}");
}

/// Some seconds: libcoap's client waits for two or three before it repeats, twice that the next time.
#[test]
#[ignore = "needs libcoap's coap-client-notls"]
fn a_coap_client_that_loses_datagrams_gets_through_to_our_server() {
    let server = Demo::start();
    let folder = tempfile::tempdir().unwrap();
    let sent = folder.path().join("sent");
    fs::write(&sent, "y".repeat(3000)).unwrap();
    let uri = server.uri("/large-update");
    printed(&mut coap_client(&["-l", "1,4", "-m", "put", "-f", sent.to_str().unwrap(), &uri]));
    assert_eq!(run(&["get", &uri]).stdout, "y".repeat(3000));
    // The separate response comes again until its acknowledgement, the third datagram, gets through.
    assert_eq!(printed(&mut coap_client(&["-l", "2", "-m", "get", &server.uri("/async?1")])), "done\n");
}

#[test]
#[ignore = "needs libcoap's coap-client-notls"]
fn answers_of_our_server_that_get_lost_come_again_to_coap_client() {
    let server = Demo::start();
    let network = Lossy::to(server.address.port());
    assert_eq!(printed(&mut coap_client(&["-m", "get", &network.uri("/test")])), "What is at /test.\n");
    assert!(network.lost() >= 2, "request and response");
}

#[test]
#[ignore = "needs libcoap's coap-client-notls"]
fn coap_client_finds_our_server_in_its_group() {
    let server = Demo::with(&["--listen", "udp://0.0.0.0:0", "--multicast", "lo"]);
    let uri = format!("coap://224.0.1.187:{}/.well-known/core?rt=ticks", server.address.port());
    let found = printed(&mut coap_client(&["-a", "127.0.0.1", "-N", "-B", "7", "-m", "get", &uri]));
    assert!(found.contains("</time>"), "{found}");
}
