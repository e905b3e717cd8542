//! Orders: the purchase, its renewals, begun and not, and what changed in between.

use recoup_core::money::{Currency, Number};
use recoup_core::record::OrderRecord;
use recoup_core::resource::Term;
use recoup_core::time::{Instant, Span};
use recoup_core::vocab::{OrderKind, OrderStatus, TermUnit};

use crate::dates::Clock;
use crate::dice::Dice;
use crate::facts;
use crate::market::Market;
use crate::money::{count, discounted, monthly_price, payments, units};

/// What a thing was bought by.
pub(crate) struct Bought {
    pub(crate) term: Term,
    pub(crate) currency: Currency,
    pub(crate) quantity: i64,
    /// The list price of the term, in smallest units.
    pub(crate) list: i64,
}

impl Bought {
    pub(crate) fn dice(dice: &mut Dice, term: Term, currency: Currency) -> Self {
        let quantity = if dice.percent(80) { 1 } else { dice.between(2, 21) };
        let days = match term.unit {
            TermUnit::Hour => i64::from(term.count) / 24 + 1,
            TermUnit::Day => i64::from(term.count),
            TermUnit::Week => i64::from(term.count) * 7,
            TermUnit::Month => i64::from(term.count) * 30,
            TermUnit::Year => i64::from(term.count) * 360,
        };
        let list = monthly_price(dice).saturating_mul(quantity).saturating_mul(days) / 30;
        Self { term, currency, quantity, list: list.max(1) }
    }
}

/// The orders of a thing whose term began at `start`, oldest first.
pub(crate) fn orders(dice: &mut Dice, clock: &Clock<'_>, bought: &Bought, start: Instant) -> Vec<OrderRecord> {
    let renewed = *dice.commonest(&[0, 0, 0, 1, 2, 3]).unwrap_or(&0);
    let mut begins = vec![start];
    for _ in 0..renewed {
        let earliest = begins.first().copied().unwrap_or(start);
        begins.insert(0, clock.begin_of(earliest, bought.term));
    }
    let ahead = *dice.commonest(&[0, 0, 0, 1, 1, 2]).unwrap_or(&0);
    for _ in 0..ahead {
        let last = begins.last().copied().unwrap_or(start);
        begins.push(clock.end(last, bought.term));
    }
    let mut orders: Vec<OrderRecord> = Vec::new();
    for (index, begin) in begins.iter().enumerate() {
        let kind = if index == 0 { OrderKind::Purchase } else { OrderKind::Renewal };
        let end = begins.get(index + 1).copied().unwrap_or_else(|| clock.end(*begin, bought.term));
        orders.push(order(dice, clock, bought, kind, (*begin, end)));
    }
    if dice.percent(10) {
        let end = clock.end(start, bought.term).max(start);
        let change = change(dice, clock, bought, start, end);
        orders.push(change);
        orders.sort_by_key(|order| order.starts_at);
    }
    orders
}

fn order(
    dice: &mut Dice,
    clock: &Clock<'_>,
    bought: &Bought,
    kind: OrderKind,
    (begin, end): (Instant, Instant),
) -> OrderRecord {
    let mut order = OrderRecord::new(kind, status(dice));
    let early = if kind == OrderKind::Renewal { dice.between(0, 30 * 86_400) } else { dice.between(0, 900) };
    let placed_at = (begin - Span::seconds(early)).min(clock.at);
    order.id = Some(format!("CS{:016X}", dice.roll()));
    order.placed_at = dice.percent(97).then_some(placed_at);
    order.paid_at = dice.percent(95).then(|| placed_at + Span::seconds(dice.between(0, 120)));
    order.starts_at = dice.percent(98).then_some(begin);
    order.ends_at = dice.percent(98).then_some(end);
    order.term = dice.percent(96).then_some(bought.term);
    order.quantity = dice.percent(95).then(|| Number::whole(bought.quantity));
    price(dice, clock, bought, &mut order, bought.list, placed_at);
    order.facts = facts::of_order(dice, clock.market, bought, clock.end(begin, bought.term).since(begin));
    order
}

/// An upgrade, a downgrade or a conversion in the middle of a term.
fn change(dice: &mut Dice, clock: &Clock<'_>, bought: &Bought, start: Instant, end: Instant) -> OrderRecord {
    let kind = *dice
        .commonest(&[OrderKind::Upgrade, OrderKind::Downgrade, OrderKind::Conversion])
        .unwrap_or(&OrderKind::Upgrade);
    let passed = clock.at.min(end).since(start).whole_seconds();
    let begin = start + Span::seconds(dice.between(0, passed.max(1)));
    let mut order = OrderRecord::new(kind, status(dice));
    order.id = Some(format!("CS{:016X}", dice.roll()));
    (order.placed_at, order.paid_at) = (Some(begin), Some(begin));
    (order.starts_at, order.ends_at) = (Some(begin), Some(end));
    order.quantity = Some(Number::whole(bought.quantity));
    let part = if kind == OrderKind::Upgrade { dice.between(0, bought.list / 2 + 1) } else { 0 };
    price(dice, clock, bought, &mut order, part, begin);
    order.facts = facts::of_order(dice, clock.market, bought, end.since(begin));
    order
}

fn price(dice: &mut Dice, clock: &Clock<'_>, bought: &Bought, order: &mut OrderRecord, list: i64, at: Instant) {
    let due = discounted(dice, list);
    let currency =
        if dice.percent(99) { Some(bought.currency) } else { other_currency(dice, clock.market, bought.currency) };
    order.currency = currency;
    order.list_price = dice.percent(95).then(|| units(list, bought.currency));
    order.due = dice.percent(97).then(|| units(due, bought.currency));
    order.payments = dice.percent(97).then(|| payments(dice, clock, due, bought.currency, at));
}

/// Another currency of the provider with coins of the same size, so that amounts stay amounts.
fn other_currency(dice: &mut Dice, market: &Market, than: Currency) -> Option<Currency> {
    let alike = |other: &Currency| other.minor_unit() == than.minor_unit();
    let all: Vec<Currency> =
        market.sites.iter().flat_map(|site| site.currencies.iter().copied()).filter(alike).collect();
    dice.one_of(&all).copied().filter(|_| dice.percent(50))
}

fn status(dice: &mut Dice) -> OrderStatus {
    match dice.below(100) {
        0 => OrderStatus::Unpaid,
        1 => OrderStatus::Refunded,
        2 => OrderStatus::Cancelled,
        _ => OrderStatus::Paid,
    }
}

/// What all orders that were paid came to, in smallest units.
pub(crate) fn paid(orders: &[OrderRecord], currency: Currency) -> i64 {
    let paid = orders.iter().filter(|order| order.status == OrderStatus::Paid).filter_map(|order| order.due);
    count(paid.sum(), currency)
}
