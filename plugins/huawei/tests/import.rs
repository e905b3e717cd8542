//! What the billing APIs print becomes records, exactly.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use recoup_conformance::payloads;
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_core::time::Zone;
use recoup_huawei::Huawei;
use serde_json::{Value, json};

fn payload(name: &str) -> Value {
    payloads::payload(env!("CARGO_MANIFEST_DIR"), name)
}

fn read(values: &[Value]) -> Imported {
    let names: Vec<String> = (0..values.len()).map(|index| format!("file-{index}.json")).collect();
    let named: Vec<(&str, &Value)> = names.iter().map(String::as_str).zip(values).collect();
    payloads::import::<Huawei>(&named)
}

fn records(imported: &Imported) -> Value {
    payloads::records(imported, Zone::UTC).into()
}

fn errors(imported: &Imported) -> Vec<String> {
    let errors = imported.remarks.iter().filter(|remark| remark.is_error);
    errors.map(|remark| format!("{}: {}: {}", remark.file, remark.path, remark.what)).collect()
}

#[test]
fn resources_in_version_1() {
    let imported = read(&[payload("v1/queryResourcesList.json")]);
    assert_eq!(errors(&imported), Vec::<String>::new());
    assert_eq!(
        records(&imported),
        json!([{
            "provider": "huawei", "id": "2498f7c4-ac2d-47e3-8729-a683d5755c07", "name": "114.115.169.185",
            "product": "hws.service.type.vpc", "region": "cn-north-1", "project": "3f0ba7064edd4a06849eef1c9d71a400",
            "billing": "subscription", "status": "active",
            "starts_at": "2018-04-26T18:03:03Z", "ends_at": "2018-06-27T15:59:59Z",
            "facts": {"auto_renew": true},
        }])
    );
}

#[test]
fn order_details_in_version_1() {
    let imported = read(&[payload("v1/queryOrdersDetail.json")]);
    assert_eq!(errors(&imported), Vec::<String>::new());
    assert_eq!(
        records(&imported),
        json!([{
            "provider": "huawei", "site": "cn", "account": "d75acd98d7b546a8a58fe60170110298",
            "id": "CS1906210009V3LZ2-000001", "name": "普通IO", "product": "hws.service.type.ebs",
            "billing": "subscription", "status": "active", "quantity": "1",
            "purchased_at": "2019-06-20T16:10:11Z",
            "starts_at": "2019-06-20T16:10:30Z", "ends_at": "2019-07-21T15:59:59Z",
            "orders": [{
                "id": "CS1906210009V3LZ2", "kind": "purchase", "status": "paid",
                "placed_at": "2019-06-20T16:09:52Z", "paid_at": "2019-06-20T16:10:11Z",
                "starts_at": "2019-06-20T16:10:30Z", "ends_at": "2019-07-21T15:59:59Z",
                "term_months": 1, "quantity": "1", "currency": "CNY", "list_price": "3.00", "due": "3.00",
                "payments": [{"instrument": "cash_coupon", "amount": "3.00"}],
            }],
        }])
    );
}

#[test]
fn a_cancelled_order_bought_nothing() {
    let imported = read(&[payload("v1/queryOrdersList.json")]);
    assert_eq!(errors(&imported), Vec::<String>::new());
    assert_eq!(records(&imported), json!([]));
    assert!(imported.remarks.iter().any(|remark| remark.what.contains("was cancelled")), "{:?}", imported.remarks);
}

#[test]
fn a_refund_in_hundredths_marks_its_order() {
    // The order of the details, refunded by 2.88 (measure 3 counts hundredths).
    let mut refund = payload("v1/queryRefundOrder.json");
    let alone = read(&[refund.clone()]);
    assert_eq!(records(&alone), json!([]));
    assert!(alone.remarks[0].what.contains("no file shows order CS1806201614MS037"), "{:?}", alone.remarks);
    refund["resource_info_list"][0]["preOrderId"] = "CS1906210009V3LZ2".into();
    let imported = read(&[payload("v1/queryOrdersDetail.json"), refund]);
    assert_eq!(records(&imported)[0]["orders"][0]["status"], "refunded");
}

#[test]
fn lists_that_cannot_be_assessed_say_so() {
    let imported = read(&[payload("v1/queryResources.json"), payload("v1/unsubscribeOrder.json")]);
    assert_eq!(records(&imported), json!([]));
    assert_eq!(errors(&imported).len(), 1);
    assert!(errors(&imported)[0].contains("does not say how resource 01c25b49c6a1464299bc0997a52975f7 is billed"));
    assert!(imported.remarks[1].what.contains("CS1801271804739RJ"));
}

#[test]
fn files_of_one_account_are_joined() {
    let names = ["resources-page-1", "resources-page-2", "orders", "details-purchase", "details-renewal", "packages"];
    let payloads: Vec<Value> = names.iter().map(|name| payload(&format!("v2/{name}.json"))).collect();
    let imported = read(&payloads);
    assert_eq!(errors(&imported), Vec::<String>::new());
    let purchase = |cash: &str, coupon: Option<&str>, end: &str, months: u32, due: &str| {
        let mut payments = vec![json!({"instrument": "cash", "amount": cash})];
        payments.extend(coupon.map(|amount| json!({"instrument": "cash_coupon", "amount": amount})));
        json!({
            "id": "CS-1", "kind": "purchase", "status": "paid",
            "placed_at": "2025-09-01T02:28:20Z", "paid_at": "2025-09-01T02:29:00Z",
            "starts_at": "2025-09-01T02:30:00Z", "ends_at": end, "term_months": months, "quantity": "1",
            "currency": "USD", "list_price": due, "due": due, "payments": payments,
        })
    };
    let common = |id: &str, product: &str, status: &str, start: &str, end: &str, renews: bool| {
        json!({
            "provider": "huawei", "id": id, "name": format!("name-{id}"), "product": product, "region": "eu-west-101",
            "project": "ep-1", "billing": "subscription", "status": status, "starts_at": start, "ends_at": end,
            "facts": {"auto_renew": renews},
        })
    };
    let mut vm = common("vm-1", "hws.service.type.ec2", "active", "2025-09-01T02:30:00Z", "2025-10-31T15:59:59Z", true);
    vm["account"] = "cust-1".into();
    vm["purchased_at"] = "2025-09-01T02:29:00Z".into();
    vm["orders"] = json!([
        purchase("634.00", Some("66.00"), "2025-10-01T15:59:59Z", 1, "700.00"),
        {
            "id": "CS-2", "kind": "renewal", "status": "paid",
            "placed_at": "2025-09-05T01:00:00Z", "paid_at": "2025-09-05T01:01:00Z",
            "starts_at": "2025-10-01T16:00:00Z", "ends_at": "2025-10-31T15:59:59Z", "term_months": 1, "quantity": "1",
            "currency": "USD", "list_price": "720.10", "due": "720.10",
            "payments": [{"instrument": "cash", "amount": "720.10"}],
        },
    ]);
    let mut disk =
        common("disk-1", "hws.service.type.ebs", "active", "2025-09-01T02:30:00Z", "2025-10-31T15:59:59Z", false);
    disk["account"] = "cust-1".into();
    disk["primary"] = "vm-1".into();
    disk["purchased_at"] = "2025-09-01T02:29:00Z".into();
    disk["orders"] = json!([purchase("100.00", None, "2025-10-31T15:59:59Z", 2, "100.00")]);
    let ip = common("eip-1", "hws.service.type.vpc", "frozen", "2025-08-01T02:30:00Z", "2025-09-01T15:59:59Z", false);
    let package = json!({
        "provider": "huawei", "account": "cust-1", "id": "pkg-1", "name": "OBS 100 GB", "product": "hws.service.type.obs",
        "region": "eu-west-101", "project": "0", "billing": "package", "status": "queued",
        "purchased_at": "2025-09-01T02:29:00Z", "starts_at": "2025-12-01T00:00:00Z", "ends_at": "2026-11-30T15:59:59Z",
        "commitment": {"unit": "storage", "total_units": "100", "used_units": "24.5"},
        "orders": [{
            "id": "CS-3", "kind": "purchase", "status": "paid",
            "placed_at": "2025-09-01T02:28:20Z", "paid_at": "2025-09-01T02:29:00Z",
            "currency": "USD", "list_price": "100.00", "due": "100.00",
            "payments": [{"instrument": "cash", "amount": "100.00"}], "facts": {"paid_by_partner": true},
        }],
    });
    let released = json!({
        "provider": "huawei", "id": "pkg-2", "name": "OBS 100 GB", "product": "hws.service.type.obs",
        "region": "eu-west-101", "billing": "package", "status": "released",
        "starts_at": "2025-01-01T00:00:00Z", "ends_at": "2025-12-31T15:59:59Z",
    });
    assert_eq!(records(&imported), json!([vm, disk, ip, package, released]));
    // The order that unsubscribes is no order of a resource.
    assert!(imported.remarks.iter().any(|remark| remark.what.contains("order CS-9 buys nothing")));
    // The order of files does not matter.
    let backwards: Vec<Value> = payloads.iter().rev().cloned().collect();
    let mut again: Vec<Value> = records(&read(&backwards)).as_array().unwrap().clone();
    let mut once: Vec<Value> = records(&imported).as_array().unwrap().clone();
    let by_id = |value: &Value| value["id"].as_str().unwrap().to_owned();
    again.sort_by_key(by_id);
    once.sort_by_key(by_id);
    assert_eq!(again, once);
}

#[test]
fn a_truncated_listing_is_an_error() {
    let imported = read(&[payload("v2/resources-page-1.json")]);
    assert_eq!(
        errors(&imported),
        [
            "file-0.json: total_count: the listing has 3 items, 2 are here: expected the other pages (\"offset\" and \"limit\") too"
        ]
    );
    assert_eq!(imported.resources.len(), 2);
}

#[test]
fn a_bad_item_is_an_error_and_the_others_are_read() {
    let mut page = payload("v2/resources-page-1.json");
    page["total_count"] = 2.into();
    page["data"][0]["status"] = 9.into();
    let imported = read(&[page]);
    assert_eq!(
        errors(&imported),
        [
            "file-0.json: data[0].status: \"data[0].status\": expected 2 (in use), 3 (closed), 4 (frozen) or 5 (expired), found 9"
        ]
    );
    assert_eq!(imported.resources.len(), 1);
    assert_eq!(imported.resources[0].id, "disk-1");
}

#[test]
fn orders_that_leave_a_gap_are_left_out() {
    // Without the renewal nobody knows which order runs in October.
    let imported = read(&[
        payload("v2/resources-page-1.json"),
        payload("v2/resources-page-2.json"),
        payload("v2/details-purchase.json"),
    ]);
    assert_eq!(errors(&imported).len(), 1);
    assert!(errors(&imported)[0].contains("the orders of vm-1 cover its period until 2025-10-01T15:59:59Z only"));
    assert_eq!(imported.resources[0].orders, None);
    assert!(imported.resources[1].orders.is_some());
}

#[test]
fn a_refund_of_what_is_still_in_use_was_a_downgrade() {
    let names = ["resources-page-1", "resources-page-2", "details-purchase", "details-renewal", "refunds"];
    let payloads: Vec<Value> = names.iter().map(|name| payload(&format!("v2/{name}.json"))).collect();
    let records = records(&read(&payloads));
    let kinds: Vec<&str> =
        records[0]["orders"].as_array().unwrap().iter().map(|order| order["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"downgrade"), "{kinds:?}");
}

#[test]
fn an_order_that_names_nothing_asks_for_its_details() {
    let imported = read(&[payload("v2/orders.json")]);
    assert_eq!(errors(&imported).len(), 3);
    assert!(errors(&imported)[0].contains("nothing here tells what order CS-1 bought"));
}

#[test]
fn two_equal_resources_are_not_told_apart() {
    let mut page = payload("v2/resources-page-1.json");
    page["total_count"] = 2.into();
    let mut twin = page["data"][0].clone();
    twin["resource_id"] = "vm-2".into();
    page["data"][1] = twin;
    let imported = read(&[page, payload("v2/details-renewal.json")]);
    assert_eq!(errors(&imported).len(), 1);
    assert!(errors(&imported)[0].contains("fits several resources"));
    assert!(imported.resources.iter().all(|resource| resource.orders.is_none()));
}

#[test]
fn details_alone_make_one_resource_a_purchase() {
    // Without a list: the renewal follows its purchase, and two lines of one product are two resources.
    let names = ["details-renewal", "details-purchase"];
    let payloads: Vec<Value> = names.iter().map(|name| payload(&format!("v2/{name}.json"))).collect();
    let imported = read(&payloads);
    assert_eq!(errors(&imported), Vec::<String>::new());
    let found = records(&imported);
    let ids: Vec<&str> = found.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["CS-1-000001", "CS-1-000002"]);
    assert_eq!(found[0]["orders"].as_array().unwrap().len(), 2);
    assert_eq!(found[0]["ends_at"], "2025-10-31T15:59:59Z");

    let mut twins = payload("v2/details-purchase.json");
    twins["order_line_items"][1] = twins["order_line_items"][0].clone();
    twins["order_line_items"][1]["order_line_item_id"] = "CS-1-000002".into();
    let imported = read(&[twins]);
    assert_eq!(imported.resources.len(), 2);
    assert!(imported.resources.iter().all(|resource| resource.orders.as_ref().is_some_and(|orders| orders.len() == 1)));
}

#[test]
fn a_combined_order_has_its_amounts_on_its_parts() {
    let mut orders = payload("v2/orders.json");
    let part = orders["order_infos"][2].clone();
    let mut whole = part.clone();
    whole["order_id"] = "CS-0".into();
    whole["sub_order_infos"] = json!([part]);
    orders["order_infos"] = json!([whole]);
    orders["total_count"] = 1.into();
    let imported = read(&[orders, payload("v2/packages.json")]);
    assert_eq!(errors(&imported), Vec::<String>::new());
    assert_eq!(records(&imported)[0]["orders"][0]["id"], "CS-3");
}

#[test]
fn an_amount_without_a_measure_is_unknown() {
    let mut details = payload("v1/queryOrdersDetail.json");
    details["orderInfo"]["measureId"] = Value::Null;
    let imported = read(&[details.clone()]);
    assert_eq!(imported.resources[0].orders.as_ref().unwrap()[0].payments, None);
    details["orderInfo"]["measureId"] = 3.into();
    let hundredths = read(&[details]);
    assert_eq!(records(&hundredths)[0]["orders"][0]["due"], "0.03");
}

#[test]
fn other_files_are_not_claimed() {
    for other in [
        json!({"data": [], "total_count": 0}),
        json!({"data": [{"resource_id": "x", "service_type_code": "y"}]}),
        json!({"orders": [{"order_id": "x"}]}),
        json!({"value": [{"id": "x"}], "total_count": 1}),
        json!([]),
        json!([1, 2]),
        json!("text"),
    ] {
        let file = ImportFile { name: "other.json", json: Some(&other), text: "" };
        assert!(!Huawei::recognises(&file), "{other}");
    }
}

#[test]
fn refund_orders_show_what_came_back_in_the_currency_of_their_order() {
    let order = json!({"order_infos": [{"order_id": "CS-1", "order_type": 1, "status": 5, "amount_after_discount": 100.5,
        "measure_id": 1, "currency": "USD", "create_time": "2026-01-01T00:00:00Z", "service_type_code": "hws.service.type.ec2"}],
        "total_count": 1});
    let imported = read(&[payload("v2/refunds.json"), order]);
    // The positive amount is what was kept, not what came.
    let refunds: Vec<_> = imported
        .refunds
        .iter()
        .map(|refund| {
            (refund.id.as_deref(), refund.order.as_deref(), refund.currency.to_string(), refund.unnamed.to_string())
        })
        .collect();
    assert_eq!(refunds, [(Some("ref-1"), Some("CS-1"), "USD".to_owned(), "50.50".to_owned())]);
    // Without the order nobody knows the currency, and no figure is made up.
    let alone = read(&[payload("v2/refunds.json")]);
    assert!(alone.refunds.is_empty());
    assert!(alone.remarks.iter().any(|remark| remark.what.contains("prints no currency")), "{:?}", alone.remarks);
}
