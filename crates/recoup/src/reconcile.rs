//! `recoup reconcile`: what should have come against what came.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use clap::Args;
use recoup_cases::reconcile::{
    Prediction, Receipt, Reconciliation, Row, Said, Status as Compared, predicted, reconcile as compare,
};
use recoup_cases::store::Store as _;
use recoup_core::context::Run;
use recoup_core::flow::Leaving;
use recoup_core::policy::{ClauseId, Policy, Rulebook};
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Exit, Instrument};
use recoup_engine::pipeline::{self, Output};
use recoup_engine::{Assessor, Engine};
use recoup_report::rows::{Form, Rows};
use serde_json::{Value, json};

use crate::cli::{Answer, Format};
use crate::host::{Failure, Outcome, Status, look, open, say};
use crate::{output, received};

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
    if text.trim().is_empty() {
        say(format_args!(
            "{file}: the file is empty, expected assessments as `recoup assess --format ndjson` prints them"
        ));
        *status = Status::BadInput;
    }
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

/// The numbers of orders by provider and resource.
type OrdersOf = HashMap<(String, String), Vec<String>>;

/// The orders of resources, out of a portfolio or a provider's lists.
fn orders(engine: &Engine, args: &Reconcile) -> Result<(OrdersOf, Status), Failure> {
    let mut orders = OrdersOf::new();
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

/// What a provider's policy says of clauses: which of them speak of the money, and what they say.
struct Clauses {
    policy: Arc<Policy>,
    book: Option<Rulebook>,
}

impl Clauses {
    fn new(policy: Arc<Policy>) -> Self {
        Self { book: Rulebook::new((*policy).clone()).ok(), policy }
    }

    /// The clauses that say what should come back, of those in force when it was predicted.
    fn owed(&self, row: &Row, at: Option<Instant>, product: &str) -> Vec<String> {
        let Some(exit) = row.exit else { return Vec::new() };
        let site = self.policy.site(row.site.as_deref()).map_or("", |site| site.id.as_str());
        let leaving = Leaving::new(site, exit, product);
        let rules = self.book.as_ref().and_then(|book| book.site(Some(site)));
        let epoch = rules.zip(at).and_then(|(rules, at)| rules.epoch(at));
        let in_force = |id: &str| {
            let place =
                self.policy.clauses.iter().position(|clause| clause.id == id).and_then(|place| place.try_into().ok());
            epoch.zip(place).is_none_or(|(epoch, place)| epoch.in_force(ClauseId(place)))
        };
        self.policy.owed(&leaving).filter(|id| in_force(id)).map(str::to_owned).collect()
    }

    fn says(&self, id: &str) -> String {
        self.policy.clauses.iter().find(|clause| clause.id == id).map(|clause| clause.says.clone()).unwrap_or_default()
    }
}

/// Puts the clauses first that say what should come back, and fills in what they say. An assessment that
/// was written without its steps names none: then those that the provider's policy names for the exit.
fn explain(engine: &Engine, predictions: &[Prediction], result: &mut Reconciliation) {
    let mut known: HashMap<String, Option<Clauses>> = HashMap::new();
    let by_source: HashMap<&str, &Prediction> =
        predictions.iter().map(|prediction| (prediction.source.as_str(), prediction)).collect();
    for row in &mut result.rows {
        let Some(provider) = row.provider.clone() else { continue };
        let clauses = known.entry(provider).or_insert_with_key(|name| engine.policy(name).ok().map(Clauses::new));
        let Some(clauses) = clauses else { continue };
        let prediction = row.predicted_by.as_deref().and_then(|source| by_source.get(source));
        if let Some(prediction) = prediction {
            let owed = clauses.owed(row, prediction.at, &prediction.product);
            if row.clauses.is_empty() {
                row.clauses.extend(owed.into_iter().map(|clause| Said { clause, says: String::new() }));
            } else {
                row.clauses.sort_by_key(|said| !owed.contains(&said.clause));
            }
        }
        for said in row.clauses.iter_mut().filter(|said| said.says.is_empty()) {
            said.says = clauses.says(&said.clause);
        }
    }
}

fn text(value: Option<&String>) -> String {
    value.cloned().unwrap_or_else(|| "-".to_owned())
}

fn place(row: &Row) -> String {
    match (&row.provider, &row.site) {
        (Some(provider), Some(site)) => format!("{provider}/{site}"),
        (provider, _) => text(provider.as_ref()),
    }
}

fn instrument(instrument: Option<Instrument>) -> String {
    instrument.map_or("-", Instrument::as_str).replace('_', " ")
}

/// What a person reads first: the clause that says what should have come, and what is odd.
fn why(row: &Row) -> String {
    let clause = row.clauses.first().map(|said| said.clause.clone());
    clause.into_iter().chain(row.note.clone()).collect::<Vec<_>>().join("; ")
}

const FOR_PEOPLE: [&str; 9] =
    ["status", "provider", "resource", "instrument", "currency", "expected", "received", "difference", "why"];

fn for_people(row: &Row) -> Vec<String> {
    vec![
        row.status.as_str().to_owned(),
        place(row),
        text(row.resource.as_ref()),
        instrument(row.instrument),
        row.currency.to_string(),
        row.expected.to_string(),
        row.received.to_string(),
        row.difference.to_string(),
        why(row),
    ]
}

const FOR_MACHINES: [&str; 17] = [
    "status",
    "provider",
    "site",
    "account",
    "resource",
    "name",
    "exit",
    "instrument",
    "currency",
    "expected",
    "received",
    "difference",
    "due_by",
    "clauses",
    "references",
    "predicted_by",
    "note",
];

fn for_machines(row: &Row) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let references: Vec<&str> = row.receipts.iter().filter_map(|came| came.reference.as_deref()).collect();
    let clauses: Vec<&str> = row.clauses.iter().map(|said| said.clause.as_str()).collect();
    vec![
        row.status.as_str().to_owned(),
        text(&row.provider),
        text(&row.site),
        text(&row.account),
        text(&row.resource),
        text(&row.name),
        row.exit.map_or("", Exit::as_str).to_owned(),
        row.instrument.map_or("", Instrument::as_str).to_owned(),
        row.currency.to_string(),
        row.expected.to_string(),
        row.received.to_string(),
        row.difference.to_string(),
        row.due_by.map(|due_by| due_by.display(Zone::UTC).to_string()).unwrap_or_default(),
        clauses.join(" "),
        references.join(" "),
        text(&row.predicted_by),
        text(&row.note),
    ]
}

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
    let is_csv = form == Form::Csv;
    let headings: &[&str] = if is_csv { &FOR_MACHINES } else { &FOR_PEOPLE };
    let mut rows = Rows::new("Predicted against received", headings).right(5..8);
    for row in &result.rows {
        rows.add(if is_csv { for_machines(row) } else { for_people(row) }, json!(row));
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
            instrument(total.instrument),
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
    explain(engine, &predictions, &mut result);
    output::write_text(&args.answer, &written(&result, &args.answer)?)?;
    for remark in &result.remarks {
        say(format_args!("note: {remark}"));
    }
    let counts: Vec<String> =
        Compared::ALL.iter().map(|status| format!("{} {}", result.count(*status), status.as_str())).collect();
    say(format_args!("{} prediction(s), {} receipt(s): {}", predictions.len(), receipts.len(), counts.join(", ")));
    if result.rows.iter().any(|row| row.predicted_by.is_some() && row.clauses.is_empty()) {
        say("note: some predictions name no clause: `recoup assess --steps` writes every one that was asked");
    }
    // What could not be read weighs more than what does not match: the comparison is not whole.
    let matched = if result.holds() { Status::Done } else { Status::CheckFailed };
    Ok(status.max(matched))
}
