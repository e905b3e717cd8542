//! The provider's own answer beside recoup's: through loaded libraries, in every face, and in records.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::process::{Command, Output};

use recoup_core::money::Amount;
use recoup_tests::{dist, root};
use serde_json::{Value, json};

fn recoup(args: &[&str]) -> Output {
    Command::new(dist().join("recoup")).current_dir(root().join("fixtures")).args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// What is stated of a resource in the answers to some payloads.
fn stated(files: &[&str], at: &str, more: &[&str], id: &str) -> Value {
    let output = recoup(&[&["assess", "--format", "ndjson", "--at", at], more, files].concat());
    let answers = out(&output);
    let mut answers = answers.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    answers.find(|answer| answer["resource"] == id).unwrap()["stated"].clone()
}

const AZURE: [&str; 3] =
    ["azure/payloads/calculate_refund.json", "azure/payloads/reservations.json", "azure/payloads/order_schedule.json"];
const VM: &str = "/providers/Microsoft.Capacity/reservationOrders/50000000-aaaa-bbbb-cccc-100000000004/reservations/40000000-aaaa-bbbb-cccc-100000000000";

#[test]
fn a_window_that_the_api_states_agrees_with_the_published_one() {
    let files = [
        "microsoft-partner/payloads/subscriptions-page-1.json",
        "microsoft-partner/payloads/subscriptions-page-2.json",
        "microsoft-partner/payloads/orders.json",
    ];
    let found = stated(&files, "2026-05-08", &[], "sub-nce");
    let expected = json!([{
        "by": "cancellationAllowedUntilDate", "exit": "in_use", "until": "2026-05-11T10:00:00Z",
        "own": {"exit": "in_use", "outcome": "conditional", "until": "2026-05-11T10:00:00Z"},
    }]);
    assert_eq!(found, expected);
}

#[test]
fn a_window_that_the_api_states_otherwise_differs_by_so_many_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let mut page: Value = serde_json::from_str(
        &std::fs::read_to_string(root().join("fixtures/microsoft-partner/payloads/subscriptions-page-1.json")).unwrap(),
    )
    .unwrap();
    page["items"][0]["cancellationAllowedUntilDate"] = json!("2026-05-12T11:00:00Z");
    page["totalCount"] = json!(3);
    let path = folder.path().join("page.json");
    std::fs::write(&path, page.to_string()).unwrap();
    let orders = "microsoft-partner/payloads/orders.json";
    let found = stated(&[path.to_str().unwrap(), orders], "2026-05-08", &[], "sub-nce");
    assert_eq!(found[0]["own"]["until"], "2026-05-11T10:00:00Z");
    assert_eq!(found[0]["difference"], json!({"until_seconds": 25 * 3600}));
}

#[test]
fn a_refusal_of_the_api_is_beside_what_the_rules_say() {
    let found = stated(&AZURE, "2023-07-21", &[], VM);
    assert_eq!(found[0]["allowed"], false);
    assert_eq!(found[0]["says"], "SelfServiceRefundNotSupported");
    assert_eq!(found[0]["own"]["outcome"], "conditional");
}

#[test]
fn a_quoted_refund_differs_by_an_amount_in_its_currency() {
    let files = [
        "alibaba/payloads/joined/instances-page-1.json",
        "alibaba/payloads/joined/instances-page-2.json",
        "alibaba/payloads/joined/orders.json",
        "alibaba/payloads/joined/order-detail-purchase.json",
        "alibaba/payloads/joined/order-detail-renewal.json",
        "alibaba/payloads/joined/bill.json",
        "alibaba/payloads/joined/transactions.json",
        "alibaba/payloads/joined/quote.json",
    ];
    let found = stated(&files, "2025-06-01", &[], "i-0001");
    assert_eq!(found[0]["refund"], "2650.00");
    let amount = |text: &Value| text.as_str().unwrap().parse::<Amount>().unwrap();
    let (own, by) = (amount(&found[0]["own"]["refund"]), amount(&found[0]["difference"]["refund"]));
    assert_eq!(own + by, amount(&found[0]["refund"]), "{found}");
    assert!(!by.is_zero());
}

#[test]
fn every_face_shows_both() {
    let quote = "aws/payloads/exchange-quote.json";
    let files = ["aws/payloads/reserved-instances-page-1.json", "aws/payloads/reserved-instances-page-2.json", quote];
    for format in ["table", "markdown", "html", "csv"] {
        let output = recoup(&[&["assess", "--at", "2026-05-08", "--format", format][..], &files].concat());
        let text = out(&output).replace('\u{a0}', " ");
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains("50.68"), "{format}: {text}");
        assert!(text.contains("GetReservedInstancesExchangeQuote"), "{format}");
    }
    let output = recoup(&[&["explain", "--id", "ri-convertible", "--at", "2026-05-08"][..], &files].concat());
    let text = out(&output).replace('\u{a0}', " ");
    for expected in [
        "  states    open, charge 100.00 USD (GetReservedInstancesExchangeQuote)",
        "  rules     exchange conditional, until 2027-12-31 00:00 UTC, charge 49.32 USD",
        "  beside    differs from the rules: charge 50.68 USD more",
    ] {
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_record_carries_what_was_stated() {
    let folder = tempfile::tempdir().unwrap();
    let record = json!({
        "provider": "hetzner", "id": "a", "product": "konsoleh", "billing": "subscription", "status": "active",
        "stated": [{"by": "quote", "exit": "none", "allowed": true, "until": "2026-06-01", "refund": "1.00", "currency": "EUR", "at": "2026-05-01"}],
    });
    for (name, text) in [
        ("p.ndjson", format!("{record}\n")),
        (
            "p.csv",
            format!(
                "provider,id,product,billing,status,stated\nhetzner,a,konsoleh,subscription,active,\"{}\"\n",
                record["stated"].to_string().replace('"', "\"\"")
            ),
        ),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let found = stated(&[path.to_str().unwrap()], "2026-05-08", &[], "a");
        assert_eq!(found[0]["by"], "quote", "{name}");
        assert_eq!(found[0]["difference"], json!({"allowed": true}), "{name}: {found}");
    }
    let path = folder.path().join("bad.ndjson");
    let mut bad = record.clone();
    bad["stated"][0]["allowed"] = json!("perhaps");
    std::fs::write(&path, format!("{bad}\n")).unwrap();
    let output = recoup(&["assess", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("\"stated[0].allowed\": expected true, false or null, found the text \"perhaps\""), "{said}");
}
