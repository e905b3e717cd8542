//! The room of pools as linear constraints over choices.

use std::collections::BTreeMap;

use recoup_core::time::Instant;

use crate::problem::{Draw, Problem};

/// `sum(factor * chosen) <= room`, all factors above nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// Choices, by their place in [`Ways`], with their factors.
    pub(crate) terms: Vec<(usize, i128)>,
    /// What the chosen may add up to.
    pub(crate) room: i128,
}

/// The choices of a problem in one list.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ways {
    /// Item and choice.
    pub(crate) all: Vec<(usize, usize)>,
    /// For each item, where its choices stand in `all`.
    pub(crate) of_item: Vec<std::ops::Range<usize>>,
}

impl Ways {
    pub(crate) fn of(problem: &Problem) -> Self {
        let mut ways = Self::default();
        for (index, item) in problem.items.iter().enumerate() {
            let start = ways.all.len();
            ways.all.extend((0..item.choices.len()).map(|way| (index, way)));
            ways.of_item.push(start..ways.all.len());
        }
        ways
    }
}

/// One choice's draw on the pool at hand.
#[derive(Debug, Clone, Copy)]
struct Entry {
    way: usize,
    at: Instant,
    draw: Draw,
}

/// The constraints of all pools. A choice that does not fit even alone must be gone before.
pub(crate) fn rows(problem: &Problem, ways: &Ways) -> Vec<Row> {
    let mut by_pool: BTreeMap<usize, Vec<Entry>> = BTreeMap::new();
    for (place, (item, way)) in ways.all.iter().enumerate() {
        let Some(choice) = problem.items.get(*item).and_then(|item| item.choices.get(*way)) else { continue };
        for draw in choice.draws.iter().filter(|draw| draw.amount > 0) {
            by_pool.entry(draw.pool).or_default().push(Entry { way: place, at: choice.at, draw: *draw });
        }
    }
    by_pool.into_values().flat_map(of_pool).collect()
}

/// Everything drawn up to an instant, as seen from there.
#[derive(Debug, Clone, Copy)]
struct View {
    at: Instant,
    from: Instant,
    room: i128,
}

fn of_pool(mut entries: Vec<Entry>) -> Vec<Row> {
    entries.sort_by_key(|entry| entry.at);
    let mut views: Vec<View> = Vec::new();
    for entry in &entries {
        let view = View { at: entry.at, from: entry.draw.from, room: entry.draw.room };
        if !views.contains_at_end(&view) {
            views.push(view);
        }
    }
    let shrunk: Vec<bool> = views.iter().map(|view| has_shrunk(view, &views)).collect();
    let mut rows = Vec::new();
    for (index, (view, shrunk_here)) in views.iter().zip(&shrunk).enumerate() {
        let inside = |entry: &&Entry| view.from <= entry.at && entry.at <= view.at;
        let later = || views.iter().zip(&shrunk).skip(index + 1).filter(|(_, shrunk)| !**shrunk).map(|(view, _)| view);
        if *shrunk_here {
            rows.extend(conditional(view, &entries.iter().filter(inside).copied().collect::<Vec<_>>()));
        } else if !implied(view, later(), &entries) {
            let terms = entries.iter().filter(inside).map(|entry| (entry.way, entry.draw.amount)).collect();
            rows.push(Row { terms, room: view.room });
        }
    }
    // What cannot be exceeded needs no constraint.
    rows.retain(|row| row.terms.iter().map(|(_, factor)| factor).sum::<i128>() > row.room);
    rows
}

/// Whether an earlier draw in the window had more room than this one has: its constraint then holds only if
/// this one is made. Where it had not, whoever keeps to the earlier constraint keeps to this one too.
fn has_shrunk(view: &View, views: &[View]) -> bool {
    views
        .iter()
        .filter(|other| view.from <= other.at && other.at <= view.at)
        .any(|other| other.room > view.room || other.from > view.from)
}

/// Whether a later view counts all that this one counts and has no more room.
fn implied<'v>(view: &View, mut later: impl Iterator<Item = &'v View>, entries: &[Entry]) -> bool {
    let first = entries.iter().find(|entry| view.from <= entry.at).map_or(view.from, |entry| entry.at);
    later.any(|other| other.from <= first && other.room == view.room)
}

/// A constraint for each draw of a view, void where the draw is not made.
fn conditional(view: &View, inside: &[Entry]) -> Vec<Row> {
    let total: i128 = inside.iter().map(|entry| entry.draw.amount).sum();
    let own = |entry: &&Entry| entry.at == view.at && entry.draw.room == view.room;
    let switches: Vec<Entry> = inside.iter().filter(own).copied().collect();
    switches
        .into_iter()
        .map(|switch| {
            let others = total - switch.draw.amount;
            let left = view.room - switch.draw.amount;
            let slack = (others - left).max(0);
            let factor = |entry: &Entry| if entry.way == switch.way { slack.max(1) } else { entry.draw.amount };
            let terms = inside.iter().map(|entry| (entry.way, factor(entry))).collect();
            Row { terms, room: left + slack.max(1) }
        })
        .collect()
}

trait ContainsAtEnd {
    fn contains_at_end(&self, view: &View) -> bool;
}

impl ContainsAtEnd for Vec<View> {
    /// Whether a view of the same instant is there; they stand in order of time.
    fn contains_at_end(&self, view: &View) -> bool {
        self.iter()
            .rev()
            .take_while(|other| other.at == view.at)
            .any(|other| other.from == view.from && other.room == view.room)
    }
}
