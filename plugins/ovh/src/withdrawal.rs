//! A consumer's right of withdrawal from a first purchase.

use recoup_core::prelude::*;
use recoup_core::time::day_after;

use crate::{clause, list, money, param};

/// Fourteen days beginning with the day after the order; what was first paid comes back less the days
/// consumed. It is judged for every first purchase, and refused outside its window.
pub(crate) fn withdrawal<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.channel(Channel::Console);
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
    if cx.in_force(clause::WITHDRAW_BEFORE_2025) {
        ruling.refuse(clause::WITHDRAW_BEFORE_2025);
        return;
    }
    let order = first_purchase(resource);
    within_window(resource, order.as_ref(), cx, ruling);
    ruling.refuse_if(clause::WITHDRAW_CONSUMER, !cx.flag(Flag::Consumer));
    // For a domain or a certificate the product alone refuses, whatever was agreed at the order.
    let excepted = Answer::from(cx.listed(list::RIGHT_WAIVED));
    ruling.refuse_if(clause::WITHDRAW_WAIVED, excepted.or(cx.flag(Flag::WithdrawalWaived)));
    let unpaid = Answer::from(order.as_ref().is_some_and(|order| order.status() == OrderStatus::Unpaid));
    ruling.refuse_if(clause::WITHDRAW_UNPAID, unpaid.or(cx.flag(Flag::UnpaidOrder).unknown_is_no()));
    ruling.refuse_if(clause::WITHDRAW_CONTACT, !cx.flag(Flag::RequesterAuthorised));
    money::settle_state(resource, ruling);
    if let Some(days) = cx.param(param::WITHDRAWAL_SETTLEMENT).and_then(|held| held.whole()) {
        let days = u32::try_from(days).unwrap_or(0);
        ruling.settles_within(clause::WITHDRAW_14D, days, DayKind::Calendar);
    }
    refund(resource, order.as_ref(), cx, ruling);
}

/// The first purchase order, one that lapsed or was paid back last.
fn first_purchase<R: Resource>(resource: &R) -> Option<R::Order<'_>> {
    let purchases = || resource.orders().into_iter().flatten().filter(|order| order.kind() == OrderKind::Purchase);
    purchases()
        .find(|order| matches!(order.status(), OrderStatus::Paid | OrderStatus::Unpaid))
        .or_else(|| purchases().next())
}

fn within_window<R: Resource>(resource: &R, order: Option<&R::Order<'_>>, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let known = resource.orders().is_some_and(|orders| orders.len() > 0);
    if known && order.is_none() {
        // Only renewals: the contract is none of these days'.
        ruling.refuse(clause::WITHDRAW_14D);
        return;
    }
    let placed = order.and_then(Order::placed_at).or_else(|| resource.purchased_at());
    let days = cx.param(param::WITHDRAWAL_DAYS).and_then(|held| held.whole()).unwrap_or(0);
    let days = u64::try_from(days).unwrap_or(0);
    // The day of the order does not count, the last of the days counts whole.
    let over = placed.map(|placed| cx.zone.midnight(day_after(cx.zone.date(placed), days + 1)));
    ruling.window(clause::WITHDRAW_14D, "placed_at", over, |at, over| at < over);
    if let Some(over) = over {
        ruling.line("window over", || over.display(cx.zone).to_string());
    }
}

fn refund<R: Resource>(resource: &R, order: Option<&R::Order<'_>>, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let first_paid = resource.paid_orders().filter(|one| is_same(one, order)).take(1);
    let ledger = match money::ledger(resource, cx, first_paid) {
        Ok(ledger) => ledger,
        Err(missing) => return ruling.missing(clause::WITHDRAW_14D, missing),
    };
    let mut draft = ledger.settle(|payment| {
        if payment.instrument.is_money() {
            Disposition::Share(Destination::OriginalPaymentMethod)
        } else {
            Disposition::Share(Destination::itself(payment.instrument))
        }
    });
    let start = order.and_then(Order::starts_at).or_else(|| resource.starts_at());
    let end = order.and_then(Order::ends_at).or_else(|| resource.ends_at());
    let (Some(start), Some(end)) = (start, end) else {
        if !ledger.paid().is_zero() {
            let field = if start.is_none() { "starts_at" } else { "ends_at" };
            return ruling.no_figure(clause::WITHDRAW_14D, Reason::PriceUnknown, Some(field));
        }
        return ruling.refund(draft.finish());
    };
    let period = cx.zone.days_between(start, end);
    let used = cx.at.since(start).whole_days().clamp(0, period.max(0));
    let consumed = draft.consume(&Exact::from(ledger.paid()).times_ratio(used, period));
    ruling.line("consumed", || format!("{} x {used} of {period} days = {consumed}", ledger.paid()));
    ruling.refund(draft.finish());
}

/// Whether an order is the one withdrawn from: the first paid purchase is the first purchase if that
/// one was paid at all.
fn is_same(order: &impl Order, first: Option<&impl Order>) -> bool {
    order.kind() == OrderKind::Purchase && first.is_some_and(|first| first.status() == OrderStatus::Paid)
}
