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
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use recoup_core::context::Run;
use recoup_core::policy::Policy;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Exit, Outcome};
use recoup_engine::{Assessor, Engine};
use recoup_generate::Generator;
use recoup_tests::{cases, dist, linked};

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

fn recoup(args: &[&str]) -> Output {
    Command::new(dist().join("recoup")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Generates a portfolio into a file of a folder.
fn generated(folder: &Path, name: &str, more: &[&str]) -> String {
    let path = folder.join(name).to_string_lossy().into_owned();
    let output = recoup(&[&["generate", "--seed", "9", "--count", "300", "-o", &path][..], more].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    path
}

#[test]
fn the_program_writes_the_same_portfolio_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let accounts = folder.path().join("accounts.json").to_string_lossy().into_owned();
    let mut answers = Vec::new();
    for name in ["a.ndjson", "a.json", "a.csv", "a.parquet"] {
        let path = generated(folder.path(), name, &["--accounts", &accounts]);
        let again = generated(folder.path(), &format!("again.{name}"), &[]);
        assert_eq!(fs::read(&path).unwrap(), fs::read(&again).unwrap(), "{name}: the same seed, other bytes");
        let at = ["--at", "2026-03-05T12:00:00Z", "--accounts", &accounts, "--format", "ndjson"];
        let output = recoup(&[&["assess", &path][..], &at].concat());
        assert!(output.status.success(), "{name}: {}", text(&output.stderr));
        assert!(output.stderr.is_empty(), "{name}: {}", text(&output.stderr));
        answers.push((name, text(&output.stdout)));
    }
    assert_eq!(answers[0].1.lines().count(), 300);
    for (name, answer) in &answers[1..] {
        assert_eq!(*answer, answers[0].1, "{name}");
    }
}

#[test]
fn a_part_of_a_portfolio_is_what_it_is_in_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let whole = fs::read_to_string(generated(folder.path(), "whole.ndjson", &[])).unwrap();
    let part = recoup(&["generate", "--seed", "9", "--skip", "100", "--count", "50"]);
    let expected: Vec<&str> = whole.lines().skip(100).take(50).collect();
    assert_eq!(text(&part.stdout).lines().collect::<Vec<_>>(), expected);
}

#[test]
fn only_the_providers_that_are_named_are_in_it() {
    let engine = Engine::from_adapters(linked());
    let two = &engine.providers()[3..5];
    let output = recoup(&["generate", "--count", "100", "--provider", &two[0], "--provider", &two[1]]);
    let of =
        |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["provider"].as_str().unwrap().to_owned();
    let found: BTreeSet<String> = text(&output.stdout).lines().map(of).collect();
    assert_eq!(found, two.iter().cloned().collect());
    let unknown = recoup(&["generate", "--provider", "nobody"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", text(&unknown.stderr));
    let never = recoup(&["generate", "--at", "yesterday"]);
    assert_eq!(never.status.code(), Some(2), "{}", text(&never.stderr));
}

/// A generator that states no fact of those that the rules ask about would reach only half of them.
#[test]
fn every_fact_of_the_cases_is_among_those_that_are_generated() {
    let engine = Engine::from_adapters(linked());
    let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
    let mut missing = BTreeSet::new();
    for provider in engine.providers() {
        let generated = Generator::new(1, at(), &[engine.policy(&provider).unwrap()]).unwrap().facts();
        for case in cases(&provider) {
            let Ok(read) = ResourceRecord::from_json(case.resource(), &zone_of) else { continue };
            for (flag, _) in read.record.facts.flags.iter() {
                if !generated.contains(flag.as_str()) {
                    missing.insert(format!("{provider}: {flag}"));
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
