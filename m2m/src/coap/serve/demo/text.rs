//! Texts that the demo shows.

use core::fmt::Write;

use coap_codec::Options;

/// Rows of 64 bytes: several blocks of any size.
pub(super) const LARGE: usize = 50;
pub(super) const LARGE_SIZE: usize = LARGE * 64;
/// Two blocks of the largest size and a bit: three.
const THREE_BLOCKS: usize = 2 * 1024 + 1;

pub(super) fn rows(count: usize) -> String {
    let mut text = String::with_capacity(count * 64);
    for row in 1..=count {
        _ = writeln!(text, "{row:4}: Five quacking zephyrs jolt my wax bed, as they did today.");
    }
    text
}

/// One argument a line.
pub(super) fn query(options: Options<'_>) -> String {
    let mut text = String::from("The query has these arguments:\n");
    for argument in options.uri_query() {
        _ = writeln!(text, "{}", String::from_utf8_lossy(argument));
    }
    text
}

/// In capitals, and long enough.
pub(super) fn capitals(payload: &[u8]) -> String {
    let once =
        String::from_utf8_lossy(if payload.is_empty() { b"nothing\n" } else { payload }).to_uppercase();
    once.repeat(THREE_BLOCKS.div_ceil(once.len()).max(1))
}

/// A decimal number; nothing is 0.
pub(super) fn number(text: &[u8]) -> Option<i64> {
    match core::str::from_utf8(text).ok()?.trim() {
        "" => Some(0),
        digits => digits.parse().ok(),
    }
}

/// As libcoap shows it: `Nov 26 18:22:57`, UTC.
pub(super) fn time_of_day(unix: i64) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, second) = (unix.div_euclid(86_400), unix.rem_euclid(86_400));
    // Years that begin in March, in eras of 400 years, from 0000-03-01: leap days come last.
    let of_era = (days.saturating_add(719_468)).rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let name = usize::try_from((month + 2) % 12).ok().and_then(|month| MONTHS.get(month)).unwrap_or(&"?");
    format!("{name} {day:02} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}
