//! The clock, the median, and lines of a table.

#![allow(clippy::float_arithmetic, reason = "statistics, no money")]

use std::time::Duration;

/// Rounds of which the median counts.
pub(crate) const ROUNDS: usize = 9;

/// The CPU time of this thread: what other programs do meanwhile does not count.
#[cfg(target_os = "linux")]
fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

#[cfg(not(target_os = "linux"))]
fn cpu_time() -> Duration {
    use std::sync::LazyLock;
    use std::time::Instant;
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    START.elapsed()
}

/// The median of some times.
pub(crate) fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The median time of `work` over all rounds, after one that only warms up.
pub(crate) fn time<E>(mut work: impl FnMut() -> Result<(), E>) -> Result<Duration, E> {
    work()?;
    let mut times = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let start = cpu_time();
        work()?;
        times.push(cpu_time().saturating_sub(start));
    }
    Ok(median(times))
}

/// Nanoseconds for one of `count`.
#[allow(clippy::cast_precision_loss, reason = "counts of a benchmark are small")]
pub(crate) fn nanoseconds(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e9 / count.max(1) as f64
}

/// `count` in a second, as people read it.
pub(crate) fn rate(time: Duration, count: usize) -> String {
    let rate = 1e9 / nanoseconds(time, count).max(1e-3);
    if rate >= 1e6 { format!("{:.2} M/s", rate / 1e6) } else { format!("{:.0} k/s", rate / 1e3) }
}

/// How many times one time goes into another.
pub(crate) fn ratio(time: Duration, of: Duration) -> String {
    format!("{:.2}x", time.as_secs_f64() / of.as_secs_f64().max(1e-9))
}

/// A title over a table.
pub(crate) fn title(text: &str) {
    println!("\n{text}");
}

/// A line of a table: its label and its figures.
pub(crate) fn line(label: &str, figures: &[String]) {
    let cells: String = figures.iter().map(|figure| format!("{figure:>16}")).collect();
    println!("  {label:<44}{cells}");
}

/// The processor, its cores and the platform.
pub(crate) fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{}, {cores} core(s), {os}-{arch}", model.unwrap_or("unknown processor"))
}
