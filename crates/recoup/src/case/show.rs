//! `recoup case show`, `history`, `verify`, `export`: what only looks.

use std::collections::BTreeMap;

use recoup_cases::flow::{Flows, dues};
use recoup_cases::journal::{Entry, Event};
use recoup_cases::model::{Case, CaseId, Line};
use recoup_core::money::{Amount, Currency};
use recoup_core::time::{Instant, Zone};
use recoup_report::rows::Rows;
use serde_json::{Value, json};

use super::cli::{Export, History, Show, Verify};
use super::{flows, write};
use crate::cli::Answer;
use crate::host::{self, Failure, Outcome, Status, say};

/// Entries read at a time.
const PAGE: i64 = 500;

fn money(line: &Line) -> String {
    line.ruling
        .refund
        .as_ref()
        .map_or_else(|| "not known".to_owned(), |money| format!("{} {}", money.refund, money.currency))
}

fn words<T: ToString>(words: &[T]) -> String {
    words.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Why a line stands where it stands, or what it depends on.
fn why(line: &Line) -> String {
    let mut parts: Vec<String> = line.refused.iter().map(|refusal| refusal.says.clone()).collect();
    parts.extend(line.follows.map(|leader| format!("leaves with line {leader}")));
    let facts = line.ruling.unknowns.iter().filter_map(|unknown| unknown.fact.clone());
    let facts: std::collections::BTreeSet<String> = facts.collect();
    if !facts.is_empty() && line.refused.is_empty() {
        parts.push(format!("if {}", facts.into_iter().collect::<Vec<_>>().join(", ")));
    }
    if let Some(review) = &line.ruling.review {
        parts.push(format!("review by {}", review.by.replace('_', " ")));
    }
    parts.extend(line.said.clone());
    parts.join("; ")
}

/// A case as JSON: what it is, where it stands, what is still to come.
fn whole(case: &Case, now: Instant) -> Value {
    let mut value = json!(case);
    if let Value::Object(map) = &mut value {
        map.insert("state".into(), json!(case.state()));
        map.insert("due".into(), json!(dues(case, now)));
    }
    value
}

fn lines(case: &Case) -> Rows {
    let headings =
        ["line", "provider", "resource", "product", "exit", "outcome", "state", "order", "refund", "effects", "why"];
    let mut rows = Rows::new(&format!("Case {}", case.id), &headings).right(0..1);
    for line in &case.lines {
        let cells = vec![
            line.number.to_string(),
            line.place.to_string(),
            line.resource.clone(),
            line.product.clone(),
            line.ruling.exit.to_string(),
            line.ruling.outcome.to_string(),
            line.state.to_string(),
            line.combined_order.clone().unwrap_or_default(),
            money(line),
            words(&line.ruling.effects),
            why(line),
        ];
        rows.add(cells, json!(line));
    }
    rows
}

/// Sums of what comes back by the rulings, by currency.
fn sums(case: &Case) -> String {
    let mut sums: BTreeMap<Currency, Amount> = BTreeMap::new();
    let open = |line: &&Line| line.refused.is_empty();
    for refund in case.lines.iter().filter(open).filter_map(|line| line.ruling.refund.as_ref()) {
        *sums.entry(refund.currency).or_default() += refund.refund;
    }
    sums.iter().map(|(currency, sum)| format!("{sum} {currency}")).collect::<Vec<_>>().join(" + ")
}

/// Writes a case.
pub(super) async fn summary(flows: &Flows, id: &CaseId, answer: &Answer) -> Result<(), Failure> {
    let case = flows.case(id).await?;
    let zone = case.lines.first().map_or(Zone::UTC, |line| line.zone);
    write(answer, &lines(&case).whole(whole(&case, host::now())))?;
    let came = if case.received.is_empty() { String::new() } else { format!("; {} receipt(s)", case.received.len()) };
    say(format_args!(
        "{id}: {}; quoted {}, holds until {}; refund {}{came}",
        case.state(),
        case.quoted_at.display(zone),
        case.expires_at.display(zone),
        sums(&case)
    ));
    for due in dues(&case, host::now()) {
        let by = due.due_by.map(|by| format!(" by {}", by.display(zone))).unwrap_or_default();
        let late = if due.overdue { ", late" } else { "" };
        say(format_args!(
            "still to come: {} {} ({}) for line {}{by}{late}",
            due.left, due.currency, due.instrument, due.line
        ));
    }
    Ok(())
}

pub(super) async fn show(args: &Show) -> Outcome {
    let flows = flows(&args.desk).await?;
    if let Some(case) = &args.case {
        summary(&flows, &CaseId(case.clone()), &args.answer).await?;
        return Ok(Status::Done);
    }
    let mut rows = Rows::new("Cases", &["case", "state", "lines", "quoted", "refund", "providers"]);
    for id in flows.store().cases().await? {
        let case = flows.case(&id).await?;
        let zone = case.lines.first().map_or(Zone::UTC, |line| line.zone);
        let providers: std::collections::BTreeSet<String> =
            case.lines.iter().map(|line| line.place.to_string()).collect();
        let providers: Vec<String> = providers.into_iter().collect();
        let whole = json!({"case": case.id, "state": case.state(), "lines": case.lines.len(), "quoted_at": case.quoted_at.display(zone).to_string(),
            "expires_at": case.expires_at.display(zone).to_string(), "settled": case.settled, "providers": providers});
        let cells = vec![
            case.id.to_string(),
            case.state().to_string(),
            case.lines.len().to_string(),
            case.quoted_at.display(zone).to_string(),
            sums(&case),
            providers.join(", "),
        ];
        rows.add(cells, whole);
    }
    write(&args.answer, &rows)?;
    Ok(Status::Done)
}

fn numbers(lines: &[u32]) -> String {
    format!("line(s) {}", words(lines))
}

/// What an entry says, in one line.
fn what(event: &Event) -> String {
    match event {
        Event::Opened { store } => format!("store {store}"),
        Event::Quoted { case } => {
            format!("{} line(s), holds until {}", case.lines.len(), case.expires_at.display(Zone::UTC))
        }
        Event::Confirmed { reason, acknowledged, checked, lines, orders } => {
            let refused = lines.iter().filter(|line| !line.refused.is_empty()).count();
            let why: Vec<&str> = reason.option.iter().chain(&reason.text).map(String::as_str).collect();
            let checked = if checked.is_empty() { String::new() } else { format!("; checked {}", checked.join(", ")) };
            format!(
                "{} line(s) in {} order(s), {refused} refused; reason {}; acknowledged {}{checked}",
                lines.len(),
                orders.len(),
                why.join(": "),
                words(acknowledged)
            )
        }
        Event::Reviewed { lines, approved, by_itself } => {
            let how = if *by_itself {
                "approved by itself"
            } else if *approved {
                "approved"
            } else {
                "rejected"
            };
            format!("{}: {how}", numbers(lines))
        }
        Event::Begun { gateway, task, lines } => format!("{} by {gateway}, task {}", numbers(lines), task.id),
        Event::Ended { lines, .. } => {
            let ends = lines.iter().map(|line| {
                let said = line.said.as_ref().map(|said| format!(" ({said})")).unwrap_or_default();
                let references = line.references.join(" ");
                format!("line {} {}{said} {references}", line.line, line.state).trim_end().to_owned()
            });
            ends.collect::<Vec<_>>().join("; ")
        }
        Event::Sunk { lines } => format!("{}: another line of the order failed", numbers(lines)),
        Event::Received { receipts } => {
            let came = receipts.iter().map(|receipt| format!("{} {} {}", receipt.id, receipt.amount, receipt.currency));
            came.collect::<Vec<_>>().join(", ")
        }
        Event::Struck { receipt } => receipt.clone(),
        Event::Withdrawn { lines } | Event::Lapsed { lines } => numbers(lines),
        Event::Answered { key, .. } => format!("key {key}"),
    }
}

fn entry_row(entry: &Entry) -> (Vec<String>, Value) {
    let event = entry.event();
    let (word, said) = match &event {
        Ok(event) => (event.word().to_owned(), what(event)),
        Err(error) => ("?".to_owned(), error.to_string()),
    };
    let body: Value = serde_json::from_str(&entry.body).unwrap_or(Value::Null);
    let at = entry.at.display(Zone::UTC).to_string();
    let short: String = entry.hash.chars().take(12).collect();
    let json = json!({"seq": entry.seq, "at": at, "actor": entry.actor, "because": entry.because, "case": entry.case,
        "event": word, "body": body, "before": entry.before, "hash": entry.hash});
    let cells = vec![
        entry.seq.to_string(),
        at,
        entry.actor.clone(),
        entry.case.clone(),
        word,
        short,
        entry.because.clone(),
        said,
    ];
    (cells, json)
}

async fn journal(flows: &Flows, case: Option<&CaseId>, mut each: impl FnMut(&Entry)) -> Result<(), Failure> {
    let mut from = 1;
    loop {
        let page = flows.store().entries(from, PAGE, case).await?;
        let Some(last) = page.last() else { return Ok(()) };
        from = last.seq + 1;
        page.iter().for_each(&mut each);
    }
}

pub(super) async fn history(args: &History) -> Outcome {
    let flows = flows(&args.desk).await?;
    let case = args.case.clone().map(CaseId);
    if let Some(case) = &case {
        flows.case(case).await?;
    }
    let headings = ["entry", "at", "actor", "case", "event", "hash", "because", "what"];
    let mut rows = Rows::new("Journal", &headings).right(0..1);
    journal(&flows, case.as_ref(), |entry| {
        let (cells, json) = entry_row(entry);
        rows.add(cells, json);
    })
    .await?;
    write(&args.answer, &rows)?;
    Ok(Status::Done)
}

pub(super) async fn verify(args: &Verify) -> Outcome {
    let flows = flows(&args.desk).await?;
    let known = args.head.as_deref();
    if args.rebuild {
        flows.rebuild().await?;
    }
    let report = flows.verify(known).await?;
    let mut rows = Rows::new("Verification", &["what does not hold"]);
    for problem in &report.problems {
        rows.add(vec![problem.clone()], json!(problem));
    }
    if report.holds() {
        let rows = Rows::new("Verification", &["what does not hold"]).whole(json!(report));
        if !matches!(crate::output::format(&args.answer), crate::cli::Format::Table) {
            write(&args.answer, &rows)?;
        }
    } else {
        write(&args.answer, &rows.whole(json!(report)))?;
    }
    say(format_args!(
        "{} entries, {} case(s), {} line(s); head {} ({}): {}",
        report.entries,
        report.cases,
        report.lines,
        report.head.seq,
        report.head.hash,
        if report.holds() { "everything holds".to_owned() } else { format!("{} problem(s)", report.problems.len()) }
    ));
    Ok(if report.holds() { Status::Done } else { Status::CheckFailed })
}

pub(super) async fn export(args: &Export) -> Outcome {
    let flows = flows(&args.desk).await?;
    if args.journal {
        let mut rows = Rows::new("Journal", &["seq", "at", "actor", "because", "case", "body", "before", "hash"]);
        journal(&flows, None, |entry| {
            let cells = vec![
                entry.seq.to_string(),
                entry.at.display(Zone::UTC).to_string(),
                entry.actor.clone(),
                entry.because.clone(),
                entry.case.clone(),
                entry.body.clone(),
                entry.before.clone(),
                entry.hash.clone(),
            ];
            // The body stays text: its bytes are what the hash is of.
            rows.add(cells, json!(entry));
        })
        .await?;
        write(&args.answer, &rows)?;
        return Ok(Status::Done);
    }
    let headings = [
        "case",
        "line",
        "state",
        "provider",
        "site",
        "account",
        "resource",
        "product",
        "exit",
        "edition",
        "currency",
        "paid",
        "refund",
        "expected",
        "executed_at",
        "references",
        "snapshot",
    ];
    let mut rows = Rows::new("Cases", &headings);
    let mut ids = flows.store().cases().await?;
    ids.reverse();
    let mut all = Vec::new();
    for id in ids {
        let case = flows.case(&id).await?;
        all.push(whole(&case, host::now()));
        for line in &case.lines {
            let refund = line.ruling.refund.as_ref();
            let expected = line.expected.iter().fold(Amount::ZERO, |sum, item| sum + item.amount);
            let cells = vec![
                case.id.to_string(),
                line.number.to_string(),
                line.state.to_string(),
                line.place.provider.clone(),
                line.place.site.clone(),
                line.place.account.clone().unwrap_or_default(),
                line.resource.clone(),
                line.product.clone(),
                line.ruling.exit.to_string(),
                line.edition.clone().unwrap_or_default(),
                refund.map(|money| money.currency.to_string()).unwrap_or_default(),
                refund.map(|money| money.paid.to_string()).unwrap_or_default(),
                refund.map(|money| money.refund.to_string()).unwrap_or_default(),
                if line.expected.is_empty() { String::new() } else { expected.to_string() },
                line.executed_at.map(|at| at.display(line.zone).to_string()).unwrap_or_default(),
                line.references.join(" "),
                line.snapshot.clone(),
            ];
            rows.add(cells, json!({"case": case.id, "line": line}));
        }
    }
    let rows = match crate::output::format(&args.answer) {
        crate::cli::Format::Json => rows.whole(Value::Array(all)),
        crate::cli::Format::Ndjson => {
            let mut whole = Rows::new("Cases", &[]);
            all.into_iter().for_each(|case| whole.add(Vec::new(), case));
            whole
        }
        _ => rows,
    };
    write(&args.answer, &rows)?;
    Ok(Status::Done)
}
