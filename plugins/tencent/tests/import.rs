//! What is read from Tencent Cloud's payloads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use recoup_conformance::payloads::{self, errors};
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_core::time::Zone;
use recoup_tencent::Tencent;
use serde_json::{Value, json};

fn payload(name: &str) -> Value {
    payloads::payload(env!("CARGO_MANIFEST_DIR"), name)
}

fn read(payloads: &[(&str, Value)]) -> Imported {
    let payloads: Vec<(&str, &Value)> = payloads.iter().map(|(name, json)| (*name, json)).collect();
    payloads::import::<Tencent>(&payloads)
}

fn records(imported: &Imported) -> Vec<Value> {
    payloads::records(imported, Zone::fixed_hours(8))
}

#[test]
fn an_order_listing_says_what_was_bought_and_for_how_much() {
    let imported = read(&[("deals.json", payload("describe-deals-by-cond.json"))]);
    assert_eq!(errors(&imported), []);
    // 17000 fen are 170.00; by which kinds of money, from when and until when no listing says.
    let expected = json!({
        "provider": "tencent", "site": "cn", "account": "1007416710", "id": "ins-abscde", "product": "p_abc",
        "project": "0", "billing": "subscription", "status": "active", "purchased_at": "2020-09-22T00:00:00+08:00",
        "orders": [{"id": "20220214710000851640811", "kind": "purchase", "status": "paid",
            "placed_at": "2020-09-22T00:00:00+08:00", "term_months": 1, "currency": "CNY", "due": "170.00"}],
    });
    assert_eq!(records(&imported), [expected]);
}

#[test]
fn pages_of_a_listing_and_a_bill_are_joined() {
    let imported = read(&[
        ("page-1.json", payload("deals-page-1.json")),
        ("page-2.json", payload("deals-page-2.json")),
        ("bill.json", payload("bill-detail-purchase.json")),
    ]);
    assert_eq!(errors(&imported), []);
    let records = records(&imported);
    let ids: Vec<&Value> = records.iter().map(|record| &record["id"]).collect();
    assert_eq!(ids, ["ins-1", "ins-2", "ins-3", "ins-4"]);
    let expected = json!({
        "provider": "tencent", "site": "cn", "account": "100000000001", "id": "ins-1", "name": "web", "product": "p_cvm",
        "region": "ap-guangzhou", "project": "0", "billing": "subscription", "status": "active",
        "purchased_at": "2026-03-01T10:00:05+08:00", "starts_at": "2026-03-01T10:00:30+08:00",
        "ends_at": "2027-03-01T10:00:30+08:00",
        "orders": [
            {"id": "20260301000000000001", "kind": "purchase", "status": "paid",
             "placed_at": "2026-03-01T10:00:00+08:00", "paid_at": "2026-03-01T10:00:05+08:00",
             "starts_at": "2026-03-01T10:00:30+08:00", "ends_at": "2027-03-01T10:00:30+08:00",
             "term_unit": "year", "term_count": 1, "currency": "CNY", "list_price": "1200.00", "due": "1000.00",
             "payments": [{"instrument": "cash", "amount": "770.00"}, {"instrument": "bonus", "amount": "130.00"},
                          {"instrument": "voucher", "amount": "100.00"}]},
            {"id": "20260310000000000021", "kind": "renewal", "status": "unpaid",
             "placed_at": "2026-03-10T08:00:00+08:00", "term_months": 1, "currency": "CNY",
             "list_price": "100.00", "due": "83.00"},
        ],
        "facts": {"paid_by_partner": false},
    });
    assert_eq!(records[0], expected);
    // Two hosts of one order: its money is not told apart.
    assert_eq!(records[1]["orders"][0].get("due"), None);
    // Paid by a voucher alone and refunded.
    assert_eq!(records[3]["status"], "released");
    assert_eq!(records[3]["orders"][0]["status"], "refunded");
    assert_eq!(records[3]["orders"][0]["payments"], json!([{"instrument": "voucher", "amount": "50.00"}]));
}

#[test]
fn a_truncated_listing_is_an_error() {
    let imported = read(&[("page-1.json", payload("deals-page-1.json"))]);
    let expected = "says 5 orders, 2 are there: add the other pages of the listing";
    assert_eq!(errors(&imported), [("Response.TotalCount", expected)]);
    assert_eq!(imported.resources.len(), 3);
}

#[test]
fn a_bad_order_is_reported_and_the_others_are_read() {
    let mut page = payload("deals-page-1.json");
    page["Response"]["TotalCount"] = json!(2);
    page["Response"]["Deals"][0]["RealTotalCost"] = json!("much");
    let imported = read(&[("page.json", page)]);
    assert_eq!(errors(&imported), [("Response.Deals[0].RealTotalCost", "expected a decimal, found \"much\"")]);
    assert_eq!(imported.resources.len(), 2);
}

#[test]
fn an_order_without_its_resources_is_an_error() {
    let mut page = payload("describe-deals-by-cond.json");
    page["Response"]["Deals"][0]["ResourceId"] = Value::Null;
    let imported = read(&[("page.json", page)]);
    assert_eq!(errors(&imported).len(), 1);
    assert_eq!(errors(&imported)[0].0, "Response.Deals[0].ResourceId");
}

#[test]
fn answers_on_eligibility_become_facts() {
    let imported = read(&[("returnable.json", payload("describe-instances-returnable.json"))]);
    assert_eq!(errors(&imported), []);
    let expected = [
        json!({"provider": "tencent", "id": "lhins-ruy9d2tw", "product": "lighthouse", "billing": "subscription",
            "status": "active", "facts": {"promotion": false, "refund_not_supported": false},
            "stated": [{"by": "IsReturnable", "allowed": true, "says": "code 0 可以退还"}]}),
        json!({"provider": "tencent", "id": "lhins-xusdke45", "product": "lighthouse", "billing": "subscription",
            "status": "expired", "stated": [{"by": "IsReturnable", "allowed": false, "says": "code 2 资源已过期"}]}),
    ];
    assert_eq!(records(&imported), expected);
}

#[test]
fn every_code_of_eligibility_has_its_meaning() {
    for (code, field, value) in [
        (1, "status", json!("released")),
        (2, "status", json!("expired")),
        (4, "billing", json!("pay_as_you_go")),
        (9, "facts", json!({"promotion": true})),
        (11, "facts", json!({"referral_order": true})),
        (12, "facts", json!({"refund_not_supported": true})),
        (3, "status", json!("active")),
    ] {
        let answer = json!({"Response": {"TotalCount": 1, "RequestId": "r", "DiskReturnableSet":
            [{"DiskId": "lhdisk-1", "IsReturnable": false, "ReturnFailCode": code, "ReturnFailMessage": "m"}]}});
        let imported = read(&[("disks.json", answer)]);
        let record = &records(&imported)[0];
        assert_eq!(record["product"], "lighthouse-disk");
        assert_eq!(record[field], value, "code {code}");
    }
}

#[test]
fn quotes_are_kept_with_their_resource_and_refund_orders_are_remarks() {
    let imported = read(&[
        ("quote.json", payload("inquiry-price-terminate-instances.json")),
        ("refund.json", payload("refund-instance.json")),
    ]);
    assert_eq!(errors(&imported), []);
    assert_eq!(imported.resources.len(), 1);
    assert_eq!(imported.resources[0].id, "ins-rfmme2si");
    assert_eq!(
        records(&imported)[0]["stated"],
        json!([{
            "by": "InquiryPriceTerminateInstances", "refund": "2644.44",
            "says": "退款：2644.44元，现金券： 0元,代金券/折扣券不退（全额退款;'}",
        }])
    );
    assert!(imported.remarks[0].what.contains("20251201*************"), "{}", imported.remarks[0].what);
}

#[test]
fn a_refund_in_the_bill_or_of_a_partner_refunds_the_orders_that_it_names() {
    let mut bill = payload("describe-bill-detail-row.json");
    bill["AssociatedOrder"] = json!({"PrepayPurchase": "20260301000000000001"});
    bill["ResourceId"] = json!("ins-1");
    let mut agent = payload("agent-refund-deal.json");
    agent["RefundMap"][0]["DealName"] = json!("20260301000000000011");
    let mut page = payload("deals-page-1.json");
    page["Response"]["TotalCount"] = json!(2);
    let imported = read(&[("page.json", page), ("bill.json", bill), ("agent.json", agent)]);
    assert_eq!(errors(&imported), []);
    let records = records(&imported);
    assert_eq!(records[0]["billing"], "pay_as_you_go");
    for record in &records {
        assert_eq!(record["orders"][0]["status"], "refunded", "{record}");
    }
}

#[test]
fn what_others_print_is_not_claimed() {
    for json in [
        json!({}),
        json!([]),
        json!({"Response": {"RequestId": "r"}}),
        json!({"Deals": [{"id": 1}]}),
        json!({"Orders": [{"OrderId": "1", "Status": 4}]}),
        json!({"orders": []}),
        json!({"Price": {"InstancePrice": {}}}),
        json!({"RetCode": 0, "Action": "ListUBillDetailResponse", "Items": []}),
    ] {
        let file = ImportFile { name: "other.json", json: Some(&json), text: "" };
        assert!(!Tencent::recognises(&file), "{json}");
    }
}

#[test]
fn a_refund_row_of_a_bill_shows_what_came_back_by_instrument() {
    let imported = read(&[("row.json", payload("describe-bill-detail-row.json"))]);
    let refund = &imported.refunds[0];
    let returned: Vec<_> =
        refund.returned.iter().map(|(instrument, amount)| (instrument.as_str(), amount.to_string())).collect();
    assert_eq!(returned, [("cash", "80.43264806".to_owned()), ("bonus", "0.45735194".to_owned())]);
    assert_eq!(refund.id.as_deref(), Some("20230707400000442821061"));
    assert_eq!(refund.order.as_deref(), Some("20230707400000442656611"));
    assert_eq!(refund.currency.as_str(), "CNY");
    assert_eq!(refund.at.unwrap().display(Zone::fixed_hours(8)).to_string(), "2023-07-07T16:14:18+08:00");
}
