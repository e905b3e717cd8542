//! Figures for `cargo xtask soak`: cases a second on each store, and deaths survived.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "it fails by panicking, and prints figures"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::kills::{Dice, PROVIDER, STORE, child, survive};
use common::*;
use recoup_cases::flow::Execution;
use recoup_cases::store::{Store, open};

/// Whole cases of one line, one after the other, for so long.
async fn throughput(address: &str, seconds: u64) -> (u32, u32) {
    let store: Arc<dyn Store> = Arc::new(open(address).await.unwrap());
    let flows = flows(&store);
    let begun = Instant::now();
    let mut cases = 0_u32;
    while begun.elapsed() < Duration::from_secs(seconds) {
        let id = quoted(&flows, vec![line(&format!("r-{cases}"))]).await;
        flows.confirm(&act(1), &id, &yes()).await.unwrap();
        flows.execute(&act(1), &id, &Execution::default(), &Provider::default()).await.unwrap();
        cases += 1;
    }
    let millis = u32::try_from(begun.elapsed().as_millis()).unwrap();
    holds(&flows).await;
    store.close().await;
    (cases, millis)
}

/// Kills for so long.
async fn deaths(kind: &str, seconds: u64, seed: &mut u64) {
    let begun = Instant::now();
    let (mut kills, mut lines, mut batches) = (0, 0, 0);
    while begun.elapsed() < Duration::from_secs(seconds) {
        let place = fresh().await.into_iter().find(|place| place.kind == kind).unwrap();
        let survived = survive(&place.address, 60, &mut Dice(*seed), |command| command).await;
        *seed += 1;
        kills += survived.kills;
        lines += survived.lines;
        batches += survived.batches;
    }
    println!("{kind}: {kills} kills survived in {batches} batches of {lines} lines; nothing lost, nothing done twice");
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    if let (Ok(store), Some(provider)) = (std::env::var(STORE), std::env::var_os(PROVIDER)) {
        return runtime.block_on(child(&store, provider.as_ref()));
    }
    let seconds: u64 = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(20);
    runtime.block_on(async {
        let kinds: Vec<&str> = fresh().await.iter().map(|place| place.kind).collect();
        let share = (seconds / (2 * kinds.len() as u64)).max(1);
        let mut seed = 1;
        for kind in kinds {
            let place = fresh().await.into_iter().find(|place| place.kind == kind).unwrap();
            let (cases, millis) = throughput(&place.address, share).await;
            println!(
                "{kind}: {} cases a second ({cases} from quote to execution in {millis} ms)",
                u64::from(cases) * 1000 / u64::from(millis.max(1))
            );
            deaths(kind, share, &mut seed).await;
        }
    });
}
