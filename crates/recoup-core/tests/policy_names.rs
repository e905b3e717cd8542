//! What a policy says for hosts: names of cost exports, marks of payloads, the usual commitment.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use recoup_core::policy::{Policy, Rulebook};
use serde_json::{Value, json};

fn policy(more: Value) -> Policy {
    let mut json = json!({
        "provider": "example", "title": "Example Cloud",
        "site": [{"id": "intl", "title": "International", "zone": "UTC", "default": true}],
        "product": [
            {"id": "vm", "names": ["ExampleVM"], "focus": ["Elastic Machines"]},
            {"id": "sql-database", "names": ["sql"]},
        ],
    });
    let (Value::Object(policy), Value::Object(more)) = (&mut json, more) else { return Policy::default() };
    policy.extend(more);
    serde_json::from_value(json).unwrap()
}

#[test]
fn exports_lead_to_products_by_letters_and_digits_alone() {
    let policy = policy(json!({}));
    for (name, expected) in [
        ("Elastic Machines", Some("vm")),
        ("elastic-machines", Some("vm")),
        ("Example VM", Some("vm")),
        ("SQL Database", Some("sql-database")),
        ("Elastic", None),
        ("", None),
        (" - ", None),
    ] {
        assert_eq!(policy.product_of_export(name).map(|product| product.id.as_str()), expected, "{name:?}");
    }
}

#[test]
fn a_record_does_not_go_by_a_name_of_exports() {
    let book = Rulebook::new(policy(json!({}))).unwrap();
    assert!(book.product("Elastic Machines").is_none() && book.product("examplevm").is_some());
}

#[test]
fn a_policy_that_contradicts_itself_does_not_build() {
    for (more, expected) in [
        (
            json!({"product": [{"id": "a", "focus": ["X"]}, {"id": "b", "focus": ["x"]}]}),
            "b: the name \"x\" of exports is there twice",
        ),
        (json!({"usual": {"product": "vm", "billing": "lease", "says": "a lease"}}), "usual: "),
        (json!({"usual": {"product": "vm", "billing": "package", "class": "gold", "says": ""}}), "usual: "),
        (json!({"usual": {"product": "vm", "billing": "package", "payment_option": "never", "says": ""}}), "usual: "),
    ] {
        let error = Rulebook::new(policy(more)).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}
