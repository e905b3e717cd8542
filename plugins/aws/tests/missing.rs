//! Whatever a record does not say, it is answered, and an open exit without a figure says why.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use recoup_aws::Aws;
use recoup_core::adapter::Rules;
use recoup_core::conformance::Case;
use recoup_core::time::Zone;
use serde_json::Value;

#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
fn cases() -> Vec<Case> {
    let folder = format!("{}/../../fixtures/aws/cases", env!("CARGO_MANIFEST_DIR"));
    ["shared", "own"]
        .iter()
        .flat_map(|name| Case::read_all(&std::fs::read_to_string(format!("{folder}/{name}.json")).unwrap()).unwrap())
        .collect()
}

/// Every way of leaving out one field, however deep it stands.
fn without_one(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(name, inner)| {
                let mut left_out = map.clone();
                left_out.remove(name);
                std::iter::once(Value::Object(left_out)).chain(without_one(inner).into_iter().map(|inner| {
                    let mut changed = map.clone();
                    changed.insert(name.clone(), inner);
                    Value::Object(changed)
                }))
            })
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .flat_map(|(index, inner)| {
                without_one(inner).into_iter().map(move |inner| {
                    let rest = items.iter().enumerate().map(|(i, item)| if i == index { &inner } else { item });
                    rest.cloned().collect()
                })
            })
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn a_missing_field_never_breaks_an_answer() {
    let rules = Rules::<Aws>::load().unwrap();
    let zone_of = |_: &str, _: Option<&str>| Some(Zone::UTC);
    let mut answered = 0;
    for case in cases() {
        let run = case.run(&zone_of).unwrap();
        for resource in without_one(case.resource()) {
            // Without a required field it is no record, and says so.
            let Ok(answer) = rules.assess_json(&run, &resource) else { continue };
            answered += 1;
            for exit in answer["exits"].as_array().unwrap() {
                let open = exit["outcome"] != "refused";
                let figure = !exit["refund"].is_null();
                let explained = exit["outcome"] == "conditional"
                    || matches!(exit["exit"].as_str(), Some("in_use" | "by_agreement"));
                assert!(!open || figure || explained, "{}: no figure and no reason: {exit}", case.id);
            }
        }
    }
    assert!(answered > 3_000, "{answered}");
}
