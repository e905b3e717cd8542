//! What both exits ask, the money that comes back, and what leaving does.

use recoup_core::prelude::*;

use crate::{clause, param, product};

/// Nothing that has expired and nothing from a promotion is taken back.
pub(crate) fn both<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let over = resource.ends_at().is_some_and(|end| end <= cx.at);
    ruling.refuse_if(clause::EXPIRED, resource.status() == Status::Expired || over);
    if let Some(end) = resource.ends_at() {
        ruling.changes_at(end);
    }
    ruling.refuse_on(clause::PROMOTION, Flag::Promotion);
    ruling.refuse_if(clause::RELEASED, resource.status() == Status::Released);
}

/// Money goes back to where it came from; vouchers and coupons are lost.
pub(crate) fn money_back(payment: &Payment) -> Disposition {
    if payment.instrument.is_money() {
        Disposition::Share(Destination::itself(payment.instrument))
    } else {
        Disposition::Lost
    }
}

/// The time from opening within which all comes back.
pub(crate) fn first_days(cx: &Context<'_>) -> Span {
    Span::days(cx.param(param::FULL_REFUND_DAYS).and_then(|held| held.whole()).unwrap_or(0))
}

/// What every unsubscription does; what was ordered together with a server leaves with it.
pub(crate) fn leaving(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted, Effect::CouponsLost]);
    let server = ruling.cite_if(clause::ECS_BUNDLE, cx.is_product(product::ECS));
    ruling.effect_if(Effect::AttachedLeaveToo, server);
    ruling.channel(Channel::Api);
}
