//! What the tests of the quick readers share.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use recoup_core::time::Zone;
use serde_json::Value;

/// The resources of all cases.
pub(crate) fn records() -> Vec<Value> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures");
    let mut records = Vec::new();
    for provider in fs::read_dir(fixtures).unwrap() {
        let Ok(cases) = fs::read_dir(provider.unwrap().path().join("cases")) else { continue };
        for file in cases {
            let cases: Value = serde_json::from_str(&fs::read_to_string(file.unwrap().path()).unwrap()).unwrap();
            records.extend(cases.as_array().into_iter().flatten().filter_map(|case| case.get("resource").cloned()));
        }
    }
    records
}

/// Clocks that differ, and some that are not known.
pub(crate) fn zone_of(provider: &str, site: Option<&str>) -> Option<Zone> {
    match (provider, site) {
        (_, Some("cn" | "intl")) => Some(Zone::fixed_hours(8)),
        (_, Some("eu")) => "Europe/Berlin".parse().ok(),
        (provider, _) if provider.len() > 5 => Some(Zone::fixed_hours(-5)),
        _ => None,
    }
}
