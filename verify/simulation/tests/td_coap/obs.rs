//! `TD_COAP_OBS_…`: observation.

use std::time::Duration;

use coap_codec::{Code, ContentFormat, MessageType, OptionNumber, is_newer_notification};
use coap_core::{Action, Handle, Request};

use crate::table::{CLIENT, SERVER, Table, Wire, get, piggybacked, with_text};

/// Registers, and checks request and response.
fn register(table: &mut Table, path: &str) -> (Handle, Wire) {
    let handle = table.ask(get(path).observe());
    table.run(Duration::from_secs(1));
    let messages = table.news();
    let (request, response) = piggybacked(&messages[..2]);
    assert_eq!((request.code, request.options().observe()), (Code::GET, Some(0)));
    assert_eq!(response.code, Code::CONTENT);
    assert!(response.options().observe().is_some() && response.options().content_format().is_some());
    (handle, response.clone())
}

/// The server's notifications among these messages.
fn notifications(messages: &[Wire]) -> Vec<&Wire> {
    let is_one = |wire: &&Wire| wire.from == SERVER && wire.options().observe().is_some();
    messages.iter().filter(is_one).collect()
}

/// Notifications go on from the first response: type, token, format, increasing numbers; confirmable ones are acknowledged.
fn go_on(first: &Wire, messages: &[Wire], message_type: MessageType) {
    let mut newest = (first.options().observe().unwrap(), first.at);
    let found = notifications(messages);
    assert!(found.len() > 2, "{messages:?}");
    for wire in found {
        assert_eq!((wire.message_type, wire.code, &wire.token), (message_type, Code::CONTENT, &first.token));
        assert_eq!(wire.options().content_format(), first.options().content_format());
        let number = wire.options().observe().unwrap();
        assert!(is_newer_notification(newest.0, number, wire.at - newest.1));
        newest = (number, wire.at);
        let acknowledged = |answer: &Wire| {
            (answer.from, answer.message_type, answer.id) == (CLIENT, MessageType::Acknowledgement, wire.id)
        };
        assert_eq!(messages.iter().any(acknowledged), message_type == MessageType::Confirmable);
    }
}

fn observing(path: &str) -> (Table, Handle, Wire) {
    let mut table = Table::new();
    let (handle, first) = register(&mut table, path);
    (table, handle, first)
}

const WHILE: Duration = Duration::from_secs(22);

#[test]
fn td_coap_obs_01() {
    let (mut table, _, first) = observing("obs");
    table.run(WHILE);
    go_on(&first, &table.news(), MessageType::Confirmable);
    assert!(table.responses().len() > 3);
}

#[test]
fn td_coap_obs_02() {
    let (mut table, _, first) = observing("obs-non");
    table.run(WHILE);
    go_on(&first, &table.news(), MessageType::NonConfirmable);
    assert!(table.responses().len() > 3);
}

#[test]
fn td_coap_obs_04() {
    let (mut table, _, first) = observing("obs");
    table.run(WHILE);
    table.news();
    table.reboot_server();
    let shown = table.responses().len();
    // Max-Age is a few seconds, and the registration comes 5 to 15 s after it.
    table.run(Duration::from_millis(90_500));
    let messages = table.news();
    let again = messages.iter().position(|wire| wire.from == CLIENT && wire.code == Code::GET).unwrap();
    assert!(notifications(&messages[..again]).is_empty());
    assert_eq!((&messages[again].token, messages[again].options().observe()), (&first.token, Some(0)));
    let (_, response) = piggybacked(&messages[again..again + 2]);
    go_on(response, &messages[again + 2..], MessageType::Confirmable);
    assert!(table.responses().len() > shown + 3);
}

#[test]
fn td_coap_obs_05() {
    let (mut table, _, first) = observing("obs");
    table.run(WHILE);
    table.news();
    table.lose = Box::new(|wire| wire.from == CLIENT);
    table.run(Duration::from_secs(200));
    let messages = table.news();
    let sent = notifications(&messages);
    assert!((2..=6).contains(&sent.len()), "{}", sent.len());
    // What is repeated is the newest state, under a number of its own.
    assert!(sent.windows(2).any(|pair| pair[0].options().observe() != pair[1].options().observe()));
    assert!(sent.iter().all(|wire| wire.token == first.token));
    table.run(Duration::from_secs(60));
    assert!(notifications(&table.news()).is_empty());
}

#[test]
fn td_coap_obs_06() {
    let (mut table, _, _) = observing("obs");
    table.run(WHILE);
    table.news();
    let shown = table.shown.len();
    table.reboot_client();
    table.run(Duration::from_secs(30));
    let messages = table.news();
    let [notification, reset] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((reset.from, reset.message_type, reset.id), (CLIENT, MessageType::Reset, notification.id));
    assert_eq!(table.shown.len(), shown);
}

#[test]
fn td_coap_obs_07() {
    let (mut table, handle, first) = observing("obs");
    table.run(WHILE);
    table.news();
    table.ask(Request::new(Code::DELETE).path("obs"));
    table.run(Duration::from_secs(60));
    let messages = table.news();
    let last = messages.iter().find(|wire| wire.from == SERVER && wire.token == first.token).unwrap();
    assert_eq!((last.message_type, last.code), (MessageType::Confirmable, Code::NOT_FOUND));
    assert_eq!(last.options().observe(), None);
    assert!(notifications(&messages).is_empty());
    let ended = |action: &Action<u8>| matches!(action, Action::Response { handle: of, more: false, .. } if *of == handle);
    assert!(table.shown.iter().any(ended));
}

#[test]
fn td_coap_obs_08() {
    let (mut table, handle, first) = observing("obs");
    table.run(WHILE);
    table.news();
    let json = u64::from(ContentFormat::JSON.get());
    table.ask(Request::new(Code::PUT).path("obs").with_uint(OptionNumber::CONTENT_FORMAT, json).payload("1"));
    table.run(Duration::from_secs(60));
    let messages = table.news();
    let last = messages.iter().find(|wire| wire.from == SERVER && wire.token == first.token).unwrap();
    assert_eq!((last.message_type, last.code), (MessageType::Confirmable, Code::NOT_ACCEPTABLE));
    assert_eq!(last.options().observe(), None);
    assert!(notifications(&messages).is_empty());
    assert_eq!(table.response_to(handle).code, Code::NOT_ACCEPTABLE);
}

#[test]
fn td_coap_obs_09() {
    let (mut table, handle, first) = observing("obs");
    table.run(WHILE);
    table.news();
    table.ask(with_text(Code::PUT, "obs", "from a client"));
    table.run(Duration::from_secs(2));
    let messages = table.news();
    let notification = notifications(&messages)[0];
    assert_eq!((&notification.payload[..], &notification.token), (&b"from a client"[..], &first.token));
    assert_eq!(notification.message_type, MessageType::Confirmable);
    assert_eq!(table.response_to(handle).payload, "from a client");
}

#[test]
fn td_coap_obs_10() {
    let (mut table, _, first) = observing("obs");
    table.run(WHILE);
    table.news();
    table.ask(get("obs"));
    table.run(Duration::from_secs(1));
    let messages = table.news();
    let (request, response) = piggybacked(&messages);
    assert_ne!(request.token, first.token);
    assert_eq!((request.options().observe(), response.options().observe()), (None, None));
    assert_eq!(response.options().content_format(), first.options().content_format());
    table.run(WHILE);
    go_on(&first, &table.news(), MessageType::Confirmable);
}

#[test]
fn td_coap_obs_11() {
    let (mut table, _, first) = observing("obs");
    let mut number = 0;
    table.lose = Box::new(move |_| {
        number += 1;
        number % 3 == 1
    });
    table.run(Duration::from_secs(120));
    let messages = table.news();
    assert!(messages.iter().any(|wire| wire.lost));
    // Never two active at a time: a new message id only after the last one was acknowledged, or in the place of one that was
    // to be repeated.
    let mut active: Option<(u16, machine::Instant)> = None;
    for wire in messages.iter().filter(|wire| wire.options().observe().is_some() || wire.from == CLIENT) {
        match (wire.from, active) {
            (SERVER, Some((id, since))) if id != wire.id => {
                assert!(wire.at - since >= Duration::from_secs(2), "{wire:?}");
                active = Some((wire.id, wire.at));
            }
            (SERVER, None) => active = Some((wire.id, wire.at)),
            (CLIENT, Some((id, _))) if id == wire.id && !wire.lost => active = None,
            _ => {}
        }
    }
    assert!(notifications(&messages).iter().all(|wire| wire.token == first.token));
    assert!(table.responses().len() > 10);
}

#[test]
fn td_coap_obs_12() {
    let (mut table, handle, first) = observing("obs");
    table.run(WHILE);
    table.news();
    table.client.deregister(handle, table.now).unwrap();
    table.run(Duration::from_secs(1));
    let messages = table.news();
    let (request, response) = piggybacked(&messages[..2]);
    assert_eq!((&request.token, request.options().observe()), (&first.token, Some(1)));
    assert_eq!((response.code, response.options().observe()), (Code::CONTENT, None));
    let shown = table.shown.len();
    table.run(Duration::from_secs(60));
    assert!(table.news().is_empty());
    assert_eq!(table.shown.len(), shown);
}

/// A notification's first block, and the rest asked for without Observe under another token.
fn has_rest(first: &Wire, messages: &[Wire]) {
    let (_, more, exponent) = first.block2().unwrap();
    assert!(more && first.payload.len() == 16 << exponent);
    let rest = messages
        .iter()
        .find(|wire| {
            wire.at >= first.at && wire.from == CLIENT && wire.block2().is_some_and(|block| block.0 == 1)
        })
        .unwrap();
    assert_eq!(rest.options().observe(), None);
    assert_ne!(rest.token, first.token);
}

#[test]
fn td_coap_obs_13() {
    let (mut table, handle, _) = observing("obs-large");
    table.run(WHILE);
    let messages = table.log.clone();
    let found = notifications(&messages);
    assert!(found.len() > 3);
    for wire in found {
        has_rest(wire, &messages);
    }
    assert!(table.response_to(handle).payload.len() > 1024);
    assert!(table.responses().len() > 3, "whole ones only");
    assert!(table.failures().is_empty());
}

#[test]
fn td_coap_obs_14() {
    let (mut table, _, _) = observing("obs-pumping");
    table.run(Duration::from_secs(40));
    let messages = table.log.clone();
    let (large, small): (Vec<_>, Vec<_>) =
        notifications(&messages).into_iter().partition(|wire| wire.block2().is_some());
    assert!(large.len() > 1 && small.len() > 1, "{} and {}", large.len(), small.len());
    for wire in large {
        has_rest(wire, &messages);
    }
    let sizes: Vec<usize> = table.responses().iter().map(|response| response.payload.len()).collect();
    assert!(sizes.iter().any(|len| *len > 1024) && sizes.iter().any(|len| *len < 1024), "{sizes:?}");
}
