//! Measures recoup beside its peers on one policy: `cargo xtask bench peers`.
//!
//! Every peer's answers are compared with recoup's before anything is timed. The rule engines are asked here, in
//! process, on one thread; what analysts use is asked by `analysts.py`, for which this writes the files.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing its figures is what a benchmark is for")]

mod answer;
mod engines;
mod flat;

use std::env;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use recoup_bench::measure::{Figures, machine, nanoseconds, ratio, time};
use recoup_bench_cloud::BenchCloud;
use recoup_core::adapter::Rules;
use recoup_core::assessment::Assessment;
use recoup_core::context::Run;
use recoup_core::record::ResourceRecord;
use recoup_core::time::Zone;
use recoup_plugin::batch;
use recoup_plugin::host::PluginDir;
use recoup_portfolio::write::{FactNames, Form, Writer};
use serde_json::json;

use crate::answer::{Answer, REASONS};
use crate::engines::{Bytecode, Cedar, Interpreted, Zen, rego_input};
use crate::flat::{AT, Flat, instant};

/// Anything that keeps a peer from being measured.
pub(crate) type Failure = Box<dyn std::error::Error>;

/// Records for those who are asked one by one.
const FEW: usize = 4_096;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("recoup-peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let folder = env::var_os("RECOUP_PEERS")
        .map(PathBuf::from)
        .ok_or("RECOUP_PEERS is not set: run `cargo xtask bench peers`")?;
    let count = env::args().nth(1).map_or(Ok(200_000), |count| count.parse())?;
    println!("{}", machine());
    let flats: Vec<Flat> = (0..FEW as u64).map(Flat::new).collect();
    let records: Vec<ResourceRecord> = flats.iter().map(Flat::to_record).collect();
    let rules = Rules::<BenchCloud>::load()?;
    let run = Run::at(instant(AT));
    let expected = records
        .iter()
        .map(|record| {
            let (_, assessment) = rules.assess_record(&run, record)?;
            Answer::of(&assessment).ok_or_else(|| format!("no answer about {}", record.id).into())
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    in_process(&folder, &flats, &records, &expected, &run)?;
    files(&folder, count, &rules, &run)
}

/// Refuses a peer whose answers are not recoup's.
fn same<T: PartialEq + std::fmt::Debug>(peer: &str, flats: &[Flat], said: &[T], expected: &[T]) -> Result<(), Failure> {
    match said.iter().zip(expected).position(|(said, expected)| said != expected) {
        None if said.len() == expected.len() => Ok(()),
        None => Err(format!("{peer} gave {} answers of {}", said.len(), expected.len()).into()),
        Some(place) => Err(format!(
            "{peer} says {:?}, recoup {:?} of {:?}",
            said.get(place),
            expected.get(place),
            flats.get(place)
        )
        .into()),
    }
}

fn in_process(
    folder: &Path,
    flats: &[Flat],
    records: &[ResourceRecord],
    expected: &[Answer],
    run: &Run,
) -> Result<(), Failure> {
    let mut figures = Figures::against(None)?;
    figures.table(
        &format!("peers: one policy, {FEW} records made ready for each, in process, one thread, CPU time"),
        "engine, what it answers",
        &["ns a record", "against recoup"],
    );
    let adapter = PluginDir::open(&folder.join("plugins"))?.adapter("bench-cloud")?;
    let session = adapter.open(run, None)?;
    let rows = batch::resources(records, None)?;
    let recoup = time(|| session.assess(rows.clone()).map(drop))?;
    let mut show = |label: &str, spent: Duration| {
        let cells = [format!("{:.0}", nanoseconds(spent, FEW)), ratio(spent, recoup)];
        figures.line(label, spent, FEW, &cells);
    };
    show("recoup, loaded, Arrow to Arrow: whole rulings", recoup);
    let rules = Rules::<BenchCloud>::load()?;
    let mut out = Assessment::default();
    show(
        "recoup, linked, owned records: whole rulings",
        time(|| records.iter().try_for_each(|record| rules.assess(run, None, record, &mut out).map(drop)))?,
    );

    let inputs = flats.iter().map(rego_input).collect::<Result<Vec<_>, _>>()?;
    let interpreted = Interpreted::new()?;
    let spent = regorus("regorus, interpreted", flats, &inputs, expected, |input| interpreted.ask(input))?;
    show("regorus, interpreted: reasons and money", spent);
    let mut bytecode = Bytecode::new()?;
    let spent = regorus("regorus, virtual machine", flats, &inputs, expected, |input| bytecode.ask(input))?;
    show("regorus, virtual machine: reasons and money", spent);

    let reasons: Vec<u8> = expected.iter().map(|answer| answer.reasons).collect();
    let cedar = Cedar::new()?;
    let requests = flats.iter().map(|flat| cedar.request(flat)).collect::<Result<Vec<_>, _>>()?;
    same("cedar-policy", flats, &requests.iter().map(|request| cedar.ask(request)).collect::<Vec<_>>(), &reasons)?;
    show(
        "cedar-policy: reasons only",
        time(|| {
            requests.iter().for_each(|request| {
                std::hint::black_box(cedar.ask(request));
            });
            Ok::<_, Failure>(())
        })?,
    );
    let inputs: Vec<_> = flats.iter().map(Zen::input).collect();
    let mut zen = Zen::new()?;
    let said = inputs.iter().map(|input| zen.ask(input)).collect::<Result<Vec<_>, _>>()?;
    same("zen-expression", flats, &said, &reasons)?;
    show("zen-expression: reasons only", time(|| inputs.iter().try_for_each(|input| zen.ask(input).map(drop)))?);
    Ok(())
}

/// Compares what one of regorus' ways says, then times it.
fn regorus(
    peer: &str,
    flats: &[Flat],
    inputs: &[regorus::Value],
    expected: &[Answer],
    mut ask: impl FnMut(regorus::Value) -> Result<Option<Answer>, Failure>,
) -> Result<Duration, Failure> {
    let said: Result<Vec<Answer>, Failure> =
        inputs.iter().map(|input| Ok(ask(input.clone())?.ok_or("undefined")?)).collect();
    same(peer, flats, &said?, expected)?;
    time(|| inputs.iter().try_for_each(|input| ask(input.clone()).map(drop)))
}

/// Writes the files for the analysts' tools: the records, flat and as recoup's, and what is expected.
fn files(folder: &Path, count: usize, rules: &Rules<BenchCloud>, run: &Run) -> Result<(), Failure> {
    let create = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
    let facts = FactNames {
        resources: ["frozen_security", "unpaid_order", "promotion", "invoiced"].into(),
        orders: std::collections::BTreeSet::new(),
    };
    let mut flat_lines = create("flat.ndjson")?;
    let mut expected = create("expected.ndjson")?;
    let mut portfolios = [
        Writer::new(Form::Ndjson, create("portfolio.ndjson")?, &facts)?,
        Writer::new(Form::Parquet, create("portfolio.parquet")?, &facts)?,
    ];
    for number in 0..count as u64 {
        let flat = Flat::new(number);
        writeln!(flat_lines, "{}", flat.to_json())?;
        let record = flat.to_record();
        for portfolio in &mut portfolios {
            portfolio.add(&record, Zone::UTC)?;
        }
        let (_, assessment) = rules.assess_record(run, &record)?;
        let answer = Answer::of(&assessment).ok_or_else(|| format!("no answer about {}", record.id))?;
        let line = json!({"id": record.id, "reasons": answer.reasons, "refund": answer.refund});
        writeln!(expected, "{line}")?;
    }
    portfolios.into_iter().try_for_each(Writer::finish)?;
    let reasons: Vec<&str> = REASONS.iter().map(|reason| reason.as_str()).collect();
    fs::write(folder.join("asked.json"), json!({"at": AT, "count": count, "reasons": reasons}).to_string())?;
    Ok(flat_lines.flush().and_then(|()| expected.flush())?)
}
