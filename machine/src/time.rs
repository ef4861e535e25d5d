use core::fmt;
use core::num::NonZeroU64;
use core::ops::{Add, AddAssign, Sub};
use core::time::Duration;

/// A point in time: whole microseconds since an epoch that the host picks.
///
/// Eight bytes, also inside an `Option`. Arithmetic saturates at both ends: a deadline computed from an absurd span
/// lies in the far future (584 000 years) instead of in the past.
///
/// ```
/// use core::time::Duration;
/// use machine::Instant;
///
/// let start = Instant::from_micros(5);
/// let later = start + Duration::from_millis(2);
/// assert_eq!(later - start, Duration::from_millis(2));
/// assert_eq!(start - later, Duration::ZERO);
/// assert_eq!(size_of::<Option<Instant>>(), 8);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(NonZeroU64);

impl Instant {
    /// The epoch: the earliest instant.
    pub const EPOCH: Self = Self(NonZeroU64::MIN);
    /// The last instant; what arithmetic saturates to.
    pub const MAX: Self = Self(NonZeroU64::MAX);

    /// The instant that many microseconds after the epoch.
    #[inline]
    pub const fn from_micros(micros: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(micros))
    }

    /// Microseconds since the epoch.
    #[inline]
    pub const fn as_micros(self) -> u64 {
        self.0.get() - 1
    }

    /// The span from `earlier` to `self`; zero when `earlier` is later.
    #[inline]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.get().saturating_sub(earlier.0.get()))
    }
}

/// Saturates at [`Instant::MAX`]; a part of a microsecond is rounded up, so that a deadline is never early.
impl Add<Duration> for Instant {
    type Output = Self;

    #[inline]
    fn add(self, span: Duration) -> Self {
        // Without the 128-bit division of `Duration::as_nanos`: deadlines are made with every message.
        let whole = span.as_secs().saturating_mul(1_000_000);
        let micros = whole.saturating_add(u64::from(span.subsec_nanos().div_ceil(1000)));
        Self(self.0.saturating_add(micros))
    }
}

impl AddAssign<Duration> for Instant {
    #[inline]
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

/// The span between two instants; zero when the right one is later.
impl Sub for Instant {
    type Output = Duration;

    #[inline]
    fn sub(self, earlier: Self) -> Duration {
        self.saturating_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.as_micros();
        write!(f, "{}.{:06}s", micros / 1_000_000, micros % 1_000_000)
    }
}
