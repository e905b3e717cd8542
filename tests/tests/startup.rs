//! Only the libraries that an input needs are opened: what a host must know of the others stands in the
//! manifests beside them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use recoup_core::import::{ImportFile, may_hold};
use recoup_plugin::host::PluginDir;
use recoup_plugin::messages::FileText;
use recoup_tests::{dist, linked, root, with_adapters};

fn recoup(args: &[&str]) -> Output {
    Command::new(dist().join("recoup")).current_dir(root().join("fixtures")).args(args).output().unwrap()
}

/// The libraries that a run says it opened.
fn opened(args: &[&str]) -> Vec<String> {
    let output = recoup(&[&["--verbose"], args].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = said.lines().rfind(|line| line.starts_with("libraries opened: ")).unwrap_or_else(|| panic!("{said}"));
    let names = line.rsplit(": ").next().unwrap();
    if names == "none" { Vec::new() } else { names.split(", ").map(str::to_owned).collect() }
}

#[test]
fn one_record_opens_one_library() {
    let folder = tempfile::tempdir().unwrap();
    for adapter in linked() {
        let provider = adapter.provider();
        let path = folder.path().join(format!("{provider}.ndjson"));
        let record = format!(
            "{{\"provider\":\"{provider}\",\"id\":\"a\",\"product\":\"x\",\"billing\":\"subscription\",\"status\":\"active\"}}\n"
        );
        fs::write(&path, record).unwrap();
        assert_eq!(opened(&["assess", path.to_str().unwrap(), "--at", "2026-05-17"]), [provider]);
    }
}

#[test]
fn a_focus_file_opens_the_libraries_of_the_providers_in_it() {
    let sample = ["assess", "focus/focus-1.0-sample.csv", "--at", "2025-03-01"];
    // Two more providers have rows of use in it, out of which nothing is read.
    assert_eq!(opened(&sample), ["aws"]);
    let made = ["assess", "focus/focus-1.2-purchases.csv", "focus/focus-1.3-purchases.csv", "--at", "2025-03-01"];
    assert_eq!(opened(&made), ["aws", "azure", "oracle"]);
}

#[test]
fn what_an_api_printed_opens_the_libraries_whose_marks_it_bears() {
    assert_eq!(opened(&["assess", "aws/payloads/savings-plans.json", "--at", "2026-05-08"]), ["aws"]);
    assert_eq!(opened(&["assess", "azure/payloads/calculate_refund.json", "--at", "2026-05-08"]), ["azure"]);
    let none = ["assess", "exports/reports_cost-csv.csv", "--at", "2026-05-08"];
    assert_eq!(opened(&none), Vec::<String>::new());
}

#[test]
fn listing_adapters_and_asking_for_help_needs_no_manifest_of_names() {
    let plugins = PluginDir::open(&dist().join("plugins")).unwrap();
    assert_eq!(plugins.providers().len(), linked().len());
    assert_eq!(plugins.opened(), Vec::<&str>::new());
    plugins.adapter("hetzner").unwrap();
    assert_eq!(plugins.opened(), ["hetzner"]);
}

#[test]
fn manifests_say_what_the_policies_say() {
    let plugins = PluginDir::open(&dist().join("plugins")).unwrap();
    for adapter in linked() {
        let (policy, manifest) = (adapter.policy(), plugins.manifest(adapter.provider()).unwrap());
        let names: Vec<&String> = std::iter::once(&policy.title).chain(&policy.aliases).collect();
        assert_eq!(manifest.names.iter().collect::<Vec<_>>(), names, "{}", adapter.provider());
        assert_eq!(manifest.marks, policy.marks, "{}", adapter.provider());
        assert!(manifest.marks.is_some(), "{}: would be opened for every file", adapter.provider());
    }
}

/// Every file under a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

macro_rules! recognisers {
    ($($provider:ty),+ $(,)?) => {
        [$((<$provider as recoup_core::adapter::Provider>::recognises as fn(&ImportFile<'_>) -> bool, stringify!($provider))),+]
    };
}

/// A mark that is missing would lose a payload: what the adapter's own reader takes for its own bears one.
#[test]
fn every_payload_bears_a_mark_of_its_provider() {
    let recognisers = with_adapters!(recognisers);
    let mut found = Vec::new();
    for provider in fs::read_dir(root().join("fixtures")).unwrap() {
        let payloads = provider.unwrap().path().join("payloads");
        if payloads.is_dir() {
            files(&payloads, &mut found);
        }
    }
    assert!(found.len() > 80, "{}", found.len());
    let mut claimed = 0;
    for path in found {
        let file = FileText::new(path.to_string_lossy(), fs::read_to_string(&path).unwrap());
        for ((recognises, name), adapter) in recognisers.iter().zip(linked()) {
            if recognises(&file.view()) {
                claimed += 1;
                assert!(may_hold(adapter.policy().marks.as_deref(), &file.text), "{name}: {}", path.display());
            }
        }
    }
    assert!(claimed > 70, "{claimed}");
}
