//! The payments into an account: which are real money, how old they are, when the first days end.

use recoup_core::prelude::*;

use crate::param;

/// Whether a payment is real money: promotional codes, credits and coupons never come back.
pub(crate) fn is_real(payment: &Payment) -> bool {
    payment.instrument.is_money() && !matches!(payment.instrument, Instrument::Bonus | Instrument::FlexiCoupon)
}

/// The time from the opening in which everything comes back.
pub(crate) fn first_days(cx: &Context<'_>) -> Span {
    Span::days(cx.param(param::FIRST_DAYS).and_then(|held| held.whole()).unwrap_or(0))
}

/// The age up to which a payment is paid out, where the edition has one.
pub(crate) fn payment_age(cx: &Context<'_>) -> Option<Span> {
    cx.param(param::PAYMENT_AGE)?.whole().map(Span::days)
}

/// When an order was paid.
pub(crate) fn paid_at(order: &impl Order) -> Option<Instant> {
    order.paid_at().or_else(|| order.placed_at())
}

/// What an order paid in real money, as far as its payments are known.
pub(crate) fn real_money(order: &impl Order) -> Amount {
    order.payments().into_iter().flatten().filter(is_real).map(|payment| payment.amount).sum()
}

/// What every way of closing the account does; a closed one is not closed again.
pub(crate) fn closing<R: Resource>(resource: &R, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(crate::clause::CLOSED, resource.status() == Status::Released);
    ruling.cite(crate::clause::CANCEL);
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted, Effect::AccessLost]);
    ruling.channel(Channel::Console);
}
