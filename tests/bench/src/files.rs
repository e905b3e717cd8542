//! The program, file to file: speed by format, size and threads, and the most memory it held.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use recoup_bench::Failure;
use recoup_bench::measure::{Figures, bytes_rate, median, rate, ratio};
use recoup_core::time::Zone;
use recoup_engine::Engine;
use recoup_generate::Generator;
use recoup_portfolio::write::{FactNames, Form, Writer};

use crate::portfolio::{generator, now};

const SMALLEST: usize = 10_000;
/// Whole files take seconds, so a few runs must do; of the largest, one.
const RUNS: usize = 3;
/// From as many records on, one run must do.
const LARGE: usize = 1_000_000;

/// From which format into which.
const WAYS: [(Form, &str, &str); 4] = [
    (Form::Ndjson, "ndjson", "ndjson"),
    (Form::Csv, "csv", "ndjson"),
    (Form::Parquet, "parquet", "ndjson"),
    (Form::Parquet, "parquet", "parquet"),
];

/// Where the files of a measurement are, and what they are made of.
struct Bench<'a> {
    dist: &'a Path,
    folder: &'a Path,
    generator: Generator,
}

impl Bench<'_> {
    /// The portfolio of so many records in a format, written once.
    fn portfolio(&self, form: Form, extension: &str, count: usize) -> Result<PathBuf, Failure> {
        let path = self.folder.join(format!("{count}.{extension}"));
        if path.exists() {
            return Ok(path);
        }
        let facts = FactNames { resources: self.generator.facts(), orders: self.generator.facts_of_orders() };
        let mut writer = Writer::new(form, BufWriter::new(File::create(&path)?), &facts)?;
        for resource in self.generator.resources(count as u64) {
            let zone = self.generator.zone_of(&resource.provider, resource.site.as_deref()).unwrap_or(Zone::UTC);
            writer.add(&resource, zone)?;
        }
        writer.finish()?;
        Ok(path)
    }

    fn assess(&self, portfolio: &Path, into: &str, threads: usize) -> Result<(Duration, u64), Failure> {
        let at = now().display(Zone::UTC).to_string();
        let mut command = Command::new(self.dist.join("recoup"));
        command.arg("assess").arg(portfolio).arg("--at").arg(at);
        command.arg("--accounts").arg(self.folder.join("accounts.json"));
        command.args(["--threads", &threads.to_string(), "-o"]).arg(self.folder.join(format!("out.{into}")));
        let start = Instant::now();
        let mut child = command.stderr(Stdio::null()).spawn()?;
        let mut peak = 0;
        loop {
            // The figure only grows, so the last one seen is the peak but for the final milliseconds.
            peak = peak_memory(child.id()).unwrap_or(0).max(peak);
            if let Some(status) = child.try_wait()? {
                let spent = start.elapsed();
                return if status.success() {
                    Ok((spent, peak))
                } else {
                    Err(format!("recoup ended with {status}").into())
                };
            }
            sleep(Duration::from_millis(2));
        }
    }
}

/// The most memory that a process has held so far, in KiB, where the system says.
fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

/// `recoup assess` from file to file, up to so many records.
pub(crate) fn files(engine: &Engine, dist: &Path, largest: usize, figures: &mut Figures) -> Result<(), Failure> {
    figures.table(
        &format!("files: recoup assess, all providers, medians of {RUNS} runs (one of the largest), wall clock"),
        "from, into, records, threads",
        &["seconds", "records", "read", "one thread", "peak MiB"],
    );
    let folder = tempfile::tempdir()?;
    let policies = engine.providers().into_iter().map(|provider| Ok(Arc::clone(engine.adapter(&provider)?.policy())));
    let generator = generator(&policies.collect::<Result<Vec<_>, Failure>>()?)?;
    let all: Vec<_> = generator.accounts().iter().map(|account| account.to_json(Zone::UTC)).collect();
    fs::write(folder.path().join("accounts.json"), serde_json::Value::from(all).to_string())?;
    let bench = Bench { dist, folder: folder.path(), generator };
    let sizes = std::iter::successors(Some(SMALLEST), |size| size.checked_mul(10)).take_while(|size| *size <= largest);
    for size in sizes {
        for (form, from, into) in WAYS {
            let portfolio = bench.portfolio(form, from, size)?;
            let bytes = fs::metadata(&portfolio)?.len();
            let mut alone = None;
            for threads in [1, 2] {
                let (mut times, mut peak) = (Vec::new(), 0);
                for _ in 0..if size < LARGE { RUNS } else { 1 } {
                    let (spent, memory) = bench.assess(&portfolio, into, threads)?;
                    times.push(spent);
                    peak = memory.max(peak);
                }
                let spent = median(times);
                let against = ratio(*alone.get_or_insert(spent), spent);
                let seconds = format!("{}.{:02}", spent.as_secs(), spent.subsec_millis() / 10);
                let cells = [seconds, rate(spent, size), bytes_rate(spent, bytes), against, (peak / 1024).to_string()];
                figures.line(&format!("{from}, {into}, {size}, {threads}"), spent, size, &cells);
            }
        }
    }
    Ok(())
}
