//! What every exit asks, and what every exit leads to.

use recoup_core::prelude::*;

use crate::clause;

/// The refusals of every exit.
pub(crate) fn common<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_on(clause::REFUSE_CAMPAIGN, Flag::Promotion);
    ruling.refuse_if(clause::REFUSE_ABUSE, cx.flag(Flag::SecurityRisk).unknown_is_no());
    ruling.refuse_if(clause::REFUSE_RELEASED, resource.status() == Status::Released);
    let stopped = matches!(resource.status(), Status::Expired | Status::Frozen);
    ruling.refuse_if(clause::REFUSE_EXPIRED, stopped);
}

/// Effects and channel.
pub(crate) fn consequences<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
    let coupons = [Instrument::Voucher, Instrument::CashCoupon, Instrument::DiscountCoupon];
    ruling.effect_if(Effect::CouponsLost, coupons.iter().any(|coupon| resource.paid_with(*coupon)));
    ruling.effect_if(Effect::RenewalsLeaveToo, resource.pending_renewals(cx.at).next().is_some());
    ruling.channel(Channel::Api);
}
