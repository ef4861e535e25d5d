use machine::Instant;
use mqttsn_codec::{QoS, SubscribeTopic};
use mqttsn_core::client::{Action, Client, Config, Handle, Input, Publication};

/// A sensor: one turn of its loop, with what an application does.
#[unsafe(no_mangle)]
pub fn no_std_mqttsn_client(config: Config<u16>, seed: u64, now: Instant) -> Client<u16> {
    Client::new(config, seed, now)
}

#[unsafe(no_mangle)]
pub fn no_std_mqttsn_client_turn(
    client: &mut Client<u16>,
    input: Input<'_, u16>,
    now: Instant,
) -> Option<Action<u16>> {
    client.handle(input, now);
    client.poll_action()
}

#[unsafe(no_mangle)]
pub fn no_std_mqttsn_client_deadline(client: &Client<u16>) -> Option<Instant> {
    client.next_deadline()
}

#[unsafe(no_mangle)]
pub fn no_std_mqttsn_client_connect(client: &mut Client<u16>, sleep: Option<u16>, now: Instant) -> bool {
    match sleep {
        None => client.connect(now).is_ok(),
        Some(seconds) => client.sleep(seconds, now).is_ok(),
    }
}

#[unsafe(no_mangle)]
pub fn no_std_mqttsn_client_publish(
    client: &mut Client<u16>,
    publication: &Publication<'_>,
    now: Instant,
) -> Option<Handle> {
    client.publish(publication, now).ok()
}

#[unsafe(no_mangle)]
pub fn no_std_mqttsn_client_subscribe(
    client: &mut Client<u16>,
    topic: SubscribeTopic<'_>,
    now: Instant,
) -> Option<Handle> {
    client.subscribe(topic, QoS::AtLeastOnce, now).ok()
}
