//! What Oracle's subscription APIs print, read into records.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use recoup_conformance::payloads::{self, record};
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_oracle::Oracle;
use serde_json::{Value, json};

const REST: &str = include_str!("../../../fixtures/oracle/payloads/subscriptions-rest.json");
const CLI: &str = include_str!("../../../fixtures/oracle/payloads/subscribed-services-cli.json");
const SDK: &str = include_str!("../../../fixtures/oracle/payloads/commitment-sdk.json");
const FAULTY: &str = include_str!("../../../fixtures/oracle/payloads/subscriptions-faulty.json");

fn import(texts: &[&str]) -> Imported {
    payloads::import_texts::<Oracle>(texts)
}

#[test]
fn subscriptions_of_the_rest_api_are_read() {
    let imported = import(&[REST, REST]);
    assert_eq!(imported.remarks, []);
    assert_eq!(imported.resources.len(), 1);
    assert_eq!(
        record(&imported, "service-1"),
        json!({
            "provider": "oracle", "id": "service-1", "name": "Oracle PaaS and IaaS Universal Credits",
            "product": "universal-credits", "region": "us-ashburn-1", "billing": "committed_use", "status": "active",
            "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2027-01-01T00:00:00Z", "quantity": "1",
            "commitment": {"term_months": 12, "currency": "USD"}, "facts": {"remaining_balance": "7000"},
        })
    );
}

#[test]
fn services_of_the_cli_are_read_commitment_by_commitment() {
    let imported = import(&[CLI]);
    assert_eq!(imported.remarks, []);
    assert_eq!(imported.resources.len(), 3);
    assert_eq!(
        record(&imported, "service-2/2"),
        json!({
            "provider": "oracle", "id": "service-2/2", "name": "Universal Credits, three years",
            "product": "universal-credits", "billing": "committed_use", "status": "active",
            "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2027-01-01T00:00:00Z",
            "commitment": {"term_months": 36}, "facts": {"remaining_balance": "500.25"},
        })
    );
    assert_eq!(record(&imported, "service-3")["billing"], "pay_as_you_go");
}

#[test]
fn a_listing_cut_short_is_an_error() {
    let first = CLI.replacen('{', r#"{"opc-next-page": "abc","#, 1);
    let paths = |imported: Imported| imported.remarks.into_iter().map(|remark| remark.path).collect::<Vec<_>>();
    assert_eq!(paths(import(&[&first])), ["opc-next-page"]);
    assert_eq!(paths(import(&[&first, CLI])), Vec::<String>::new());
}

#[test]
fn a_commitment_of_the_sdk_stands_alone() {
    let imported = import(&[SDK]);
    assert_eq!(imported.remarks, []);
    assert_eq!(
        record(&imported, "commitment-1"),
        json!({
            "provider": "oracle", "id": "commitment-1", "product": "universal-credits", "billing": "committed_use",
            "status": "active", "starts_at": "2026-01-01T00:00:00Z", "ends_at": "2027-01-01T00:00:00Z", "quantity": "1",
            "facts": {"remaining_balance": "800"},
        })
    );
}

#[test]
fn bad_items_are_reported_and_the_others_read() {
    let imported = import(&[FAULTY]);
    assert_eq!(imported.resources.len(), 1);
    assert_eq!(record(&imported, "service-5")["status"], "expired");
    let paths: Vec<&str> = imported.remarks.iter().map(|remark| remark.path.as_str()).collect();
    assert_eq!(paths, ["[0].status", "[1].id", "[3].availableAmount", "[4]"]);
    assert!(imported.remarks.iter().all(|remark| remark.is_error));
}

#[test]
fn other_payloads_are_not_claimed() {
    for text in [
        r#"[{"id": "1", "status": "ACTIVE", "timeEnd": "2027-01-01T00:00:00Z"}]"#,
        r#"{"data": [{"id": "1", "serviceName": "x"}]}"#,
        r#"{"data": {"id": "1"}}"#,
        "[]",
        "{}",
        "1",
    ] {
        let json: Value = serde_json::from_str(text).unwrap();
        assert!(!Oracle::recognises(&ImportFile { name: "f.json", json: Some(&json), text }), "{text}");
    }
    assert!(!Oracle::recognises(&ImportFile { name: "f.csv", json: None, text: "a,b" }));
}
