//! Confirmable messages are repeated (RFC 7252 §4.2), and what ends that.

use super::*;
use crate::message::exchange::{Effect, Event as Change, Kind, State};

/// Runs a lonely Confirmable message to its end: when it went, and when it was given up, in seconds from the first.
fn lonely(node: &mut Node) -> (Vec<f64>, f64) {
    let start = node.now;
    let id = node.send_ok(1, CON_REQUEST);
    let first = node.sent_one();
    let mut times = Vec::new();
    times.push(0.0);
    loop {
        node.now = node.layer.next_deadline().unwrap();
        node.tick();
        let at = (node.now - start).as_secs_f64();
        for (to, datagram) in node.sent() {
            assert_eq!((to, &datagram), (1, &first));
            times.push(at);
        }
        if node.outcomes() == [Event::TimedOut(id)] {
            return (times, at);
        }
    }
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-4
}

/// Every state × event.
#[test]
fn state_event_table() {
    use Change::{
        Ack, Cancelled, Due, Exhausted, Rst, Settled, Superseded, TimeOut, Transmitted, Unreachable,
    };
    use Effect::{
        Nothing, Repeat, TellAcknowledged, TellExpired, TellReset, TellSent, TellTimedOut, TellUnreachable,
    };
    use State::{AwaitAck, AwaitResponse, Delayed, Ended, Rejectable, Waiting};
    let events = [
        Due,
        Transmitted(Kind::Confirmable),
        Transmitted(Kind::Request),
        Transmitted(Kind::Notification),
        Transmitted(Kind::Plain),
        TimeOut,
        Exhausted,
        Ack,
        Superseded,
        Rst,
        Settled,
        Cancelled,
        Unreachable,
    ];
    // In the order of the events; `None` for no change.
    let end = Some((Ended, Nothing));
    let lost = Some((Ended, TellUnreachable));
    let sent = [AwaitResponse, Rejectable, Ended].map(|state| Some((state, TellSent)));
    let reset = Some((Ended, TellReset));
    #[rustfmt::skip]
    let table = [
        (Delayed, [
            Some((Waiting, Nothing)), None, None, None, None, None, None, None, None, None, end, end, lost,
        ]),
        (Waiting, [
            None, Some((AwaitAck, Nothing)), sent[0], sent[1], sent[2], None, None, None, None, None, end, end, lost,
        ]),
        (AwaitAck, [
            None, None, None, None, None, Some((AwaitAck, Repeat)), Some((Ended, TellTimedOut)),
            Some((Ended, TellAcknowledged)), Some((Waiting, Nothing)), reset, end, end, lost,
        ]),
        (AwaitResponse, [
            None, None, None, None, None, Some((Rejectable, Nothing)), None, None, None, reset, end, end, lost,
        ]),
        (Rejectable, [
            None, None, None, None, None, Some((Ended, TellExpired)), None, None, None, reset, end, end, lost,
        ]),
        (Ended, [None; 13]),
    ];
    for (state, row) in table {
        for (event, expected) in events.into_iter().zip(row) {
            assert_eq!(state.on(event), expected.unwrap_or((state, Nothing)), "{state:?} × {event:?}");
        }
    }
}

#[test]
fn five_transmissions_at_doubling_intervals_and_the_last_interval_is_waited_out() {
    let mut first_timeouts = Vec::new();
    for seed in 0..50 {
        let mut node = Node::seeded(Transmission::default(), Limits::default(), seed);
        let (times, end) = lonely(&mut node);
        let timeout = times[1];
        assert!((2.0..=3.0).contains(&timeout), "{timeout}");
        let expected = [0.0, 1.0, 3.0, 7.0, 15.0].map(|factor| factor * timeout);
        assert_eq!(times.len(), 5);
        assert!(times.iter().zip(expected).all(|(&at, expected)| near(at, expected)), "{times:?}");
        assert!(near(end, 31.0 * timeout), "{end}");
        assert_eq!(node.counters.retransmitted, 4);
        first_timeouts.push(timeout);
    }
    first_timeouts.sort_by(f64::total_cmp);
    assert!(first_timeouts[0] < 2.2 && first_timeouts[49] > 2.8, "not random: {first_timeouts:?}");
}

#[test]
fn parameters_at_their_limits() {
    let cases = [
        (Transmission { max_retransmit: 0, ..Transmission::default() }, 1),
        (Transmission { max_retransmit: 1, ack_random_factor: 1000, ..Transmission::default() }, 2),
        (Transmission { max_retransmit: 40, ..Transmission::default() }, 32),
    ];
    for (transmission, transmissions) in cases {
        let mut node = Node::with(transmission, Limits::default());
        assert_eq!(lonely(&mut node).0.len(), transmissions);
    }
    let forever = Transmission { ack_timeout: Duration::MAX, ..Transmission::default() };
    let mut node = Node::with(forever, Limits::default());
    node.send_ok(1, CON_REQUEST);
    assert_eq!(node.layer.next_deadline(), Some(Instant::MAX));
    let hasty = Transmission { ack_timeout: Duration::ZERO, ..Transmission::default() };
    let mut node = Node::with(hasty, Limits::default());
    let id = node.send_ok(1, CON_REQUEST);
    node.tick();
    assert_eq!((node.sent().len(), node.outcomes()), (1, Vec::from([Event::TimedOut(id)])));
}

#[test]
fn a_late_tick_sends_once_and_does_not_shift_what_follows() {
    let mut node = Node::new();
    node.send_ok(1, CON_REQUEST);
    let start = node.now;
    let timeout = node.layer.next_deadline().unwrap() - start;
    node.sent();
    // Two time-outs (at T and 3T) pass unnoticed.
    node.now = start + timeout * 4;
    node.tick();
    assert_eq!(node.sent().len(), 1);
    assert_eq!(node.layer.next_deadline(), Some(start + timeout * 7));
    node.now = start + timeout * 7;
    node.tick();
    node.tick();
    assert_eq!(node.sent().len(), 1);
}

#[test]
fn two_transmissions_are_ack_timeout_apart() {
    let mut node = Node::new();
    node.send_ok(1, CON_REQUEST);
    let start = node.now;
    let timeout = node.layer.next_deadline().unwrap() - start;
    // The first repetition is so late that the second (at 3T) would follow within ACK_TIMEOUT.
    let late = start + (timeout * 3).saturating_sub(seconds(0.5));
    node.now = late;
    node.tick();
    assert_eq!(node.sent().len(), 2);
    assert_eq!(node.layer.next_deadline(), Some(late + seconds(2.0)));
    node.now = late + seconds(2.0);
    node.tick();
    assert_eq!(node.sent().len(), 1);
    assert_eq!(node.layer.next_deadline(), Some(start + timeout * 7));
}

#[test]
fn no_transmission_outside_max_transmit_span_however_late_the_ticks() {
    let mut node = Node::new();
    let id = node.send_ok(1, CON_REQUEST);
    let start = node.now;
    let timeout = node.layer.next_deadline().unwrap() - start;
    node.sent();
    node.now = start + seconds(45.1);
    node.tick();
    assert_eq!((node.sent(), node.outcomes()), (Vec::new(), Vec::new()));
    assert_eq!(node.layer.next_deadline(), Some(start + timeout * 31));
    node.now = start + seconds(1000.0);
    node.tick();
    assert_eq!((node.sent(), node.outcomes()), (Vec::new(), Vec::from([Event::TimedOut(id)])));
}

#[test]
fn each_way_to_end_stops_the_repetitions() {
    let ends: [fn(&mut Node, OutgoingId, u16); 5] = [
        |node, _, message_id| assert_eq!(node.receive(1, &empty(ACK, message_id)), Arrival::Nothing),
        |node, _, message_id| assert_eq!(node.receive(1, &empty(RST, message_id)), Arrival::Nothing),
        |node, id, _| node.layer.settle(id, node.now),
        |node, id, _| node.layer.cancel(id, node.now),
        |node, _, _| node.layer.unreachable(1, node.now),
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut node = Node::new();
        let id = node.send_ok(1, CON_REQUEST);
        let message_id = id_of(&node.sent_one());
        end(&mut node, id, message_id);
        let told =
            [Some(Event::Acknowledged(id)), Some(Event::Reset(id)), None, None, Some(Event::Unreachable(id))];
        assert_eq!(node.outcomes(), Vec::from_iter(told[number]));
        node.wait(seconds(300.0));
        assert_eq!((node.sent(), node.outcomes()), (Vec::new(), Vec::new()));
        // The id is over, and harmless.
        node.layer.settle(id, node.now);
        node.layer.cancel(id, node.now);
        assert!(!node.layer.replace(id, body(Code::GET, 1, b"")));
        assert_eq!(node.layer.next_deadline(), None);
    }
}

#[test]
fn a_replacement_continues_the_retransmission_with_a_message_id_of_its_own() {
    let mut node = Node::new();
    let id = node.send_ok(1, CON_NOTIFICATION);
    let start = node.now;
    let timeout = node.layer.next_deadline().unwrap() - start;
    let old = node.sent_one();
    assert!(node.layer.replace(id, body(Code::CONTENT, 1, b"newer")));
    assert!(node.layer.replace(id, body(Code::CONTENT, 1, b"newest")));
    assert_eq!(node.sent(), []);
    node.wait(timeout);
    let new = node.sent_one();
    assert_eq!((decode(&new).payload, type_of(&new)), (&b"newest"[..], CON));
    assert_ne!(id_of(&new), id_of(&old));
    assert_eq!(node.layer.next_deadline(), Some(start + timeout * 3));
    node.receive(1, &empty(ACK, id_of(&old)));
    assert_eq!((node.outcomes(), node.counters.unmatched), (Vec::new(), 1));
    node.receive(1, &empty(ACK, id_of(&new)));
    assert_eq!(node.outcomes(), [Event::Acknowledged(id)]);
}

#[test]
fn a_replacement_goes_from_the_start_when_the_older_datagram_is_acknowledged_first() {
    let mut node = Node::new();
    let id = node.send_ok(1, CON_NOTIFICATION);
    let old = node.sent_one();
    node.layer.replace(id, body(Code::CONTENT, 1, b"newer"));
    node.wait(seconds(1.0));
    node.receive(1, &empty(ACK, id_of(&old)));
    assert_eq!(node.events(), []);
    let new = node.sent_one();
    assert_eq!(decode(&new).payload, b"newer");
    node.receive(1, &empty(ACK, id_of(&new)));
    assert_eq!(node.outcomes(), [Event::Acknowledged(id)]);
}

#[test]
fn a_message_that_waits_is_replaced_at_once_and_one_that_is_never_repeated_not_at_all() {
    let mut node = Node::new();
    let first = node.send_ok(1, CON_NOTIFICATION);
    let second = node.send_ok(1, CON_NOTIFICATION);
    node.sent();
    assert!(node.layer.replace(second, body(Code::CONTENT, 1, b"newer")));
    node.layer.cancel(first, node.now);
    assert_eq!(decode(&node.sent_one()).payload, b"newer");
    let third = node.send_ok(1, NON_NOTIFICATION);
    assert!(!node.layer.replace(third, body(Code::CONTENT, 1, b"newer")));
}

#[test]
fn the_round_trip_time_is_that_of_messages_that_went_once() {
    let mut node = Node::new();
    assert_eq!(node.layer.round_trip(1), None);
    node.send_ok(1, CON_REQUEST);
    let message_id = id_of(&node.sent_one());
    node.wait(seconds(0.3));
    node.receive(1, &empty(ACK, message_id));
    assert_eq!(node.layer.round_trip(1), Some(seconds(0.3)));
    node.send_ok(1, CON_REQUEST);
    let message_id = id_of(&node.sent_one());
    node.wait(seconds(3.5));
    assert_eq!(node.sent().len(), 1);
    node.receive(1, &empty(ACK, message_id));
    assert_eq!(node.layer.round_trip(1), Some(seconds(0.3)));
}
