//! What several clouds' APIs printed and a file of FOCUS, in one command line: one table, totals by currency.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::{Command, Output};

use recoup_core::money::Amount;
use recoup_tests::{dist, root};
use serde_json::Value;

/// The arguments that `cargo xtask demo` gives, one a line.
fn arguments() -> Vec<String> {
    let text = fs::read_to_string(root().join("fixtures/demo/arguments.txt")).unwrap();
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

fn assess(format: &str) -> Output {
    let mut arguments = arguments();
    let place = arguments.iter().position(|argument| argument == "--format").unwrap();
    arguments[place + 1] = format.to_owned();
    let fixtures = root().join("fixtures");
    Command::new(dist().join("recoup"))
        .current_dir(fixtures)
        .arg("assess")
        .args(arguments)
        .env("COLUMNS", "140")
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn six_clouds_and_a_focus_file_are_one_table() {
    let said = assess("table");
    assert_eq!(said.status.code(), Some(0), "{}", String::from_utf8_lossy(&said.stderr));
    let answers: Vec<Value> = out(&assess("ndjson")).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let providers: BTreeSet<&str> = answers.iter().map(|answer| answer["provider"].as_str().unwrap()).collect();
    assert_eq!(providers.into_iter().collect::<Vec<_>>(), ["alibaba", "aws", "azure", "gcp", "huawei", "ibm"]);
    let said_beside = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(said_beside.contains("focus/focus-1.0-sample.csv: FOCUS rows: 1000; used: "), "{said_beside}");
    let table = out(&said);
    assert!(table.contains(&format!("{} resources: ", answers.len())), "{table}");

    // The totals are the sums of what the answers say, by outcome and currency.
    let mut sums: BTreeMap<(String, String), Amount> = BTreeMap::new();
    for answer in answers.iter().filter(|answer| answer["outcome"] != "refused") {
        let refund = &answer["exits"][0]["refund"];
        if let Some(amount) = refund["refund"].as_str() {
            let key = (answer["outcome"].as_str().unwrap().to_owned(), refund["currency"].as_str().unwrap().to_owned());
            *sums.entry(key).or_default() += amount.parse().unwrap();
        }
    }
    assert!(sums.keys().map(|(_, currency)| currency).collect::<BTreeSet<_>>().len() > 1, "{sums:?}");
    for ((outcome, currency), sum) in sums {
        let row = table.lines().find(|line| {
            let mut words = line.split_whitespace();
            words.next() == Some(&outcome) && words.next() == Some(&currency)
        });
        let row = row.unwrap_or_else(|| panic!("no total for {outcome} {currency}: {table}"));
        assert_eq!(row.split_whitespace().nth(3), Some(sum.to_string().as_str()), "{row}");
    }
}

/// What the README shows of it is what the program prints.
#[test]
fn the_readme_shows_these_totals() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let block = readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let table = out(&assess("table"));
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let printed: BTreeSet<Vec<String>> = table.lines().map(words).collect();
    let totals = block.split("...\n").nth(1).unwrap();
    assert!(totals.lines().count() > 4, "{totals}");
    for line in totals.lines().filter(|line| !line.trim().is_empty()) {
        assert!(printed.contains(&words(line)), "the program does not print: {line}\n{table}");
    }
}
