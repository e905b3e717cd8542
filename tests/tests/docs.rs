//! What the documents quote is what the files say: a fenced block tagged with a path is a part of that file.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;

use recoup_tests::docs::blocks;
use recoup_tests::root;

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
