//! `cargo xtask new-provider` begins an adapter that builds, passes and loads, and touches nothing else.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use recoup_tests::{dist, root};

/// Where cargo puts what it builds; shared with the workspace, whose crates are then built already.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

/// Every file of a folder by its path, with its content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{said}");
    said
}

fn cargo(folder: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", target())
        .env("CARGO_NET_OFFLINE", "true")
        .env("CARGO_TERM_COLOR", "never");
    command
}

/// A workspace like this one, with the same versions and profiles, whose crates are this one's, and no adapter yet. Its place
/// is always the same, so that what is built for it is built once.
fn workspace() -> PathBuf {
    let folder = target().join("new-provider-test");
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(folder.join("plugins")).unwrap();
    let here = root().canonicalize().unwrap();
    let manifest = fs::read_to_string(here.join("Cargo.toml")).unwrap();
    let members = manifest.lines().find(|line| line.starts_with("members = ")).unwrap();
    let (before, rest) = manifest.split_once("default-members = [").unwrap();
    let (_, after) = rest.split_once("]\n").unwrap();
    let manifest = format!("{before}{after}")
        .replace(members, "members = [\"plugins/*\"]")
        .replace("path = \"crates/", &format!("path = \"{}/crates/", here.display()))
        .replace("path = \"plugins/", &format!("path = \"{}/plugins/", here.display()));
    fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    for name in ["Cargo.lock", "clippy.toml", "rustfmt.toml", "ARCHITECTURE.md"] {
        fs::copy(here.join(name), folder.join(name)).unwrap();
    }
    folder
}

#[test]
fn a_new_provider_builds_passes_loads_and_touches_nothing_else() {
    let folder = workspace();
    let before = files(&folder);
    let begin = |name: &str| {
        let mut command = cargo(&root());
        command.args(["run", "--quiet", "--package", "xtask", "--", "new-provider", name, "--root"]).arg(&folder);
        command
    };
    run(&mut begin("test-cloud"));

    let after = files(&folder);
    let own = [folder.join("plugins/test-cloud"), folder.join("fixtures/test-cloud")];
    let is_own = |path: &Path| own.iter().any(|own| path.starts_with(own));
    let others: BTreeMap<_, _> =
        after.iter().filter(|(path, _)| !is_own(path)).map(|(path, text)| (path.clone(), text.clone())).collect();
    assert!(others == before, "it touches more than its own folder and its fixtures");
    assert!(own.iter().all(|own| own.is_dir()));

    // A second time it is refused, and so is a name that no folder should have.
    for (name, said) in
        [("test-cloud", "is there already"), ("Test", "lower-case letters"), ("../test", "lower-case letters")]
    {
        let output = begin(name).output().unwrap();
        assert!(
            !output.status.success() && String::from_utf8_lossy(&output.stderr).contains(said),
            "{name}: {output:?}"
        );
    }
    assert!(files(&folder) == after, "what was refused wrote something");

    let tested = run(cargo(&folder).args(["test", "--package", "recoup-test-cloud"]));
    for test in ["every_case_holds", "every_clause_is_covered", "the_laws_hold"] {
        assert!(tested.contains(&format!("test {test} ... ok")), "{tested}");
    }
    run(cargo(&folder).args(["build", "--package", "recoup-test-cloud"]));

    let plugins = folder.join("loaded");
    fs::create_dir_all(&plugins).unwrap();
    let library = format!("{}recoup_test_cloud{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    fs::copy(target().join("debug").join(&library), plugins.join(&library)).unwrap();
    let recoup = |args: &[&str]| {
        run(Command::new(dist().join("recoup")).current_dir(&folder).env("RECOUP_PLUGINS", &plugins).args(args))
    };
    let library = plugins.join(&library).to_string_lossy().into_owned();
    recoup(&["plugin", "seal", &library]);
    let checked = recoup(&["plugin", "check", &library]);
    assert!(checked.contains("ok   boundary"), "{checked}");
    assert!(recoup(&["plugin", "list"]).contains("test-cloud"));
    let cases = recoup(&["check", "--coverage", "fixtures/test-cloud/cases/own.json"]);
    assert!(cases.contains("3 passed, 0 failed"), "{cases}");
}
