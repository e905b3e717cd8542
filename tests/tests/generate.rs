//! Generated portfolios: the same for a seed, and so mixed that every exit of every adapter is met open and
//! closed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and shows what it counted"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use recoup_core::context::Run;
use recoup_core::policy::Policy;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Exit, Outcome};
use recoup_engine::{Assessor, Engine};
use recoup_generate::Generator;
use recoup_tests::{cases, linked};

fn at() -> Instant {
    Instant::parse("2026-03-05T12:00:00Z", Zone::UTC).unwrap()
}

fn policies(engine: &Engine) -> Vec<Arc<Policy>> {
    engine.providers().iter().map(|provider| engine.policy(provider).unwrap()).collect()
}

/// How often an exit was ruled open, conditional and closed.
type Counts = BTreeMap<(String, Exit), [u32; 3]>;

fn count(engine: &Engine, generator: &Generator, at: Instant, numbers: std::ops::Range<u64>, counts: &mut Counts) {
    let run = Run::at(at).with_accounts(generator.accounts());
    let assessor = Assessor::new(engine, run);
    let resources: Vec<ResourceRecord> = numbers.map(|number| generator.resource(number)).collect();
    for answer in assessor.assess(resources) {
        let answered = answer.unwrap();
        for ruling in answered.assessment.rulings() {
            let counts = counts.entry((answered.subject.provider.clone(), ruling.exit)).or_default();
            counts[ruling.outcome() as usize] += 1;
        }
    }
}

/// The outcomes that the rules give on each exit for the cases of a provider: what they can say.
fn shown(engine: &Engine, provider: &str) -> BTreeSet<(Exit, Outcome)> {
    let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
    let mut shown = BTreeSet::new();
    for case in cases(provider) {
        let Ok(read) = ResourceRecord::from_json(case.resource(), &zone_of) else { continue };
        for answer in Assessor::new(engine, case.run(&zone_of).unwrap()).assess(vec![read.record]).into_iter().flatten()
        {
            shown.extend(answer.assessment.rulings().iter().map(|ruling| (ruling.exit, ruling.outcome())));
        }
    }
    shown
}

/// Exits that rules open only on conditions that few days or few things meet get more than one look: the
/// instants are those of different editions.
const INSTANTS: &[&str] = &[
    "2026-03-05T12:00:00Z",
    "2023-06-30T15:59:59Z",
    "2024-02-29T12:00:00Z",
    "2026-12-31T16:30:00Z",
    "2019-01-31T10:00:00Z",
    "2019-12-31T08:00:00Z",
];

#[test]
fn every_exit_of_every_adapter_is_met_as_its_rules_can_answer() {
    let engine = Engine::from_adapters(linked());
    let mut counts = Counts::new();
    let mut missing = Vec::new();
    for provider in engine.providers() {
        let policy = [engine.policy(&provider).unwrap()];
        for (seed, text) in (0..).zip(INSTANTS) {
            let at = Instant::parse(text, Zone::UTC).unwrap();
            let generator = Generator::new(seed, at, &policy).unwrap();
            count(&engine, &generator, at, 0..1_500, &mut counts);
        }
        for (exit, outcome) in shown(&engine, &provider) {
            let met = counts.get(&(provider.clone(), exit)).is_some_and(|counts| counts[outcome as usize] > 0);
            if !met {
                missing.push(format!("{provider}: {exit} {outcome}"));
            }
        }
    }
    println!("{:<20}{:<20}{:>10}{:>13}{:>10}", "provider", "exit", "allowed", "conditional", "refused");
    for ((provider, exit), [allowed, conditional, refused]) in &counts {
        println!("{provider:<20}{exit:<20}{allowed:>10}{conditional:>13}{refused:>10}");
    }
    assert!(missing.is_empty(), "never met:\n{}", missing.join("\n"));
}

#[test]
fn a_resource_depends_on_its_seed_and_number_alone() {
    let engine = Engine::from_adapters(linked());
    let policies = policies(&engine);
    let generator = Generator::new(5, at(), &policies).unwrap();
    let reversed: Vec<Arc<Policy>> = policies.iter().rev().cloned().collect();
    let again = Generator::new(5, at(), &reversed).unwrap();
    let all: Vec<ResourceRecord> = generator.resources(500).collect();
    for number in (0..500).rev() {
        assert_eq!(again.resource(number), all[number as usize]);
    }
    assert_eq!(generator.accounts(), again.accounts());
    let ids: BTreeSet<&str> = all.iter().map(|resource| resource.id.as_str()).collect();
    assert_eq!(ids.len(), all.len(), "an id is there twice");
    let other = Generator::new(6, at(), &policies).unwrap();
    assert!((0..500).any(|number| other.resource(number) != all[number as usize]));
}
