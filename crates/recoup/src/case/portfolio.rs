//! `recoup case list` and `recoup case quote`: what reads a portfolio.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use recoup_cases::flow::{Draft, Flows, Quoting, draft};
use recoup_cases::listing::{Filter, Row, Sort, View, rows, sort};
use recoup_cases::published::Published;
use recoup_cases::state::{kinds, resource_key};
use recoup_cases::store::{Store, open};
use recoup_core::assessment::Answered;
use recoup_core::context::Run;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::{Exit, Outcome as Verdict};
use recoup_engine::pipeline::Input;
use recoup_engine::{Assessor, Engine};
use recoup_report::rows::Rows;
use serde_json::json;

use super::cli::{List, Look, OutcomeWord, Quote, SortWord, ViewWord};
use super::{instant, wait, write};
use crate::cli::{Question, Setup};
use crate::host::{self, Failure, Outcome, Status, say};

/// Resources judged at a time.
const BATCH: usize = 4_096;

impl Look {
    fn filter(&self) -> Filter {
        Filter {
            view: self.view.map(|view| match view {
                ViewWord::InUse => View::InUse,
                ViewWord::Inactive => View::Inactive,
                ViewWord::Renewal => View::Renewal,
                ViewWord::Failed => View::Failed,
            }),
            outcome: self.outcome.map(|outcome| match outcome {
                OutcomeWord::Allowed => Verdict::Allowed,
                OutcomeWord::Conditional => Verdict::Conditional,
                OutcomeWord::Refused => Verdict::Refused,
            }),
            name: self.name.clone(),
            order: self.order.clone(),
            id: self.id.clone(),
            product: self.product.clone(),
            region: self.region.clone(),
            project: self.project.clone(),
        }
    }
}

/// A portfolio in memory, with the run that judges it.
pub(super) struct Read {
    pub(super) records: Vec<ResourceRecord>,
    pub(super) run: Run,
    pub(super) status: Status,
}

/// Reads everything that files hold. What cannot be read is said and left out.
pub(super) fn read(engine: &Engine, files: &[String], question: &Question, at: Instant) -> Result<Read, Failure> {
    let (mut run, before) = host::run(engine, question, true)?;
    run.at = Some(at);
    run.day = None;
    let (inputs, run, opened) = host::open(engine, files, question.provider.as_deref(), run)?;
    let mut status = before.max(opened);
    let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
    let mut records = Vec::new();
    for input in inputs {
        match input {
            Input::Records { records: read, .. } => records.extend(read),
            Input::Portfolio(mut portfolio) => {
                let file = Arc::clone(portfolio.file());
                loop {
                    let items = match portfolio.next_chunk() {
                        Ok(Some(items)) => items,
                        Ok(None) => break,
                        Err(error) => {
                            say(error);
                            status = Status::BadInput;
                            break;
                        }
                    };
                    for item in items {
                        let line = item.line;
                        match item.read(&zone_of) {
                            Ok(read) => {
                                for remark in &read.remarks {
                                    say(format_args!("{file}:{line}: warning: \"{}\": {}", remark.path, remark.what));
                                }
                                records.push(read.record);
                            }
                            Err(what) => {
                                say(format_args!("{file}:{line}: {what}"));
                                status = Status::BadInput;
                            }
                        }
                    }
                }
            }
        }
    }
    records.retain(|record| question.provider.as_ref().is_none_or(|provider| *provider == record.provider));
    Ok(Read { records, run, status })
}

/// Where no resource of a portfolio has a project, asking for one is a mistake.
fn projects_are_known(look: &Look, records: &[ResourceRecord]) -> Result<(), Failure> {
    match &look.project {
        Some(project) if records.iter().all(|record| record.project.is_none()) => Err(Failure::usage(format!(
            "--project {project}: no resource names a project; the account's project management is off, or the export does not show it"
        ))),
        _ => Ok(()),
    }
}

pub(super) fn judge<'a>(
    assessor: &'a Assessor<'_>,
) -> impl FnMut(Vec<ResourceRecord>) -> Vec<Result<Answered, String>> + 'a {
    |records| {
        let mut answers = Vec::with_capacity(records.len());
        let mut records = records.into_iter().peekable();
        while records.peek().is_some() {
            let batch: Vec<ResourceRecord> = records.by_ref().take(BATCH).collect();
            answers.extend(assessor.assess(batch).into_iter().map(|answer| answer.map_err(|error| error.to_string())));
        }
        answers
    }
}

pub(super) fn published(engine: &Engine) -> Published {
    let policies = engine.providers().into_iter().filter_map(|provider| engine.policy(&provider).ok());
    Published::new(policies.collect::<Vec<_>>())
}

/// Which case has a resource, by its key.
async fn taken(address: &str) -> Result<BTreeMap<String, String>, Failure> {
    let is_file = !address.contains("://");
    if is_file && !Path::new(address).exists() {
        return Ok(BTreeMap::new());
    }
    let store = open(address).await?;
    let mut taken = BTreeMap::new();
    for (kind, word) in [(kinds::HELD, "asked for in"), (kinds::GONE, "left in")] {
        for mark in store.marks(kind, None).await? {
            taken.insert(mark.key, format!("{word} {}", mark.case));
        }
    }
    Ok(taken)
}

fn why(row: &Row) -> String {
    let ruling = &row.line.ruling;
    let word = |reason: recoup_core::vocab::Reason| reason.to_string().replace('_', " ");
    if ruling.refusals.is_empty() {
        let facts = ruling
            .unknowns
            .iter()
            .map(|unknown| unknown.fact.as_ref().map_or_else(|| word(unknown.reason), |fact| format!("{fact}?")));
        let facts: BTreeSet<String> = facts.collect();
        return facts.into_iter().collect::<Vec<_>>().join(", ");
    }
    ruling.refusals.iter().map(|refusal| word(refusal.reason)).collect::<Vec<_>>().join(", ")
}

pub(super) fn list(setup: &Setup, args: &List) -> Outcome {
    let engine = host::engine(setup)?;
    let at = instant(args.question.at.as_deref())?;
    let Read { records, run, mut status } = read(&engine, &args.files, &args.question, at)?;
    projects_are_known(&args.look, &records)?;
    let filter = args.look.filter();
    let published = published(&engine);
    let taken = wait(taken(&args.desk.store))?;
    let assessor = Assessor::new(&engine, run);
    let wanted: Vec<ResourceRecord> = records.into_iter().filter(|record| filter.takes(record)).collect();
    let mut found: Vec<Row> = Vec::new();
    for (record, answer) in wanted.iter().zip(judge(&assessor)(wanted.clone())) {
        match answer {
            Ok(answered) => {
                let all = rows(record, &answered, &published, at);
                found.extend(all.into_iter().filter(|row| filter.shows(row)));
            }
            Err(what) => {
                say(format_args!("{}: {what}", record.id));
                status = Status::BadInput;
            }
        }
    }
    sort(
        &mut found,
        match args.sort {
            SortWord::Portfolio => Sort::Portfolio,
            SortWord::Refund => Sort::Refund,
            SortWord::Until => Sort::Until,
            SortWord::Name => Sort::Name,
        },
    );
    let headings = [
        "view", "provider", "resource", "name", "product", "region", "outcome", "exit", "refund", "until", "case",
        "why",
    ];
    let mut table = Rows::new("What can be left", &headings);
    let (page, per_page) = (args.page as usize, args.per_page as usize);
    for row in found.iter().skip((page - 1) * per_page).take(per_page) {
        let line = &row.line;
        let case = taken.get(&resource_key(line)).cloned().unwrap_or_default();
        let money = line.ruling.refund.as_ref();
        let cells = vec![
            row.view.as_str().to_owned(),
            line.place.to_string(),
            line.resource.clone(),
            line.name.clone().unwrap_or_default(),
            line.product.clone(),
            line.region.clone().unwrap_or_default(),
            line.ruling.outcome.to_string(),
            line.ruling.exit.to_string(),
            money.map(|money| format!("{} {}", money.refund, money.currency)).unwrap_or_default(),
            line.ruling.until.map(|until| until.display(line.zone).to_string()).unwrap_or_default(),
            case.clone(),
            why(row),
        ];
        let whole = json!({
            "view": row.view, "provider": line.place.provider, "site": line.place.site, "account": line.place.account,
            "resource": line.resource, "name": line.name, "product": line.product, "region": line.region,
            "project": line.project, "orders": line.orders, "case": if case.is_empty() { None } else { Some(case) },
            "ruling": line.ruling,
        });
        table.add(cells, whole);
    }
    let pages = found.len().div_ceil(per_page).max(1);
    write(&args.answer, &table)?;
    say(format_args!("{} row(s), page {page} of {pages}", found.len()));
    Ok(status)
}

/// What is chosen of a portfolio, by place.
fn choose(
    look: &Look,
    records: &[ResourceRecord],
    published: &Published,
    assessor: &Assessor<'_>,
    at: Instant,
) -> Result<BTreeSet<usize>, Failure> {
    let filter = look.filter();
    let mut chosen: BTreeSet<usize> =
        records.iter().enumerate().filter(|(_, record)| filter.takes(record)).map(|(index, _)| index).collect();
    for id in &look.id {
        if !records.iter().any(|record| record.id == *id) {
            return Err(Failure::usage(format!("--id {id}: no such resource in the portfolio")));
        }
    }
    if filter.view.is_some() || filter.outcome.is_some() {
        let judged: Vec<ResourceRecord> = chosen.iter().filter_map(|index| records.get(*index)).cloned().collect();
        let answers = judge(assessor)(judged.clone());
        let shown = chosen.iter().copied().zip(judged.iter().zip(answers)).filter(|(_, (record, answer))| {
            answer
                .as_ref()
                .is_ok_and(|answered| rows(record, answered, published, at).iter().any(|row| filter.shows(row)))
        });
        chosen = shown.map(|(index, _)| index).collect();
    }
    if chosen.is_empty() {
        return Err(Failure {
            status: Status::CheckFailed,
            message: "nothing in the portfolio is looked for".to_owned(),
        });
    }
    Ok(chosen)
}

/// Keeps with a quote the accounts by which its lines were judged.
pub(super) fn pin_accounts(drafted: &mut Draft, run: &Run) {
    for line in &drafted.lines {
        let Some(key) = &line.place.account else { continue };
        let pinned = run.account(&line.place.provider, &line.place.site, key).map(|account| account.to_json(line.zone));
        if let Some(pinned) = pinned.filter(|pinned| !drafted.accounts.contains(pinned)) {
            drafted.accounts.push(pinned);
        }
    }
}

pub(super) fn quote(setup: &Setup, args: &Quote) -> Outcome {
    let engine = host::engine(setup)?;
    let at = instant(args.question.at.as_deref())?;
    let act = args.who.act(at)?;
    let exit = args.exit.as_deref().map(Exit::parse).transpose();
    let exit = exit.map_err(|error| Failure::usage(format!("--exit: {error}")))?;
    let as_of = args.accounts_as_of.as_deref().map(|text| Instant::parse(text, Zone::UTC)).transpose();
    let quotas_as_of = as_of.map_err(|error| Failure::usage(format!("--accounts-as-of {error}")))?;
    let quoting = Quoting { valid_for: Span::hours(i64::from(args.valid_for)), quotas_as_of };
    let Read { records, run, mut status } = read(&engine, &args.files, &args.question, at)?;
    projects_are_known(&args.look, &records)?;
    let published = published(&engine);
    let accounts = run.clone();
    let assessor = Assessor::new(&engine, run);
    let chosen = choose(&args.look, &records, &published, &assessor, at)?;
    let mut drafted: Draft = draft(&records, &chosen, exit, &quoting, &mut judge(&assessor));
    drafted.assumed.clone_from(&args.question.assume);
    pin_accounts(&mut drafted, &accounts);
    for (id, what) in &drafted.problems {
        say(format_args!("{id}: {what}"));
        status = Status::BadInput;
    }
    let did = wait(async {
        let store: Arc<dyn Store> = Arc::new(open(&args.desk.store).await?);
        let flows = Flows::new(store, Arc::new(published));
        let did = flows.quote(&act, drafted, &quoting).await?;
        super::show::summary(&flows, &did.case, &args.answer).await?;
        Ok(did)
    })?;
    for note in &did.notes {
        say(format_args!("note: {note}"));
    }
    Ok(status)
}
