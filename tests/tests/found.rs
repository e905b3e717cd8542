//! Faults that generated resources brought to light, each named after what it was.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use recoup_core::context::Run;
use recoup_core::record::{AccountRecord, ResourceRecord};
use recoup_core::ruling::RulingData;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Exit, Outcome, Reason};
use recoup_engine::{Assessor, Engine};
use recoup_tests::linked;
use serde_json::{Value, json};

fn instant(text: &str) -> Instant {
    Instant::parse(text, Zone::UTC).unwrap()
}

/// What the rules say of an exit of a resource at some instants.
fn ruled<const N: usize>(resource: &Value, accounts: &[Value], exit: Exit, at: [&str; N]) -> [RulingData; N] {
    let engine = Engine::from_adapters(linked());
    let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
    let record = ResourceRecord::from_json(resource, &zone_of).unwrap().record;
    let accounts: Vec<AccountRecord> =
        accounts.iter().map(|account| AccountRecord::from_json(account, &zone_of).unwrap().record).collect();
    at.map(|at| {
        let assessor = Assessor::new(&engine, Run::at(instant(at)).with_accounts(accounts.clone()));
        let answered = assessor.assess(vec![record.clone()]).remove(0).unwrap();
        answered.assessment.ruling(exit).unwrap_or_else(|| panic!("{exit} is not ruled")).clone()
    })
}

#[test]
fn a_tencent_order_that_had_not_begun_came_to_be_charged_at_an_unnamed_instant() {
    let resource = json!({"provider": "tencent", "site": "intl", "id": "a", "product": "tcb", "billing": "subscription",
        "status": "active", "ends_at": "2026-06-01T17:13:37+08:00",
        "orders": [{"kind": "purchase", "status": "paid", "starts_at": "2025-12-01T17:13:37+08:00",
            "ends_at": "2026-06-01T17:13:37+08:00", "currency": "USD", "payments": [{"instrument": "cash", "amount": "80.00"}]}],
        "facts": {"transaction_in_progress": false, "promotion": false, "invoiced": false, "unpaid_order": false,
            "termination_protection": false}});
    let [before, after] = ruled(&resource, &[], Exit::InUse, ["2025-11-30T15:59:59Z", "2025-12-02T00:00:00Z"]);
    assert_eq!(before.outcome(), Outcome::Allowed);
    // From its start on it is charged by a price that is not known here.
    assert_eq!(after.outcome(), Outcome::Conditional);
    assert_eq!(before.until, Some(instant("2025-12-01T17:13:37+08:00")));
}

#[test]
fn a_ucloud_order_that_had_not_begun_came_to_be_charged_at_an_unnamed_instant() {
    let resource = json!({"provider": "ucloud", "site": "cn", "id": "a", "product": "uhost", "billing": "subscription",
        "status": "active", "ends_at": "2026-03-06T20:00:01+08:00",
        "orders": [{"kind": "purchase", "status": "paid", "starts_at": "2026-03-05T20:00:01+08:00",
            "ends_at": "2026-03-06T20:00:01+08:00", "currency": "CNY", "payments": [{"instrument": "cash", "amount": "0.04"}]}],
        "facts": {"promotion": false}});
    let [before, after] = ruled(&resource, &[], Exit::InUse, ["2026-03-05T12:00:00Z", "2026-03-05T12:30:00Z"]);
    assert_eq!((before.outcome(), after.outcome()), (Outcome::Allowed, Outcome::Conditional));
    assert_eq!(before.until, Some(instant("2026-03-05T20:00:01+08:00")));
}

#[test]
fn an_order_that_coupons_paid_is_not_charged_and_its_start_is_no_change() {
    let order = |kind: &str| {
        json!({"kind": "purchase", "status": "paid", "starts_at": "2025-12-01T00:00:00+08:00",
        "ends_at": "2026-06-01T00:00:00+08:00", "currency": "CNY", "payments": [{"instrument": kind, "amount": "80.00"}]})
    };
    for (provider, site, product) in [("tencent", "cn", "tcb"), ("ucloud", "cn", "uhost")] {
        let until = |kind: &str| {
            let resource = json!({"provider": provider, "site": site, "id": "a", "product": product,
                "billing": "subscription", "status": "active", "ends_at": "2026-06-01T00:00:00+08:00",
                "orders": [order(kind)], "facts": {"promotion": false, "transaction_in_progress": false,
                    "invoiced": false, "unpaid_order": false, "termination_protection": false}});
            let [before, _] = ruled(&resource, &[], Exit::InUse, ["2025-11-30T15:00:00Z", "2025-12-02T00:00:00Z"]);
            before.until
        };
        let start = Some(instant("2025-12-01T00:00:00+08:00"));
        assert_eq!(until("cash"), start, "{provider}");
        assert_ne!(until("voucher"), start, "{provider}");
    }
}

fn reservation(recurring: &str) -> Value {
    json!({"provider": "azure", "site": "global", "account": "a", "id": "a", "product": "CosmosDb", "billing": "reservation",
        "status": "active", "starts_at": "2025-05-15T21:00:43+08:00", "ends_at": "2026-05-15T21:00:43+08:00",
        "commitment": {"term_months": 12, "payment_option": "monthly", "currency": "USD", "recurring": recurring,
            "recurring_every": "month"},
        "orders": [], "facts": {"requester_authorised": true, "csp_customer": false, "billing_channel": "mca"}})
}

fn returned_in_euros(at: &str) -> [Value; 1] {
    [json!({"provider": "azure", "site": "global", "account": "a", "currency": "USD",
        "returns": [{"at": at, "amount": "7613.35", "currency": "EUR", "exit": "return"}]})]
}

#[test]
fn an_azure_return_above_the_whole_pool_waited_for_what_was_used_of_it() {
    let accounts = returned_in_euros("2025-01-01T07:43:20+08:00");
    let [ruling] = ruled(&reservation("70310.18"), &accounts, Exit::Return, ["2025-11-30T15:59:59Z"]);
    assert!(ruling.refused_for(Reason::QuotaExhausted), "{ruling:?}");
}

#[test]
fn an_azure_pool_of_unknown_use_came_to_be_known_at_an_unnamed_instant() {
    let accounts = returned_in_euros("2025-01-01T07:43:20+08:00");
    let at = ["2025-11-30T15:59:59Z", "2026-01-02T00:00:00Z"];
    let [before, after] = ruled(&reservation("100.00"), &accounts, Exit::Return, at);
    let waits_for_the_pool =
        |ruling: &RulingData| ruling.unknowns.iter().any(|one| one.reason == Reason::QuotaExhausted);
    assert!(waits_for_the_pool(&before) && !waits_for_the_pool(&after), "{before:?}\n{after:?}");
    let until = before.until.expect("an instant at which it is known");
    assert!(until > instant("2025-12-31T00:00:00Z") && until < instant("2026-01-02T00:00:00Z"), "{until:?}");
}

#[test]
fn an_alibaba_downgrade_counted_by_the_hour_rose_and_fell_without_a_named_instant_between() {
    let resource = json!({"provider": "alibaba", "site": "cn", "id": "a", "product": "anti_ddos_ip", "billing": "subscription",
        "status": "active", "starts_at": "2024-12-20T00:00:00+08:00", "ends_at": "2025-12-20T00:00:00+08:00",
        "orders": [{"kind": "purchase", "status": "paid", "starts_at": "2024-12-20T00:00:00+08:00",
            "ends_at": "2025-12-20T00:00:00+08:00", "term_months": 12, "currency": "CNY", "list_price": "43800.00",
            "due": "43800.00", "payments": [{"instrument": "cash", "amount": "43800.00"}]}],
        "facts": {"used": true, "downgrade_monthly_price": "1440.00"}});
    // Twelve months of 720 hours are 120 hours less than a year.
    let turn = "2024-12-25T00:00:00+08:00";
    let rulings =
        ruled(&resource, &[], Exit::Downgrade, ["2024-12-20T00:00:00+08:00", turn, "2024-12-26T00:00:00+08:00"]);
    let refunds = rulings.each_ref().map(|ruling| ruling.refund.as_ref().unwrap().refund());
    assert!(refunds[0] < refunds[1] && refunds[1] > refunds[2], "{refunds:?}");
    assert_eq!(rulings[0].until, Some(instant(turn)));
}

#[test]
fn third_party_software_came_to_be_convertible_on_its_day_of_purchase_at_an_unnamed_instant() {
    let resource = json!({"provider": "microsoft-partner", "site": "global", "account": "a", "id": "a",
        "product": "marketplace-saas", "billing": "subscription", "seller": "marketplace", "status": "active",
        "starts_at": "2024-06-15T00:00:00Z", "ends_at": "2024-08-15T00:00:00Z",
        "orders": [{"kind": "renewal", "status": "paid", "placed_at": "2024-07-11T16:25:59Z",
            "starts_at": "2024-07-15T00:00:00Z", "ends_at": "2024-08-15T00:00:00Z", "term_months": 1, "currency": "EUR",
            "due": "5895.00", "payments": [{"instrument": "credit", "amount": "5895.00"}]}],
        "facts": {"refund_not_supported": false, "requester_authorised": true}});
    let [before] = ruled(&resource, &[], Exit::Marketplace, ["2024-07-10T12:00:00Z"]);
    assert_eq!(before.until, Some(instant("2024-07-11T00:00:00Z")));
    ruled(&resource, &[], Exit::Exchange, ["2024-07-11T00:00:00Z"]);
}
