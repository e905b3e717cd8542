//! Every case of every provider through the loaded libraries, by the program itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::process::Command;

use recoup_tests::{dist, root};

fn check(provider: &str) -> (bool, String) {
    let folder = root().join("fixtures").join(provider).join("cases");
    let mut command = Command::new(dist().join("recoup"));
    command.args(["check", "--coverage"]);
    let mut files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let output = command.args(files).output().unwrap();
    (
        output.status.success(),
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr),
    )
}

#[test]
fn all_cases_hold_through_loaded_libraries() {
    let mut failures = Vec::new();
    for entry in std::fs::read_dir(root().join("plugins")).unwrap() {
        let provider = entry.unwrap().file_name().to_string_lossy().into_owned();
        let (passed, said) = check(&provider);
        if !passed {
            failures.push(format!("{provider}\n{said}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_policy_book_is_what_the_adapter_says() {
    // Written by `cargo xtask book`.
    for entry in std::fs::read_dir(root().join("plugins")).unwrap() {
        let provider = entry.unwrap().file_name().to_string_lossy().into_owned();
        let mut command = Command::new(dist().join("recoup"));
        let mut files: Vec<_> = std::fs::read_dir(root().join("fixtures").join(&provider).join("cases"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        let output = command.args(["policy", "book", &provider]).args(files).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let book = std::fs::read(root().join("docs/policies").join(format!("{provider}.md"))).unwrap_or_default();
        assert!(book == output.stdout, "docs/policies/{provider}.md is stale: run `cargo xtask book`");
    }
}
