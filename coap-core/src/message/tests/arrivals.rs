//! What arrives: requests, responses, pings, and what must be rejected or passed over (RFC 7252 §4.2, §4.3, §5.2).

use coap_codec::Reaction;

use super::*;

#[test]
fn a_request_is_answered_in_the_acknowledgement_and_the_exchange_ends() {
    let (mut client, mut server) = (Node::new(), Node::new());
    let id = client.send(9, body(Code::GET, 1, b""), CON_REQUEST).unwrap();
    let request = client.sent_one();
    assert_eq!(type_of(&request), CON);
    let incoming = server.request(1, &request);
    assert!(server.layer.can_piggyback(incoming));
    server.layer.piggyback(incoming, body(Code::CONTENT, 1, b"hi")).unwrap();
    assert!(!server.layer.can_piggyback(incoming));
    let response = server.sent_one();
    assert_eq!((type_of(&response), id_of(&response)), (ACK, id_of(&request)));
    let arrival = client.receive(9, &response);
    assert_eq!(arrival, Arrival::Response { acknowledges: Some(id), incoming: None, confirmable: false });
    client.layer.settle(id, client.now);
    assert_eq!(client.events(), []);
    client.wait(seconds(100.0));
    assert_eq!((client.sent(), client.events()), (Vec::new(), Vec::new()));
}

#[test]
fn a_separate_response_is_acknowledged_once_and_again_for_each_repetition() {
    let (mut client, mut server) = (Node::new(), Node::new());
    let request_id = client.send_ok(9, CON_REQUEST);
    let request = client.sent_one();
    let incoming = server.request(1, &request);
    server.layer.acknowledge(incoming, server.now);
    let acknowledgement = server.sent_one();
    assert_eq!(acknowledgement, empty(ACK, id_of(&request)));
    assert_eq!(client.receive(9, &acknowledgement), Arrival::Nothing);
    assert_eq!(client.outcomes(), [Event::Acknowledged(request_id)]);

    let response_id = server.send(1, body(Code::CONTENT, 1, b"late"), CON_RESPONSE).unwrap();
    let response = server.sent_one();
    let Arrival::Response { acknowledges: None, incoming: Some(incoming), confirmable: true } =
        client.receive(9, &response)
    else {
        panic!("not a separate response");
    };
    client.layer.acknowledge(incoming, client.now);
    let acknowledgement = client.sent_one();
    assert_eq!(acknowledgement, empty(ACK, id_of(&response)));
    assert_eq!(client.receive(9, &response), Arrival::Nothing);
    assert_eq!(client.sent_one(), acknowledgement);

    server.receive(1, &acknowledgement);
    assert_eq!(server.outcomes(), [Event::Acknowledged(response_id)]);
    // §4.2: the state to acknowledge the request is kept even now.
    assert_eq!(server.receive(1, &request), Arrival::Nothing);
    assert_eq!(server.sent_one(), empty(ACK, id_of(&request)));
}

#[test]
fn the_server_takes_any_acknowledgement_of_its_response_whatever_it_carries() {
    let mut server = Node::new();
    let id = server.send_ok(1, CON_RESPONSE);
    let response = server.sent_one();
    let odd = message(ACK, Code::CONTENT, id_of(&response), 8, b"why");
    assert_eq!(server.receive(1, &odd), Arrival::Nothing);
    assert_eq!(server.outcomes(), [Event::Acknowledged(id)]);
}

#[test]
fn a_ping_gets_a_reset_and_nothing_is_remembered_of_it() {
    let mut node = Node::new();
    for _ in 0..3 {
        assert_eq!(node.receive(1, &empty(CON, 77)), Arrival::Nothing);
        assert_eq!(node.sent_one(), empty(RST, 77));
    }
    assert_eq!(node.layer.next_deadline(), None);
    assert_eq!(node.counters, Counters::default());
}

#[test]
fn the_reset_to_an_own_ping_is_the_pong() {
    let mut node = Node::new();
    let id = node.layer.ping(1, node.now).unwrap();
    let ping = node.sent_one();
    assert_eq!(ping, empty(CON, id_of(&ping)));
    node.now += seconds(0.25);
    node.receive(1, &empty(RST, id_of(&ping)));
    assert_eq!(node.outcomes(), [Event::Reset(id)]);
    assert_eq!(node.layer.round_trip(1), Some(seconds(0.25)));
}

#[test]
fn what_has_no_place_in_its_type_is_passed_over_in_silence() {
    let mut node = Node::new();
    node.send_ok(1, CON_REQUEST);
    let request = node.sent_one();
    // The codec lets none of these through; a caller with another codec might.
    let wrong =
        [(NON, Code::EMPTY), (ACK, Code::GET), (ACK, Code::PING), (RST, Code::CONTENT), (NON, Code::CSM)];
    for (message_type, code) in wrong {
        let message = Message {
            message_type,
            code,
            message_id: MessageId::new(id_of(&request)),
            token: &[],
            options: Options::EMPTY,
            payload: &[],
        };
        let arrival = node.layer.receive(1, &message, false, &mut node.counters, node.now);
        assert_eq!((arrival, node.sent()), (Arrival::Nothing, Vec::new()), "{message_type} {code}");
    }
    assert_eq!(node.counters.rejected, 5);
    assert_eq!(node.events(), []);
}

#[test]
fn a_confirmable_message_of_a_reserved_class_gets_a_reset() {
    let mut node = Node::new();
    for code in [0x20, 0xC0, 0xE1].map(Code::from_byte) {
        let message = Message {
            message_type: CON,
            code,
            message_id: MessageId::new(5),
            token: &[],
            options: Options::EMPTY,
            payload: &[],
        };
        assert_eq!(node.layer.receive(1, &message, false, &mut node.counters, node.now), Arrival::Nothing);
        assert_eq!(node.sent_one(), empty(RST, 5));
    }
    assert_eq!(node.counters.rejected, 3);
}

#[test]
fn a_malformed_confirmable_message_gets_a_reset_at_a_limited_rate() {
    let limits = Limits { rejections_per_second: 2, ..Limits::default() };
    let mut node = Node::with_limits(limits);
    let reject = |node: &mut Node, id| {
        let reaction = Reaction::Reset(MessageId::new(id));
        node.layer.malformed(1, reaction, false, &mut node.counters, node.now);
    };
    for id in 0..5 {
        reject(&mut node, id);
    }
    assert_eq!(node.sent(), [(1, empty(RST, 0)), (1, empty(RST, 1))]);
    assert_eq!(node.counters.rate_limited, 3);
    node.now += seconds(1.0);
    reject(&mut node, 9);
    assert_eq!(node.sent_one(), empty(RST, 9));
    node.layer.malformed(1, Reaction::Silence, false, &mut node.counters, node.now);
    assert_eq!(node.sent(), []);
}

#[test]
fn a_damaged_repetition_gets_what_the_sound_message_got() {
    let mut node = Node::new();
    let incoming = node.request(1, &message(CON, Code::POST, 5, 1, b""));
    node.layer.acknowledge(incoming, node.now);
    node.sent();
    node.layer.malformed(1, Reaction::Reset(MessageId::new(5)), false, &mut node.counters, node.now);
    assert_eq!(node.sent_one(), empty(ACK, 5));
    assert_eq!(node.counters.duplicates, 1);
}

#[test]
fn answers_are_given_once_and_late_ones_do_nothing() {
    let mut node = Node::new();
    let incoming = node.request(1, &message(CON, Code::POST, 5, 1, b""));
    node.layer.reset(incoming, node.now);
    assert_eq!(node.sent_one(), empty(RST, 5));
    node.layer.reset(incoming, node.now);
    node.layer.acknowledge(incoming, node.now);
    assert!(node.layer.piggyback(incoming, body(Code::CONTENT, 1, b"")).is_err());
    node.layer.ignore(incoming);
    assert_eq!(node.sent(), []);
    node.wait(seconds(248.0));
    node.layer.acknowledge(incoming, node.now);
    assert!(!node.layer.can_piggyback(incoming));
    assert_eq!(node.sent(), []);
}

#[test]
fn a_non_confirmable_message_is_never_acknowledged() {
    let mut node = Node::new();
    let incoming = node.request(1, &message(NON, Code::POST, 5, 1, b""));
    assert!(!node.layer.can_piggyback(incoming));
    node.layer.acknowledge(incoming, node.now);
    assert!(node.layer.piggyback(incoming, body(Code::CONTENT, 1, b"")).is_err());
    assert_eq!(node.sent(), []);
    node.layer.reset(incoming, node.now);
    assert_eq!(node.sent_one(), empty(RST, 5));
    // §4.5: a repetition of it is passed over in silence.
    node.receive(1, &message(NON, Code::POST, 5, 1, b""));
    assert_eq!(node.sent(), []);
}
