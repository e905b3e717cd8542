//! What the provider's payloads are read as. Sources: fixtures/alibaba/README.md.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use recoup_alibaba::Alibaba;
use recoup_conformance::payloads;
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_core::time::Zone;
use serde_json::{Value, json};

fn payload(name: &str) -> Value {
    payloads::payload(env!("CARGO_MANIFEST_DIR"), &format!("{name}.json"))
}

fn import(names: &[&str]) -> Imported {
    let read: Vec<Value> = names.iter().map(|name| payload(name)).collect();
    let named: Vec<(&str, &Value)> = names.iter().copied().zip(&read).collect();
    payloads::import::<Alibaba>(&named)
}

/// The records without what is null.
fn records(imported: &Imported) -> Value {
    payloads::records(imported, Zone::fixed_hours(8)).into()
}

fn errors(imported: &Imported) -> Vec<&str> {
    imported.remarks.iter().filter(|remark| remark.is_error).map(|remark| remark.what.as_str()).collect()
}

/// Every field of `expected` stands in `found`.
fn assert_has(found: &Value, expected: &Value, path: &str) {
    match (found, expected) {
        (_, Value::Object(fields)) => {
            for (name, value) in fields {
                assert_has(found.get(name).unwrap_or(&Value::Null), value, &format!("{path}.{name}"));
            }
        }
        (Value::Array(items), Value::Array(wanted)) => {
            assert_eq!(items.len(), wanted.len(), "{path}: {found}");
            for (index, (item, want)) in items.iter().zip(wanted).enumerate() {
                assert_has(item, want, &format!("{path}[{index}]"));
            }
        }
        _ => assert_eq!(found, expected, "{path}"),
    }
}

#[test]
fn the_demo_listings_are_read_and_known_to_be_cut() {
    let imported = import(&["QueryAvailableInstances"]);
    assert_has(
        &records(&imported),
        &json!([{
            "provider": "alibaba", "id": "1049056", "product": "rds", "billing": "subscription", "status": "active",
            "account": "325352345", "region": "cn-hangzhou",
            "purchased_at": "2019-09-09T00:00:00+08:00", "ends_at": "2019-09-09T00:00:00+08:00",
            "facts": {"auto_renew": false}
        }]),
        "",
    );
    assert_eq!(errors(&imported), ["the listing says that there are 11 instances, 1 were given: pages are missing"]);
    // The demo prints an explanation in the place of the status.
    assert!(imported.remarks.iter().any(|remark| remark.path == "Data.InstanceList[0].Status" && !remark.is_error));

    let imported = import(&["QueryResourcePackageInstances"]);
    assert_has(
        &records(&imported),
        &json!([{
            "id": "OSSBAG-cn-v0h1s4hma01", "product": "oss", "billing": "package", "status": "active",
            "name": "标准存储包(华东2)", "starts_at": "2018-09-12T17:51:56+08:00", "ends_at": "2019-03-13T00:00:00+08:00",
            "commitment": {"unit": "GB", "total_units": "40", "used_units": "0", "used_fraction": "0"}
        }]),
        "",
    );
    assert_eq!(errors(&imported).len(), 1);

    let imported = import(&["QuerySavingsPlansInstance"]);
    assert_has(
        &records(&imported),
        &json!([{
            "id": "spn-xxxxxxxx", "product": "ecs", "billing": "savings_plan", "status": "active", "site": "cn",
            "starts_at": "2020-01-01T00:00:00+08:00", "ends_at": "2021-01-01T00:00:00+08:00",
            "commitment": {"term_months": 12, "payment_option": "all_upfront", "hourly": "1", "currency": "CNY", "upfront": "8760.00"}
        }]),
        "",
    );
}

#[test]
fn documentation_text_in_the_place_of_values_is_no_crash() {
    for name in [
        "QueryOrders",
        "GetOrderDetail",
        "InquiryPriceRefundInstance",
        "RefundInstance",
        "QueryAccountTransactions",
        "DescribeInstanceBill",
        "QueryInstanceBill",
        "QueryRelationList",
        "ConvertChargeType",
        "CancelOrder",
        "QueryCashCoupons",
        "QueryPrepaidCards",
        "ecd.DescribeRefundPrice",
        "ecs.ModifyInstanceChargeType",
    ] {
        let imported = import(&[name]);
        assert!(imported.resources.is_empty(), "{name}: {:?}", imported.resources);
    }
    let detail = import(&["GetOrderDetail"]);
    assert!(errors(&detail).is_empty(), "{:?}", detail.remarks);
    assert!(detail.remarks.iter().any(|remark| remark.path == "Data.OrderList.Order[0].OrderType"));
    // A failed call decides by Success and Code, not by Message.
    let refund = import(&["RefundInstance"]);
    assert!(refund.remarks.iter().any(|remark| remark.what.contains("ResourceNotExists")));
}

#[test]
fn an_answer_that_could_be_anyones_is_not_claimed() {
    let (name, json) = ("cas.RefundInstance", payload("cas.RefundInstance"));
    assert!(!Alibaba::recognises(&ImportFile { name, json: Some(&json), text: "" }));
    for other in [
        json!({"Data": []}),
        json!([]),
        json!({"RequestId": "x", "Data": {"Items": []}}),
        json!({"ReservedInstances": []}),
    ] {
        assert!(!Alibaba::recognises(&ImportFile { name: "other", json: Some(&other), text: "" }), "{other}");
    }
}

#[test]
fn the_files_of_an_account_are_joined() {
    let imported = import(&[
        "joined/instances-page-1",
        "joined/instances-page-2",
        "joined/orders",
        "joined/order-detail-renewal",
        "joined/order-detail-purchase",
        "joined/bill",
        "joined/transactions",
        "joined/quote",
        "joined/relations",
    ]);
    assert_eq!(errors(&imported), Vec::<&str>::new());
    let found = records(&imported);
    assert_has(
        &found,
        &json!([
            {
                "id": "i-0001", "product": "ecs", "billing": "subscription", "status": "active", "account": "100000000000001",
                "purchased_at": "2025-01-01T09:00:00+08:00", "starts_at": "2025-01-01T00:00:00+08:00",
                "ends_at": "2027-01-01T00:00:00+08:00",
                "facts": {"auto_renew": false, "api_refund_supported": true},
                "stated": [{"by": "InquiryPriceRefundInstance", "currency": "USD", "refund": "2650.00"}],
                "orders": [
                    {
                        "id": "9001", "kind": "purchase", "status": "paid", "currency": "USD", "list_price": "3650.00", "due": "3650.00",
                        "starts_at": "2025-01-01T00:00:00+08:00", "ends_at": "2026-01-01T00:00:00+08:00", "paid_at": "2025-01-01T09:05:00+08:00",
                        "payments": [{"instrument": "cash", "amount": "3500.00"}, {"instrument": "cash_coupon", "amount": "150.00"}],
                        "facts": {"joined_financial_group_after_purchase": true}
                    },
                    {
                        "id": "9002", "kind": "renewal", "status": "paid", "due": "3000.00",
                        "starts_at": "2026-01-01T00:00:00+08:00", "ends_at": "2027-01-01T00:00:00+08:00",
                        "payments": [{"instrument": "card", "amount": "3000.00"}],
                        "facts": {"joined_financial_group_after_purchase": false}
                    }
                ]
            },
            {"id": "swas-0001", "product": "swas", "status": "active", "facts": {"auto_renew": true}},
            {"id": "lb-0001", "product": "slb", "billing": "pay_as_you_go", "ends_at": null}
        ]),
        "",
    );
    // The unpaid order of the listing names no instance.
    assert!(imported.remarks.iter().any(|remark| remark.what.contains("9003") && !remark.is_error));
}

#[test]
fn the_same_page_twice_is_one_listing() {
    let imported = import(&["joined/instances-page-1", "joined/instances-page-1", "joined/instances-page-2"]);
    assert_eq!(imported.resources.len(), 3);
    let half = import(&["joined/instances-page-1", "joined/instances-page-1"]);
    assert_eq!(errors(&half).len(), 1);
}

#[test]
fn a_bad_item_does_not_cost_the_others() {
    let mut json = payload("joined/instances-page-1");
    json["Data"]["InstanceList"][0]["EndTime"] = json!("soon");
    json["Data"]["TotalCount"] = json!(2);
    let file = ImportFile { name: "page", json: Some(&json), text: "" };
    let imported = Alibaba::import(&[file]);
    assert_eq!(imported.resources.len(), 1);
    let bad = imported.remarks.iter().find(|remark| remark.is_error).unwrap();
    assert_eq!(bad.path, "Data.InstanceList[0].EndTime");
    assert!(bad.what.contains("expected an instant"), "{}", bad.what);
}
