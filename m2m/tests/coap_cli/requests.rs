//! What leaves for the server.

use std::fs;

use coap_codec::{Block, Code, MessageType, OptionNumber};

use crate::server::{Arrived, Scripted};
use crate::tool::{Ended, end, run_with_input, start};

/// What a command sends first; it is answered with an empty success.
#[track_caller]
fn sent(arguments: &[&str], path: &str) -> Arrived {
    let server = Scripted::new();
    let uri = server.uri(path);
    let child = start(&[arguments, &[uri.as_str()]].concat());
    let request = server.next();
    server.answer(&request, Code::CHANGED, &[], b"");
    end(child).with(0, "");
    request
}

#[track_caller]
fn assert_options(request: &Arrived, expected: &[(u16, &str)]) {
    let expected: Vec<_> = expected.iter().map(|(number, value)| (*number, (*value).to_owned())).collect();
    assert_eq!(request.options(), expected);
}

#[test]
fn each_command_has_its_method() {
    for (command, method) in [
        ("get", Code::GET),
        ("put", Code::PUT),
        ("post", Code::POST),
        ("delete", Code::DELETE),
        ("fetch", Code::FETCH),
        ("patch", Code::PATCH),
        ("ipatch", Code::IPATCH),
    ] {
        let request = sent(&[command], "/a/b?c=d");
        let message = request.message();
        assert_eq!((message.code, message.message_type), (method, MessageType::Confirmable));
        assert!(message.token.len() >= 4, "nobody can guess it");
        assert_options(&request, &[(11, "a"), (11, "b"), (15, "c=d")]);
    }
}

#[test]
fn options_of_the_command_line_become_options_of_the_message() {
    let arguments =
        ["get", "-A", "cbor", "-T", "0x0102ff", "-O", "4,0xab", "-O", "Uri-Query,x=y", "-O", "2050,7"];
    let request = sent(&arguments, "/p?q");
    assert_eq!(request.message().token, [1, 2, 255]);
    let expected = [(4, "\\xab"), (11, "p"), (15, "q"), (15, "x=y"), (17, "<")];
    assert_options(&request, &[&expected[..], &[(2050, "7")]].concat());
    assert_eq!(sent(&["get", "-T", "tok"], "/").message().token, b"tok");
}

#[test]
fn a_token_may_be_longer_than_eight_bytes() {
    assert_eq!(sent(&["get", "-T", "twelve bytes and more"], "/").message().token, b"twelve bytes and more");
}

#[test]
fn a_payload_is_a_text_a_file_or_standard_input() {
    let request = sent(&["put", "-e", "caf\u{e9} 100%", "-t", "plain"], "/x");
    assert_eq!(request.message().payload, "caf\u{e9} 100%".as_bytes());
    assert_options(&request, &[(11, "x"), (12, "")]);

    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), b"\0\xff\n").unwrap();
    let request = sent(&["post", "-f", file.path().to_str().unwrap(), "-t", "60"], "/x");
    assert_eq!(request.message().payload, b"\0\xff\n");
    assert_options(&request, &[(11, "x"), (12, "<")]);

    let server = Scripted::new();
    let uri = server.uri("/x");
    let writer = std::thread::spawn(move || run_with_input(&["put", "-f", "-", &uri], b"from a pipe"));
    let request = server.next();
    assert_eq!(request.message().payload, b"from a pipe");
    server.answer(&request, Code::CREATED, &[], b"");
    writer.join().unwrap().with(0, "");
}

#[test]
fn a_non_confirmable_request_is_sent_once() {
    let server = Scripted::new();
    let child = start(&["get", "-N", "--ack-timeout", "0.05", "-B", "0.4", &server.uri("/")]);
    assert_eq!(server.next().message().message_type, MessageType::NonConfirmable);
    assert!(server.is_silent(core::time::Duration::from_millis(350)));
    end(child).with(3, "").saying(&["no answer within 0.4 s"]);
}

#[test]
fn a_name_travels_and_an_address_does_not() {
    let server = Scripted::new();
    let uri = server.uri("/").replace("127.0.0.1", "LOCALHOST");
    let child = start(&["get", "-B", "5", &uri]);
    let request = server.next();
    assert_options(&request, &[(3, "localhost")]);
    server.answer(&request, Code::CONTENT, &[], b"");
    end(child).with(0, "");
}

#[test]
fn a_proxy_is_told_for_whom_it_is() {
    let server = Scripted::new();
    let child = start(&["get", "-P", &server.uri(""), "coap://example.com/a"]);
    let request = server.next();
    assert_eq!(request.message().options.uri_host(), Some(&b"example.com"[..]));
    assert_eq!(request.message().options.proxy_scheme(), Some(&b"coap"[..]));
    server.answer(&request, Code::CONTENT, &[], b"through");
    end(child).with(0, "through");
}

#[test]
fn a_block_size_is_asked_for_at_once_and_kept_to() {
    let server = Scripted::new();
    let child = start(&["get", "-b", "32", &server.uri("/")]);
    let request = server.next();
    let block = |num, more| Block::new(num, more, 1).unwrap();
    assert_eq!(request.message().options.block2(), Some(Ok(block(0, false))));
    server.answer(&request, Code::CONTENT, &[(OptionNumber::BLOCK2, &block(0, true).value())], &[b'a'; 32]);
    let request = server.next();
    assert_eq!(request.message().options.block2(), Some(Ok(block(1, false))));
    server.answer(&request, Code::CONTENT, &[(OptionNumber::BLOCK2, &block(1, false).value())], b"b");
    end(child).with(0, &format!("{}b", "a".repeat(32)));

    let server = Scripted::new();
    let child = start(&["put", "-b", "32", "-e", &"c".repeat(40), &server.uri("/")]);
    let request = server.next();
    assert_eq!(request.message().options.block1(), Some(Ok(block(0, true))));
    assert_eq!(request.message().payload, [b'c'; 32]);
    server.answer(&request, Code::CONTINUE, &[(OptionNumber::BLOCK1, &block(0, true).value())], b"");
    let request = server.next();
    assert_eq!(request.message().options.block1(), Some(Ok(block(1, false))));
    assert_eq!(request.message().payload, [b'c'; 8]);
    server.answer(&request, Code::CHANGED, &[(OptionNumber::BLOCK1, &block(1, false).value())], b"");
    end(child).with(0, "");
}

/// A server of a body of 16-byte blocks, each of one letter. The end of `m2m coap get -b 2,16`.
fn read_from_the_third_block(tags: [&[u8]; 3], offset: u32) -> Ended {
    let server = Scripted::new();
    let child = start(&["get", "-b", "2,16", &server.uri("/")]);
    let mut client = None;
    for (num, tag) in (2..).zip(tags) {
        let request = server.next();
        assert_eq!(*client.get_or_insert(request.from), request.from, "all from one endpoint");
        let block = request.message().options.block2().unwrap().unwrap();
        assert_eq!((block.num(), block.size()), (num, 16));
        let value = Block::new(num + offset, num < 4, 0).unwrap().value();
        let options = [(OptionNumber::BLOCK2, &*value), (OptionNumber::ETAG, tag)];
        server.answer(&request, Code::CONTENT, &options, &[b'a' + num as u8; 16]);
        if offset > 0 || tag != tags[0] {
            break;
        }
    }
    end(child)
}

#[test]
fn a_body_can_be_read_from_a_block_on() {
    let body = ["c", "d", "e"].map(|letter| letter.repeat(16)).concat();
    read_from_the_third_block([b"1", b"1", b"1"], 0).with(0, &body);
}

#[test]
fn blocks_that_do_not_fit_are_not_put_together() {
    let changed = read_from_the_third_block([b"1", b"2", b"2"], 0);
    changed.with(6, &"c".repeat(16)).saying(&["has changed during the transfer"]);
    read_from_the_third_block([b"1", b"1", b"1"], 1).with(6, "").saying(&["from byte 32 on"]);
}
