//! What else an exit does, where it is taken and when the money comes (section 9 of the rules).

use recoup_core::policy::Held;
use recoup_core::prelude::*;

use crate::{clause, list, param, product};

/// Where the exit is taken.
pub(crate) fn channel<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if ruling.cite_if(clause::CHANNEL_NO_API, cx.flag(Flag::ApiRefundSupported).is_yes()) {
        return ruling.channel(Channel::Api);
    }
    channel_of_renewals(resource, cx, ruling);
}

/// The same for pending renewals: the API has no parameter that would choose them alone
/// (`ali.api.no-type`).
pub(crate) fn channel_of_renewals<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if cx.in_force(clause::CHANNEL_TICKET) && !cx.listed(list::SELF_SERVICE_2024) {
        ruling.channel(Channel::Support);
        return ruling.review("support", clause::CHANNEL_TICKET, None);
    }
    let listed = [list::BY_TICKET, list::BY_TICKET_OSS, list::BY_TICKET_MYBASE].into_iter().any(|list| cx.listed(list));
    let by_ticket = ruling.cite_if(clause::CHANNEL_BY_TICKET, listed || ocr_by_ticket(resource, cx));
    ruling.channel(if by_ticket { Channel::Support } else { Channel::Console });
    if by_ticket {
        ruling.review("support", clause::CHANNEL_BY_TICKET, None);
    }
}

/// OCR plans are self-service for five days only (`ali.row.never-used`).
fn ocr_by_ticket<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    cx.is_product(product::OCR_PLAN)
        && matches!(
            (resource.purchased_at(), days(cx, param::OCR_SELF_SERVICE_DAYS)),
            (Some(bought), Some(length)) if cx.at > bought + length
        )
}

/// When the money comes.
pub(crate) fn settlement(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let short = cx.listed(list::SHORT_SETTLEMENT);
    let held = if short { cx.param(param::SETTLEMENT_SHORT) } else { cx.param(param::SETTLEMENT) };
    if let Some(held) = held {
        settles(&held, DayKind::Business, ruling);
    }
}

pub(crate) fn settles(within: &Held, kind: DayKind, ruling: &mut Ruling<'_>) {
    if let Some(days) = within.whole().and_then(|days| u32::try_from(days).ok()) {
        ruling.settles_within(within.clause, days, kind);
    }
}

/// What leaving does to the resource: it is gone for good; a plan's products and data stay and bill on.
pub(crate) fn of_leaving<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let lost = crate::settle::loses_coupons(resource, cx, resource.paid_orders());
    of_cancelling(lost, ruling);
    if resource.billing() != Billing::Subscription || crate::scope::is_plan(resource, cx) {
        ruling.cite(clause::AFTER_PLAN_PAYG);
        return ruling.effects(&[Effect::OnDemandRatesApply]);
    }
    ruling.cite(clause::AFTER_PURGED);
    ruling.cite(clause::ECS_RETENTION);
    ruling.effects(&[Effect::AccessLost]);
    // Security Center keeps its configuration for a time (ali.after.sas) and holds no data of its own.
    ruling.effect_if(Effect::DataDeleted, !cx.is_product(product::SAS));
    if ruling.cite_if(clause::ECS_BUNDLE, cx.is_product(product::ECS)) {
        ruling.effects(&[Effect::AttachedLeaveToo]);
    }
}

/// What every unsubscription does; `lost` says whether vouchers are lost by it.
pub(crate) fn of_cancelling(lost: bool, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::AFTER_IRREVERSIBLE);
    ruling.effects(&[Effect::Irreversible]);
    if ruling.cite_if(clause::MONEY_VOUCHER_LOST, lost) {
        ruling.effects(&[Effect::CouponsLost]);
    }
}

/// Whether an order was paid with something that does not count as paid.
pub(crate) fn pays_with_vouchers<O: Order>(mut orders: impl Iterator<Item = O>) -> bool {
    orders.any(|order| order.paid_with().intersects(crate::settle::NOT_COUNTED))
}

/// A number of days of 24 hours that a page prints.
pub(crate) fn days(cx: &Context<'_>, param: ParamId) -> Option<Span> {
    span(&cx.param(param)?)
}

/// So many days of 24 hours.
pub(crate) fn span(days: &Held) -> Option<Span> {
    days.whole().map(Span::days)
}
