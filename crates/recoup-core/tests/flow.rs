//! Calls as they are described, filled in, and their answers read.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use recoup_core::flow::{Encoding, Leaving, PrepareError, Purpose, Values, encode};
use recoup_core::policy::Policy;
use recoup_core::vocab::{Billing, Channel, Exit};
use serde_json::{Value, json};

/// A policy with one call and what else a test says of its flow.
fn policy(call: &Value, flow: &Value) -> Policy {
    let mut whole = json!({"id": "Leave", "purpose": "leave", "method": "POST", "path": "/leave/{resource}",
        "answer": {"ok": [200], "error_code": ["/error/code", "/code"], "error_message": ["/error/message"]}, "sources": ["api"]});
    for (name, value) in call.as_object().unwrap() {
        whole[name] = value.clone();
    }
    let mut flow = flow.clone();
    flow["call"] = json!([whole]);
    let policy: Policy = serde_json::from_value(json!({
        "provider": "acme", "title": "Acme",
        "site": [{"id": "global", "title": "Acme", "zone": "UTC", "default": true}, {"id": "cn", "title": "Acme", "zone": "+08:00"}],
        "edition": [{"from": "2024-01-01", "what": "all"}],
        "source": [{"key": "api", "title": "API", "url": "https://acme.example/api"}],
        "clause": [{"id": "acme.refund", "says": "All of it.", "sources": ["api"]}],
        "product": [{"id": "vm", "names": ["Virtual Machine"]}, {"id": "disk"}],
        "flow": flow,
    }))
    .unwrap();
    policy.flow.check(&policy).unwrap();
    policy
}

fn prepared(call: &Value, values: &Values<'_>) -> Result<String, PrepareError> {
    let policy = policy(call, &json!({}));
    let call = policy.call(Purpose::Leave, &Leaving::new("global", Exit::InUse, "vm")).unwrap().clone();
    let request = call.prepare("global", values)?;
    let body = request.body_text().map(|body| format!(" {body}")).unwrap_or_default();
    Ok(format!("{} {}{body}", request.method, request.url(Some("http://host/"))?))
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[test]
fn placeholders_are_filled_where_they_stand() {
    let one = ids(&["a b/c?d"]);
    let two = ids(&["a", "b"]);
    let given = BTreeMap::from([("Code".to_owned(), "x&y".to_owned())]);
    let values =
        Values { resources: &one, quantity: Some("2"), reason: Some("5"), given: Some(&given), ..Values::default() };
    for (call, expected) in [
        // In a path everything is escaped but the slashes of an id that is a path.
        (json!({}), "POST http://host/leave/a%20b/c%3Fd"),
        (
            json!({"query": {"Action": "Leave", "Id": "{resource}", "Code": "{given.Code}"}}),
            "POST http://host/leave/a%20b/c%3Fd?Action=Leave&Id=a%20b%2Fc%3Fd&Code=x%26y",
        ),
        (
            json!({"path": "/leave", "body": {"ids": "{resources}", "n": "{quantity:number}", "s": "{quantity}", "fix": [1, true, null]}}),
            r#"POST http://host/leave {"ids":["a b/c?d"],"n":2,"s":"2","fix":[1,true,null]}"#,
        ),
        // What is optional and not known is left out, with its field.
        (
            json!({"path": "/leave", "body": {"id": "id:{resource}", "text": "{reason_text?}", "n": "{given.No:number?}", "in": {"token": "{region?}"}}}),
            r#"POST http://host/leave {"id":"id:a b/c?d","in":{}}"#,
        ),
        (
            json!({"path": "/leave", "encoding": "form", "body": {"Id": "{resource}", "N": "{reason:number}"}}),
            "POST http://host/leave Id=a%20b%2Fc%3Fd&N=5",
        ),
    ] {
        assert_eq!(prepared(&call, &values).unwrap(), expected);
    }
    let many = Values { resources: &two, ..Values::default() };
    let error = prepared(&json!({}), &many).unwrap_err();
    assert_eq!(error, PrepareError::OneAtATime { call: "Leave".to_owned(), count: 2 });
    assert_eq!(
        prepared(&json!({"path": "/leave", "query": {"Ids": "{resources}"}}), &many).unwrap(),
        "POST http://host/leave?Ids=%5B%22a%22%2C%22b%22%5D"
    );
}

#[test]
fn what_is_missing_is_told_by_its_name() {
    let one = ids(&["a"]);
    let values = Values { resources: &one, reason: Some("hard to use"), ..Values::default() };
    for (body, expected) in [
        (json!({"id": "{resource}", "t": "{reason_text}"}), "Leave needs the reason text, which is not known here"),
        (
            json!({"id": "{resource}", "t": "{given.SubCode}"}),
            "Leave needs \"SubCode\", which no record shows: it must be given",
        ),
        (json!({"id": "{resource}", "t": "{reason:number}"}), "Leave needs a number as reason, found \"hard to use\""),
        (json!({"id": "{resource}", "t": "{region:number}"}), "Leave needs the region, which is not known here"),
    ] {
        let error = prepared(&json!({"path": "/leave", "body": body}), &values).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let policy = policy(&json!({"hosts": {"cn": "cn.acme.example"}}), &json!({}));
    let call = &policy.flow.calls[0];
    assert_eq!(call.prepare("cn", &values).unwrap().url(None).unwrap(), "https://cn.acme.example/leave/a");
    assert_eq!(
        call.prepare("global", &values).unwrap().url(None).unwrap_err().to_string(),
        "no page prints the host of Leave: it must be given"
    );
}

#[test]
fn a_token_is_cut_to_what_the_provider_takes() {
    let one = ids(&["a"]);
    let token = "0123456789".repeat(8);
    let values = Values { resources: &one, token: Some(&token), ..Values::default() };
    let call = json!({"path": "/leave/{resource}", "body": {"token": "{token}"}, "token": {"max_chars": 36}});
    let sent = prepared(&call, &values).unwrap();
    assert!(sent.ends_with(&format!(r#"{{"token":"{}"}}"#, &token[..36])), "{sent}");
}

#[test]
fn a_part_of_the_flow_holds_where_it_says_and_the_first_one_decides() {
    let policy = policy(
        &json!({}),
        &json!({
            "batch": [
                {"says": "alone", "when": {"products": ["Virtual Machine"], "channels": ["console"]}, "max": 1, "sources": ["api"]},
                {"says": "in China", "when": {"sites": ["cn"]}, "max": 5, "failure": "whole_order", "sources": ["api"]},
                {"says": "plans", "when": {"billings": ["savings_plan"], "exits": ["return"]}, "max": 2, "sources": ["api"]},
                {"says": "else", "sources": ["api"]}
            ],
            "hidden": [{"says": "disks", "when": {"products": ["disk"]}, "sources": ["api"]}],
            "owed": [{"clause": "acme.refund", "when": {"exits": ["in_use"]}}],
            "reason": [{"code": "1", "says": "any", "sources": ["api"]},
                {"code": "2", "says": "in China", "when": {"sites": ["cn"]}, "sources": ["api"]}],
            "worklist": [{"title": "by hand", "when": {"channels": ["console"]}, "sources": ["api"],
                "step": [{"says": "open", "page": "api"}]}]
        }),
    );
    let leaving = |site, exit, product| Leaving::new(site, exit, product);
    let console = Leaving { channel: Some(Channel::Console), ..leaving("cn", Exit::InUse, "VM") };
    let plan = Leaving { billing: Some(Billing::SavingsPlan), ..leaving("global", Exit::Return, "vm") };
    for (what, says) in [
        (console, "alone"),
        // A channel that is not known is not the console.
        (leaving("cn", Exit::InUse, "vm"), "in China"),
        (plan, "plans"),
        (Leaving { exit: Exit::InUse, ..plan }, "else"),
    ] {
        assert_eq!(policy.batch_rule(&what).unwrap().says, says);
    }
    assert!(!policy.batch_rule(&console).unwrap().allows_batch());
    assert!(policy.hidden(&leaving("cn", Exit::InUse, "DISK")).is_some());
    assert!(policy.hidden(&leaving("cn", Exit::InUse, "vm")).is_none());
    assert_eq!(policy.owed(&console).collect::<Vec<_>>(), ["acme.refund"]);
    assert_eq!(policy.owed(&plan).count(), 0);
    assert_eq!((policy.leaving_reasons(&console).count(), policy.leaving_reasons(&plan).count()), (2, 1));
    assert!(policy.worklist(&console).is_some() && policy.worklist(&plan).is_none());
}

#[test]
fn answers_are_read_by_their_description() {
    let checks = json!([{"at": "/Success", "one_of": [true]}, {"at": "/RetCode", "one_of": [0]}]);
    let policy = policy(
        &json!({"answer": {"ok": [200, 202], "checks": checks, "orders": "/orders", "error_code": ["/error/code", "/code"],
            "error_message": ["/error/message"]}}),
        &json!({"error": [
            {"code": "Busy", "says": "busy", "verdict": "retry", "sources": ["api"]},
            {"code": "State.*", "says": "some state", "verdict": "refused", "sources": ["api"]},
            {"code": "State.Gone", "says": "gone", "verdict": "gone", "calls": ["Leave"], "sources": ["api"]}
        ]}),
    );
    let answer = &policy.flow.calls[0].answer;
    assert!(answer.is_success(200, &json!({"Success": true, "RetCode": "0"})));
    for (status, body) in [
        (201, json!({"Success": true, "RetCode": 0})),
        (200, json!({"Success": false, "RetCode": 0})),
        (200, json!({"Success": true})),
        (200, Value::Null),
    ] {
        assert!(!answer.is_success(status, &body), "{status} {body}");
    }
    assert_eq!(answer.code(&json!({"error": {"code": ""}, "code": 7})).as_deref(), Some("7"));
    assert_eq!(answer.code(&json!({"error": {"code": {}}})), None);
    for (orders, expected) in [
        (json!(["a", 7, "", null]), vec!["a", "7", "null"]),
        (json!("a"), vec!["a"]),
        (json!(0), vec![]),
        (json!(null), vec![]),
    ] {
        let found = answer.order_numbers(&json!({"orders": orders}));
        // A null in a list of orders is no order.
        assert_eq!(found, expected.into_iter().filter(|number| *number != "null").collect::<Vec<_>>());
    }
    let says = |code: &str| policy.known_error("Leave", code).map(|error| error.says.as_str());
    assert_eq!(
        [says("Busy"), says("State.Frozen"), says("State.Gone"), says("State"), says("busy")],
        [Some("busy"), Some("some state"), Some("gone"), None, None]
    );
    assert_eq!(policy.known_error("Other", "State.Gone").unwrap().says, "some state");
}

#[test]
fn the_lines_of_a_batch_are_told_apart_in_three_forms() {
    let read = |lines: Value, body: Value| {
        let answer = json!({"ok": [200], "lines": lines});
        let policy = policy(&json!({"answer": answer}), &json!({}));
        let lines = policy.flow.calls[0].answer.lines.clone().unwrap();
        let done: Vec<_> =
            lines.read(&body, &ids(&["a", "b", "c"])).into_iter().map(|line| (line.done, line.order)).collect();
        done
    };
    let (yes, no, open) = ((Some(true), None), (Some(false), None), (None, None));
    let failed = json!({"at": "/failed", "listed": "failed", "id": "id"});
    assert_eq!(
        read(failed.clone(), json!({"failed": [{"id": "b"}, {"other": 1}]})),
        [yes.clone(), no.clone(), yes.clone()]
    );
    assert_eq!(read(failed, json!({})), [yes.clone(), yes.clone(), yes.clone()]);
    // Ids without objects around them.
    let plain = json!({"at": "/failed", "listed": "failed"});
    assert_eq!(read(plain, json!({"failed": ["c"]})), [yes.clone(), yes.clone(), no.clone()]);
    // Of what a list of successes does not name, nothing is known.
    let done = json!({"at": "/done", "listed": "done", "id": "id", "order": "order"});
    let found = read(done, json!({"done": [{"id": "a", "order": "o-1"}]}));
    assert_eq!(found, [(Some(true), Some("o-1".to_owned())), open.clone(), open.clone()]);
    let all = json!({"at": "/results", "listed": "all", "id": "id", "state": {"field": "result", "done": ["SUCCESS"]}});
    let found =
        read(all, json!({"results": [{"id": "a", "result": "SUCCESS"}, {"id": "b", "result": "FAIL"}, {"id": "c"}]}));
    assert_eq!(found, [yes, no, open]);
}

proptest! {
    /// Whatever an id looks like, it arrives as it is: in JSON, in a form and in a query.
    #[test]
    fn an_id_arrives_as_it_is(id in "\\PC{1,30}") {
        let one = vec![id.clone()];
        let values = Values { resources: &one, ..Values::default() };
        let call = json!({"path": "/leave", "query": {"Id": "{resource}"}, "body": {"ids": "{resources}", "id": "{resource}"}});
        let policy = policy(&call, &json!({}));
        let request = policy.flow.calls[0].prepare("global", &values).unwrap();
        let body = request.body.clone().unwrap();
        prop_assert_eq!(&body["id"], &json!(id));
        prop_assert_eq!(&body["ids"], &json!([id]));
        let query = request.path_and_query();
        prop_assert!(query.bytes().all(|byte| byte.is_ascii_graphic()), "{}", query);
        prop_assert_eq!(decoded(query.strip_prefix("/leave?Id=").unwrap()), id.clone());
        let form = encode(&json!({"Id": id}), Encoding::Form);
        prop_assert_eq!(decoded(form.strip_prefix("Id=").unwrap()), id);
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next().unwrap(), rest.next().unwrap()];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).unwrap()
}
