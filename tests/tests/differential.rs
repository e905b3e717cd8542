//! Reference, linked adapter, loaded adapter, owned records, Arrow rows, every form of file and any number of threads
//! say the same of generated resources. `RECOUP_DIFFERENTIAL=N` takes N of them, from the seed `RECOUP_SEED` on
//! (`cargo xtask soak --differential`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says how many it took"
)]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant as Clock;

use recoup_core::time::{Instant, Span, Zone};
use recoup_engine::Engine;
use recoup_plugin::host::PluginDir;
use recoup_portfolio::write::Form;
use recoup_tests::differential::{Bench, Disagreement, OF_REFERENCE, Opinions, Reading};
use recoup_tests::dist;

/// Resources that are taken through everything at once, in a run of the tests and in a long one.
const STRETCH: [u64; 2] = [400, 8_192];
/// Resources in a run of the tests.
const FEW: u64 = 2_400;
/// Disagreements after which a run ends: they are likely to be the same one.
const ENOUGH: usize = 60;

const READINGS: &[Reading] = &[
    Reading { form: Form::Ndjson, threads: 1 },
    Reading { form: Form::Parquet, threads: 2 },
    Reading { form: Form::Csv, threads: 3 },
    Reading { form: Form::Json, threads: 8 },
    Reading { form: Form::Parquet, threads: 1 },
    Reading { form: Form::Ndjson, threads: 5 },
];

/// The instant of a stretch: days of today's rules, and the edges of editions, from which older rules are met too.
fn instant(stretch: u64, edges: &[Instant]) -> Instant {
    const OFTEN: &[&str] =
        &["2026-03-05T12:00:00Z", "2025-11-30T15:59:59Z", "2024-02-29T07:30:00Z", "2026-12-31T16:00:00Z"];
    match stretch % 3 {
        0 | 1 => Instant::parse(OFTEN[(stretch / 3) as usize % OFTEN.len()], Zone::UTC).unwrap(),
        _ => edges[(stretch * 7 + 3) as usize % edges.len()] + Span::seconds([0, -1, 1][(stretch / 3) as usize % 3]),
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().unwrap_or_else(|_| panic!("{name}: expected a number")))
}

#[derive(Default)]
struct Tally {
    taken: u64,
    opinions: Opinions,
    found: Vec<Disagreement>,
}

#[test]
fn all_paths_and_the_reference_say_the_same() {
    let (count, seed) = (number("RECOUP_DIFFERENTIAL", FEW), number("RECOUP_SEED", 1));
    let length = STRETCH[usize::from(count > FEW)];
    let bench = Bench::new(Some(Engine::from_plugins(PluginDir::open(&dist().join("plugins")).unwrap())));
    let edges = bench.edges();
    let began = Clock::now();
    let (next, tally) = (AtomicU64::new(0), Mutex::new(Tally::default()));
    let work = || {
        loop {
            let stretch = next.fetch_add(1, Ordering::Relaxed);
            let rest = count.saturating_sub(stretch * length);
            if rest == 0 || tally.lock().unwrap().found.len() >= ENOUGH {
                break;
            }
            // Every second stretch is of what the reference has figures for.
            let only = if stretch % 2 == 0 { OF_REFERENCE } else { &[] };
            let trial = bench.trial(seed + stretch, instant(stretch, &edges), only);
            let reading = READINGS[stretch as usize % READINGS.len()];
            let (disagreements, said) = trial.disagreements(0..length.min(rest), reading);
            let mut tally = tally.lock().unwrap();
            for disagreement in &disagreements {
                println!("{disagreement}");
            }
            tally.found.extend(disagreements);
            tally.opinions.exits += said.exits;
            tally.opinions.figures += said.figures;
            tally.taken += length.min(rest);
            if stretch % 20 == 19 {
                let (taken, found) = (tally.taken, tally.found.len());
                println!("{taken} resources, {found} disagreements, {} s", began.elapsed().as_secs());
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    let Tally { taken, opinions, found } = tally.into_inner().unwrap();
    println!(
        "{taken} resources on every path, seeds {seed} to {}, {} exits and {} figures of the reference, {} disagreements, {} s",
        seed + count.div_ceil(length) - 1,
        opinions.exits,
        opinions.figures,
        found.len(),
        began.elapsed().as_secs()
    );
    assert!(opinions.figures > 0, "the reference gave no figure");
    assert!(found.is_empty(), "{} disagreements, see above", found.len());
}
