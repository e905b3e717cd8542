//! What room is worth: prices on the constraints that give an exact upper bound, and with it tell which
//! choices cannot be part of any better plan.
//!
//! For any prices not below nothing, `sum(price * room) + sum over items of the best (worth - priced draws)`
//! bounds every plan from above (Lagrangian relaxation). Prices are whole numbers of [`FINE`] parts, so the bound
//! is exact, whatever the solver's floating point does.

use crate::problem::{Problem, Selection};
use crate::rows::{Row, Ways};

/// Parts of a minor unit in which prices and reduced worths count.
const FINE: i128 = 1 << 24;
/// Passes over all constraints. Prices hardly move after the first few.
const PASSES: usize = 12;

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
    /// Finds prices, row by row, until they stay.
    pub(crate) fn find(problem: &Problem, ways: &Ways, rows: &[Row]) -> Self {
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
