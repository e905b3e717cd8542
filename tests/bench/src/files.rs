//! The program, file to file: speed by threads, and memory by the size of the file.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use recoup_core::time::Zone;

use crate::Failure;
use crate::generate::{PROVIDERS, accounts, now, resource};
use crate::measure::{line, median, rate, title};

const LARGE: usize = 200_000;
const SMALL: usize = 20_000;
/// Whole files take seconds, so a few runs must do.
const RUNS: usize = 3;

fn write_portfolio(path: &Path, count: usize) -> Result<(), Failure> {
    let mut out = BufWriter::new(fs::File::create(path)?);
    for number in 0..count {
        let Some(profile) = PROVIDERS.get(number % PROVIDERS.len()) else { continue };
        writeln!(out, "{}", resource(profile, number as u64).to_json(Zone::UTC))?;
    }
    Ok(out.flush()?)
}

/// The most memory that a process has held so far, in KiB, where the system says.
fn peak_memory(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix(" kB")?.parse().ok()
}

fn assess(dist: &Path, folder: &Path, portfolio: &Path, threads: usize) -> Result<(Duration, u64), Failure> {
    let at = now().display(Zone::UTC).to_string();
    let mut command = Command::new(dist.join("recoup"));
    command.arg("assess").arg(portfolio).arg("--at").arg(at).arg("--accounts").arg(folder.join("accounts.json"));
    command.args(["--format", "ndjson", "--threads", &threads.to_string(), "-o"]).arg(folder.join("out.ndjson"));
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

/// `recoup assess` from file to file.
pub(crate) fn files(dist: &Path) -> Result<(), Failure> {
    title(&format!("files: recoup assess, NDJSON to NDJSON, medians of {RUNS} runs, wall clock"));
    line("records, threads", &["seconds", "records", "peak MiB"].map(str::to_owned));
    let folder = tempfile::tempdir()?;
    let folder = folder.path();
    let all: Vec<_> = PROVIDERS.iter().flat_map(accounts).map(|account| account.to_json(Zone::UTC)).collect();
    fs::write(folder.join("accounts.json"), serde_json::Value::from(all).to_string())?;
    for (count, threads) in [(SMALL, 1), (LARGE, 1), (SMALL, 2), (LARGE, 2)] {
        let portfolio = folder.join(format!("{count}.ndjson"));
        if !portfolio.exists() {
            write_portfolio(&portfolio, count)?;
        }
        let (mut times, mut peak) = (Vec::new(), 0);
        for _ in 0..RUNS {
            let (spent, memory) = assess(dist, folder, &portfolio, threads)?;
            times.push(spent);
            peak = memory.max(peak);
        }
        let spent = median(times);
        let seconds = format!("{}.{:02}", spent.as_secs(), spent.subsec_millis() / 10);
        line(&format!("{count}, {threads}"), &[seconds, rate(spent, count), (peak / 1024).to_string()]);
    }
    Ok(())
}
