//! What every exit asks, and questions that several exits share.

use recoup_core::prelude::*;

use crate::{clause, list, param, product};

/// The refusals of every exit, in the order of the pages.
pub(crate) fn common<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_on(clause::REFUSE_CAMPAIGN, Flag::Promotion);
    ruling.refuse_if(clause::REFUSE_ABUSE, cx.flag(Flag::SecurityRisk).unknown_is_no());
    ruling.refuse_if(clause::REFUSE_EXPIRED, has_expired(resource, cx));
    ruling.refuse_if(clause::REFUSE_RETURNED, resource.status() == Status::Released);
    ruling.refuse_on(clause::REFUSE_TASK, Flag::TransactionInProgress);
    let unpaid = Answer::from(resource.has_unpaid_order());
    ruling.refuse_if(clause::REFUSE_UNPAID, unpaid.or(cx.flag(Flag::UnpaidOrder)));
    ruling.refuse_on(clause::REFUSE_PROTECTED, Flag::TerminationProtection);
    ruling.refuse_if(clause::REFUSE_EMR, cx.is_product(product::CVM) && resource.bundle().is_some());
}

/// A refusal that no time lifts leaves nothing to wait for. Those that lift by themselves count only
/// where nothing else refuses and the exit has not closed until then.
pub(crate) fn settle_until(ruling: &mut Ruling<'_>, closes_at: Option<Instant>, lifts: &[Option<Instant>]) {
    let refusals = ruling.so_far().refusals.len();
    if refusals == 0 {
        return;
    }
    ruling.never_changes();
    let lifts = || lifts.iter().copied().flatten();
    let all_lift = lifts().count() == refusals;
    let still_open = lifts().max().is_some_and(|last| closes_at.is_none_or(|end| last < end));
    if let Some(first) = lifts().min().filter(|_| all_lift && still_open) {
        ruling.changes_at(first);
    }
}

/// Whether the resource is over: its last instant is no longer in it, as that of an order is not.
fn has_expired<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    resource.status() == Status::Expired || resource.ends_at().is_some_and(|end| end <= cx.at)
}

/// Accounts suspended for content cannot return AI, live and VOD packs.
pub(crate) fn suspended_for_content(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if cx.listed(list::CONTENT) {
        ruling.refuse_on(clause::REFUSE_SUSPENDED, Flag::SuspendedForContent);
    }
}

/// Whether the resource was converted from pay-as-you-go: a fact, or what an order shows.
pub(crate) fn converted<R: Resource>(resource: &R, cx: &Context<'_>) -> Answer {
    let by_order = resource.paid_orders().any(|order| order.kind() == OrderKind::Conversion);
    Answer::from(by_order).or(cx.flag(Flag::ConvertedFromPostpaid))
}

/// Whether any use was made of a pack: a fact, or what its counter shows.
pub(crate) fn used<R: Resource>(resource: &R, cx: &Context<'_>) -> Answer {
    let counted = resource.commitment().and_then(|commitment| {
        let figures = [commitment.used_units, commitment.used_fraction];
        figures.iter().flatten().any(|figure| figure.is_positive()).then_some(true)
    });
    match counted {
        Some(true) => Answer::of(Flag::Used, counted),
        _ => cx.flag(Flag::Used),
    }
}

/// Where the exit is taken, and how soon the money comes by ticket. Promotion-channel orders and some
/// products go by ticket only; before 2018-03-01 everything did.
pub(crate) fn channel(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let referral = cx.flag(Flag::ReferralOrder).is_yes();
    ruling.cite_if(clause::REFUSE_PROMO_CHANNEL, referral);
    let before_self_service = cx.in_force(clause::FIVE_DISCOUNTED) && ruling.so_far().exit == Exit::FullRefund;
    let by_ticket = [list::TICKET, list::TICKET_KMS, list::TICKET_PACKS, list::TICKET_REDIS, list::TICKET_CBS]
        .iter()
        .any(|id| cx.listed(*id));
    if referral || by_ticket || before_self_service {
        ruling.channel(Channel::Support);
        if let Some(days) = cx.param(param::TICKET_DAYS)
            && let Some(within) = days.whole().and_then(|days| u32::try_from(days).ok())
        {
            ruling.settles_within(days.clause, within, DayKind::Business);
        }
    } else if has_operation(cx) {
        ruling.channel(Channel::Api);
    } else {
        ruling.channel(Channel::Console);
    }
}

fn has_operation(cx: &Context<'_>) -> bool {
    [list::API, list::REFUND_INSTANCE, list::REFUND_INSTANCE_INTL, list::REFUND_INSTANCE_KMS]
        .iter()
        .any(|id| cx.listed(*id))
}

/// What else happens when a resource is returned.
pub(crate) fn effects<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
    let coupons = [Instrument::Voucher, Instrument::CashCoupon, Instrument::DiscountCoupon];
    let lost = coupons.iter().any(|coupon| resource.paid_with(*coupon));
    ruling.cite_if(clause::COUPON, lost);
    ruling.effect_if(Effect::CouponsLost, lost);
    ruling.effect_if(Effect::RenewalsLeaveToo, resource.pending_renewals(cx.at).next().is_some());
}
