//! Reading what OVHcloud's API prints.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use recoup_conformance::payloads;
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_core::time::Zone;
use recoup_ovh::Ovh;
use serde_json::{Value, json};

fn payload(name: &str) -> Value {
    payloads::payload(env!("CARGO_MANIFEST_DIR"), name)
}

fn import(payloads: &[&Value]) -> Imported {
    let named: Vec<(&str, &Value)> = payloads.iter().map(|json| ("plans", *json)).collect();
    payloads::import::<Ovh>(&named)
}

#[test]
fn savings_plans_are_read() {
    let plans = payload("savings-plans.json");
    // The same plan listed and read by itself is one plan.
    let read = import(&[&plans, &plans[0]]);
    assert_eq!(read.remarks, []);
    let records: Value =
        read.resources.iter().map(|record| record.to_json("Europe/Paris".parse().unwrap_or(Zone::UTC))).collect();
    assert_eq!(
        records,
        json!([
            {"provider": "ovh", "id": "b1c5a0de-0000-4000-8000-000000000001", "name": "web", "product": "public-cloud",
             "billing": "savings_plan", "status": "active", "starts_at": "2026-03-01T00:00:00+01:00",
             "ends_at": "2027-03-01T00:00:00+01:00", "quantity": "3", "commitment": {"term_months": 12},
             "facts": {"auto_renew": true}},
            {"provider": "ovh", "id": "b1c5a0de-0000-4000-8000-000000000002", "name": "batch", "product": "public-cloud",
             "billing": "savings_plan", "status": "queued", "starts_at": "2026-07-01T00:00:00+02:00",
             "ends_at": "2026-08-01T00:00:00+02:00", "quantity": "1", "commitment": {"term_months": 1},
             "facts": {"auto_renew": false}}
        ])
    );
}

#[test]
fn a_bad_plan_is_reported_and_the_others_are_read() {
    let mut plans = payload("savings-plans.json");
    plans[0]["periodEndAction"] = json!("PERHAPS");
    let read = import(&[&plans]);
    assert_eq!(read.resources.len(), 1);
    assert_eq!(read.remarks[0].path, "[0].periodEndAction");
    assert!(read.remarks[0].is_error);
}

#[test]
fn other_files_are_not_claimed() {
    for other in [json!([]), json!({"id": 1, "status": "ACTIVE", "period": "P1M"}), json!({"value": []})] {
        assert!(!Ovh::recognises(&ImportFile { name: "x", json: Some(&other), text: "" }), "{other}");
    }
}
