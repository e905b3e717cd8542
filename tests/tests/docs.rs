//! What the documents quote is what the files say: a fenced block tagged with a path is a part of that file.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;

use std::collections::BTreeSet;

use recoup_core::record::ResourceRecord;
use recoup_core::vocab::Exit;
use recoup_engine::{Assessor, Engine};
use recoup_tests::docs::blocks;
use recoup_tests::{cases, linked, root};

#[test]
fn quotations_are_true() {
    let mut wrong = Vec::new();
    let mut quotations = 0;
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        if !name.ends_with(".md") {
            continue;
        }
        // A tag without a folder names a file that the document itself gives.
        for block in blocks(&name).iter().filter(|block| block.tag.contains('/')) {
            quotations += 1;
            match fs::read_to_string(root().join(&block.tag)) {
                Ok(file) if format!("\n{file}").contains(&format!("\n{}", block.text)) => {}
                Ok(_) => wrong.push(format!("docs/{name}:{}: {} says something else", block.line, block.tag)),
                Err(error) => wrong.push(format!("docs/{name}:{}: {}: {error}", block.line, block.tag)),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(quotations > 8, "only {quotations} quotations were found");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    for (folder, name) in [("docs", "overlays.md"), ("docs", "adding-a-provider.md"), (".", "ARCHITECTURE.md")] {
        let text = fs::read_to_string(root().join(folder).join(name)).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            if !path.contains(':') && !path.is_empty() && !root().join(folder).join(path).exists() {
                wrong.push(format!("{name}: {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The exits that an adapter rules on in any of its cases, in the order of the formats; `none` is no exit.
fn exits_of(provider: &str) -> Vec<&'static str> {
    let engine = Engine::from_adapters(linked().into_iter().filter(|one| one.provider() == provider).collect());
    let zone_of = |_: &str, site: Option<&str>| engine.zone_of(provider, site);
    let mut found = BTreeSet::new();
    for case in cases(provider) {
        let Ok(read) = ResourceRecord::from_json(case.resource(), &zone_of) else { continue };
        let run = case.run(&zone_of).unwrap();
        for answer in Assessor::new(&engine, run).assess(vec![read.record]).into_iter().flatten() {
            found.extend(answer.assessment.rulings().iter().map(|ruling| ruling.exit.as_str()));
        }
    }
    Exit::ALL.iter().map(|exit| exit.as_str()).filter(|exit| *exit != "none" && found.contains(exit)).collect()
}

/// The table of the README says of every provider which exits there are, and links its policy book.
#[test]
fn the_readme_says_which_exits_each_provider_has() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let listed: Vec<&str> = text.lines().filter(|line| line.contains("[book](docs/policies/")).collect();
    let expected: Vec<String> = linked()
        .iter()
        .map(|adapter| {
            let (provider, title) = (adapter.provider(), &adapter.policy().title);
            let exits = exits_of(provider);
            let exits = if exits.is_empty() { "none: says why, and what remains".to_owned() } else { exits.join(", ") };
            format!("| {title} (`{provider}`) | {exits} | [book](docs/policies/{provider}.md) |")
        })
        .collect();
    assert_eq!(listed, expected);
    for adapter in linked() {
        assert!(root().join("docs/policies").join(format!("{}.md", adapter.provider())).is_file());
    }
}
