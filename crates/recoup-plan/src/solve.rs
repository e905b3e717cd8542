//! The best selection: split into independent parts, bounded by prices, and what prices leave open searched.

use std::collections::BTreeMap;
use std::time::{Duration, Instant as Clock};

use recoup_core::time::Instant;

use crate::exchange::improve;
use crate::greedy;
use crate::mip::{self, Found, Program};
use crate::prices::{Prices, priced};
use crate::problem::{Choice, Item, Problem, Selection, Tally};
use crate::rows::{Row, Ways, rows};

/// Choices of one part that the solver is asked about at most.
const MOST_SEARCHED: usize = 40_000;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Solved {
    /// What to give back.
    pub selection: Selection,
    /// What that brings, in minor units.
    pub worth: i128,
    /// What nothing exceeds, in minor units.
    pub bound: i128,
    /// What went on: how much was left to search.
    pub effort: Effort,
}

impl Solved {
    /// How much more there might be, in minor units.
    #[must_use]
    pub fn gap(&self) -> i128 {
        self.bound - self.worth
    }

    /// Whether nothing better exists.
    #[must_use]
    pub fn is_best(&self) -> bool {
        self.gap() == 0
    }
}

/// How the answer was found, for people and benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Effort {
    /// Choices that were given.
    pub choices: usize,
    /// Parts that no pool connects with another.
    pub parts: usize,
    /// Choices that prices left open and the solver searched.
    pub searched: usize,
    /// Whether the time was over before all was searched.
    pub out_of_time: bool,
}

/// A part of a problem, its choices already thinned out.
struct Part {
    problem: Problem,
    /// By item of the part: the item and, by choice, the choice in the whole problem.
    origin: Vec<(usize, Vec<usize>)>,
}

/// Finds what brings most, within a time. Past it, the best found with its bound.
#[must_use]
pub fn solve(problem: &Problem, time: Duration) -> Solved {
    let started = Clock::now();
    let mut solved = Solved { selection: vec![None; problem.items.len()], ..Solved::default() };
    solved.effort.choices = problem.items.iter().map(|item| item.choices.len()).sum();
    let mut parts = split(problem);
    parts.sort_by_key(|part| part.problem.items.len());
    solved.effort.parts = parts.len();
    let mut waiting = parts.len();
    for part in parts {
        // Small parts first: what time they do not need is left to the large ones.
        let left = time.saturating_sub(started.elapsed());
        let share = left / u32::try_from(waiting.min(8)).unwrap_or(1).max(1);
        let found = solve_part(&part.problem, share);
        waiting -= 1;
        solved.bound += found.bound;
        solved.effort.searched += found.effort.searched;
        solved.effort.out_of_time |= found.effort.out_of_time;
        for ((item, choices), way) in part.origin.iter().zip(&found.selection) {
            if let (Some(slot), Some(choice)) = (solved.selection.get_mut(*item), way.and_then(|way| choices.get(way)))
            {
                *slot = Some(*choice);
            }
        }
    }
    problem.hasten(&mut solved.selection);
    solved.worth = problem.worth(&solved.selection);
    solved
}

/// By pool, whether the room seen from one begin never shrinks as time goes on.
fn steady(problem: &Problem) -> Vec<bool> {
    let mut seen: Vec<BTreeMap<(Instant, Instant), (i128, i128)>> = vec![BTreeMap::new(); problem.pools];
    for choice in problem.items.iter().flat_map(|item| &item.choices) {
        for draw in &choice.draws {
            if let Some(rooms) = seen.get_mut(draw.pool) {
                let (least, most) = rooms.entry((draw.from, choice.at)).or_insert((draw.room, draw.room));
                (*least, *most) = ((*least).min(draw.room), (*most).max(draw.room));
            }
        }
    }
    let grows = |rooms: &BTreeMap<(Instant, Instant), (i128, i128)>| {
        let mut last: Option<(Instant, i128)> = None;
        rooms.iter().all(|((from, _), (least, most))| {
            let held = last.is_none_or(|(begin, room)| begin != *from || room <= *least) && least == most;
            last = Some((*from, *most));
            held
        })
    };
    seen.iter().map(grows).collect()
}

/// Whether one choice of an item makes another needless: it brings no less and asks no more of anything.
fn makes_needless(one: &Choice, other: &Choice, steady: &[bool]) -> bool {
    if one.worth < other.worth {
        return false;
    }
    one.draws.iter().all(|draw| {
        let same = other.draws.iter().find(|same| same.pool == draw.pool);
        same.is_some_and(|same| {
            // At another instant a draw stands in other windows, unless both are seen from one begin, with
            // the same room then and in between.
            let among = |at: Instant| draw.from <= at;
            let one_window = draw.from == same.from && among(one.at) && among(other.at);
            let is_steady = steady.get(draw.pool).copied().unwrap_or(false);
            let comparable = one.at == other.at || (one_window && is_steady);
            comparable && draw.from == same.from && draw.amount <= same.amount && draw.room == same.room
        })
    })
}

/// The choices of an item worth looking at, by their index.
fn thinned(item: &Item, steady: &[bool]) -> Vec<usize> {
    let fits = |choice: &Choice| choice.worth > 0 && Tally::default().admits(choice);
    let mut kept: Vec<(usize, &Choice)> = Vec::new();
    for (index, choice) in item.choices.iter().enumerate().filter(|(_, choice)| fits(choice)) {
        if kept.iter().any(|(_, other)| makes_needless(other, choice, steady)) {
            continue;
        }
        kept.retain(|(_, other)| !makes_needless(choice, other, steady));
        kept.push((index, choice));
    }
    kept.into_iter().map(|(index, _)| index).collect()
}

fn find(parents: &mut [usize], mut node: usize) -> usize {
    while let Some(parent) = parents.get(node).copied().filter(|parent| *parent != node) {
        let above = parents.get(parent).copied().unwrap_or(parent);
        if let Some(slot) = parents.get_mut(node) {
            *slot = above;
        }
        node = above;
    }
    node
}

fn join(parents: &mut [usize], one: usize, other: usize) {
    let (one, other) = (find(parents, one), find(parents, other));
    if let Some(slot) = parents.get_mut(one) {
        *slot = other;
    }
}

/// Parts that no pool connects.
fn split(problem: &Problem) -> Vec<Part> {
    let steady = steady(problem);
    let kept: Vec<Vec<usize>> = problem.items.iter().map(|item| thinned(item, &steady)).collect();
    let mut parents: Vec<usize> = (0..problem.items.len() + problem.pools).collect();
    for (index, (item, kept)) in problem.items.iter().zip(&kept).enumerate() {
        for draw in kept.iter().filter_map(|way| item.choices.get(*way)).flat_map(|choice| &choice.draws) {
            join(&mut parents, index, problem.items.len() + draw.pool);
        }
    }
    let mut parts: BTreeMap<usize, Part> = BTreeMap::new();
    for (index, (item, kept)) in problem.items.iter().zip(kept).enumerate() {
        if kept.is_empty() {
            continue;
        }
        let part = parts.entry(find(&mut parents, index)).or_insert_with(|| Part {
            problem: Problem { items: Vec::new(), pools: problem.pools },
            origin: Vec::new(),
        });
        let choices = kept.iter().filter_map(|way| item.choices.get(*way)).cloned().collect();
        part.problem.items.push(Item { choices });
        part.origin.push((index, kept));
    }
    parts.into_values().collect()
}

fn done(problem: &Problem, selection: Selection, bound: i128, effort: Effort) -> Solved {
    let worth = problem.worth(&selection);
    Solved { selection, worth, bound: bound.max(worth), effort }
}

fn solve_part(problem: &Problem, time: Duration) -> Solved {
    let began = Clock::now();
    let ways = Ways::of(problem);
    let rows = rows(problem, &ways);
    let largest = greedy::largest_first(problem);
    let (prices, by_rows) = Prices::find(problem, &ways, &rows, problem.worth(&largest), began + time / 5);
    let mut guesses = [by_rows, priced(problem, &ways, &prices), largest];
    for guess in &mut guesses {
        improve(problem, &ways, guess, prices.bound, began + time / 2);
    }
    let best = guesses.into_iter().max_by_key(|guess| problem.worth(guess)).unwrap_or_default();
    let least = problem.worth(&best);
    let effort = Effort::default();
    if prices.bound <= least {
        return done(problem, best, least, effort);
    }
    Core::of(problem, &ways, &rows, &prices, least).search(problem, best, &prices, time.saturating_sub(began.elapsed()))
}

/// What prices leave open: choices that may be part of something better.
struct Core {
    program: Program,
    /// By place in the program, item and choice.
    origin: Vec<(usize, usize)>,
    /// What any better plan contains.
    fixed: Vec<(usize, usize)>,
    /// Whether what any better plan contains does not fit: then there is none.
    impossible: bool,
}

impl Core {
    fn of(problem: &Problem, ways: &Ways, rows: &[Row], prices: &Prices, least: i128) -> Self {
        let mut core = Self { program: Program::default(), origin: Vec::new(), fixed: Vec::new(), impossible: false };
        let mut place_of: BTreeMap<usize, usize> = BTreeMap::new();
        let mut taken: Vec<usize> = Vec::new();
        for (item, range) in ways.of_item.iter().enumerate() {
            let open: Vec<usize> = range.clone().filter(|place| prices.may_be(*place, item, least)).collect();
            let must = !prices.may_stay(item, least);
            if let ([only], true) = (open.as_slice(), must) {
                taken.push(*only);
                core.fixed.extend(ways.all.get(*only));
                continue;
            }
            core.impossible |= open.is_empty() && must;
            let mut group = Vec::new();
            for place in open {
                let Some((item, way)) = ways.all.get(place).copied() else { continue };
                let worth = problem.items.get(item).and_then(|item| item.choices.get(way)).map_or(0, |way| way.worth);
                group.push(core.origin.len());
                place_of.insert(place, core.origin.len());
                core.origin.push((item, way));
                core.program.worth.push(worth);
            }
            if !group.is_empty() {
                core.program.groups.push((group, must));
            }
        }
        for row in rows {
            let used: i128 =
                row.terms.iter().filter(|(place, _)| taken.contains(place)).map(|(_, factor)| *factor).sum();
            let terms: Vec<(usize, i128)> = row
                .terms
                .iter()
                .filter_map(|(place, factor)| place_of.get(place).map(|place| (*place, *factor)))
                .collect();
            core.impossible |= used > row.room;
            if !terms.is_empty() {
                core.program.rows.push(Row { terms, room: row.room - used });
            }
        }
        core
    }

    fn selection(&self, items: usize, chosen: &[usize]) -> Selection {
        let mut selection = vec![None; items];
        let searched = chosen.iter().filter_map(|place| self.origin.get(*place));
        for (item, way) in self.fixed.iter().chain(searched) {
            if let Some(slot) = selection.get_mut(*item) {
                *slot = Some(*way);
            }
        }
        selection
    }

    fn search(mut self, problem: &Problem, best: Selection, prices: &Prices, time: Duration) -> Solved {
        let least = problem.worth(&best);
        if self.impossible {
            return done(problem, best, least, Effort::default());
        }
        let mut effort = Effort { searched: self.origin.len(), ..Effort::default() };
        let taken = |(item, way): &(usize, usize)| best.get(*item) == Some(&Some(*way));
        if self.fixed.iter().all(taken) {
            self.program.hint = self.origin.iter().map(taken).collect();
        }
        let fixed: i128 = self
            .fixed
            .iter()
            .filter_map(|(item, way)| problem.items.get(*item)?.choices.get(*way))
            .map(|choice| choice.worth)
            .sum();
        // Its first linear program alone would take longer than anybody waits.
        let found = if self.origin.len() > MOST_SEARCHED {
            Found::Some(Vec::new(), None)
        } else {
            mip::search(&self.program, time)
        };
        let (chosen, core_bound) = match found {
            // Nothing among what is open is better than what is there.
            Found::Nothing => return done(problem, best, least, effort),
            Found::Best(chosen) => (Some(chosen), None),
            Found::Some(chosen, bound) => {
                effort.out_of_time = true;
                (Some(chosen), Some(bound.map_or(prices.bound, |bound| (fixed + bound).min(prices.bound))))
            }
            Found::Failed(_) => {
                effort.out_of_time = true;
                (None, Some(prices.bound))
            }
        };
        let selection = chosen.map(|chosen| self.selection(problem.items.len(), &chosen));
        // What the solver says is checked in whole numbers: its tolerances may have let a draw through.
        let (selection, exact) = match selection {
            Some(selection) if problem.fits(&selection) => (Some(selection), true),
            _ => (None, false),
        };
        let better = selection.filter(|selection| problem.worth(selection) > least).unwrap_or(best);
        let worth = problem.worth(&better);
        let bound = match core_bound {
            // The solver cuts off what is better by less than this part of the whole.
            None if exact => (worth + (worth - fixed).max(0) / 1_000_000_000).min(prices.bound),
            None => prices.bound,
            Some(bound) => bound,
        };
        done(problem, better, bound, effort)
    }
}
