//! Reading what Vultr's API prints.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use recoup_conformance::payloads;
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_core::time::Zone;
use recoup_vultr::Vultr;
use serde_json::{Value, json};

fn payload(name: &str) -> Value {
    payloads::payload(env!("CARGO_MANIFEST_DIR"), name)
}

fn import(payloads: &[&Value]) -> Imported {
    let named: Vec<(&str, &Value)> = payloads.iter().map(|json| ("page", *json)).collect();
    payloads::import::<Vultr>(&named)
}

fn records(imported: &Imported) -> Value {
    payloads::records(imported, Zone::UTC).into()
}

#[test]
fn a_negative_balance_is_credit() {
    let history = payload("billing-history.json");
    let read = import(&[&history]);
    assert_eq!(read.remarks, []);
    assert_eq!(
        records(&read),
        json!([{"provider": "vultr", "id": "account", "product": "account", "billing": "prepaid_balance",
                "status": "active", "facts": {"remaining_balance": "497.65"}}])
    );
    let mut later = history.clone();
    later["billing_history"][0]["date"] = json!("2018-05-01T00:00:00+00:00");
    later["billing_history"][0]["balance"] = json!(3);
    assert!(import(&[&later, &history]).resources.is_empty(), "the newest balance counts");
}

#[test]
fn the_items_of_an_invoice_are_metered_and_a_missing_page_is_told() {
    let items = payload("invoice-items.json");
    let read = import(&[&items]);
    assert_eq!(
        records(&read),
        json!([{"provider": "vultr", "id": "Cloud Compute web-1 (203.0.113.5)", "name": "Cloud Compute web-1 (203.0.113.5)",
                "product": "cloud compute", "billing": "pay_as_you_go", "status": "active",
                "starts_at": "2026-03-01T00:00:00Z", "orders": []}])
    );
    assert!(read.remarks.len() == 1 && read.remarks[0].is_error && read.remarks[0].what.contains("1 of 2"));
}

#[test]
fn a_bad_item_is_reported() {
    let mut history = payload("billing-history.json");
    history["billing_history"][0]["balance"] = json!("much");
    let read = import(&[&history]);
    assert_eq!(read.remarks[0].path, "billing_history[0].balance");
}

#[test]
fn other_files_are_not_claimed() {
    let other_history =
        json!({"billing_history": [{"description": "x", "amount": "1", "date": "y", "type": "Invoice"}]});
    for other in [other_history, json!({"billing_history": []}), json!({"invoice_items": []}), json!([])] {
        assert!(!Vultr::recognises(&ImportFile { name: "x", json: Some(&other), text: "" }), "{other}");
    }
}
