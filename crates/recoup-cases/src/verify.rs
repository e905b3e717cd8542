//! Whether everything holds: the chain of hashes, the money, the states, and that what is derived is what
//! the journal says. And making what is derived again.

use std::collections::{BTreeMap, BTreeSet};

use recoup_core::money::Amount;
use serde::{Deserialize, Serialize};

use crate::flow::{FlowError, Flows, answer_marks, derive};
use crate::journal::{Broken, Entry, Event, Head};
use crate::model::{Case, CaseId, Line, LineState, Money};
use crate::state::{Changed, Drawn, Mark, apply, kinds, marks, receipt_marks};
use crate::store::{Store, StoreError};

/// Entries read at a time.
const PAGE: i64 = 500;

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Entries read.
    pub entries: i64,
    /// Cases found.
    pub cases: usize,
    /// Lines found.
    pub lines: usize,
    /// The journal's end, to be noted down elsewhere.
    pub head: Head,
    /// Everything that does not hold; empty where all does.
    pub problems: Vec<String>,
}

impl Report {
    /// Whether everything holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.problems.is_empty()
    }
}

/// What a journal says, read from its beginning.
#[derive(Debug, Clone, Default)]
struct Replayed {
    cases: BTreeMap<CaseId, Case>,
    answers: Vec<Mark>,
    head: Head,
    problems: Vec<String>,
    seen_hash: bool,
}

impl Replayed {
    fn take(&mut self, entry: &Entry, looked_for: Option<&str>) -> Result<(), Broken> {
        entry.follows(&self.head)?;
        self.head = entry.head();
        self.seen_hash |= looked_for == Some(entry.hash.as_str());
        let event = entry.event()?;
        self.answers.extend(answer_marks(&event));
        if (entry.seq == 1) != matches!(event, Event::Opened { .. }) {
            return Err(Broken { seq: entry.seq, what: format!("{:?} where a journal begins", event.word()) });
        }
        if entry.case.is_empty() || matches!(event, Event::Answered { .. }) {
            return Ok(());
        }
        let id = CaseId(entry.case.clone());
        let mut case = self.cases.remove(&id);
        let applied = apply(&mut case, entry, &event);
        if let Some(case) = case {
            self.cases.insert(id, case);
        }
        applied.map(|_| ())
    }
}

async fn replay(store: &dyn Store, looked_for: Option<&str>) -> Result<Replayed, StoreError> {
    let mut replayed = Replayed::default();
    loop {
        let page = store.entries(replayed.head.seq + 1, PAGE, None).await?;
        for entry in &page {
            if let Err(broken) = replayed.take(entry, looked_for) {
                replayed.problems.push(broken.to_string());
                // After a break in the chain nothing that follows says anything.
                return Ok(replayed);
            }
        }
        if page.is_empty() {
            // Where entries are missing, those behind the gap are still there.
            if let Some(entry) = store.entries(replayed.head.seq + 1, 1, None).await?.first() {
                replayed.problems.push(format!("entry {} follows on {}", entry.seq, replayed.head.seq));
            }
            return Ok(replayed);
        }
    }
}

fn conserves(money: &Money) -> bool {
    let returned = money.returned.iter().fold(Amount::ZERO, |sum, item| sum + item.amount);
    let kept = money.consumed.unwrap_or_default() + money.fee + money.forfeited.unwrap_or_default();
    let accounted = kept + returned + money.carry_over.unwrap_or_default();
    accounted == money.proceeds.unwrap_or(money.paid)
}

/// What is wrong with the money of a line.
fn money_problems(case: &Case, line: &Line) -> Option<String> {
    let money = line.ruling.refund.as_ref();
    if money.is_some_and(|money| !conserves(money)) {
        return Some(format!("line {} of {}: its refund does not conserve money", line.number, case.id));
    }
    if line.state != LineState::Executed {
        return (!line.expected.is_empty())
            .then(|| format!("line {} of {} is {} and expects money", line.number, case.id, line.state));
    }
    let refused = line.ruling.outcome == recoup_core::vocab::Outcome::Refused;
    let predicted = money.filter(|_| !refused).into_iter().flat_map(|money| &money.returned);
    let predicted = predicted.fold(Amount::ZERO, |sum, item| sum + item.amount);
    let expected = line.expected.iter().fold(Amount::ZERO, |sum, item| sum + item.amount);
    (predicted != expected).then(|| {
        format!("line {} of {}: {expected} is expected, and its ruling said {predicted}", line.number, case.id)
    })
}

/// What is wrong with a case by itself.
fn case_problems(case: &Case) -> Vec<String> {
    let mut problems: Vec<String> = case.lines.iter().filter_map(|line| money_problems(case, line)).collect();
    let mut ordered = BTreeSet::new();
    for order in &case.orders {
        for number in &order.lines {
            let names = case.line(*number).is_some_and(|line| line.combined_order.as_ref() == Some(&order.id));
            if !names || !ordered.insert(*number) {
                problems.push(format!("{}: line {number} stands in {} and not once", case.id, order.id));
            }
        }
    }
    for line in case.lines.iter().filter(|line| line.combined_order.is_some()) {
        if !ordered.contains(&line.number) {
            problems.push(format!("{}: line {} names an order that does not have it", case.id, line.number));
        }
    }
    for line in &case.lines {
        let leader = line.follows.and_then(|leader| case.line(leader));
        let apart = leader.is_some_and(|leader| {
            (leader.state == LineState::Executed) != (line.state == LineState::Executed)
                && !matches!(leader.state, LineState::Executing | LineState::InDoubt)
                && !matches!(line.state, LineState::Executing | LineState::InDoubt)
        });
        if apart {
            problems.push(format!("{}: line {} is {} without its primary", case.id, line.number, line.state));
        }
    }
    problems
}

/// Resources that left twice, or are asked for twice; quotas that were exceeded.
fn across(cases: &BTreeMap<CaseId, Case>) -> Vec<String> {
    let mut problems = Vec::new();
    let mut whole: BTreeMap<String, String> = BTreeMap::new();
    let mut held: BTreeMap<String, String> = BTreeMap::new();
    for case in cases.values() {
        for line in &case.lines {
            let who = format!("line {} of {}", line.number, case.id);
            let key = crate::state::resource_key(line);
            let gone = line.state == LineState::Executed && crate::state::leaves_nothing(line);
            if let Some(other) = gone.then(|| whole.insert(key.clone(), who.clone())).flatten() {
                problems.push(format!("{} left twice: {other} and {who}", line.resource));
            }
            if let Some(other) = line.state.holds().then(|| held.insert(key, who.clone())).flatten() {
                problems.push(format!("{} is asked for twice: {other} and {who}", line.resource));
            }
        }
    }
    problems
}

fn derived(cases: &BTreeMap<CaseId, Case>, answers: &[Mark]) -> Vec<Mark> {
    let mut all: Vec<Mark> = answers.to_vec();
    for case in cases.values() {
        all.extend(case.lines.iter().flat_map(|line| marks(case, line)));
        all.extend(receipt_marks(case, &case.received));
    }
    all.sort();
    all
}

async fn compare(store: &dyn Store, replayed: &Replayed) -> Result<Vec<String>, StoreError> {
    let mut problems = Vec::new();
    let mut stored: BTreeSet<CaseId> = store.cases().await?.into_iter().collect();
    for (id, case) in &replayed.cases {
        stored.remove(id);
        match store.case(id).await {
            Ok(Some(found)) if found == *case => {}
            Ok(Some(_)) => problems.push(format!("what is derived of {id} is not what the journal says")),
            Ok(None) => problems.push(format!("{id} is in the journal and not in what is derived from it")),
            Err(StoreError::Damaged(what)) => problems.push(format!("what is derived of {id}: {what}")),
            Err(error) => return Err(error),
        }
    }
    problems.extend(stored.iter().map(|id| format!("{id} is not in the journal")));
    let mut found = Vec::new();
    for kind in kinds::ALL {
        found.extend(store.marks(kind, None).await?);
    }
    found.sort();
    let expected = derived(&replayed.cases, &replayed.answers);
    if found != expected {
        let lost = expected.iter().filter(|mark| !found.contains(mark)).count();
        let more = found.iter().filter(|mark| !expected.contains(mark)).count();
        problems.push(format!("of the marks derived from the journal {lost} are lost and {more} too many"));
    }
    Ok(problems)
}

impl Flows {
    /// Checks everything: the chain, the money, the states, and what is derived. `known` is a hash noted
    /// down earlier, which must be in the chain.
    ///
    /// # Errors
    /// Where the store cannot be read. What does not hold is no error but a problem in the report.
    pub async fn verify(&self, known: Option<&str>) -> Result<Report, FlowError> {
        let store = self.store().as_ref();
        // Whoever writes meanwhile waits: the parts must be those of one moment.
        let change = store.begin().await?;
        let head = change.head().clone();
        let mut replayed = replay(store, known).await?;
        let mut problems = std::mem::take(&mut replayed.problems);
        if problems.is_empty() && replayed.head != head {
            problems.push(format!(
                "the journal ends at entry {} ({}), but its head is entry {} ({}): entries are missing at its end",
                replayed.head.seq, replayed.head.hash, head.seq, head.hash
            ));
        }
        if let Some(known) = known.filter(|_| !replayed.seen_hash) {
            problems.push(format!("no entry has the hash {known}: this is not the journal that it was noted down of"));
        }
        problems.extend(replayed.cases.values().flat_map(case_problems));
        problems.extend(across(&replayed.cases));
        if problems.is_empty() {
            problems.extend(compare(store, &replayed).await?);
        }
        drop(change);
        Ok(Report {
            entries: replayed.head.seq,
            cases: replayed.cases.len(),
            lines: replayed.cases.values().map(|case| case.lines.len()).sum(),
            head: replayed.head,
            problems,
        })
    }

    /// Makes what is derived again from the journal.
    ///
    /// # Errors
    /// Where the journal itself does not hold, or the store cannot be used. Then nothing was changed.
    pub async fn rebuild(&self) -> Result<Report, FlowError> {
        let store = self.store().as_ref();
        let mut change = store.begin().await?;
        let replayed = replay(store, None).await?;
        if let Some(problem) = replayed.problems.first() {
            return Err(StoreError::Damaged(problem.clone()).into());
        }
        change.clear().await?;
        for case in replayed.cases.values() {
            let lines = case.lines.iter().map(|line| line.number).collect();
            derive(change.as_mut(), case, &Changed { lines, receipts: true, case: true }).await?;
        }
        change.mark("", &[], &replayed.answers).await?;
        change.commit().await?;
        self.verify(None).await
    }

    /// What was drawn on quotas, by the quota's key, as the marks have it.
    ///
    /// # Errors
    /// Where the store cannot be used or is damaged.
    pub async fn drawn(&self) -> Result<BTreeMap<String, Vec<Drawn>>, FlowError> {
        let mut all: BTreeMap<String, Vec<Drawn>> = BTreeMap::new();
        for mark in self.store().marks(kinds::DRAWN, None).await? {
            let drawn = serde_json::from_str(&mark.value).map_err(|error| StoreError::Damaged(error.to_string()))?;
            all.entry(mark.key).or_default().push(drawn);
        }
        Ok(all)
    }
}
