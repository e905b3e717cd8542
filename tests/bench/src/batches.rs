//! Arrow batches through adapters: rulings, exits, the boundary, and linked against loaded.

use std::sync::Arc;

use arrow_array::StructArray;
use recoup_bench::Failure;
use recoup_bench::measure::{Figures, nanoseconds, rate, ratio, time};
use recoup_core::adapter::{Provider, Rules};
use recoup_core::assessment::Assessment;
use recoup_core::context::Run;
use recoup_core::record::ResourceRecord;
use recoup_core::vocab::Exit;
use recoup_engine::Engine;
use recoup_generate::Generator;
use recoup_plugin::rows::Rows;
use recoup_plugin::session::check_answers;
use recoup_plugin::{Adapter, Linked, Session, batch};

use crate::portfolio::{generator, resources, run};

/// What one provider sells, and the run in which it is asked about.
struct Portfolio {
    generator: Generator,
    run: Run,
}

impl Portfolio {
    fn of(adapter: &dyn Adapter) -> Result<Self, Failure> {
        let generator = generator(&[Arc::clone(adapter.policy())])?;
        Ok(Self { run: run(&generator), generator })
    }

    /// A batch that several runs may share: no buffer is copied.
    fn batch(&self, rows: usize) -> Result<StructArray, Failure> {
        Ok(batch::resources(&resources(&self.generator, rows), None)?)
    }
}

/// How often a batch of `rows` goes through in one round, so that a round is long enough for the clock.
fn repeats(rows: usize) -> usize {
    (65_536 / rows.max(1)).clamp(1, 4096)
}

/// Full rulings through the loaded libraries of all providers, and what the host does with them.
pub(crate) fn rulings(engine: &Engine, figures: &mut Figures) -> Result<(), Failure> {
    figures.table(
        "rulings: batches through the loaded library, no trace, one thread",
        "provider, rows a batch",
        &["rulings", "resources", "ns a ruling", "rulings each", "checked, ns", "read, ns"],
    );
    for provider in engine.providers() {
        let adapter = engine.adapter(&provider)?;
        let portfolio = Portfolio::of(adapter.as_ref())?;
        for rows in [4_096, 65_536] {
            rulings_of(adapter.as_ref(), &portfolio, rows, figures)?;
        }
    }
    Ok(())
}

fn rulings_of(adapter: &dyn Adapter, portfolio: &Portfolio, rows: usize, figures: &mut Figures) -> Result<(), Failure> {
    let provider = adapter.provider();
    let session = adapter.open(&portfolio.run, None)?;
    let batch = portfolio.batch(rows)?;
    let repeats = repeats(rows);
    let answers = session.assess(batch.clone())?;
    let read = check_answers(provider, rows, session.clauses(), &answers)?;
    let (rulings, resources) = (read.ruling_count() * repeats, rows * repeats);
    let assess = time(|| (0..repeats).try_for_each(|_| session.assess(batch.clone()).map(drop)))?;
    let check =
        time(|| (0..repeats).try_for_each(|_| check_answers(provider, rows, session.clauses(), &answers).map(drop)))?;
    let get = time(|| (0..repeats).try_for_each(|_| (0..rows).try_for_each(|row| read.get(row).map(drop))))?;
    let ns = |time| format!("{:.0}", nanoseconds(time, rulings));
    let each = format!("{}.{:02}", rulings / resources, rulings * 100 / resources % 100);
    let cells = [rate(assess, rulings), rate(assess, resources), ns(assess), each, ns(check), ns(get)];
    figures.line(&format!("{provider}, {rows}"), assess, rulings, &cells);
    Ok(())
}

/// What resources cost that have an exit, by the exit.
pub(crate) fn exits<P: Provider>(adapter: &dyn Adapter, figures: &mut Figures) -> Result<(), Failure> {
    const ROWS: usize = 4_096;
    figures.table(
        &format!(
            "exits, {}: resources that have the exit, {ROWS} rows a batch, loaded, one thread",
            adapter.provider()
        ),
        "exit",
        &["ns a resource", "ns a ruling", "of the portfolio"],
    );
    let portfolio = Portfolio::of(adapter)?;
    let (rules, session) = (Rules::<P>::load()?, adapter.open(&portfolio.run, None)?);
    let all = resources(&portfolio.generator, ROWS * 4);
    let mut ruled = Vec::with_capacity(all.len());
    for resource in all {
        let (_, assessment) = rules.assess_record(&portfolio.run, &resource)?;
        let exits: Vec<Exit> = assessment.rulings().iter().map(|ruling| ruling.exit).collect();
        ruled.push((resource, exits));
    }
    for exit in Exit::ALL {
        let own: Vec<&(ResourceRecord, Vec<Exit>)> = ruled.iter().filter(|(_, exits)| exits.contains(exit)).collect();
        if own.is_empty() {
            continue;
        }
        // Few have a rare exit: these stand in the batch several times.
        let rows: Vec<_> = own.iter().cycle().take(ROWS).collect();
        let rulings: usize = rows.iter().map(|(_, exits)| exits.len()).sum();
        let records: Vec<ResourceRecord> = rows.into_iter().map(|(resource, _)| resource.clone()).collect();
        let batch = batch::resources(&records, None)?;
        let spent = time(|| (0..4).try_for_each(|_| session.assess(batch.clone()).map(drop)))?;
        let ns = |count: usize| format!("{:.0}", nanoseconds(spent, count * 4));
        let share = format!("{} %", own.len() * 100 / ruled.len());
        figures.line(exit.as_str(), spent, ROWS * 4, &[ns(ROWS), ns(rulings), share]);
    }
    Ok(())
}

/// What a row costs by the size of its batch.
pub(crate) fn boundary(adapter: &dyn Adapter, figures: &mut Figures) -> Result<(), Failure> {
    figures.table(
        &format!("boundary, {}: a row by the size of its batch, loaded, one thread", adapter.provider()),
        "rows a batch",
        &["ns a row", "resources"],
    );
    let portfolio = Portfolio::of(adapter)?;
    let session = adapter.open(&portfolio.run, None)?;
    for rows in [1, 16, 256, 4_096, 65_536] {
        let batch = portfolio.batch(rows)?;
        let repeats = repeats(rows);
        let spent = time(|| (0..repeats).try_for_each(|_| session.assess(batch.clone()).map(drop)))?;
        let count = rows * repeats;
        let cells = [format!("{:.0}", nanoseconds(spent, count)), rate(spent, count)];
        figures.line(&rows.to_string(), spent, count, &cells);
    }
    Ok(())
}

/// The same rules over owned records, over rows linked in, and over rows loaded.
pub(crate) fn paths<P: Provider>(adapter: &dyn Adapter, figures: &mut Figures) -> Result<(), Failure> {
    const ROWS: usize = 4_096;
    const REPEATS: usize = 16;
    figures.table(
        &format!("paths, {}: {ROWS} resources, the same rules on every path, one thread", adapter.provider()),
        "path",
        &["ns a resource", "against rows"],
    );
    let portfolio = Portfolio::of(adapter)?;
    let (records, run) = (resources(&portfolio.generator, ROWS), &portfolio.run);
    let batch = portfolio.batch(ROWS)?;
    let rules = Rules::<P>::load()?;
    let mut out = Assessment::default();
    let owned = time(|| {
        (0..REPEATS).try_for_each(|_| {
            records.iter().try_for_each(|record| rules.assess(run, None, record, &mut out).map(|_| ()))
        })
    })?;
    let resolve = time(|| (0..REPEATS).try_for_each(|_| Rows::new(&batch).map(drop)))?;
    let rows = Rows::new(&batch)?;
    let borrowed = time(|| {
        (0..REPEATS).try_for_each(|_| {
            (0..ROWS).try_for_each(|index| rules.assess(run, None, &rows.row(index), &mut out).map(|_| ()))
        })
    })?;
    let linked = Linked::<P>::new()?.open(run, None)?;
    let loaded = adapter.open(run, None)?;
    let through =
        |session: &dyn Session| time(|| (0..REPEATS).try_for_each(|_| session.assess(batch.clone()).map(drop)));
    let (through_linked, through_loaded) = (through(linked.as_ref())?, through(loaded.as_ref())?);
    for (label, spent) in [
        ("owned records, rules alone", owned),
        ("Arrow rows, columns resolved", resolve),
        ("Arrow rows, rules alone", borrowed),
        ("Arrow batch to Arrow batch, linked", through_linked),
        ("Arrow batch to Arrow batch, loaded", through_loaded),
    ] {
        let cells = [format!("{:.0}", nanoseconds(spent, ROWS * REPEATS)), ratio(spent, borrowed)];
        figures.line(label, spent, ROWS * REPEATS, &cells);
    }
    Ok(())
}
