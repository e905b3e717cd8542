//! What Google Cloud's APIs and gcloud print, read into records.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use recoup_conformance::payloads::{self, record};
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_gcp::Gcp;
use serde_json::{Value, json};

const AGGREGATED: &str = include_str!("../../../fixtures/gcp/payloads/commitments-aggregated.json");
const GCLOUD: &str = include_str!("../../../fixtures/gcp/payloads/commitments-gcloud.json");
const PAGE_1: &str = include_str!("../../../fixtures/gcp/payloads/capacity-commitments-page-1.json");
const PAGE_2: &str = include_str!("../../../fixtures/gcp/payloads/capacity-commitments-page-2.json");
const FUTURE: &str = include_str!("../../../fixtures/gcp/payloads/future-reservations.json");
const ORDERS: &str = include_str!("../../../fixtures/gcp/payloads/orders.json");

fn import(texts: &[&str]) -> Imported {
    payloads::import_texts::<Gcp>(texts)
}

fn errors(imported: &Imported) -> Vec<&str> {
    imported.remarks.iter().filter(|remark| remark.is_error).map(|remark| remark.path.as_str()).collect()
}

#[test]
fn an_aggregated_list_of_commitments_is_read() {
    let imported = import(&[AGGREGATED]);
    assert!(errors(&imported).is_empty());
    assert_eq!(imported.resources.len(), 2);
    assert_eq!(
        record(&imported, "3842961"),
        json!({
            "provider": "gcp", "id": "3842961", "name": "n2-one-year", "product": "compute.googleapis.com",
            "region": "us-central1", "project": "my-project", "billing": "committed_use", "status": "active",
            "purchased_at": "2026-01-02T18:00:00Z", "starts_at": "2026-01-03T08:00:00Z", "ends_at": "2027-01-03T08:00:00Z",
            "commitment": {"term_months": 12, "unit": "GENERAL_PURPOSE_N2"}, "facts": {"auto_renew": true},
        })
    );
    // CANCELLED is merged away; a fee that only the alpha schema knows is remarked, not believed.
    let merged = record(&imported, "3842962");
    assert_eq!(merged["status"], "released");
    assert_eq!(merged["stated"], json!([{"by": "cancellationFee", "currency": "USD", "fee": "100.00"}]));
    assert_eq!(imported.remarks.len(), 1);
}

#[test]
fn gcloud_and_the_api_give_one_resource() {
    let imported = import(&[AGGREGATED, GCLOUD]);
    assert_eq!(imported.resources.len(), 3);
    assert_eq!(errors(&imported), ["[1].status", "[2].plan"]);
    let queued = record(&imported, "queued");
    assert_eq!((&queued["status"], &queued["project"]), (&json!("queued"), &json!("other")));
    assert_eq!(record(&imported, "3842961")["facts"], json!({"auto_renew": true}));
}

#[test]
fn a_part_that_could_not_be_reached_is_an_error() {
    let text = AGGREGATED.replace("NO_RESULTS_ON_PAGE", "UNREACHABLE");
    assert_eq!(errors(&import(&[&text])), ["items.regions/europe-west9.warning"]);
}

#[test]
fn pages_of_capacity_commitments_are_joined() {
    let imported = import(&[PAGE_1, PAGE_2]);
    assert_eq!(imported.remarks, []);
    assert_eq!(
        record(&imported, "123"),
        json!({
            "provider": "gcp", "id": "123", "name": "projects/admin/locations/us/capacityCommitments/123",
            "product": "bigquery", "region": "us", "project": "admin", "billing": "reservation", "status": "active",
            "starts_at": "2026-01-10T08:00:00Z", "quantity": "500",
            "facts": {"plan": "annual", "commitment_ends_at": "2027-01-10T08:00:00Z"},
        })
    );
    assert_eq!(record(&imported, "124")["status"], "pending");
    assert_eq!(errors(&import(&[PAGE_1])), ["nextPageToken"]);
}

#[test]
fn future_reservations_are_read() {
    let imported = import(&[FUTURE]);
    assert_eq!(imported.remarks, []);
    assert_eq!(
        record(&imported, "77"),
        json!({
            "provider": "gcp", "id": "77", "name": "black-friday", "product": "compute.googleapis.com",
            "region": "us-central1-a", "project": "my-project", "billing": "reservation", "status": "queued",
            "purchased_at": "2026-06-01T00:00:00Z", "starts_at": "2026-12-01T00:00:00Z", "ends_at": "2027-03-01T00:00:00Z",
            "quantity": "16", "facts": {"locks_at": "2026-10-01T00:00:00Z"},
        })
    );
    assert_eq!(record(&imported, "78")["status"], "active");
    assert_eq!(record(&imported, "79")["status"], "failed");
}

#[test]
fn orders_are_commitments_or_marketplace_purchases() {
    let imported = import(&[ORDERS]);
    assert_eq!(imported.remarks, []);
    assert_eq!(
        record(&imported, "run-1"),
        json!({
            "provider": "gcp", "account": "01A2B3-111111-AAAAAA", "id": "run-1", "name": "Cloud Run commitment",
            "product": "run.googleapis.com", "region": "us-central1", "billing": "committed_use", "status": "active",
            "purchased_at": "2026-01-02T18:00:00Z", "starts_at": "2026-01-03T08:00:00Z", "ends_at": "2027-01-03T08:00:00Z",
            "commitment": {"term_months": 12, "hourly": "5.25"}, "facts": {"auto_renew": true},
        })
    );
    assert_eq!(
        record(&imported, "mp-1"),
        json!({
            "provider": "gcp", "account": "01A2B3-111111-AAAAAA", "id": "mp-1", "name": "Example listing",
            "product": "example.gcpmarketplace.example.com", "billing": "subscription", "seller": "marketplace",
            "status": "pending", "purchased_at": "2026-04-01T00:00:00Z",
            "facts": {"transaction_in_progress": false, "private_offer": true},
        })
    );
    let facts = json!({"transaction_in_progress": true, "private_offer": false, "auto_renew": false});
    assert_eq!(record(&imported, "mp-2/a")["facts"], facts);
    assert_eq!(record(&imported, "mp-2/b")["status"], "expired");
}

#[test]
fn other_payloads_are_not_claimed() {
    for text in [
        r#"{"orders": [{"name": "order 1", "id": "2"}]}"#,
        r#"{"items": [{"id": "1", "status": "ACTIVE"}], "nextPageToken": "x"}"#,
        r#"[{"plan": "annual", "status": "active"}]"#,
        r#"{"status": {"state": "x"}}"#,
        "[]",
        "{}",
        "null",
    ] {
        let json: Value = serde_json::from_str(text).unwrap();
        assert!(!Gcp::recognises(&ImportFile { name: "f.json", json: Some(&json), text }), "{text}");
    }
    assert!(!Gcp::recognises(&ImportFile { name: "f.csv", json: None, text: "a,b" }));
}
