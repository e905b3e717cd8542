//! What the machine and the formats allow at best: memory, bare parsing, and each reader of portfolios.

use std::fs::{self, File};
use std::hint::black_box;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use recoup_bench::Failure;
use recoup_bench::measure::{Figures, bytes_rate, nanoseconds, rate, time};
use recoup_core::lent::LentResource;
use recoup_core::time::Zone;
use recoup_engine::Engine;
use recoup_plugin::batch::BatchBuilder;
use recoup_portfolio::quick::Quick;
use recoup_portfolio::quick_csv::QuickCsv;
use recoup_portfolio::quick_rows::QuickRows;
use recoup_portfolio::read::{Block, Opened, Rows, open};
use recoup_portfolio::write::{FactNames, Form, Writer};

use crate::portfolio::generator;

const RECORDS: usize = 40_000;
/// More than any cache holds.
const MEMORY: usize = 256 * 1024 * 1024;

/// Memory copied by some threads, each its own.
fn copied(threads: usize) -> Duration {
    let buffers = || (vec![1_u8; MEMORY / threads], vec![0_u8; MEMORY / threads]);
    let mut buffers: Vec<_> = std::iter::repeat_with(buffers).take(threads).collect();
    let start = Instant::now();
    thread::scope(|scope| {
        for (from, to) in &mut buffers {
            scope.spawn(|| {
                to.copy_from_slice(from);
                black_box(to);
            });
        }
    });
    start.elapsed()
}

/// How fast memory is copied: no reader and no writer is faster.
pub(crate) fn memory(figures: &mut Figures) {
    figures.table("memory: 256 MiB copied", "threads", &["copied"]);
    for threads in [1, 2] {
        let best = (0..5).map(|_| copied(threads)).min().unwrap_or_default();
        figures.line(&threads.to_string(), best, MEMORY, &[bytes_rate(best, MEMORY as u64)]);
    }
}

/// How far a file is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Into its blocks: lines found, cells split, Parquet decoded.
    Blocks,
    /// Into resources that borrow from their block.
    Resources,
    /// Into the columns of a batch for the adapters.
    Batches,
}

/// A block, decoded where it comes encoded.
#[derive(Debug)]
enum Decoded {
    Block(Block),
    Rows(Option<Rows>),
}

/// Reads a portfolio; gives how many resources its quick readers understood.
fn read(path: &Path, depth: Depth) -> Result<usize, Failure> {
    let Opened::Portfolio(mut portfolio) = open(&path.to_string_lossy())? else { return Err("not a portfolio".into()) };
    let zone_of = |_: &str, _: Option<&str>| Some(Zone::UTC);
    let (mut quick, mut understood) = (Quick::default(), 0);
    while let Some(block) = portfolio.next_block()? {
        let decoded = match block {
            Block::Rows(coming) => Decoded::Rows(coming.read()?),
            block => Decoded::Block(block),
        };
        if depth == Depth::Blocks {
            black_box(&decoded);
            continue;
        }
        let mut batch = BatchBuilder::default();
        let mut lent = LentResource::default();
        let mut take = |lent: &LentResource<'_>| {
            understood += 1;
            if depth == Depth::Batches {
                batch.push(lent);
            }
        };
        match &decoded {
            Decoded::Block(Block::Lines(lines)) => {
                for (_, text) in lines.texts().into_iter().flatten() {
                    if quick.read(text, &zone_of, &mut lent).is_some() {
                        take(&lent);
                    }
                }
            }
            Decoded::Block(Block::Table(table)) => {
                let columns = QuickCsv::new(&table.header).ok_or("a header that is not understood")?;
                for (_, row) in &table.rows {
                    if let Ok(row) = row
                        && columns.read(&mut quick, row, &zone_of, &mut lent).is_some()
                    {
                        take(&lent);
                    }
                }
            }
            Decoded::Rows(None) => {}
            Decoded::Rows(Some(rows)) => {
                let columns = QuickRows::new(&rows.rows).ok_or("columns that are not understood")?;
                for index in 0..rows.len() {
                    if columns.read(&mut quick, index, &zone_of, &mut lent).is_some() {
                        take(&lent);
                    }
                }
            }
            Decoded::Block(_) => return Err("a block of single records".into()),
        }
        black_box(batch.finish(None)?);
    }
    Ok(understood)
}

/// Every line parsed by a general parser and thrown away.
fn parsed(path: &Path) -> Result<(), Failure> {
    let text = fs::read_to_string(path)?;
    for line in text.lines() {
        black_box(serde_json::from_str::<serde_json::Value>(line)?);
    }
    Ok(())
}

/// What reading costs in each format, step by step.
pub(crate) fn readers(engine: &Engine, figures: &mut Figures) -> Result<(), Failure> {
    figures.table(
        &format!("readers: {RECORDS} records of all providers, one thread"),
        "format, read into",
        &["ns a record", "records", "bytes", "read quickly"],
    );
    let folder = tempfile::tempdir()?;
    let policies = engine.providers().into_iter().map(|provider| Ok(Arc::clone(engine.adapter(&provider)?.policy())));
    let generator = generator(&policies.collect::<Result<Vec<_>, Failure>>()?)?;
    let facts = FactNames { resources: generator.facts(), orders: generator.facts_of_orders() };
    for (form, extension) in [(Form::Ndjson, "ndjson"), (Form::Csv, "csv"), (Form::Parquet, "parquet")] {
        let path = folder.path().join(format!("p.{extension}"));
        let mut writer = Writer::new(form, BufWriter::new(File::create(&path)?), &facts)?;
        for resource in generator.resources(RECORDS as u64) {
            writer.add(&resource, Zone::UTC)?;
        }
        writer.finish()?;
        let bytes = fs::metadata(&path)?.len();
        let mut show = |label: &str, spent, quickly: Option<usize>| {
            let quickly = quickly.map_or_else(String::new, |count| format!("{} %", count * 100 / RECORDS));
            let ns = format!("{:.0}", nanoseconds(spent, RECORDS));
            let cells = [ns, rate(spent, RECORDS), bytes_rate(spent, bytes), quickly];
            figures.line(&format!("{extension}, {label}"), spent, RECORDS, &cells);
        };
        if form == Form::Ndjson {
            show("trees of a general parser", time(|| parsed(&path))?, None);
        }
        for (label, depth) in [("blocks", Depth::Blocks), ("resources", Depth::Resources), ("batches", Depth::Batches)]
        {
            let mut quickly = 0;
            let spent = time(|| read(&path, depth).map(|count| quickly = count))?;
            show(label, spent, (depth != Depth::Blocks).then_some(quickly));
        }
    }
    Ok(())
}
