//! What AWS prints, read into records.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use recoup_aws::Aws;
use recoup_conformance::payloads;
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_core::time::Zone;
use serde_json::{Value, json};

#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
fn fixture(path: &str) -> Value {
    let path = format!("{}/../../fixtures/aws/{path}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
}

fn file<'a>(name: &'a str, json: &'a Value) -> ImportFile<'a> {
    ImportFile { name, json: Some(json), text: "" }
}

fn import(payloads: &[(&str, &Value)]) -> Imported {
    payloads::import::<Aws>(payloads)
}

fn records(imported: &Imported) -> Value {
    payloads::records(imported, Zone::UTC).into()
}

fn remarks(imported: &Imported) -> Value {
    imported
        .remarks
        .iter()
        .map(|r| json!({"file": r.file, "path": r.path, "what": r.what, "is_error": r.is_error}))
        .collect()
}

/// `fixtures/aws/records.json` says which payloads are read together and what comes out.
#[test]
fn payloads_become_exactly_these_records() {
    let expected = fixture("records");
    for run in expected.as_array().unwrap() {
        let names: Vec<&str> = run["files"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let payloads: Vec<Value> = names.iter().map(|name| fixture(&format!("payloads/{name}"))).collect();
        let together: Vec<(&str, &Value)> = names.iter().copied().zip(&payloads).collect();
        let imported = import(&together);
        let actual = json!({"files": names, "records": records(&imported), "remarks": remarks(&imported)});
        assert_eq!(&actual, run, "found\n{actual:#}");
    }
}

#[test]
fn a_listing_without_its_further_pages_is_an_error() {
    let page = fixture("payloads/reserved-instances-page-1");
    let imported = import(&[("page-1", &page)]);
    let errors: Vec<_> = imported.remarks.iter().filter(|remark| remark.is_error).collect();
    assert_eq!(imported.resources.len(), 2);
    assert_eq!(errors.len(), 1);
    assert_eq!((errors[0].file.as_str(), errors[0].path.as_str()), ("page-1", "NextToken"));
    assert!(errors[0].what.contains("goes on"));
}

#[test]
fn the_same_resource_twice_is_one() {
    let full = fixture("payloads/reserved-instance");
    let mut part = full.clone();
    part.as_object_mut().unwrap().remove("End");
    let imported = import(&[("part", &part), ("full", &full)]);
    assert_eq!(imported.resources.len(), 1);
    let end = imported.resources[0].ends_at.map(|end| end.display(Zone::UTC).to_string());
    assert_eq!(end.as_deref(), Some("2023-08-27T13:29:44Z"));
}

#[test]
fn both_spellings_and_single_items_are_read() {
    let printed = fixture("payloads/reserved-instance");
    let lower: Value = printed
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (format!("{}{}", name[..1].to_lowercase(), &name[1..]), value.clone()))
        .collect();
    let listed = json!({"reservedInstancesSet": [lower]});
    let bare = json!([printed]);
    for payload in [&listed, &bare] {
        assert_eq!(records(&import(&[("f", payload)])), records(&import(&[("f", &printed)])));
    }
}

#[test]
fn a_bad_item_is_named_and_the_others_are_read() {
    let plans = fixture("payloads/savings-plans");
    let mut broken = plans.clone();
    broken["savingsPlans"][0]["commitment"] = json!("one");
    broken["savingsPlans"].as_array_mut().unwrap().push(json!({"name": "stranger"}));
    let imported = import(&[("plans", &broken)]);
    assert_eq!(imported.resources.len(), 1);
    let errors: Vec<(&str, &str)> =
        imported.remarks.iter().map(|remark| (remark.path.as_str(), remark.what.as_str())).collect();
    assert_eq!(
        errors,
        [
            ("savingsPlans[0].commitment", "expected a decimal, found \"one\""),
            (
                "savingsPlans[2]",
                "expected a Savings Plan with \"savingsPlanId\" and \"savingsPlanType\", found another item"
            ),
        ]
    );
}

#[test]
fn what_is_not_of_aws_is_left_alone() {
    for json in [
        json!({"value": [{"id": "/providers/microsoft.capacity/reservationOrders/1", "sku": {"name": "Standard_D2"}}]}),
        json!({"ReservedInstances": {"ReservedInstance": [{"ReservedInstanceId": "ecsri-1", "Status": "Active"}]}}),
        json!({"ReservedInstances": [{"ReservedInstanceId": "ri-1", "Status": "Active"}]}),
        json!({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}),
        json!({"resources": []}),
        json!([{"provider": "aws", "id": "r-1"}]),
        json!("text"),
    ] {
        assert!(!Aws::recognises(&file("f", &json)), "{json}");
    }
    assert!(!Aws::recognises(&ImportFile { name: "f", json: None, text: "savingsPlans" }));
}

#[test]
fn what_is_read_can_be_read_again_from_a_portfolio() {
    let payload = fixture("payloads/savings-plans");
    for record in import(&[("plans", &payload)]).resources {
        let json = record.to_json(Zone::UTC);
        let again = recoup_core::record::ResourceRecord::from_json(&json, &|_, _| Some(Zone::UTC)).unwrap();
        assert_eq!(again.record, record);
        assert!(again.remarks.is_empty());
    }
}

#[test]
fn a_completed_billing_adjustment_shows_what_came_back() {
    let event = fixture("payloads/billing-adjustment-event");
    let imported = import(&[("event.json", &event)]);
    let refund = &imported.refunds[0];
    assert_eq!(
        (refund.id.as_deref(), refund.resource.as_deref(), refund.currency.as_str(), refund.unnamed.to_string()),
        (Some("ba-abcdexampleid"), Some("agmt-abcdexampleid"), "USD", "1000.00".to_owned())
    );
    // One that is not completed has given nothing back yet.
    let mut pending = event;
    pending["detail-type"] = json!("Purchase Agreement Billing Adjustment Pending - Acceptor");
    let files = [file("event.json", &pending)];
    assert!(Aws::import(&files).refunds.is_empty());
}
