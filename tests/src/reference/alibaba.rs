//! Alibaba Cloud by its pages: sites `intl` and `cn`, from the editions on whose whole shape is known (`intl` from
//! 2025-03-05, `cn` from 2023-01-01). Products with rows of their own (section 4.9) are passed over.

use num_traits::Zero;
use recoup_core::fact::{Figure, Flag, Text};
use recoup_core::record::OrderRecord;
use recoup_core::resource::Payment;
use recoup_core::time::Instant;
use recoup_core::vocab::{Billing, Destination, Exit, Instrument, OrderKind, Reason, Seller, Status};

use super::calendar::{date, hours_later, length};
use super::purse::{Purse, at_least_zero, cents, exact, one, ratio};
use super::{Expected, Fraction, Money, Parts, Question, order_figure};

/// Section 4.1: instances that the table names, none with a row of its own that touches its money.
const INSTANCES: &[&str] = &[
    "ecs",
    "swas",
    "ens",
    "esa",
    "cloud_phone",
    "polardb",
    "mongodb",
    "mongodb_sharded",
    "lindorm",
    "pai",
    "cloud_native_api_gateway",
    "kafka",
    "rabbitmq",
    "rocketmq",
    "cfw",
    "express_connect",
    "cloud_drive",
    "elasticsearch",
];

/// Section 4.1: plans that the table names.
const PLANS: &[&str] = &["nlb_plan", "nat_plan", "polardb_storage_plan", "dbs_plan"];

/// Section 4.1, on cn: five days without a reason, as far as a record tells the product.
const FIVE_DAYS: &[&str] = &["ecs", "swas", "rds", "mongodb", "adb_pg", "rpa"];

/// What the pages say of each exit of something that the provider itself sold.
#[must_use]
pub fn expect(question: &Question<'_>) -> Vec<Expected> {
    let resource = question.resource;
    let known_from = if question.site == "cn" { date(2023, 1, 1) } else { date(2025, 3, 5) };
    if question.at < known_from
        || resource.seller == Some(Seller::Marketplace)
        || question.flag(Flag::RefundNotSupported) == Some(true)
        || has_no_value(question) != Some(false)
    {
        return Vec::new();
    }
    let product = resource.product.as_str();
    match (resource.billing, resource.status) {
        (Billing::Subscription, Status::Failed) if INSTANCES.contains(&product) => vec![failed(question)],
        (Billing::Subscription, Status::Active) if INSTANCES.contains(&product) => {
            let mut all = vec![in_use(question), renewal_period(question)];
            if question.site == "cn" && FIVE_DAYS.contains(&product) {
                all.push(five_days(question));
            }
            all
        }
        (Billing::Package, Status::Active) if PLANS.contains(&product) => {
            vec![plan_in_use(question), plan_unused(question)]
        }
        _ => Vec::new(),
    }
}

/// `ali.partial.trusteeship`: an account that joined a finance group, or left one, gets nothing.
fn has_no_value(question: &Question<'_>) -> Option<bool> {
    let joined = question.flag(Flag::JoinedFinancialGroupAfterPurchase);
    let left = question.flag(Flag::LeftFinancialGroup);
    match (joined, left) {
        (Some(false), Some(false)) => Some(false),
        (Some(true), _) | (_, Some(true)) => Some(true),
        _ => None,
    }
}

/// Section 3.2: what counts as paid; coupons, vouchers and bonuses are lost.
fn is_money(payment: &Payment) -> bool {
    payment.instrument.is_money() && payment.instrument != Instrument::Bonus
}

fn starts_by(order: &OrderRecord, at: Instant) -> Option<bool> {
    order.starts_at.map(|start| start <= at)
}

/// The only order, where there is one and it bought the thing.
fn only_purchase<'a>(question: &Question<'a>) -> Option<&'a OrderRecord> {
    let mut paid = question.paid_orders();
    let (first, second) = (paid.next()?, paid.next());
    (second.is_none() && first.kind == OrderKind::Purchase && question.orders().len() == 1).then_some(first)
}

// ---- whole refunds: 4.2, 4.4, 4.5 ----

/// `ali.full.amount`: what was paid as money comes back, the rest is lost.
fn money_back(question: &Question<'_>, purse: &Purse, to: Vec<(Instrument, Destination)>) -> Money {
    // Vouchers of plans come back in proportion on cn: another rule.
    let vouchers_return = question.site == "cn" && question.resource.billing == Billing::Package;
    if vouchers_return && purse.any(|payment| !is_money(payment)) {
        return Money::Silent;
    }
    let back = |instrument: Instrument| purse.sum(|payment| payment.instrument == instrument);
    let money = purse.instruments().into_iter().filter(|one| one.is_money() && *one != Instrument::Bonus);
    Money::Parts(Box::new(Parts {
        currency: Some(purse.currency),
        paid: Some(purse.sum(|_| true)),
        consumed: Some(Fraction::zero()),
        fee: Some(Fraction::zero()),
        forfeited: Some(purse.sum(|payment| !is_money(payment))),
        refund: Some(purse.sum(is_money)),
        each: Some(money.map(|instrument| (instrument, back(instrument))).collect()),
        to,
    }))
}

fn failed(question: &Question<'_>) -> Expected {
    let expected = Expected::of(Exit::Failed);
    match Purse::of(question.paid_orders()) {
        // What becomes of vouchers is not said.
        Some(purse) if !purse.any(|payment| !is_money(payment)) => {
            expected.with(money_back(question, &purse, Vec::new()))
        }
        _ => expected,
    }
}

fn renewal_period(question: &Question<'_>) -> Expected {
    let expected = Expected::of(Exit::RenewalPeriod);
    let renewals = || question.paid_orders().filter(|order| order.kind == OrderKind::Renewal);
    if renewals().any(|order| order.starts_at.is_none()) {
        return expected;
    }
    let waiting: Vec<&OrderRecord> = renewals().filter(|order| starts_by(order, question.at) == Some(false)).collect();
    match Purse::of(waiting) {
        Some(purse) => expected.with(money_back(question, &purse, Vec::new())),
        None => expected,
    }
}

/// `ali.full.cn-5d-window`: 5 x 24 hours from the order's start, the last instant inside.
fn five_days(question: &Question<'_>) -> Expected {
    let expected = Expected::of(Exit::FullRefund);
    let Some(order) = only_purchase(question) else { return expected };
    let Some(start) = order.starts_at else { return expected };
    let money = Purse::of([order]).map_or(Money::Silent, |purse| {
        let to = destinations(question, order);
        money_back(question, &purse, to)
    });
    expected.refused_for(Reason::WindowClosed, Some(question.at > hours_later(start, 5 * 24))).with(money)
}

/// `ali.full.intl-plan-5d`, `plan-30d`, `plan-validity`: a plan of which nothing was used.
fn plan_unused(question: &Question<'_>) -> Expected {
    let mut expected = Expected::of(Exit::FullRefund);
    // Said to be used, or a part of it gone: either makes it used.
    let by_count = used_fraction(question).map(|fraction| !fraction.is_zero());
    let used = match (question.flag(Flag::Used), by_count) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (said, counted) => said.or(counted),
    };
    let window = match question.site {
        "cn" if question.at < date(2025, 8, 19) => return expected,
        "cn" => Some(30),
        _ if question.at < date(2025, 8, 19) => Some(5),
        _ if question.at < hours_later(date(2026, 1, 1), 10) => Some(30),
        _ => match question.flag(Flag::PlanRefundWholeValidity) {
            Some(true) => None,
            Some(false) => Some(30),
            None => return expected,
        },
    };
    let closed = match (window, question.resource.purchased_at) {
        (None, _) => Some(false),
        (Some(days), Some(bought)) => Some(question.at > hours_later(bought, days * 24)),
        (Some(_), None) => None,
    };
    expected = expected.refused_for(Reason::WindowClosed, closed);
    if used != Some(false) {
        return expected;
    }
    expected = expected.refused_for(Reason::AlreadyUsed, Some(false));
    match only_purchase(question).and_then(|order| Some((order, Purse::of([order])?))) {
        Some((order, purse)) => {
            let to = destinations(question, order);
            let money = money_back(question, &purse, to);
            expected.with(money)
        }
        None => expected,
    }
}

/// Section 8: by the original method for a while, then to the balance.
fn destinations(question: &Question<'_>, order: &OrderRecord) -> Vec<(Instrument, Destination)> {
    let mut all = Vec::new();
    let within = |days: i64| order.paid_at.map(|paid| question.at <= hours_later(paid, days * 24));
    let by_window = |fits: bool| if fits { Destination::OriginalPaymentMethod } else { Destination::AccountBalance };
    if question.site == "intl" {
        all.push((Instrument::Cash, Destination::AccountBalance));
        all.extend(within(150).map(|fits| (Instrument::Card, by_window(fits))));
        all.extend(within(180).map(|fits| (Instrument::Online, by_window(fits))));
    } else if question.flag(Flag::Invoiced) == Some(false) {
        all.push((Instrument::Cash, Destination::AccountBalance));
        all.extend(within(548).map(|fits| (Instrument::Online, by_window(fits))));
    }
    all
}

// ---- in use: 4.6 and 6 ----

/// What one order gives back when its thing leaves.
struct Part {
    money: Fraction,
    lost: Fraction,
    back: Fraction,
}

fn in_use(question: &Question<'_>) -> Expected {
    let expected = Expected::of(Exit::InUse);
    let orders: Vec<&OrderRecord> = question.paid_orders().collect();
    let Some(purse) = Purse::of(orders.iter().copied()) else { return expected };
    let mut parts = Vec::new();
    for order in orders {
        match part_of(question, order) {
            Ok(part) => parts.push(part),
            Err(money) => return expected.with(money),
        }
    }
    settle(question, expected, &purse, &parts)
}

/// Adds the orders up; nothing at all is a reason to refuse.
fn settle(question: &Question<'_>, expected: Expected, purse: &Purse, parts: &[Part]) -> Expected {
    let back: Fraction = parts.iter().map(|part| part.back.clone()).sum();
    let money: Fraction = parts.iter().map(|part| part.money.clone()).sum();
    let to = only_purchase(question).map(|order| destinations(question, order)).unwrap_or_default();
    let is_nothing = back.is_zero();
    // An end that has passed is refused for that and has no amount to speak of.
    let over = question.resource.ends_at.is_none_or(|end| end <= question.at);
    let gone = question.flag(Flag::Exists) != Some(true);
    expected.refused_for(Reason::ZeroRefund, (!over && !gone).then_some(is_nothing)).with(Money::Parts(Box::new(
        Parts {
            currency: Some(purse.currency),
            paid: Some(purse.sum(|_| true)),
            consumed: Some(money - &back),
            fee: Some(Fraction::zero()),
            forfeited: Some(parts.iter().map(|part| part.lost.clone()).sum()),
            refund: Some(back),
            each: None,
            to,
        },
    )))
}

/// `ali.partial.formula` for one order; an error where the pages give no figure, or do not decide.
fn part_of(question: &Question<'_>, order: &OrderRecord) -> Result<Part, Money> {
    let silent = || Money::Silent;
    let purse = Purse::of([order]).ok_or_else(silent)?;
    let (start, end) = order.starts_at.zip(order.ends_at).ok_or_else(silent)?;
    let money = purse.sum(is_money);
    let lost = purse.sum(|payment| !is_money(payment));
    let part = |back: Fraction| Part { money: money.clone(), lost: lost.clone(), back };
    if start > question.at {
        // `ali.full.active-takes-renewals`
        return if order.kind == OrderKind::Renewal { Ok(part(money.clone())) } else { Err(Money::Silent) };
    }
    if end <= question.at {
        return Ok(part(Fraction::zero()));
    }
    let share = share_of_price(order).ok_or_else(silent)?;
    let list = exact(order.list_price.ok_or_else(silent)?);
    let actual = whole_days(start, end);
    if actual == 0 {
        return Err(Money::Silent);
    }
    let used = begun_days(start, question.at).min(actual);
    let discount = order_figure(order, Figure::UsageDiscount).ok_or(Money::Unpublished)?;
    let consumed = list / ratio(actual, 1) * ratio(used, 1) * share * discount * coefficient(question, used);
    Ok(part(cents(&at_least_zero(&money - consumed))))
}

/// `ali.partial.daily-upgrade`: of an upgrade only what it added.
fn share_of_price(order: &OrderRecord) -> Option<Fraction> {
    match order.kind {
        OrderKind::Purchase | OrderKind::Renewal => Some(one()),
        OrderKind::Upgrade => {
            let after = order_figure(order, Figure::DailyListPrice)?;
            let before = order_figure(order, Figure::DailyListPriceBefore)?;
            (before <= after && !after.is_zero()).then(|| (&after - before) / &after)
        }
        _ => None,
    }
}

const DAY: i64 = 24 * 3_600 * 1_000_000;

/// `ali.partial.actual-days`: days of 24 hours, rounded down.
fn whole_days(start: Instant, end: Instant) -> i64 {
    length(start, end).num_microseconds().unwrap_or(0) / DAY
}

/// `ali.partial.usage-days`: rounded up, the first hour is a day.
fn begun_days(start: Instant, at: Instant) -> i64 {
    let micros = length(start, at).num_microseconds().unwrap_or(0);
    ((micros + DAY - 1) / DAY).max(1)
}

/// `ali.partial.coefficient`: on intl from 2025-10-30, by the rounded-up days.
fn coefficient(question: &Question<'_>, used: i64) -> Fraction {
    if question.site != "intl" || question.at < date(2025, 10, 30) {
        return one();
    }
    let dear_below = match question.resource.product.as_str() {
        "ecs" | "cfw" => 30,
        "ens" => 28,
        _ => 0,
    };
    if used < dear_below { ratio(3, 2) } else { one() }
}

fn used_fraction(question: &Question<'_>) -> Option<Fraction> {
    let commitment = question.resource.commitment.as_ref()?;
    commitment.used_fraction.map(|fraction| exact(fraction.as_amount()))
}

/// `ali.partial.plan-2025`: a total by what was used of it, a periodic plan by its days.
fn plan_in_use(question: &Question<'_>) -> Expected {
    let expected = Expected::of(Exit::InUse);
    let figure = || {
        let order = only_purchase(question)?;
        let purse = Purse::of([order])?;
        let (start, end) = order.starts_at.zip(order.ends_at)?;
        if start > question.at || end <= question.at || question.at < date(2025, 8, 19) {
            return None;
        }
        // On cn vouchers come back in proportion, which no example shows to the cent.
        if question.site == "cn" && purse.any(|payment| !is_money(payment)) {
            return None;
        }
        let fraction = used_fraction(question)?;
        if question.flag(Flag::Used).is_some_and(|used| used == fraction.is_zero()) {
            return None;
        }
        let share = match question.text(Text::PlanKind)? {
            "total_volume" => fraction,
            "periodic" => {
                let actual = whole_days(start, end);
                ratio(begun_days(start, question.at).min(actual), actual.max(1))
            }
            _ => return None,
        };
        let discount = order_figure(order, Figure::UsageDiscount)?;
        let money = purse.sum(is_money);
        let consumed = exact(order.list_price?) * share * discount;
        let back = cents(&at_least_zero(&money - consumed));
        let lost = purse.sum(|payment| !is_money(payment));
        Some((purse, Part { money, lost, back }))
    };
    match figure() {
        Some((purse, part)) => settle(question, expected, &purse, &[part]),
        None => expected,
    }
}
