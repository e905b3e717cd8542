//! `recoup reconcile`: what should have come against what came.

use std::collections::HashMap;
use std::ops::ControlFlow;

use clap::Args;
use recoup_cases::reconcile::{
    Prediction, Receipt, Reconciliation, Row, Said, Status as Compared, predicted, reconcile as compare,
};
use recoup_cases::store::Store as _;
use recoup_core::context::Run;
use recoup_core::policy::Policy;
use recoup_core::record::ResourceRecord;
use recoup_engine::pipeline::{self, Output};
use recoup_engine::{Assessor, Engine};
use recoup_report::rows::{Form, Rows};
use serde_json::{Value, json};

use crate::cli::{Answer, Format};
use crate::host::{Failure, Outcome, Status, look, open, say};
use crate::{output, received};

/// Clauses that are shown in a cell.
const SHOWN: usize = 3;

#[derive(Debug, Args)]
pub(crate) struct Reconcile {
    /// What was predicted: assessments of what was left, as `recoup assess --format ndjson` (or json) printed
    /// them. With --store, what the cases of the store predict comes first.
    #[arg(value_name = "ASSESSMENTS", required_unless_present = "store")]
    pub(crate) predicted: Vec<String>,

    /// What came: receipts (NDJSON, JSON or CSV with currency, amount and resource, order or reference), FOCUS
    /// files, or a provider's refund orders and bills; may be repeated. See docs/reconcile.md.
    #[arg(long, short = 'r', value_name = "FILE", num_args = 1.., required_unless_present = "store")]
    pub(crate) received: Vec<String>,

    /// Portfolio, or the provider's lists of orders, by which a refund that names only an order finds its
    /// resource; may be repeated.
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(crate) portfolio: Vec<String>,

    /// Store of cases: what was carried out is predicted, what was recorded has come.
    #[arg(long, value_name = "STORE")]
    pub(crate) store: Option<String>,

    /// Only this provider, and the reader of files that name none.
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,

    #[command(flatten)]
    pub(crate) answer: Answer,
}

/// Reads assessments: one a line, or an array of them.
fn assessments(file: &str, status: &mut Status) -> Result<Vec<Prediction>, Failure> {
    let text =
        if file == "-" { std::io::read_to_string(std::io::stdin().lock()) } else { std::fs::read_to_string(file) };
    let text = text.map_err(|error| Failure::input(format_args!("{file}: {error}")))?;
    let mut values: Vec<(String, Value)> = Vec::new();
    match serde_json::from_str::<Value>(&text) {
        Ok(Value::Array(items)) => {
            values.extend(items.into_iter().enumerate().map(|(index, item)| (format!("{file}: [{index}]"), item)));
        }
        Ok(one) => values.push((file.to_owned(), one)),
        Err(_) => {
            for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                let place = format!("{file}:{}", index + 1);
                match serde_json::from_str(line) {
                    Ok(value) => values.push((place, value)),
                    Err(error) => {
                        say(format_args!("{place}: not JSON: {error}"));
                        *status = Status::BadInput;
                    }
                }
            }
        }
    }
    let mut predictions = Vec::new();
    for (place, value) in values {
        match predicted::from_assessment(&value, &place) {
            Ok(prediction) => predictions.push(prediction),
            Err(error) => {
                say(format_args!("{place}: {error}"));
                *status = Status::BadInput;
            }
        }
    }
    Ok(predictions)
}

/// What the cases of a store predict, and what was recorded in them.
fn of_store(address: &str) -> Result<(Vec<Prediction>, Vec<Receipt>), Failure> {
    crate::case::must_exist(address)?;
    let cases = crate::case::wait(async {
        let store = recoup_cases::store::open(address).await?;
        let mut cases = Vec::new();
        for id in store.cases().await? {
            cases.extend(store.case(&id).await?);
        }
        Ok(cases)
    })?;
    let predictions = cases.iter().flat_map(predicted::from_case).collect();
    Ok((predictions, cases.iter().flat_map(predicted::receipts_of).collect()))
}

/// The orders of resources, out of a portfolio or a provider's lists.
fn orders(engine: &Engine, args: &Reconcile) -> Result<(HashMap<(String, String), Vec<String>>, Status), Failure> {
    let mut orders: HashMap<(String, String), Vec<String>> = HashMap::new();
    if args.portfolio.is_empty() {
        return Ok((orders, Status::Done));
    }
    let (inputs, run, mut status) = open(engine, &args.portfolio, args.provider.as_deref(), Run::default())?;
    let taken = std::sync::Mutex::new(Vec::new());
    // The records are wanted, not their assessments: they are taken where they are sifted.
    let take = |resource: &ResourceRecord| {
        if let Ok(mut taken) = taken.lock() {
            let ids = resource.orders.iter().flatten().filter_map(|order| order.id.clone()).collect::<Vec<_>>();
            taken.push(((resource.provider.clone(), resource.id.to_lowercase()), ids));
        }
        false
    };
    pipeline::run(&Assessor::new(engine, run), inputs, &take, 1, |output| {
        if let Output::Problem { file, line, what } = output {
            say(format_args!("{file}:{line}: {what}"));
            status = Status::BadInput;
        }
        ControlFlow::Continue(())
    });
    for (key, ids) in taken.into_inner().unwrap_or_default() {
        orders.entry(key).or_default().extend(ids);
    }
    Ok((orders, status))
}

/// Fills in what the clauses say, from the policies of the providers.
fn explain(engine: &Engine, result: &mut Reconciliation) {
    let mut policies: HashMap<String, Option<std::sync::Arc<Policy>>> = HashMap::new();
    for row in &mut result.rows {
        let Some(provider) = &row.provider else { continue };
        let policy = policies.entry(provider.clone()).or_insert_with(|| engine.policy(provider).ok());
        let Some(policy) = policy else { continue };
        for said in row.clauses.iter_mut().filter(|said| said.says.is_empty()) {
            if let Some(clause) = policy.clauses.iter().find(|clause| clause.id == said.clause) {
                said.says.clone_from(&clause.says);
            }
        }
    }
}

fn clause_words(clauses: &[Said]) -> String {
    let mut shown: Vec<String> = clauses.iter().take(SHOWN).map(|said| said.clause.clone()).collect();
    if clauses.len() > SHOWN {
        shown.push(format!("and {} more", clauses.len() - SHOWN));
    }
    shown.join(", ")
}

fn cells(row: &Row) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let place = match (&row.provider, &row.site) {
        (Some(provider), Some(site)) => format!("{provider}/{site}"),
        (provider, _) => text(provider),
    };
    let references: Vec<&str> = row.receipts.iter().filter_map(|came| came.reference.as_deref()).collect();
    vec![
        row.status.as_str().to_owned(),
        place,
        text(&row.resource),
        row.instrument.map_or("-", recoup_core::vocab::Instrument::as_str).replace('_', " "),
        row.expected.to_string(),
        row.received.to_string(),
        row.difference.to_string(),
        row.currency.to_string(),
        if references.is_empty() { "-".to_owned() } else { references.join(" ") },
        clause_words(&row.clauses),
        row.note.clone().unwrap_or_default(),
    ]
}

const HEADINGS: [&str; 11] = [
    "status",
    "provider",
    "resource",
    "instrument",
    "expected",
    "received",
    "difference",
    "currency",
    "references",
    "clauses",
    "note",
];

/// The result in a format. JSON is the whole of it with its totals, NDJSON and CSV its rows alone.
fn written(result: &Reconciliation, answer: &Answer) -> Result<String, Failure> {
    let form = match output::format(answer) {
        Format::Table => Form::Table,
        Format::Json => Form::Json,
        Format::Ndjson => Form::Ndjson,
        Format::Csv => Form::Csv,
        Format::Markdown => Form::Markdown,
        Format::Html => Form::Html,
        Format::Parquet | Format::Focus => {
            return Err(Failure::usage("--format: expected table, json, ndjson, csv, markdown or html here"));
        }
    };
    let mut rows = Rows::new("Predicted against received", &HEADINGS).right(4..7);
    for row in &result.rows {
        rows.add(cells(row), json!(row));
    }
    if form == Form::Json {
        rows = rows.whole(json!(result));
    }
    let look = look("", answer.output.is_some());
    let failed = |error| Failure::output(&error);
    let mut text = rows.write(form, &look).map_err(failed)?;
    if matches!(form, Form::Table | Form::Markdown) && !result.totals.is_empty() {
        text.push('\n');
        text.push_str(&totals(result).write(form, &look).map_err(failed)?);
    }
    Ok(text)
}

fn totals(result: &Reconciliation) -> Rows {
    let mut headings = vec!["instrument", "currency", "expected", "received", "difference"];
    headings.extend(Compared::ALL.map(Compared::as_str));
    let mut rows = Rows::new("Totals", &headings).right(2..headings.len());
    for total in &result.totals {
        let mut cells = vec![
            total.instrument.map_or("-", recoup_core::vocab::Instrument::as_str).replace('_', " "),
            total.currency.to_string(),
            total.expected.to_string(),
            total.received.to_string(),
            total.difference.to_string(),
        ];
        cells.extend(Compared::ALL.map(|status| total.rows.get(status.as_str()).copied().unwrap_or(0).to_string()));
        rows.add(cells, json!(total));
    }
    rows
}

pub(crate) fn reconcile(engine: &Engine, args: &Reconcile) -> Outcome {
    if let Some(name) = &args.provider {
        engine.adapter(name).map_err(|error| Failure::usage(format!("--provider {error}")))?;
    }
    if args.predicted.iter().chain(&args.received).chain(&args.portfolio).filter(|file| *file == "-").count() > 1 {
        return Err(Failure::usage("standard input can be read only once"));
    }
    let mut status = Status::Done;
    let (mut predictions, mut receipts) = args.store.as_deref().map(of_store).transpose()?.unwrap_or_default();
    for file in &args.predicted {
        predictions.extend(assessments(file, &mut status)?);
    }
    let (came, read) = received::read(engine, &args.received, args.provider.as_deref())?;
    receipts.extend(came);
    let (orders, opened) = orders(engine, args)?;
    status = status.max(read).max(opened);
    for prediction in &mut predictions {
        let key = (prediction.provider.clone(), prediction.resource.to_lowercase());
        prediction.orders.extend(orders.get(&key).into_iter().flatten().cloned());
    }
    if let Some(only) = &args.provider {
        predictions.retain(|prediction| prediction.provider == *only);
        receipts.retain(|receipt| receipt.refund.provider.as_ref().is_none_or(|provider| provider == only));
    }
    let mut result = compare(&predictions, &receipts);
    explain(engine, &mut result);
    output::write_text(&args.answer, &written(&result, &args.answer)?)?;
    for remark in &result.remarks {
        say(format_args!("note: {remark}"));
    }
    let counts: Vec<String> =
        Compared::ALL.iter().map(|status| format!("{} {}", result.count(*status), status.as_str())).collect();
    say(format_args!("{} prediction(s), {} receipt(s): {}", predictions.len(), receipts.len(), counts.join(", ")));
    if result.rows.iter().any(|row| row.predicted_by.is_some() && row.clauses.is_empty()) {
        say("note: some predictions name no clause: assess with --steps, and they do");
    }
    // What could not be read weighs more than what does not match: the comparison is not whole.
    let matched = if result.holds() { Status::Done } else { Status::CheckFailed };
    Ok(status.max(matched))
}
