use machine::Instant;
use mqtt_core::{Action, Broker, Config, ConnectionId, Input};

/// A broker in a gateway: one turn of its loop, with every way in.
#[unsafe(no_mangle)]
pub fn no_std_mqtt_core(config: Config, seed: [u8; 32], now: Instant) -> Broker {
    Broker::new(config, seed, now)
}

#[unsafe(no_mangle)]
pub fn no_std_mqtt_core_open(broker: &mut Broker, now: Instant) -> Option<ConnectionId> {
    broker.open(now).ok()
}

#[unsafe(no_mangle)]
pub fn no_std_mqtt_core_turn(broker: &mut Broker, input: Input<'_>, now: Instant) -> (usize, Option<Action>) {
    let taken = broker.handle(input, now);
    (taken, broker.poll_action())
}

#[unsafe(no_mangle)]
pub fn no_std_mqtt_core_deadline(broker: &Broker) -> Option<Instant> {
    broker.next_deadline()
}

#[unsafe(no_mangle)]
pub fn no_std_mqtt_core_output(broker: &Broker, connection: ConnectionId) -> usize {
    broker.output(connection).map(<[u8]>::len).sum()
}
