//! `recoup explain`.

use std::io::Write as _;

use recoup_core::assessment::Answered;
use recoup_core::time::{Instant, Span};
use recoup_engine::Engine;
use recoup_engine::timeline::{Figures, Rules, each};
use recoup_report::Look;
use recoup_report::explain::explain as explain_text;
use recoup_report::explained::{self, Explained};
use recoup_report::timeline::{self, Told};
use recoup_timeline::deadlines::deadlines;
use recoup_timeline::forecast::{Curve, curves, figures_at, moments};
use recoup_timeline::steps::MOST_STEPS;

use crate::cli::{Explain, Format};
use crate::forecast::{MOST_MOMENTS, last_change};
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
    let all: Vec<Explained> =
        found.into_iter().zip(told).map(|(answered, told)| Explained { answered, told }).collect();
    write(args, &all)?;
    Ok(asked.status.max(walked))
}

/// Writes an explanation: for a person unless a format is named, or follows from the name of a file.
fn write(args: &Explain, all: &[Explained]) -> Result<(), Failure> {
    let named = args.answer.format.is_some() || args.answer.output.is_some();
    let format = if named { output::format(&args.answer) } else { Format::Table };
    let title = format!("Explained: {}", args.id);
    let look = look(&title, args.answer.output.is_some());
    let mut out = Vec::new();
    let written = match format {
        Format::Table => write!(out, "{}", text(all, &look)),
        Format::Json => write!(out, "{}", explained::json(all)),
        Format::Ndjson => write!(out, "{}", explained::ndjson(all)),
        Format::Csv => explained::csv(all, &mut out),
        Format::Markdown => explained::markdown(all, &look, &mut out),
        Format::Html => explained::html(all, &look, &mut out),
        // These hold assessments and nothing else.
        Format::Parquet | Format::Focus => {
            return output::write(&args.answer, &title, |writer| {
                all.iter().try_for_each(|one| writer.add(&one.answered))
            });
        }
    };
    written.map_err(|error| Failure::output(&error))?;
    output::write_text(&args.answer, &String::from_utf8_lossy(&out))
}

fn text(all: &[Explained], look: &Look) -> String {
    let one = |one: &Explained| {
        let timeline = one.told.as_ref().map(|told| timeline::text(told, look)).unwrap_or_default();
        format!("{}{timeline}", explain_text(&one.answered, look))
    };
    all.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// What comes for every resource, where it could be walked.
fn over_time(asked: &Asked<'_>, threads: usize) -> (Vec<Option<Told>>, Status) {
    let natural = natural_end(asked);
    let spans = asked.spans(|_, _| natural);
    let walked = each(&asked.assessor, &asked.resources, &spans, threads, |rules, timelines| {
        let told = timelines.into_iter().map(|(place, timeline)| {
            let timeline = timeline?;
            let curve = curves(rules, &[(place, &timeline)], MOST_STEPS).pop().ok_or("no answer came back")??;
            let points = points(rules, place, &curve)?;
            Ok::<Told, String>(Told { deadlines: deadlines(&timeline), subject: timeline.subject, curve, points })
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

/// The figures of a curve wherever they turn, and at the begin of every month, until nothing moves any more.
fn points(rules: &dyn Rules, place: usize, curve: &Curve) -> Result<Vec<(Instant, Figures)>, String> {
    let ends = (curve.runs.first(), curve.runs.last());
    let (Some(from), Some(last)) = (ends.0.map(|run| run.from), ends.1.map(|run| run.last)) else {
        return Ok(Vec::new());
    };
    let last = last_change(std::slice::from_ref(curve)).map_or(last, |change| (change + Span::days(1)).min(last));
    let at = moments(std::slice::from_ref(curve), from, last.max(from), MOST_MOMENTS).at;
    let mut figures = Vec::new();
    figures_at(rules, &[(place, curve)], &at, |of_curve| figures = of_curve)?;
    Ok(at.into_iter().zip(figures).filter_map(|(at, figures)| Some((at, figures?))).collect())
}
