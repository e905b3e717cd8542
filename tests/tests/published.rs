//! What the adapters carry of the procedure: reasons, batches, calls, answers and console steps.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::Arc;

use recoup_core::flow::{Leaving, Purpose, Values};
use recoup_core::policy::Policy;
use recoup_core::vocab::{Channel, Exit};
use recoup_tests::linked;

fn policies() -> Vec<Arc<Policy>> {
    linked().iter().map(|adapter| Arc::clone(adapter.policy())).collect()
}

#[test]
fn every_policy_reads_and_crosses_the_boundary_unchanged() {
    for policy in policies() {
        let json = serde_json::to_string(&policy).unwrap();
        let again: Policy = serde_json::from_str(&json).unwrap();
        assert_eq!(again, *policy, "{}", policy.provider);
    }
}

#[test]
fn every_call_can_be_prepared_where_everything_is_known() {
    let resources = ["r-1".to_owned()];
    let given = ["ProductCode", "SubProductCode", "StartTime", "EndTime"]
        .map(|name| (name.to_owned(), name.to_uppercase()))
        .into_iter()
        .collect();
    let values = Values {
        resources: &resources,
        token: Some("C1-1-1"),
        reason: Some("5"),
        reason_text: Some("no longer needed"),
        quantity: Some("1"),
        product: Some("product"),
        region: Some("region"),
        project: Some("project"),
        account: Some("account"),
        order: Some("order-1"),
        session: Some("session-1"),
        given: Some(&given),
    };
    let mut prepared = 0;
    for policy in policies() {
        for call in &policy.flow.calls {
            for site in &policy.sites {
                let request = call.prepare(&site.id, &values).unwrap_or_else(|error| panic!("{error}"));
                let text = format!("{request:?}");
                assert!(!text.contains("{resource") && !text.contains("{token"), "{text}");
                assert_eq!(request.token.is_some(), call.token.is_some(), "{text}");
                if call.purpose == Purpose::Leave {
                    let sent = format!(
                        "{}{}",
                        request.url(Some("http://127.0.0.1")).unwrap(),
                        request.body_text().unwrap_or_default()
                    );
                    assert!(sent.contains("r-1"), "{sent}");
                }
                prepared += 1;
            }
        }
    }
    assert!(prepared > 20, "{prepared}");
}

#[test]
fn a_resource_leaves_with_its_renewals_by_one_kind_of_call_and_without_them_by_another() {
    let policy = policies().into_iter().find(|policy| policy.provider == "huawei").unwrap();
    let resources = ["vm-1".to_owned(), "vm-2".to_owned()];
    let values = Values { resources: &resources, reason: Some("5"), ..Values::default() };
    for (exit, kind) in [(Exit::InUse, 1), (Exit::FullRefund, 1), (Exit::RenewalPeriod, 2)] {
        let leaving = Leaving {
            billing: Some(recoup_core::vocab::Billing::Subscription),
            channel: Some(Channel::Api),
            ..Leaving::new("intl", exit, "hws.service.type.ec2")
        };
        let call = policy.call(Purpose::Leave, &leaving).unwrap();
        let request = call.prepare("intl", &values).unwrap();
        assert_eq!(
            request.url(None).unwrap(),
            "https://bss-intl.myhuaweicloud.com/v2/orders/subscriptions/resources/unsubscribe"
        );
        assert_eq!(
            request.body_text().unwrap(),
            format!(r#"{{"resource_ids":["vm-1","vm-2"],"unsubscribe_reason_type":5,"unsubscribe_type":{kind}}}"#)
        );
        assert_eq!(policy.batch_rule(&leaving).unwrap().max, Some(10));
    }
    // The European site's host is printed nowhere.
    let leaving = Leaving {
        billing: Some(recoup_core::vocab::Billing::Subscription),
        channel: Some(Channel::Api),
        ..Leaving::new("eu", Exit::InUse, "ecs")
    };
    let request = policy.call(Purpose::Leave, &leaving).unwrap().prepare("eu", &values).unwrap();
    assert!(request.url(None).unwrap_err().to_string().contains("no page prints the host"));
}

#[test]
fn in_the_console_several_leave_together_only_of_five_products() {
    // "Unsubscribing from a Cloud Resource", 2020-09-16: batch possible for ECS, EVS, RDS, VPC, CCE.
    let policy = policies().into_iter().find(|policy| policy.provider == "huawei").unwrap();
    for (product, together) in [
        ("ecs", true),
        ("hws.service.type.ebs", true),
        ("rds", true),
        ("vpc", true),
        ("cce", true),
        ("mrs", false),
        ("dws", false),
    ] {
        let leaving = Leaving { channel: Some(Channel::Console), ..Leaving::new("cn", Exit::InUse, product) };
        assert_eq!(policy.batch_rule(&leaving).unwrap().allows_batch(), together, "{product}");
    }
    // "Unsubscribing from Inactive Resources": several selected together, whatever they are.
    let leaving = Leaving { channel: Some(Channel::Console), ..Leaving::new("cn", Exit::Inactive, "cbr") };
    assert!(policy.batch_rule(&leaving).unwrap().allows_batch());
}

#[test]
fn what_has_no_api_has_steps_with_the_pages_that_describe_them() {
    let policy = policies().into_iter().find(|policy| policy.provider == "alibaba").unwrap();
    let leaving = Leaving { channel: Some(Channel::Console), ..Leaving::new("intl", Exit::InUse, "ecs") };
    assert!(policy.call(Purpose::Leave, &leaving).is_none());
    let steps = policy.worklist(&leaving).unwrap();
    let page = steps.steps[0].page.as_ref().unwrap();
    assert!(policy.source(page).unwrap().url.starts_with("https://"));
}

#[test]
fn the_providers_codes_are_told_apart() {
    let policies = policies();
    let of = |provider: &str| policies.iter().find(|policy| policy.provider == provider).unwrap();
    for (provider, call, code, says) in [
        ("huawei", "CancelResourcesSubscription", "CBC.99003651", "Another transaction is in progress"),
        ("alibaba", "RefundInstance", "ExistUnPaidOrderError", "An order is not settled"),
        (
            "tencent",
            "TerminateInstances",
            "UnsupportedOperation.InstanceStateBanning",
            "The instance is in a state in which it cannot be returned",
        ),
        ("aws", "ReturnSavingsPlan", "ServiceQuotaExceededException", "The returns of the year are used up"),
    ] {
        assert_eq!(of(provider).known_error(call, code).map(|error| error.says.as_str()), Some(says));
    }
    assert_eq!(of("huawei").known_error("CancelResourcesSubscription", "CBC.1"), None);
}
