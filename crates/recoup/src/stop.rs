//! Ctrl-C: the first asks to stop and leaves what was written whole, the second ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::host::{Status, say};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Whether Ctrl-C asked to stop, from now on.
pub(crate) fn asked() -> &'static AtomicBool {
    let on_signal = || {
        if ASKED.swap(true, Ordering::Relaxed) {
            #[allow(clippy::exit, reason = "whoever asks twice does not want to wait")]
            std::process::exit(Status::Interrupted as i32);
        }
        say("stopping; once more to stop at once");
    };
    // Where the system takes no handler, Ctrl-C ends the program as it does any other.
    let _ = ctrlc::try_set_handler(on_signal);
    &ASKED
}
