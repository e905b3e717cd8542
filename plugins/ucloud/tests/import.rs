//! What is read from UCloud's payloads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use recoup_conformance::payloads::{self, errors};
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_core::time::Zone;
use recoup_ucloud::Ucloud;
use serde_json::{Value, json};

fn payload(name: &str) -> Value {
    payloads::payload(env!("CARGO_MANIFEST_DIR"), name)
}

fn read(payloads: &[(&str, Value)]) -> Imported {
    let payloads: Vec<(&str, &Value)> = payloads.iter().map(|(name, json)| (*name, json)).collect();
    payloads::import::<Ucloud>(&payloads)
}

fn records(imported: &Imported) -> Vec<Value> {
    payloads::records(imported, Zone::fixed_hours(8))
}

#[test]
fn a_row_by_the_hour_is_pay_as_you_go() {
    let imported = read(&[("row.json", payload("list-ubill-detail-row.json"))]);
    assert_eq!(errors(&imported), []);
    let expected = json!({
        "provider": "ucloud", "site": "cn", "account": "root", "id": "uhost-bzgf1gh5", "product": "uhost",
        "project": "Default", "billing": "pay_as_you_go", "status": "active",
        "purchased_at": "2022-01-31T23:00:41+08:00", "starts_at": "2022-01-31T23:00:00+08:00",
        "ends_at": "2022-02-01T00:00:00+08:00",
        "orders": [{"id": "20220131033108259519838", "kind": "renewal", "status": "paid",
            "placed_at": "2022-01-31T23:00:41+08:00", "paid_at": "2022-01-31T23:00:41+08:00",
            "starts_at": "2022-01-31T23:00:00+08:00", "ends_at": "2022-02-01T00:00:00+08:00", "currency": "CNY",
            "due": "4.21", "payments": [{"instrument": "cash", "amount": "4.21"}]}],
    });
    assert_eq!(records(&imported), [expected]);
}

#[test]
fn pages_of_a_bill_are_joined() {
    let imported = read(&[("1.json", payload("bill-page-1.json")), ("2.json", payload("bill-page-2.json"))]);
    assert_eq!(errors(&imported), []);
    let records = records(&imported);
    let orders = &records[0]["orders"];
    assert_eq!(records[0]["ends_at"], "2025-06-01T00:00:00+08:00");
    assert_eq!(orders[0]["kind"], "purchase");
    assert_eq!(orders[0]["term_months"], 1);
    let paid = json!([{"instrument": "cash", "amount": "600.00"}, {"instrument": "bonus", "amount": "200.00"},
        {"instrument": "voucher", "amount": "100.00"}]);
    assert_eq!(orders[0]["payments"], paid);
    assert_eq!(orders[1]["kind"], "renewal");
    assert_eq!(orders[1]["starts_at"], "2025-05-01T00:00:00+08:00");
    // Bought by the year, which decides the formula, and deleted.
    assert_eq!(records[1]["orders"][0]["term_unit"], "year");
    assert_eq!(records[1]["orders"][0]["term_count"], 1);
    assert_eq!(records[1]["status"], "released");
    assert_eq!(records[1]["orders"][0]["status"], "refunded");
}

#[test]
fn a_truncated_bill_is_an_error() {
    let imported = read(&[("1.json", payload("bill-page-1.json"))]);
    let expected = "says 4 rows, 2 are there: add the other pages of the bill";
    assert_eq!(errors(&imported), [("TotalCount", expected)]);
    assert_eq!(imported.resources.len(), 2);
}

#[test]
fn a_bad_row_is_reported_and_the_others_are_read() {
    let mut bill = payload("bill-page-1.json");
    bill["TotalCount"] = json!(2);
    bill["Items"][0]["AmountReal"] = json!("much");
    let imported = read(&[("1.json", bill.clone())]);
    assert_eq!(errors(&imported), [("Items[0].AmountReal", "expected a decimal, found \"much\"")]);
    assert_eq!(imported.resources.len(), 1);
    bill["Items"][0]["ChargeType"] = json!("Century");
    assert_eq!(errors(&read(&[("1.json", bill)]))[0].0, "Items[0].ChargeType");
}

#[test]
fn a_quote_is_shown_beside_and_a_failed_one_is_an_error() {
    let imported = read(&[("quote.json", payload("get-uhost-refund-price.json"))]);
    assert_eq!(errors(&imported), [("RefundPriceSet[0].Code", "no quote for UrRlsdui: code 2 lrftRADV")]);
    let mut quote = payload("get-uhost-refund-price.json");
    quote["RefundPriceSet"][0]["Code"] = json!(0);
    let imported = read(&[("quote.json", quote.clone())]);
    assert_eq!(errors(&imported), []);
    let expected =
        "the provider quotes a refund of 6.87196 for UrRlsdui, which is in no bill: add the bill that lists it";
    assert_eq!(imported.remarks[0].what, expected);
    // Beside the bill that lists it, the quote stands with its resource, once however often it is given.
    let bill = payload("bill-page-1.json");
    quote["RefundPriceSet"][0]["UHostId"] = bill["Items"][0]["ResourceId"].clone();
    let imported = read(&[("1.json", bill), ("quote.json", quote.clone()), ("again.json", quote)]);
    let stated = json!([{"by": "RefundPrice", "exit": "in_use", "currency": "CNY", "refund": "6.87196"}]);
    assert_eq!(records(&imported)[0]["stated"], stated);
}

#[test]
fn what_others_print_is_not_claimed() {
    for json in [json!({}), json!([]), json!({"Items": [{"OrderNo": "1"}]}), json!({"RefundPriceSet": []})] {
        let file = ImportFile { name: "other.json", json: Some(&json), text: "" };
        assert!(!Ucloud::recognises(&file), "{json}");
    }
}
