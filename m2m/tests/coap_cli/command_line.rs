//! Wrong command lines, and errors that say what to do.

use crate::tool::run;

const URI: &str = "coap://127.0.0.1:9/";

#[track_caller]
fn refused(arguments: &[&str], code: i32, parts: &[&str]) {
    run(arguments).with(code, "").saying(parts);
}

#[test]
fn a_fault_in_a_uri_is_pointed_at() {
    refused(&["get", "coap://h/a%2"], 2, &["two hexadecimal digits", "  coap://h/a%2\n", "            ^"]);
    refused(&["get", "127.0.0.1"], 2, &["does not begin with a scheme", "  127.0.0.1\n  ^"]);
    refused(&["get", "http://h/"], 2, &["not one of CoAP's"]);
    refused(&["get", "coap://::1/"], 2, &["in brackets"]);
    refused(&["ping", "coap://h:70000"], 2, &["0 to 65535"]);
    refused(&["discover", "coap://h/#top"], 2, &["fragment"]);
}

#[test]
fn what_is_not_supported_yet_says_so() {
    for scheme in ["coaps", "coap+tcp", "coaps+tcp", "coap+ws", "coaps+ws"] {
        refused(
            &["get", &format!("{scheme}://127.0.0.1/")],
            2,
            &[scheme, "not yet supported", "use coap://"],
        );
    }
}

#[test]
fn wrong_options_are_named() {
    refused(&["get"], 2, &["<URI>"]);
    refused(&["get", "-b", "100", URI], 2, &["--block", "16, 32, 64, 128, 256, 512 or 1024"]);
    refused(&["get", "-T", "0x0", URI], 2, &["--token", "two hexadecimal digits"]);
    refused(&["get", "-O", "NoSuch,1", URI], 2, &["there is no option `NoSuch`"]);
    refused(&["get", "-A", "text/html", URI], 2, &["--accept", "media type"]);
    refused(&["put", "-t", "jsn", URI], 2, &["--content-format"]);
    refused(&["put", "-e", "a", "-f", "b", URI], 2, &["cannot be used with"]);
    refused(&["get", "-e", "a", URI], 2, &["-e"]);
    refused(&["get", "-B", "soon", URI], 2, &["--timeout"]);
    refused(&["discover", URI, "temperature"], 2, &["such as rt=temperature"]);
    refused(&["get", "-a", "::1", URI], 2, &["cannot be reached from there"]);
    refused(&["get", "-P", "coap://127.0.0.1/x", URI], 2, &["without a path"]);
}

#[test]
fn what_cannot_be_done_with_a_group_is_refused() {
    refused(&["observe", "coap://224.0.1.187/"], 2, &["a group cannot be observed"]);
    refused(&["ping", "coap://[ff02::fd]/"], 2, &["a group cannot be pinged"]);
}

#[test]
fn what_the_machine_does_not_have() {
    refused(&["get", "coap://no.such.host.invalid/"], 1, &["no.such.host.invalid has no address"]);
    refused(&["put", "-f", "no/such/file", URI], 1, &["cannot read no/such/file"]);
    refused(&["get", "-a", "192.0.2.1", URI], 1, &["cannot open a socket at 192.0.2.1"]);
    refused(&["get", "--interface", "nosuch0", URI], 1, &["no network interface `nosuch0`"]);
}

#[test]
fn every_command_says_its_exit_codes() {
    let commands =
        ["get", "put", "post", "delete", "fetch", "patch", "ipatch", "observe", "discover", "ping", "serve"];
    for command in commands {
        let help = run(&[command, "--help"]);
        assert_eq!(help.code, 0);
        assert!(help.stdout.contains("Exit codes:"), "{command}: {}", help.stdout);
    }
}
