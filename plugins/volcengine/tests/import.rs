//! What is read from Volcengine's payloads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use recoup_conformance::payloads::{self, errors};
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_core::time::Zone;
use recoup_volcengine::Volcengine;
use serde_json::{Value, json};

fn payload(name: &str) -> Value {
    payloads::payload(env!("CARGO_MANIFEST_DIR"), name)
}

fn read(payloads: &[(&str, Value)]) -> Imported {
    let payloads: Vec<(&str, &Value)> = payloads.iter().map(|(name, json)| (*name, json)).collect();
    payloads::import::<Volcengine>(&payloads)
}

fn records(imported: &Imported) -> Vec<Value> {
    payloads::records(imported, Zone::fixed_hours(8))
}

#[test]
fn orders_and_their_products_are_joined() {
    let imported = read(&[
        ("products.json", payload("list-order-product-details.json")),
        ("orders.json", payload("list-orders.json")),
    ]);
    assert_eq!(errors(&imported), []);
    let expected = [
        json!({"provider": "volcengine", "account": "2100000001", "id": "vfw-1", "product": "Cloud_Firewall",
        "billing": "subscription", "status": "active", "purchased_at": "2025-03-03T10:00:00+08:00",
        "starts_at": "2025-03-03T10:00:10+08:00", "ends_at": "2026-03-03T23:59:59+08:00",
        "orders": [
            {"id": "Order7001", "kind": "purchase", "status": "paid", "placed_at": "2025-03-03T10:00:00+08:00",
             "starts_at": "2025-03-03T10:00:10+08:00", "ends_at": "2026-03-03T23:59:59+08:00",
             "term_unit": "year", "term_count": 1, "list_price": "1200.00", "due": "1200.00",
             "payments": [{"instrument": "cash", "amount": "1000.00"}, {"instrument": "voucher", "amount": "200.00"}]},
            {"id": "Order7002", "kind": "upgrade", "status": "paid", "placed_at": "2025-03-04T10:00:00+08:00",
             "starts_at": "2025-03-04T10:00:10+08:00", "ends_at": "2026-03-03T23:59:59+08:00",
             "list_price": "50.00", "due": "50.00"},
        ]}),
        // Nothing says which order bought it.
        json!({"provider": "volcengine", "id": "mongo-1", "product": "veDB for DocumentDB",
            "billing": "subscription", "status": "active",
            "starts_at": "2025-03-04T10:00:10+08:00", "ends_at": "2025-04-04T23:59:59+08:00"}),
    ];
    assert_eq!(records(&imported), expected);
}

#[test]
fn an_unsubscription_releases() {
    let imported = read(&[
        ("orders.json", payload("list-orders.json")),
        ("products.json", payload("list-order-product-details.json")),
        ("unsubscribe.json", payload("unsubscribe-instance.json")),
    ]);
    let record = &records(&imported)[0];
    assert_eq!(record["status"], "released");
    assert_eq!(record["orders"][1]["status"], "refunded");
}

#[test]
fn a_truncated_listing_is_an_error() {
    let mut orders = payload("list-orders.json");
    orders["Result"]["NextToken"] = json!("more");
    let imported = read(&[("orders.json", orders.clone())]);
    let expected = "every page names a next one: add the other pages of the listing";
    assert_eq!(errors(&imported), [("Result.NextToken", expected)]);
    assert_eq!(errors(&read(&[("1.json", orders), ("2.json", payload("list-orders.json"))])), []);
}

#[test]
fn a_bad_item_is_reported_and_the_others_are_read() {
    let mut products = payload("list-order-product-details.json");
    products["Result"]["OrderProductInfos"][0]["BeginTime"] = json!("soon");
    let mut orders = payload("list-orders.json");
    orders["Result"]["OrderInfos"][0]["Status"] = json!("Odd");
    let imported = read(&[("products.json", products), ("orders.json", orders)]);
    let paths: Vec<&str> = errors(&imported).iter().map(|(path, _)| *path).collect();
    assert_eq!(paths, ["Result.OrderInfos[0].Status", "Result.OrderProductInfos[0].BeginTime"]);
    assert_eq!(imported.resources.len(), 2);
}

#[test]
fn what_others_print_is_not_claimed() {
    for json in [json!({}), json!([]), json!({"OrderInfos": [{"orderId": 1}]}), json!({"OrderID": "1"})] {
        let file = ImportFile { name: "other.json", json: Some(&json), text: "" };
        assert!(!Volcengine::recognises(&file), "{json}");
    }
}
