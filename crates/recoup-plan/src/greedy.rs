//! The plan that one would make by hand: the largest refund first. Kept for comparison, and as the solver's
//! first guess.

use std::cmp::Reverse;

use crate::problem::{Problem, Selection, Tally};

/// Takes choices in an order, each where its item is still there and its draws fit.
pub(crate) fn in_order(problem: &Problem, order: impl Iterator<Item = (usize, usize)>) -> Selection {
    let mut selection: Selection = vec![None; problem.items.len()];
    let mut tally = Tally::default();
    for (item, way) in order {
        let Some(slot) = selection.get_mut(item).filter(|slot| slot.is_none()) else { continue };
        let Some(choice) = problem.items.get(item).and_then(|item| item.choices.get(way)) else { continue };
        if choice.worth > 0 && tally.admits(choice) {
            tally.add(choice);
            *slot = Some(way);
        }
    }
    selection
}

/// Every choice with its item.
pub(crate) fn ways(problem: &Problem) -> impl Iterator<Item = (usize, usize)> + '_ {
    problem.items.iter().enumerate().flat_map(|(index, item)| (0..item.choices.len()).map(move |way| (index, way)))
}

/// The largest refund first, at its best moment, for as long as the quotas last.
#[must_use]
pub fn largest_first(problem: &Problem) -> Selection {
    let mut order: Vec<(usize, usize)> = ways(problem).collect();
    order.sort_by_key(|(item, way)| {
        let choice = problem.items.get(*item).and_then(|item| item.choices.get(*way));
        choice.map(|choice| (Reverse(choice.worth), choice.at))
    });
    in_order(problem, order.into_iter())
}
