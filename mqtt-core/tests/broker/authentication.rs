//! Who may connect: the question, enhanced authentication, re-authentication (MQTT 5 §4.12).

use mqtt_codec::{Auth, Connect, Packet, Properties, Property, ReasonCode, SubscriptionOptions};
use mqtt_core::{
    Admission, Answer, Ask, Authentication, Checks, CloseReason, ConnectionId, Question, Violation,
};

use crate::support::{AtMostOnce, Bench, Got, V3_1_1, V5, connect, publish, seconds, will, with};

const METHOD: Property<'static> = Property::AuthenticationMethod("SCRAM");

fn bench() -> Bench {
    Bench::with(|config| config.ask = Ask { connect: true, ..Ask::default() })
}

fn admit() -> Answer {
    Answer::Admit(Admission::default())
}

fn auth(bench: &mut Bench, client: ConnectionId, reason: ReasonCode, method: &str, data: &[u8]) {
    let properties = [Property::AuthenticationMethod(method), Property::AuthenticationData(data)];
    bench.send(client, &Packet::Auth(Auth { reason, properties: Properties::list(&properties) }));
}

/// Sends CONNECT with a method; the host has the first question.
fn begin(bench: &mut Bench) -> ConnectionId {
    let properties = [METHOD, Property::AuthenticationData(b"first")];
    let (client, got) = bench.try_connect(&with(connect(V5, "c"), &properties));
    assert!(got.is_empty());
    client
}

/// A client that has authenticated with a method.
fn authenticated(bench: &mut Bench) -> ConnectionId {
    let client = begin(bench);
    bench.answer(admit());
    bench.got(client);
    client
}

fn refused(reason: ReasonCode) -> [Got; 2] {
    let connack = Got::ConnAck { reason, session_present: false, properties: "[]".into() };
    [connack, Got::Closed(CloseReason::Refused(reason))]
}

#[test]
fn the_host_is_told_who_wants_to_connect() {
    let mut bench = bench();
    let connect = Connect {
        username: Some("user"),
        password: Some(b"secret"),
        will: Some(will("w/t", b"")),
        ..connect(V3_1_1, "c")
    };
    let (client, got) = bench.try_connect(&connect);
    assert!(got.is_empty() && bench.connected.is_empty());
    let (_, asked, Question::Connect(request)) = &bench.questions[0] else { panic!() };
    assert_eq!(*asked, client);
    assert_eq!((&*request.client_id, request.version), ("c", V3_1_1));
    assert_eq!(request.username.as_deref(), Some("user"));
    assert_eq!(request.password.as_deref(), Some(&b"secret"[..]));
    assert_eq!((request.will_topic.as_deref(), &request.authentication), (Some("w/t"), &None));
    bench.answer(admit());
    assert!(matches!(bench.got(client)[..], [Got::ConnAck { reason: ReasonCode::SUCCESS, .. }]));
    assert_eq!(bench.connected, ["c"]);
}

#[test]
fn whoever_is_denied_is_refused_and_closed_and_leaves_nothing() {
    // [MQTT-3.1.4-2, MQTT-3.2.2-6, MQTT-3.2.2-7]
    for (version, reason) in [(V5, ReasonCode::BANNED), (V3_1_1, ReasonCode::NOT_AUTHORIZED)] {
        let mut bench = bench();
        let (client, _) = bench.try_connect(&connect(version, "c"));
        bench.answer(Answer::Deny(reason));
        assert_eq!(bench.got(client), refused(reason));
        assert_eq!(bench.broker.gauges().sessions, 0);
        assert_eq!(bench.broker.counters().connects_refused, 1);
    }
}

#[test]
fn whoever_is_denied_takes_over_nothing() {
    let mut bench = bench();
    let (victim, _) = bench.try_connect(&connect(V5, "c"));
    bench.answer(admit());
    bench.got(victim);
    bench.try_connect(&connect(V5, "c"));
    bench.answer(Answer::Deny(ReasonCode::NOT_AUTHORIZED));
    bench.send(victim, &Packet::PingReq);
    assert_eq!(bench.got(victim), [Got::PingResp]);
}

#[test]
fn an_answer_that_does_not_fit_is_a_denial() {
    for answer in [Answer::Allow, Answer::Continue(Box::new([]))] {
        let mut bench = bench();
        let (client, _) = bench.try_connect(&connect(V5, "c"));
        bench.answer(answer);
        assert_eq!(bench.got(client), refused(ReasonCode::NOT_AUTHORIZED));
    }
}

#[test]
fn packets_behind_connect_wait_for_the_answer() {
    let mut bench = bench();
    let (client, _) = bench.try_connect(&connect(V3_1_1, "c"));
    let mut bytes = Vec::new();
    Packet::PingReq.encode(V3_1_1, &mut bytes).unwrap();
    assert_eq!(bench.send_bytes(client, &bytes), 0);
    bench.answer(admit());
    assert_eq!(bench.resumed, [client]);
    assert_eq!(bench.send_bytes(client, &bytes), bytes.len());
    assert_eq!(bench.got(client)[1..], [Got::PingResp]);
}

#[test]
fn an_answer_after_the_end_of_the_connection_is_ignored() {
    let mut bench = bench();
    let (client, _) = bench.try_connect(&connect(V5, "c"));
    bench.close(client);
    bench.answer(admit());
    assert_eq!((bench.broker.gauges().sessions, bench.connected.len()), (0, 0));
}

#[test]
fn enhanced_authentication_takes_as_many_steps_as_it_needs() {
    // [MQTT-4.12.0-2, MQTT-4.12.0-5]
    let mut bench = bench();
    let client = begin(&mut bench);
    for step in 0..3u8 {
        bench.answer(Answer::Continue(Box::new([step])));
        assert_eq!(bench.got(client), [Got::Auth(ReasonCode::CONTINUE_AUTHENTICATION, vec![step])]);
        auth(&mut bench, client, ReasonCode::CONTINUE_AUTHENTICATION, "SCRAM", &[step, step]);
        let data = Some(vec![step, step]);
        let expected = Question::Authenticate(Authentication { method: "SCRAM".into(), data });
        assert_eq!(bench.questions[0].2, expected);
    }
    let admission = Admission { authentication_data: Some(Box::new(*b"final")), checks: Checks::default() };
    bench.answer(Answer::Admit(admission));
    let got = bench.got(client);
    let Got::ConnAck { reason: ReasonCode::SUCCESS, properties, .. } = &got[0] else { panic!("{got:?}") };
    assert!(properties.contains("AuthenticationMethod(\"SCRAM\")"), "{properties}");
    assert!(properties.contains("AuthenticationData"), "{properties}");
}

#[test]
fn enhanced_authentication_can_fail_at_any_step() {
    // [MQTT-4.12.0-4]
    for steps in 0..3 {
        let mut bench = bench();
        let client = begin(&mut bench);
        for _ in 0..steps {
            bench.answer(Answer::Continue(Box::new([])));
            auth(&mut bench, client, ReasonCode::CONTINUE_AUTHENTICATION, "SCRAM", b"");
        }
        bench.got(client);
        bench.answer(Answer::Deny(ReasonCode::NOT_AUTHORIZED));
        assert_eq!(bench.got(client), refused(ReasonCode::NOT_AUTHORIZED));
    }
}

#[test]
fn each_step_must_come_within_the_connect_timeout() {
    let mut bench = bench();
    let client = begin(&mut bench);
    bench.advance(seconds(9));
    bench.answer(Answer::Continue(Box::new([])));
    bench.advance(seconds(9));
    assert_eq!(bench.got(client).len(), 1);
    bench.advance(seconds(1));
    assert_eq!(bench.got(client).last(), Some(&Got::Closed(CloseReason::ConnectTimeout)));
}

#[test]
fn a_method_without_a_host_that_knows_it_is_a_bad_method() {
    // [MQTT-4.12.0-1]
    let mut bench = Bench::new();
    let (_, got) = bench.try_connect(&with(connect(V5, "c"), &[METHOD]));
    assert_eq!(got, refused(ReasonCode::BAD_AUTHENTICATION_METHOD));
}

#[test]
fn during_authentication_only_auth_and_disconnect_may_come() {
    let mut bench = bench();
    let client = begin(&mut bench);
    bench.answer(Answer::Continue(Box::new([])));
    bench.got(client);
    bench.send(client, &Packet::PingReq);
    let got = bench.got(client);
    assert!(matches!(&got[0], Got::ConnAck { reason: ReasonCode::PROTOCOL_ERROR, .. }), "{got:?}");
    assert!(matches!(got[1], Got::Closed(CloseReason::Violation(Violation::UnexpectedPacket(_)))));
}

#[test]
fn the_method_may_not_change() {
    // [MQTT-4.12.0-5, MQTT-4.12.1-1]
    let mut bench = bench();
    let client = begin(&mut bench);
    bench.answer(Answer::Continue(Box::new([])));
    auth(&mut bench, client, ReasonCode::CONTINUE_AUTHENTICATION, "PLAIN", b"");
    let closed = Got::Closed(CloseReason::Violation(Violation::AuthenticationMethodChanged));
    assert_eq!(bench.got(client).last(), Some(&closed));

    let client = authenticated(&mut bench);
    auth(&mut bench, client, ReasonCode::RE_AUTHENTICATE, "PLAIN", b"");
    assert_eq!(bench.got(client), [Got::Disconnect(ReasonCode::PROTOCOL_ERROR), closed]);
}

#[test]
fn re_authentication_leaves_the_connection_as_it_is() {
    let mut bench = bench();
    let client = authenticated(&mut bench);
    auth(&mut bench, client, ReasonCode::RE_AUTHENTICATE, "SCRAM", b"again");
    bench.answer(Answer::Continue(Box::new(*b"challenge")));
    assert_eq!(bench.got(client), [Got::Auth(ReasonCode::CONTINUE_AUTHENTICATION, b"challenge".into())]);
    // Between the steps other packets flow.
    bench.subscribe(client, "a", AtMostOnce);
    bench.publish(client, &publish("a", b"x", AtMostOnce, 0));
    assert_eq!(bench.payloads(client), ["x"]);
    auth(&mut bench, client, ReasonCode::CONTINUE_AUTHENTICATION, "SCRAM", b"response");
    let checks = Checks { subscribe: true, ..Checks::default() };
    bench.answer(Answer::Admit(Admission { checks, authentication_data: None }));
    assert_eq!(bench.got(client), [Got::Auth(ReasonCode::SUCCESS, vec![])]);
    bench.subscribe_with(client, "b", SubscriptionOptions::qos(AtMostOnce), &[]);
    assert!(matches!(bench.questions[0].2, Question::Subscribe { .. }), "the new checks hold");
}

#[test]
fn a_failed_re_authentication_ends_the_connection() {
    // [MQTT-4.12.1-2]
    let mut bench = bench();
    let client = authenticated(&mut bench);
    auth(&mut bench, client, ReasonCode::RE_AUTHENTICATE, "SCRAM", b"");
    let reason = ReasonCode::NOT_AUTHORIZED;
    bench.answer(Answer::Deny(reason));
    assert_eq!(bench.got(client), [Got::Disconnect(reason), Got::Closed(CloseReason::Refused(reason))]);
}

#[test]
fn auth_where_it_does_not_belong_is_a_protocol_error() {
    // [MQTT-4.12.0-6]: no method in CONNECT; no step asked for; a code that only servers send.
    for (with_method, reason) in [
        (false, ReasonCode::RE_AUTHENTICATE),
        (true, ReasonCode::CONTINUE_AUTHENTICATION),
        (true, ReasonCode::SUCCESS),
    ] {
        let mut bench = bench();
        let client = if with_method {
            authenticated(&mut bench)
        } else {
            let (client, _) = bench.try_connect(&connect(V5, "c"));
            bench.answer(admit());
            bench.got(client);
            client
        };
        auth(&mut bench, client, reason, "SCRAM", b"");
        assert_eq!(bench.got(client)[0], Got::Disconnect(ReasonCode::PROTOCOL_ERROR));
    }
}

#[test]
fn auth_with_success_is_a_servers_word() {
    let mut bench = bench();
    let client = begin(&mut bench);
    bench.answer(Answer::Continue(Box::new([])));
    bench.got(client);
    auth(&mut bench, client, ReasonCode::SUCCESS, "SCRAM", b"");
    assert!(bench.questions.is_empty());
    assert!(matches!(bench.got(client)[..], [.., Got::Closed(CloseReason::Violation(_))]));
}
