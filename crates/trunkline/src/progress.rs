//! Progress of long commands on standard error: a bar on a terminal, otherwise a line for each tenth.
//! Standard output holds the command's results only.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};

/// Smallest total whose progress is displayed; less is done within moments.
const MIN_TOTAL_SHOWN: u64 = 1_000;

/// Progress display of a command.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// Plural noun of the items, such as "calls".
    items: &'static str,
    /// True if lines are printed instead of a bar.
    prints_lines: bool,
}

impl Progress {
    /// Starts the display of `total` items.
    pub(crate) fn new(items: &'static str, total: u64) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let target = match on_terminal && total >= MIN_TOTAL_SHOWN {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let style =
            ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} {msg}, {eta}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(items);
        Self { bar, items, prints_lines: !on_terminal && total >= MIN_TOTAL_SHOWN }
    }

    /// Adds `count` finished items.
    pub(crate) fn add(&self, count: u64) {
        let before = self.bar.position();
        self.bar.inc(count);
        let done = self.bar.position();
        let total = self.bar.length().unwrap_or(0).max(1);
        if self.prints_lines && before * 10 / total < done * 10 / total {
            // The work goes on if standard error has been closed.
            writeln!(std::io::stderr(), "{done} of {total} {}", self.items).ok();
        }
    }

    /// Removes the bar.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
