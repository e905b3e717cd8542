//! `recoup assess`.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::ops::ControlFlow;

use recoup_core::record::ResourceRecord;
use recoup_engine::pipeline::{self, Input, Keep, Output};
use recoup_engine::{Assessor, Engine};
use recoup_report::Answered;

use crate::cli::{Assess, Format, Question};
use crate::host::{Failure, Outcome, Status, open, run, say, threads};
use crate::output;
use crate::progress::Progress;
use crate::streamed::{Form, streamed};

fn place(file: &str, line: u64) -> String {
    if line == 0 { file.to_owned() } else { format!("{file}:{line}") }
}

/// What is said beside the answers, counted.
pub(crate) struct Aside<'p> {
    progress: &'p Progress,
    /// How many resources were answered.
    pub(crate) answered: u64,
    bad: u64,
    remarks: BTreeMap<String, u64>,
}

impl<'p> Aside<'p> {
    pub(crate) fn new(progress: &'p Progress) -> Self {
        Self { progress, answered: 0, bad: 0, remarks: BTreeMap::new() }
    }

    pub(crate) fn answered(&mut self, count: u64) {
        self.answered += count;
        self.progress.answered(self.answered);
    }

    fn problem(&mut self, file: &str, line: u64, what: &str) {
        self.bad += 1;
        // What a broken file says already names its place.
        let already = what.starts_with(file);
        self.progress.beside(|| if already { say(what) } else { say(format_args!("{}: {what}", place(file, line))) });
    }

    /// The same misspelling on every line is said once.
    fn remark(&mut self, file: &str, line: u64, what: String) {
        if !self.remarks.contains_key(&what) {
            self.progress.beside(|| say(format_args!("{}: warning: {what}", place(file, line))));
        }
        *self.remarks.entry(what).or_default() += 1;
    }

    /// Says a problem or a remark.
    pub(crate) fn say(&mut self, said: Output) {
        match said {
            Output::Problem { file, line, what } => self.problem(&file, line, &what),
            Output::Remark { file, line, what } => self.remark(&file, line, what),
            // An answer is not said but written.
            Output::Answered { .. } => {}
        }
    }

    /// Says what is left to be said at the end.
    pub(crate) fn finish(self) -> Status {
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
            said => aside.say(said),
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

pub(crate) fn assess(engine: &Engine, args: &Assess) -> Outcome {
    let (run, before) = run(engine, &args.question, args.steps)?;
    let (inputs, run, opened) = open(engine, &args.files, args.question.provider.as_deref(), run)?;
    let assessor = Assessor::new(engine, run);
    let status = before.max(opened);
    let to_terminal = args.answer.output.is_none() && io::stdout().is_terminal();
    let progress = Progress::of(&inputs, to_terminal);
    if let Some(form) = Form::of(&args.answer) {
        return streamed(&assessor, inputs, args, form, &progress).map(|done| status.max(done));
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
