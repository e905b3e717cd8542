//! The invariants of ARCHITECTURE.md that a machine can check: mostly what is deliberately absent.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use recoup_tests::root;

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                found.extend(files(&path, extension));
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn folders(of: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(root().join(of))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The words of a line of code, comments included.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// Every line of some sources for which `wrong` holds.
fn lines(sources: impl IntoIterator<Item = PathBuf>, wrong: impl Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for path in sources {
        let text = fs::read_to_string(&path).unwrap();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| wrong(line)) {
            found.push(format!(
                "{}:{}: {}",
                path.strip_prefix(root()).unwrap_or(&path).display(),
                index + 1,
                line.trim()
            ));
        }
    }
    found
}

fn sources_of_core_and_adapters() -> Vec<PathBuf> {
    let mut sources = files(&root().join("crates/recoup-core/src"), "rs");
    for plugin in folders("plugins") {
        sources.extend(files(&plugin.join("src"), "rs"));
    }
    sources
}

#[test]
fn dependencies_point_down() {
    let allowed: BTreeMap<&str, &[&str]> = [
        ("recoup-core", &[] as &[&str]),
        ("recoup-policy", &["recoup-core"]),
        ("recoup-conformance", &["recoup-core"]),
        ("recoup-report", &["recoup-core", "recoup-timeline"]),
        ("recoup-plugin", &["recoup-core"]),
        ("recoup-portfolio", &["recoup-core"]),
        ("recoup-timeline", &["recoup-core"]),
        ("recoup-engine", &["recoup-core", "recoup-plugin", "recoup-portfolio", "recoup-timeline"]),
        ("recoup-tables", &["recoup-core", "recoup-engine", "recoup-plugin", "recoup-portfolio"]),
        (
            "recoup-python",
            &["recoup-core", "recoup-engine", "recoup-plugin", "recoup-portfolio", "recoup-report", "recoup-tables"],
        ),
        ("recoup-datafusion", &["recoup-core", "recoup-engine", "recoup-plugin", "recoup-portfolio", "recoup-tables"]),
        ("recoup-cases", &["recoup-core"]),
        ("recoup-generate", &["recoup-core"]),
        ("recoup-plan", &["recoup-core", "recoup-engine", "recoup-report", "recoup-timeline"]),
        (
            "recoup",
            &[
                "recoup-cases",
                "recoup-plan",
                "recoup-core",
                "recoup-engine",
                "recoup-generate",
                "recoup-plugin",
                "recoup-portfolio",
                "recoup-report",
                "recoup-timeline",
            ],
        ),
    ]
    .into();
    let mut wrong = Vec::new();
    for folder in folders("crates").into_iter().chain(folders("plugins")) {
        let manifest: toml::Table = fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap();
        let package = manifest["package"]["name"].as_str().unwrap().to_owned();
        let is_adapter = folder.parent().is_some_and(|parent| name(parent) == "plugins");
        let may: &[&str] = if is_adapter {
            &["recoup-core", "recoup-plugin"]
        } else {
            allowed.get(package.as_str()).copied().unwrap_or(&[])
        };
        let needs =
            manifest.get("dependencies").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
        for needed in needs.filter(|needed| needed.starts_with("recoup")) {
            if !may.contains(&needed.as_str()) {
                wrong.push(format!("{package} depends on {needed}"));
            }
        }
        if is_adapter {
            let others =
                manifest.get("dependencies").and_then(toml::Value::as_table).into_iter().flat_map(toml::Table::keys);
            wrong.extend(
                others
                    .filter(|needed| ["tokio", "libloading", "reqwest", "chrono"].contains(&needed.as_str()))
                    .map(|needed| format!("{package} depends on {needed}")),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_crate_outside_plugins_knows_a_providers_name() {
    let providers: Vec<String> = folders("plugins").iter().map(|folder| name(folder)).collect();
    // A name that is also a plain word of this trade cannot be looked for.
    let names: Vec<String> =
        providers.iter().filter(|name| *name != "oracle").map(|name| name.replace('-', "_")).collect();
    let sources = files(&root().join("crates"), "rs").into_iter().chain(files(&root().join("xtask"), "rs"));
    let found = lines(sources, |line| {
        let line = line.to_lowercase().replace("microsoft-partner", "microsoft_partner").replace("recoup_", " ");
        words(&line).any(|word| names.iter().any(|name| name == word))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_floating_point_in_core_or_adapters() {
    let found = lines(sources_of_core_and_adapters(), |line| words(line).any(|word| word == "f32" || word == "f64"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn unsafe_only_in_the_boundary_crate() {
    let mut sources: Vec<PathBuf> = Vec::new();
    for folder in folders("crates").into_iter().filter(|folder| name(folder) != "recoup-plugin") {
        sources.extend(files(&folder, "rs"));
    }
    for folder in folders("plugins") {
        sources.extend(files(&folder, "rs"));
    }
    sources.extend(files(&root().join("xtask"), "rs"));
    let found = lines(sources, |line| {
        let code = line.split("//").next().unwrap_or_default();
        ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe trait", "[unsafe("]
            .iter()
            .any(|form| code.contains(form))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_unsafe_block_of_the_boundary_has_its_reason() {
    let mut missing = Vec::new();
    for path in files(&root().join("crates/recoup-plugin/src"), "rs") {
        let text = fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let is_block = code.contains("unsafe {") || code.contains("unsafe impl");
            let before = lines[index.saturating_sub(4)..index].iter().any(|line| line.contains("SAFETY"));
            if is_block && !before && !line.contains("SAFETY") {
                missing.push(format!("{}:{}: {}", name(&path), index + 1, line.trim()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn no_clock_and_no_io_in_core_or_adapters() {
    let forbidden = [
        "SystemTime",
        "Instant::now",
        "Utc::now",
        "Local::now",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::io",
        "std::thread",
        "println!",
        "eprintln!",
        "tokio",
        "async fn",
    ];
    let found = lines(sources_of_core_and_adapters(), |line| {
        let code = line.split("//").next().unwrap_or_default();
        forbidden.iter().any(|word| code.contains(word))
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_copy_of_this_machine_in_the_tree() {
    let mut sources = Vec::new();
    for extension in ["rs", "toml", "md", "json"] {
        for folder in ["crates", "plugins", "tests", "xtask", "docs", "fixtures"] {
            sources.extend(files(&root().join(folder), extension));
        }
    }
    let shared = ["..", "shared"].join("/");
    let found = lines(sources, |line| line.contains(&shared));
    assert!(found.is_empty(), "{}", found.join("\n"));
}
