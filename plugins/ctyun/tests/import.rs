//! Reading what Tianyi Cloud's API answers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use recoup_conformance::payloads;
use recoup_core::adapter::Provider;
use recoup_core::import::{ImportFile, Imported};
use recoup_ctyun::Ctyun;
use serde_json::{Value, json};

fn payload(name: &str) -> Value {
    payloads::payload(env!("CARGO_MANIFEST_DIR"), name)
}

fn import(json: &Value) -> Imported {
    payloads::import::<Ctyun>(&[("answer", json)])
}

#[test]
fn an_answer_that_does_not_say_how_things_are_billed_is_told_and_not_guessed() {
    let read = import(&payload("order-query.json"));
    assert!(read.resources.is_empty());
    assert!(read.remarks[0].is_error);
    assert_eq!(read.remarks[0].path, "returnObj");
    assert!(read.remarks[0].what.starts_with("3 resources of type \"VM\" in an order with status 3 (done)"));
}

#[test]
fn an_unsubscription_order_names_no_resource() {
    let read = import(&payload("refund-ebs.json"));
    assert!(read.resources.is_empty());
    assert_eq!(read.remarks[0].path, "response.returnObj");
    assert!(read.remarks[0].what.starts_with("order 20230211111612272839 names no resource"));
}

#[test]
fn other_files_are_not_claimed() {
    for other in [json!({"statusCode": 800}), json!({"returnObj": {"orderStatus": "3"}}), json!([])] {
        assert!(!Ctyun::recognises(&ImportFile { name: "x", json: Some(&other), text: "" }), "{other}");
    }
}
