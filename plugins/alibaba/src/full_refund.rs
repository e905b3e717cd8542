//! Full refunds of the unused and within five days (section 4.2 of the rules, product rows of 4.9).

use recoup_core::policy::Held;
use recoup_core::prelude::*;

use crate::consumption::{self, Daily, Gap, Method};
use crate::effects::{self, days, span};
use crate::scope::Full;
use crate::settle::{self, Terms};
use crate::{clause, list, param, product, quota, refusals};

/// All that was paid comes back.
pub(crate) fn full_refund<R: Resource>(resource: &R, cx: &Context<'_>, kind: Full, ruling: &mut Ruling<'_>) {
    refusals::state(resource, cx, ruling);
    refusals::causes(resource, cx, ruling);
    match kind {
        Full::Unused(window) => unused_by_row(resource, cx, window, ruling),
        Full::UnusedAnyAge => {
            ruling.cite(clause::ROW_NEVER_USED);
            ruling.refuse_if(clause::FULL_PLAN_USED, was_used(resource, cx));
        }
        Full::Plan => plan(resource, cx, ruling),
        Full::FiveDays => five_days(resource, cx, ruling),
        Full::SecurityCenter => {
            ruling.window_through(clause::FULL_SAS, "starts_at", new_purchase(resource), five(cx));
        }
        Full::Reserved => reserved(resource, cx, ruling),
        Full::Certificate => certificate(resource, cx, ruling),
        Full::GlobalAccelerator => accelerator(resource, cx, ruling),
    }
    effects::of_leaving(resource, cx, ruling);
    effects::channel(resource, cx, ruling);
    effects::settlement(cx, ruling);
    if kind == Full::Reserved {
        // After the five days a reserved instance goes by ticket only.
        if ruling.so_far().refused_for(Reason::WindowClosed) {
            ruling.channel(Channel::Support);
        }
        if let Some(fee) = cx.param(param::RI_FEE) {
            return reserved_with_fee(resource, cx, fee, ruling);
        }
    }
    settle::refund_whole(resource, cx, ruling);
}

/// Whether something was deducted: as stated, or as the used share shows.
fn was_used<R: Resource>(resource: &R, cx: &Context<'_>) -> Answer {
    let used = cx.flag(Flag::Used);
    let share = resource.commitment().and_then(|commitment| commitment.used_fraction);
    match share {
        Some(share) if share.is_positive() => Answer::of(Flag::Used, Some(true)),
        Some(_) => Answer::of(Flag::Used, Some(used.is_yes())),
        None => used,
    }
}

/// The start of the first purchase: a renewal does not open a window again.
fn new_purchase<R: Resource>(resource: &R) -> Option<Instant> {
    resource
        .paid_orders()
        .find(|order| order.kind() == OrderKind::Purchase)
        .and_then(|order| order.starts_at())
        .or_else(|| resource.starts_at())
        .or_else(|| resource.purchased_at())
}

/// When it was bought, as the record says or else its first purchase.
pub(crate) fn bought<R: Resource>(resource: &R) -> Option<Instant> {
    resource.purchased_at().or_else(|| {
        resource
            .paid_orders()
            .find(|order| order.kind() == OrderKind::Purchase)
            .and_then(|order| order.paid_at().or_else(|| order.placed_at()))
    })
}

fn five(cx: &Context<'_>) -> Span {
    days(cx, param::FIVE_DAYS).unwrap_or(Span::days(0))
}

fn is_open(cx: &Context<'_>, start: Option<Instant>, length: Option<Span>) -> Option<bool> {
    Some(cx.at <= start? + length?)
}

/// A product whose own row names a window for the unused.
fn unused_by_row<R: Resource>(resource: &R, cx: &Context<'_>, window: Held, ruling: &mut Ruling<'_>) {
    if cx.listed(list::NOT_FROM_CHANGE) || cx.listed(list::NOT_FROM_RENEWAL) {
        let any_change = cx.listed(list::NOT_FROM_CHANGE);
        let changed = resource.paid_orders().any(|order| match order.kind() {
            OrderKind::Renewal => true,
            OrderKind::Upgrade => any_change,
            _ => false,
        });
        ruling.refuse_if(clause::ROW_NOT_FROM_CHANGE, changed);
    }
    if cx.is_product(product::VOD_PLAN) {
        // No export says whether the bundled licence is active: only a stated yes refuses.
        ruling.refuse_if(clause::ROW_VOD_LICENCE, cx.flag(Flag::Activated).unknown_is_no());
    }
    if cx.is_product(product::GUARDRAILS_QPS_PACK) {
        let waiting = resource.status() == Status::Queued && resource.starts_at().is_none_or(|start| start > cx.at);
        ruling.refuse_if(clause::ROW_GUARD_PACK_IN_FORCE, !waiting);
    } else {
        ruling.refuse_if(clause::FULL_PLAN_USED, was_used(resource, cx));
    }
    unused_window(resource, cx, window, ruling);
    ruling.cite_if(clause::ROW_OSS_RESERVED, cx.is_product(product::OSS_RESERVED_CAPACITY));
}

/// The window of the unused: so many days from the purchase, or the plan's whole validity where that
/// was released to the account.
fn unused_window<R: Resource>(resource: &R, cx: &Context<'_>, window: Held, ruling: &mut Ruling<'_>) {
    let Some(length) = span(&window) else { return };
    let bought = bought(resource);
    if !cx.listed(list::VALIDITY) {
        ruling.window_through(window.clause, "purchased_at", bought, length);
        return;
    }
    // The release is the account's: where the account says something of it, nothing else counts.
    let of_account = cx.account_flag(Flag::PlanRefundWholeValidity);
    let released = if of_account.known().is_some() { of_account } else { cx.flag(Flag::PlanRefundWholeValidity) };
    if released.is_yes() {
        ruling.cite(clause::FULL_PLAN_VALIDITY);
    } else if released.is_no() {
        ruling.window_through(window.clause, "purchased_at", bought, length);
    } else if is_open(cx, bought, Some(length)) == Some(true) {
        if let Some(bought) = bought {
            ruling.changes_at(bought + length);
        }
    } else {
        ruling.refuse_if(clause::FULL_PLAN_VALIDITY, !released);
    }
}

/// A plan by the general rules. On the China site a total-volume plan is also in the five-day list,
/// used or not, once a quota; the refund of the unused needs no quota.
fn plan<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let window = cx.param(param::PLAN_DAYS);
    let used = was_used(resource, cx);
    let in_window = window.map_or(Some(false), |held| is_open(cx, bought(resource), span(&held)));
    // Where the year's refund without a reason is gone, a plan of which nobody says that it was used is
    // ruled as an unused one.
    let only_unused = !used.is_yes() && quota::is_used_up(resource, cx, Full::Plan);
    let unused_is_open = (used.is_no() || only_unused) && in_window == Some(true);
    let start = new_purchase(resource);
    let length = days(cx, param::PLAN_FIVE_DAYS);
    let begun = start.is_some_and(|start| start <= cx.at);
    if !begun
        && length.is_some()
        && let Some(start) = start
    {
        ruling.changes_at(start);
    }
    if !unused_is_open && begun && is_open(cx, start, length) == Some(true) {
        match cx.text(resource, Text::PlanKind) {
            Some("total_volume") => {
                ruling.cite(clause::SCOPE_CN_FIVE_DAY_PRODUCTS);
                ruling.cite(clause::FULL_CN_5D_WINDOW);
                let end = start.zip(length).map(|(start, length)| start + length);
                ruling.window(clause::FULL_CN_5D_NO_REASON, "starts_at", end, |at, end| at <= end);
                quota::full_refunds(resource, cx, Full::Plan, ruling);
                if ruling.so_far().refused_for(Reason::QuotaExhausted) {
                    ruling.refuse_if(clause::FULL_PLAN_USED, used);
                }
                return;
            }
            None if used.is_yes() => {
                if let Some((start, length)) = start.zip(length) {
                    ruling.changes_at(start + length);
                }
                return ruling.unknown(
                    clause::SCOPE_CN_FIVE_DAY_PRODUCTS,
                    Reason::RuleUnknown,
                    Some(Text::PlanKind.as_str()),
                );
            }
            _ => {}
        }
    }
    ruling.refuse_if(clause::FULL_PLAN_USED, used);
    match window {
        Some(window) => unused_window(resource, cx, window, ruling),
        None => {
            ruling.window_through(clause::FULL_CN_5D_NO_REASON, "starts_at", start, length.unwrap_or(Span::days(0)));
        }
    }
}

/// Five days without a reason, used or not, once a quota.
fn five_days<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::SCOPE_CN_FIVE_DAY_PRODUCTS);
    ruling.cite(clause::FULL_CN_5D_WINDOW);
    let start = new_purchase(resource);
    ruling.window_through(clause::FULL_CN_5D_NO_REASON, "starts_at", start, five(cx));
    if cx.is_product(product::ECS) {
        ruling.refuse_as(clause::FULL_CN_5D_NOT, Reason::ProductNotSupported, is_weekly(resource, cx));
    }
    if cx.is_product(product::WEB_HOSTING) {
        let did = |kinds: &[OrderKind]| resource.paid_orders().any(|order| kinds.contains(&order.kind()));
        ruling.refuse_if(clause::FULL_CN_5D_NOT, did(&[OrderKind::Renewal, OrderKind::Conversion]));
        if did(&[OrderKind::Upgrade]) {
            ruling.refuse_if(clause::FULL_CN_5D_NOT, !cx.flag(Flag::BandwidthAddon));
        }
    }
    if cx.is_product(product::SCU) {
        let most = cx.param(param::SCU_QUANTITY).map_or(resource.quantity(), |held| held.value);
        ruling.refuse_if(clause::FULL_SCU, resource.quantity() > most);
    }
    quota::full_refunds(resource, cx, Full::FiveDays, ruling);
}

/// Weekly-billed: as stated, or as the purchase's term shows; absent, it is not.
fn is_weekly<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    match cx.text(resource, Text::BillingCycle) {
        Some(cycle) => cycle == "week",
        None => resource
            .paid_orders()
            .find(|order| order.kind() == OrderKind::Purchase)
            .and_then(|order| order.term())
            .is_some_and(|term| term.unit == TermUnit::Week),
    }
}

/// A reserved instance shares its one refund with ECS and resource plans.
fn reserved<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::FULL_CN_RI_2019);
    let start = new_purchase(resource);
    ruling.window_through(clause::FULL_CN_5D_NO_REASON, "starts_at", start, five(cx));
    quota::full_refunds(resource, cx, Full::Reserved, ruling);
}

/// Reserved instances of 2019-20: what was consumed is deducted and a share of the rest kept.
fn reserved_with_fee<R: Resource>(resource: &R, cx: &Context<'_>, fee: Held, ruling: &mut Ruling<'_>) {
    ruling.cite(fee.clause);
    let terms = Terms::of(resource, cx, ruling);
    let daily = Daily { coefficient: None, discount: consumption::discount(cx), month_days: None, calendar: false };
    let quote = settle::sum(resource, cx, |order, draft| {
        draft.add_order(order, |payment| terms.dispose(cx, order, payment))?;
        let paid = terms.paid_for(order)?;
        let consumed = consumption::consumed(resource, cx, ruling, order, paid, || Ok(Method::Daily(daily)))?;
        let left = Exact::from(paid).minus(&consumed).floor_zero();
        let kept = left.times(fee.value);
        draft.keep_fee(&kept);
        draft.give_back_only(&left.minus(&kept));
        Ok::<_, Gap>(())
    });
    match quote {
        Ok(quote) => ruling.refund(quote),
        Err(gap) => gap.record(ruling),
    }
}

/// An SSL certificate, by site, date and state.
fn certificate<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::FULL_PLAN_USED, was_used(resource, cx));
    ruling.cite(clause::ROW_SSL_INTL_2018);
    let bought = bought(resource);
    if cx.in_force(clause::ROW_SSL_INTL_2021) {
        let before = days(cx, param::SSL_BEFORE_EXPIRY_DAYS).unwrap_or(Span::days(0));
        let end = resource.ends_at().map(|end| end - before);
        ruling.window(clause::ROW_SSL_INTL_2021, "ends_at", end, |at, end| at <= end);
        if is_open(cx, bought, days(cx, param::SSL_AT_ONCE_DAYS)) != Some(true) {
            ruling.review("support", clause::ROW_SSL_INTL_2021, None);
        }
    } else if cx.in_force(clause::ROW_SSL_INTL_API) {
        let length = days(cx, param::SSL_DAYS).unwrap_or(Span::days(0));
        ruling.window_through(clause::ROW_SSL_INTL_API, "purchased_at", bought, length);
    } else if cx.in_force(clause::ROW_SSL_CN) {
        certificate_cn(cx, bought, ruling);
    }
}

/// Seven days, thirty with the value-added service.
fn certificate_cn(cx: &Context<'_>, bought: Option<Instant>, ruling: &mut Ruling<'_>) {
    let short = days(cx, param::SSL_DAYS).unwrap_or(Span::days(0));
    let long = days(cx, param::SSL_DAYS_VAS).unwrap_or(short);
    let served = cx.flag(Flag::ValueAddedService);
    let long_is_open = is_open(cx, bought, Some(long)) == Some(true);
    if served.is_yes() || !long_is_open {
        ruling.window_through(clause::ROW_SSL_CN, "purchased_at", bought, long);
    } else if served.is_no() {
        ruling.window_through(clause::ROW_SSL_CN, "purchased_at", bought, short);
    } else {
        if is_open(cx, bought, Some(short)) == Some(false) {
            ruling.refuse_if(clause::ROW_SSL_CN, !served);
        }
        for length in [short, long] {
            if let Some(bought) = bought {
                ruling.changes_at(bought + length);
            }
        }
    }
}

/// GA of 2018.
fn accelerator<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let start = new_purchase(resource);
    let length = days(cx, param::GA_DAYS).unwrap_or(Span::days(0));
    ruling.window_through(clause::ROW_GA_2018, "starts_at", start, length);
    ruling.refuse_if(clause::ROW_GA_VOUCHER, effects::pays_with_vouchers(resource.paid_orders()));
    quota::full_refunds(resource, cx, Full::GlobalAccelerator, ruling);
}
