//! What opens, closes or changes its fee, and what it costs to miss it.

use std::collections::BTreeSet;
use std::sync::Arc;

use recoup_core::assessment::{Assessment, Subject};
use recoup_core::money::{Amount, Currency};
use recoup_core::policy::{ClauseId, Policy};
use recoup_core::refund::RefundQuote;
use recoup_core::ruling::{Review, RulingData, Step, Unknown, Verdict};
use recoup_core::time::{Instant, Span};
use recoup_core::vocab::{Exit, Outcome, Reason};

use crate::figures::best_open;
use crate::walk::gives_more;
use crate::{Ends, Figures, Timeline};

/// What happens to an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It was open and is refused, or is no more.
    Closes,
    /// It was refused, or was not there, and is open.
    Opens,
    /// It stays open and keeps more or less as its fee.
    FeeChanges,
    /// It stays open and its refund changes for another reason than its fee.
    AmountChanges,
    /// It stays open, but what must be checked first changes.
    ConditionsChange,
}

impl Kind {
    /// The word for people and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closes => "closes",
            Self::Opens => "opens",
            Self::FeeChanges => "fee_changes",
            Self::AmountChanges => "amount_changes",
            Self::ConditionsChange => "conditions_change",
        }
    }
}

/// A clause that causes a change, with the reason under which it refuses where it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// The clause.
    pub clause: ClauseId,
    /// The reason.
    pub reason: Option<Reason>,
}

/// What happens to one exit at a deadline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The exit.
    pub exit: Exit,
    /// What happens to it.
    pub kind: Kind,
    /// Its outcome before; none where it was not there.
    pub outcome_before: Option<Outcome>,
    /// Its outcome after; none where it is no more.
    pub outcome_after: Option<Outcome>,
    /// Its money before, where it was open and known.
    pub before: Option<RefundQuote>,
    /// Its money after, where it is open and known.
    pub after: Option<RefundQuote>,
    /// The clauses that cause it.
    pub causes: Vec<Cause>,
}

/// An instant at which something changes for a resource by time.
#[derive(Debug, Clone)]
pub struct Deadline {
    /// Of what it speaks; the instant in it is the one from which was asked.
    pub subject: Arc<Subject>,
    /// The policy whose clauses are cited.
    pub policy: Arc<Policy>,
    /// The instant: before it, or through it, things are as they were.
    pub at: Instant,
    /// Whether the instant itself is still as before.
    pub through: bool,
    /// What happens, exit by exit.
    pub changes: Vec<Change>,
    /// What the best exit gives at the last instant before the change.
    pub before: Figures,
    /// What the best exit gives at the first instant after it.
    pub after: Figures,
    /// The review that must be over by then, where the exit that is lost asks for one.
    pub review: Option<Review>,
    /// The latest instant at which a request is over its review in time, where it is known how long a
    /// review takes.
    pub submit_by: Option<Instant>,
    /// Whether other rules come into force at the instant.
    pub rules_change: bool,
}

impl Deadline {
    /// The latest instant to act: before the review where one is asked for.
    #[must_use]
    pub fn due(&self) -> Instant {
        self.submit_by.unwrap_or(self.at)
    }

    /// The currency of the money at stake, where there is money.
    #[must_use]
    pub fn currency(&self) -> Option<Currency> {
        self.before.currency().or_else(|| self.after.currency())
    }

    /// What is lost by letting the instant pass: what leaving was worth (cash and what is no longer owed)
    /// less what it is worth after; negative where waiting gains. Unknown where a figure is.
    #[must_use]
    pub fn stake(&self) -> Option<Amount> {
        Some(self.before.worth()? - self.after.worth()?)
    }

    /// Whether letting the instant pass loses something: money, or a way out whose figure is not known.
    #[must_use]
    pub fn loses(&self) -> bool {
        match self.stake() {
            Some(stake) => stake.is_positive(),
            None => self.changes.iter().any(|change| change.kind == Kind::Closes),
        }
    }
}

/// The deadlines of a timeline, in the order of time.
#[must_use]
pub fn deadlines(timeline: &Timeline) -> Vec<Deadline> {
    let subject = Arc::new(timeline.subject.clone());
    let mut found = Vec::new();
    for (pair, ends) in timeline.pieces.windows(2).zip(&timeline.ends) {
        let [before, after] = pair else { continue };
        let (at, through) = match ends {
            Ends::Before(at) => (*at, false),
            Ends::Through(at) => (*at, true),
            Ends::Open => continue,
        };
        let as_before = timeline.rules_change.iter().find(|(from, _)| *from == after.from).map(|(_, old)| old);
        // Where only the rules change, what they change is seen at one and the same instant.
        let named = before.end.rulings().iter().any(|ruling| ruling.until == Some(at));
        let old = as_before.filter(|_| !named).unwrap_or(&before.end);
        let changes = changes(&timeline.policy, old, &after.first, at, as_before.is_some());
        let (worth_before, worth_after) = (Figures::of(old), Figures::of(&after.first));
        let only_conditions = changes.iter().all(|change| change.kind == Kind::ConditionsChange);
        if only_conditions && worth_before.money == worth_after.money {
            continue;
        }
        let best = best_open(old);
        let review = best
            .filter(|best| changes.iter().any(|change| change.exit == best.exit && change.kind != Kind::Opens))
            .and_then(|best| best.review.clone());
        let hours = review.as_ref().and_then(|review| review.approved_after_hours);
        found.push(Deadline {
            subject: Arc::clone(&subject),
            policy: Arc::clone(&timeline.policy),
            at,
            through,
            changes,
            before: worth_before,
            after: worth_after,
            submit_by: hours.map(|hours| at - Span::hours(i64::from(hours))),
            review,
            rules_change: as_before.is_some(),
        });
    }
    found
}

/// What changes, exit by exit, from one assessment to another.
fn changes(policy: &Policy, old: &Assessment, new: &Assessment, at: Instant, rules_change: bool) -> Vec<Change> {
    let mut exits: Vec<Exit> = old.rulings().iter().map(|ruling| ruling.exit).collect();
    exits.extend(new.rulings().iter().map(|ruling| ruling.exit).filter(|exit| old.ruling(*exit).is_none()));
    exits.into_iter().filter_map(|exit| change(policy, exit, old, new, at, rules_change)).collect()
}

fn open(ruling: Option<&RulingData>) -> Option<&RulingData> {
    ruling.filter(|ruling| ruling.outcome() != Outcome::Refused)
}

fn change(
    policy: &Policy,
    exit: Exit,
    old: &Assessment,
    new: &Assessment,
    at: Instant,
    rules_change: bool,
) -> Option<Change> {
    let (before, after) = (old.ruling(exit), new.ruling(exit));
    let kind = match (open(before), open(after)) {
        (None, None) => return None,
        (Some(_), None) => Kind::Closes,
        (None, Some(_)) => Kind::Opens,
        (Some(one), Some(other)) => {
            let same_unknowns = one.unknowns.len() == other.unknowns.len()
                && one.unknowns.iter().all(|unknown| other.unknowns.contains(unknown));
            // Where the exit itself named no change, a figure moves because it always does; never back.
            let named = rules_change || one.until == Some(at) || gives_more(one, other);
            match (&one.refund, &other.refund) {
                (Some(a), Some(b)) if named && a.fee() != b.fee() => Kind::FeeChanges,
                (a, b) if named && a != b => Kind::AmountChanges,
                _ if !same_unknowns => Kind::ConditionsChange,
                _ => return None,
            }
        }
    };
    let quote = |ruling: Option<&RulingData>| open(ruling).and_then(|ruling| ruling.refund.clone());
    Some(Change {
        exit,
        kind,
        outcome_before: before.map(RulingData::outcome),
        outcome_after: after.map(RulingData::outcome),
        before: quote(before),
        after: quote(after),
        causes: causes(policy, kind, before, after, new),
    })
}

/// The clauses that cause a change: those that refuse on one side only; where an exit is simply no more,
/// those that refuse what stands in its place, else those on which it rested; for a fee, those of its tables; for a
/// figure otherwise, those that shape it on one side only, else
/// those whose arithmetic differs.
fn causes(
    policy: &Policy,
    kind: Kind,
    before: Option<&RulingData>,
    after: Option<&RulingData>,
    new: &Assessment,
) -> Vec<Cause> {
    let mut causes = match kind {
        Kind::Closes => match after {
            Some(after) => refusals_beside(after, before),
            None => {
                let instead: Vec<Cause> =
                    new.rulings().iter().flat_map(|ruling| refusals_beside(ruling, None)).collect();
                // Where nothing refuses in its place, what shaped it while it was there says for what.
                if instead.is_empty() { before.map(rested_on).unwrap_or_default() } else { instead }
            }
        },
        Kind::Opens => match (before, after) {
            (Some(before), _) => refusals_beside(before, after),
            (None, Some(after)) => rested_on(after),
            (None, None) => Vec::new(),
        },
        Kind::FeeChanges | Kind::AmountChanges => match (before, after) {
            (Some(before), Some(after)) => {
                let fees = if kind == Kind::FeeChanges { fee_tables(policy, after) } else { Vec::new() };
                if fees.is_empty() { shaping(before, after) } else { fees }
            }
            _ => Vec::new(),
        },
        Kind::ConditionsChange => {
            let unknowns =
                |ruling: Option<&RulingData>| ruling.map(|ruling| ruling.unknowns.clone()).unwrap_or_default();
            let (old, new) = (unknowns(before), unknowns(after));
            let only = old.iter().filter(|one| !new.contains(one)).chain(new.iter().filter(|one| !old.contains(one)));
            only.map(|unknown| Cause { clause: unknown.clause, reason: Some(unknown.reason) }).collect()
        }
    };
    causes.sort();
    causes.dedup();
    causes
}

fn shaped_by(ruling: &RulingData) -> Vec<Cause> {
    applied(ruling).into_iter().map(shapes).collect()
}

/// The clauses that shaped a ruling; where none did, those that leave something unknown in it.
fn rested_on(ruling: &RulingData) -> Vec<Cause> {
    let shaped = shaped_by(ruling);
    let unknown = |unknown: &Unknown| Cause { clause: unknown.clause, reason: Some(unknown.reason) };
    if shaped.is_empty() { ruling.unknowns.iter().map(unknown).collect() } else { shaped }
}

const fn shapes(clause: ClauseId) -> Cause {
    Cause { clause, reason: None }
}

/// What refuses in a ruling and not in another.
fn refusals_beside(ruling: &RulingData, other: Option<&RulingData>) -> Vec<Cause> {
    let known = |cause: &Cause| {
        other.is_some_and(|other| {
            other.refusals.iter().any(|refusal| refusal.clause == cause.clause && Some(refusal.reason) == cause.reason)
        })
    };
    let all = ruling.refusals.iter().map(|refusal| Cause { clause: refusal.clause, reason: Some(refusal.reason) });
    all.filter(|cause| !known(cause)).collect()
}

fn applied(ruling: &RulingData) -> Vec<ClauseId> {
    let clauses = ruling.steps.iter().filter_map(|step| match step {
        Step::Clause(clause, Verdict::Applies) => Some(*clause),
        _ => None,
    });
    clauses.collect()
}

/// The clauses of a ruling behind which stands a figure or table of fees.
fn fee_tables(policy: &Policy, ruling: &RulingData) -> Vec<Cause> {
    let speaks_of_fees = |says: &str| says.to_lowercase().contains("fee");
    let tables = policy.tables.iter().flat_map(|table| {
        let own = table.rows.iter().filter_map(|row| row.clause.as_deref());
        own.chain([table.clause.as_str()])
    });
    let params = policy.params.iter().flat_map(|param| param.values.iter().map(|value| value.clause.as_str()));
    let dated: BTreeSet<&str> = tables.chain(params).collect();
    let is_one = |clause: &ClauseId| {
        policy.clause(*clause).is_some_and(|clause| dated.contains(clause.id.as_str()) && speaks_of_fees(&clause.says))
    };
    applied(ruling).into_iter().filter(is_one).map(shapes).collect()
}

/// The clauses that shape a figure on one side only; where the same ones do, those named last before a
/// line of arithmetic that differs.
fn shaping(before: &RulingData, after: &RulingData) -> Vec<Cause> {
    let (old, new) = (applied(before), applied(after));
    let only = new.iter().filter(|one| !old.contains(one)).chain(old.iter().filter(|one| !new.contains(one)));
    let only: Vec<Cause> = only.copied().map(shapes).collect();
    if !only.is_empty() {
        return only;
    }
    let lines: Vec<&Step> = before.steps.iter().filter(|step| matches!(step, Step::Line(..))).collect();
    let mut latest = None;
    let mut found = Vec::new();
    for step in &after.steps {
        match step {
            Step::Clause(clause, Verdict::Applies) => latest = Some(*clause),
            Step::Line(..) if !lines.contains(&step) => found.extend(latest.map(shapes)),
            _ => {}
        }
    }
    found
}
