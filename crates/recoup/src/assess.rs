//! `recoup assess`.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use recoup_core::record::ResourceRecord;
use recoup_engine::pipeline::{self, Input, Keep, Output};
use recoup_engine::stream::{Flow, Part, Render, stream};
use recoup_engine::{Assessor, Engine};
use recoup_report::Answered;
use recoup_report::parts::{Joined, PartFormat, PartWriter};

use crate::cli::{Assess, Format, Question};
use crate::host::{Failure, Outcome, Status, open, run, say, threads};
use crate::output::{self, Written};
use crate::progress::Progress;
use crate::stop;

fn place(file: &str, line: u64) -> String {
    if line == 0 { file.to_owned() } else { format!("{file}:{line}") }
}

/// What is said beside the answers, counted.
struct Aside<'p> {
    progress: &'p Progress,
    answered: u64,
    bad: u64,
    remarks: BTreeMap<String, u64>,
}

impl<'p> Aside<'p> {
    fn new(progress: &'p Progress) -> Self {
        Self { progress, answered: 0, bad: 0, remarks: BTreeMap::new() }
    }

    fn answered(&mut self, count: u64) {
        self.answered += count;
        self.progress.answered(self.answered);
    }

    fn problem(&mut self, file: &str, line: u64, what: &str) {
        self.bad += 1;
        // What a broken file says already names its place.
        let already = what.starts_with(file);
        self.progress
            .beside(|| if already { say(what) } else { say(format_args!("{}: {what}", place(file, line))) });
    }

    /// The same misspelling on every line is said once.
    fn remark(&mut self, file: &str, line: u64, what: String) {
        if !self.remarks.contains_key(&what) {
            self.progress.beside(|| say(format_args!("{}: warning: {what}", place(file, line))));
        }
        *self.remarks.entry(what).or_default() += 1;
    }

    /// Says what is left to be said at the end.
    fn finish(self) -> Status {
        self.progress.finish();
        for (what, count) in self.remarks.iter().filter(|(_, count)| **count > 1) {
            say(format_args!("warning: {what} ({count} times)"));
        }
        if self.bad == 0 {
            return Status::Done;
        }
        say(format_args!("{} record(s) could not be read or assessed, {} could", self.bad, self.answered));
        Status::BadInput
    }
}

/// Takes inputs through an assessor, saying what is wrong with each bad record.
pub(crate) fn each(
    assessor: &Assessor<'_>,
    inputs: Vec<Input>,
    keep: &Keep<'_>,
    threads: usize,
    progress: &Progress,
    mut sink: impl FnMut(Answered) -> Result<(), Failure>,
) -> Result<Status, Failure> {
    let mut aside = Aside::new(progress);
    let mut failure = None;
    pipeline::run(assessor, inputs, keep, threads, |output| {
        match output {
            Output::Answered { answered, .. } => {
                aside.answered(1);
                if let Err(error) = sink(*answered) {
                    failure = Some(error);
                    return ControlFlow::Break(());
                }
            }
            Output::Problem { file, line, what } => aside.problem(&file, line, &what),
            Output::Remark { file, line, what } => aside.remark(&file, line, what),
        }
        ControlFlow::Continue(())
    });
    let status = aside.finish();
    failure.map_or(Ok(status), Err)
}

/// Which resources a question is about.
pub(crate) fn keeps<'a>(question: &'a Question, id: Option<&'a str>) -> impl Fn(&ResourceRecord) -> bool + Sync + 'a {
    move |resource| {
        question.provider.as_ref().is_none_or(|provider| *provider == resource.provider)
            && id.is_none_or(|id| id == resource.id)
    }
}

/// Writes parts in a format, each thread its own.
struct Parts(PartWriter, io::Result<()>);

impl Render for Parts {
    type Part = io::Result<Vec<u8>>;

    fn add(&mut self, answered: &Answered) {
        if self.1.is_ok() {
            self.1 = self.0.add(answered);
        }
    }

    fn part(&mut self) -> Self::Part {
        let part = self.0.part();
        std::mem::replace(&mut self.1, Ok(())).and(part)
    }
}

/// What became of a stream.
struct Streamed {
    status: Status,
    answered: u64,
    /// Whether it was stopped before the end of the input.
    stopped: bool,
}

/// Streams inputs of any size to an output: what each part of the input comes to is written by the thread that
/// assessed it.
fn streamed(
    assessor: &Assessor<'_>,
    inputs: Vec<Input>,
    args: &Assess,
    format: PartFormat,
    progress: &Progress,
) -> Result<Streamed, Failure> {
    let stop = stop::asked();
    let only = args.question.provider.as_deref();
    let keep = |provider: &str, _: &str| only.is_none_or(|only| only == provider);
    let flow = Flow { threads: threads(&args.question), keep: &keep, stop };
    let mut streamed = Streamed { status: Status::Done, answered: 0, stopped: false };
    output::place(&args.answer, |out| {
        let failed = |error: io::Error| Failure::output(&error);
        let mut aside = Aside::new(progress);
        let mut joined = Joined::begin(format, out).map_err(failed)?;
        let mut written = Ok(());
        let sink = |part: Part<io::Result<Vec<u8>>>| {
            for said in part.aside {
                match said {
                    Output::Problem { file, line, what } => aside.problem(&file, line, &what),
                    Output::Remark { file, line, what } => aside.remark(&file, line, what),
                    Output::Answered { .. } => {}
                }
            }
            aside.answered(part.answered);
            written = part.rendered.and_then(|part| joined.add(&part));
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        stream(assessor, inputs, &flow, || Parts(format.writer(), Ok(())), sink);
        streamed.answered = aside.answered;
        streamed.status = aside.finish();
        written.and_then(|()| joined.finish()).map_err(failed)?;
        streamed.stopped = stop.load(Ordering::Relaxed);
        Ok(if streamed.stopped { Written::Part } else { Written::Whole })
    })?;
    Ok(streamed)
}

/// Says how far a run came that was stopped.
fn say_stopped(args: &Assess, answered: u64) -> Status {
    let place = match &args.answer.output {
        Some(path) => format!(", written to {}", output::part_of(path).display()),
        None => String::new(),
    };
    say(format_args!("stopped: {answered} resource(s) were assessed{place}; what was written is whole"));
    Status::Interrupted
}

pub(crate) fn assess(engine: &Engine, args: &Assess) -> Outcome {
    let (run, before) = run(engine, &args.question, args.steps)?;
    let (inputs, run, opened) = open(engine, &args.files, args.question.provider.as_deref(), run)?;
    let assessor = Assessor::new(engine, run);
    let status = before.max(opened);
    let to_terminal = args.answer.output.is_none() && io::stdout().is_terminal();
    let progress = Progress::of(&inputs, to_terminal);
    if let Some(format) = output::parts(&args.answer) {
        let streamed = streamed(&assessor, inputs, args, format, &progress)?;
        let stopped = if streamed.stopped { say_stopped(args, streamed.answered) } else { Status::Done };
        return Ok(status.max(streamed.status).max(stopped));
    }
    kept(&assessor, inputs, args, &progress).map(|done| status.max(done))
}

/// Writes an answer that people read: it holds its rows.
fn kept(assessor: &Assessor<'_>, inputs: Vec<Input>, args: &Assess, progress: &Progress) -> Outcome {
    let mut status = Status::Done;
    let mut without_row = 0;
    output::write(&args.answer, "What can be returned", |writer| {
        let keep = keeps(&args.question, None);
        status = each(assessor, inputs, &keep, threads(&args.question), progress, |answered| {
            without_row += u64::from(recoup_report::focus::written(&answered).is_none());
            writer.add(&answered)
        })?;
        Ok(())
    })?;
    if without_row > 0 && output::format(&args.answer) == Format::Focus {
        say(format_args!("note: {without_row} resource(s) have no row: no open exit gives a known refund"));
    }
    Ok(status)
}
