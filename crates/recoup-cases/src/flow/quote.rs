//! Quoting: what is chosen, with what leaves together with it, judged and pinned.

use std::collections::{BTreeMap, BTreeSet};

use recoup_core::assessment::{Answered, to_json};
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Span};
use recoup_core::vocab::{Exit, Outcome as Verdict, Relation};
use serde_json::json;

use super::{FlowError, Flows, Outcome, digest, limits};
use crate::journal::{Act, Event, sha256};
use crate::model::{Case, CaseId, Companion, LeavingReason, Line, LineState, PinnedRuling, Place, Refusal};

/// Judges resources; one answer each, in their order. An error says why one could not be judged.
pub type Judge<'a> = dyn FnMut(Vec<ResourceRecord>) -> Vec<Result<Answered, String>> + 'a;

/// Lines that could be quoted, before they are a case.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// The lines, numbered from 1 in the order of the portfolio.
    pub lines: Vec<Line>,
    /// Resources that could not be judged, and why.
    pub problems: Vec<(String, String)>,
    /// Facts that the judge took for granted, as `fact=value`.
    pub assumed: Vec<String>,
    /// The accounts by which the judge judged.
    pub accounts: Vec<serde_json::Value>,
    /// What was added to the choice, and why.
    pub notes: Vec<String>,
}

/// How long a quote holds, and what its quotas count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoting {
    /// How long, unless a ruling ends sooner.
    pub valid_for: Span,
    /// The instant up to which the accounts count what happened; see [`Line::quotas_as_of`].
    pub quotas_as_of: Option<Instant>,
}

impl Default for Quoting {
    fn default() -> Self {
        Self { valid_for: Span::hours(24), quotas_as_of: None }
    }
}

type Key<'a> = (&'a str, Option<&'a str>, Option<&'a str>, &'a str);

fn key<'a>(record: &'a ResourceRecord, id: &'a str) -> Key<'a> {
    (&record.provider, record.site.as_deref(), record.account.as_deref(), id)
}

fn same_account(a: &ResourceRecord, b: &ResourceRecord) -> bool {
    a.provider == b.provider && a.site == b.site && a.account == b.account
}

/// Whether one resource leaves only with another.
fn is_bound_to(record: &ResourceRecord, primary: &ResourceRecord) -> bool {
    record.relation == Some(Relation::Bound)
        && record.primary.as_deref() == Some(&primary.id)
        && same_account(record, primary)
}

/// Adds to a choice what leaves only together with it: whole bundles, and what is bound to a primary.
fn complete(portfolio: &[ResourceRecord], chosen: &BTreeSet<usize>, notes: &mut Vec<String>) -> BTreeSet<usize> {
    let mut all = chosen.clone();
    loop {
        let mut more = BTreeSet::new();
        for (index, record) in portfolio.iter().enumerate().filter(|(index, _)| !all.contains(index)) {
            let with = |other: &&ResourceRecord| {
                is_bound_to(record, other)
                    || (record.bundle.is_some() && record.bundle == other.bundle && same_account(record, other))
            };
            if let Some(other) = all.iter().filter_map(|index| portfolio.get(*index)).find(with) {
                let how = if is_bound_to(record, other) { "is bound to" } else { "is in one bundle with" };
                notes.push(format!("{} leaves too: it {how} {}", record.id, other.id));
                more.insert(index);
            }
        }
        if more.is_empty() {
            return all;
        }
        all.extend(more);
    }
}

/// The resource as it is judged: what leaves with its whole bundle, or with its primary, is judged as if it
/// stood alone, since the rule that keeps it from going alone is kept.
fn judged(record: &ResourceRecord, with_primary: bool, with_bundle: bool) -> ResourceRecord {
    let mut record = record.clone();
    if with_primary {
        record.primary = None;
        record.relation = None;
    }
    if with_bundle {
        record.bundle = None;
    }
    record
}

/// The exit that a line takes: the one asked for, else the best, else the first that would leave the resource
/// and not only stop its renewal.
pub(crate) fn ruling(answered: &Answered, exit: Option<Exit>) -> Result<PinnedRuling, String> {
    let written = to_json(&answered.subject, &answered.assessment, &answered.policy);
    let mut rulings = answered.assessment.rulings().iter().map(|ruling| ruling.exit);
    let leaving = rulings.clone().find(|exit| *exit != Exit::StopRenewal).or_else(|| rulings.next());
    let exit = exit.or(answered.assessment.best()).or(leaving).unwrap_or(Exit::None);
    let exits = written.get("exits").and_then(serde_json::Value::as_array).into_iter().flatten();
    let found = exits.clone().find(|ruled| ruled.get("exit").and_then(|word| word.as_str()) == Some(exit.as_str()));
    let Some(found) = found else {
        let ruled: Vec<&str> = exits.filter_map(|ruled| ruled.get("exit")?.as_str()).collect();
        return Err(format!("there is no exit {exit} for it, only {}", ruled.join(", ")));
    };
    serde_json::from_value(found.clone()).map_err(|error| format!("its ruling: {error}"))
}

pub(crate) fn line(record: &ResourceRecord, answered: &Answered, ruling: PinnedRuling, quoting: &Quoting) -> Line {
    let zone = answered.subject.zone;
    let written = record.to_json(zone);
    let snapshot = sha256(&[serde_json::to_string(&written).unwrap_or_default().as_bytes()]);
    let state = if ruling.outcome == Verdict::Refused { LineState::Refused } else { LineState::Quoted };
    let orders = record.orders.iter().flatten().filter_map(|order| order.id.clone()).collect();
    Line {
        number: 0,
        place: Place {
            provider: record.provider.clone(),
            site: answered.subject.site.clone(),
            account: record.account.clone(),
        },
        zone,
        resource: record.id.clone(),
        name: record.name.clone(),
        product: record.product.clone(),
        region: record.region.clone(),
        project: record.project.clone(),
        billing: record.billing,
        status: record.status,
        orders,
        bundle: record.bundle.clone(),
        companions: Vec::new(),
        follows: None,
        edition: answered.subject.edition.clone(),
        quotas_as_of: quoting.quotas_as_of,
        snapshot,
        record: written,
        refused: if state == LineState::Refused { ruling.refusals.clone() } else { Vec::new() },
        ruling,
        state,
        combined_order: None,
        confirmed_at: None,
        approved_by_itself_at: None,
        begun_at: None,
        attempt: None,
        executed_at: None,
        references: Vec::new(),
        said: None,
        failed_for: None,
        expected: Vec::new(),
    }
}

/// Judges what is chosen of a portfolio, with what leaves together with it. Does not touch a store.
pub fn draft(
    portfolio: &[ResourceRecord],
    chosen: &BTreeSet<usize>,
    exit: Option<Exit>,
    quoting: &Quoting,
    judge: &mut Judge<'_>,
) -> Draft {
    let mut draft = Draft::default();
    let mut seen = BTreeSet::new();
    let mut all = complete(portfolio, chosen, &mut draft.notes);
    // A resource that stands twice in a portfolio is quoted once.
    all.retain(|index| portfolio.get(*index).is_some_and(|record| seen.insert(key(record, &record.id))));
    let records: Vec<&ResourceRecord> = all.iter().filter_map(|index| portfolio.get(*index)).collect();
    let leader = |record: &ResourceRecord| records.iter().position(|other| is_bound_to(record, other));
    let bundled = |record: &ResourceRecord| {
        let mates = |other: &&&ResourceRecord| other.bundle == record.bundle && same_account(other, record);
        record.bundle.is_some() && records.iter().filter(mates).count() > 1
    };
    let questions = records.iter().map(|record| judged(record, leader(record).is_some(), bundled(record))).collect();
    let mut numbers: BTreeMap<usize, u32> = BTreeMap::new();
    for (index, (record, answer)) in records.iter().zip(judge(questions)).enumerate() {
        let built = answer.and_then(|answered| {
            // What follows takes its leader's exit where it has such a one, else its own best.
            let asked = if leader(record).is_some() { exit.filter(|_| ruling(&answered, exit).is_ok()) } else { exit };
            let ruling = ruling(&answered, asked)?;
            Ok(line(record, &answered, ruling, quoting))
        });
        match built {
            Ok(mut line) => {
                line.number = u32::try_from(draft.lines.len() + 1).unwrap_or(u32::MAX);
                numbers.insert(index, line.number);
                draft.lines.push(line);
            }
            Err(what) => draft.problems.push((record.id.clone(), what)),
        }
    }
    for (index, record) in records.iter().enumerate() {
        let (Some(own), Some(leads)) = (numbers.get(&index), leader(record).and_then(|leads| numbers.get(&leads)))
        else {
            continue;
        };
        follow(&mut draft.lines, *own, *leads);
    }
    refuse_with_others(&mut draft.lines);
    draft
}

fn follow(lines: &mut [Line], own: u32, leads: u32) {
    let companion = lines.iter_mut().find(|line| line.number == own).map(|line| {
        line.follows = Some(leads);
        // It leaves with its primary whatever its own ruling says; that only means that nothing comes back.
        line.state = LineState::Quoted;
        line.refused.clear();
        Companion { resource: line.resource.clone(), name: line.name.clone(), product: line.product.clone() }
    });
    if let (Some(companion), Some(leader)) = (companion, lines.iter_mut().find(|line| line.number == leads)) {
        leader.companions.push(companion);
    }
}

/// Where a primary cannot go, what is bound to it cannot either; where one of a bundle cannot, none can.
fn refuse_with_others(lines: &mut [Line]) {
    use recoup_core::vocab::Reason;
    loop {
        let mut refused: Vec<(u32, Refusal)> = Vec::new();
        for line in lines.iter().filter(|line| line.state == LineState::Quoted) {
            let leader = lines.iter().find(|other| Some(other.number) == line.follows);
            let mate = lines.iter().find(|other| {
                line.bundle.is_some()
                    && other.bundle == line.bundle
                    && other.place == line.place
                    && other.state == LineState::Refused
            });
            let refusal = |reason, clause: &str, says: String| Refusal { clause: clause.to_owned(), reason, says };
            if let Some(leader) = leader.filter(|leader| leader.state == LineState::Refused) {
                let says = format!("It leaves only with {}, which cannot go.", leader.resource);
                refused.push((line.number, refusal(Reason::LeavesWithPrimary, "recoup.with-primary", says)));
            } else if let Some(mate) = mate {
                let says = format!("It leaves only with its whole bundle, of which {} cannot go.", mate.resource);
                refused.push((line.number, refusal(Reason::PartOfBundle, "recoup.whole-bundle", says)));
            }
        }
        if refused.is_empty() {
            return;
        }
        for (number, refusal) in refused {
            if let Some(line) = lines.iter_mut().find(|line| line.number == number) {
                line.state = LineState::Refused;
                line.refused = vec![refusal];
            }
        }
    }
}

impl Flows {
    /// Makes a draft a case: everything is pinned, and the quote holds until the earliest end of its
    /// rulings, or as long as asked for.
    ///
    /// # Errors
    /// Where there is nothing to quote, or the store cannot be used.
    pub async fn quote(&self, act: &Act, draft: Draft, quoting: &Quoting) -> Result<Outcome, FlowError> {
        let snapshots: Vec<&str> = draft.lines.iter().map(|line| line.snapshot.as_str()).collect();
        let exits: Vec<_> = draft.lines.iter().map(|line| (&line.place, &line.resource, line.ruling.exit)).collect();
        let request = digest(
            "quote",
            &act.actor,
            &json!({"snapshots": snapshots, "exits": exits, "assumed": draft.assumed, "accounts": draft.accounts, "valid_for": quoting.valid_for.micros()}),
        );
        if draft.lines.is_empty() {
            return Err(FlowError::Nothing("nothing was chosen that can be judged".to_owned()));
        }
        if draft.lines.len() > limits::LINES {
            return Err(FlowError::Given(format!(
                "{} resources in one case; {} at most: quote them in several",
                draft.lines.len(),
                limits::LINES
            )));
        }
        if !quoting.valid_for.is_positive() {
            return Err(FlowError::Given("a quote must hold for some time".to_owned()));
        }
        let mut work = self.begin(act).await?;
        if let Some(outcome) = work.answered(&request).await? {
            return Ok(outcome);
        }
        let at = act.at;
        let quoted = draft.lines.iter().filter(|line| line.state == LineState::Quoted);
        let until = quoted.filter_map(|line| line.ruling.until).min();
        // A window whose last instant is inside is still open at its own `until`.
        let until = until.map(|until| until.max(at + Span::seconds(1)));
        let expires_at = until.unwrap_or(at + quoting.valid_for).min(at + quoting.valid_for);
        let id = CaseId(format!("C{}", work.change.count().await? + 1));
        let portfolio = sha256(&snapshots.iter().map(|text| text.as_bytes()).collect::<Vec<_>>());
        let case = Case {
            id: id.clone(),
            quoted_at: at,
            expires_at,
            portfolio,
            assumed: draft.assumed,
            accounts: draft.accounts,
            lines: draft.lines,
            orders: Vec::new(),
            reason: LeavingReason::default(),
            received: Vec::new(),
            settled: true,
        };
        let numbers: Vec<u32> = case.lines.iter().map(|line| line.number).collect();
        let mut state = None;
        work.record(&mut state, &id, &Event::Quoted { case: Box::new(case) }).await?;
        let mut outcome =
            state.map(|case| Outcome::new(&case, &numbers)).ok_or_else(|| FlowError::NoCase(id.clone()))?;
        outcome.notes = draft.notes;
        work.answer(Some(&id), request, &outcome).await?;
        Ok(outcome)
    }
}
