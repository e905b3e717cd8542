//! `recoup explain`.

use recoup_core::assessment::Answered;
use recoup_engine::Engine;
use recoup_engine::timeline::each;
use recoup_report::explain::explain as explain_text;
use recoup_report::timeline::{self, Told};
use recoup_timeline::deadlines::deadlines;
use recoup_timeline::forecast::curves;
use recoup_timeline::steps::MOST_STEPS;
use serde_json::Value;

use crate::cli::{Explain, Format};
use crate::host::{Failure, Outcome, Status, look, say, threads};
use crate::output;
use crate::span::{Asked, ask, natural_end};

pub(crate) fn explain(engine: &Engine, args: &Explain) -> Outcome {
    let asked = ask(engine, &args.files, &args.question, Some(&args.id), true)?;
    let mut found: Vec<Answered> = Vec::new();
    for answer in asked.assessor.assess(asked.resources.clone()) {
        found.push(answer.map_err(Failure::input)?);
    }
    if found.is_empty() {
        return Err(Failure::input(format_args!(
            "no resource with the id {:?} could be assessed in {}",
            args.id,
            args.files.join(", ")
        )));
    }
    let (told, walked) = over_time(&asked, threads(&args.question));
    match args.answer.format {
        Some(Format::Json) => {
            let json: Value =
                found.iter().zip(&told).map(|(answered, told)| with_timeline(answered, told.as_ref())).collect();
            output::write_text(&args.answer, &format!("{json:#}\n"))?;
        }
        None | Some(Format::Table) => {
            let look = look("", args.answer.output.is_some());
            let text = |(answered, told): (&Answered, &Option<Told>)| {
                let timeline = told.as_ref().map(|told| timeline::text(told, &look)).unwrap_or_default();
                format!("{}{timeline}", explain_text(answered, &look))
            };
            let texts: Vec<String> = found.iter().zip(&told).map(text).collect();
            output::write_text(&args.answer, &texts.join("\n"))?;
        }
        Some(_) => output::write(&args.answer, &format!("Explained: {}", args.id), |writer| {
            found.iter().try_for_each(|answered| writer.add(answered))
        })?,
    }
    Ok(asked.status.max(walked))
}

/// What comes for every resource, where it could be walked.
fn over_time(asked: &Asked<'_>, threads: usize) -> (Vec<Option<Told>>, Status) {
    let natural = natural_end(asked);
    let spans = asked.spans(|_, _| natural);
    let walked = each(&asked.assessor, &asked.resources, &spans, threads, |rules, timelines| {
        let told = timelines.into_iter().map(|(place, timeline)| {
            let timeline = timeline?;
            let curve = curves(rules, &[(place, &timeline)], MOST_STEPS).pop().ok_or("no answer came back")??;
            Ok::<Told, String>(Told { deadlines: deadlines(&timeline), subject: timeline.subject, curve })
        });
        told.collect()
    });
    let mut status = Status::Done;
    let told = walked.into_iter().map(|told| {
        told.map_err(|what| {
            say(what);
            status = Status::BadInput;
        })
        .ok()
    });
    let told = told.collect();
    (told, status)
}

/// The assessment with what comes.
fn with_timeline(answered: &Answered, told: Option<&Told>) -> Value {
    let mut json = answered.to_json();
    if let (Value::Object(map), Some(told)) = (&mut json, told) {
        map.insert("timeline".into(), timeline::to_json(told));
    }
    json
}
