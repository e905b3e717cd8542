//! `recoup plan`: which resources to give back, through which exit and when, so that most comes back; and
//! whether a plan that was written before still holds.

use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use recoup_engine::Engine;
use recoup_plan::check::check;
use recoup_plan::document::{Document, Inputs, Rates, VERSION, Want};
use recoup_plan::face;
use recoup_plan::make::{Wish, clock, make};

use crate::cli::{Answer, Plan, PlanFormat, Question, Wanted};
use crate::host::{Failure, Outcome, Status, look, print, say, threads};
use crate::output::write_text;
use crate::span::{any, ask, until};

pub(crate) fn plan(engine: &Engine, args: &Plan) -> Outcome {
    match &args.check {
        Some(file) => replay(engine, args, file),
        None => draw_up(engine, args),
    }
}

fn draw_up(engine: &Engine, args: &Plan) -> Outcome {
    let rates = args.rates.as_deref().map(rates).transpose()?;
    let asked = ask(engine, &args.files, &args.question, None, false)?;
    any(&asked)?;
    let zone = clock(&asked.subjects);
    let by = args.by.as_deref().map(|text| until("--by", text)).transpose()?.map(|until| until(zone));
    if let Some(by) = by
        && by < asked.from()
    {
        return Err(Failure::usage("--by is before the instant asked about"));
    }
    for id in &args.keep {
        if asked.resources.iter().all(|resource| resource.id != *id) {
            say(format_args!("warning: --keep {id}: no resource has this id"));
        }
    }
    let wish = Wish {
        want: match args.want {
            Wanted::Cash => Want::Cash,
            Wanted::Released => Want::Released,
            Wanted::Both => Want::Both,
        },
        by,
        keep: args.keep.clone(),
        only: args.only.clone(),
        rates,
        time: Duration::from_secs(args.time_limit),
    };
    let inputs = Inputs {
        files: args.files.clone(),
        accounts: args.question.accounts.clone(),
        assume: args.question.assume.clone(),
        edition: args.question.edition.clone(),
    };
    let run = asked.assessor.run();
    let document = make(engine, run, &asked.resources, &asked.subjects, threads(&args.question), &wish, inputs);
    for problem in &document.problems {
        say(problem);
    }
    write(args, &document)?;
    let status = if document.problems.is_empty() { Status::Done } else { Status::BadInput };
    Ok(asked.status.max(status))
}

fn format(args: &Plan) -> PlanFormat {
    let by_name = || match args.output.as_ref()?.extension()?.to_str()? {
        "md" => Some(PlanFormat::Markdown),
        "html" | "htm" => Some(PlanFormat::Html),
        "txt" => Some(PlanFormat::Table),
        _ => Some(PlanFormat::Json),
    };
    let terminal = args.output.is_none() && std::io::stdout().is_terminal();
    args.format.or_else(by_name).unwrap_or(if terminal { PlanFormat::Table } else { PlanFormat::Json })
}

fn write(args: &Plan, document: &Document) -> Result<(), Failure> {
    let look = look("What to give back, and when", args.output.is_some());
    let text = match format(args) {
        PlanFormat::Table => face::table(document, &look),
        PlanFormat::Markdown => face::markdown(document),
        PlanFormat::Html => face::html(document, &look),
        PlanFormat::Json => {
            let mut text = serde_json::to_string_pretty(document).map_err(Failure::input)?;
            text.push('\n');
            text
        }
    };
    write_text(&Answer { format: None, output: args.output.clone() }, &text)
}

fn read<T: serde::de::DeserializeOwned>(file: &Path, what: &str) -> Result<T, Failure> {
    let named = |error: &dyn std::fmt::Display| Failure::input(format_args!("{}: {error}", file.display()));
    let text = fs::read_to_string(file).map_err(|error| named(&error))?;
    serde_json::from_str(&text).map_err(|error| named(&format_args!("not {what}: {error}")))
}

fn rates(file: &Path) -> Result<Rates, Failure> {
    let rates: Rates = read(
        file,
        r#"a file of rates such as {"base": "USD", "rates": {"CNY": "0.14"}}, where one CNY is worth 0.14 USD"#,
    )?;
    match rates.rates.iter().find(|(_, rate)| !rate.is_positive()) {
        Some((currency, rate)) => Err(Failure::input(format_args!(
            "{}: the rate of {currency} is {rate}, expected one above zero",
            file.display()
        ))),
        None => Ok(rates),
    }
}

/// A plan that was written before.
pub(crate) fn document(file: &Path) -> Result<Document, Failure> {
    let document: Document = read(file, "a plan that recoup wrote")?;
    if document.recoup_plan != VERSION {
        return Err(Failure::input(format_args!(
            "{}: a plan of version {}, expected {VERSION}",
            file.display(),
            document.recoup_plan
        )));
    }
    Ok(document)
}

/// What a plan was asked with, where a question does not say otherwise.
pub(crate) fn as_planned(question: Question, inputs: &Inputs) -> Question {
    Question {
        accounts: question.accounts.or_else(|| inputs.accounts.clone()),
        edition: question.edition.or_else(|| inputs.edition.clone()),
        assume: if question.assume.is_empty() { inputs.assume.clone() } else { question.assume },
        ..question
    }
}

/// Replays a plan with the files that it names, unless others are named.
fn replay(engine: &Engine, args: &Plan, file: &Path) -> Outcome {
    let document = document(file)?;
    let files = if args.files.is_empty() { &document.inputs.files } else { &args.files };
    let mut question = as_planned(args.question.clone(), &document.inputs);
    question.at = Some(document.from.to_string());
    let asked = ask(engine, files, &question, None, false)?;
    let faults = check(&document, engine, asked.assessor.run(), &asked.resources, &asked.subjects, threads(&question));
    for fault in &faults {
        say(format_args!("{}: {fault}", file.display()));
    }
    let steps: usize = document.plans.iter().map(|plan| plan.steps.len()).sum();
    let verdict = if faults.is_empty() {
        format!("{steps} step(s) replayed: every figure and quota holds")
    } else {
        format!("{steps} step(s) replayed: {} thing(s) do not hold", faults.len())
    };
    print(&verdict)?;
    let status = if faults.is_empty() { Status::Done } else { Status::CheckFailed };
    Ok(asked.status.max(status))
}
