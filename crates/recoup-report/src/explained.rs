//! An explanation in the formats that are no plain text: the answer with all its exits, then what comes.

use std::io::{self, Write};

use recoup_core::time::{Instant, Zone};
use recoup_timeline::Figures;
use recoup_timeline::deadlines::Deadline;
use recoup_timeline::forecast::Run;
use serde_json::Value;

use crate::forecast::pace;
use crate::html::Html;
use crate::timeline::{self, Event, Told};
use crate::{Answered, Format, Look, Report as _, machine, report, write_all};

/// An answer, with what comes where that could be found out.
#[derive(Debug, Clone)]
pub struct Explained {
    /// The answer.
    pub answered: Answered,
    /// What comes.
    pub told: Option<Told>,
}

fn objects(all: &[Explained]) -> impl Iterator<Item = Value> + '_ {
    all.iter().map(|one| {
        let mut json = one.answered.to_json();
        if let (Value::Object(map), Some(told)) = (&mut json, &one.told) {
            map.insert("timeline".into(), timeline::to_json(told));
        }
        json
    })
}

/// One JSON array: assessments with a `timeline` each.
#[must_use]
pub fn json(all: &[Explained]) -> String {
    format!("{:#}\n", Value::from_iter(objects(all)))
}

/// One JSON object a line.
#[must_use]
pub fn ndjson(all: &[Explained]) -> String {
    objects(all).map(|value| format!("{value}\n")).collect()
}

/// A Markdown document: the table of the answers, then what comes for each.
///
/// # Errors
/// Where the writer fails.
pub fn markdown(all: &[Explained], look: &Look, mut out: impl Write) -> io::Result<()> {
    let answers: Vec<Answered> = all.iter().map(|one| one.answered.clone()).collect();
    write_all(report(Format::Markdown, &mut out, look).as_mut(), &answers)?;
    for told in all.iter().filter_map(|one| one.told.as_ref()) {
        write!(out, "\n{}", timeline::markdown(told))?;
    }
    out.flush()
}

/// One self-contained page: every exit with its clauses, then what comes for each resource, with a chart.
///
/// # Errors
/// Where the writer fails.
pub fn html(all: &[Explained], look: &Look, out: impl Write) -> io::Result<()> {
    let mut page = Html::new(out, look.clone()).open();
    page.begin()?;
    for one in all {
        page.add(&one.answered)?;
        if let Some(told) = &one.told {
            page.section(&timeline::html(told));
        }
    }
    page.finish()
}

/// The columns of the CSV beside those of [`machine::CSV_COLUMNS`]; only rows of what comes fill them, and those fill
/// of the others what names the resource.
pub const CSV_MORE: &[&str] = &[
    "row",
    "event_from",
    "event_until",
    "event_until_utc",
    "event_inclusive",
    "event_due",
    "event",
    "event_clauses",
    "worth_currency",
    "worth_before",
    "worth_after",
    "stake",
];

/// A flat table: a row for every exit (`exit`), then one for every time in which a figure moves (`moves`), every
/// instant at which something opens, closes or changes (`deadline`), and the best moment (`best`).
///
/// # Errors
/// Where the writer fails.
pub fn csv(all: &[Explained], out: impl Write) -> io::Result<()> {
    let mut out = csv::Writer::from_writer(out);
    out.write_record(machine::CSV_COLUMNS.iter().chain(CSV_MORE))?;
    for one in all {
        let mut exits = Vec::new();
        write_all(&mut machine::Csv::new(&mut exits), std::slice::from_ref(&one.answered))?;
        for record in csv::Reader::from_reader(exits.as_slice()).records() {
            let more = CSV_MORE.iter().map(|column| if *column == "row" { "exit" } else { "" });
            out.write_record(record?.iter().chain(more))?;
        }
        let Some(told) = &one.told else { continue };
        let events = told.events().into_iter().map(|event| match event {
            Event::Moves(run) => moves(told, run),
            Event::Boundary(deadline) => boundary(told, deadline),
        });
        for mut cells in events.chain(best(told)) {
            cells.resize(CSV_MORE.len(), String::new());
            let names = machine::CSV_COLUMNS.iter().map(|column| named(told, column));
            out.write_record(names.chain(cells))?;
        }
    }
    out.flush()
}

/// What names a resource, in the columns of an assessment.
fn named(told: &Told, column: &str) -> String {
    let subject = &told.subject;
    match column {
        "provider" => subject.provider.clone(),
        "site" => subject.site.clone(),
        "account" => subject.account.clone().unwrap_or_default(),
        "resource" => subject.resource.clone(),
        "name" => subject.name.clone().unwrap_or_default(),
        "product" => subject.product.clone(),
        "at" => subject.at.display(subject.zone).to_string(),
        _ => String::new(),
    }
}

fn worth(figures: &Figures) -> String {
    figures.worth().map(|worth| worth.to_string()).unwrap_or_default()
}

fn moves(told: &Told, run: &Run) -> Vec<String> {
    let at = |instant: Instant| instant.display(told.subject.zone).to_string();
    let currency = run.first.currency().or_else(|| run.end.currency());
    vec![
        "moves".to_owned(),
        at(run.from),
        at(run.last),
        run.last.display(Zone::UTC).to_string(),
        true.to_string(),
        String::new(),
        format!("{} {}", run.first.exit.map(|exit| exit.to_string()).unwrap_or_default(), pace(run)),
        String::new(),
        currency.map(|currency| currency.to_string()).unwrap_or_default(),
        worth(&run.first),
        worth(&run.end),
    ]
}

fn boundary(told: &Told, deadline: &Deadline) -> Vec<String> {
    let zone = told.subject.zone;
    let at = |instant: Instant| instant.display(zone).to_string();
    let events = deadline.changes.iter().map(|change| format!("{} {}", change.exit, change.kind.as_str()));
    let mut clauses: Vec<String> = deadline
        .changes
        .iter()
        .flat_map(|change| &change.causes)
        .map(|cause| crate::deadlines::clause_id(&deadline.policy, cause))
        .collect();
    clauses.sort();
    clauses.dedup();
    vec![
        "deadline".to_owned(),
        String::new(),
        at(deadline.at),
        deadline.at.display(Zone::UTC).to_string(),
        deadline.through.to_string(),
        at(deadline.due()),
        events.collect::<Vec<_>>().join("; "),
        clauses.join("; "),
        deadline.currency().map(|currency| currency.to_string()).unwrap_or_default(),
        worth(&deadline.before),
        worth(&deadline.after),
        deadline.stake().map(|stake| stake.to_string()).unwrap_or_default(),
    ]
}

fn best(told: &Told) -> Option<Vec<String>> {
    let (at, figures) = told.curve.best()?;
    Some(vec![
        "best".to_owned(),
        at.display(told.subject.zone).to_string(),
        String::new(),
        String::new(),
        String::new(),
        String::new(),
        figures.exit.map(|exit| exit.to_string()).unwrap_or_default(),
        String::new(),
        figures.currency().map(|currency| currency.to_string()).unwrap_or_default(),
        worth(&figures),
    ])
}
