//! What is missing from a record never opens an exit: the cases, each with one field left out.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::path::Path;

use recoup_azure::Azure;
use recoup_conformance::read_cases;
use recoup_core::adapter::Rules;
use recoup_core::record::ResourceRecord;
use serde_json::Value;

/// Every way to leave out one field of a record, and the field.
fn with_gaps(resource: &Value) -> Vec<(String, Value)> {
    let mut gaps = Vec::new();
    let Value::Object(fields) = resource else { return gaps };
    for (name, value) in fields {
        if ["provider", "id", "product", "billing", "status", "account", "site", "seller", "quantity"]
            .contains(&name.as_str())
        {
            continue;
        }
        let mut without = fields.clone();
        without.remove(name);
        gaps.push((name.clone(), Value::Object(without)));
        let parts = match value {
            Value::Array(items) => items.first().map(|first| (first, true)),
            Value::Object(_) => Some((value, false)),
            _ => None,
        };
        let Some((Value::Object(part), in_array)) = parts else { continue };
        for inner in part.keys().filter(|inner| !["kind", "status"].contains(&inner.as_str())) {
            let mut cut = part.clone();
            cut.remove(inner);
            let mut without = resource.clone();
            let place = if in_array { format!("/{name}/0") } else { format!("/{name}") };
            if let Some(place) = without.pointer_mut(&place) {
                *place = Value::Object(cut);
            }
            gaps.push((format!("{name}.{inner}"), without));
        }
    }
    gaps
}

fn exit<'a>(assessment: &'a Value, name: &str) -> Option<&'a Value> {
    assessment["exits"].as_array()?.iter().find(|exit| exit["exit"] == name)
}

#[test]
fn a_gap_never_turns_a_refusal_by_rule_into_an_allowance() {
    let rules = Rules::<Azure>::load().unwrap();
    let zone_of = |_: &str, site: Option<&str>| rules.zone_of(site);
    let cases = read_cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/azure/cases")).unwrap();
    let mut asked = 0;
    for case in &cases {
        let run = case.run(&zone_of).unwrap();
        let Ok(whole) = rules.assess_json(&run, case.resource()) else { continue };
        for (field, resource) in with_gaps(case.resource()) {
            if ResourceRecord::from_json(&resource, &zone_of).is_err() {
                continue;
            }
            let gap = rules.assess_json(&run, &resource).unwrap();
            asked += 1;
            // Target and part are questions that are then not asked, and other fields fill in for a
            // date or an order; only what a rule must know may not open anything by its absence.
            let question = ["facts", "orders", "commitment", "purchased_at", "starts_at", "ends_at"];
            if question.iter().any(|name| field.starts_with(name))
                && !["facts.requester_authorised", "facts.csp_customer", "facts.private_offer", "facts.agreement_given"]
                    .contains(&field.as_str())
            {
                continue;
            }
            for before in whole["exits"].as_array().into_iter().flatten().filter(|exit| exit["outcome"] == "refused") {
                let name = before["exit"].as_str().unwrap_or_default();
                if let Some(after) = exit(&gap, name) {
                    assert_ne!(after["outcome"], "allowed", "{}: {name} without {field}", case.id);
                }
            }
        }
    }
    assert!(asked > 3_000, "only {asked} gaps were tried");
}

#[test]
fn without_money_there_is_no_figure() {
    let rules = Rules::<Azure>::load().unwrap();
    let zone_of = |_: &str, site: Option<&str>| rules.zone_of(site);
    let cases = read_cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/azure/cases")).unwrap();
    for case in &cases {
        let run = case.run(&zone_of).unwrap();
        let mut resource = case.resource().clone();
        if resource.get("orders").is_none() || resource["billing"] == "trial" {
            continue;
        }
        resource["orders"] = Value::Null;
        let gap = rules.assess_json(&run, &resource).unwrap();
        for exit in gap["exits"].as_array().into_iter().flatten() {
            assert_eq!(exit["refund"], Value::Null, "{}: {}", case.id, exit["exit"]);
            let by_agreement = exit["exit"] == "by_agreement";
            assert!(exit["outcome"] != "allowed" || by_agreement, "{}: {}", case.id, exit["exit"]);
        }
    }
}
