//! The peers: every one of them does what ours does, on the same bytes.

mod bytes_readers;
mod coap;
mod mqtt_packets;
mod mqttsn;
mod qos2_round;
mod slice_readers;
mod topics;

use harness::Case;

/// The floor and the peers.
pub fn cases() -> Vec<Case> {
    let mut cases = harness::cases::floor();
    cases.extend(bytes_readers::cases());
    cases.extend(slice_readers::cases());
    cases.extend(coap::cases());
    cases.extend(mqttsn::cases());
    cases.extend(topics::cases());
    cases.extend(qos2_round::cases());
    cases
}
