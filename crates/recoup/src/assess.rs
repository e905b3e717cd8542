//! `recoup assess`.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use recoup_core::record::ResourceRecord;
use recoup_engine::pipeline::{self, Input, Keep, Output};
use recoup_engine::{Assessor, Engine};
use recoup_report::Answered;

use crate::cli::{Assess, Format, Question};
use crate::host::{Failure, Outcome, Status, open, run, say, threads};
use crate::output;

/// A bar on a terminal, nothing elsewhere; it appears only on long work.
fn progress(to_terminal: bool) -> ProgressBar {
    if to_terminal || !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} resources, {per_sec}, {elapsed}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner());
    let bar = ProgressBar::new_spinner().with_style(style);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

fn place(file: &str, line: u64) -> String {
    if line == 0 { file.to_owned() } else { format!("{file}:{line}") }
}

/// Takes inputs through an assessor, saying what is wrong with each bad record.
pub(crate) fn each(
    assessor: &Assessor<'_>,
    inputs: Vec<Input>,
    keep: &Keep<'_>,
    threads: usize,
    bar: &ProgressBar,
    mut sink: impl FnMut(Answered) -> Result<(), Failure>,
) -> Result<Status, Failure> {
    let mut status = Status::Done;
    let (mut answered_count, mut bad) = (0_u64, 0_u64);
    let mut failure = None;
    let mut remarks = std::collections::BTreeMap::<String, u64>::new();
    pipeline::run(assessor, inputs, keep, threads, |output| {
        match output {
            Output::Answered { answered, .. } => {
                answered_count += 1;
                bar.inc(1);
                if let Err(error) = sink(*answered) {
                    failure = Some(error);
                    return ControlFlow::Break(());
                }
            }
            Output::Problem { file, line, what } => {
                bad += 1;
                status = Status::BadInput;
                // What a broken file says already names its place.
                let already = what.starts_with(&*file);
                bar.suspend(|| if already { say(&what) } else { say(format_args!("{}: {what}", place(&file, line))) });
            }
            Output::Remark { file, line, what } => {
                // The same misspelling on every line is said once.
                let seen = remarks.entry(what.clone()).or_default();
                *seen += 1;
                if *seen == 1 {
                    bar.suspend(|| say(format_args!("{}: warning: {what}", place(&file, line))));
                }
            }
        }
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    if let Some(failure) = failure {
        return Err(failure);
    }
    for (what, count) in remarks.iter().filter(|(_, count)| **count > 1) {
        say(format_args!("warning: {what} ({count} times)"));
    }
    if bad > 0 {
        say(format_args!("{bad} record(s) could not be read or assessed, {answered_count} could"));
    }
    Ok(status)
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
    let mut status = before.max(opened);
    let to_terminal = args.answer.output.is_none() && io::stdout().is_terminal();
    let bar = progress(to_terminal);
    let mut without_row = 0;
    output::write(&args.answer, "What can be returned", |writer| {
        let keep = keeps(&args.question, None);
        let done = each(&assessor, inputs, &keep, threads(&args.question), &bar, |answered| {
            without_row += u64::from(recoup_report::focus::written(&answered).is_none());
            writer.add(&answered)
        })?;
        status = status.max(done);
        Ok(())
    })?;
    if without_row > 0 && output::format(&args.answer) == Format::Focus {
        say(format_args!("note: {without_row} resource(s) have no row: no open exit gives a known refund"));
    }
    Ok(status)
}
