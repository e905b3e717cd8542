//! What a case is now: its entries, one after the other.
//!
//! [`apply`] is the only place where a case changes. A store calls it when an entry is appended, and
//! verifying calls it again over the whole journal; so what is derived can always be made again.

use recoup_core::money::{Amount, Currency, Number};
use recoup_core::time::Instant;
use recoup_core::vocab::Exit;
use serde::{Deserialize, Serialize};

use crate::journal::{Broken, Entry, Event};
use crate::model::{Case, Line, LineState, Place, Received, when};

/// Something that is found again by a key: who holds a resource, what was drawn on a quota, what waits for
/// an instant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// What kind of mark.
    pub kind: &'static str,
    /// What it is found by.
    pub key: String,
    /// The case; empty where it belongs to none.
    pub case: String,
    /// The line; 0 where it belongs to the case as a whole.
    pub line: u32,
    /// What it says, as JSON.
    pub value: String,
}

/// The kinds of marks.
pub mod kinds {
    /// A resource that a line asks for at present; one at a time.
    pub const HELD: &str = "held";
    /// A resource that has left, or a part of it.
    pub const GONE: &str = "gone";
    /// What was drawn on a quota.
    pub const DRAWN: &str = "drawn";
    /// Something that happens by itself when an instant comes.
    pub const DUE: &str = "due";
    /// A receipt, by the provider's reference.
    pub const RECEIPT: &str = "receipt";
    /// The answer to a request, by its idempotency key.
    pub const ANSWER: &str = "answer";
    /// All kinds.
    pub const ALL: &[&str] = &[HELD, GONE, DRAWN, DUE, RECEIPT, ANSWER];
}

/// What has left of a resource.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// Through which exit.
    pub exit: Exit,
    /// Whether nothing of it is left.
    pub whole: bool,
    /// The orders that it had.
    pub orders: Vec<String>,
    /// SHA-256 of its record.
    pub snapshot: String,
}

/// A draw on a quota.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drawn {
    /// When.
    #[serde(with = "when")]
    pub at: Instant,
    /// How much.
    pub amount: Number,
}

/// The answer that was given to a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    /// SHA-256 of the request.
    pub request: String,
    /// The answer.
    pub answer: serde_json::Value,
}

/// The key of a resource.
#[must_use]
pub fn resource_key(line: &Line) -> String {
    key_of(&line.place, &line.resource)
}

/// The key of a resource at a place.
#[must_use]
pub fn key_of(place: &Place, resource: &str) -> String {
    format!("{place}\u{1f}{resource}")
}

/// The key of a quota.
#[must_use]
pub fn quota_key(line: &Line, quota: &str) -> String {
    format!("{}\u{1f}{quota}", line.place)
}

/// The key of a receipt: a provider's reference means nothing at another one.
#[must_use]
pub fn receipt_key(provider: &str, reference: &str) -> String {
    format!("{provider}\u{1f}{reference}")
}

/// Whether an exit, taken for a resource, leaves nothing of it.
#[must_use]
pub fn leaves_nothing(line: &Line) -> bool {
    let partly = line.record.get("facts").and_then(|facts| facts.get("quantity_leaving")).is_some();
    let changes = matches!(
        line.ruling.exit,
        Exit::RenewalPeriod
            | Exit::Exchange
            | Exit::TradeIn
            | Exit::Resale
            | Exit::Downgrade
            | Exit::Conversion
            | Exit::BalancePayout
            | Exit::StopRenewal
    );
    !partly && !changes
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// The marks of a line as it stands.
#[must_use]
pub fn marks(case: &Case, line: &Line) -> Vec<Mark> {
    let mark = |kind, key, value| Mark { kind, key, case: case.id.to_string(), line: line.number, value };
    let mut marks = Vec::new();
    if line.state.holds() {
        marks.push(mark(kinds::HELD, resource_key(line), String::new()));
    }
    if line.state == LineState::Executed {
        let gone = Gone {
            exit: line.ruling.exit,
            whole: leaves_nothing(line),
            orders: line.orders.clone(),
            snapshot: line.snapshot.clone(),
        };
        marks.push(mark(kinds::GONE, resource_key(line), json(&gone)));
    }
    if line.follows.is_none()
        && let Some(at) = line.confirmed_at
        && (line.state.holds() || line.state == LineState::Executed)
    {
        for quota in &line.ruling.quota {
            let drawn = Drawn { at, amount: quota.draws.unwrap_or_default() };
            marks.push(mark(kinds::DRAWN, quota_key(line, &quota.name), json(&drawn)));
        }
    }
    if line.state == LineState::InReview
        && let Some(at) = line.approved_by_itself_at
    {
        marks.push(mark(kinds::DUE, "review".to_owned(), at.micros().to_string()));
    }
    if line.state == LineState::Quoted {
        marks.push(mark(kinds::DUE, "quote".to_owned(), case.expires_at.micros().to_string()));
    }
    marks
}

/// The marks of a case's receipts.
#[must_use]
pub fn receipt_marks(case: &Case, receipts: &[Received]) -> Vec<Mark> {
    let provider = |receipt: &Received| {
        let line = receipt.line.and_then(|number| case.line(number)).or_else(|| case.lines.first());
        line.map(|line| line.place.provider.clone()).unwrap_or_default()
    };
    receipts
        .iter()
        .filter_map(|receipt| {
            Some(Mark {
                kind: kinds::RECEIPT,
                key: receipt_key(&provider(receipt), receipt.reference.as_ref()?),
                case: case.id.to_string(),
                line: 0,
                value: receipt.id.clone(),
            })
        })
        .collect()
}

/// Whether something may come for a line of which the ruling could not say how much.
#[must_use]
pub fn awaits_unknown(line: &Line) -> bool {
    line.ruling.refund.is_none() && line.ruling.outcome != recoup_core::vocab::Outcome::Refused
}

/// Whether all that was expected of a case came, by currency. What a ruling could not say counts as come
/// once anything came for its line.
#[must_use]
pub fn all_came(case: &Case) -> bool {
    let mut left: std::collections::BTreeMap<Currency, Amount> = std::collections::BTreeMap::new();
    for line in case.lines.iter().filter(|line| line.state == LineState::Executed) {
        for expected in &line.expected {
            *left.entry(expected.currency).or_default() += expected.amount;
        }
        let names_line = |receipt: &Received| receipt.line == Some(line.number);
        if awaits_unknown(line) && !case.received.iter().any(names_line) {
            return false;
        }
    }
    for receipt in &case.received {
        if let Some(left) = left.get_mut(&receipt.currency) {
            *left -= receipt.amount;
        }
    }
    left.values().all(|left| !left.is_positive())
}

/// What an entry changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Changed {
    /// The lines.
    pub lines: Vec<u32>,
    /// Whether receipts changed.
    pub receipts: bool,
    /// Whether the case itself changed, beside its lines.
    pub case: bool,
}

struct Hand<'a> {
    entry: &'a Entry,
    case: &'a mut Case,
    changed: Changed,
}

impl Hand<'_> {
    fn broken(&self, what: impl Into<String>) -> Broken {
        Broken { seq: self.entry.seq, what: what.into() }
    }

    /// Moves a line, where it stands in one of the states from which this may happen.
    fn line(&mut self, number: u32, from: &[LineState], to: LineState) -> Result<&mut Line, Broken> {
        let broken = |what: String| Broken { seq: self.entry.seq, what };
        let id = &self.case.id;
        let Some(line) = self.case.lines.iter_mut().find(|line| line.number == number) else {
            return Err(broken(format!("{id} has no line {number}")));
        };
        if !from.contains(&line.state) {
            return Err(broken(format!("line {number} of {id} is {} and cannot become {to}", line.state)));
        }
        line.state = to;
        self.changed.lines.push(number);
        Ok(line)
    }
}

/// Applies an entry to the case that it is about. Of the case's lines at least those must be there that
/// the entry names; for receipts all of them.
///
/// # Errors
/// Where the entry contradicts what the case is.
pub fn apply(case: &mut Option<Case>, entry: &Entry, event: &Event) -> Result<Changed, Broken> {
    use LineState as S;
    let broken = |what: String| Broken { seq: entry.seq, what };
    if let Event::Quoted { case: quoted } = event {
        if case.is_some() || quoted.id.0 != entry.case {
            return Err(broken(format!("{} was quoted before", entry.case)));
        }
        let lines = quoted.lines.iter().map(|line| line.number).collect();
        *case = Some((**quoted).clone());
        return Ok(Changed { lines, receipts: false, case: true });
    }
    if matches!(event, Event::Opened { .. } | Event::Answered { .. }) {
        return Ok(Changed::default());
    }
    let Some(case) = case else { return Err(broken(format!("there is no case {}", entry.case))) };
    let settled = case.settled;
    let mut hand = Hand { entry, case, changed: Changed::default() };
    match event {
        Event::Opened { .. } | Event::Quoted { .. } | Event::Answered { .. } => {}
        Event::Confirmed { reason, lines, orders, .. } => {
            for confirmed in lines {
                let states = [S::InReview, S::Approved, S::Refused];
                if !states.contains(&confirmed.state) {
                    return Err(hand.broken(format!("line {}: confirmed as {}", confirmed.line, confirmed.state)));
                }
                let line = hand.line(confirmed.line, &[S::Quoted], confirmed.state)?;
                line.refused.clone_from(&confirmed.refused);
                line.combined_order.clone_from(&confirmed.order);
                line.approved_by_itself_at = confirmed.approved_by_itself_at;
                line.confirmed_at = (confirmed.state != S::Refused).then_some(entry.at);
            }
            hand.changed.case = true;
            hand.case.reason.clone_from(reason);
            hand.case.orders.extend(orders.iter().cloned());
        }
        Event::Reviewed { lines, approved, by_itself } => {
            for number in lines {
                let line = hand.line(*number, &[S::InReview], if *approved { S::Approved } else { S::Rejected })?;
                if *by_itself && line.approved_by_itself_at.is_none_or(|at| at > entry.at) {
                    return Err(hand.broken(format!("line {number} was approved by itself before its time")));
                }
            }
        }
        Event::Begun { task, lines, .. } => {
            for number in lines {
                let line = hand.line(*number, &[S::Approved], S::Executing)?;
                line.attempt = Some(task.id.clone());
                line.begun_at = Some(entry.at);
                line.said = None;
            }
        }
        Event::Ended { task, lines } => {
            for ended in lines {
                let states = [S::Executed, S::Failed, S::InDoubt, S::Executing, S::Approved];
                if !states.contains(&ended.state) {
                    return Err(hand.broken(format!("line {}: ended as {}", ended.line, ended.state)));
                }
                let line = hand.line(ended.line, &[S::Executing, S::InDoubt], ended.state)?;
                if line.attempt.as_ref() != Some(task) {
                    return Err(hand.broken(format!("line {} is not part of {task}", ended.line)));
                }
                line.said.clone_from(&ended.said);
                line.references.extend(ended.references.iter().cloned());
                if ended.state == S::Executed {
                    line.executed_at = Some(entry.at);
                    line.expected.clone_from(&ended.expected);
                    if !line.expected.is_empty() || awaits_unknown(line) {
                        hand.case.settled = false;
                    }
                } else if ended.state == S::Failed {
                    line.failed_for = ended.reason;
                }
            }
        }
        Event::Sunk { lines } => {
            for number in lines {
                let line = hand.line(*number, &[S::Approved], S::Failed)?;
                line.said = Some("another line of its order failed, which goes only whole".to_owned());
            }
        }
        Event::Received { receipts } => {
            for receipt in receipts {
                if hand.case.received.iter().any(|booked| booked.id == receipt.id) {
                    return Err(hand.broken(format!("receipt {} was booked before", receipt.id)));
                }
                hand.case.received.push(receipt.clone());
            }
            hand.case.settled = all_came(hand.case);
            hand.changed.receipts = true;
        }
        Event::Struck { receipt } => {
            let before = hand.case.received.len();
            hand.case.received.retain(|booked| booked.id != *receipt);
            if hand.case.received.len() == before {
                return Err(hand.broken(format!("there is no receipt {receipt}")));
            }
            hand.case.settled = all_came(hand.case);
            hand.changed.receipts = true;
        }
        Event::Withdrawn { lines } => {
            for number in lines {
                hand.line(*number, &[S::Quoted, S::InReview, S::Approved], S::Withdrawn)?;
            }
        }
        Event::Lapsed { lines } => {
            for number in lines {
                hand.line(*number, &[S::Quoted], S::Expired)?;
            }
        }
    }
    hand.changed.case |= hand.changed.receipts || hand.case.settled != settled;
    Ok(hand.changed)
}
