//! Nothing is lost and nothing is done twice, however often the process dies.
//!
//! `RECOUP_KILLS` says how many deaths on each store; `RECOUP_SEED` replays one run.
#![allow(
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::fresh;
use common::kills::{Dice, PROVIDER, STORE, child, survive};

/// Is the child of `a_batch_survives_every_death`, and nothing by itself.
#[test]
fn the_child() {
    let (Ok(store), Some(provider)) = (std::env::var(STORE), std::env::var_os(PROVIDER)) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(child(&store, provider.as_ref()));
}

#[tokio::test]
async fn a_batch_survives_every_death() {
    if std::env::var(STORE).is_ok() {
        return;
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let wanted = number("RECOUP_KILLS").unwrap_or(150);
    let mut seed = number("RECOUP_SEED").unwrap_or(1);
    let mut deaths: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    loop {
        for place in fresh().await {
            let done = deaths.entry(place.kind).or_default();
            if *done >= wanted {
                continue;
            }
            eprintln!("seed {seed} on {}: {done} deaths so far", place.kind);
            let survived = survive(&place.address, 60, &mut Dice(seed), |command| {
                command.args(["--exact", "the_child", "--nocapture", "--test-threads=1"])
            })
            .await;
            *done += u64::from(survived.kills);
        }
        seed += 1;
        if deaths.values().all(|done| *done >= wanted) {
            break;
        }
    }
    eprintln!("deaths survived: {deaths:?}");
}
