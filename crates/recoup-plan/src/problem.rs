//! What is to be decided: for each item at most one of its choices, under the room of pools.
//!
//! Whatever is given back counts in whole numbers here, so that every comparison is exact: worth in the minor
//! units of one currency, draws and rooms in millionths of what the quota counts ([`PIECE`]).

use std::collections::HashMap;

use recoup_core::money::Number;
use recoup_core::time::Instant;

/// One piece of what a quota counts: one return, one US dollar.
pub const PIECE: i128 = 1_000_000;
/// Units of a [`Number`] in a millionth.
const FINER: i128 = 1_000_000_000_000;

/// What is drawn, in millionths, rounded up.
#[must_use]
pub const fn drawn(number: Number) -> i128 {
    let units = number.units();
    units.div_euclid(FINER) + (units.rem_euclid(FINER) != 0) as i128
}

/// What there is room for, in millionths, rounded down.
#[must_use]
pub const fn room(number: Number) -> i128 {
    number.units().div_euclid(FINER)
}

/// A figure in millionths as a plain number.
#[must_use]
pub const fn number(millionths: i128) -> Number {
    Number::from_units(millionths.saturating_mul(FINER))
}

/// What a choice draws on a pool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// The pool, an index into [`Problem::pools`].
    pub pool: usize,
    /// How much, in millionths. Not below nothing.
    pub amount: i128,
    /// How much may be drawn in the window that ends with this draw, itself included: the limit less what was
    /// used before the plan, in millionths.
    pub room: i128,
    /// Where that window begins.
    pub from: Instant,
}

/// One way to give an item back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// When.
    pub at: Instant,
    /// What it brings, in minor units.
    pub worth: i128,
    /// What it draws; no pool twice.
    pub draws: Vec<Draw>,
}

/// Something that leaves as a whole, in one of several ways or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Item {
    /// The ways.
    pub choices: Vec<Choice>,
}

/// Items and the pools on which they draw.
///
/// A set of choices fits where, for each draw of each of them, everything that the set draws on the same pool
/// from the draw's [`from`](Draw::from) to its instant, both included, is at most the draw's
/// [`room`](Draw::room). Of draws at one instant none is first, so each counts all of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// What may leave.
    pub items: Vec<Item>,
    /// How many pools there are.
    pub pools: usize,
}

/// For each item the index of its choice, or none.
pub type Selection = Vec<Option<usize>>;

/// A draw that was made.
#[derive(Debug, Clone, Copy)]
struct Entry {
    at: Instant,
    draw: Draw,
    /// Everything in the window that ends here.
    load: i128,
}

/// Draws made so far, by pool.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    by_pool: HashMap<usize, Vec<Entry>>,
}

impl Tally {
    /// Whether another choice fits beside what was drawn.
    #[must_use]
    pub fn admits(&self, choice: &Choice) -> bool {
        self.refuses(choice).is_none()
    }

    /// The first draw of a choice for which there is no room, or that leaves none for one made already.
    #[must_use]
    pub fn refuses(&self, choice: &Choice) -> Option<Draw> {
        choice.draws.iter().copied().find(|draw| {
            let before = self.by_pool.get(&draw.pool).map(Vec::as_slice).unwrap_or_default();
            let mut load = draw.amount;
            for entry in before {
                if draw.from <= entry.at && entry.at <= choice.at {
                    load += entry.draw.amount;
                }
                let counts = entry.draw.from <= choice.at && choice.at <= entry.at;
                if counts && entry.load + draw.amount > entry.draw.room {
                    return true;
                }
            }
            load > draw.room
        })
    }

    /// Makes the draws of a choice.
    pub fn add(&mut self, choice: &Choice) {
        for draw in &choice.draws {
            let entries = self.by_pool.entry(draw.pool).or_default();
            let mut load = draw.amount;
            for entry in entries.iter_mut() {
                if draw.from <= entry.at && entry.at <= choice.at {
                    load += entry.draw.amount;
                }
                if entry.draw.from <= choice.at && choice.at <= entry.at {
                    entry.load += draw.amount;
                }
            }
            entries.push(Entry { at: choice.at, draw: *draw, load });
        }
    }

    /// Takes back the draws of a choice that was added.
    pub fn remove(&mut self, choice: &Choice) {
        for draw in &choice.draws {
            let Some(entries) = self.by_pool.get_mut(&draw.pool) else { continue };
            let added = |entry: &Entry| entry.at == choice.at && entry.draw == *draw;
            let Some(place) = entries.iter().position(added) else { continue };
            entries.swap_remove(place);
            for entry in entries.iter_mut().filter(|entry| entry.draw.from <= choice.at && choice.at <= entry.at) {
                entry.load -= draw.amount;
            }
        }
    }
}

impl Problem {
    /// The choice that a selection makes for an item.
    #[must_use]
    pub fn chosen(&self, selection: &Selection, item: usize) -> Option<&Choice> {
        self.items.get(item)?.choices.get((*selection.get(item)?)?)
    }

    /// Everything that a selection chooses.
    pub fn all_chosen<'a>(&'a self, selection: &'a Selection) -> impl Iterator<Item = &'a Choice> {
        (0..self.items.len()).filter_map(|item| self.chosen(selection, item))
    }

    /// What a selection brings.
    #[must_use]
    pub fn worth(&self, selection: &Selection) -> i128 {
        self.all_chosen(selection).map(|choice| choice.worth).sum()
    }

    /// The draws of a selection.
    #[must_use]
    pub fn tally(&self, selection: &Selection) -> Tally {
        let mut tally = Tally::default();
        self.all_chosen(selection).for_each(|choice| tally.add(choice));
        tally
    }

    /// Whether a selection keeps to the room of every pool.
    #[must_use]
    pub fn fits(&self, selection: &Selection) -> bool {
        let mut tally = Tally::default();
        for choice in self.all_chosen(selection) {
            if !tally.admits(choice) {
                return false;
            }
            tally.add(choice);
        }
        true
    }

    /// Moves steps to an earlier choice of the same item that brings no less, as long as it fits.
    pub fn hasten(&self, selection: &mut Selection) {
        let mut tally = self.tally(selection);
        for (index, item) in self.items.iter().enumerate() {
            let Some(chosen) = self.chosen(selection, index) else { continue };
            let earlier = |choice: &&Choice| choice.worth >= chosen.worth && choice.at < chosen.at;
            let mut ways: Vec<(usize, &Choice)> =
                item.choices.iter().enumerate().filter(|(_, choice)| earlier(choice)).collect();
            ways.sort_by_key(|(_, choice)| choice.at);
            if ways.is_empty() {
                continue;
            }
            tally.remove(chosen);
            let better = ways.into_iter().find(|(_, choice)| tally.admits(choice));
            tally.add(better.map_or(chosen, |(_, choice)| choice));
            if let (Some((way, _)), Some(slot)) = (better, selection.get_mut(index)) {
                *slot = Some(way);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Instant {
        Instant::from_micros(day * 86_400_000_000)
    }

    fn draw(amount: i128, room: i128, from: i64) -> Draw {
        Draw { pool: 0, amount: amount * PIECE, room: room * PIECE, from: day(from) }
    }

    fn choice(at: i64, draw: Draw) -> Choice {
        Choice { at: day(at), worth: 1, draws: vec![draw] }
    }

    #[test]
    fn a_draw_leaves_a_rolling_window_and_makes_room() {
        let mut tally = Tally::default();
        tally.add(&choice(0, draw(3, 3, -10)));
        assert!(!tally.admits(&choice(10, draw(1, 3, 0))));
        assert!(tally.admits(&choice(11, draw(1, 3, 1))));
    }

    #[test]
    fn a_draw_put_in_before_a_later_one_counts_for_that_too() {
        let mut tally = Tally::default();
        tally.add(&choice(5, draw(3, 3, -5)));
        assert!(!tally.admits(&choice(0, draw(1, 3, -10))));
        assert!(tally.admits(&choice(-6, draw(1, 3, -16))));
    }

    #[test]
    fn rounding_never_makes_room() {
        let fine = Number::from_units(1);
        assert_eq!((drawn(fine), room(fine)), (1, 0));
        assert_eq!((drawn(Number::ONE), room(Number::ONE)), (PIECE, PIECE));
        assert_eq!(number(PIECE), Number::ONE);
    }
}
