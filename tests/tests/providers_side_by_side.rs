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
use recoup_core::fact::{Figure, Flag};
use recoup_core::money::{Amount, Number};
use recoup_core::record::{AccountRecord, Facts, OrderRecord, QuotaRecord, ResourceRecord};
use recoup_core::resource::{HourlyTier, Payment, PriceComponent, PriceTerms, Term, TermDiscount};
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Billing, Instrument, OrderKind, OrderStatus, Status, TermUnit};
use recoup_engine::usual::as_usual;
use recoup_engine::{Answered, Assessor, Engine};
use recoup_report::Look;
use recoup_report::compare::compare;
use recoup_tests::{dist, linked};
use serde_json::{Value, json};

/// Facts that say that nothing stands in the way.
fn harmless() -> Facts {
    let json = json!({
        "transaction_in_progress": false, "special_request_open": false, "promotion": false, "invoiced": false, "paid_by_partner": false,
        "reseller_model": false, "referral_order": false, "frozen_security": false, "frozen_legal": false, "arrears": false, "unpaid_order": false,
        "security_risk": false, "paid_image": false, "archived": false, "exists": true, "used": true, "sales_contract": false,
        "trial_benefit_used": false, "support_benefit_used": false, "transferred_in": false, "joined_financial_group_after_purchase": false,
        "left_financial_group": false, "remaining_balance": "1825.00", "management_account_changed": false, "seller_of_record": "AWS EMEA", "changed_before_renewal": false, "attachment_added_after_renewal": false, "bandwidth_addon": false,
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

/// A year of a virtual server, paid in cash, bought at noon on 1 January 2026, which is in the same month
/// on the clocks of all providers.
fn year() -> ResourceRecord {
    paid(&[(Instrument::Cash, "3650.00")])
}

/// The same, paid ahead for a second year on the day it was bought.
fn renewed() -> ResourceRecord {
    let mut resource = year();
    resource.ends_at = Some(at("2028-01-01T12:00:00+08:00"));
    let renewal = order(
        OrderKind::Renewal,
        "2027-01-01T12:00:00+08:00",
        "2028-01-01T12:00:00+08:00",
        &[(Instrument::Cash, "3000.00")],
    );
    resource.orders.as_mut().unwrap().push(renewal);
    resource
}

fn paid(payments: &[(Instrument, &str)]) -> ResourceRecord {
    let mut resource = ResourceRecord::new("huawei", "vm", "ecs", Billing::Subscription, Status::Active);
    resource.account = Some("team".into());
    (resource.purchased_at, resource.starts_at, resource.ends_at) = (
        Some(at("2026-01-01T12:00:00+08:00")),
        Some(at("2026-01-01T12:00:00+08:00")),
        Some(at("2027-01-01T12:00:00+08:00")),
    );
    resource.facts = harmless();
    // The same prices hold today: a formula that asks for them has them.
    resource.price_terms = Some(PriceTerms {
        currency: "USD".parse().ok(),
        components: vec![PriceComponent {
            name: Some("instance".into()),
            monthly: "304.17".parse().ok(),
            hourly: vec![HourlyTier { up_to_hours: None, price: "0.50".parse().unwrap() }],
        }],
        discounts: vec![TermDiscount { from_months: Number::whole(12), rate: Number::ONE }],
        hourly_rate: Some(Number::ONE),
        ..PriceTerms::default()
    });
    resource.orders =
        Some(vec![order(OrderKind::Purchase, "2026-01-01T12:00:00+08:00", "2027-01-01T12:00:00+08:00", payments)]);
    resource
}

fn order(kind: OrderKind, from: &str, to: &str, payments: &[(Instrument, &str)]) -> OrderRecord {
    let mut order = OrderRecord::new(kind, OrderStatus::Paid);
    order.id = Some(format!("o-{}", from.split_at(4).0));
    (order.placed_at, order.paid_at) = (Some(at("2026-01-01T12:00:00+08:00")), Some(at("2026-01-01T12:00:00+08:00")));
    (order.starts_at, order.ends_at) = (Some(at(from)), Some(at(to)));
    order.term = Some(Term { unit: TermUnit::Month, count: 12 });
    order.currency = "USD".parse().ok();
    let paid = payments.iter().map(|(instrument, amount)| Payment {
        instrument: *instrument,
        amount: amount.parse().unwrap(),
        expires_at: None,
    });
    order.payments = Some(paid.collect());
    order.list_price = order.payments.as_ref().map(|payments| payments.iter().map(|payment| payment.amount).sum());
    order.facts = Facts::from_json(&json!({"usage_discount": "1"}), Zone::UTC).unwrap().record;
    order
}

/// The resource as every provider answers about it: the same thing costs today what was paid for it.
fn priced(mut resource: ResourceRecord) -> ResourceRecord {
    let prices = resource.orders.iter().flatten().filter_map(|order| order.list_price);
    let today: Amount = prices.sum();
    if !resource.facts.is_empty() {
        resource.facts.figures.push((Figure::CurrentPrice, today.as_number()));
    }
    resource
}

/// The accounts in which all of them were bought: nothing used up, nothing returned yet.
fn accounts(providers: &[String]) -> Vec<AccountRecord> {
    let account = |provider: &String| AccountRecord {
        provider: provider.clone(),
        site: None,
        account: "team".into(),
        currency: "USD".parse().ok(),
        facts: Facts::default(),
        quotas: vec![QuotaRecord {
            name: "ecs_unsubscription".into(),
            used: Number::ZERO,
            limit: Some(Number::whole(10)),
        }],
        returns: Some(Vec::new()),
    };
    providers.iter().map(account).collect()
}

/// The same money, term and dates before every provider, each with its own usual commitment: what
/// `recoup compare --usual` prints.
fn table(when: &str, resource: &ResourceRecord) -> String {
    let engine = Engine::from_adapters(linked());
    let providers = engine.providers();
    let run = Run::at(at(when)).with_accounts(accounts(&providers));
    let before = |provider: &String| match *provider == resource.provider {
        true => resource.clone(),
        false => as_usual(resource, &engine.policy(provider).unwrap()),
    };
    let resources: Vec<ResourceRecord> = providers.iter().map(before).collect();
    let answers: Vec<Answered> =
        Assessor::new(&engine, run).assess(resources).into_iter().map(Result::unwrap).collect();
    compare(&answers, &Look { width: 160, ..Look::default() })
}

macro_rules! scenario {
    ($name:ident, $when:literal, $build:expr) => {
        #[test]
        fn $name() {
            insta::with_settings!({omit_expression => true, prepend_module_to_snapshot => false}, {
                let build: fn() -> ResourceRecord = $build;
                insta::assert_snapshot!(stringify!($name), table($when, &priced(build())));
            });
        }
    };
}

scenario!(day_0_an_hour_after_the_purchase, "2026-01-01T13:00:00+08:00", year);
scenario!(day_4, "2026-01-05T12:00:00+08:00", year);
scenario!(day_6, "2026-01-07T12:00:00+08:00", year);
scenario!(day_8, "2026-01-09T12:00:00+08:00", year);
scenario!(last_instant_of_the_month, "2026-01-31T23:59:59+08:00", year);
scenario!(mid_term, "2026-07-02T12:00:00+08:00", year);
scenario!(last_month, "2026-12-15T00:00:00+08:00", year);
scenario!(renewed_ahead, "2026-07-02T12:00:00+08:00", renewed);
scenario!(after_the_renewal, "2027-07-02T12:00:00+08:00", renewed);
scenario!(queued, "2026-01-05T00:00:00+08:00", || {
    let mut resource = ResourceRecord { status: Status::Queued, ..year() };
    (resource.starts_at, resource.ends_at) = (Some(at("2026-02-01")), Some(at("2027-02-01")));
    let order = &mut resource.orders.as_mut().unwrap()[0];
    (order.starts_at, order.ends_at) = (resource.starts_at, resource.ends_at);
    resource.facts.flags.set(Flag::Used, false);
    resource
});
scenario!(expired, "2027-02-01T00:00:00+08:00", || ResourceRecord { status: Status::Expired, ..year() });
scenario!(frozen_for_security, "2026-07-02T12:00:00+08:00", || {
    let mut resource = ResourceRecord { status: Status::Frozen, ..year() };
    resource.facts.flags.set(Flag::FrozenSecurity, true);
    resource
});
scenario!(bought_in_a_promotion, "2026-07-02T12:00:00+08:00", || {
    let mut resource = year();
    resource.facts.flags.set(Flag::Promotion, true);
    resource
});
scenario!(half_paid_by_voucher, "2026-07-02T12:00:00+08:00", || {
    paid(&[(Instrument::Cash, "1825.00"), (Instrument::Voucher, "1825.00")])
});
scenario!(over_every_threshold, "2026-01-03T00:00:00+08:00", || paid(&[(Instrument::Cash, "3650000.00")]));
scenario!(nothing_known_but_the_purchase, "2026-07-02T12:00:00+08:00", || ResourceRecord {
    facts: Facts::default(),
    account: None,
    ..year()
});

/// The program's own table is the one that is reviewed above.
#[test]
fn recoup_compare_prints_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let providers = Engine::from_adapters(linked()).providers();
    let accounts: Vec<Value> = accounts(&providers).iter().map(|account| account.to_json(Zone::UTC)).collect();
    std::fs::write(path("accounts.json"), Value::from(accounts).to_string()).unwrap();
    for (when, resource) in
        [("2026-01-05T12:00:00+08:00", priced(year())), ("2026-07-02T12:00:00+08:00", priced(renewed()))]
    {
        std::fs::write(path("bought.ndjson"), format!("{}\n", resource.to_json(Zone::UTC))).unwrap();
        let output = std::process::Command::new(dist().join("recoup"))
            .args(["compare", "--usual", "--format", "table", "--at", when, "--accounts"])
            .args([path("accounts.json"), path("bought.ndjson")])
            .env("COLUMNS", "160")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(String::from_utf8(output.stdout).unwrap(), table(when, &resource));
    }
}

/// Every provider says what is usual with it, so that no line of a comparison rests on a product that it
/// does not sell.
#[test]
fn every_provider_has_a_usual_commitment() {
    for adapter in linked() {
        let usual = adapter.policy().usual.as_ref();
        assert!(usual.is_some_and(|usual| !usual.says.is_empty()), "{}", adapter.provider());
    }
}
