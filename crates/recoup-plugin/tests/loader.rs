//! Loading real libraries: an adapter written in C, and every way in which a library can be wrong.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use recoup_core::context::Run;
use recoup_core::record::ResourceRecord;
use recoup_core::time::Instant;
use recoup_core::vocab;
use recoup_core::vocab::{Billing, Exit, Outcome, Reason, Status};
use recoup_plugin::batch;
use recoup_plugin::host::{LoadError, Manifest, PluginDir, library_name, load};
use recoup_plugin::session::check_answers;

/// Compiles the adapter in C, with faults if any are defined.
fn compile(folder: &Path, name: &str, defines: &[&str]) -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let library = folder.join(library_name(name));
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let status = Command::new(&compiler)
        .args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-I"])
        .arg(here.join("include"))
        .args(defines.iter().map(|define| format!("-D{define}")))
        .arg(here.join("tests/c/adapter.c"))
        .arg("-o")
        .arg(&library)
        .status()
        .unwrap_or_else(|error| panic!("{compiler}: {error}; this test needs a C compiler, name one with CC"));
    assert!(status.success());
    library
}

fn manifest(library: &Path) -> Manifest {
    Manifest::for_library("c-example", library, "1").unwrap()
}

fn resources() -> Vec<ResourceRecord> {
    let resource = |id: &str, status| ResourceRecord::new("c-example", id, "thing", Billing::Subscription, status);
    vec![resource("a", Status::Active), resource("b", Status::Expired), resource("c", Status::Active)]
}

/// Loads a library that misbehaves, has it assess, and gives what the host says of it.
fn fault(defines: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let library = compile(folder.path(), "faulty", defines);
    let adapter = match load(&library, &manifest(&library)) {
        Ok(adapter) => adapter,
        Err(error) => return error.to_string().replace(&*library.to_string_lossy(), "LIBRARY"),
    };
    let resources = resources();
    let session = adapter.open(&Run::at(Instant::from_micros(0)), None).unwrap();
    let answers = match session.assess(batch::resources(&resources, None).unwrap()) {
        Ok(answers) => answers,
        Err(error) => return error.to_string(),
    };
    let checked = check_answers("c-example", resources.len(), session.clauses(), &answers);
    checked.map(|_| "nothing wrong".to_owned()).unwrap_or_else(|error| error.to_string())
}

#[test]
fn an_adapter_written_in_c_assesses() {
    let folder = tempfile::tempdir().unwrap();
    let library = compile(folder.path(), "c_example", &[]);
    manifest(&library).write(folder.path()).unwrap();
    let plugins = PluginDir::open(folder.path()).unwrap();
    assert_eq!(plugins.providers(), ["c-example"]);
    let adapter = plugins.adapter("c-example").unwrap();
    assert_eq!(adapter.policy().clauses[0].id, "c.expired");
    let session = adapter.open(&Run::at(Instant::from_micros(0)), None).unwrap();
    let resources = resources();
    let answers = session.assess(batch::resources(&resources, None).unwrap()).unwrap();
    let answers = check_answers("c-example", 3, 1, &answers).unwrap();
    let outcomes: Vec<(Outcome, Option<Exit>)> = (0..3)
        .map(|row| answers.get(row).unwrap().unwrap().assessment)
        .map(|assessment| (assessment.outcome(), assessment.best()))
        .collect();
    let allowed = (Outcome::Allowed, Some(Exit::InUse));
    assert_eq!(outcomes, [allowed, (Outcome::Refused, Some(Exit::InUse)), allowed]);
    assert!(answers.get(1).unwrap().unwrap().assessment.rulings()[0].refused_for(Reason::Expired));
    let nothing = session.assess(batch::resources(&[], None).unwrap()).unwrap();
    assert!(check_answers("c-example", 0, 1, &nothing).unwrap().is_empty());
}

#[test]
fn every_malformed_batch_is_a_clear_error() {
    let boundary = "the adapter c-example does not keep to the boundary: ";
    for (number, expected) in [
        (1, "the column \"outcome\" has the type UInt32, expected UInt8"),
        (2, "it was asked about 3 resources and answered about 2"),
        (3, "offset"),
        (4, "claims 1152921504606846976 rows"),
        (5, "the column \"rulings[].refusals[].reason\", row 0: 250 is not a known code"),
        (6, "names clause 7, but the policy has 1"),
        (7, "it gave no array"),
        (8, "assessments.best"),
        (9, "assessments.outcome has 1 buffers, expected 2"),
        (10, "the column \"rulings[].steps\" is missing"),
        (11, "has the format \"u\", expected a struct"),
    ] {
        let said = fault(&[&format!("FAULT={number}")]);
        assert!(
            said.starts_with(boundary) && said.to_lowercase().contains(expected.to_lowercase().as_str()),
            "fault {number}: {said}"
        );
    }
}

#[test]
fn every_library_that_is_no_adapter_is_a_clear_error() {
    for (define, expected) in [
        ("MAJOR=0", "LIBRARY: speaks protocol 0.0, this host understands 1.0 to 1.0; rebuild the adapter"),
        ("MAJOR=2", "LIBRARY: speaks protocol 2.0, this host understands 1.0 to 1.0; update recoup"),
        ("MINOR=9", "LIBRARY: speaks protocol 1.9, this host understands 1.0 to 1.0; update recoup"),
        ("SIZE=24", "LIBRARY: its table is malformed: it is smaller than its version demands"),
        (
            "SYMBOL=other",
            "LIBRARY: does not export \"recoup_adapter_c_example\", so it is no adapter for \"c-example\"",
        ),
        ("FAULT=12", "LIBRARY: its policy cannot be used: EOF while parsing a value at line 1 column 12"),
        ("FAULT=13", "LIBRARY: its table is malformed: a function that every adapter has is missing"),
    ] {
        assert_eq!(fault(&[define]), expected, "{define}");
    }
}

#[test]
fn a_file_that_is_no_library_or_not_whole_is_never_opened() {
    let folder = tempfile::tempdir().unwrap();
    let library = compile(folder.path(), "c_example", &[]);
    let whole = fs::read(&library).unwrap();
    let say = |bytes: &[u8]| {
        fs::write(&library, bytes).unwrap();
        load(&library, &manifest(&library)).err().map(|error| error.to_string()).unwrap_or_default()
    };
    for cut in [0, 1, 16, 63, 64, 200, whole.len() / 2] {
        assert!(
            say(&whole[..cut]).contains("not a whole library of this platform"),
            "cut at {cut}: {}",
            say(&whole[..cut])
        );
    }
    assert!(say(b"#!/bin/sh\nexit 0\n").contains("not a whole library of this platform"));
    // The machine of an ELF file stands at byte 18.
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        let mut foreign = whole.clone();
        (foreign[18], foreign[19]) = (0xB7, 0);
        assert!(say(&foreign).ends_with("it is for aarch64, this host is x86_64"), "{}", say(&foreign));
    }
    fs::write(&library, &whole).unwrap();
    let true_manifest = manifest(&library);
    let mut changed = whole;
    let last = changed.len() - 1;
    changed[last] ^= 1;
    fs::write(&library, &changed).unwrap();
    let said = load(&library, &true_manifest).err().unwrap();
    assert!(matches!(said, LoadError::Checksum { .. }), "{said}");
    let other = Manifest { platform: "plan9-mips".into(), ..true_manifest };
    assert!(matches!(load(&library, &other).err().unwrap(), LoadError::Platform { .. }));
    fs::remove_file(&library).unwrap();
    assert!(matches!(
        load(&library, &Manifest { platform: recoup_plugin::host::platform(), ..other }).err().unwrap(),
        LoadError::Read { .. }
    ));
}

#[test]
fn two_libraries_that_claim_one_provider_are_both_refused() {
    let folder = tempfile::tempdir().unwrap();
    let library = compile(folder.path(), "c_example", &[]);
    let manifest = manifest(&library);
    manifest.write(folder.path()).unwrap();
    let text = serde_json::to_string(&manifest).unwrap();
    fs::write(folder.path().join("other.adapter.json"), text).unwrap();
    let plugins = PluginDir::open(folder.path()).unwrap();
    assert!(plugins.providers().is_empty());
    let said = plugins.adapter("c-example").err().unwrap();
    assert!(matches!(&said, LoadError::Twice { provider, .. } if provider == "c-example"), "{said}");
}

#[test]
fn a_manifest_names_a_file_beside_it_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    for (text, expected) in [
        ("{", "not a manifest"),
        (r#"{"provider":"x"}"#, "missing field `library`"),
        (
            r#"{"provider":"x","library":"../x.so","abi_major":1,"abi_minor":0,"platform":"p","sha256":""}"#,
            "is not a file name in the same folder",
        ),
        (
            r#"{"provider":"x","library":"/x.so","abi_major":1,"abi_minor":0,"platform":"p","sha256":""}"#,
            "is not a file name in the same folder",
        ),
    ] {
        fs::write(folder.path().join("x.adapter.json"), text).unwrap();
        let plugins = PluginDir::open(folder.path()).unwrap();
        let said = plugins.problems()[0].to_string();
        assert!(said.contains(expected), "{said}");
        assert!(matches!(plugins.adapter("x").err().unwrap(), LoadError::NoAdapter { .. }));
    }
    assert!(matches!(PluginDir::open(&folder.path().join("none")).unwrap_err(), LoadError::Folder { .. }));
}

#[test]
fn the_header_has_every_code() {
    let header = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("include/recoup_adapter.h")).unwrap();
    let lists: [(&str, &[&str]); 18] = [
        ("BILLING", vocab::Billing::WORDS),
        ("SELLER", vocab::Seller::WORDS),
        ("STATUS", vocab::Status::WORDS),
        ("RELATION", vocab::Relation::WORDS),
        ("ORDER", vocab::OrderKind::WORDS),
        ("ORDER_STATUS", vocab::OrderStatus::WORDS),
        ("INSTRUMENT", vocab::Instrument::WORDS),
        ("EXIT", vocab::Exit::WORDS),
        ("OUTCOME", vocab::Outcome::WORDS),
        ("REASON", vocab::Reason::WORDS),
        ("TO", vocab::Destination::WORDS),
        ("EFFECT", vocab::Effect::WORDS),
        ("CHANNEL", vocab::Channel::WORDS),
        ("DAYS", vocab::DayKind::WORDS),
        ("PAYMENT", vocab::PaymentOption::WORDS),
        ("CLASS", vocab::Class::WORDS),
        ("EVERY", vocab::Recurrence::WORDS),
        ("TERM", vocab::TermUnit::WORDS),
    ];
    let mut count = 0;
    for (prefix, words) in lists {
        for (code, word) in words.iter().enumerate() {
            let line = format!("#define RECOUP_{prefix}_{} {code}\n", word.to_uppercase());
            assert!(header.contains(&line), "the header lacks: {line}");
            count += 1;
        }
    }
    let codes = header.lines().filter(|line| line.starts_with("#define RECOUP_") && !line.contains("_ABI_")).count();
    // The four results and the include guard are no codes of a vocabulary.
    assert_eq!(codes, count + 5);
}
