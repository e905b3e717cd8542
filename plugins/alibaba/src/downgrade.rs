//! Downgrades: the resource stays, the price difference of what is left comes back (section 4.7).

use recoup_core::prelude::*;
use recoup_core::refund::{Draft, Missing};

use crate::consumption::{self, Carriers, Daily, Gap, Method};
use crate::settle::{self, Terms};
use crate::{clause, effects, list, param, product, refusals, until};

/// Whether the product's downgrades are counted by the hour.
fn by_hour(cx: &Context<'_>) -> bool {
    cx.listed(list::BY_HOUR) || cx.listed(list::BY_HOUR_BOTH)
}

fn hourly_target<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<Number> {
    cx.figure(resource, Figure::DowngradeMonthlyPrice).filter(|_| by_hour(cx))
}

/// Whether a target is given, without which nothing is ruled.
pub(crate) fn asked_for<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    cx.figure(resource, Figure::DowngradeDailyPrice).is_some() || hourly_target(resource, cx).is_some()
}

/// Changing to something cheaper. What stays in the resource is carried over.
pub(crate) fn downgrade<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let expired = refusals::has_expired(resource, cx);
    ruling.refuse_if(clause::CONV_EXPIRED, expired);
    if !expired && let Some(end) = resource.ends_at() {
        ruling.changes_at(end);
    }
    refusals::trusteeship(cx, ruling);
    if cx.is_product(product::MQTT) {
        ruling.refuse(clause::DOWN_MQTT);
    }
    if cx.is_product(product::SAS) {
        ruling.unknown(clause::DOWN_SAS, Reason::TargetNotEligible, Some(Text::TargetProduct.as_str()));
    }
    let mixed = cx.in_force(clause::DOWN_2021) && cx.is_product(product::ECS) && has_two_currencies(resource);
    ruling.refuse_if(clause::DOWN_2021, mixed);
    ruling.channel(Channel::Console);
    effects::settlement(cx, ruling);
    if mixed {
        return;
    }
    let terms = Terms::of(resource, cx, ruling);
    let quote = if refusals::value_is_lost(cx) || cx.is_product(product::MQTT) {
        settle::nothing_back(resource, cx, terms, |_| true).map_err(Gap::from)
    } else {
        refund(resource, cx, terms, ruling)
    };
    match quote {
        Ok(quote) => {
            if !expired && !refusals::value_is_lost(cx) && !cx.is_product(product::MQTT) {
                ruling.refuse_if(clause::DENY_ZERO, quote.refund().is_zero());
            }
            ruling.refund(quote);
        }
        Err(gap) => gap.record(ruling),
    }
}

fn has_two_currencies<R: Resource>(resource: &R) -> bool {
    let mut currencies = resource.paid_orders().filter_map(|order| order.currency());
    let first = currencies.next();
    currencies.any(|currency| Some(currency) != first)
}

fn refund<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    terms: Terms,
    ruling: &mut Ruling<'_>,
) -> Result<RefundQuote, Gap> {
    if let Some(monthly) = hourly_target(resource, cx) {
        ruling.cite(clause::DOWN_DB_OLD);
        resource.paid_orders().filter_map(|order| falls_from(cx, &order)).for_each(|at| ruling.changes_at(at));
        return settle::sum(resource, cx, |order, draft| by_the_hour(cx, terms, order, draft, monthly));
    }
    let of_2021_applies = cx.in_force(clause::DOWN_2021) && cx.is_product(product::ECS);
    if cx.in_force(clause::DOWN_UNKNOWN) && !of_2021_applies {
        return Err(Gap::Unpublished(clause::DOWN_UNKNOWN));
    }
    let gap = Gap::Rule(clause::DOWN_FORMULA, Reason::PriceUnknown, Figure::DowngradeDailyPrice.as_str());
    let target = cx.figure(resource, Figure::DowngradeDailyPrice).ok_or(gap)?;
    if of_2021_applies {
        ruling.cite(clause::DOWN_2021);
        return of_2021(resource, cx, terms, ruling, &Exact::from(target));
    }
    by_ratio(resource, cx, terms, ruling, &Exact::from(target))
}

/// What an order still holds goes back in part, the rest of it is carried over.
fn settle_order(
    cx: &Context<'_>,
    terms: Terms,
    order: &impl Order,
    draft: &mut Draft<&mut RefundQuote>,
    consumed: &Exact,
    back: &Exact,
) -> Result<(), Missing> {
    draft.add_order(order, |payment| terms.dispose(cx, order, payment))?;
    draft.consume(consumed);
    let stays = draft.left() - back.round(draft.currency()).floor_zero().at_most(draft.left());
    draft.carry_over(&Exact::from(stays));
    Ok(())
}

/// (Paid - consumed) x ratio, order by order.
fn by_ratio<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    terms: Terms,
    ruling: &mut Ruling<'_>,
    target: &Exact,
) -> Result<RefundQuote, Gap> {
    ruling.cite(clause::DOWN_FORMULA);
    ruling.cite(clause::DOWN_RATIO);
    ruling.cite(clause::DOWN_2022);
    let month_days = cx.param(param::MONTH_DAYS_DOWNGRADE).and_then(|held| held.whole());
    let daily = Daily {
        coefficient: consumption::coefficient(resource, cx, Carriers::EcsOnly),
        discount: consumption::discount(cx),
        month_days,
        calendar: month_days.is_some(),
    };
    until::consumption(resource, cx, terms, ruling, true, |order| {
        Ok((Method::Daily(daily), ratio(resource, cx, order, target, month_days)?))
    });
    settle::sum(resource, cx, |order, draft| {
        let paid = terms.paid_for(order)?;
        let consumed = consumption::consumed(resource, cx, ruling, order, paid, || Ok(Method::Daily(daily)))?;
        let left = Exact::from(paid).minus(&consumed).floor_zero();
        let ratio = if left.is_zero() { Exact::ZERO } else { ratio(resource, cx, order, target, month_days)? };
        ruling.cite_if(clause::DOWN_ORDER_A, ratio.is_zero() && !left.is_zero());
        ruling.line("refund of the order", || format!("({paid} - {consumed}) x {ratio}"));
        Ok(settle_order(cx, terms, order, draft, &consumed, &left.times(ratio))?)
    })
}

/// The share of an order's configuration that goes, between 0 and 1.
fn ratio<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    order: &impl Order,
    target: &Exact,
    month_days: Option<i64>,
) -> Result<Exact, Gap> {
    let price = consumption::daily_price(cx, order, month_days)?;
    let difference = price.minus(target).floor_zero();
    let whole = if order.kind() == OrderKind::Upgrade {
        price.minus(&consumption::daily_price_before(resource, cx, order, month_days)?)
    } else {
        price
    };
    Ok(difference.over(whole).at_most(1_i64))
}

/// The rule of 2021: linear remaining values; USD by the price difference, others by one ratio.
fn of_2021<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    terms: Terms,
    ruling: &mut Ruling<'_>,
    target: &Exact,
) -> Result<RefundQuote, Gap> {
    let linear = || Ok(Method::Linear(clause::PARTIAL_2021));
    let mut remaining = Exact::ZERO;
    let mut end = resource.ends_at();
    for order in resource.paid_orders() {
        let paid = terms.paid_for(&order)?;
        let consumed = consumption::consumed(resource, cx, ruling, &order, paid, linear)?;
        remaining = remaining.plus(&Exact::from(paid).minus(&consumed).floor_zero());
        end = end.max(order.ends_at());
    }
    let currency = cx.currency(resource)?;
    let share = if currency == Currency::USD {
        let end = end.ok_or(Gap::Rule(clause::DOWN_2021, Reason::RuleUnknown, "ends_at"))?;
        let days = Exact::ratio(end.since(cx.at).micros().max(0), Span::days(1).micros());
        let back = remaining.minus(&target.times(days)).floor_zero();
        back.over(remaining)
    } else {
        let latest = resource.paid_orders().filter(|order| !order.is_pending_renewal(cx.at)).last();
        let gap = Gap::Rule(clause::DOWN_2021, Reason::PriceUnknown, Figure::DailyListPrice.as_str());
        let ordered = match latest {
            Some(latest) => consumption::daily_price(cx, &latest, None)?,
            None => return Err(gap),
        };
        let present = cx.figure(resource, Figure::DailyListPriceNow).map_or_else(|| ordered.clone(), Exact::from);
        present.minus(target).floor_zero().over(ordered)
    };
    let share = share.at_most(1_i64);
    settle::sum(resource, cx, |order, draft| {
        let paid = terms.paid_for(order)?;
        let consumed = consumption::consumed(resource, cx, ruling, order, paid, linear)?;
        let left = Exact::from(paid).minus(&consumed).floor_zero();
        ruling.line("refund of the order", || format!("{left} x {share}"));
        Ok(settle_order(cx, terms, order, draft, &consumed, &left.times(share.clone()))?)
    })
}

/// From when on what comes back falls. Months have fewer hours by this count than by the calendar, so that at first
/// nothing counts as consumed of the old price while the new one already shrinks: until then it grows.
fn falls_from(cx: &Context<'_>, order: &impl Order) -> Option<Instant> {
    let month = cx.param(param::MONTH_HOURS)?.whole()?;
    let hours = month.checked_mul(i64::from(order.term_months()?))?;
    let (start, end) = consumption::period(order, cx.zone).ok()?;
    (hours < end.since(start).whole_hours()).then(|| end - Span::hours(hours))
}

/// Old monthly price / 720 x remaining hours less the same of the new price.
fn by_the_hour(
    cx: &Context<'_>,
    terms: Terms,
    order: &impl Order,
    draft: &mut Draft<&mut RefundQuote>,
    monthly: Number,
) -> Result<(), Gap> {
    let paid = terms.paid_for(order)?;
    let gap = |field| Gap::Rule(clause::DOWN_DB_OLD, Reason::RuleUnknown, field);
    let month = cx.param(param::MONTH_HOURS).map(|held| Exact::from(held.value)).ok_or(gap("month"))?;
    let (start, end) = consumption::period(order, cx.zone)?;
    let hours = end.since(cx.at.max(start)).hours_begun().max(0);
    let months = i64::from(order.term_months().ok_or(gap("term_months"))?);
    let old = Exact::from(paid).over(months).over(month.clone()).times(hours).at_most(Exact::from(paid));
    let new = Exact::from(monthly).over(month).times(hours);
    let consumed = Exact::from(paid).minus(&old);
    Ok(settle_order(cx, terms, order, draft, &consumed, &old.minus(&new).floor_zero())?)
}
