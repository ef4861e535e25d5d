use core::time::Duration;

use crate::Transmission;

/// The transmission parameters with the derived times of RFC 7252 §4.8.2, computed once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) ack_timeout: Duration,
    pub(super) longest_ack_timeout: Duration,
    pub(super) max_retransmit: u32,
    pub(super) max_transmit_span: Duration,
    pub(super) exchange_lifetime: Duration,
    pub(super) non_lifetime: Duration,
    pub(super) nstart: u32,
    pub(super) probing_rate: u32,
}

/// More would double a time-out beyond any clock.
const MOST_RETRANSMISSIONS: u32 = 31;

impl Timing {
    pub(super) fn new(transmission: &Transmission) -> Self {
        Self {
            ack_timeout: transmission.ack_timeout,
            longest_ack_timeout: transmission.longest_ack_timeout(),
            max_retransmit: transmission.max_retransmit.min(MOST_RETRANSMISSIONS),
            max_transmit_span: transmission.max_transmit_span(),
            exchange_lifetime: transmission.exchange_lifetime(),
            non_lifetime: transmission.non_lifetime(),
            nstart: transmission.nstart.max(1),
            probing_rate: transmission.probing_rate,
        }
    }
}
