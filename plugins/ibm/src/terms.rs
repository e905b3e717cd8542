//! What several exits ask of a term and of the money behind it.

use recoup_core::prelude::*;
use recoup_core::refund::Missing;

/// Whether the term is over: IBM's deadlines are half-open, so its end is the first instant outside.
pub(crate) fn is_over<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    resource.status() == Status::Expired || resource.ends_at().is_some_and(|end| end <= cx.at)
}

/// Whether there is a renewal that could be stopped: one that is not ruled out and has a known end.
pub(crate) fn may_renew<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    resource.ends_at().is_some() && !cx.flag(Flag::AutoRenew).is_no()
}

/// What was paid. Without orders nothing was paid ahead, which is not the same as unknown; where no
/// currency is known either, that nothing is written in dollars, the currency of IBM's figures.
pub(crate) fn paid<R: Resource>(resource: &R, cx: &Context<'_>) -> Result<Ledger, Missing> {
    if resource.orders().is_none_or(|orders| orders.len() == 0) {
        return Ok(Ledger::new(cx.currency(resource).unwrap_or(Currency::USD)));
    }
    cx.ledger(resource, resource.paid_orders())
}

/// Nothing comes back: what was paid is consumed.
pub(crate) fn nothing_back<R: Resource>(clause: ClauseId, resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    match paid(resource, cx) {
        Ok(ledger) => ruling.refund(ledger.all_consumed()),
        Err(missing) => ruling.missing(clause, missing),
    }
}

/// Where the money of an instrument goes back to; no page names another place.
pub(crate) fn back_to_itself(payment: &Payment) -> Destination {
    Destination::itself(payment.instrument)
}

/// A dated number of days or hours as a whole number.
pub(crate) fn whole(cx: &Context<'_>, param: ParamId) -> i64 {
    cx.param(param).and_then(|held| held.whole()).unwrap_or(0)
}
