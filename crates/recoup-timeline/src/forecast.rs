//! What would come back at each moment, of one resource and of all together.

use std::collections::{BTreeMap, BTreeSet};

use recoup_core::money::Currency;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::Outcome;

use crate::figures::Money;
use crate::steps::{Movement, ROWS_AT_ONCE, movements};
use crate::{Ends, Figures, Row, Rules, Timeline};

/// A piece of a resource's timeline as a forecast needs it. Both ends are inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its first instant.
    pub from: Instant,
    /// Its last instant.
    pub last: Instant,
    /// How it ends.
    pub ends: Ends,
    /// The figures at its first instant.
    pub first: Figures,
    /// The figures at its last instant.
    pub end: Figures,
    /// How they move between.
    pub movement: Movement,
}

/// What one resource would give at each moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curve {
    /// The pieces, without a gap.
    pub runs: Vec<Run>,
}

impl Curve {
    /// The run in which an instant lies.
    #[must_use]
    pub fn run(&self, at: Instant) -> Option<&Run> {
        let after = self.runs.partition_point(|run| run.from <= at);
        self.runs.get(after.checked_sub(1)?).filter(|run| at <= run.last)
    }

    /// The figures at an instant, where they can be told without asking the rules again: not inside a
    /// run that glides.
    #[must_use]
    pub fn figures(&self, at: Instant) -> Option<Figures> {
        let run = self.run(at)?;
        if at == run.last {
            return Some(run.end);
        }
        match &run.movement {
            Movement::Still => Some(run.first),
            Movement::Steps(steps) => Some(steps.figures(at).unwrap_or(run.first)),
            Movement::Glides { first, .. } => (at < *first).then_some(run.first),
        }
    }

    /// Every instant at which the figures are known to move, in order.
    pub fn moves(&self) -> impl Iterator<Item = Instant> {
        self.runs.iter().enumerate().flat_map(|(place, run)| {
            let steps: &[Instant] = match &run.movement {
                Movement::Steps(steps) => steps.instants(),
                _ => &[],
            };
            (place > 0).then_some(run.from).into_iter().chain(steps.iter().copied())
        })
    }

    /// The moment at which leaving is worth most (cash and what is no longer owed): the first one, where
    /// there are several. Inside a run every figure moves one way, so it is at the begin or the end of one.
    #[must_use]
    pub fn best(&self) -> Option<(Instant, Figures)> {
        let mut best: Option<(Instant, Figures)> = None;
        for run in &self.runs {
            for (at, figures) in [(run.from, run.first), (run.last, run.end)] {
                let worth = |figures: &Figures| figures.money.filter(|_| figures.is_open()).map(|money| money.worth());
                if worth(&figures) > best.as_ref().and_then(|(_, best)| worth(best)) {
                    best = Some((at, figures));
                }
            }
        }
        best
    }
}

/// The curves of some timelines, each with its place among the resources of the rules; at most `most`
/// steps of a piece are listed one by one.
pub fn curves(rules: &dyn Rules, timelines: &[(usize, &Timeline)], most: usize) -> Vec<Result<Curve, String>> {
    let pieces: Vec<_> = timelines
        .iter()
        .flat_map(|(resource, timeline)| timeline.pieces.iter().map(|piece| (*resource, piece)))
        .collect();
    let mut found = movements(rules, &pieces, most).into_iter();
    let curve = |timeline: &Timeline| {
        let mine: Vec<_> = found.by_ref().take(timeline.pieces.len()).collect();
        let runs = timeline.pieces().zip(mine).map(|((piece, ends), movement)| {
            Ok(Run {
                from: piece.from,
                last: piece.last,
                ends,
                first: Figures::of(&piece.first),
                end: Figures::of(&piece.end),
                movement: movement?,
            })
        });
        Ok(Curve { runs: runs.collect::<Result<_, String>>()? })
    };
    timelines.iter().map(|(_, timeline)| *timeline).map(curve).collect()
}

/// What all resources together would give at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Total {
    /// How many could leave.
    pub open: usize,
    /// How many could not.
    pub refused: usize,
    /// How many of those that could have no known figure and are in no sum.
    pub unknown: usize,
    /// How many of those that could do so only if something unknown is as assumed.
    pub conditional: usize,
    /// The sums, by currency.
    pub money: BTreeMap<Currency, Money>,
}

impl Total {
    /// Adds a resource.
    pub fn add(&mut self, figures: &Figures) {
        if !figures.is_open() {
            self.refused += 1;
            return;
        }
        self.open += 1;
        self.conditional += usize::from(figures.outcome == Outcome::Conditional);
        match figures.money {
            Some(money) => {
                self.money.entry(money.currency).or_insert_with(|| Money::nothing(money.currency)).add(&money);
            }
            None => self.unknown += 1,
        }
    }
}

impl Total {
    /// Adds the resources of another total of the same instant.
    pub fn join(&mut self, other: &Self) {
        self.open += other.open;
        self.refused += other.refused;
        self.unknown += other.unknown;
        self.conditional += other.conditional;
        for (currency, money) in &other.money {
            self.money.entry(*currency).or_insert_with(|| Money::nothing(*currency)).add(money);
        }
    }
}

/// The instants at which totals are worth knowing: the first and the last one, the begins of months, both
/// sides of every boundary, and every known step; where there are more than `most` of those, only the
/// boundaries at which most moves.
#[must_use]
pub fn moments(curves: &[Curve], from: Instant, last: Instant, most: usize) -> Moments {
    let mut all: BTreeSet<Instant> = curves.iter().flat_map(Curve::moves).collect();
    all.retain(|at| *at > from && *at <= last);
    let mut left_out = 0;
    if all.len() > most {
        let kept = largest(curves, most);
        let known = all.len();
        all.retain(|at| kept.contains(at));
        left_out = known - all.len();
    }
    let mut at = with_eves(all, from, last);
    // Where figures glide, the begin of every month (UTC) is told too.
    let mut month = Zone::UTC.next_month(from);
    while month < last {
        at.insert(month);
        month = Zone::UTC.next_month(month);
    }
    Moments { at: at.into_iter().collect(), left_out }
}

/// The boundaries at which most moves.
fn largest(curves: &[Curve], most: usize) -> BTreeSet<Instant> {
    let worth = |figures: &Figures| figures.worth().map_or(0, recoup_core::money::Amount::units);
    let mut boundaries: BTreeMap<Instant, i128> = BTreeMap::new();
    for curve in curves {
        for pair in curve.runs.windows(2) {
            if let [one, other] = pair {
                *boundaries.entry(other.from).or_default() += (worth(&one.end) - worth(&other.first)).abs();
            }
        }
    }
    let mut largest: Vec<(i128, Instant)> = boundaries.into_iter().map(|(at, moved)| (moved, at)).collect();
    largest.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    largest.into_iter().take(most).map(|(_, at)| at).collect()
}

/// Instants at which totals are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moments {
    /// The instants, in order, each after the one right before it.
    pub at: Vec<Instant>,
    /// How many instants at which something moves are not among them.
    pub left_out: usize,
}

/// The moments with the instant right before each, and both ends.
fn with_eves(moments: BTreeSet<Instant>, from: Instant, last: Instant) -> BTreeSet<Instant> {
    let eves: Vec<Instant> = moments.iter().map(|at| crate::walk::before(*at)).filter(|at| *at > from).collect();
    let mut all = moments;
    all.extend(eves);
    all.extend([from, last]);
    all
}

/// Hands on the figures of each of some curves at each of some instants, one curve after the other (together they
/// are large), asking the rules only where a curve glides. An instant outside a curve is none: it had not begun or
/// was not asked about.
///
/// # Errors
/// What the rules could not answer.
pub fn figures_at(
    rules: &dyn Rules,
    curves: &[(usize, &Curve)],
    moments: &[Instant],
    mut take: impl FnMut(Vec<Option<Figures>>),
) -> Result<(), String> {
    let mut rows = Vec::new();
    for (resource, curve) in curves {
        let open = moments.iter().filter(|at| curve.run(**at).is_some() && curve.figures(**at).is_none());
        rows.extend(open.map(|at| Row { resource: *resource, at: *at }));
    }
    // Not all at once: the answers are large, the figures are not.
    let answers = rows.chunks(ROWS_AT_ONCE).flat_map(|rows| rules.rule(rows));
    let mut answers = answers.map(|answer| answer.map(|answered| Figures::of(&answered.assessment)));
    for (_, curve) in curves {
        let mut mine = Vec::with_capacity(moments.len());
        for at in moments {
            mine.push(match (curve.run(*at), curve.figures(*at)) {
                (None, _) => None,
                (_, Some(figures)) => Some(figures),
                _ => Some(answers.next().ok_or("no answer came back")??),
            });
        }
        take(mine);
    }
    Ok(())
}
