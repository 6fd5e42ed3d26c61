//! How far a long command is: a bar on a terminal, a line now and then elsewhere. On standard error,
//! so that what a command answers stays alone on standard output.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::{IsTerminal, Write};

/// Less than this is done before anyone looks.
const LONG: u64 = 1_000;

/// How far a command is.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    /// What is counted: "calls".
    what: &'static str,
    /// Whether lines are written in the place of a bar.
    by_lines: bool,
}

impl Progress {
    /// Of so many things, none is done.
    pub(crate) fn new(what: &'static str, total: u64) -> Self {
        let on_terminal = std::io::stderr().is_terminal();
        let target = match on_terminal && total >= LONG {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let bar = ProgressBar::with_draw_target(Some(total), target);
        let style =
            ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} {msg}, {eta}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(what);
        Self { bar, what, by_lines: !on_terminal && total >= LONG }
    }

    /// So many more are done.
    pub(crate) fn add(&self, more: u64) {
        let before = self.bar.position();
        self.bar.inc(more);
        let (done, total) = (self.bar.position(), self.bar.length().unwrap_or(0).max(1));
        if self.by_lines && before * 10 / total < done * 10 / total {
            // Whoever reads may have gone: the work goes on.
            let _told = writeln!(std::io::stderr(), "{done} of {total} {}", self.what);
        }
    }

    /// All is done: the bar goes away.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
