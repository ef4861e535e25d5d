use core::time::Duration;

use machine::Random;

use crate::Transmission;

/// The transmission parameters with the derived times of RFC 7252 §4.8.2, computed once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timing {
    pub(super) ack_timeout: Duration,
    pub(super) longest_ack_timeout: Duration,
    /// Between these two, in microseconds.
    timeout_spread: u64,
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
        let longest_ack_timeout = transmission.longest_ack_timeout();
        let spread = longest_ack_timeout.saturating_sub(transmission.ack_timeout).as_micros();
        Self {
            ack_timeout: transmission.ack_timeout,
            longest_ack_timeout,
            timeout_spread: u64::try_from(spread).unwrap_or(u64::MAX),
            max_retransmit: transmission.max_retransmit.min(MOST_RETRANSMISSIONS),
            max_transmit_span: transmission.max_transmit_span(),
            exchange_lifetime: transmission.exchange_lifetime(),
            non_lifetime: transmission.non_lifetime(),
            nstart: transmission.nstart.max(1),
            probing_rate: transmission.probing_rate,
        }
    }

    /// A first time-out, random between `ACK_TIMEOUT` and `ACK_TIMEOUT` · `ACK_RANDOM_FACTOR` (RFC 7252 §4.2).
    pub(super) fn first_timeout(&self, random: &mut Random) -> Duration {
        let product = u128::from(self.timeout_spread) * u128::from(random.next_u32());
        self.ack_timeout + Duration::from_micros((product >> u32::BITS) as u64)
    }
}
