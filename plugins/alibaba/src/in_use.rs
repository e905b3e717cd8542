//! The partial refund of what is in use (section 4.6 and 6 of the rules).

use recoup_core::prelude::*;

use crate::consumption::{self, Carriers, Daily, Discount, Gap, Method};
use crate::effects::{self, days};
use crate::scope::{Scope, Support, is_plan};
use crate::settle::{self, Terms};
use crate::{clause, full_refund, list, param, product, refusals, until};

/// Leaving a resource: what was not consumed of its current orders and all of its pending renewals.
pub(crate) fn in_use<R: Resource>(resource: &R, cx: &Context<'_>, scope: &Scope, ruling: &mut Ruling<'_>) {
    let gone = refusals::state(resource, cx, ruling);
    refusals::causes(resource, cx, ruling);
    rows(resource, cx, ruling);
    effects::of_leaving(resource, cx, ruling);
    if resource.pending_renewals(cx.at).next().is_some() {
        ruling.cite(clause::FULL_ACTIVE_TAKES_RENEWALS);
        ruling.effects(&[Effect::RenewalsLeaveToo]);
    }
    effects::channel(resource, cx, ruling);
    effects::settlement(cx, ruling);
    ruling.cite(clause::PARTIAL_CONDITION);
    until::pending_renewals(resource, cx, ruling);
    if scope.partial == Support::Ask {
        // Only the quote API or a ticket tells whether such a product can be left.
        let fact = Flag::RefundNotSupported.as_str();
        return ruling.no_figure(clause::SCOPE_PRODUCT_MATRIX, Reason::RuleUnknown, Some(fact));
    }
    amount(resource, cx, gone, ruling);
}

/// What a product's own row adds.
fn rows<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite_if(clause::ROW_GENERAL, cx.listed(list::ROW_PARTIAL));
    ruling.cite_if(clause::PARTIAL_CN_PLAN, cx.listed(list::ROW_PARTIAL_OSS));
    ruling.cite_if(clause::ROW_INFERENCE, cx.is_product(product::MODEL_STUDIO_INFERENCE_PLAN));
    let start = full_refund::bought(resource).or_else(|| resource.starts_at());
    let remainder = days(cx, param::REMAINDER_DAYS).unwrap_or(Span::days(0));
    if cx.is_product(product::OPENSEARCH) || cx.is_product(product::REALTIME_COMPUTE) {
        ruling.window_through(clause::ROW_REMAINDER_5D, "purchased_at", start, remainder);
    }
    if cx.is_product(product::ELASTICSEARCH) {
        ruling.window_through(clause::ROW_ES_2019, "purchased_at", start, remainder);
    }
    if cx.is_product(product::ISI)
        && let Some(length) = days(cx, param::ISI_DAYS)
    {
        ruling.window_through(clause::ROW_ISI, "purchased_at", start, length);
    }
    if cx.is_product(product::GUARDRAILS_PRO)
        && let Some(length) = days(cx, param::GUARD_PRO_DAYS)
    {
        ruling.window_through(clause::ROW_GUARD_PRO, "purchased_at", start, length);
    }
}

/// The refund, and the refusal of a refund of nothing.
fn amount<R: Resource>(resource: &R, cx: &Context<'_>, gone: bool, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::PARTIAL_FORMULA);
    ruling.cite(clause::PARTIAL_CN);
    let terms = Terms::of(resource, cx, ruling);
    if refusals::value_is_lost(cx) {
        return match settle::nothing_back(resource, cx, terms, |_| true) {
            Ok(quote) => ruling.refund(quote),
            Err(missing) => ruling.missing(clause::PARTIAL_CASH_ONLY, missing),
        };
    }
    let quote = settle::sum(resource, cx, |order, draft| {
        consumption::settle_in_part(resource, cx, ruling, terms, order, draft, || method(resource, cx))
    });
    match quote {
        Ok(quote) => {
            if !gone {
                ruling.refuse_if(clause::DENY_ZERO, quote.refund().is_zero());
                until::consumption(resource, cx, terms, ruling, true, |_| Ok((method(resource, cx)?, Exact::ONE)));
            }
            ruling.refund(quote);
        }
        Err(gap) => gap.record(ruling),
    }
}

/// How the product's consumption is counted.
pub(crate) fn method<R: Resource>(resource: &R, cx: &Context<'_>) -> Result<Method, Gap> {
    if cx.listed(list::ROW_PARTIAL_OSS) {
        let daily = Daily { coefficient: None, discount: Discount::None, month_days: None, calendar: false };
        return Ok(Method::Daily(daily));
    }
    if cx.is_product(product::EMR_SERVERLESS_SPARK) {
        return Ok(Method::Linear(clause::PARTIAL_EMR));
    }
    if cx.is_product(product::ELASTICITY_ASSURANCE) && cx.in_force(clause::PARTIAL_ELASTICITY) {
        return Ok(Method::Linear(clause::PARTIAL_ELASTICITY));
    }
    if cx.is_product(product::ISI) && cx.in_force(clause::ROW_ISI) {
        return metered(resource, cx, clause::ROW_ISI, pay_as_you_go_price(resource));
    }
    if cx.is_product(product::GUARDRAILS_PRO)
        && let (Some(price), Some(calls)) = (cx.param(param::GUARD_PRO_PRICE), cx.param(param::GUARD_PRO_CALLS))
    {
        return metered(resource, cx, price.clause, Some(Exact::from(price.value).over(calls.value)));
    }
    if cx.is_product(product::MODEL_STUDIO_INFERENCE_PLAN) && cx.in_force(clause::ROW_INFERENCE) {
        let gap = Gap::Rule(clause::ROW_INFERENCE, Reason::AlreadyUsed, "used_fraction");
        return consumption::used_share(resource, cx).map(Method::PaidVolume).ok_or(gap);
    }
    if cx.in_force(clause::PARTIAL_2021) {
        return Ok(Method::Linear(clause::PARTIAL_2021));
    }
    let coefficient = consumption::coefficient(resource, cx, Carriers::Table);
    let daily = Daily { coefficient, discount: consumption::discount(cx), month_days: None, calendar: false };
    if !is_plan(resource, cx) {
        return Ok(Method::Daily(daily));
    }
    match cx.text(resource, Text::PlanKind) {
        Some("total_volume") => {
            let gap = Gap::Rule(clause::PARTIAL_PLAN_2025, Reason::AlreadyUsed, "used_fraction");
            consumption::used_share(resource, cx).map(Method::Volume).ok_or(gap)
        }
        Some("periodic") => Ok(Method::Daily(daily)),
        _ => Err(Gap::Rule(clause::PARTIAL_PLAN_2025, Reason::RuleUnknown, Text::PlanKind.as_str())),
    }
}

fn pay_as_you_go_price<R: Resource>(resource: &R) -> Option<Exact> {
    resource.price_terms().and_then(|terms| terms.unit_price).map(Exact::from)
}

/// Use x a price; what is not used costs nothing.
fn metered<R: Resource>(resource: &R, cx: &Context<'_>, by: ClauseId, price: Option<Exact>) -> Result<Method, Gap> {
    let unused = consumption::used_share(resource, cx).filter(|share| share.is_zero());
    let used = resource.commitment().and_then(|commitment| commitment.used_units).or(unused);
    let used = used.ok_or(Gap::Rule(by, Reason::AlreadyUsed, "used_units"))?;
    if used.is_zero() {
        return Ok(Method::Fixed(Amount::ZERO));
    }
    let price = price.ok_or(Gap::Rule(by, Reason::PriceUnknown, "unit_price"))?;
    Ok(Method::Fixed(price.times(used).to_amount()))
}
