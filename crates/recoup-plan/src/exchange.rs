//! Makes a good selection better by exchanging one choice for one or two others.
//!
//! Where a quota counts money, what is left at the end is a matter of finding amounts that fill it to the cent.
//! A search tree is poor at that and exchanges are good at it: the bound says how much better anything can be,
//! so only choices within that distance are looked at.

use std::time::Instant as Clock;

use crate::problem::{Choice, Problem, Selection, Tally};
use crate::rows::Ways;

/// Comparisons after which the search is left to the solver.
const MOST: usize = 20_000_000;

/// Choices that are looked at in one place where not all are.
const LOOKS: usize = 4;

/// Choices that are worth something, sorted by worth.
struct Shelf {
    /// Worth, item and choice.
    all: Vec<(i128, usize, usize)>,
}

impl Shelf {
    fn of(problem: &Problem, ways: &Ways) -> Self {
        let worth = |item: usize, way: usize| Some(problem.items.get(item)?.choices.get(way)?.worth);
        let mut all: Vec<(i128, usize, usize)> =
            ways.all.iter().filter_map(|(item, way)| Some((worth(*item, *way)?, *item, *way))).collect();
        all.sort_unstable();
        Self { all }
    }

    /// Those worth more than `above` and at most `most`, the most first.
    fn between(&self, above: i128, most: i128) -> impl Iterator<Item = (usize, usize)> + '_ {
        let start = self.all.partition_point(|(worth, _, _)| *worth <= above);
        let end = self.all.partition_point(|(worth, _, _)| *worth <= most);
        self.all.get(start..end).unwrap_or_default().iter().rev().map(|(_, item, way)| (*item, *way))
    }
}

struct Search<'p> {
    problem: &'p Problem,
    shelf: Shelf,
    tally: Tally,
    selection: &'p mut Selection,
    bound: i128,
    worth: i128,
    left: usize,
}

/// Exchanges for as long as something gets better and the bound is not reached.
pub(crate) fn improve(problem: &Problem, ways: &Ways, selection: &mut Selection, bound: i128, until: Clock) {
    let (tally, worth) = (problem.tally(selection), problem.worth(selection));
    let mut search = Search { problem, shelf: Shelf::of(problem, ways), tally, selection, bound, worth, left: MOST };
    while search.worth < search.bound && search.left > 0 && Clock::now() < until && (search.one() || search.two()) {}
}

impl<'p> Search<'p> {
    fn choice(&self, item: usize, way: usize) -> Option<&'p Choice> {
        self.problem.items.get(item)?.choices.get(way)
    }

    fn is_free(&self, item: usize) -> bool {
        self.selection.get(item) == Some(&None)
    }

    fn take(&mut self, item: usize, way: Option<usize>) {
        if let Some(old) = self.problem.chosen(self.selection, item) {
            self.tally.remove(old);
            self.worth -= old.worth;
        }
        if let Some(slot) = self.selection.get_mut(item) {
            *slot = way;
        }
        if let Some(new) = way.and_then(|way| self.choice(item, way)) {
            self.tally.add(new);
            self.worth += new.worth;
        }
    }

    /// The most that fits, is worth more than `above` and at most `most`, of an item that is not taken.
    fn best_between(&mut self, above: i128, most: i128) -> Option<(usize, usize)> {
        let mut looked = 0;
        let limit = self.left;
        let found = self.shelf.between(above, most).inspect(|_| looked += 1).take(limit).find(|(item, way)| {
            self.is_free(*item) && self.choice(*item, *way).is_some_and(|choice| self.tally.admits(choice))
        });
        self.left = self.left.saturating_sub(looked);
        found
    }

    /// As [`best_between`](Self::best_between), looking only here and there: near the top, near half of it,
    /// near a quarter of it, and so on.
    fn some_between(&mut self, above: i128, most: i128) -> Option<(usize, usize)> {
        let mut most = most;
        while most > above && self.left > 0 {
            self.left = self.left.saturating_sub(LOOKS);
            let found = self.shelf.between(above, most).take(LOOKS).find(|(item, way)| {
                self.is_free(*item) && self.choice(*item, *way).is_some_and(|choice| self.tally.admits(choice))
            });
            if found.is_some() {
                return found;
            }
            most = above + (most - above) / 2;
        }
        None
    }

    /// What is taken, and nothing: adding to nothing is an exchange too.
    fn leaving(&self) -> Vec<Option<usize>> {
        let taken = |item: &usize| !self.is_free(*item);
        std::iter::once(None).chain((0..self.problem.items.len()).filter(taken).map(Some)).collect()
    }

    /// One for one.
    fn one(&mut self) -> bool {
        let mut better = false;
        for leaving in self.leaving() {
            let gap = self.bound - self.worth;
            if gap <= 0 || self.left == 0 {
                break;
            }
            better |= self.exchange(leaving, |search, worth| {
                let (item, way) = search.best_between(worth, worth + gap)?;
                search.take(item, Some(way));
                Some(())
            });
        }
        better
    }

    /// One for two.
    fn two(&mut self) -> bool {
        for leaving in self.leaving().into_iter().flatten() {
            let gap = self.bound - self.worth;
            if gap <= 0 || self.left == 0 {
                break;
            }
            let found = self.exchange(Some(leaving), |search, worth| {
                let firsts: Vec<(usize, usize)> = search.shelf.between(0, worth).collect();
                for (item, way) in firsts {
                    search.left = search.left.saturating_sub(1);
                    let Some(first) = search.choice(item, way) else { continue };
                    if search.left == 0 || 2 * first.worth < worth {
                        return None;
                    }
                    if !search.is_free(item) || !search.tally.admits(first) {
                        continue;
                    }
                    search.take(item, Some(way));
                    if let Some((other, way)) = search.some_between(worth - first.worth, worth - first.worth + gap) {
                        search.take(other, Some(way));
                        return Some(());
                    }
                    search.take(item, None);
                }
                None
            });
            if found {
                return true;
            }
        }
        false
    }

    /// Lets an item go and has something taken for it, given its worth; where nothing is, it comes back.
    fn exchange(&mut self, leaving: Option<usize>, take: impl FnOnce(&mut Self, i128) -> Option<()>) -> bool {
        let old = leaving.and_then(|item| Some((item, (*self.selection.get(item)?)?)));
        let worth = old.and_then(|(item, way)| self.choice(item, way)).map_or(0, |choice| choice.worth);
        if let Some((item, _)) = old {
            self.take(item, None);
        }
        let found = take(self, worth).is_some();
        if let (Some((item, way)), false) = (old, found) {
            self.take(item, Some(way));
        }
        found
    }
}
