//! A bar on the terminal for what takes its time.

use indicatif::{ProgressBar, ProgressStyle};

use super::source::Extent;

/// A single message below this is gone before anybody could look.
const WORTHWHILE: u64 = 1 << 20;

/// Shown on standard error if that is a terminal.
pub(crate) struct Progress {
    extent: Extent,
    bar: ProgressBar,
}

/// How far it is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Position {
    /// Bytes that have left.
    pub(crate) sent: u64,
    /// Bytes of input that were published.
    pub(crate) read: u64,
    /// Messages that are delivered.
    pub(crate) delivered: u64,
}

impl Progress {
    pub(crate) fn new(extent: Extent, quiet: bool) -> Self {
        let (length, template) = match extent {
            _ if quiet => (None, ""),
            Extent::Bytes(0..WORTHWHILE) | Extent::Typed => (None, ""),
            Extent::Bytes(bytes) | Extent::Lines(bytes) => {
                (Some(bytes), "{wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}")
            }
            Extent::Messages(messages) => (Some(messages), "{wide_bar} {pos}/{len} messages {per_sec} {eta}"),
            Extent::Unknown => (None, "{pos} messages {per_sec} {elapsed}"),
        };
        let bar = if template.is_empty() { ProgressBar::hidden() } else { ProgressBar::no_length() };
        if let Some(length) = length {
            bar.set_length(length);
        }
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self { extent, bar }
    }

    pub(crate) fn show(&self, position: Position) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_position(match self.extent {
            Extent::Bytes(bytes) => position.sent.min(bytes),
            Extent::Lines(bytes) => position.read.min(bytes),
            Extent::Messages(_) | Extent::Unknown | Extent::Typed => position.delivered,
        });
    }

    /// The last state stays to be seen.
    pub(crate) fn finish(&self) {
        self.bar.abandon();
    }
}
