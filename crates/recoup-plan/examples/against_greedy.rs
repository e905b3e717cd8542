//! How much more a plan brings than giving back the largest refund first, and how long it takes to find:
//! `cargo run --release -p recoup-plan --example against_greedy [ITEMS]`.
#![allow(clippy::print_stdout, reason = "an example prints")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use recoup_plan::greedy::largest_first;
use recoup_plan::solve::solve;
use support::{Shape, large};

fn main() {
    let items: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(2_000);
    println!("| quotas | resources | choices | largest first | plan | more | gap | searched | parts | seconds |");
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for shape in [Shape::MoneyPool, Shape::YearlyCount, Shape::ByProduct, Shape::Mixed] {
        let problem = large(shape, items, 1);
        let greedy = problem.worth(&largest_first(&problem));
        let began = Instant::now();
        let solved = solve(&problem, Duration::from_mins(1));
        let seconds = began.elapsed().as_millis();
        let more = (solved.worth - greedy) * 10_000 / greedy.max(1);
        let gap = solved.gap() * 1_000_000 / solved.worth.max(1);
        println!(
            "| {shape:?} | {items} | {} | {} | {} | {}.{:02} % | {}.{:04} % | {} | {} | {}.{:03} |",
            solved.effort.choices,
            greedy / 100,
            solved.worth / 100,
            more / 100,
            more % 100,
            gap / 10_000,
            gap % 10_000,
            solved.effort.searched,
            solved.effort.parts,
            seconds / 1000,
            seconds % 1000,
        );
    }
}
