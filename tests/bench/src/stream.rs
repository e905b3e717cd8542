//! The stream from file to file inside one process: what each part of it costs, and what it could cost at best.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::{Duration, Instant};

use recoup_bench::Failure;
use recoup_bench::measure::{Figures, median, rate, ratio};
use recoup_core::context::Run;
use recoup_core::lent::LentResource;
use recoup_core::time::Zone;
use recoup_engine::pipeline::Input;
use recoup_engine::stream::{Flow, Render, stream};
use recoup_engine::{Answered, Assessor, Engine};
use recoup_plugin::batch::BatchBuilder;
use recoup_plugin::{Adapter, Linked};
use recoup_portfolio::quick::Quick;
use recoup_portfolio::read::{Block, Opened, open};
use recoup_report::parts::{Joined, PartFormat, PartWriter};

use crate::portfolio::{generator, resources, run};

const RECORDS: usize = 200_000;
const RUNS: usize = 5;

struct Lines(PartWriter);

impl Render for Lines {
    type Part = std::io::Result<Vec<u8>>;

    fn add(&mut self, answered: &Answered) {
        // A format that writes to memory does not fail.
        let _ = self.0.add(answered);
    }

    fn part(&mut self) -> Self::Part {
        self.0.part()
    }
}

fn portfolio(path: &Path) -> Result<recoup_portfolio::read::Portfolio, Failure> {
    match open(&path.to_string_lossy())? {
        Opened::Portfolio(portfolio) => Ok(portfolio),
        _ => Err("not a portfolio".into()),
    }
}

/// Every record read into the columns of a batch and nothing more, by some threads.
fn bare_read(path: &Path, threads: usize) -> Result<Duration, Failure> {
    let start = Instant::now();
    let portfolio = std::sync::Mutex::new(portfolio(path)?);
    let work = || {
        let mut quick = Quick::default();
        loop {
            let block = portfolio.lock().ok().and_then(|mut portfolio| portfolio.next_block().ok().flatten());
            let Some(Block::Lines(lines)) = block else { return };
            let mut batches = [BatchBuilder::default(), BatchBuilder::default()];
            let mut lent = LentResource::default();
            for (_, text) in lines.texts().into_iter().flatten() {
                if quick.read(text, &|_, _| Some(Zone::UTC), &mut lent).is_some()
                    && let Some(batch) = batches.get_mut(usize::from(lent.provider == "alibaba"))
                {
                    batch.push(&lent);
                }
            }
            batches.into_iter().for_each(|batch| drop(batch.finish(None)));
        }
    };
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    Ok(start.elapsed())
}

/// The answers of a few thousand resources written again and again, until there are as many as in the file.
fn bare_write(answers: &[Answered], out: &Path, threads: usize) -> Result<Duration, Failure> {
    let start = Instant::now();
    let file = std::sync::Mutex::new(BufWriter::new(File::create(out)?));
    let rounds = RECORDS / answers.len() / threads;
    let work = || {
        let mut writer = PartFormat::Ndjson.writer();
        for _ in 0..rounds {
            answers.iter().for_each(|answered| drop(writer.add(answered)));
            if let (Ok(part), Ok(mut file)) = (writer.part(), file.lock()) {
                let _ = file.write_all(&part);
            }
        }
    };
    thread::scope(|scope| (0..threads).for_each(|_| drop(scope.spawn(work))));
    Ok(start.elapsed())
}

/// The whole way.
fn whole(engine: &Engine, run: &Run, path: &Path, out: &Path, threads: usize) -> Result<Duration, Failure> {
    let start = Instant::now();
    let stop = AtomicBool::new(false);
    let flow = Flow { threads, keep: &|_, _| true, stop: &stop };
    let assessor = Assessor::new(engine, run.clone());
    let mut joined = Joined::begin(PartFormat::Ndjson, File::create(out)?)?;
    let mut answered = 0;
    stream(
        &assessor,
        vec![Input::Portfolio(portfolio(path)?)],
        &flow,
        || Lines(PartFormat::Ndjson.writer()),
        |part| {
            answered += part.answered;
            match part.rendered.and_then(|part| joined.add(&part)) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            }
        },
    );
    joined.finish()?;
    if answered != RECORDS as u64 {
        Err(format!("{answered} of {RECORDS} were answered").into())
    } else {
        Ok(start.elapsed())
    }
}

/// What the way from NDJSON to NDJSON costs, and what reading and writing alone cost.
pub(crate) fn parts(figures: &mut Figures) -> Result<(), Failure> {
    figures.table(
        &format!("stream: {RECORDS} records from NDJSON to NDJSON, adapters linked in, medians of {RUNS}, wall clock"),
        "part",
        &["records", "read + written", "one thread"],
    );
    let folder = tempfile::tempdir()?;
    let (path, out) = (folder.path().join("in.ndjson"), folder.path().join("out.ndjson"));
    let adapters: Vec<Arc<dyn Adapter>> =
        vec![Arc::new(Linked::<recoup_huawei::Huawei>::new()?), Arc::new(Linked::<recoup_alibaba::Alibaba>::new()?)];
    let policies: Vec<_> = adapters.iter().map(|adapter| Arc::clone(adapter.policy())).collect();
    let generator = generator(&policies)?;
    let mut file = BufWriter::new(File::create(&path)?);
    for resource in generator.resources(RECORDS as u64) {
        writeln!(file, "{}", resource.to_json(Zone::UTC))?;
    }
    file.flush()?;
    let (engine, run) = (Engine::from_adapters(adapters), run(&generator));
    let few = resources(&generator, 4_000);
    let answers: Vec<Answered> =
        Assessor::new(&engine, run.clone()).assess(few).into_iter().collect::<Result<_, _>>()?;
    let times = |work: &dyn Fn() -> Result<Duration, Failure>| -> Result<Duration, Failure> {
        Ok(median((0..RUNS).map(|_| work()).collect::<Result<_, _>>()?))
    };
    let mut alone = None;
    for threads in [1, 2] {
        let read = times(&|| bare_read(&path, threads))?;
        let write = times(&|| bare_write(&answers, &out, threads))?;
        let all = times(&|| whole(&engine, &run, &path, &out, threads))?;
        let label = |what: &str| format!("{what}, {threads} thread(s)");
        let none = || String::new();
        figures.line(&label("read into columns"), read, RECORDS, &[rate(read, RECORDS), none(), none()]);
        figures.line(&label("answers written"), write, RECORDS, &[rate(write, RECORDS), none(), none()]);
        let against = alone.map_or_else(none, |alone| ratio(alone, all));
        let cells = [rate(all, RECORDS), ratio(read + write, all), against];
        figures.line(&label("file to file"), all, RECORDS, &cells);
        alone.get_or_insert(all);
    }
    let bytes = |path: &Path| fs::metadata(path).map(|file| file.len() / RECORDS as u64);
    println!("  {} bytes a record in, {} out", bytes(&path)?, bytes(&out)?);
    Ok(())
}
