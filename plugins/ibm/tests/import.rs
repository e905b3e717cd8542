//! Reading what IBM's APIs print.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use recoup_conformance::payloads;
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_core::time::Zone;
use recoup_ibm::Ibm;
use serde_json::{Value, json};

fn payload(name: &str) -> Value {
    payloads::payload(env!("CARGO_MANIFEST_DIR"), name)
}

fn import(payloads: &[(&str, &Value)]) -> Imported {
    payloads::import::<Ibm>(payloads)
}

fn records(imported: &Imported) -> Value {
    payloads::records(imported, Zone::UTC).into()
}

#[test]
fn two_pages_of_reservations_are_one_listing() {
    let (one, two) = (payload("reservations-page-1.json"), payload("reservations-page-2.json"));
    let read = import(&[("1", &one), ("2", &two), ("1 again", &one)]);
    assert_eq!(read.remarks, []);
    assert_eq!(
        records(&read),
        json!([
            {"provider": "ibm", "account": "aa2432b1fa4d4ace891e9b80fc104e34", "id": "0717-r1", "name": "my-reservation",
             "product": "is.reservation", "region": "us-south", "project": "fee82deba12e4c0fb69c3b09d1f12345",
             "billing": "reservation", "status": "active", "purchased_at": "2026-07-01T10:00:00Z",
             "ends_at": "2027-07-02T00:00:00Z", "quantity": "10", "commitment": {"term_months": 12},
             "facts": {"auto_renew": true}},
            {"provider": "ibm", "id": "0717-r2", "name": "three-years", "product": "is.reservation", "region": "us-south",
             "billing": "reservation", "status": "queued", "purchased_at": "2026-07-03T10:00:00Z", "quantity": "1",
             "commitment": {"term_months": 36}, "facts": {"auto_renew": false}},
            {"provider": "ibm", "id": "0717-r3", "name": "no-capacity", "product": "is.reservation", "region": "us-south",
             "billing": "reservation", "status": "failed", "purchased_at": "2026-07-04T10:00:00Z", "quantity": "4",
             "commitment": {"term_months": 12}, "facts": {"auto_renew": false}}
        ])
    );
}

#[test]
fn a_truncated_listing_is_an_error() {
    let one = payload("reservations-page-1.json");
    let read = import(&[("1", &one)]);
    assert_eq!(read.resources.len(), 2);
    assert_eq!(read.remarks.len(), 1);
    assert!(read.remarks[0].is_error && read.remarks[0].what.contains("2 of 3"), "{:?}", read.remarks);
}

#[test]
fn a_bad_item_is_reported_where_it_stands_and_the_others_are_read() {
    let mut two = payload("reservations-page-2.json");
    two["total_count"] = json!(2);
    let mut bad = two["reservations"][0].clone();
    bad["status"] = json!("melted");
    two["reservations"].as_array_mut().unwrap().insert(0, bad);
    let read = import(&[("2", &two)]);
    assert_eq!(read.resources.len(), 1);
    assert_eq!(read.remarks[0].path, "reservations[0].status");
    assert!(read.remarks[0].is_error && read.remarks[0].what.contains("found melted"));
}

#[test]
fn a_request_to_create_a_reservation_buys_nothing() {
    let request = payload("reservation-create.json");
    let read = import(&[("create", &request)]);
    assert!(read.resources.is_empty());
    assert!(!read.remarks[0].is_error);
}

#[test]
fn subscriptions_and_their_credit_are_joined() {
    let (options, pools) = (payload("billing-options.json"), payload("credit-pools.json"));
    let read = import(&[("pools", &pools), ("options", &options)]);
    assert_eq!(
        records(&read),
        json!([
            {"provider": "ibm", "id": "bo-1", "product": "platform-subscription", "project": "bu-1",
             "billing": "subscription", "status": "active", "starts_at": "2026-03-01T00:00:00Z",
             "ends_at": "2027-03-01T00:00:00Z", "commitment": {"term_months": 12, "currency": "USD"},
             "facts": {"remaining_balance": "8500.25"}},
            {"provider": "ibm", "id": "bo-2", "product": "support-subscription", "project": "bu-1",
             "billing": "support_plan", "status": "frozen", "starts_at": "2026-03-01T00:00:00Z",
             "ends_at": "2027-03-01T00:00:00Z", "commitment": {"term_months": 12}}
        ])
    );
    assert_eq!(read.remarks.len(), 1);
    assert!(read.remarks[0].what.contains("offer"));
}

#[test]
fn usage_reports_name_subscriptions() {
    let summary = payload("subscription-summary.json");
    let read = import(&[("summary", &summary)]);
    assert_eq!(
        records(&read),
        json!([{"provider": "ibm", "id": "sub-9", "product": "platform-subscription", "billing": "subscription",
                "status": "active", "starts_at": "2026-03-01T00:00:00Z", "ends_at": "2027-03-01T00:00:00Z"}])
    );
}

#[test]
fn other_files_are_not_claimed() {
    for other in
        [json!({"reservations": [{"id": 1}]}), json!({"resources": []}), json!([]), json!({"value": []}), json!(3)]
    {
        assert!(!Ibm::recognises(&ImportFile { name: "x", json: Some(&other), text: "" }), "{other}");
    }
    assert!(!Ibm::recognises(&ImportFile { name: "x", json: None, text: "a,b" }));
}
