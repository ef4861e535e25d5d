//! A gateway, strangers and an application without sense: no panic, no deadline left behind, nothing that grows.

use core::time::Duration;

use machine::{Instant, Random};
use mqttsn_codec::{
    Advertise, Delivery, Disconnect, GwInfo, MinusOneTopic, Packet, PingReq, Register, ReturnCode, SearchGw,
    SubscribeTopic, Topic,
};
use mqttsn_core::client::{Action, Client, Config, Input, Publication, PublishTopic, Will};

use crate::support::*;

const NAMES: [&str; 4] = ["a", "b/c", "w/+", ""];

/// A message of any kind, often one that fits.
fn message(random: &mut Random) -> Vec<u8> {
    let mut below = |bound: u64| random.below(bound) as u16;
    let number = 1 + below(6);
    let code = ReturnCode::new([0, 0, 0, 1, 2, 3, 9][usize::from(below(7))]);
    let about = [Topic::Id(topic(number)), Topic::Predefined(topic(number)), Topic::Short(short("ab"))];
    let about = about[usize::from(below(3))];
    let qos = [AtMostOnce, AtLeastOnce, ExactlyOnce][usize::from(below(3))];
    let name = NAMES[usize::from(below(4))];
    let topic_id = mqttsn_codec::TopicId::new(below(8));
    encoded(&match below(20) {
        0 => Packet::Advertise(Advertise { gateway_id: number as u8, duration: below(3) * 30 }),
        1 => Packet::SearchGw(SearchGw { radius: below(2) as u8 }),
        2 => Packet::GwInfo(GwInfo { gateway_id: number as u8, address: None }),
        3 => Packet::GwInfo(GwInfo { gateway_id: number as u8, address: Some(&[7]) }),
        4..=6 => Packet::ConnAck(code),
        7 => Packet::WillTopicReq,
        8 => Packet::WillMsgReq,
        9 => Packet::Register(Register { topic_id, message_id: id(number), topic_name: name }),
        10 => reg_ack(number, number, code),
        11 => publish(qos, number, about, below(2) == 0, "data"),
        12 => puback(number, number, if code.is_accepted() { ReturnCode::CONGESTION } else { code }),
        13 => [Packet::PubRec, Packet::PubRel, Packet::PubComp, Packet::UnsubAck][usize::from(below(4))](id(
            number,
        )),
        14 => suback(number, number, qos, code),
        15 => Packet::PingReq(PingReq { client_id: None }),
        16 => Packet::PingResp,
        17 => Packet::Disconnect(Disconnect { duration: None }),
        18 => Packet::WillTopicResp(code),
        _ => Packet::WillMsgResp(code),
    })
}

/// What a gateway would say to a message, more or less.
fn answer(sent: &[u8], random: &mut Random) -> Option<Vec<u8>> {
    let code = ReturnCode::new([0, 0, 0, 0, 0, 0, 1, 2, 3][random.below(9) as usize]);
    let answer = match Packet::decode(sent).ok()? {
        Packet::Connect(_) => Packet::ConnAck(code),
        Packet::Register(register) => reg_ack(register.message_id.get(), 5, code),
        Packet::Subscribe(subscribe) => suback(subscribe.message_id.get(), 5, subscribe.qos, code),
        Packet::Unsubscribe(unsubscribe) => Packet::UnsubAck(unsubscribe.message_id),
        Packet::Publish(publish) => match publish.delivery {
            Delivery::AtMostOnce => return None,
            Delivery::AtLeastOnce { message_id, .. } => puback(message_id.get(), 5, code),
            Delivery::ExactlyOnce { message_id, .. } => Packet::PubRec(message_id),
        },
        Packet::PubRel(id) => Packet::PubComp(id),
        Packet::PingReq(_) => Packet::PingResp,
        Packet::Disconnect(_) => Packet::Disconnect(Disconnect { duration: None }),
        _ => return None,
    };
    Some(encoded(&answer))
}

fn wish(client: &mut Client<u8>, random: &mut Random, now: Instant) {
    let name = NAMES[random.below(4) as usize];
    let qos = [AtMostOnce, AtLeastOnce, ExactlyOnce][random.below(3) as usize];
    let topic =
        [PublishTopic::Name(name), PublishTopic::Short(short("ab")), PublishTopic::Predefined(topic(3))];
    let topic = topic[random.below(3) as usize];
    match random.below(12) {
        0 | 1 => _ = client.connect(now),
        2 => client.disconnect(now),
        3 => _ = client.sleep(random.below(60) as u16, now),
        4 => _ = client.check(now),
        5 => _ = client.wake(now),
        6 => _ = client.subscribe(SubscribeTopic::Name(name), qos, now),
        7 => _ = client.unsubscribe(SubscribeTopic::Name(name), now),
        8 => _ = client.register(name, now),
        9 => {
            let will = Will { topic: "w".into(), message: b"m".to_vec(), qos, retain: false };
            _ = client.update_will(random.chance(1, 2).then_some(will), now);
        }
        10 => {
            client.search(now);
            _ = client.publish_minus_one(9, MinusOneTopic::Predefined(crate::support::topic(3)), false, b"");
        }
        _ => _ = client.publish(&Publication { topic, qos, retain: false, data: b"data" }, now),
    }
}

fn course(seed: u64) -> Vec<Action<u8>> {
    let mut random = Random::from_u64(seed);
    let gateways = (1..=random.below(3) as u8).collect();
    let config = Config {
        gateways,
        discovery: random.chance(1, 2),
        clean_session: random.chance(1, 2),
        keep_alive: random.below(3) as u16 * 20,
        max_queued: 5,
        max_requests: 5,
        max_topics: 3,
        max_subscriptions: 3,
        reconnect: random.chance(3, 4),
        queue_qos0: random.chance(1, 2),
        retry_interval: Duration::from_secs(random.below(3)),
        congestion_wait: Duration::from_secs(random.below(3)),
        ..config()
    };
    let mut now = Instant::from_micros(1);
    let mut client = Client::new(config, seed, now);
    let (mut actions, mut last) = (Vec::new(), Vec::new());
    for _ in 0..400 {
        match random.below(10) {
            0..=3 => {
                let from = client.gateway().copied().filter(|_| random.chance(9, 10)).unwrap_or(7);
                let sensible = if random.chance(1, 2) { answer(&last, &mut random) } else { None };
                let mut datagram = sensible.unwrap_or_else(|| message(&mut random));
                if random.chance(1, 20) {
                    datagram.truncate(random.below(6) as usize);
                }
                client.handle(Input::Datagram { from, datagram: &datagram }, now);
            }
            4..=6 => wish(&mut client, &mut random, now),
            _ => {
                let due = client.next_deadline().map_or(Duration::ZERO, |at| at - now);
                now += if random.chance(2, 3) { due } else { random.between(Duration::ZERO, secs(30)) };
                client.handle(Input::Tick, now);
                assert!(
                    client.next_deadline().is_none_or(|next| next > now),
                    "seed {seed}: a deadline is left behind"
                );
            }
        }
        let before = actions.len();
        while let Some(action) = client.poll_action() {
            if let Action::Send { datagram, .. } | Action::Broadcast { datagram, .. } = &action {
                assert!(Packet::decode(datagram).is_ok(), "seed {seed}: {datagram:?}");
                last = datagram.to_vec();
            }
            actions.push(action);
        }
        assert!(actions.len() - before < 100, "seed {seed}: one event, {} actions", actions.len() - before);
        assert!(client.unfinished() <= 6 + 1, "seed {seed}");
    }
    actions
}

#[test]
fn two_thousand_senseless_courses() {
    let mut seen = std::collections::BTreeMap::<String, u32>::new();
    for seed in 0..2000 {
        for action in course(seed) {
            let text = match action {
                Action::Completed { outcome, .. } => format!("{outcome:?}"),
                Action::Disconnected { reason, .. } => format!("{reason:?}"),
                other => format!("{other:?}"),
            };
            let kind = text.split([' ', '(']).next().unwrap_or_default();
            *seen.entry(kind.to_owned()).or_default() += 1;
        }
    }
    // Every action, outcome and reason: two actions are counted by what they say, and one is called as a reason is.
    assert_eq!(seen.len(), 10 - 2 - 1 + 9 + 4, "{seen:?}");
    assert!(seen.values().all(|times| *times > 100), "{seen:?}");
}

#[test]
fn the_same_seed_gives_the_same_actions() {
    for seed in 0..20 {
        assert_eq!(course(seed), course(seed));
    }
}
