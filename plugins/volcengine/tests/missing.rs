//! No record, however much of it is missing, stops the rules.

use std::path::Path;

use recoup_core::adapter::Rules;
use recoup_core::conformance::Case;
use recoup_volcengine::Volcengine;
use serde_json::{Value, json};

/// Every record with one field left out, or made as large or as early as it can be.
fn maimed(resource: &Value) -> Vec<Value> {
    let mut records = Vec::new();
    let mut paths: Vec<String> = Vec::new();
    collect(resource, "", &mut paths);
    // What facts change is held by the laws of every adapter.
    for path in paths.iter().filter(|path| !path.starts_with("/facts/")) {
        for value in [Value::Null, json!("999999999999999"), json!("2999-12-31T00:00:00Z")] {
            let mut record = resource.clone();
            if let Some(place) = record.pointer_mut(path) {
                *place = value;
                records.push(record);
            }
        }
    }
    records
}

fn collect(value: &Value, path: &str, paths: &mut Vec<String>) {
    let mut step = |name: String, inner: &Value| {
        let path = format!("{path}/{name}");
        collect(inner, &path, paths);
        paths.push(path);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(name, inner)| step(name.replace('/', "~1"), inner)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, inner)| step(index.to_string(), inner)),
        _ => {}
    }
}

#[test]
fn whatever_is_missing_is_an_answer() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/volcengine/cases");
    let rules = Rules::<Volcengine>::load().unwrap();
    let zone_of = |_: &str, site: Option<&str>| rules.zone_of(site);
    let mut answered = 0;
    for file in ["shared.json", "own.json"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        for case in Case::read_all(&text).unwrap() {
            let run = case.run(&zone_of).unwrap();
            // A record that cannot be read is an error; one that can is answered.
            answered += maimed(case.resource()).iter().filter(|record| rules.assess_json(&run, record).is_ok()).count();
        }
    }
    assert!(answered > 1000, "{answered} answers");
}
