//! The ordinary return of a running resource, orders not begun included.

use recoup_core::prelude::*;
use recoup_core::time::day_after;

use crate::full_refund::{new_purchase, ordinary};
use crate::offer::is_intl;
use crate::{clause, list, param, product, quota, refusals};

/// The ordinary return.
pub(crate) fn in_use<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    of_product(resource, cx, ruling);
    windows(resource, cx, ruling);
    let closes_at = closes(resource, ruling);
    let lifts = [restored(resource, cx, ruling), quota::ordinary(resource, cx, ruling)];
    finish(resource, cx, ruling);
    settle(resource, cx, ruling);
    refusals::settle_until(ruling, closes_at, &lifts);
}

/// What comes back.
fn settle<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let refunded = resource.orders().into_iter().flatten().any(|order| order.status() == OrderStatus::Refunded);
    ruling.cite_if(clause::REFUSE_SWITCHED, refunded);
    if is_unknown(resource, cx, ruling) {
        return;
    }
    ruling.cite(clause::PART_FORMULA);
    ruling.cite(clause::PART_INTL);
    ruling.cite_if(clause::PART_PARTIAL_ONLY, cx.listed(list::PARTIAL_ONLY));
    match ordinary(resource, cx, ruling) {
        Ok(quote) => ruling.refund(quote),
        Err(gap) => gap.report(clause::PART_FORMULA, ruling),
    }
}

/// Security products that `RefundInstance` lists: it prints no price rule.
pub(crate) fn refund_instance<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    let closes_at = closes(resource, ruling);
    let lifts = [restored(resource, cx, ruling), quota::ordinary(resource, cx, ruling)];
    finish(resource, cx, ruling);
    ruling.no_figure(clause::PART_REFUND_INSTANCE, Reason::PriceUnknown, Some("price_terms"));
    refusals::settle_until(ruling, closes_at, &lifts);
}

/// When the exit closes: the end of the resource, or of a window before it.
fn closes<R: Resource>(resource: &R, ruling: &mut Ruling<'_>) -> Option<Instant> {
    if let Some(end) = resource.ends_at() {
        ruling.changes_at(end);
    }
    ruling.so_far().until
}

fn finish<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::effects(resource, cx, ruling);
    refusals::channel(cx, ruling);
    let stops_later = cx.is_product(product::IM)
        && cx.text(resource, Text::Plan).is_some_and(|plan| {
            let plan = plan.to_ascii_lowercase();
            plan.contains("pro") || plan.contains("ultimate")
        });
    if ruling.cite_if(clause::IM_STOP, stops_later)
        && let Some(days) = cx.param(param::IM_STOP).and_then(|days| days.whole())
    {
        ruling.takes_effect_at(cx.at + Span::days(days));
    }
}

/// What single products ask.
fn of_product<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    match cx.product() {
        Some(product::CVM) => {
            ruling.refuse_on(clause::REFUSE_CVM_TYPES, Flag::RefundNotSupported);
            ruling.refuse_on(clause::REFUSE_PAID_IMAGE, Flag::PaidImage);
        }
        Some(product::ES) => {
            ruling.refuse_if(clause::REFUSE_POSTPAID_CONVERTED, refusals::converted(resource, cx));
        }
        Some(product::LIGHTHOUSE) if is_intl(cx) => {
            ruling.refuse_on(clause::REFUSE_AGENT, Flag::ResellerModel);
        }
        Some(product::COS_PACK) => {
            ruling.refuse_if(clause::REFUSE_PACK_USED, refusals::used(resource, cx));
            ruling.refuse_if(clause::REFUSE_NOT_NEW, runs_renewed(resource, cx));
        }
        Some(product::CLB_LCU_PACK) => {
            ruling.refuse_if(clause::REFUSE_LCU_EFFECTIVE, refusals::used(resource, cx));
        }
        Some(product::MODEL_ROUTER_PACK) => {
            let renews = cx.flag(Flag::AutoRenew).unknown_is_no();
            let inactive = Answer::from(resource.status() != Status::Active);
            ruling.refuse_if(clause::REFUSE_MODEL_ROUTER, renews.or(inactive));
        }
        _ => {}
    }
    if !cx.is_product(product::CVM) {
        ruling.refuse_if(clause::REFUSE_PRODUCT_RULE, cx.flag(Flag::RefundNotSupported).unknown_is_no());
    }
    if cx.listed(list::RTC_ENGINE) {
        ruling.refuse_if(clause::REFUSE_PACK_USED, refusals::used(resource, cx));
    }
    if cx.listed(list::INVOICE_FIRST) {
        ruling.refuse_on(clause::REFUSE_INVOICE, Flag::Invoiced);
    }
    refusals::suspended_for_content(cx, ruling);
}

/// Whether a renewal runs already.
fn runs_renewed<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    resource.paid_orders().any(|order| order.kind() == OrderKind::Renewal && !order.is_pending_renewal(cx.at))
}

/// After a refund and a restore. Gives when the wait is over, where it is not yet.
fn restored<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Option<Instant> {
    let (clause, wait) = if cx.is_product(product::DLC) {
        (clause::INTL_DLC, cx.param(param::REAGAIN_DLC))
    } else {
        (clause::REFUSE_REAGAIN, cx.param(param::REAGAIN))
    };
    let minutes = wait.and_then(|wait| wait.whole())?;
    if !cx.flag(Flag::RestoredAfterRefund).is_yes() {
        return None;
    }
    let over = cx.moment(resource, Moment::RestoredAt).map(|at| at + Span::seconds(minutes * 60));
    ruling.refuse_before(clause, "restored_at", over);
    over.filter(|over| cx.at < *over)
}

/// Where the ordinary return has a window too.
fn windows<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let start = new_purchase(resource, cx);
    let hours = |id: ParamId| cx.param(id).and_then(|held| held.whole()).map(Span::hours);
    let five = hours(param::FIVE_DAYS);
    if let Some(five) = five {
        ruling.window_through(clause::PART_WINDOW_2018, "orders", start, five);
        let five_only = [list::FIVE_ONLY, list::FIVE_ONLY_TI_EMS].iter().any(|id| cx.listed(*id));
        if cx.is_product(product::CHESS_SHIELD) && five_only {
            natural_days(cx, ruling, start);
        } else if five_only {
            ruling.window_through(clause::PART_YEAR_ONLY, "orders", start, five);
        }
        if cx.listed(list::RTC_ENGINE) {
            ruling.window_through(clause::INTL_TRTC, "orders", start, five);
        }
    }
    let of_pack = match cx.product() {
        Some(product::NLP_PACK) => Some((clause::PACK_NLP, param::NLP_DAYS)),
        Some(product::SOE_PACK) => Some((clause::PACK_SOE, param::SOE_DAYS)),
        Some(product::SMS_INTL_PACK) => Some((clause::PACK_SMS_INTL, param::SMS_INTL_DAYS)),
        _ => None,
    };
    if let Some((clause, id)) = of_pack
        && let Some(length) = hours(id)
    {
        ruling.window_through(clause, "orders", start, length);
    }
    if cx.is_product(product::SMS_PACK) {
        let months = cx.param(param::SMS_MONTHS).and_then(|held| held.whole());
        let months = months.and_then(|months| i32::try_from(months).ok()).unwrap_or_default();
        let end = start.map(|start| cx.zone.add_months(start, months));
        ruling.window(clause::PACK_SMS, "orders", end, |at, end| at <= end);
    }
    if cx.in_force(clause::PART_2017) && cx.is_product(product::CVM) {
        of_2017(resource, cx, ruling, start);
    }
}

fn natural_days(cx: &Context<'_>, ruling: &mut Ruling<'_>, start: Option<Instant>) {
    let days = cx.param(param::NATURAL_DAYS).and_then(|held| held.whole());
    let days = days.and_then(|days| u64::try_from(days).ok()).unwrap_or_default();
    let end = start.map(|start| cx.zone.midnight(day_after(cx.zone.date(start), days)));
    ruling.window(clause::PART_YEAR_ONLY, "orders", end, |at, end| at < end);
}

/// The conditions of the CVM page of 2017. Outside the five days its own figures contradict it.
fn of_2017<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, start: Option<Instant>) {
    let too_old = start.zip(first_day_of_2017(cx)).map(|(start, first_day)| start < first_day);
    ruling.refuse_if(clause::PART_2017, Answer::named("orders", too_old));
    let changed = resource.paid_orders().any(|order| matches!(order.kind(), OrderKind::Upgrade | OrderKind::Downgrade));
    ruling.refuse_as(clause::PART_2017, Reason::NotNewPurchase, changed);
    let agent = cx.flag(Flag::PaidByPartner).or(cx.flag(Flag::ResellerModel)).unknown_is_no();
    ruling.refuse_as(clause::PART_2017, Reason::Reseller, agent);
}

/// The first day of the rule of 2017, as its clause states it.
fn first_day_of_2017(cx: &Context<'_>) -> Option<Instant> {
    let scope = cx.book().policy().clause(clause::PART_2017)?.holds.first()?;
    Instant::parse(scope.from.as_deref()?, cx.zone).ok()
}

/// Days of which no page is known, or of which two contradict each other.
fn is_unknown<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> bool {
    let clauses = [clause::UNKNOWN_BEFORE, clause::UNKNOWN_INTL_CHANGE];
    if let Some(clause) = clauses.into_iter().find(|clause| cx.in_force(*clause)) {
        ruling.no_figure(clause, Reason::RuleUnknown, None);
        return true;
    }
    let five = cx.param(param::FIVE_DAYS).and_then(|held| held.whole()).map(Span::hours);
    if cx.in_force(clause::PART_2017)
        && let (Some(start), Some(five)) = (new_purchase(resource, cx), five)
    {
        if cx.at > start + five {
            ruling.no_figure(clause::UNKNOWN_PAGE_DATE, Reason::RuleUnknown, None);
            return true;
        }
        ruling.changes_at(start + five);
    }
    false
}
