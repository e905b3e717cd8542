//! `recoup explain`.

use indicatif::ProgressBar;
use recoup_core::assessment::Answered;
use recoup_engine::{Assessor, Engine};
use recoup_report::explain::explain as explain_text;

use crate::assess::{each, keeps};
use crate::cli::{Explain, Format};
use crate::host::{Failure, Outcome, look, open, run, threads};
use crate::output;

pub(crate) fn explain(engine: &Engine, args: &Explain) -> Outcome {
    let (run, before) = run(engine, &args.question, true)?;
    let (inputs, run, opened) = open(engine, &args.files, args.question.provider.as_deref(), run)?;
    let assessor = Assessor::new(engine, run);
    let mut found = Vec::new();
    let keep = keeps(&args.question, Some(&args.id));
    let status = each(&assessor, inputs, &keep, threads(&args.question), &ProgressBar::hidden(), |answered| {
        found.push(answered);
        Ok(())
    })?;
    if found.is_empty() {
        return Err(Failure::input(format_args!(
            "no resource with the id {:?} could be assessed in {}",
            args.id,
            args.files.join(", ")
        )));
    }
    match args.answer.format {
        Some(Format::Json) => {
            let json: serde_json::Value = found.iter().map(Answered::to_json).collect();
            output::write_text(&args.answer, &format!("{json:#}\n"))?;
        }
        None | Some(Format::Table) => {
            let look = look("", args.answer.output.is_some());
            let texts: Vec<String> = found.iter().map(|answered| explain_text(answered, &look)).collect();
            output::write_text(&args.answer, &texts.join("\n"))?;
        }
        Some(_) => output::write(&args.answer, &format!("Explained: {}", args.id), |writer| {
            found.iter().try_for_each(|answered| writer.add(answered))
        })?,
    }
    Ok(status.max(before).max(opened))
}
