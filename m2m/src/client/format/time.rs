//! Times of day, as strftime writes them in the C locale.

use core::cell::OnceCell;
use core::time::Duration;
use std::io::Write;

use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The time zone of the system: of `TZ`, or `/etc/localtime`.
#[derive(Clone, Debug)]
pub(crate) struct Zone(TimeZone);

impl Zone {
    pub(crate) fn of_system() -> Self {
        Self(TimeZone::system())
    }

    #[cfg(test)]
    pub(crate) fn hours_east(hours: i8) -> Self {
        Self(TimeZone::fixed(jiff::tz::offset(hours)))
    }
}

/// The time at which a message is printed: one for all of its pieces.
pub(super) struct Moment<'a> {
    unix_time: Duration,
    zone: &'a Zone,
    zoned: OnceCell<Zoned>,
}

impl<'a> Moment<'a> {
    pub(super) fn new(unix_time: Duration, zone: &'a Zone) -> Self {
        Self { unix_time, zone, zoned: OnceCell::new() }
    }

    /// What strftime makes of the conversion; what it does not know stays as it is.
    pub(super) fn write(&self, out: &mut Vec<u8>, conversion: char) {
        let format = match conversion {
            'N' => &format!("{:09}", self.unix_time.subsec_nanos()),
            'c' => "%a %b %e %H:%M:%S %Y",
            'r' => "%I:%M:%S %p",
            'x' => "%m/%d/%y",
            'X' => "%H:%M:%S",
            'a' | 'A' | 'b' | 'B' | 'C' | 'd' | 'D' | 'e' | 'F' | 'g' | 'G' | 'h' | 'H' | 'I' | 'j' | 'k'
            | 'l' | 'm' | 'M' | 'n' | 'p' | 'P' | 'R' | 's' | 'S' | 't' | 'T' | 'u' | 'U' | 'V' | 'w'
            | 'W' | 'y' | 'Y' | 'z' | 'Z' => &format!("%{conversion}"),
            '%' => "%%",
            other => &format!("%%{other}"),
        };
        out.extend_from_slice(self.format(format).as_bytes());
    }

    /// `2016-08-10T09:47:38+0100`
    pub(super) fn iso8601(&self) -> String {
        self.format("%FT%T%z")
    }

    /// `2020-05-06T22:12:00.000000+0100`
    pub(super) fn timestamp(&self) -> String {
        format!("{}.{:06}{}", self.format("%FT%T"), self.unix_time.subsec_micros(), self.format("%z"))
    }

    /// `1470818943.786368637`
    pub(super) fn write_unix(&self, out: &mut Vec<u8>) {
        _ = write!(out, "{}.{:09}", self.unix_time.as_secs(), self.unix_time.subsec_nanos());
    }

    fn format(&self, format: &str) -> String {
        let zoned = self.zoned.get_or_init(|| {
            // Later than the year 9999, it is the last second of that.
            let timestamp = Timestamp::from_duration(self.unix_time.try_into().unwrap_or_default());
            timestamp.unwrap_or(Timestamp::MAX).to_zoned(self.zone.0.clone())
        });
        strtime::format(format, zoned).unwrap_or_default()
    }
}
