//! The clock, the median, and the figures of a run: shown as tables, kept, and put beside those of an earlier run.

#![allow(clippy::float_arithmetic, reason = "statistics, no money")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::Failure;

/// Rounds of which the median counts.
pub const ROUNDS: usize = 9;

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
#[must_use]
pub fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The median time of `work` over all rounds, after one that only warms up.
///
/// # Errors
/// Those of `work`.
pub fn time<E>(mut work: impl FnMut() -> Result<(), E>) -> Result<Duration, E> {
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
#[must_use]
pub fn nanoseconds(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e9 / count.max(1) as f64
}

/// `count` in a second, as people read it.
#[must_use]
pub fn rate(time: Duration, count: usize) -> String {
    let rate = 1e9 / nanoseconds(time, count).max(1e-3);
    if rate >= 1e6 { format!("{:.2} M/s", rate / 1e6) } else { format!("{:.0} k/s", rate / 1e3) }
}

/// Bytes in a second, as people read it.
#[allow(clippy::cast_precision_loss, reason = "so many bytes need no last digit")]
#[must_use]
pub fn bytes_rate(time: Duration, bytes: u64) -> String {
    let rate = bytes as f64 / time.as_secs_f64().max(1e-9);
    if rate >= 1e9 { format!("{:.2} GB/s", rate / 1e9) } else { format!("{:.0} MB/s", rate / 1e6) }
}

/// How many times one time goes into another.
#[must_use]
pub fn ratio(time: Duration, of: Duration) -> String {
    format!("{:.2}x", time.as_secs_f64() / of.as_secs_f64().max(1e-9))
}

/// The figures of a run.
#[derive(Debug, Default)]
pub struct Figures {
    table: String,
    /// Nanoseconds of one, by table and line.
    taken: BTreeMap<String, f64>,
    /// Those of an earlier run.
    before: Option<BTreeMap<String, f64>>,
}

impl Figures {
    /// Figures that are put beside those kept in a file.
    ///
    /// # Errors
    /// Where the file cannot be read.
    pub fn against(file: Option<&Path>) -> Result<Self, Failure> {
        let read = |file: &Path| -> Result<_, Failure> {
            let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()).into())
        };
        Ok(Self { before: file.map(read).transpose()?, ..Self::default() })
    }

    /// Begins a table.
    pub fn table(&mut self, title: &str, labels: &str, columns: &[&str]) {
        println!("\n{title}");
        let before = self.before.iter().map(|_| "against before");
        show(labels, columns.iter().copied().chain(before));
        self.table = title.split(':').next().unwrap_or(title).to_owned();
    }

    /// Adds a line, measured as `spent` for `count` of something.
    pub fn line(&mut self, label: &str, spent: Duration, count: usize, cells: &[String]) {
        let (key, own) = (format!("{}: {label}", self.table), nanoseconds(spent, count));
        let before = self.before.as_ref().map(|before| match before.get(&key) {
            Some(before) => format!("{:.2}x", own / before.max(1e-9)),
            None => "new".to_owned(),
        });
        show(label, cells.iter().map(String::as_str).chain(before.as_deref()));
        self.taken.insert(key, own);
    }

    /// Keeps the figures in a file, for a later run.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn keep(&self, file: &Path) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(&self.taken)?;
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()).into())
    }
}

fn show<'a>(label: &str, cells: impl Iterator<Item = &'a str>) {
    let cells: String = cells.map(|cell| format!("{cell:>16}")).collect();
    println!("  {label:<44}{cells}");
}

/// The processor, its cores and the platform.
#[must_use]
pub fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ")).map(|(_, name)| name);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("{}, {cores} core(s), {os}-{arch}", model.unwrap_or("unknown processor"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_kept_are_found_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/before.json");
        let mut first = Figures::against(None).unwrap();
        first.table("rulings: of a test", "label", &["one"]);
        first.line("a", Duration::from_micros(2), 10, &[String::new()]);
        first.keep(&file).unwrap();
        let second = Figures::against(Some(&file)).unwrap();
        assert_eq!(second.before.unwrap().get("rulings: a"), Some(&200.0));
        assert!(Figures::against(Some(Path::new("not/there.json"))).is_err());
    }
}
