//! What Partner Center's API prints, read into records.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use recoup_conformance::payloads::{self, errors, record};
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_microsoft_partner::MicrosoftPartner;
use serde_json::{Value, json};

const MARKETPLACE: &str = include_str!("../../../fixtures/microsoft-partner/payloads/subscription-marketplace.json");
const CANCEL: &str = include_str!("../../../fixtures/microsoft-partner/payloads/order-cancel.json");
const PAGE_1: &str = include_str!("../../../fixtures/microsoft-partner/payloads/subscriptions-page-1.json");
const PAGE_2: &str = include_str!("../../../fixtures/microsoft-partner/payloads/subscriptions-page-2.json");
const ORDERS: &str = include_str!("../../../fixtures/microsoft-partner/payloads/orders.json");
const FAULTY: &str = include_str!("../../../fixtures/microsoft-partner/payloads/subscriptions-faulty.json");

fn import(texts: &[&str]) -> Imported {
    payloads::import_texts::<MicrosoftPartner>(texts)
}

#[test]
fn the_published_subscription_is_read() {
    let imported = import(&[MARKETPLACE]);
    assert_eq!(imported.remarks, []);
    assert_eq!(
        record(&imported, "6e7aa601-629e-461b-8933-0898c3cc3c7c"),
        json!({
            "provider": "microsoft-partner", "id": "6e7aa601-629e-461b-8933-0898c3cc3c7c", "name": "friendly Name",
            "product": "marketplace-saas", "billing": "subscription", "seller": "marketplace", "status": "released",
            "purchased_at": "2019-01-04T01:00:12.66473Z", "starts_at": "2019-01-09T00:21:45.926372Z",
            "ends_at": "2019-02-08T00:21:45.926372Z", "quantity": "1",
            "commitment": {"term_months": 1, "payment_option": "monthly"},
            "facts": {"refund_not_supported": false, "auto_renew": false, "returnable_until": "2019-01-10T00:21:45.926372Z"},
            "stated": [{"by": "refundOptions", "exit": "marketplace", "until": "2019-01-10T00:21:45.926372Z"}],
        })
    );
}

#[test]
fn pages_and_orders_are_joined() {
    let imported = import(&[PAGE_1, PAGE_2, ORDERS, ORDERS]);
    assert_eq!(errors(&imported), []);
    assert_eq!(imported.resources.len(), 7);
    assert_eq!(
        record(&imported, "sub-nce"),
        json!({
            "provider": "microsoft-partner", "account": "tenant-1", "id": "sub-nce", "name": "Basic, head office",
            "product": "nce-license", "billing": "license", "status": "active",
            "purchased_at": "2026-05-04T10:00:00Z", "starts_at": "2026-05-04T00:00:00Z", "ends_at": "2027-05-03T23:59:59Z",
            "quantity": "10", "commitment": {"term_months": 12, "payment_option": "monthly"},
            "orders": [
                {"id": "order-1", "kind": "purchase", "status": "paid", "placed_at": "2026-05-04T10:00:00Z", "quantity": "8", "currency": "USD"},
                {"id": "order-2", "kind": "upgrade", "status": "paid", "placed_at": "2026-05-06T08:00:00Z", "quantity": "2", "currency": "USD"},
            ],
            "facts": {"refund_not_supported": false, "auto_renew": true, "returnable_until": "2026-05-11T10:00:00Z"},
            "stated": [{"by": "cancellationAllowedUntilDate", "exit": "in_use", "until": "2026-05-11T10:00:00Z"}],
        })
    );
    let of = |id: &str, field: &str| record(&imported, id).get(field).cloned().unwrap_or_default();
    assert_eq!(of("sub-legacy", "product"), "legacy-license");
    assert_eq!(of("sub-legacy", "status"), "released");
    assert_eq!(of("sub-software", "product"), "software-subscription");
    assert_eq!(of("sub-software", "commitment"), json!({"term_months": 36, "payment_option": "all_upfront"}));
    assert_eq!(of("sub-azure", "billing"), "pay_as_you_go");
    // Third-party SaaS comes back in full only: the partial option does not count.
    assert_eq!(of("sub-saas", "facts")["returnable_until"], "2026-05-17T10:00:00Z");
    assert_eq!(
        record(&imported, "order-3"),
        json!({
            "provider": "microsoft-partner", "id": "order-3", "name": "Windows Server", "product": "perpetual-software",
            "billing": "one_off", "status": "active", "purchased_at": "2026-04-20T08:00:00Z", "quantity": "4",
            "orders": [{"id": "order-3", "kind": "purchase", "status": "paid", "placed_at": "2026-04-20T08:00:00Z", "quantity": "4", "currency": "EUR"}],
        })
    );
}

#[test]
fn a_null_date_means_never() {
    let imported = import(&[PAGE_1, PAGE_2]);
    let late = record(&imported, "sub-late");
    assert_eq!(late["facts"], json!({"refund_not_supported": true, "auto_renew": false}));
    assert_eq!(late["stated"], json!([{"by": "cancellationAllowedUntilDate", "exit": "in_use", "allowed": false}]));
    let remark = imported.remarks.iter().find(|remark| remark.path == "items[1].refundableQuantity").unwrap();
    assert!(!remark.is_error);
    // The legacy licence says nothing of it: neither fact is known.
    assert_eq!(record(&imported, "sub-legacy")["facts"], json!({"auto_renew": true}));
}

#[test]
fn a_listing_cut_short_is_an_error() {
    let imported = import(&[PAGE_1]);
    assert_eq!(errors(&imported), [("totalCount", "the listing says 6 items, found 3: add the missing pages")]);
}

#[test]
fn bad_items_are_reported_and_the_others_read() {
    let imported = import(&[FAULTY]);
    assert_eq!(imported.resources.len(), 1);
    let paths: Vec<&str> = errors(&imported).iter().map(|(path, _)| *path).collect();
    assert_eq!(paths, ["items[1].status", "items[2].commitmentEndDate", "items[3].offerId", "items[4]", "totalCount"]);
}

#[test]
fn an_order_alone_does_not_say_what_it_bought() {
    let imported = import(&[CANCEL]);
    assert!(imported.resources.is_empty());
    assert_eq!(errors(&imported).len(), 1);
}

#[test]
fn other_payloads_are_not_claimed() {
    for text in [
        r#"{"items": [{"id": "1", "status": "active", "offerId": "x"}]}"#,
        r#"{"orders": [{"name": "billingAccounts/1/orders/2"}]}"#,
        r#"[{"id": "1", "lineItems": [{"id": 3}]}]"#,
        "[]",
        "{}",
        "3",
    ] {
        let json: Value = serde_json::from_str(text).unwrap();
        assert!(!MicrosoftPartner::recognises(&ImportFile { name: "f.json", json: Some(&json), text }), "{text}");
    }
    assert!(!MicrosoftPartner::recognises(&ImportFile { name: "f.csv", json: None, text: "a,b" }));
}

#[test]
fn an_empty_listing_is_read_too() {
    let imported = import(&[r#"{"totalCount": 0, "items": [], "attributes": {"objectType": "Collection"}}"#]);
    assert!(imported.resources.is_empty() && imported.remarks.is_empty());
}
