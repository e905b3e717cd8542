//! What the tests of importers share: payloads out of `fixtures/`, read as a host reads them.
//!
//! ```ignore
//! let imported = payloads::import::<Acme>(&[("orders.json", &payloads::payload(env!("CARGO_MANIFEST_DIR"), "orders.json"))]);
//! assert_eq!(payloads::errors(&imported), []);
//! ```

#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use recoup_core::adapter::{Provider, Rules};
use recoup_core::import::{ImportFile, Imported, may_hold};
use recoup_core::time::Zone;
use serde_json::Value;

/// The text of a file in `fixtures/<provider>/payloads/`, by the folder of the provider's crate.
///
/// # Panics
/// Where it cannot be read.
#[must_use]
pub fn text(crate_folder: &str, name: &str) -> String {
    let folder = Path::new(crate_folder);
    let provider = folder.file_name().unwrap_or_default();
    let path = folder.join("../../fixtures").join(provider).join("payloads").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The same, as JSON.
///
/// # Panics
/// Where it cannot be read or is no JSON.
#[must_use]
pub fn payload(crate_folder: &str, name: &str) -> Value {
    serde_json::from_str(&text(crate_folder, name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Reads files, all together, each of which the adapter must take for its own: by a mark that a host
/// sees without opening the library, and by its reader.
///
/// # Panics
/// Where the adapter does not take a file for its own.
#[must_use]
pub fn import_files<P: Provider>(files: &[ImportFile<'_>]) -> Imported {
    let policy = Rules::<P>::policy().unwrap_or_else(|error| panic!("{error}"));
    for file in files {
        let json = file.json.map(Value::to_string).unwrap_or_default();
        let text = if file.text.is_empty() { &json } else { file.text };
        assert!(may_hold(policy.marks.as_deref(), text), "{} bears no mark of {}", file.name, policy.provider);
        assert!(P::recognises(file), "{} is not recognised", file.name);
    }
    P::import(files)
}

/// Reads payloads by name, as [`import_files`] does.
///
/// # Panics
/// As [`import_files`].
#[must_use]
pub fn import<P: Provider>(payloads: &[(&str, &Value)]) -> Imported {
    let files: Vec<ImportFile<'_>> =
        payloads.iter().map(|(name, json)| ImportFile { name, json: Some(json), text: "" }).collect();
    import_files::<P>(&files)
}

/// Reads the texts of payloads, as [`import_files`] does.
///
/// # Panics
/// As [`import_files`], and where a text is no JSON.
#[must_use]
pub fn import_texts<P: Provider>(texts: &[&str]) -> Imported {
    let values: Vec<Value> =
        texts.iter().map(|text| serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))).collect();
    let file = |(text, json)| ImportFile { name: "payload.json", json: Some(json), text };
    let files: Vec<ImportFile<'_>> = texts.iter().copied().zip(&values).map(file).collect();
    import_files::<P>(&files)
}

/// The records as a portfolio would have them, instants in `zone`.
#[must_use]
pub fn records(imported: &Imported, zone: Zone) -> Vec<Value> {
    imported.resources.iter().map(|resource| resource.to_json(zone)).collect()
}

/// One of the records, instants in UTC.
///
/// # Panics
/// Where there is none with this id.
#[must_use]
pub fn record(imported: &Imported, id: &str) -> Value {
    let found = imported.resources.iter().find(|record| record.id == id);
    found.unwrap_or_else(|| panic!("no record {id:?}")).to_json(Zone::UTC)
}

/// Where something was wrong, and what.
#[must_use]
pub fn errors(imported: &Imported) -> Vec<(&str, &str)> {
    let errors = imported.remarks.iter().filter(|remark| remark.is_error);
    errors.map(|remark| (remark.path.as_str(), remark.what.as_str())).collect()
}
