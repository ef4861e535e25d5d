//! A bar on the terminal for bodies in many blocks.

use indicatif::{ProgressBar, ProgressStyle};

/// Shown on standard error if that is a terminal, from the second block on.
#[derive(Default)]
pub(super) struct Progress {
    bar: Option<(bool, ProgressBar)>,
    hidden: bool,
}

impl Progress {
    pub(super) fn new(hidden: bool) -> Self {
        Self { bar: None, hidden }
    }

    pub(super) fn show(&mut self, bytes: usize, total: Option<usize>, upload: bool) {
        if self.hidden {
            return;
        }
        if self.bar.as_ref().is_none_or(|(direction, _)| *direction != upload) {
            self.clear();
            self.bar = Some((upload, bar(upload, total.is_some())));
        }
        let Some((_, bar)) = &self.bar else { return };
        if let Some(total) = total {
            bar.set_length(total as u64);
        }
        bar.set_position(bytes as u64);
    }

    /// Leaves the terminal to others.
    pub(super) fn clear(&mut self) {
        if let Some((_, bar)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn bar(upload: bool, known: bool) -> ProgressBar {
    let template = match (upload, known) {
        (true, true) => "sending {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}",
        (true, false) => "sending {binary_bytes} {binary_bytes_per_sec} {elapsed}",
        (false, true) => {
            "receiving {wide_bar} {binary_bytes}/{binary_total_bytes} {binary_bytes_per_sec} {eta}"
        }
        (false, false) => "receiving {binary_bytes} {binary_bytes_per_sec} {elapsed}",
    };
    let bar = ProgressBar::no_length();
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
