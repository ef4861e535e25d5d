//! Observation, both roles (RFC 7641), against single messages.

use std::time::Duration;

use coap_codec::{Code, MessageType, OptionNumber};
use coap_core::{
    Action, Config, Failure, Handle, Limits, NotificationPolicy, Refused, Reliability, Request, Resource,
    ResourceId, Response, Trigger,
};

use crate::support::{Lone, Wire};

const PEER: u8 = 9;

mod observer {
    //! The client.

    use super::*;

    fn registered() -> (Lone, Handle, Wire) {
        let mut lone = Lone::new(Config::default());
        let request = Request::new(Code::GET).path("x").observe();
        let handle = lone.endpoint.request(PEER, request, lone.now).unwrap();
        let sent = lone.only_sent();
        assert_eq!(sent.options().observe(), Some(0));
        let mut answer = notification(&sent, sent.id, 10, "a");
        answer.message_type = MessageType::Acknowledgement;
        lone.receive(PEER, &answer);
        assert_eq!(seen(&mut lone), ["a"]);
        (lone, handle, sent)
    }

    fn notification(of: &Wire, id: u16, sequence: u64, body: &str) -> Wire {
        let mut wire = Wire::new(MessageType::NonConfirmable, Code::CONTENT, id, &of.token);
        wire.options.add_uint(OptionNumber::OBSERVE, sequence);
        wire.payload = body.into();
        wire
    }

    fn seen(lone: &mut Lone) -> Vec<String> {
        let body = |action: Action<u8>| match action {
            Action::Response { response, .. } => Some(String::from_utf8(response.payload.to_vec()).unwrap()),
            _ => None,
        };
        lone.reported.drain(..).filter_map(body).collect()
    }

    #[test]
    fn an_older_notification_is_acknowledged_and_not_shown() {
        let (mut lone, _, sent) = registered();
        lone.receive(PEER, &notification(&sent, 100, 12, "c"));
        lone.receive(
            PEER,
            &Wire { message_type: MessageType::Confirmable, ..notification(&sent, 101, 11, "b") },
        );
        assert_eq!(lone.only_sent().message_type, MessageType::Acknowledgement);
        assert_eq!(seen(&mut lone), ["c"]);
        assert_eq!(lone.endpoint.counters().outdated, 1);
    }

    #[test]
    fn sequence_numbers_wrap_and_after_128_seconds_any_is_newer() {
        let (mut lone, _, sent) = registered();
        lone.receive(PEER, &notification(&sent, 100, 0xFF_FFFF, "old: half the circle ahead"));
        assert!(seen(&mut lone).is_empty());
        let mut long_lived = notification(&sent, 101, 11, "b");
        long_lived.options.add_uint(OptionNumber::MAX_AGE, 1000);
        lone.receive(PEER, &long_lived);
        lone.wait(Duration::from_secs(129));
        lone.receive(PEER, &notification(&sent, 102, 1, "c"));
        assert_eq!(seen(&mut lone), ["b", "c"]);
    }

    #[test]
    fn it_registers_anew_after_max_age_with_the_same_token() {
        let (mut lone, _, sent) = registered();
        lone.wait(Duration::from_secs(64));
        lone.nothing_sent();
        lone.wait(Duration::from_secs(12));
        let again = lone.sent.pop_front().unwrap().1;
        assert_eq!((&again.token, again.options().observe()), (&sent.token, Some(0)));
        assert_ne!(again.id, sent.id);
        let mut answer = notification(&again, again.id, 2, "fresh whatever its number");
        answer.message_type = MessageType::Acknowledgement;
        lone.receive(PEER, &answer);
        assert_eq!(seen(&mut lone).len(), 1);
    }

    #[test]
    fn it_does_not_register_anew_on_wish() {
        let mut lone = Lone::new(Config { reregister: false, ..Config::default() });
        lone.endpoint.request(PEER, Request::new(Code::GET).path("x").observe(), lone.now).unwrap();
        let sent = lone.only_sent();
        let mut answer = notification(&sent, sent.id, 1, "a");
        answer.message_type = MessageType::Acknowledgement;
        lone.receive(PEER, &answer);
        lone.wait(Duration::from_secs(1000));
        lone.nothing_sent();
    }

    #[test]
    fn an_error_notification_ends_it() {
        let (mut lone, handle, sent) = registered();
        lone.receive(PEER, &Wire::new(MessageType::Confirmable, Code::NOT_FOUND, 100, &sent.token));
        assert_eq!(lone.only_sent().message_type, MessageType::Acknowledgement);
        let ended = lone.reported.pop_back();
        assert!(matches!(ended, Some(Action::Response { handle: of, more: false, .. }) if of == handle));
    }

    #[test]
    fn a_response_without_observe_is_a_response_and_no_registration() {
        let mut lone = Lone::new(Config::default());
        lone.endpoint.request(PEER, Request::new(Code::GET).path("x").observe(), lone.now).unwrap();
        let sent = lone.only_sent();
        lone.receive(PEER, &Wire::new(MessageType::Acknowledgement, Code::CONTENT, sent.id, &sent.token));
        assert!(matches!(lone.reported.pop_back(), Some(Action::Response { more: false, .. })));
        lone.wait(Duration::from_secs(300));
        lone.nothing_sent();
    }

    #[test]
    fn a_forgotten_observation_is_ended_by_a_reset() {
        let (mut lone, handle, sent) = registered();
        lone.endpoint.cancel(handle, lone.now);
        lone.drain();
        assert_eq!(lone.reported.pop_front(), Some(Action::Failed { handle, failure: Failure::Cancelled }));
        for message_type in [MessageType::NonConfirmable, MessageType::Confirmable] {
            let wire = Wire { message_type, ..notification(&sent, 100 + message_type as u16, 11, "b") };
            lone.receive(PEER, &wire);
            let answer = lone.only_sent();
            assert_eq!((answer.message_type, answer.id), (MessageType::Reset, wire.id));
        }
    }

    #[test]
    fn deregistering_asks_with_observe_1_and_the_same_token_and_options() {
        let (mut lone, handle, sent) = registered();
        lone.endpoint.deregister(handle, lone.now).unwrap();
        let asked = lone.only_sent();
        assert_eq!((&asked.token, asked.options().observe()), (&sent.token, Some(1)));
        assert!(asked.options().uri_path().eq(sent.options().uri_path()));
        // A notification that was under way is not the answer.
        lone.receive(PEER, &notification(&sent, 100, 11, "late"));
        assert!(seen(&mut lone).is_empty());
        lone.receive(PEER, &Wire::new(MessageType::Acknowledgement, Code::CONTENT, asked.id, &asked.token));
        assert!(matches!(lone.reported.pop_back(), Some(Action::Response { more: false, .. })));
        assert!(lone.endpoint.deregister(handle, lone.now).is_err());
    }

    #[test]
    fn the_rest_of_a_large_notification_is_fetched_without_observe_under_another_token() {
        let (mut lone, handle, sent) = registered();
        let mut first = notification(&sent, 100, 11, &"x".repeat(64));
        first.options.add(OptionNumber::BLOCK2, &[0x0A]).add(OptionNumber::ETAG, b"v");
        lone.receive(PEER, &first);
        let asked = lone.only_sent();
        assert_ne!(asked.token, sent.token);
        assert_eq!(asked.options().observe(), None);
        assert_eq!(asked.options().block2().unwrap().unwrap().num(), 1);
        let mut rest = Wire::new(MessageType::Acknowledgement, Code::CONTENT, asked.id, &asked.token);
        rest.options.add(OptionNumber::BLOCK2, &[0x12]).add(OptionNumber::ETAG, b"v");
        rest.payload = b"y".into();
        lone.receive(PEER, &rest);
        let whole = lone.reported.pop_back();
        let Some(Action::Response { handle: of, response, more: true, .. }) = whole else {
            panic!("{whole:?}")
        };
        assert_eq!((of, response.payload.len()), (handle, 65));
    }

    #[test]
    fn a_newer_notification_ends_the_fetching_of_an_older_one() {
        let (mut lone, _, sent) = registered();
        let mut first = notification(&sent, 100, 11, &"x".repeat(64));
        first.options.add(OptionNumber::BLOCK2, &[0x0A]).add(OptionNumber::ETAG, b"v");
        lone.receive(PEER, &first);
        let asked = lone.only_sent();
        lone.receive(PEER, &notification(&sent, 101, 12, "small"));
        assert_eq!(seen(&mut lone), ["small"]);
        let mut rest = Wire::new(MessageType::Acknowledgement, Code::CONTENT, asked.id, &asked.token);
        rest.options.add(OptionNumber::BLOCK2, &[0x12]);
        lone.receive(PEER, &rest);
        assert!(seen(&mut lone).is_empty());
        assert_eq!(lone.endpoint.counters().bodies_abandoned, 1);
    }
}

mod subject {
    //! The server.

    use super::*;

    fn server(config: Config) -> (Lone, ResourceId) {
        let mut lone = Lone::new(config);
        let id = lone
            .endpoint
            .add_resource(Resource::new("x").methods(&[Code::GET, Code::FETCH]).observable())
            .unwrap();
        (lone, id)
    }

    fn get(id: u16, token: &[u8], observe: Option<u64>) -> Wire {
        let mut wire = Wire::new(MessageType::Confirmable, Code::GET, id, token);
        wire.options.add(OptionNumber::URI_PATH, b"x");
        if let Some(observe) = observe {
            wire.options.add_uint(OptionNumber::OBSERVE, observe);
        }
        wire
    }

    fn state(body: &str) -> Response {
        Response::new(Code::CONTENT).payload(body.to_owned())
    }

    fn register(lone: &mut Lone, id: u16, token: &[u8]) -> Wire {
        lone.receive(PEER, &get(id, token, Some(0)));
        let asked = lone.only_request();
        assert_eq!(asked.trigger, Trigger::Registration);
        assert_eq!(asked.options.view().observe(), None);
        lone.respond(&asked, state("first"));
        lone.only_sent()
    }

    fn change(lone: &mut Lone, resource: ResourceId, body: &str) {
        lone.endpoint.changed(resource, lone.now);
        lone.drain();
        for asked in lone.requests() {
            assert_eq!(asked.trigger, Trigger::Change);
            lone.respond(&asked, state(body));
        }
    }

    fn observers(lone: &Lone) -> usize {
        let count = |action: &Action<u8>| match action {
            Action::Observers { count, .. } => Some(*count),
            _ => None,
        };
        lone.reported.iter().rev().find_map(count).unwrap_or(0)
    }

    fn confirmable() -> Config {
        let notifications = NotificationPolicy { confirmable: true, ..NotificationPolicy::default() };
        Config { notifications, ..Config::default() }
    }

    #[test]
    fn a_registration_with_the_same_token_replaces_and_another_token_adds() {
        let (mut lone, resource) = server(Config::default());
        for (id, token) in [(1, &b""[..]), (2, b""), (3, b"t")] {
            let answer = register(&mut lone, id, token);
            assert!(answer.options().observe().is_some());
        }
        assert_eq!(observers(&lone), 2, "the empty token is a token");
        lone.wait(Duration::from_secs(5));
        change(&mut lone, resource, "second");
        assert_eq!(lone.sent.len(), 2);
    }

    #[test]
    fn a_registration_moves_to_another_resource_with_its_token() {
        let (mut lone, first) = server(Config::default());
        let second = lone.endpoint.add_resource(Resource::new("y").observable()).unwrap();
        register(&mut lone, 1, b"1");
        lone.reported.clear();
        let mut elsewhere = get(2, b"1", Some(0));
        elsewhere.options.set(OptionNumber::URI_PATH, b"y");
        lone.receive(PEER, &elsewhere);
        let asked = lone.only_request();
        lone.respond(&asked, state("a"));
        let told: Vec<_> = lone.reported.drain(..).collect();
        let now = |resource, count| Action::Observers { resource, count };
        assert_eq!(told, [now(first, 0), now(second, 1)]);
    }

    #[test]
    fn sequence_numbers_increase_across_a_registration_anew() {
        let (mut lone, resource) = server(Config::default());
        let mut numbers = vec![register(&mut lone, 1, b"t").options().observe().unwrap()];
        lone.wait(Duration::from_secs(5));
        change(&mut lone, resource, "b");
        numbers.push(lone.only_sent().options().observe().unwrap());
        numbers.push(register(&mut lone, 2, b"t").options().observe().unwrap());
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    }

    /// The observer may have seen the numbers of its former registration less than 128 s ago.
    #[test]
    fn sequence_numbers_go_on_when_one_that_was_forgotten_registers_again() {
        for pause in [Duration::ZERO, Duration::from_secs(60)] {
            let (mut lone, resource) = server(Config::default());
            register(&mut lone, 1, b"t");
            for body in ["b", "c"] {
                lone.wait(Duration::from_secs(5));
                change(&mut lone, resource, body);
            }
            let (_, last) = lone.sent.pop_back().unwrap();
            lone.sent.clear();
            lone.receive(PEER, &Wire::new(MessageType::Reset, Code::EMPTY, last.id, b""));
            assert_eq!(observers(&lone), 0);
            lone.wait(pause);
            let again = register(&mut lone, 2, b"t");
            let numbers = (last.options().observe().unwrap(), again.options().observe().unwrap());
            assert!(numbers.0 < numbers.1, "{numbers:?}");
        }
    }

    #[test]
    fn a_change_while_a_registration_waits_for_its_answer_is_told_after_it() {
        let (mut lone, resource) = server(Config::default());
        lone.receive(PEER, &get(1, b"t", Some(0)));
        let registering = lone.only_request();
        for _ in 0..2 {
            lone.endpoint.changed(resource, lone.now);
            lone.drain();
            assert!(lone.requests().is_empty(), "it does not observe yet");
        }
        lone.respond(&registering, state("older"));
        let first = lone.only_sent();
        let asked = lone.only_request();
        assert_eq!(asked.trigger, Trigger::Change);
        lone.respond(&asked, state("newer"));
        lone.wait(Duration::from_secs(5));
        let second = lone.only_sent();
        assert_eq!((&first.payload[..], &second.payload[..]), (&b"older"[..], &b"newer"[..]));
        assert!(first.options().observe() < second.options().observe());
        // And only once.
        assert!(lone.requests().is_empty());
        lone.wait(Duration::from_secs(60));
        lone.nothing_sent();
    }

    #[test]
    fn a_change_before_a_registration_is_not_told_after_it() {
        let (mut lone, resource) = server(Config::default());
        lone.endpoint.changed(resource, lone.now);
        register(&mut lone, 1, b"t");
        assert!(lone.requests().is_empty());
    }

    #[test]
    fn a_reset_ends_it_whether_the_notification_was_confirmable_or_not() {
        for config in [Config::default(), confirmable()] {
            let (mut lone, resource) = server(config);
            register(&mut lone, 1, b"t");
            lone.wait(Duration::from_secs(5));
            change(&mut lone, resource, "b");
            let notification = lone.only_sent();
            lone.receive(PEER, &Wire::new(MessageType::Reset, Code::EMPTY, notification.id, b""));
            assert_eq!(observers(&lone), 0);
            change(&mut lone, resource, "c");
            lone.nothing_sent();
        }
    }

    #[test]
    fn a_notification_in_vain_ends_it() {
        let (mut lone, resource) = server(confirmable());
        register(&mut lone, 1, b"t");
        change(&mut lone, resource, "b");
        lone.wait(Duration::from_secs(100));
        assert_eq!(lone.sent.len(), 5);
        assert_eq!(observers(&lone), 0);
    }

    #[test]
    fn observe_1_ends_it_and_a_plain_get_does_not() {
        let (mut lone, resource) = server(Config::default());
        register(&mut lone, 1, b"t");
        lone.receive(PEER, &get(2, b"t", None));
        let asked = lone.only_request();
        lone.respond(&asked, state("plain"));
        assert_eq!(lone.only_sent().options().observe(), None);
        assert_eq!(observers(&lone), 1);
        lone.receive(PEER, &get(3, b"t", Some(1)));
        assert_eq!(observers(&lone), 0);
        let asked = lone.only_request();
        lone.respond(&asked, state("bye"));
        assert_eq!(lone.only_sent().options().observe(), None);
        change(&mut lone, resource, "b");
        lone.nothing_sent();
    }

    #[test]
    fn an_error_ends_it_and_has_no_observe() {
        let (mut lone, resource) = server(Config::default());
        register(&mut lone, 1, b"t");
        lone.endpoint.changed(resource, lone.now);
        let asked = lone.only_request();
        lone.respond(&asked, Response::new(Code::NOT_FOUND));
        let last = lone.only_sent();
        assert_eq!((last.code, last.options().observe()), (Code::NOT_FOUND, None));
        assert_eq!(observers(&lone), 0);
    }

    #[test]
    fn the_content_format_may_not_change() {
        let (mut lone, resource) = server(Config::default());
        register(&mut lone, 1, b"t");
        lone.endpoint.changed(resource, lone.now);
        let asked = lone.only_request();
        lone.respond(&asked, state("b").with_uint(OptionNumber::CONTENT_FORMAT, 50));
        assert_eq!(lone.only_sent().code, Code::NOT_ACCEPTABLE);
        assert_eq!(observers(&lone), 0);
    }

    #[test]
    fn only_the_newest_state_is_pending_and_the_retransmission_goes_on() {
        let (mut lone, resource) = server(confirmable());
        register(&mut lone, 1, b"t");
        let start = lone.now;
        change(&mut lone, resource, "b");
        let first = lone.only_sent();
        change(&mut lone, resource, "c");
        change(&mut lone, resource, "d");
        lone.nothing_sent();
        lone.wait(Duration::from_secs(4));
        let second = lone.only_sent();
        assert_eq!(second.payload, b"d");
        assert_ne!(second.id, first.id);
        lone.wait(Duration::from_secs(100));
        let bodies: Vec<_> = lone.sent.iter().map(|(_, wire)| wire.payload.clone()).collect();
        assert_eq!(bodies, vec![b"d".to_vec(); 3], "five transmissions in all");
        assert_eq!(observers(&lone), 0);
        assert!(lone.endpoint.counters().superseded >= 1 && lone.now - start <= Duration::from_secs(105));
    }

    #[test]
    fn a_newer_state_follows_when_the_older_is_acknowledged() {
        let (mut lone, resource) = server(confirmable());
        register(&mut lone, 1, b"t");
        change(&mut lone, resource, "b");
        let first = lone.only_sent();
        change(&mut lone, resource, "c");
        lone.nothing_sent();
        lone.receive(PEER, &Wire::new(MessageType::Acknowledgement, Code::EMPTY, first.id, b""));
        assert_eq!(lone.only_sent().payload, b"c");
    }

    #[test]
    fn non_confirmable_notifications_are_spaced_and_the_newest_goes() {
        let (mut lone, resource) = server(Config::default());
        register(&mut lone, 1, b"t");
        lone.wait(Duration::from_secs(10));
        for body in ["b", "c", "d"] {
            change(&mut lone, resource, body);
        }
        assert_eq!(lone.only_sent().payload, b"b");
        lone.wait(Duration::from_secs(10));
        assert_eq!(lone.only_sent().payload, b"d");
    }

    #[test]
    fn at_least_one_notification_in_24_hours_is_confirmable() {
        let (mut lone, resource) = server(Config::default());
        register(&mut lone, 1, b"t");
        lone.wait(Duration::from_secs(3600));
        change(&mut lone, resource, "b");
        assert_eq!(lone.only_sent().message_type, MessageType::NonConfirmable);
        lone.wait(Duration::from_secs(23 * 3600));
        change(&mut lone, resource, "c");
        let due = lone.only_sent();
        assert_eq!(due.message_type, MessageType::Confirmable);
        lone.receive(PEER, &Wire::new(MessageType::Acknowledgement, Code::EMPTY, due.id, b""));
        lone.wait(Duration::from_secs(10));
        change(&mut lone, resource, "d");
        assert_eq!(lone.only_sent().message_type, MessageType::NonConfirmable);
    }

    #[test]
    fn the_application_says_which_are_confirmable() {
        let (mut lone, resource) = server(Config::default());
        register(&mut lone, 1, b"t");
        lone.endpoint.changed(resource, lone.now);
        let asked = lone.only_request();
        lone.respond(&asked, state("b").reliability(Reliability::Confirmable));
        assert_eq!(lone.only_sent().message_type, MessageType::Confirmable);
    }

    #[test]
    fn observe_is_ignored_with_other_methods_and_resources_that_cannot_be_observed() {
        let (mut lone, _) = server(Config::default());
        lone.endpoint.add_resource(Resource::new("y").methods(&[Code::GET, Code::POST])).unwrap();
        for (id, code) in [(1, Code::GET), (2, Code::POST)] {
            let mut wire = Wire::new(MessageType::Confirmable, code, id, b"t");
            wire.options.add(OptionNumber::URI_PATH, b"y").add_uint(OptionNumber::OBSERVE, 0);
            lone.receive(PEER, &wire);
            let asked = lone.only_request();
            assert_eq!(asked.trigger, Trigger::Peer);
            lone.respond(&asked, state("y"));
            assert_eq!(lone.only_sent().options().observe(), None);
        }
    }

    #[test]
    fn a_fetch_is_observed_with_its_body() {
        let (mut lone, resource) = server(Config::default());
        let mut wire = Wire::new(MessageType::Confirmable, Code::FETCH, 1, b"t");
        wire.options.add(OptionNumber::URI_PATH, b"x").add_uint(OptionNumber::OBSERVE, 0);
        wire.payload = b"which".into();
        lone.receive(PEER, &wire);
        let asked = lone.only_request();
        lone.respond(&asked, state("a"));
        lone.only_sent();
        lone.endpoint.changed(resource, lone.now);
        let again = lone.only_request();
        assert_eq!((again.method, &again.payload[..]), (Code::FETCH, &b"which"[..]));
    }

    #[test]
    fn where_there_is_no_room_for_an_observer_it_gets_a_plain_response() {
        let limits = Limits { observers_per_peer: 1, ..Limits::default() };
        let (mut lone, _) = server(Config { limits, ..Config::default() });
        register(&mut lone, 1, b"t");
        lone.receive(PEER, &get(2, b"u", Some(0)));
        let asked = lone.only_request();
        assert_eq!(asked.trigger, Trigger::Peer);
        lone.respond(&asked, state("plain"));
        assert_eq!(lone.only_sent().options().observe(), None);
        assert_eq!(observers(&lone), 1);
    }

    #[test]
    fn a_large_notification_carries_its_first_block_and_the_rest_is_there_to_be_fetched() {
        let (mut lone, resource) = server(Config::default());
        register(&mut lone, 1, b"t");
        lone.wait(Duration::from_secs(5));
        change(&mut lone, resource, &"x".repeat(2000));
        let first = lone.only_sent();
        let block = first.options().block2().unwrap().unwrap();
        assert_eq!((block.num(), block.more(), first.payload.len()), (0, true, 1024));
        let mut wire = get(2, b"another", None);
        wire.options.add(OptionNumber::BLOCK2, &[0x16]);
        lone.receive(PEER, &wire);
        let rest = lone.only_sent();
        assert_eq!((rest.payload.len(), rest.options().observe()), (976, None));
        assert_eq!(rest.options().etag(), first.options().etag());
        assert!(lone.requests().is_empty());
    }

    #[test]
    fn a_notification_that_no_datagram_has_room_for_is_refused_and_can_be_given_again() {
        let (mut lone, resource) = server(Config::default());
        register(&mut lone, 1, b"1");
        lone.endpoint.changed(resource, lone.now);
        let asked = lone.only_request();
        let error = || Response::new(Code::NOT_FOUND).payload(vec![b'e'; 1500]);
        let large = || state("a").with(OptionNumber::LOCATION_QUERY, &[b'l'; 1200]);
        for response in [error(), large()] {
            assert_eq!(lone.endpoint.respond(asked.id, response, lone.now), Err(Refused::TooLarge));
        }
        lone.nothing_sent();
        // It is still asked, and only once.
        lone.endpoint.changed(resource, lone.now);
        assert!(lone.requests().is_empty());
        lone.respond(&asked, state("b"));
        lone.wait(Duration::from_secs(3));
        assert_eq!(lone.sent.pop_front().map(|(_, wire)| wire.payload), Some(b"b".to_vec()));
        lone.only_request();
    }

    #[test]
    fn a_removed_resource_tells_its_observers() {
        let (mut lone, resource) = server(Config::default());
        register(&mut lone, 1, b"t");
        lone.endpoint.remove_resource(resource, lone.now);
        assert_eq!(lone.only_sent().code, Code::NOT_FOUND);
        assert_eq!(observers(&lone), 0);
    }

    #[test]
    fn an_observer_that_cannot_be_reached_is_gone() {
        let (mut lone, _) = server(Config::default());
        register(&mut lone, 1, b"t");
        lone.endpoint.handle(coap_core::Input::Unreachable { peer: PEER }, lone.now);
        lone.drain();
        assert_eq!(observers(&lone), 0);
    }
}
