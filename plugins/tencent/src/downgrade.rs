//! Leaving to a smaller configuration.

use recoup_core::prelude::*;

use crate::consumed::{Scope, discount, left_of_orders};
use crate::money::{Form, Gap, Standing, end_of, standing};
use crate::{clause, list, param, product, refusals};

/// Rules on a downgrade where the price of the smaller configuration is given.
pub(crate) fn exit<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    let can = !cx.listed(list::ALL_PACKS) && resource.billing() == Billing::Subscription;
    if let Some(monthly) = cx.figure(resource, Figure::DowngradeMonthlyPrice).filter(|_| can) {
        out.exit(cx, Exit::Downgrade, |ruling| downgrade(resource, cx, ruling, monthly));
    }
}

/// The old part by the ordinary formula less the price of the new configuration for the rest. Open at
/// any time; no page counts it against a quota.
fn downgrade<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, monthly: Number) {
    refusals::common(resource, cx, ruling);
    ruling.cite(clause::DOWNGRADE);
    ruling.effects(&[Effect::Irreversible]);
    refusals::channel(cx, ruling);
    match quote(resource, cx, ruling, monthly) {
        Ok(quote) => ruling.refund(quote),
        Err(gap) => gap.report(clause::DOWNGRADE, ruling),
    }
    ruling.never_changes();
}

fn quote<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    monthly: Number,
) -> Result<RefundQuote, Gap> {
    let (mut parts, currency) = left_of_orders(resource, cx, ruling, Scope::Running)?;
    let missing = |fact| Gap::Unknown(clause::DOWNGRADE, Reason::PriceUnknown, Some(fact));
    let terms = resource.price_terms().ok_or_else(|| missing("price_terms"))?;
    let end = running_until(resource, cx).ok_or_else(|| missing("orders.ends_at"))?;
    let (months, broken) = remaining(cx, ruling, end);
    let undiscounted = broken && cx.is_product(product::CVM) && cx.in_force(clause::DOWNGRADE_UNDISCOUNTED);
    ruling.cite_if(clause::DOWNGRADE_UNDISCOUNTED, undiscounted);
    let reached = Number::from_units(months.floor_to(Amount::whole(1)).units());
    let rate = if undiscounted { Number::ONE } else { discount(terms, &reached) };
    let mut price = months.times(monthly).times(rate).round(currency);
    ruling.line("new configuration", || format!("{monthly} x {months} months x {rate} = {price}"));
    for part in &mut parts {
        let from_this = price.at_most(part.left);
        part.consume(from_this);
        price -= from_this;
    }
    Ok(Form::downgrade(cx, ruling).settle_all(&parts, currency))
}

/// The end of the running order.
fn running_until<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<Instant> {
    let running = resource.periods().find_map(|order| match standing(resource, &order, cx)? {
        Standing::Running(start) => end_of(resource, &order, start, cx),
        _ => None,
    });
    running.or_else(|| resource.ends_at())
}

/// The remaining months, and whether the last of them is broken: whole calendar months where the rest
/// is such, else days / 30; MySQL, EIP and CLB days / (365/12), CLB to one decimal.
fn remaining(cx: &Context<'_>, ruling: &mut Ruling<'_>, end: Instant) -> (Exact, bool) {
    let days = end.since(cx.at).days_begun().max(0);
    let whole = |id: ParamId| cx.param(id).and_then(|held| held.whole()).unwrap_or_default();
    if ruling.cite_if(clause::DOWNGRADE_MONTHS_365, cx.listed(list::MONTHS_365)) {
        let months = Exact::from(days).times_ratio(whole(param::YEAR_MONTHS), whole(param::YEAR_DAYS));
        let unit = if cx.is_product(product::CLB) { Exact::ratio(1, 10) } else { Exact::ratio(1, 100) };
        return (Exact::from(months.round_to(unit.to_amount())), true);
    }
    let months = cx.zone.months_between(cx.at, end).max(0);
    if cx.zone.add_months(cx.at, months) == end {
        return (Exact::from(i64::from(months)), false);
    }
    (Exact::ratio(days, whole(param::MONTH_DAYS)), true)
}
