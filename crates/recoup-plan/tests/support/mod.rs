//! Portfolios made by chance from a seed, as the solver sees them, and the plan found by trying everything.
#![allow(
    dead_code,
    unused_imports,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests and examples fail by panicking, and none uses all of this"
)]

use recoup_core::time::Instant;
use recoup_plan::problem::{Choice, Draw, Item, PIECE, Problem, Selection};

/// A simple generator of numbers (xorshift), the same on every machine.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn from(&mut self, low: i128, high: i128) -> i128 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        low + i128::from(self.0 >> 11) % (high - low + 1)
    }

    pub(crate) fn one_in(&mut self, many: i128) -> bool {
        self.from(1, many) == 1
    }
}

pub(crate) fn day(day: i128) -> Instant {
    Instant::from_micros(i64::try_from(day * 86_400_000_000).unwrap())
}

/// How a generated pool counts.
#[derive(Clone, Copy)]
pub(crate) enum Window {
    /// Anew every so many days.
    Calendar(i128),
    /// The last so many days.
    Rolling(i128),
    Lifetime,
}

impl Window {
    pub(crate) fn start(self, at: i128) -> Instant {
        match self {
            Self::Calendar(days) => day(at.div_euclid(days) * days),
            Self::Rolling(days) => day(at - days),
            Self::Lifetime => Instant::from_micros(i64::MIN),
        }
    }
}

/// A generated pool: how it counts, its limit, what was used before, by day, and whether it counts money.
#[derive(Clone)]
pub(crate) struct Pool {
    pub(crate) window: Window,
    pub(crate) limit: i128,
    pub(crate) before: Vec<(i128, i128)>,
    pub(crate) money: bool,
}

impl Pool {
    /// The room at a day.
    pub(crate) fn room(&self, at: i128) -> i128 {
        let from = self.window.start(at);
        let used: i128 = self.before.iter().filter(|(then, _)| from <= day(*then)).map(|(_, used)| used).sum();
        self.limit - used
    }

    fn small(chance: &mut Chance) -> Self {
        let window = match chance.from(0, 2) {
            0 => Window::Calendar(chance.from(8, 20)),
            1 => Window::Rolling(chance.from(5, 20)),
            _ => Window::Lifetime,
        };
        let money = chance.one_in(2);
        let limit = if money { chance.from(5, 60) } else { chance.from(1, 3) };
        let before =
            (0..chance.from(0, 2)).map(|_| (-chance.from(0, 20), if money { chance.from(1, 20) } else { 1 })).collect();
        Self { window, limit, before, money }
    }
}

/// A few items with a few choices under one or two pools, everything small enough to try it all.
pub(crate) fn small(seed: u64) -> Problem {
    let mut chance = Chance::new(seed);
    let pools: Vec<Pool> = (0..chance.from(1, 3)).map(|_| Pool::small(&mut chance)).collect();
    // Now and then the limit itself falls: a new edition.
    let falls = chance.one_in(4).then(|| (chance.from(0, 30), chance.from(0, 3)));
    let mut items = Vec::new();
    for _ in 0..chance.from(2, 7) {
        let full = chance.from(1, 40);
        let mut choices = Vec::new();
        for _ in 0..chance.from(0, 4) {
            let at = chance.from(0, 40);
            let worth = if chance.one_in(5) { chance.from(-3, 60) } else { (full - at / 3).max(0) };
            let mut draws = Vec::new();
            for (index, pool) in pools.iter().enumerate() {
                if chance.one_in(2) {
                    continue;
                }
                let amount = if pool.money { worth.max(0) } else { 1 };
                let fall = falls.filter(|(when, _)| at >= *when).map_or(0, |(_, by)| by);
                let room = (pool.room(at) - fall) * PIECE;
                draws.push(Draw { pool: index, amount: amount * PIECE, room, from: pool.window.start(at) });
            }
            choices.push(Choice { at: day(at), worth, draws });
        }
        items.push(Item { choices });
    }
    Problem { items, pools: pools.len() }
}

/// The worth of the best selection, found by trying every one.
pub(crate) fn by_trying_everything(problem: &Problem) -> i128 {
    fn go(problem: &Problem, item: usize, selection: &mut Selection) -> i128 {
        if item == problem.items.len() {
            return if problem.fits(selection) { problem.worth(selection) } else { i128::MIN };
        }
        let mut best = i128::MIN;
        for way in std::iter::once(None).chain((0..problem.items[item].choices.len()).map(Some)) {
            selection[item] = way;
            best = best.max(go(problem, item + 1, selection));
        }
        selection[item] = None;
        best
    }
    go(problem, 0, &mut vec![None; problem.items.len()])
}

/// As [`Problem::fits`], written from the definition: every draw against everything in its window.
pub(crate) fn fits_by_definition(problem: &Problem, selection: &Selection) -> bool {
    let chosen: Vec<&Choice> = problem.all_chosen(selection).collect();
    chosen.iter().all(|choice| {
        choice.draws.iter().all(|draw| {
            let load: i128 = chosen
                .iter()
                .filter(|other| draw.from <= other.at && other.at <= choice.at)
                .flat_map(|other| &other.draws)
                .filter(|other| other.pool == draw.pool)
                .map(|other| other.amount)
                .sum();
            load <= draw.room
        })
    })
}

/// How a large portfolio's quotas are shaped.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// One money pool of 365 days for all, refunds falling day by day.
    MoneyPool,
    /// Ten returns a calendar year for an account, several accounts.
    YearlyCount,
    /// A quota for each of many products.
    ByProduct,
    /// A money pool, a yearly count, and choices between exits.
    Mixed,
}

/// A large portfolio: `items` resources, each with choices at several moments of the coming year and a half.
pub(crate) fn large(shape: Shape, items: usize, seed: u64) -> Problem {
    let mut chance = Chance::new(seed);
    let year = Window::Calendar(365);
    let money = |limit: i128, chance: &mut Chance| Pool {
        window: Window::Rolling(365),
        limit,
        before: (0..6).map(|_| (-chance.from(1, 364), limit / 8)).collect(),
        money: true,
    };
    let count = |limit: i128, chance: &mut Chance| Pool {
        window: year,
        limit,
        before: (0..chance.from(0, limit)).map(|_| (0, 1)).collect(),
        money: false,
    };
    let pools: Vec<Pool> = match shape {
        Shape::MoneyPool => vec![money(5_000_000, &mut chance)],
        Shape::YearlyCount => (0..20).map(|_| count(10, &mut chance)).collect(),
        Shape::ByProduct => (0..100).map(|_| count(3, &mut chance)).collect(),
        Shape::Mixed => {
            (0..20).map(|pool| if pool < 10 { money(5_000_000, &mut chance) } else { count(10, &mut chance) }).collect()
        }
    };
    let half = i128::try_from(pools.len() / 2).unwrap();
    let most = i128::try_from(pools.len() - 1).unwrap();
    let items = (0..items)
        .map(|_| {
            let full = chance.from(5_000, 900_000);
            let left = chance.from(30, 1_000);
            let account = chance.from(0, most);
            let back = |at: i128| full * (left - at).max(0) / left;
            let draw = |pool: i128, at: i128, amount: i128| {
                let pool = usize::try_from(pool).unwrap();
                let room = pools[pool].room(at) * PIECE;
                Draw { pool, amount: amount * PIECE, room, from: pools[pool].window.start(at) }
            };
            let mut choices = Vec::new();
            for month in 0..18 {
                let at = month * 30;
                let worth = back(at);
                if worth <= 0 {
                    break;
                }
                let draws = match shape {
                    Shape::MoneyPool => vec![draw(0, at, worth)],
                    Shape::YearlyCount | Shape::ByProduct => vec![draw(account, at, 1)],
                    Shape::Mixed => vec![draw(account % half, at, worth), draw(half + account % half, at, 1)],
                };
                if month == 0 || month == 12 || matches!(shape, Shape::MoneyPool | Shape::Mixed) {
                    choices.push(Choice { at: day(at), worth, draws });
                }
                // A second exit that draws on nothing and keeps a fee, where there is one.
                if month == 0 && matches!(shape, Shape::Mixed | Shape::YearlyCount) {
                    choices.push(Choice { at: day(at), worth: worth * chance.from(0, 80) / 100, draws: Vec::new() });
                }
            }
            Item { choices }
        })
        .collect();
    Problem { items, pools: pools.len() }
}
