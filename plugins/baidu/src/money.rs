//! Whose money comes back, from when its days run, and where it is asked for.

use recoup_core::prelude::*;

use crate::{clause, list, param};

/// Money shares in what comes back, to the account balance; coupons and vouchers are lost.
pub(crate) fn money_back(payment: &Payment) -> Disposition {
    if payment.instrument.is_money() { Disposition::Share(Destination::AccountBalance) } else { Disposition::Lost }
}

/// When the first purchase was paid.
pub(crate) fn paid_at<R: Resource>(resource: &R) -> Option<Instant> {
    resource
        .paid_orders()
        .find(|order| order.kind() == OrderKind::Purchase)
        .and_then(|order| order.paid_at().or_else(|| order.placed_at()))
        .or_else(|| resource.purchased_at())
}

/// The time from payment within which something comes back.
pub(crate) fn return_days(cx: &Context<'_>) -> Span {
    Span::days(cx.param(param::RETURN_DAYS).and_then(|held| held.whole()).unwrap_or(0))
}

/// The period that the orders bought together, and its calendar days.
pub(crate) fn period<R: Resource>(resource: &R, cx: &Context<'_>) -> Result<(Instant, i64), &'static str> {
    let first = || resource.periods().filter_map(|order| order.starts_at()).min();
    let last = || resource.periods().filter_map(|order| order.ends_at()).max();
    let start = resource.starts_at().or_else(first).ok_or("starts_at")?;
    let end = resource.ends_at().or_else(last).ok_or("ends_at")?;
    Ok((start, cx.zone.days_between(start, end)))
}

/// What every return does, and where it is asked for. What was returned is not returned again.
pub(crate) fn leaving<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::RELEASED, resource.status() == Status::Released);
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted, Effect::CouponsLost]);
    ruling.channel(if cx.listed(list::BY_API) { Channel::Api } else { Channel::Console });
}
