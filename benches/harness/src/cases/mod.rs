//! What our crates do.

mod broker_fanout;
mod coap;
mod coap_exchange;
mod floor;
mod gateway_round;
mod mqtt;
mod mqttsn;
mod qos2_round;
mod topics;

use crate::Case;

pub use floor::floor;

/// Everything of ours, theme by theme.
pub fn ours() -> impl Iterator<Item = Case> {
    let themes: [fn() -> Vec<Case>; 12] = [
        mqtt::parse,
        mqtt::encode,
        coap::parse,
        coap::encode,
        mqttsn::parse,
        mqttsn::encode,
        topics::matching,
        topics::subscriptions,
        topics::retained,
        qos2_round::cases,
        coap_exchange::cases,
        || [gateway_round::cases(), broker_fanout::cases()].into_iter().flatten().collect(),
    ];
    themes.into_iter().flat_map(|cases| cases())
}
