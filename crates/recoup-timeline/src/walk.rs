//! From ruling to ruling, many resources at once, each to its own next instant.

use recoup_core::assessment::{Answered, Assessment};
use recoup_core::ruling::RulingData;
use recoup_core::time::{Instant, Span};
use recoup_core::vocab::{Exit, Outcome, Reason};

use crate::{Ends, Piece, Row, Rules, Timeline};

/// Most rounds of asking for one resource. A rule that names a new `until` for ever is a mistake of its
/// adapter and no reason to run for ever.
pub const MOST_ROUNDS: usize = 100_000;

/// The instant right after another: time moves in microseconds.
#[must_use]
pub const fn after(instant: Instant) -> Instant {
    Instant::from_micros(instant.micros().saturating_add(1))
}

/// The instant right before another.
#[must_use]
pub const fn before(instant: Instant) -> Instant {
    Instant::from_micros(instant.micros().saturating_sub(1))
}

/// Walks resources over spans of time (both ends inside) and gives a timeline of each, in their order.
///
/// Every `until` is asked about right before it, at it, and right after it, since the last instant of
/// some windows is inside. Where outcome or reasons do not hold as long as the rulings say, the change is
/// searched for by bisection, so that a timeline does not inherit a mistake in an `until`.
pub fn walk(rules: &dyn Rules, spans: &[(Instant, Instant)]) -> Vec<Result<Timeline, String>> {
    let starts: Vec<Row> = spans.iter().enumerate().map(|(resource, (from, _))| Row { resource, at: *from }).collect();
    let mut walkers: Vec<Result<Walker, String>> = rules
        .rule(&starts)
        .into_iter()
        .zip(spans)
        .enumerate()
        .map(|(resource, (answer, (_, to)))| answer.map(|answered| Walker::start(resource, answered, *to)))
        .collect();
    loop {
        let mut rows = Vec::new();
        let mut counts = Vec::with_capacity(walkers.len());
        for walker in &mut walkers {
            let before = rows.len();
            if let Ok(walker) = walker {
                walker.ask(rules, &mut rows);
            }
            counts.push(rows.len() - before);
        }
        if rows.is_empty() {
            break;
        }
        let mut answers = rules.rule(&rows).into_iter();
        for (slot, count) in walkers.iter_mut().zip(counts) {
            let mine: Result<Vec<Answered>, String> = answers.by_ref().take(count).collect();
            let heard = match (slot.as_mut(), mine) {
                (Ok(walker), Ok(mine)) => walker.hear(rules, mine),
                (Ok(_), Err(what)) => Err(what),
                (Err(_), _) => Ok(()),
            };
            if let Err(what) = heard {
                *slot = Err(what);
            }
        }
    }
    walkers.into_iter().map(|walker| walker.map(Walker::finish)).collect()
}

/// A resource on its way.
struct Walker {
    resource: usize,
    to: Instant,
    timeline: Timeline,
    /// The piece that is open.
    from: Instant,
    edition: Option<String>,
    first: Assessment,
    /// The latest instant known to belong to it, and what was said there.
    held: Instant,
    at_held: Assessment,
    /// The instant named by the rules around which was asked.
    change: Option<Instant>,
    /// The next instant at which other rules come into force.
    rules_change: Option<Instant>,
    /// The next instant at which an order begins, ends or is a month older.
    order_change: Option<Instant>,
    rounds: usize,
}

impl Walker {
    fn start(resource: usize, answered: Answered, to: Instant) -> Self {
        let from = answered.subject.at;
        Self {
            resource,
            to: to.max(from),
            edition: answered.subject.edition.clone(),
            timeline: Timeline {
                subject: answered.subject,
                policy: answered.policy,
                pieces: Vec::new(),
                ends: Vec::new(),
                rules_change: Vec::new(),
            },
            from,
            first: answered.assessment.clone(),
            held: from,
            at_held: answered.assessment,
            change: None,
            rules_change: None,
            order_change: None,
            rounds: 0,
        }
    }

    /// Adds the instants to be asked about next: around the next named change, else the end.
    fn ask(&mut self, rules: &dyn Rules, rows: &mut Vec<Row>) {
        let until = self.at_held.until().filter(|until| *until >= self.held);
        self.rules_change = rules.rules_change_after(Row { resource: self.resource, at: self.held });
        self.order_change = rules.order_changes_after(Row { resource: self.resource, at: self.held });
        self.change = [until, self.rules_change, self.order_change]
            .into_iter()
            .flatten()
            .min()
            .filter(|change| *change <= self.to);
        let wanted = match self.change {
            Some(change) => [before(change), change, after(change)],
            None => [self.to; 3],
        };
        let mut latest = self.held;
        for at in wanted {
            if at > latest && at <= self.to {
                rows.push(Row { resource: self.resource, at });
                latest = at;
            }
        }
    }

    fn hear(&mut self, rules: &dyn Rules, answers: Vec<Answered>) -> Result<(), String> {
        if answers.is_empty() {
            return Ok(());
        }
        self.rounds += 1;
        if self.rounds > MOST_ROUNDS {
            return Err(format!("its rulings change more than {MOST_ROUNDS} times"));
        }
        let mut answers = answers.into_iter().peekable();
        while let Some(answered) = answers.next() {
            let at = answered.subject.at;
            let adjacent = at == after(self.held);
            let changes = !same_brackets(&self.at_held, &answered.assessment);
            if changes && !adjacent {
                // It did not hold as long as it said. What was asked about beyond is asked about again.
                let changed = self.search(rules, answered)?;
                self.split(changed);
                return Ok(());
            }
            let other_rules = adjacent && self.other_rules(rules, &answered)?;
            let jumps = adjacent && !changes && (other_rules || self.jumps(&self.at_held, &answered.assessment));
            // A figure also moves as it always does just where the last instant of a window is inside: that
            // is no boundary, the one right after it is; unless it moves back, as it does only at one.
            let is_step = jumps
                && !other_rules
                && answers.peek().is_some_and(|next| {
                    let (here, next) = (&answered.assessment, &next.assessment);
                    !same_brackets(here, next) || self.jumps(here, next)
                })
                && !moves_back(&self.at_held, &answered.assessment);
            if changes || (jumps && !is_step) {
                self.split(answered);
            } else {
                self.held = at;
                self.at_held = answered.assessment;
            }
        }
        Ok(())
    }

    /// Whether an amount jumps, though outcome and reasons stay, from an instant to its neighbour: a fee
    /// bracket. Only the exits that named the change are looked at: elsewhere a figure moves as it always does.
    fn jumps(&self, one: &Assessment, other: &Assessment) -> bool {
        // Where an order is counted anew, what was used up becomes less.
        if self.order_change.is_some() && self.change == self.order_change && moves_back(one, other) {
            return true;
        }
        one.rulings().iter().any(|ruling| {
            let named = ruling.until.is_some() && ruling.until == self.change;
            named && other.ruling(ruling.exit).is_none_or(|found| !same_terms(ruling, found))
        })
    }

    /// Whether other rules come into force at an answer's instant and say something else than those before
    /// them would.
    fn other_rules(&mut self, rules: &dyn Rules, answered: &Answered) -> Result<bool, String> {
        let at = answered.subject.at;
        if self.rules_change != Some(at) {
            return Ok(false);
        }
        let Some(as_before) = rules.rule_as_before(Row { resource: self.resource, at }) else { return Ok(false) };
        let (old, new) = (as_before?.assessment, &answered.assessment);
        let alike = same_brackets(&old, new)
            && old
                .rulings()
                .iter()
                .all(|ruling| new.ruling(ruling.exit).is_some_and(|found| same_worth(ruling, found)));
        if !alike {
            self.timeline.rules_change.push((at, old));
        }
        Ok(!alike)
    }

    /// The first of two neighbouring instants between which outcome or reasons change, found between
    /// what is held and an answer that differs; the one before becomes what is held.
    fn search(&mut self, rules: &dyn Rules, mut differs: Answered) -> Result<Answered, String> {
        while differs.subject.at > after(self.held) {
            let (low, high) = (self.held.micros(), differs.subject.at.micros());
            let at = Instant::from_micros(low + (high - low) / 2);
            let answer = rules.rule(&[Row { resource: self.resource, at }]).into_iter().next();
            let answered = answer.ok_or("no answer came back")??;
            if same_brackets(&self.at_held, &answered.assessment) {
                self.held = at;
                self.at_held = answered.assessment;
            } else {
                differs = answered;
            }
        }
        Ok(differs)
    }

    /// Closes the open piece at what is held and begins the next one.
    fn split(&mut self, next: Answered) {
        let at = next.subject.at;
        let whole = |instant: Instant| instant.micros().rem_euclid(Span::seconds(1).micros()) == 0;
        let through = match self.change {
            Some(change) if at == change => false,
            Some(change) if at == after(change) => true,
            _ => whole(self.held) && !whole(at),
        };
        let end = std::mem::take(&mut self.at_held);
        self.close(end, if through { Ends::Through(self.held) } else { Ends::Before(at) });
        self.from = at;
        self.edition = next.subject.edition;
        self.first = next.assessment.clone();
        self.held = at;
        self.at_held = next.assessment;
    }

    fn close(&mut self, end: Assessment, ends: Ends) {
        let (first, edition) = (std::mem::take(&mut self.first), self.edition.take());
        self.timeline.pieces.push(Piece { from: self.from, last: self.held, edition, first, end });
        self.timeline.ends.push(ends);
    }

    fn finish(mut self) -> Timeline {
        let end = std::mem::take(&mut self.at_held);
        self.close(end, Ends::Open);
        self.timeline
    }
}

type Bracket = (Exit, Outcome, Vec<Reason>, Vec<Reason>);

fn bracket(ruling: &RulingData) -> Bracket {
    let mut refusals: Vec<Reason> = ruling.refusals.iter().map(|refusal| refusal.reason).collect();
    let mut unknowns: Vec<Reason> = ruling.unknowns.iter().map(|unknown| unknown.reason).collect();
    refusals.sort();
    unknowns.sort();
    (ruling.exit, ruling.outcome(), refusals, unknowns)
}

/// Whether two rulings have the same outcome for the same reasons, named in the same order.
fn is_same_bracket(one: &RulingData, other: &RulingData) -> bool {
    one.exit == other.exit
        && one.outcome() == other.outcome()
        && one.refusals.len() == other.refusals.len()
        && one.unknowns.len() == other.unknowns.len()
        && one.refusals.iter().zip(&other.refusals).all(|(one, other)| one.reason == other.reason)
        && one.unknowns.iter().zip(&other.unknowns).all(|(one, other)| one.reason == other.reason)
}

/// Whether two assessments have the same exits with the same outcomes for the same reasons.
#[must_use]
pub fn same_brackets(one: &Assessment, other: &Assessment) -> bool {
    if one.rulings().len() != other.rulings().len() {
        return false;
    }
    // Mostly nothing moves, not even the order.
    if one.rulings().iter().zip(other.rulings()).all(|(one, other)| is_same_bracket(one, other)) {
        return true;
    }
    let brackets = |assessment: &Assessment| {
        let mut all: Vec<Bracket> = assessment.rulings().iter().map(bracket).collect();
        all.sort();
        all
    };
    brackets(one) == brackets(other)
}

/// Whether two rulings of an exit speak of the same money, quotas and reviews, by whatever clause.
fn same_worth(one: &RulingData, other: &RulingData) -> bool {
    let review = |ruling: &RulingData| {
        let review = ruling.review.as_ref();
        review.map(|review| (review.by.clone(), review.approved_after_hours))
    };
    one.refund == other.refund && one.quota == other.quota && review(one) == review(other)
}

/// Whether two rulings of an exit speak of the same money, quotas and reviews, by the same clauses.
fn same_terms(one: &RulingData, other: &RulingData) -> bool {
    one.refund == other.refund
        && one.refusals == other.refusals
        && one.unknowns == other.unknowns
        && one.review == other.review
        && one.quota == other.quota
}

/// Whether something that was used up is not, or more comes back, than an instant before.
fn moves_back(one: &Assessment, other: &Assessment) -> bool {
    one.rulings().iter().any(|ruling| other.ruling(ruling.exit).is_some_and(|found| gives_more(ruling, found)))
}

/// Whether a ruling gives more, or counts less as used up, than the same exit's did before.
pub(crate) fn gives_more(before: &RulingData, after: &RulingData) -> bool {
    match (&before.refund, &after.refund) {
        (Some(before), Some(after)) => after.refund() > before.refund() || after.consumed() < before.consumed(),
        _ => false,
    }
}
