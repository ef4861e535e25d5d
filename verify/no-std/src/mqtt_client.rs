use machine::Instant;
use mqtt_codec::{Properties, ReasonCode, SubscriptionOptions};
use mqtt_core::Publication;
use mqtt_core::client::{Action, Client, Config, Handle, Input};

/// A sensor that speaks MQTT: one turn of its loop, with what an application does at any QoS.
#[unsafe(no_mangle)]
pub fn no_std_mqtt_client(config: Config, seed: u64, now: Instant) -> Client {
    Client::new(config, seed, now)
}

#[unsafe(no_mangle)]
pub fn no_std_mqtt_client_turn(client: &mut Client, input: Input<'_>, now: Instant) -> Option<Action> {
    client.handle(input, now);
    client.poll_action()
}

#[unsafe(no_mangle)]
pub fn no_std_mqtt_client_deadline(client: &Client) -> Option<Instant> {
    client.next_deadline()
}

#[unsafe(no_mangle)]
pub fn no_std_mqtt_client_output(client: &Client) -> usize {
    client.output().map(<[u8]>::len).sum()
}

#[unsafe(no_mangle)]
pub fn no_std_mqtt_client_connect(client: &mut Client, now: Instant) {
    client.connect(now);
}

#[unsafe(no_mangle)]
pub fn no_std_mqtt_client_disconnect(client: &mut Client, now: Instant) {
    client.disconnect(ReasonCode::NORMAL_DISCONNECTION, Properties::NONE, now);
}

#[unsafe(no_mangle)]
pub fn no_std_mqtt_client_publish(
    client: &mut Client,
    publication: &Publication<'_>,
    now: Instant,
) -> Option<Handle> {
    client.publish(publication, now).ok()
}

#[unsafe(no_mangle)]
pub fn no_std_mqtt_client_subscribe(client: &mut Client, filter: &str, now: Instant) -> Option<Handle> {
    client.subscribe(&[(filter, SubscriptionOptions::default())], Properties::NONE, now).ok()
}
