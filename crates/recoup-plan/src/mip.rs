//! The mixed-integer program, the only place where floating point is used.
//!
//! Money and draws come in as whole numbers. Out go indices (which choices are taken), prices as whole numbers (any prices give
//! a valid bound), and, where the time is over, what the solver has proved, rounded up. What is taken is added up again,
//! exactly, by whoever asked.
#![expect(clippy::float_arithmetic, reason = "solvers work in floating point; nothing computed here is an amount")]

use std::time::Duration;

// Pure Rust, so that a build needs nothing else. Another solver that the modelling crate knows takes its place here.
use good_lp::solvers::microlp::{MicroLpSolution, microlp as solver};
use good_lp::{
    Expression, ProblemVariables, ResolutionError, Solution, SolverModel, Variable, WithTimeLimit, variable,
};

use crate::rows::Row;

/// A program: take at most one of each group (exactly one where it must), keep to every row, take what is worth
/// most.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    /// What each choice is worth, in minor units.
    pub(crate) worth: Vec<i128>,
    /// Choices that exclude each other, and whether one of them must be taken.
    pub(crate) groups: Vec<(Vec<usize>, bool)>,
    /// What limits them together; terms name choices by their place in `worth`.
    pub(crate) rows: Vec<Row>,
    /// A selection to begin with, by place; empty where none is known.
    pub(crate) hint: Vec<bool>,
}

/// How a search ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Found {
    /// Nothing is worth more than these choices.
    Best(Vec<usize>),
    /// Time was over; the best so far, and what the solver says that nothing exceeds, where it does.
    Some(Vec<usize>, Option<i128>),
    /// Nothing satisfies the program.
    Nothing,
    /// The solver gave up.
    Failed(String),
}

/// A whole number as the solver takes it. Exact up to 2^53 minor units, some ninety million million dollars.
#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "the solver's numbers have 53 bits")]
fn float(whole: i128) -> f64 {
    whole as f64
}

/// A bound as a whole number, a little too high rather than too low.
#[expect(clippy::cast_possible_truncation, clippy::as_conversions, reason = "saturates, and is rounded up before")]
fn above(bound: f64) -> Option<i128> {
    bound.is_finite().then(|| (bound + bound.abs() * 1e-9 + 1e-6).floor() as i128)
}

/// Factors of a row divided by what keeps them near one, so that tolerances mean the same in every row.
fn scaled(row: &Row) -> f64 {
    let largest = row.terms.iter().map(|(_, factor)| *factor).max().unwrap_or(1);
    float(largest.max(1))
}

/// Searches for at most `time`.
pub(crate) fn search(program: &Program, time: Duration) -> Found {
    let mut variables = ProblemVariables::new();
    let places: Vec<Variable> = program
        .worth
        .iter()
        .enumerate()
        .map(|(place, _)| {
            let binary = variable().binary();
            match program.hint.get(place) {
                Some(taken) => variables.add(binary.initial(if *taken { 1.0 } else { 0.0 })),
                None => variables.add(binary),
            }
        })
        .collect();
    let sum = |terms: &mut dyn Iterator<Item = (usize, f64)>| -> Expression {
        terms.filter_map(|(place, factor)| places.get(place).map(|variable| factor * *variable)).sum()
    };
    let objective = sum(&mut program.worth.iter().enumerate().map(|(place, worth)| (place, float(*worth))));
    let mut model = variables.maximise(objective).using(solver).with_time_limit(time.as_secs_f64());
    for (group, must) in &program.groups {
        let taken = sum(&mut group.iter().map(|place| (*place, 1.0)));
        if *must {
            model = model.with(taken.eq(1));
        } else if group.len() > 1 {
            model = model.with(taken.leq(1));
        }
    }
    for row in &program.rows {
        let scale = scaled(row);
        let used = sum(&mut row.terms.iter().map(|(place, factor)| (*place, float(*factor) / scale)));
        model = model.with(used.leq(float(row.room) / scale));
    }
    match model.solve() {
        Ok(solution) => {
            let taken = |variable: &Variable| solution.value(*variable) > 0.5;
            let chosen =
                places.iter().enumerate().filter(|(_, variable)| taken(variable)).map(|(place, _)| place).collect();
            match solution.status() {
                good_lp::solvers::SolutionStatus::Optimal => Found::Best(chosen),
                _ => Found::Some(chosen, bound_of(solution)),
            }
        }
        Err(ResolutionError::Infeasible) => Found::Nothing,
        Err(ResolutionError::Other(_)) => Found::Some(Vec::new(), None),
        Err(error) => Found::Failed(error.to_string()),
    }
}

/// The prices at which the highest of some cuts is lowest, and how low that is, in `fine` parts. A cut is what
/// is brought, and by row the room that is left of it; no price is above its highest.
pub(crate) fn cheapest(cuts: &[(i128, Vec<i128>)], highest: &[i128], fine: i128) -> Option<(Vec<i128>, i128)> {
    let whole = float(cuts.iter().map(|(brought, _)| *brought).max()?.max(1));
    let mut variables = ProblemVariables::new();
    // Prices as shares of the highest, the bound as a share of the most that was brought.
    let shares: Vec<Variable> = highest.iter().map(|_| variables.add(variable().clamp(0, 1))).collect();
    let bound = variables.add(variable().min(0));
    let mut model = variables.minimise(bound).using(solver);
    for (brought, rooms) in cuts {
        let priced: Expression = shares
            .iter()
            .zip(rooms)
            .zip(highest)
            .map(|((share, room), highest)| float(*room) * (float(*highest) / float(fine)) / whole * *share)
            .sum();
        model = model.with((bound - priced).geq(float(*brought) / whole));
    }
    let solution = model.solve().ok()?;
    let prices = shares.iter().zip(highest).map(|(share, highest)| part(solution.value(*share), *highest)).collect();
    let lowest = above(solution.value(bound) * whole * 1024.0)?;
    Some((prices, lowest.saturating_mul(fine / 1024)))
}

/// A share of a whole number.
#[expect(clippy::cast_possible_truncation, clippy::as_conversions, reason = "a share is between nothing and one")]
fn part(share: f64, whole: i128) -> i128 {
    let parts = (share.clamp(0.0, 1.0) * float(1 << 40)) as i128;
    (whole >> 40) * parts + (((whole & ((1 << 40) - 1)) * parts) >> 40)
}

/// What the solver has proved that nothing exceeds.
fn bound_of(solution: MicroLpSolution) -> Option<i128> {
    solution.into_inner().stats().best_bound.and_then(above)
}
