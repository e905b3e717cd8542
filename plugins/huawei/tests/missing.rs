//! Records with gaps: nothing panics, and an answer without a figure says why.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;

use recoup_core::adapter::Rules;
use recoup_huawei::Huawei;
use serde_json::Value;

/// Every resource of the cases with one field less, of itself or of one of its orders.
fn with_gaps(resource: &Value) -> Vec<Value> {
    let mut all = Vec::new();
    let fields = resource.as_object().unwrap().keys();
    for field in fields.filter(|field| !["provider", "id", "product", "billing", "status"].contains(&field.as_str())) {
        let mut less = resource.clone();
        less.as_object_mut().unwrap().remove(field);
        all.push(less);
    }
    for (index, order) in resource.get("orders").and_then(Value::as_array).into_iter().flatten().enumerate() {
        for field in order.as_object().unwrap().keys().filter(|field| !["kind", "status"].contains(&field.as_str())) {
            let mut less = resource.clone();
            let order = less.pointer_mut(&format!("/orders/{index}")).unwrap();
            order.as_object_mut().unwrap().remove(field);
            all.push(less);
        }
    }
    all
}

#[test]
fn a_gap_is_never_a_silent_yes() {
    let rules = Rules::<Huawei>::load().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/huawei/cases");
    for case in recoup_conformance::read_cases(&folder).unwrap() {
        let run = case.run(&|_, site| rules.zone_of(site)).unwrap();
        for resource in with_gaps(case.resource()) {
            // A bare duration such as `term_unit` without its count cannot be read; that is told elsewhere.
            let Ok(answer) = rules.assess_json(&run, &resource) else { continue };
            for exit in answer.get("exits").and_then(Value::as_array).unwrap() {
                let open = exit.get("outcome").unwrap() == "allowed";
                assert!(!open || exit.get("refund").unwrap().is_object(), "{}: {resource}: {exit}", case.id);
            }
        }
    }
}
