//! Reading what DigitalOcean's API prints.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use recoup_conformance::payloads;
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_core::time::Zone;
use recoup_digitalocean::Digitalocean;
use serde_json::{Value, json};

fn payload(name: &str) -> Value {
    payloads::payload(env!("CARGO_MANIFEST_DIR"), name)
}

fn import(payloads: &[&Value]) -> Imported {
    let named: Vec<(&str, &Value)> = payloads.iter().map(|json| ("page", *json)).collect();
    payloads::import::<Digitalocean>(&named)
}

fn records(imported: &Imported) -> Value {
    payloads::records(imported, Zone::UTC).into()
}

#[test]
fn an_invoice_names_metered_resources() {
    let invoice = payload("invoice.json");
    let read = import(&[&invoice]);
    assert_eq!(read.remarks, []);
    assert_eq!(
        records(&read),
        json!([{"provider": "digitalocean", "id": "711157cb-37c8-4817-b371-44fa3504a39c", "name": "web-1 (s-1vcpu-1gb)",
                "product": "droplets", "project": "web", "billing": "pay_as_you_go", "status": "active",
                "starts_at": "2025-06-01T00:00:00Z", "orders": []}])
    );
}

#[test]
fn a_credit_is_paid_ahead() {
    let balance = payload("balance.json");
    assert_eq!(
        records(&import(&[&balance])),
        json!([{"provider": "digitalocean", "id": "account", "product": "account", "billing": "prepaid_balance",
                "status": "active", "facts": {"remaining_balance": "100"}}])
    );
    let mut debt = balance;
    debt["account_balance"] = json!("12.00");
    assert!(import(&[&debt]).resources.is_empty());
}

#[test]
fn the_history_is_read_and_its_missing_pages_are_told() {
    let mut history = payload("billing-history.json");
    let read = import(&[&history]);
    assert!(read.resources.is_empty());
    let errors: Vec<&str> =
        read.remarks.iter().filter(|remark| remark.is_error).map(|remark| remark.what.as_str()).collect();
    assert_eq!(errors, ["the listing is truncated: 2 of 5 are here; add the other pages"]);
    // A refund is accepted in data although the policy promises none; an unknown type is reported.
    history["meta"]["total"] = json!(2);
    history["billing_history"][0]["type"] = json!("Refund");
    history["billing_history"][1]["type"] = json!("Gift");
    let read = import(&[&history]);
    assert!(read.remarks.iter().any(|remark| !remark.is_error && remark.what.contains("a refund of 12.34")));
    assert!(read.remarks.iter().any(|remark| remark.is_error && remark.path == "billing_history[1].type"));
}

#[test]
fn other_files_are_not_claimed() {
    let vultr = json!({"billing_history": [{"id": 1, "date": "x", "type": "invoice", "description": "y", "amount": 1, "balance": 2}]});
    for other in [vultr, json!({"billing_history": []}), json!({"account_balance": "1"}), json!([])] {
        assert!(!Digitalocean::recognises(&ImportFile { name: "x", json: Some(&other), text: "" }), "{other}");
    }
}
