//! How far a long run came, on a terminal.

use std::io::{self, IsTerminal};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use recoup_engine::pipeline::Input;

/// A bar on a terminal, nothing elsewhere.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// What was read of each file.
    read: Vec<Arc<AtomicU64>>,
}

impl Progress {
    /// Nothing is shown.
    pub(crate) fn hidden() -> Self {
        Self { bar: ProgressBar::hidden(), read: Vec::new() }
    }

    /// The progress of reading some inputs. Time left is told where it is known how much there is.
    pub(crate) fn of(inputs: &[Input], to_terminal: bool) -> Self {
        if to_terminal || !io::stderr().is_terminal() {
            return Self::hidden();
        }
        let files: Option<Vec<_>> = inputs
            .iter()
            .map(|input| match input {
                Input::Portfolio(portfolio) => portfolio.progress().size.map(|size| (size, portfolio.progress())),
                Input::Records { .. } => None,
            })
            .collect();
        let files = files.unwrap_or_default();
        let size: u64 = files.iter().map(|(size, _)| size).sum();
        let (bar, form) = if size > 0 {
            (ProgressBar::new(size), "{spinner} {percent}% {bar:24} {msg}, {eta} left")
        } else {
            (ProgressBar::new_spinner(), "{spinner} {msg}, {elapsed}")
        };
        let style = ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = bar.with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, read: files.iter().map(|(_, progress)| Arc::clone(&progress.read)).collect() }
    }

    /// So many resources were answered so far.
    pub(crate) fn answered(&self, count: u64) {
        if self.bar.is_hidden() {
            return;
        }
        let millis = u64::try_from(self.bar.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let rate = count.saturating_mul(1000) / millis;
        self.bar.set_message(format!("{} resources, {} a second", HumanCount(count), HumanCount(rate)));
        if !self.read.is_empty() {
            self.bar.set_position(self.read.iter().map(|read| read.load(Ordering::Relaxed)).sum());
        }
    }

    /// Says something beside the bar.
    pub(crate) fn beside(&self, say: impl FnOnce()) {
        self.bar.suspend(say);
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
