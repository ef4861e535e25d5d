use machine::Instant;
use mqttsn_core::forwarder::{self, Forwarder};
use mqttsn_core::gateway::{Action, Config, Gateway, Input, UpstreamId};

/// A gateway: one turn of its loop, with every way in.
#[unsafe(no_mangle)]
pub fn no_std_mqttsn_gateway(config: Config, seed: u64, now: Instant) -> Gateway<u16> {
    Gateway::new(config, seed, now)
}

#[unsafe(no_mangle)]
pub fn no_std_mqttsn_gateway_turn(
    gateway: &mut Gateway<u16>,
    input: Input<'_, u16>,
    now: Instant,
) -> Option<Action<u16>> {
    gateway.handle(input, now);
    gateway.poll_action()
}

#[unsafe(no_mangle)]
pub fn no_std_mqttsn_gateway_deadline(gateway: &Gateway<u16>) -> Option<Instant> {
    gateway.next_deadline()
}

#[unsafe(no_mangle)]
pub fn no_std_mqttsn_gateway_output(gateway: &Gateway<u16>, upstream: UpstreamId) -> usize {
    gateway.output(upstream).map(<[u8]>::len).sum()
}

/// A forwarder beside it.
#[unsafe(no_mangle)]
pub fn no_std_mqttsn_forwarder_turn(
    forwarder: &mut Forwarder<u16>,
    input: forwarder::Input<'_, u16>,
    now: Instant,
) -> Option<forwarder::Action<u16>> {
    forwarder.handle(input, now);
    forwarder.poll_action()
}
