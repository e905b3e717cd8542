//! `recoup compare`: the same resources under every installed provider's rules.

use std::ops::ControlFlow;
use std::sync::Arc;

use recoup_core::record::ResourceRecord;
use recoup_engine::pipeline::{self, Input, Output};
use recoup_engine::usual::as_usual;
use recoup_engine::{Assessor, Engine};
use recoup_report::compare::{compare as compare_table, compare_markdown};

use crate::assess::{each, keeps};
use crate::cli::{Compare, Format};
use crate::host::{Failure, Outcome, Status, look, open, run, say, threads};
use crate::output;
use crate::progress::Progress;

/// The same resource, as if it had been bought from another provider: everything that belongs to the one
/// it was bought from is left out.
fn as_if(resource: &ResourceRecord, provider: &str) -> ResourceRecord {
    if resource.provider == provider {
        return resource.clone();
    }
    ResourceRecord { provider: provider.to_owned(), site: None, account: None, ..resource.clone() }
}

pub(crate) fn compare(engine: &Engine, args: &Compare) -> Outcome {
    let (run, before) = run(engine, &args.question, false)?;
    let (inputs, run, opened) = open(engine, &args.files, None, run)?;
    let resources = std::sync::Mutex::new(Vec::new());
    let assessor = Assessor::new(engine, run);
    let keep_all = keeps(&args.question, args.id.as_deref());
    // The records themselves are wanted, not their assessments: they are taken where they are sifted.
    let take = |resource: &ResourceRecord| {
        if keep_all(resource)
            && let Ok(mut taken) = resources.lock()
        {
            taken.push(resource.clone());
        }
        false
    };
    let mut status = before.max(opened);
    pipeline::run(&assessor, inputs, &take, 1, |output| {
        if let Output::Problem { file, line, what } = output {
            say(format_args!("{file}:{line}: {what}"));
            status = Status::BadInput;
        }
        ControlFlow::Continue(())
    });
    let resources = resources.into_inner().unwrap_or_default();
    if resources.is_empty() {
        return Err(Failure::input("there is no resource to compare"));
    }
    let mut records: Vec<ResourceRecord> = Vec::new();
    for provider in engine.providers() {
        let policy = engine.policy(&provider).map_err(Failure::usage)?;
        records.extend(resources.iter().map(|resource| match args.usual {
            true if resource.provider != provider => as_usual(resource, &policy),
            _ => as_if(resource, &provider),
        }));
    }
    let input = Input::Records { file: Arc::from("compare"), records };
    let mut answers = Vec::new();
    let done = each(&assessor, vec![input], &|_| true, threads(&args.question), &Progress::hidden(), |answered| {
        answers.push(answered);
        Ok(())
    })?;
    match output::format(&args.answer) {
        Format::Table => {
            output::write_text(&args.answer, &compare_table(&answers, &look("", args.answer.output.is_some())))?;
        }
        Format::Markdown => output::write_text(&args.answer, &compare_markdown(&answers))?,
        _ => output::write(&args.answer, "The same under every provider's rules", |writer| {
            answers.iter().try_for_each(|answered| writer.add(answered))
        })?,
    }
    Ok(status.max(done))
}
