//! What room is worth: prices on the constraints that give an exact upper bound, and with it tell which
//! choices cannot be part of any better plan.
//!
//! For any prices not below nothing, `sum(price * room) + sum over items of the best (worth - priced draws)`
//! bounds every plan from above (Lagrangian relaxation). Prices are whole numbers of [`FINE`] parts, so the bound
//! is exact, whatever the solver's floating point does.

use std::time::Instant as Clock;

use crate::problem::{Problem, Selection};
use crate::rows::{Row, Ways};

/// Parts of a minor unit in which prices and reduced worths count. A price is for a millionth of what a quota
/// counts, so parts must be fine; and 2^50 of them times the largest worth still leave room for sums.
const FINE: i128 = 1 << 50;
/// Passes over all constraints, one after the other.
const PASSES: usize = 6;
/// Prices of all constraints together that are tried where one price alone cannot move.
const TRIES: usize = 300;
/// Tries in a row that may bring nothing.
const PATIENCE: usize = 40;

/// Prices and what follows from them.
#[derive(Debug, Clone)]
pub(crate) struct Prices {
    /// The bound, in minor units, rounded down: nothing is worth a part of a minor unit.
    pub(crate) bound: i128,
    /// By choice: its worth less what its draws cost, in [`FINE`] parts.
    reduced: Vec<i128>,
    /// By item: the best of that, at least nothing.
    best: Vec<i128>,
    /// The bound in [`FINE`] parts.
    fine: i128,
}

/// The choices of one item in one row.
struct Stake {
    /// The item's choices with their factor in the row.
    ways: Vec<(usize, i128)>,
}

/// What is left of one row's price when its own constraint alone is looked at.
struct Lens {
    stakes: Vec<Stake>,
    room: i128,
    highest: i128,
}

fn worth(problem: &Problem, ways: &Ways, place: usize) -> i128 {
    let choice = ways.all.get(place).and_then(|(item, way)| problem.items.get(*item)?.choices.get(*way));
    choice.map_or(0, |choice| choice.worth)
}

fn lens(problem: &Problem, ways: &Ways, row: &Row) -> Lens {
    let mut factors: Vec<(usize, i128)> = row.terms.clone();
    factors.sort_unstable();
    let factor = |place: usize| {
        factors.binary_search_by_key(&place, |(place, _)| *place).ok().and_then(|at| factors.get(at)).map_or(0, |f| f.1)
    };
    let mut items: Vec<usize> = factors.iter().filter_map(|(place, _)| Some(ways.all.get(*place)?.0)).collect();
    items.dedup();
    let stakes = items
        .into_iter()
        .map(|item| {
            let range = ways.of_item.get(item).cloned().unwrap_or_default();
            Stake { ways: range.map(|place| (place, factor(place))).collect() }
        })
        .collect();
    let highest = row
        .terms
        .iter()
        .map(|(place, factor)| worth(problem, ways, *place).saturating_mul(FINE) / (*factor).max(1) + 1)
        .max();
    Lens { stakes, room: row.room, highest: highest.unwrap_or(0) }
}

/// How much of a row the items take that choose what is best at a price.
fn taken(lens: &Lens, reduced: &[i128], price: i128) -> i128 {
    let of = |stake: &Stake| {
        let mut best = (0, 0);
        for (place, factor) in &stake.ways {
            let left = reduced.get(*place).copied().unwrap_or(0) - price.saturating_mul(*factor);
            if left > best.0 {
                best = (left, *factor);
            }
        }
        best.1
    };
    lens.stakes.iter().map(of).sum()
}

/// The lowest price at which no more is taken than there is room for: there the bound is lowest, as far as
/// this row goes.
fn settle(lens: &Lens, reduced: &[i128]) -> i128 {
    let (mut low, mut high) = (-1, lens.highest);
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if taken(lens, reduced, middle) <= lens.room {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

impl Prices {
    /// Finds prices, row by row and then all together, given what a known plan brings.
    /// Past `until` those found by then.
    ///
    /// Gives also what is chosen by the prices of single rows, as a guess.
    pub(crate) fn find(problem: &Problem, ways: &Ways, rows: &[Row], known: i128, until: Clock) -> (Self, Selection) {
        let lenses: Vec<Lens> = rows.iter().map(|row| lens(problem, ways, row)).collect();
        let mut prices = vec![0_i128; rows.len()];
        let mut reduced: Vec<i128> =
            (0..ways.all.len()).map(|place| worth(problem, ways, place).saturating_mul(FINE)).collect();
        for _ in 0..PASSES {
            let mut moved = false;
            for (lens, price) in lenses.iter().zip(prices.iter_mut()) {
                shift(&mut reduced, lens, *price);
                let found = settle(lens, &reduced);
                shift(&mut reduced, lens, -found);
                moved |= found != *price;
                *price = found;
            }
            if !moved {
                break;
            }
        }
        let mut best = Self::at(&prices, reduced.clone(), ways, rows);
        let guess = priced(problem, ways, &best);
        if rows.len() > 1 && best.bound > known {
            let ground = Ground { problem, ways, rows, lenses: &lenses };
            ground.lower(&mut best, prices, reduced, known, until);
        }
        (best, guess)
    }

    /// What prices give.
    fn at(prices: &[i128], reduced: Vec<i128>, ways: &Ways, rows: &[Row]) -> Self {
        let best: Vec<i128> = ways
            .of_item
            .iter()
            .map(|range| range.clone().filter_map(|place| reduced.get(place).copied()).max().unwrap_or(0).max(0))
            .collect();
        let rooms: i128 =
            prices.iter().zip(rows).map(|(price, row)| price.saturating_mul(row.room)).fold(0, i128::saturating_add);
        let fine = best.iter().copied().fold(rooms, i128::saturating_add);
        Self { bound: fine.div_euclid(FINE), reduced, best, fine }
    }

    /// Whether a choice may be part of a plan that brings more than `least`.
    pub(crate) fn may_be(&self, place: usize, item: usize, least: i128) -> bool {
        let reduced = self.reduced.get(place).copied().unwrap_or(0);
        self.may_improve(item, reduced, least)
    }

    /// Whether leaving an item out may be part of a plan that brings more than `least`.
    pub(crate) fn may_stay(&self, item: usize, least: i128) -> bool {
        self.may_improve(item, 0, least)
    }

    fn may_improve(&self, item: usize, reduced: i128, least: i128) -> bool {
        let best = self.best.get(item).copied().unwrap_or(0);
        self.fine - best + reduced >= (least + 1).saturating_mul(FINE)
    }

    /// Choices in the order of what they bring above the price of their room.
    pub(crate) fn order(&self, ways: &Ways) -> Vec<(usize, usize)> {
        let mut places: Vec<usize> = (0..ways.all.len()).collect();
        places.sort_by_key(|place| std::cmp::Reverse(self.reduced.get(*place).copied().unwrap_or(0)));
        places.into_iter().filter_map(|place| ways.all.get(place).copied()).collect()
    }
}

/// What prices stand on.
struct Ground<'a> {
    problem: &'a Problem,
    ways: &'a Ways,
    rows: &'a [Row],
    lenses: &'a [Lens],
}

impl Ground<'_> {
    /// Lowers the bound by cutting planes (Kelley's method): what the items take at some prices says how the
    /// bound goes on in every direction from there; the lowest point that all this leaves possible is tried next.
    fn lower(&self, best: &mut Prices, mut prices: Vec<i128>, mut reduced: Vec<i128>, known: i128, until: Clock) {
        let highest: Vec<i128> = self.lenses.iter().map(|lens| lens.highest).collect();
        let mut cuts = Vec::new();
        let mut since = 0;
        for _ in 0..TRIES {
            cuts.push(self.cut(&reduced));
            let Some((next, lowest)) = crate::mip::cheapest(&cuts, &highest, FINE) else { break };
            // Nothing below this is possible at any prices.
            let reached = best.fine - lowest <= FINE.max(best.fine / 100_000_000);
            if reached || best.bound <= known || since > PATIENCE || Clock::now() >= until {
                break;
            }
            for ((price, lens), next) in prices.iter_mut().zip(self.lenses).zip(next) {
                shift(&mut reduced, lens, *price - next);
                *price = next;
            }
            let now = Prices::at(&prices, reduced.clone(), self.ways, self.rows);
            since += 1;
            if now.fine < best.fine {
                *best = now;
                since = 0;
            }
        }
    }

    /// What the items take where each takes what is best: its worth, and by row the room that is left.
    fn cut(&self, reduced: &[i128]) -> (i128, Vec<i128>) {
        let mut taken = vec![false; reduced.len()];
        let mut brought = 0;
        for range in &self.ways.of_item {
            let best = range.clone().filter_map(|place| Some((*reduced.get(place)?, place))).max();
            if let Some((_, place)) = best.filter(|(worth, _)| *worth > 0)
                && let Some(slot) = taken.get_mut(place)
            {
                *slot = true;
                brought += worth(self.problem, self.ways, place);
            }
        }
        let is_taken = |place: &usize| taken.get(*place).copied().unwrap_or(false);
        let used = |row: &Row| -> i128 {
            row.terms.iter().filter(|(place, _)| is_taken(place)).map(|(_, factor)| *factor).sum()
        };
        (brought, self.rows.iter().map(|row| row.room - used(row)).collect())
    }
}

fn shift(reduced: &mut [i128], lens: &Lens, by: i128) {
    for (place, factor) in lens.stakes.iter().flat_map(|stake| &stake.ways) {
        if let Some(reduced) = reduced.get_mut(*place) {
            *reduced += by.saturating_mul(*factor);
        }
    }
}

/// Fills what room is left, best first.
pub(crate) fn priced(problem: &Problem, ways: &Ways, prices: &Prices) -> Selection {
    crate::greedy::in_order(problem, prices.order(ways).into_iter())
}
