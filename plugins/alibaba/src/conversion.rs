//! Conversions to pay-as-you-go: the resource stays (section 4.8 of the rules).

use recoup_core::prelude::*;

use crate::consumption::{self, Carriers, Daily, Gap, Method};
use crate::scope::{Scope, Support};
use crate::settle::{self, Terms};
use crate::{clause, effects, list, param, product, quota, refusals, table, until};

/// Paid less consumed to the instant of conversion; pending orders whole.
pub(crate) fn conversion<R: Resource>(resource: &R, cx: &Context<'_>, scope: &Scope, ruling: &mut Ruling<'_>) {
    let expired = refusals::has_expired(resource, cx);
    ruling.refuse_if(clause::CONV_EXPIRED, expired);
    if !expired && let Some(end) = resource.ends_at() {
        ruling.changes_at(end);
    }
    if cx.is_product(product::WAF) {
        ruling.refuse(clause::CONV_DENY);
    }
    if scope.partial == Support::Ask && !cx.listed(list::CONVERTIBLE) {
        let fact = Flag::RefundNotSupported.as_str();
        ruling.unknown(clause::SCOPE_PRODUCT_MATRIX, Reason::RuleUnknown, Some(fact));
    }
    ruling.refuse_if(clause::API_CONVERT_405, refusals::unpaid_order(resource, cx));
    refusals::trusteeship(cx, ruling);
    if cx.is_product(product::ECS) {
        ruling.refuse_on(clause::ECS_CONVERT_DENY, Flag::PaidImage);
        let draw = vcpu_hours(resource, cx);
        if let Some(instant) = fits_from(resource, cx, &draw) {
            ruling.changes_at(instant);
        }
        ruling.draw(clause::ECS_CONVERT_QUOTA, draw);
        ruling.cite(clause::ECS_CONVERT_ORDERS);
    }
    ruling.cite(clause::CONV_FORMULA);
    ruling.effects(&[Effect::OnDemandRatesApply]);
    ruling.channel(Channel::Console);
    effects::settlement(cx, ruling);
    let terms = Terms::of(resource, cx, ruling);
    let quote = if refusals::value_is_lost(cx) {
        settle::nothing_back(resource, cx, terms, |_| true).map_err(Gap::from)
    } else {
        refund(resource, cx, terms, ruling)
    };
    match quote {
        Ok(quote) => ruling.refund(quote),
        Err(gap) => gap.record(ruling),
    }
}

/// When so few hours remain that a draw that is too large fits the quota.
fn fits_from<R: Resource>(resource: &R, cx: &Context<'_>, draw: &QuotaDraw) -> Option<Instant> {
    let free = Exact::from(draw.limit?).minus(&Exact::from(draw.used?));
    let vcpus = cx.figure(resource, Figure::Vcpus)?;
    if draw.exceeds() != Some(true) || !free.is_positive() {
        return None;
    }
    let hours = free.over(vcpus).whole_part()?;
    Some(end_of(resource)? - Span::hours(hours))
}

fn end_of<R: Resource>(resource: &R) -> Option<Instant> {
    resource.ends_at().or_else(|| resource.paid_orders().filter_map(|order| order.ends_at()).max())
}

/// What a conversion draws on the month's quota: vCPUs x remaining hours, a begun hour counted whole.
fn vcpu_hours<R: Resource>(resource: &R, cx: &Context<'_>) -> QuotaDraw {
    let hours = end_of(resource).map(|end| end.since(cx.at).hours_begun().max(0));
    let vcpus = cx.figure(resource, Figure::Vcpus);
    let stated = quota::stated("ecs_conversion_vcpu_hours", Window::CalendarMonth, cx);
    let published = cx.param(param::CONVERT_VCPU_HOURS).map(|held| held.value);
    QuotaDraw {
        draws: vcpus.zip(hours).map(|(vcpus, hours)| Exact::from(vcpus).times(hours).to_amount().as_number()),
        limit: stated.limit.or(published),
        ..stated
    }
}

fn refund<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    terms: Terms,
    ruling: &mut Ruling<'_>,
) -> Result<RefundQuote, Gap> {
    let by_month = ruling.cite_if(clause::CONV_RDS_REDIS, cx.listed(list::BY_MONTH));
    let month_days = cx.param(param::MONTH_DAYS).and_then(|held| held.whole()).filter(|_| by_month);
    let daily = Daily {
        coefficient: consumption::coefficient(resource, cx, Carriers::EcsOnly),
        discount: consumption::discount(cx),
        month_days,
        calendar: false,
    };
    let linear = cx.in_force(clause::PARTIAL_2021) && !by_month;
    let method = || Ok(if linear { Method::Linear(clause::PARTIAL_2021) } else { Method::Daily(daily) });
    let fee = cx.cell(table::CONVERSION_FEE, &[cx.product_name(resource).into()]);
    ruling.cite_if(clause::CONV_FEE_15, fee.is_some());
    until::consumption(resource, cx, terms, ruling, false, |_| Ok((method()?, Exact::ONE)));
    settle::sum(resource, cx, |order, draft| {
        draft.add_order(order, |payment| terms.dispose(cx, order, payment))?;
        // All that counts as paid shares.
        let paid = draft.left();
        let consumed = consumption::consumed(resource, cx, ruling, order, paid, method)?;
        let left = Exact::from(paid).minus(&consumed).floor_zero();
        // Of pending renewals and upgrades nothing is kept.
        let kept = match fee {
            Some(fee) if order.has_begun(cx.at) != Some(false) => left.times(fee.value),
            _ => Exact::ZERO,
        };
        ruling.line("refund of the order", || format!("{paid} - {consumed} - {kept}"));
        draft.keep_fee(&kept);
        draft.give_back_only(&left.minus(&kept));
        Ok(())
    })
}
