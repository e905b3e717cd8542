//! Huawei Cloud by its pages: sites `intl`, `cn`, `eu`.

use num_traits::Zero;
use recoup_core::fact::Flag;
use recoup_core::record::OrderRecord;
use recoup_core::resource::Payment;
use recoup_core::time::Instant;
use recoup_core::vocab::{Billing, Destination, Exit, Instrument, OrderKind, Reason, Seller, Status, TermUnit};

use super::calendar::{date, hour, hours_later, instant, wall, years_later};
use super::purse::{Purse, cents, exact, has_run_out, one, ratio};
use super::{Expected, Fraction, Money, Parts, Question};

/// What the pages say of each exit of something that the provider itself sold.
#[must_use]
pub fn expect(question: &Question<'_>) -> Vec<Expected> {
    let resource = question.resource;
    if let Some(reason) = never_left(resource.billing) {
        if resource.status == Status::Failed {
            // Which of the two speaks where such a thing failed is not said.
            return Vec::new();
        }
        return vec![Expected::of(Exit::None).refused_for(reason, Some(true))];
    }
    if resource.seller == Some(Seller::Marketplace) {
        return Vec::new();
    }
    if resource.status == Status::Failed {
        return match resource.billing {
            Billing::Subscription | Billing::Package => vec![failed(question)],
            _ => Vec::new(),
        };
    }
    match resource.billing {
        Billing::Package if resource.status == Status::Queued => vec![inactive(question)],
        Billing::Package => {
            vec![Expected::of(Exit::InUse).refused_for(Reason::PackageInEffect, packages_stay(&resource.product))]
        }
        Billing::Reservation => vec![Expected::of(Exit::InUse).with(Money::Unpublished)],
        Billing::SavingsPlan => vec![Expected::of(Exit::InUse).refused_for(Reason::NeverCancellable, Some(true))],
        Billing::Subscription => subscription(question),
        _ => Vec::new(),
    }
}

/// 2.1: what is not prepaid is deleted, with no refund involved.
fn never_left(billing: Billing) -> Option<Reason> {
    match billing {
        Billing::PayAsYouGo | Billing::Spot => Some(Reason::PayAsYouGo),
        Billing::Free => Some(Reason::Free),
        Billing::Trial => Some(Reason::Trial),
        Billing::OneOff => Some(Reason::OneOff),
        _ => None,
    }
}

/// 2.5: packages in effect stay, but for those of server backup and data warehouse.
fn packages_stay(product: &str) -> Option<bool> {
    match product {
        "cbr" | "dws" => Some(false),
        "ecs" | "evs" => Some(true),
        _ => None,
    }
}

fn subscription(question: &Question<'_>) -> Vec<Expected> {
    let mut all = vec![in_use(question)];
    if question.site == "cn" {
        all.push(full_refund(question));
    }
    if question.paid_orders().any(|order| order.kind == OrderKind::Renewal) {
        all.push(renewal_period(question));
    }
    all
}

/// Orders that change a period instead of buying one.
fn is_change(order: &&OrderRecord) -> bool {
    !matches!(order.kind, OrderKind::Purchase | OrderKind::Renewal)
}

// ---- everything comes back: 2.4 to 2.7, 2.11 ----

/// All that some orders were paid by; discount coupons never come back, and what has run out is void.
fn all_back(question: &Question<'_>, purse: &Purse) -> Money {
    let is_lost =
        |payment: &Payment| payment.instrument == Instrument::DiscountCoupon || has_run_out(payment, question.at);
    if purse.any(|payment| payment.instrument == Instrument::Voucher) {
        // The pages do not know such an instrument.
        return Money::Silent;
    }
    let back = |instrument: Instrument| purse.sum(|payment| payment.instrument == instrument && !is_lost(payment));
    Money::Parts(Box::new(Parts {
        currency: Some(purse.currency),
        paid: Some(purse.sum(|_| true)),
        consumed: Some(Fraction::zero()),
        fee: Some(Fraction::zero()),
        forfeited: Some(purse.sum(is_lost)),
        refund: Some(purse.sum(|payment| payment.instrument.is_money() && !is_lost(payment))),
        each: Some(purse.instruments().into_iter().map(|instrument| (instrument, back(instrument))).collect()),
        to: destinations(question.site),
    }))
}

/// Section 6, where the money goes.
fn destinations(site: &str) -> Vec<(Instrument, Destination)> {
    let card = if site == "cn" { Destination::AccountBalance } else { Destination::OriginalPaymentMethod };
    let credit = if site == "eu" { Destination::NextInvoice } else { Destination::AccountBalance };
    vec![
        (Instrument::Cash, Destination::AccountBalance),
        (Instrument::Credit, credit),
        (Instrument::Card, card),
        (Instrument::Online, card),
        (Instrument::FlexiCoupon, Destination::FlexiCoupon),
        (Instrument::StoredValueCard, Destination::StoredValueCard),
        (Instrument::CashCoupon, Destination::CashCoupon),
        (Instrument::Partner, Destination::PartnerAccount),
    ]
}

fn failed(question: &Question<'_>) -> Expected {
    let expected = Expected::of(Exit::Failed);
    if question.resource.orders.is_none() {
        return expected;
    }
    let Some(purse) = Purse::of(question.paid_orders()) else { return expected };
    // 2.7: coupons with which a partner paid for its reseller customers do not come back.
    let by_coupon = purse.any(|payment| !payment.instrument.is_money());
    if by_coupon && question.site != "cn" && question.flag(Flag::ResellerModel) != Some(false) {
        return expected;
    }
    let mut expected = expected.with(all_back(question, &purse));
    expected.review = Some(false);
    expected
}

fn inactive(question: &Question<'_>) -> Expected {
    let mut expected = Expected::of(Exit::Inactive);
    if question.resource.orders.is_some()
        && let Some(purse) = Purse::of(question.paid_orders())
    {
        expected = expected.with(all_back(question, &purse));
    }
    expected.open_until = question.resource.starts_at.filter(|start| *start > question.at);
    expected
}

/// 2.4, on cn: within 5 x 24 hours of provisioning, the end not included, and ten a calendar year.
fn full_refund(question: &Question<'_>) -> Expected {
    let mut expected = Expected::of(Exit::FullRefund);
    let end = question.resource.starts_at.map(|start| hours_later(start, 5 * 24));
    let renewed = question.paid_orders().any(|order| order.kind == OrderKind::Renewal);
    expected = expected
        .refused_for(Reason::WindowClosed, end.map(|end| question.at >= end))
        .refused_for(Reason::QuotaExhausted, quota(question).map(|used| used + one() > ratio(10, 1)));
    if question.resource.orders.is_some() {
        expected = expected.refused_for(Reason::NotNewPurchase, Some(renewed));
    }
    expected.open_until = end;
    if !renewed
        && !question.paid_orders().any(|order| is_change(&order))
        && let Some(purse) = Purse::of(question.paid_orders())
    {
        expected = expected.with(all_back(question, &purse));
    }
    expected
}

/// How many full refunds the account has had in the calendar year, by the clock of Beijing.
fn quota(question: &Question<'_>) -> Option<Fraction> {
    use chrono::Datelike;
    let account = question.account?;
    if let Some(quota) = account.quotas.iter().find(|quota| quota.name == "five_day_returns") {
        // A limit of the account's own is another reading.
        return quota.limit.is_none().then(|| exact(quota.used.as_amount()));
    }
    let year = wall(question.at).year();
    let this_year = account.returns.as_ref()?.iter().filter(|entry| wall(entry.at).year() == year);
    let mut used = Fraction::zero();
    for entry in this_year {
        if entry.exit? == Exit::FullRefund {
            used += one();
        }
    }
    Some(used)
}

/// 2.6: every renewal that has not taken effect, whole.
fn renewal_period(question: &Question<'_>) -> Expected {
    let expected = Expected::of(Exit::RenewalPeriod);
    let renewals = || question.paid_orders().filter(|order| order.kind == OrderKind::Renewal);
    if renewals().any(|order| order.starts_at.is_none()) {
        return expected;
    }
    let waiting: Vec<&OrderRecord> =
        renewals().filter(|order| order.starts_at.is_some_and(|start| start > question.at)).collect();
    let mut expected = expected.refused_for(Reason::AlreadyEffective, Some(waiting.is_empty()));
    expected.open_until = waiting.iter().filter_map(|order| order.starts_at).min();
    match Purse::of(waiting) {
        Some(purse) => expected.with(all_back(question, &purse)),
        None => expected,
    }
}

// ---- in use: 2.2, 2.3, 2.8 ----

fn in_use(question: &Question<'_>) -> Expected {
    let expected = Expected::of(Exit::InUse);
    if question.resource.orders.is_none() {
        return expected;
    }
    let periods: Vec<&OrderRecord> = question.paid_orders().filter(|order| !is_change(order)).collect();
    if periods.iter().any(|order| order.starts_at.is_none() || order.ends_at.is_none()) {
        return expected;
    }
    let starts_later = |order: &&OrderRecord| order.starts_at.is_some_and(|start| start > question.at);
    if periods.iter().any(|order| order.kind == OrderKind::Renewal && starts_later(order)) {
        return expected.with(Money::Unpublished);
    }
    if question.paid_orders().any(|order| is_change(&order)) || periods.iter().any(starts_later) {
        return expected;
    }
    let runs = |order: &&&OrderRecord| order.ends_at.is_some_and(|end| question.at <= end);
    let running: Vec<&&OrderRecord> = periods.iter().filter(runs).collect();
    let [running] = running.as_slice() else { return expected };
    let mut expected = expected.with(in_use_money(question, running));
    if periods.len() == 1 {
        expected.review = large(question, running, &expected.money);
    }
    expected
}

/// 2.8: on cn the refund decides, elsewhere what the order came to.
fn large(question: &Question<'_>, order: &OrderRecord, money: &Money) -> Option<bool> {
    let currency = order.currency?;
    if question.site == "cn" {
        let Money::Parts(parts) = money else { return None };
        return (currency.as_str() == "CNY").then_some(parts.refund.clone()? > ratio(50_000, 1));
    }
    let limit = if question.site == "intl" && question.at < date(2025, 7, 28) { 1_000 } else { 7_000 };
    (currency.as_str() == "USD").then_some(exact(order.due?) > ratio(limit, 1))
}

/// 2.2: refund = paid - consumed - fee, on the order of the running period.
fn in_use_money(question: &Question<'_>, order: &OrderRecord) -> Money {
    let (Some(start), Some(end)) = (order.starts_at, order.ends_at) else { return Money::Silent };
    let Some(purse) = Purse::of([order]) else { return Money::Silent };
    let Some(usage) = Usage::of(question, start, end) else { return Money::Silent };
    let share = match fee_share(question, order, usage.year) {
        Share::Silent => return Money::Silent,
        Share::NotPrinted => return Money::Unpublished,
        Share::Of(share) => share,
    };
    let money = purse.sum(|payment| payment.instrument.is_money());
    let consumed = cents(&(&money * &usage.used)).min(money.clone());
    let left = &money - &consumed;
    let fee = cents(&(&money * &share)).min(left.clone());
    let void = purse.any(|payment| payment.instrument.is_money() && has_run_out(payment, question.at));
    // What returns to a card that has run out is void; how cents are shared out is printed nowhere.
    let unless_void = |amount: Fraction| (!void).then_some(amount);
    Money::Parts(Box::new(Parts {
        currency: Some(purse.currency),
        paid: Some(purse.sum(|_| true)),
        forfeited: unless_void(purse.sum(|payment| !payment.instrument.is_money())),
        refund: unless_void(&left - &fee),
        consumed: Some(consumed),
        fee: Some(fee),
        each: None,
        to: destinations(question.site),
    }))
}

/// How much of a period is used, and in which year of use it is.
struct Usage {
    used: Fraction,
    year: u32,
}

impl Usage {
    fn of(question: &Question<'_>, start: Instant, end: Instant) -> Option<Self> {
        let from_hours = match question.site {
            "intl" => date(2025, 7, 25),
            "eu" => date(2025, 5, 26),
            _ => date(2025, 7, 24),
        };
        let (start, now, end) = if question.at >= from_hours {
            let after_end = wall(Instant::from_micros(end.micros() + 1_000_000));
            (hour(wall(start)), hour(wall(question.at)), hour(after_end))
        } else {
            let midnight = |instant: Instant| wall(instant).date().and_hms_opt(0, 0, 0);
            (midnight(start)?, midnight(question.at)?, midnight(end)? + chrono::TimeDelta::days(1))
        };
        let (used, total) = ((now - start).num_hours(), (end - start).num_hours());
        if total <= 0 || used > total {
            return None;
        }
        let year = (1..).find(|year| now <= years_later(start, *year))?;
        // The last days of a leap year can be read in two ways.
        (instant(now) <= instant(end)).then(|| Self { used: ratio(used, total), year })
    }
}

enum Share {
    Silent,
    NotPrinted,
    Of(Fraction),
}

/// 2.3: the fee by the term and the year of use, in percent.
fn fee_share(question: &Question<'_>, order: &OrderRecord, year: u32) -> Share {
    if question.flag(Flag::FeeWaivedByContract) == Some(true) {
        return Share::Of(Fraction::zero());
    }
    let months = match order.term.map(|term| (term.unit, term.count)) {
        Some((TermUnit::Month, months)) => months,
        Some((TermUnit::Year, years)) => years * 12,
        _ => return Share::Silent,
    };
    let row: &[i64] = match (question.site, months) {
        ("cn", 60) => &[30, 40, 30, 15],
        ("cn", _) => &[],
        (_, 36) => &[15, 10, 5],
        (_, 24) => &[15, 10],
        (_, 48 | 60) => &[],
        _ => &[10],
    };
    let place = usize::try_from(year - 1).unwrap_or(usize::MAX);
    row.get(place).map_or(Share::NotPrinted, |percent| Share::Of(ratio(*percent, 100)))
}
