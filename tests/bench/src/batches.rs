//! Arrow batches through adapters: rulings, the boundary, and linked against loaded.

use arrow_array::StructArray;
use recoup_core::adapter::{Provider, Rules};
use recoup_core::assessment::Assessment;
use recoup_core::context::Run;
use recoup_plugin::rows::Rows;
use recoup_plugin::session::check_answers;
use recoup_plugin::{Adapter, Linked, Session, batch};

use crate::Failure;
use crate::generate::{Profile, resources};
use crate::measure::{line, nanoseconds, rate, ratio, time, title};

/// A batch that several runs may share: no buffer is copied.
fn batch_of(profile: &Profile, rows: usize) -> Result<StructArray, Failure> {
    Ok(batch::resources(&resources(profile, rows), None)?)
}

/// How often a batch of `rows` goes through in one round, so that a round is long enough for the clock.
fn repeats(rows: usize) -> usize {
    (65_536 / rows.max(1)).clamp(1, 4096)
}

/// Full rulings through the loaded library, and reading them back.
pub(crate) fn rulings(adapter: &dyn Adapter, profile: &Profile, run: &Run) -> Result<(), Failure> {
    title(&format!("rulings: {}, batches through the loaded library, no trace", profile.name));
    line("rows a batch", &["rulings", "resources", "ns a ruling", "rulings each"].map(str::to_owned));
    let session = adapter.open(run, None)?;
    for rows in [4_096, 65_536] {
        let batch = batch_of(profile, rows)?;
        let repeats = repeats(rows);
        let answers = session.assess(batch.clone())?;
        let read = check_answers(profile.name, rows, session.clauses(), &answers)?;
        let (rulings, resources) = (read.ruling_count() * repeats, rows * repeats);
        let assess = time(|| (0..repeats).try_for_each(|_| session.assess(batch.clone()).map(drop)))?;
        let figures = |time, count: usize| {
            [rate(time, count), rate(time, resources), format!("{:.0}", nanoseconds(time, count)), String::new()]
        };
        let [all, each, ns, _] = figures(assess, rulings);
        let per = format!("{}.{:02}", rulings / resources, rulings * 100 / resources % 100);
        line(&format!("{rows}: assessed"), &[all, each, ns, per]);
        let check = time(|| {
            (0..repeats).try_for_each(|_| check_answers(profile.name, rows, session.clauses(), &answers).map(drop))
        })?;
        line(&format!("{rows}: answers checked, beside that"), &figures(check, rulings));
        let get = time(|| (0..repeats).try_for_each(|_| (0..rows).try_for_each(|row| read.get(row).map(drop))))?;
        line(&format!("{rows}: answers read into records, beside that"), &figures(get, rulings));
    }
    Ok(())
}

/// What a row costs by the size of its batch.
pub(crate) fn boundary(adapter: &dyn Adapter, profile: &Profile, run: &Run) -> Result<(), Failure> {
    title(&format!("boundary: {}, a row by the size of its batch, loaded", profile.name));
    line("rows a batch", &["ns a row", "resources"].map(str::to_owned));
    let session = adapter.open(run, None)?;
    for rows in [1, 16, 256, 4_096, 65_536] {
        let batch = batch_of(profile, rows)?;
        let repeats = repeats(rows);
        let spent = time(|| (0..repeats).try_for_each(|_| session.assess(batch.clone()).map(drop)))?;
        let count = rows * repeats;
        line(&rows.to_string(), &[format!("{:.0}", nanoseconds(spent, count)), rate(spent, count)]);
    }
    Ok(())
}

/// The same rules over owned records, over rows linked in, and over rows loaded.
pub(crate) fn paths<P: Provider>(adapter: &dyn Adapter, profile: &Profile, run: &Run) -> Result<(), Failure> {
    const ROWS: usize = 4_096;
    const REPEATS: usize = 16;
    title(&format!("paths: {}, {ROWS} resources, the same rules on every path", profile.name));
    line("path", &["ns a resource", "against rows"].map(str::to_owned));
    let records = resources(profile, ROWS);
    let batch = batch_of(profile, ROWS)?;
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
        let figures = [format!("{:.0}", nanoseconds(spent, ROWS * REPEATS)), ratio(spent, borrowed)];
        line(label, &figures);
    }
    Ok(())
}
