//! The plan equals the best found by trying everything, and keeps to every quota.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::time::Duration;

use recoup_plan::greedy::largest_first;
use recoup_plan::solve::solve;
use support::{Shape, by_trying_everything, fits_by_definition, large, small};

const MINUTE: Duration = Duration::from_mins(1);

#[test]
fn small_portfolios_equal_the_best_found_by_trying_everything() {
    let (mut searched, mut more) = (0, 0);
    for seed in 0..4000 {
        let problem = small(seed);
        let best = by_trying_everything(&problem);
        let solved = solve(&problem, MINUTE);
        assert!(fits_by_definition(&problem, &solved.selection), "seed {seed}: {solved:?}");
        assert_eq!((solved.worth, solved.bound), (best, best), "seed {seed}: {problem:?}");
        assert_eq!(problem.worth(&solved.selection), best, "seed {seed}");
        searched += usize::from(solved.effort.searched > 0);
        more += usize::from(problem.worth(&largest_first(&problem)) < best);
    }
    // The quotas bite, and prices alone do not settle everything: the solver is really used.
    assert!(searched > 200 && more > 200, "{searched} searched, {more} better than greedy");
}

#[test]
fn two_ways_to_tell_whether_a_selection_fits_agree() {
    for seed in 0..500 {
        let problem = small(seed);
        let mut chance = support::Chance::new(seed + 1);
        for _ in 0..20 {
            let selection = problem
                .items
                .iter()
                .map(|item| {
                    let many = i128::try_from(item.choices.len()).unwrap();
                    usize::try_from(chance.from(-1, many - 1)).ok()
                })
                .collect();
            assert_eq!(problem.fits(&selection), fits_by_definition(&problem, &selection), "seed {seed}");
        }
    }
}

#[test]
fn larger_portfolios_stay_within_their_bound_and_beat_the_largest_first() {
    for shape in [Shape::MoneyPool, Shape::YearlyCount, Shape::ByProduct, Shape::Mixed] {
        let problem = large(shape, 120, 7);
        let solved = solve(&problem, Duration::from_secs(4));
        let greedy = largest_first(&problem);
        assert!(fits_by_definition(&problem, &solved.selection) && fits_by_definition(&problem, &greedy));
        assert_eq!(problem.worth(&solved.selection), solved.worth);
        assert!(problem.worth(&greedy) <= solved.worth && solved.worth <= solved.bound, "{shape:?}: {solved:?}");
        assert!(solved.is_best() || solved.effort.out_of_time, "{shape:?}: {:?}", solved.effort);
    }
}

#[test]
fn out_of_time_gives_the_best_found_with_its_gap() {
    let problem = large(Shape::Mixed, 200, 3);
    let solved = solve(&problem, Duration::ZERO);
    assert!(fits_by_definition(&problem, &solved.selection));
    assert!(problem.worth(&largest_first(&problem)) <= solved.worth && solved.worth <= solved.bound);
    assert!(solved.gap() > 0 && solved.effort.out_of_time, "{:?}", solved.effort);
}
