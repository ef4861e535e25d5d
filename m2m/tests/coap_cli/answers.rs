//! What becomes of answers, and of their absence.

use std::fs;
use std::time::{Duration, Instant};

use coap_codec::{Code, Message, MessageId, MessageType, OptionNumber};

use crate::server::Scripted;
use crate::tool::{Ended, end, start};

/// The end of a GET that is answered so.
fn answered(code: Code, options: &[(OptionNumber, &[u8])], payload: &[u8]) -> Ended {
    let server = Scripted::new();
    let child = start(&["get", &server.uri("/x")]);
    let request = server.next();
    server.answer(&request, code, options, payload);
    end(child)
}

#[test]
fn a_payload_is_printed_as_it_is() {
    answered(Code::CONTENT, &[], b"no newline").with(0, "no newline");
    answered(Code::CONTENT, &[], b"").with(0, "");
    assert_eq!(answered(Code::VALID, &[(OptionNumber::ETAG, b"e")], b"").stderr, "");
}

#[test]
fn an_error_is_said_with_its_diagnostic_and_not_printed() {
    answered(Code::NOT_FOUND, &[], "nothing h\u{e9}re\n".as_bytes())
        .with(4, "")
        .saying(&["m2m: 4.04 Not Found: nothing h\u{e9}re\n"]);
    assert_eq!(answered(Code::NOT_FOUND, &[], b"").stderr, "m2m: 4.04 Not Found\n");
    assert_eq!(answered(Code::FORBIDDEN, &[], b"Forbidden").stderr, "m2m: 4.03 Forbidden\n");
    answered(Code::SERVICE_UNAVAILABLE, &[], b"later")
        .with(5, "")
        .saying(&["5.03 Service Unavailable: later"]);
    let cbor = [(OptionNumber::CONTENT_FORMAT, &[60][..])];
    assert_eq!(answered(Code::BAD_REQUEST, &cbor, b"\xa0").stderr, "m2m: 4.00 Bad Request\n");
}

#[test]
fn a_diagnostic_does_not_move_the_cursor() {
    let stderr = answered(Code::BAD_REQUEST, &[], b"\x1b[2J\xff").stderr;
    assert_eq!(stderr, "m2m: 4.00 Bad Request: \\u{1b}[2J\u{fffd}\n");
}

#[test]
fn a_new_resource_is_told() {
    let options = [
        (OptionNumber::LOCATION_PATH, &b"a b"[..]),
        (OptionNumber::LOCATION_PATH, b"c"),
        (OptionNumber::LOCATION_QUERY, b"d=e"),
    ];
    answered(Code::CREATED, &options, b"")
        .with(0, "")
        .saying(&["location: coap://127.0.0.1:", "/a%20b/c?d=e\n"]);
}

#[test]
fn an_answer_that_must_not_be_used_is_not() {
    answered(Code::CONTENT, &[(OptionNumber::new(65_001), b"")], b"x")
        .with(6, "")
        .saying(&["critical option"]);
}

#[test]
fn a_reset_is_a_rejection() {
    let server = Scripted::new();
    let child = start(&["get", &server.uri("/")]);
    let request = server.next();
    server.send(request.from, &Message::empty(MessageType::Reset, request.message().message_id));
    end(child).with(6, "").saying(&["rejected the request with a Reset"]);
}

#[test]
fn silence_ends_after_the_last_repetition() {
    let server = Scripted::new();
    let child = start(&["get", "--ack-timeout", "0.1", "--max-retransmit", "2", &server.uri("/")]);
    let ids: Vec<_> = (0..3).map(|_| server.next().message().message_id).collect();
    assert!(ids.iter().all(|id| *id == ids[0]));
    end(child).with(3, "").saying(&["no answer"]);
    assert!(server.is_silent(Duration::from_millis(100)));
}

#[test]
fn nobody_there_is_known_at_once() {
    let began = Instant::now();
    let uri = Scripted::new().uri("/");
    for command in ["get", "ping", "observe", "discover"] {
        end(start(&[command, &uri])).with(3, "").saying(&["nobody listens there"]);
    }
    assert!(began.elapsed() < Duration::from_secs(2), "before the first repetition");
}

#[test]
fn an_acknowledged_request_waits_for_its_answer() {
    let server = Scripted::new();
    let child = start(&["get", "--ack-timeout", "0.1", "--max-retransmit", "0", &server.uri("/")]);
    let request = server.next();
    server.send(request.from, &Message::empty(MessageType::Acknowledgement, request.message().message_id));
    assert!(server.is_silent(Duration::from_millis(300)), "it is not repeated");
    let id = MessageId::new(request.message().message_id.get().wrapping_add(77));
    server.respond(&request, MessageType::Confirmable, id, Code::CONTENT, &[], b"late");
    let acknowledgement = server.next();
    assert_eq!(acknowledgement.message(), Message::empty(MessageType::Acknowledgement, id));
    end(child).with(0, "late");
}

#[test]
fn a_payload_can_go_to_a_file_which_an_error_leaves_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("body");
    let name = file.to_str().unwrap();
    for (code, payload, expected) in [
        (Code::CONTENT, &b"\xff\0"[..], &b"\xff\0"[..]),
        (Code::NOT_FOUND, b"", b"\xff\0"),
        (Code::CONTENT, b"a", b"a"),
    ] {
        let server = Scripted::new();
        let child = start(&["get", "-o", name, &server.uri("/")]);
        server.answer(&server.next(), code, &[], payload);
        end(child).with(if code == Code::CONTENT { 0 } else { 4 }, "");
        assert_eq!(fs::read(&file).unwrap(), expected);
    }
    let server = Scripted::new();
    let child = start(&["get", "-w", "-o", "-", &server.uri("/")]);
    server.answer(&server.next(), Code::CONTENT, &[], b"a");
    end(child).with(0, "a\n");
    let server = Scripted::new();
    let child = start(&["get", "-o", folder.path().to_str().unwrap(), &server.uri("/")]);
    server.answer(&server.next(), Code::CONTENT, &[], b"a");
    end(child).with(1, "").saying(&["cannot write"]);
}

#[test]
fn verbose_shows_every_message() {
    let server = Scripted::new();
    let child = start(&["get", "-v", "-T", "0x01", &server.uri("/a")]);
    let request = server.next();
    server.answer(&request, Code::CONTENT, &[(OptionNumber::CONTENT_FORMAT, &[50])], b"[1]");
    let id = request.message().message_id.get();
    let peer = server.uri("").replace("coap://", "");
    let expected = format!(
        "-> {peer} CON 0.01 GET, message id {id}, token 0x01\n    Uri-Path \"a\"\n\
         <- {peer} ACK 2.05 Content, message id {id}, token 0x01\n    Content-Format 50 application/json\n    \
         payload of 3 bytes: \"[1]\"\n"
    );
    assert_eq!(end(child).with(0, "[1]").stderr, expected);
}

#[test]
fn a_ping_is_answered_by_a_reset() {
    let server = Scripted::new();
    let child = start(&["ping", &server.uri("")]);
    let ping = server.next();
    assert_eq!(ping.message(), Message::empty(MessageType::Confirmable, ping.message().message_id));
    server.send(ping.from, &Message::empty(MessageType::Reset, ping.message().message_id));
    let ended = end(child);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(
        ended.stdout.contains(": answered after ") && ended.stdout.ends_with(" ms\n"),
        "{}",
        ended.stdout
    );
}

#[test]
fn an_observation_that_is_not_taken_says_so() {
    let server = Scripted::new();
    let child = start(&["observe", &server.uri("/")]);
    let request = server.next();
    assert_eq!(request.message().options.observe(), Some(0));
    server.answer(&request, Code::CONTENT, &[], b"now");
    end(child).with(6, "now\n").saying(&["does not let this resource be observed"]);
}

#[test]
fn an_observation_ends_with_an_error() {
    let server = Scripted::new();
    let child = start(&["observe", &server.uri("/")]);
    let request = server.next();
    server.answer(&request, Code::CONTENT, &[(OptionNumber::OBSERVE, &[1])], b"one");
    let notify = |id, sequence, code, payload: &[u8]| {
        let observe = (OptionNumber::OBSERVE, &[sequence][..]);
        let options: &[_] = if code == Code::CONTENT { &[observe] } else { &[] };
        server.respond(&request, MessageType::Confirmable, MessageId::new(id), code, options, payload);
        assert_eq!(server.next().message(), Message::empty(MessageType::Acknowledgement, MessageId::new(id)));
    };
    notify(7, 2, Code::CONTENT, b"two\n");
    notify(8, 1, Code::CONTENT, b"old");
    notify(9, 3, Code::NOT_FOUND, b"gone");
    end(child).with(4, "one\ntwo\n").saying(&["4.04 Not Found: gone"]);
}

#[test]
fn links_that_are_none_are_not_printed() {
    let server = Scripted::new();
    let child = start(&["discover", &server.uri("")]);
    server.answer(&server.next(), Code::CONTENT, &[(OptionNumber::CONTENT_FORMAT, &[40])], b"</a>,oops");
    end(child).with(6, "").saying(&["no list of links", "--raw"]);
}
