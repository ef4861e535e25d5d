//! Enhanced authentication and re-authentication (MQTT 5 §4.12).

use mqtt_codec::{Auth, Disconnect, Packet, PacketType, Properties, Property, ReasonCode};
use mqtt_core::client::{Config, DisconnectReason, Input};
use mqtt_core::{Authentication, Refused, Violation};

use crate::script::{AtLeastOnce, Script, V3_1_1, V5, first, plain, seconds};

fn enhanced() -> Config {
    let authentication = Authentication { method: "m".into(), data: Some(b"first".to_vec()) };
    Config { authentication: Some(Box::new(authentication)), connect_timeout: seconds(5), ..plain(V5) }
}

fn properties(data: &[u8]) -> [Property<'_>; 2] {
    [Property::AuthenticationMethod("m"), Property::AuthenticationData(data)]
}

fn server_says(script: &mut Script, reason: ReasonCode, properties: &[Property<'_>]) {
    script.send(&Packet::Auth(Auth { reason, properties: Properties::list(properties) }));
}

#[track_caller]
fn expect_auth(script: &mut Script, reason: ReasonCode, data: &[u8]) {
    script.expect(&[Packet::Auth(Auth { reason, properties: Properties::list(&properties(data)) })]);
}

fn authenticated() -> Script {
    let mut script = Script::new(enhanced());
    script.accept_with(false, &properties(b"ok"));
    script
}

#[test]
fn authentication_takes_as_many_steps_as_it_needs() {
    let mut script = Script::new(enhanced());
    script.open();
    let seen = script.look(|packet| match packet {
        Packet::Connect(connect) => {
            let properties = &connect.properties;
            (
                properties.authentication_method() == Some("m"),
                properties.authentication_data() == Some(b"first"),
            )
        }
        other => panic!("{other:?}"),
    });
    assert_eq!(seen, [(true, true)]);
    for step in [&b"one"[..], b"two"] {
        script.advance(seconds(4));
        server_says(&mut script, ReasonCode::CONTINUE_AUTHENTICATION, &properties(step));
        assert_eq!(script.challenges.pop().as_deref(), Some(step));
        script.input(Input::Authentication(b"answer"));
        expect_auth(&mut script, ReasonCode::CONTINUE_AUTHENTICATION, b"answer");
    }
    script.connack(false, &properties(b"last"));
    assert_eq!(script.connected[0].1.get().authentication_data(), Some(&b"last"[..]));
    script.expect(&[]);
}

#[test]
fn only_auth_goes_out_before_connack() {
    let mut script = Script::new(enhanced());
    script.open();
    script.types();
    script.publish("x", AtLeastOnce);
    script.subscribe("a");
    script.expect(&[]);
    server_says(&mut script, ReasonCode::CONTINUE_AUTHENTICATION, &properties(b""));
    script.input(Input::Authentication(b""));
    assert_eq!(script.types(), [PacketType::Auth]);
}

#[test]
fn each_step_must_come_within_the_connect_timeout() {
    let mut script = Script::new(enhanced());
    script.open();
    script.advance(seconds(4));
    server_says(&mut script, ReasonCode::CONTINUE_AUTHENTICATION, &properties(b""));
    script.advance(seconds(5));
    assert_eq!(script.reason(), Some(DisconnectReason::ConnectTimeout));
}

#[test]
fn re_authentication_leaves_the_connection_as_it_is() {
    let mut script = authenticated();
    script.client.reauthenticate(Some(b"again"), script.now).unwrap();
    assert_eq!(script.client.reauthenticate(None, script.now), Err(Refused::NoConnection), "one at a time");
    script.drain();
    expect_auth(&mut script, ReasonCode::RE_AUTHENTICATE, b"again");
    script.publish("x", AtLeastOnce);
    script.expect(&[first("x", AtLeastOnce, 1)]);
    server_says(&mut script, ReasonCode::CONTINUE_AUTHENTICATION, &properties(b"step"));
    script.input(Input::Authentication(b"answer"));
    expect_auth(&mut script, ReasonCode::CONTINUE_AUTHENTICATION, b"answer");
    server_says(&mut script, ReasonCode::SUCCESS, &properties(b"done"));
    assert_eq!((script.reauthenticated, script.reason()), (1, None));
    script.advance(seconds(1000));
    assert_eq!(script.reason(), None);
    assert_eq!(script.client.reauthenticate(None, script.now), Ok(()));
}

#[test]
fn a_re_authentication_that_takes_too_long_ends_the_connection() {
    let mut script = authenticated();
    script.client.reauthenticate(None, script.now).unwrap();
    script.advance(seconds(5));
    assert_eq!(script.reason(), Some(DisconnectReason::ConnectTimeout));
}

#[test]
fn a_failed_re_authentication_ends_the_connection() {
    let mut script = authenticated();
    script.client.reauthenticate(None, script.now).unwrap();
    script.send(&Packet::Disconnect(Disconnect::new(ReasonCode::NOT_AUTHORIZED)));
    assert_eq!(script.reason(), Some(DisconnectReason::Server(ReasonCode::NOT_AUTHORIZED)));

    // It is the client's to find the server wanting, too.
    let mut script = authenticated();
    script.client.reauthenticate(None, script.now).unwrap();
    script.drain();
    script.types();
    script.disconnect(ReasonCode::NOT_AUTHORIZED);
    script.expect_disconnect(ReasonCode::NOT_AUTHORIZED);
}

#[test]
fn nothing_follows_disconnect_not_even_an_answer_to_a_challenge() {
    let mut script = authenticated();
    script.client.reauthenticate(None, script.now).unwrap();
    script.drain();
    script.types();
    script.client.disconnect(ReasonCode::NORMAL_DISCONNECTION, Properties::NONE, script.now);
    script.client.handle(Input::Authentication(b"late"), script.now);
    script.drain();
    script.expect_disconnect(ReasonCode::NORMAL_DISCONNECTION);
}

#[test]
fn the_method_may_not_change() {
    for (at_connect, said) in [
        (true, &[Property::AuthenticationMethod("other")][..]),
        (false, &[Property::AuthenticationMethod("other")]),
    ] {
        let mut script = Script::new(enhanced());
        if at_connect {
            script.open();
        } else {
            script.accept_with(false, &properties(b""));
            script.client.reauthenticate(None, script.now).unwrap();
        }
        server_says(&mut script, ReasonCode::CONTINUE_AUTHENTICATION, said);
        assert_eq!(
            script.reason(),
            Some(DisconnectReason::Violation(Violation::AuthenticationMethodChanged))
        );
        assert_eq!(script.challenges, []);
    }
}

#[test]
fn auth_where_it_does_not_belong_is_a_protocol_error() {
    let unexpected = Some(DisconnectReason::Violation(Violation::UnexpectedPacket(PacketType::Auth)));
    // Without a method.
    let mut script = Script::new(plain(V5));
    script.open();
    server_says(&mut script, ReasonCode::CONTINUE_AUTHENTICATION, &properties(b""));
    assert_eq!(script.reason(), unexpected);
    // Success at connect is CONNACK's to say; only a client asks for re-authentication; nobody asked for it.
    for (connected, reason) in [
        (false, ReasonCode::SUCCESS),
        (false, ReasonCode::RE_AUTHENTICATE),
        (true, ReasonCode::CONTINUE_AUTHENTICATION),
        (true, ReasonCode::RE_AUTHENTICATE),
        (true, ReasonCode::SUCCESS),
    ] {
        let mut script = if connected { authenticated() } else { Script::new(enhanced()) };
        if !connected {
            script.open();
        }
        script.types();
        server_says(&mut script, reason, &properties(b""));
        assert_eq!(script.reason(), unexpected, "{connected} {reason:?}");
        if connected {
            script.expect_disconnect(ReasonCode::PROTOCOL_ERROR);
        }
    }
}

#[test]
fn a_client_without_a_method_sends_no_auth() {
    let without = |version| Config { authentication: None, ..plain(version) };
    let old = Config { version: V3_1_1, ..enhanced() };
    for config in [without(V5), without(V3_1_1), old] {
        let mut script = Script::new(config);
        script.open();
        script.types();
        script.input(Input::Authentication(b"x"));
        script.connack(false, &[]);
        assert_eq!(script.client.reauthenticate(None, script.now), Err(Refused::NoConnection));
        script.input(Input::Authentication(b"x"));
        script.expect(&[]);
    }
}
