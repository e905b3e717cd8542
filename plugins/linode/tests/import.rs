//! Reading what Linode's API prints.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use recoup_conformance::payloads;
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_core::time::Zone;
use recoup_linode::Linode;
use serde_json::{Value, json};

fn payload(name: &str) -> Value {
    payloads::payload(env!("CARGO_MANIFEST_DIR"), name)
}

fn import(payloads: &[&Value]) -> Imported {
    let named: Vec<(&str, &Value)> = payloads.iter().map(|json| ("page", *json)).collect();
    payloads::import::<Linode>(&named)
}

fn records(imported: &Imported) -> Value {
    payloads::records(imported, Zone::UTC).into()
}

#[test]
fn the_items_of_an_invoice_are_metered_services() {
    let january = payload("invoice-items.json");
    let mut february = january.clone();
    february["data"][0]["from"] = json!("2018-02-01T00:00:00");
    let read = import(&[&february, &january]);
    assert_eq!(read.remarks, []);
    assert_eq!(
        records(&read),
        json!([{"provider": "linode", "id": "Linode 123", "name": "Linode 123", "product": "linode", "region": "us-west",
                "billing": "pay_as_you_go", "status": "active", "starts_at": "2018-01-01T00:01:01Z", "orders": []}])
    );
}

#[test]
fn payments_are_the_orders_of_the_account_and_a_missing_page_is_told() {
    let payments = payload("payments.json");
    let read = import(&[&payments]);
    let order = |id: &str, at: &str, due: &str| json!({"id": id, "kind": "purchase", "status": "paid", "placed_at": at, "paid_at": at, "currency": "USD", "due": due});
    assert_eq!(
        records(&read),
        json!([{"provider": "linode", "id": "account", "product": "account", "billing": "prepaid_balance", "status": "active",
                "orders": [order("123", "2018-01-15T00:01:01Z", "120.50"), order("124", "2026-03-01T00:01:01Z", "100.00")]}])
    );
    assert_eq!(read.remarks.len(), 1);
    assert!(read.remarks[0].is_error && read.remarks[0].what.contains("1 of 2 pages"), "{:?}", read.remarks);
}

#[test]
fn a_bad_item_is_reported_and_the_others_are_read() {
    let mut payments = payload("payments.json");
    payments["data"][0]["date"] = json!("yesterday");
    payments["pages"] = json!(1);
    let read = import(&[&payments]);
    assert_eq!(read.resources[0].orders.as_ref().unwrap().len(), 1);
    assert_eq!(read.remarks[0].path, "data[0].date");
}

#[test]
fn other_files_are_not_claimed() {
    for other in [json!({"data": []}), json!({"data": [{"id": 1}], "page": 1, "pages": 1, "results": 1}), json!([])] {
        assert!(!Linode::recognises(&ImportFile { name: "x", json: Some(&other), text: "" }), "{other}");
    }
}
