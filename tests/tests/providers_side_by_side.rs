//! The same commitment before every provider, at the instants that matter: one table a scenario.
//!
//! The snapshots are for reading. A change in one is a change of an answer somebody relies on.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![recursion_limit = "256"]

use recoup_core::context::Run;
use recoup_core::record::{AccountRecord, Facts, OrderRecord, ResourceRecord};
use recoup_core::resource::{Payment, Term};
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Billing, Exit, Instrument, OrderKind, OrderStatus, Status, TermUnit};
use recoup_engine::{Assessor, Engine};
use recoup_tests::linked;
use serde_json::json;

/// Facts that say that nothing stands in the way.
fn harmless() -> Facts {
    let json = json!({
        "transaction_in_progress": false, "special_request_open": false, "promotion": false, "invoiced": false, "paid_by_partner": false,
        "reseller_model": false, "referral_order": false, "frozen_security": false, "frozen_legal": false, "arrears": false, "unpaid_order": false,
        "security_risk": false, "paid_image": false, "archived": false, "exists": true, "used": true, "sales_contract": false,
        "trial_benefit_used": false, "support_benefit_used": false, "transferred_in": false, "joined_financial_group_after_purchase": false,
        "left_financial_group": false, "changed_before_renewal": false, "attachment_added_after_renewal": false, "bandwidth_addon": false,
        "refund_not_supported": false, "requester_authorised": true, "private_offer": false, "csp_customer": false, "auto_renew": true,
        "consumer": true, "withdrawal_waived": false, "account_closed": false, "has_dependents": false, "termination_protection": false,
        "converted_from_postpaid": false, "restored_after_refund": false, "suspended_for_content": false, "activated": false,
        "bound_to_gateway": false, "in_shared_bandwidth": false, "os_changed": false, "changed_after_renewal": false, "cross_border": false,
    });
    Facts::from_json(&json, Zone::UTC).unwrap().record
}

fn at(text: &str) -> Instant {
    Instant::parse(text, Zone::fixed_hours(8)).unwrap()
}

/// A year of a virtual server, paid in cash, bought on 1 January 2026.
fn year(provider: &str) -> ResourceRecord {
    let mut resource = ResourceRecord::new(provider, "vm", "ecs", Billing::Subscription, Status::Active);
    resource.account = Some("team".into());
    (resource.purchased_at, resource.starts_at, resource.ends_at) =
        (Some(at("2026-01-01")), Some(at("2026-01-01")), Some(at("2027-01-01")));
    resource.facts = harmless();
    resource.orders =
        Some(vec![order(OrderKind::Purchase, "2026-01-01", "2027-01-01", &[(Instrument::Cash, "3650.00")])]);
    resource
}

fn order(kind: OrderKind, from: &str, to: &str, payments: &[(Instrument, &str)]) -> OrderRecord {
    let mut order = OrderRecord::new(kind, OrderStatus::Paid);
    order.id = Some(format!("o-{from}"));
    (order.placed_at, order.paid_at) = (Some(at("2026-01-01")), Some(at("2026-01-01")));
    (order.starts_at, order.ends_at) = (Some(at(from)), Some(at(to)));
    order.term = Some(Term { unit: TermUnit::Month, count: 12 });
    order.currency = "USD".parse().ok();
    let paid = payments.iter().map(|(instrument, amount)| Payment {
        instrument: *instrument,
        amount: amount.parse().unwrap(),
        expires_at: None,
    });
    order.payments = Some(paid.collect());
    order.list_price = "3650.00".parse().ok();
    order.facts = Facts::from_json(&json!({"usage_discount": "1"}), Zone::UTC).unwrap().record;
    order
}

/// One line a provider: outcome, best exit, refund, and why not.
fn table(when: &str, build: impl Fn(&str) -> ResourceRecord) -> String {
    let engine = Engine::from_adapters(linked());
    let providers = engine.providers();
    let accounts = providers.iter().map(|provider| AccountRecord {
        provider: provider.clone(),
        site: None,
        account: "team".into(),
        currency: "USD".parse().ok(),
        facts: Facts::default(),
        quotas: [("ecs_unsubscription", "0", "10")]
            .into_iter()
            .map(|(name, used, limit)| recoup_core::record::QuotaRecord {
                name: name.into(),
                used: used.parse().unwrap(),
                limit: limit.parse().ok(),
            })
            .collect(),
        returns: Some(Vec::new()),
    });
    let run = Run::at(at(when)).with_accounts(accounts.collect());
    let resources: Vec<ResourceRecord> = providers.iter().map(|provider| build(provider)).collect();
    let mut lines = Vec::new();
    for (provider, answer) in providers.iter().zip(Assessor::new(&engine, run).assess(resources)) {
        let answered = answer.unwrap();
        let assessment = &answered.assessment;
        let best = assessment.best().and_then(|exit| assessment.ruling(exit));
        let refund = best.map_or_else(
            || "-".to_owned(),
            |ruling| ruling.refund.as_ref().map_or_else(|| "?".to_owned(), |quote| quote.refund().to_string()),
        );
        let shown = best.or_else(|| assessment.rulings().first());
        let mut why: Vec<&str> = shown
            .into_iter()
            .flat_map(|ruling| ruling.refusals.iter().map(|refusal| refusal.reason.as_str()))
            .collect();
        if why.is_empty() {
            why = shown
                .into_iter()
                .flat_map(|ruling| ruling.unknowns.iter().map(|unknown| unknown.reason.as_str()))
                .collect();
            why.dedup();
        }
        let stops = assessment.ruling(Exit::StopRenewal).map_or("", |_| " (renewal can be stopped)");
        let line = format!(
            "{provider:<18} {:<12} {:<16} {refund:>9}  {}{stops}",
            assessment.outcome(),
            assessment.best().map_or("-", Exit::as_str),
            why.join(", ")
        );
        lines.push(line.trim_end().to_owned());
    }
    lines.join("\n")
}

macro_rules! scenario {
    ($name:ident, $when:literal, $build:expr) => {
        #[test]
        fn $name() {
            insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
                insta::assert_snapshot!(stringify!($name), table($when, $build));
            });
        }
    };
}

scenario!(day_0_an_hour_after_the_purchase, "2026-01-01T01:00:00+08:00", year);
scenario!(day_4, "2026-01-05T00:00:00+08:00", year);
scenario!(day_6, "2026-01-07T00:00:00+08:00", year);
scenario!(day_8, "2026-01-09T00:00:00+08:00", year);
scenario!(last_instant_of_the_month, "2026-01-31T23:59:59+08:00", year);
scenario!(mid_term, "2026-07-02T12:00:00+08:00", year);
scenario!(last_month, "2026-12-15T00:00:00+08:00", year);
scenario!(renewed_ahead, "2026-07-02T12:00:00+08:00", |provider| {
    let mut resource = year(provider);
    resource.ends_at = Some(at("2028-01-01"));
    let renewal = order(OrderKind::Renewal, "2027-01-01", "2028-01-01", &[(Instrument::Cash, "3000.00")]);
    resource.orders.as_mut().unwrap().push(renewal);
    resource
});
scenario!(queued_package, "2026-01-05T00:00:00+08:00", |provider| {
    let mut resource = year(provider);
    (resource.billing, resource.status) = (Billing::Package, Status::Queued);
    (resource.starts_at, resource.ends_at) = (Some(at("2026-02-01")), Some(at("2027-02-01")));
    let order = &mut resource.orders.as_mut().unwrap()[0];
    (order.starts_at, order.ends_at) = (resource.starts_at, resource.ends_at);
    resource.facts.flags.set(recoup_core::fact::Flag::Used, false);
    resource
});
scenario!(expired, "2027-02-01T00:00:00+08:00", |provider| ResourceRecord {
    status: Status::Expired,
    ..year(provider)
});
scenario!(frozen_for_security, "2026-07-02T12:00:00+08:00", |provider| {
    let mut resource = ResourceRecord { status: Status::Frozen, ..year(provider) };
    resource.facts.flags.set(recoup_core::fact::Flag::FrozenSecurity, true);
    resource
});
scenario!(bought_in_a_promotion, "2026-07-02T12:00:00+08:00", |provider| {
    let mut resource = year(provider);
    resource.facts.flags.set(recoup_core::fact::Flag::Promotion, true);
    resource
});
scenario!(half_paid_by_voucher, "2026-07-02T12:00:00+08:00", |provider| {
    let mut resource = year(provider);
    let halves = [(Instrument::Cash, "1825.00"), (Instrument::Voucher, "1825.00")];
    resource.orders = Some(vec![order(OrderKind::Purchase, "2026-01-01", "2027-01-01", &halves)]);
    resource
});
scenario!(over_every_threshold, "2026-07-02T12:00:00+08:00", |provider| {
    let mut resource = year(provider);
    resource.orders =
        Some(vec![order(OrderKind::Purchase, "2026-01-01", "2027-01-01", &[(Instrument::Cash, "365000.00")])]);
    resource
});
scenario!(nothing_known_but_the_purchase, "2026-07-02T12:00:00+08:00", |provider| ResourceRecord {
    facts: Facts::default(),
    account: None,
    ..year(provider)
});
scenario!(billed_by_use, "2026-07-02T12:00:00+08:00", |provider| ResourceRecord {
    billing: Billing::PayAsYouGo,
    orders: None,
    ..year(provider)
});
