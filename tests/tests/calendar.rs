//! Resources walked hour by hour across month ends, a leap day and years: what an assessment says of its
//! own future (`until`) is what later assessments say, and money is conserved and bounded at every hour.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use recoup_core::context::Run;
use recoup_core::money::Amount;
use recoup_core::record::{Facts, OrderRecord, ResourceRecord};
use recoup_core::refund::RefundQuote;
use recoup_core::resource::{Payment, Term};
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::{Billing, Instrument, OrderKind, OrderStatus, Status, TermUnit};
use serde_json::json;

fn at(text: &str) -> Instant {
    Instant::parse(text, Zone::fixed_hours(8)).unwrap()
}

fn resource(provider: &str, site: &str, product: &str, from: &str, to: &str, months: u32) -> ResourceRecord {
    let mut resource = ResourceRecord::new(provider, "walked", product, Billing::Subscription, Status::Active);
    resource.site = Some(site.into());
    (resource.purchased_at, resource.starts_at, resource.ends_at) = (Some(at(from)), Some(at(from)), Some(at(to)));
    let facts = json!({
        "transaction_in_progress": false, "special_request_open": false, "promotion": false, "invoiced": false, "paid_by_partner": false,
        "reseller_model": false, "referral_order": false, "frozen_security": false, "frozen_legal": false, "arrears": false, "unpaid_order": false,
        "security_risk": false, "paid_image": false, "archived": false, "exists": true, "sales_contract": false, "trial_benefit_used": false,
        "transferred_in": false, "joined_financial_group_after_purchase": false, "left_financial_group": false, "changed_before_renewal": false,
        "refund_not_supported": false, "requester_authorised": true, "fee_waived_by_contract": false,
    });
    resource.facts = Facts::from_json(&facts, Zone::UTC).unwrap().record;
    let mut order = OrderRecord::new(OrderKind::Purchase, OrderStatus::Paid);
    (order.starts_at, order.ends_at, order.paid_at) = (resource.starts_at, resource.ends_at, resource.starts_at);
    order.term = Some(Term { unit: TermUnit::Month, count: months });
    order.currency = "USD".parse().ok();
    order.list_price = "997.31".parse().ok();
    let payment = |instrument, amount: &str| Payment { instrument, amount: amount.parse().unwrap(), expires_at: None };
    order.payments = Some(vec![payment(Instrument::Cash, "890.07"), payment(Instrument::Card, "107.24")]);
    order.facts = Facts::from_json(&json!({"usage_discount": "0.97"}), Zone::UTC).unwrap().record;
    resource.orders = Some(vec![order]);
    resource
}

/// What may not change before `until`.
type Answer = Vec<(recoup_core::vocab::Exit, recoup_core::vocab::Outcome, Vec<recoup_core::vocab::Reason>)>;

fn walk<P: recoup_core::adapter::Provider>(resource: &ResourceRecord, from: &str, to: &str) {
    let rules = recoup_core::adapter::Rules::<P>::load().unwrap();
    let (mut now, end) = (at(from), at(to));
    let mut before: Option<(Answer, Option<Instant>)> = None;
    let mut last_refund: Option<Amount> = None;
    let mut steps = 0;
    while now < end {
        let (_, assessment) = rules.assess_record(&Run::at(now), resource).unwrap();
        let answer: Answer = assessment
            .rulings()
            .iter()
            .map(|ruling| {
                (ruling.exit, ruling.outcome(), ruling.refusals.iter().map(|refusal| refusal.reason).collect())
            })
            .collect();
        for quote in assessment.rulings().iter().filter_map(|ruling| ruling.refund.as_ref()) {
            assert_eq!(quote.accounted_for(), quote.paid(), "{}", now.display(Zone::UTC));
            assert!(quote.refund() <= quote.paid() && !quote.refund().is_negative());
        }
        if let Some((old, until)) = &before
            && *old != answer
        {
            // Within the hour that has just passed, and not before it was said.
            let said = until.unwrap_or_else(|| panic!("changed at {} without having said so", now.display(Zone::UTC)));
            assert!(
                said <= now && said > now - Span::hours(1) - Span::seconds(1),
                "changed by {}, said {}",
                now.display(Zone::UTC),
                said.display(Zone::UTC)
            );
        }
        let in_use = assessment
            .ruling(recoup_core::vocab::Exit::InUse)
            .and_then(|ruling| ruling.refund.as_ref())
            .map(RefundQuote::consumed);
        if let Some(Some(consumed)) = in_use {
            // Use only grows, but for a coefficient that falls and pays more to whoever waits.
            last_refund = Some(last_refund.map_or(consumed, |last| last.max(consumed)));
        }
        before = Some((answer, assessment.until()));
        now = now + Span::hours(1);
        steps += 1;
    }
    assert!(steps > 24 * 300 && last_refund.is_some());
}

#[test]
fn a_year_with_a_leap_day_hour_by_hour() {
    walk::<recoup_huawei::Huawei>(
        &resource("huawei", "eu", "ecs", "2027-12-31T10:30:00+08:00", "2028-12-31T23:59:59+08:00", 12),
        "2027-12-31T11:00:00+08:00",
        "2029-01-03",
    );
}

#[test]
fn two_years_counted_by_days() {
    walk::<recoup_huawei::Huawei>(
        &resource("huawei", "eu", "ecs", "2023-02-28T23:30:00+08:00", "2025-02-28T23:59:59+08:00", 24),
        "2023-03-01",
        "2025-03-02",
    );
}

#[test]
fn a_long_month_with_a_coefficient() {
    walk::<recoup_alibaba::Alibaba>(
        &resource("alibaba", "intl", "ecs", "2027-12-31T15:45:30+08:00", "2028-12-31T15:45:30+08:00", 12),
        "2027-12-31T16:00:00+08:00",
        "2029-01-02",
    );
}
