//! What was consumed of an order: the three methods of the general page and the products that differ.

use recoup_core::money::Currency;
use recoup_core::prelude::*;
use recoup_core::refund::Missing;
use recoup_core::resource::{HourlyTier, PriceComponent, PriceTerms};

use crate::money::{Gap, Left, Standing, end_of, standing, to_cents};
use crate::{clause, list, param, product, refusals, table};

const HOUR: i64 = Span::hours(1).micros();
/// A hundred years in seconds: no tier of a price list is longer.
const LONGEST: i64 = 100 * 366 * 24 * 3_600;

/// The part of an order's period that was used, and what paid it.
#[derive(Debug)]
struct Used<'o, O> {
    order: &'o O,
    start: Instant,
    until: Instant,
    end: Option<Instant>,
    money: Amount,
    currency: Currency,
}

impl<O: Order> Used<'_, O> {
    fn days_begun(&self) -> i64 {
        self.until.since(self.start).days_begun()
    }

    fn cents(&self, consumed: &Exact) -> Amount {
        to_cents(consumed, self.currency)
    }
}

/// Which orders a figure speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The running order, its changes and the orders not begun.
    All,
    /// The running order and its changes.
    Running,
    /// As `All`, the used share of days taken of what was paid (TCB to pay-as-you-go).
    Share,
}

fn price_unknown(fact: &'static str) -> Gap {
    Gap::Unknown(clause::PART_FORMULA, Reason::PriceUnknown, Some(fact))
}

/// What is left of every order by the ordinary formula.
pub(crate) fn left_of_orders<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    scope: Scope,
) -> Result<(Vec<Left>, Currency), Gap> {
    let Some(orders) = resource.orders() else { return Err(Missing::Orders.into()) };
    let currency = cx.currency(resource)?;
    if resource.price_terms().and_then(|terms| terms.currency).is_some_and(|other| other != currency) {
        let fact = Some("price_terms.currency");
        return Err(Gap::Unknown(clause::PART_FORMULA, Reason::CurrencyMismatch, fact));
    }
    page_in_force(cx, ruling)?;
    let mut parts = Vec::with_capacity(orders.len());
    for order in resource.paid_orders() {
        let mut part = Left::of(&order, currency)?;
        match standing(resource, &order, cx).ok_or_else(|| price_unknown("orders.starts_at"))? {
            Standing::Over => continue,
            Standing::NotBegun(_) if scope == Scope::Running => continue,
            Standing::NotBegun(start) => {
                // From then on it is charged, which is a change of the answer where that cannot be computed. Of
                // what coupons alone paid nothing is.
                let used = used_since(resource, cx, &order, (start, start), &part, currency);
                let cannot = || ruling.on_trial(|ruling| of_order(resource, cx, ruling, scope, used)).is_err();
                if !part.left.is_zero() && cannot() {
                    ruling.changes_at(start);
                }
                ruling.line("not begun", || format!("{} returns whole", part.left));
            }
            // What coupons alone paid gives nothing, whatever was used.
            Standing::Running(_) if part.left.is_zero() => {}
            Standing::Running(start) => {
                let used = used_since(resource, cx, &order, (start, cx.at), &part, currency);
                let consumed = of_order(resource, cx, ruling, scope, used)?;
                ruling.line("consumed", || format!("{consumed} of {}", part.left));
                part.consume(consumed);
            }
        }
        parts.push(part);
    }
    Ok((parts, currency))
}

/// The use of an order from an instant until another.
fn used_since<'o, R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    order: &'o O,
    (start, until): (Instant, Instant),
    part: &Left,
    currency: Currency,
) -> Used<'o, O> {
    let end = end_of(resource, order, start, cx);
    Used { order, start, until, end, money: part.left, currency }
}

/// What was consumed of an order.
fn of_order<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    scope: Scope,
    used: Used<'_, O>,
) -> Result<Amount, Gap> {
    match used.order.kind() {
        OrderKind::Upgrade | OrderKind::Downgrade => change(resource, cx, ruling, &used),
        _ if scope == Scope::Share => share_of_paid(resource, cx, &used),
        _ => period(resource, cx, ruling, used),
    }
}

/// Packs and services whose formula stands on a page of their own: it must be in force.
fn page_in_force(cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Result<(), Gap> {
    let page = match cx.product() {
        Some(_) if cx.listed(list::RTC_ENGINE) => clause::INTL_TRTC,
        Some(product::COS_PACK) => clause::PACK_COS,
        Some(product::TRAFFIC_PACK) => clause::PACK_TRAFFIC,
        Some(product::SMS_PACK) => clause::PACK_SMS,
        Some(product::SMS_INTL_PACK) => clause::PACK_SMS_INTL,
        Some(product::TRTC_PACK) => clause::PACK_TRTC,
        Some(product::SCF_PACK) => clause::PACK_SCF,
        Some(product::NLP_PACK) => clause::PACK_NLP,
        Some(product::SOE_PACK) => clause::PACK_SOE,
        Some(product::CLB_LCU_PACK) => clause::REFUSE_LCU_EFFECTIVE,
        Some(product::MEETING) => clause::PART_MEETING,
        Some(product::TSF) => clause::PART_TSF,
        Some(product::MFA) => clause::PART_MFA,
        Some(product::SIMULATION_CLOUD) => clause::PART_SIMULATION,
        Some(product::MODEL_ROUTER_PACK) => {
            return Err(Gap::Unknown(clause::UNKNOWN_FORM, Reason::RuleUnknown, None));
        }
        _ => return Ok(()),
    };
    if !cx.in_force(page) {
        return Err(Gap::Unknown(clause::UNKNOWN_PAGE_DATE, Reason::RuleUnknown, None));
    }
    ruling.cite(page);
    Ok(())
}

/// What was consumed of a purchase or renewal.
fn period<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    mut used: Used<'_, O>,
) -> Result<Amount, Gap> {
    let is = |id: ProductId| cx.is_product(id);
    let any = |lists: &[ListId]| lists.iter().any(|id| cx.listed(*id));
    if is(product::VPN) && cx.in_force(clause::PART_VPN) {
        return vpn(resource, cx, ruling, &used);
    }
    // Once changed, the purchase is charged up to the change only.
    if let Some(change) = first_change(resource, cx, used.start) {
        ruling.cite(clause::PART_UPGRADE);
        used.until = change;
    }
    if is(product::SMS_PACK) {
        by_tier(resource, cx, ruling, &used, table::SMS_PRICE, Some(Number::ONE))
    } else if is(product::TRTC_PACK) && !any(&[list::RTC_ENGINE]) {
        by_tier(resource, cx, ruling, &used, table::TRTC_PRICE, None)
    } else if is(product::SMS_INTL_PACK) {
        by_count(resource, cx, &used)
    } else if cx.listed(list::USAGE_UNIT) {
        by_unit(resource, cx, ruling, &used)
    } else if is(product::CLB_LCU_PACK) {
        Ok(Amount::ZERO)
    } else if is(product::DDOS_PRO) && cx.in_force(clause::PART_DDOS_PRO) {
        let total = total_days(resource, cx, &used)? * 24;
        ruling.cite(clause::PART_DDOS_PRO);
        Ok(used.cents(&Exact::from(used.money).times_ratio(used.until.since(used.start).hours_begun(), total)))
    } else if is(product::CAR) && cx.in_force(clause::CAR) {
        ruling.cite(clause::CAR);
        let daily = terms(resource).and_then(|terms| terms.daily).ok_or_else(|| price_unknown("price_terms.daily"))?;
        Ok(used.cents(&Exact::from(daily).times(used.days_begun())))
    } else if is(product::SIMULATION_CLOUD) || any(&[list::RTC_ENGINE]) {
        share_of_paid(resource, cx, &used)
    } else if is(product::IM) && cx.in_force(clause::PART_IM) {
        im(resource, cx, ruling, &used)
    } else if any(&[list::BY_DAYS_TI_EMS, list::BY_DAYS_TCR]) {
        ruling.cite(clause::PART_BY_DAYS);
        by_thirtieths(resource, cx, &used, used.days_begun())
    } else if any(&[list::DURATION_LIST, list::DURATION_RATE]) {
        duration(resource, cx, ruling, &used)
    } else {
        payg(resource, cx, ruling, &used)
    }
}

fn terms<R: Resource>(resource: &R) -> Option<&PriceTerms> {
    resource.price_terms()
}

/// The first upgrade inside the running period.
fn first_change<R: Resource>(resource: &R, cx: &Context<'_>, start: Instant) -> Option<Instant> {
    resource
        .paid_orders()
        .filter(|order| order.kind() == OrderKind::Upgrade)
        .filter_map(|order| order.starts_at().or_else(|| order.paid_at()))
        .filter(|change| start <= *change && *change <= cx.at)
        .min()
}

/// The running period on which a change was made.
fn changed_period<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<(Instant, Option<u32>, Option<Instant>)> {
    resource.paid_orders().find_map(|order| {
        if matches!(order.kind(), OrderKind::Upgrade | OrderKind::Downgrade) {
            return None;
        }
        match standing(resource, &order, cx)? {
            Standing::Running(start) => Some((start, order.term_months(), end_of(resource, &order, start, cx))),
            _ => None,
        }
    })
}

/// What was consumed of an upgrade order: its payment by days since the upgrade.
fn change<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    used: &Used<'_, O>,
) -> Result<Amount, Gap> {
    let days = |id: ParamId| cx.param(id).and_then(|held| held.whole());
    let base = changed_period(resource, cx);
    if cx.is_product(product::VPN) && cx.in_force(clause::PART_VPN_UPGRADE) {
        ruling.cite(clause::PART_VPN_UPGRADE);
        let (start, months, _) = base.ok_or_else(|| price_unknown("orders"))?;
        let months = months.ok_or_else(|| price_unknown("orders.term_months"))?;
        let month = days(param::MONTH_DAYS).unwrap_or_default();
        let left = month * i64::from(months) - cx.zone.days_between(start, used.start);
        let since = cx.zone.days_between(used.start, used.until);
        return Ok(used.cents(&Exact::from(used.money).times_ratio(since.min(left), left)));
    }
    ruling.cite(clause::PART_UPGRADE);
    let year = days(param::UPGRADE_DAYS).unwrap_or_default();
    let total = match base {
        Some((_, Some(months), _)) if months % 12 == 0 && months > 0 => year * i64::from(months / 12),
        Some((start, _, Some(end))) => end.since(start).days_begun(),
        _ => used.end.map(|end| end.since(used.start).days_begun()).ok_or_else(|| price_unknown("orders.ends_at"))?,
    };
    Ok(used.cents(&Exact::from(used.money).times_ratio(used.days_begun().min(total), total)))
}

/// Method 1: whole calendar months at the bracket of the months used, then the hours of the broken
/// month through the tiers, which start anew.
fn payg<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    used: &Used<'_, O>,
) -> Result<Amount, Gap> {
    let terms = terms(resource).filter(|terms| !terms.components.is_empty());
    let terms = terms.ok_or_else(|| price_unknown("price_terms"))?;
    ruling.cite(clause::PART_CONSUMED_PAYG);
    let months = cx.zone.months_between(used.start, used.until).max(0);
    let broken = cx.zone.add_months(used.start, months);
    let bracket = discount(terms, &Number::whole(i64::from(months)));
    let hourly_rate = terms.hourly_rate.unwrap_or(Number::ONE);
    let mut sum = Amount::ZERO;
    for component in &terms.components {
        let by_the_hour = cx.in_force(clause::PART_BANDWIDTH_OLD) && component.name.as_deref() == Some("bandwidth");
        ruling.cite_if(clause::PART_BANDWIDTH_OLD, by_the_hour);
        let (months, from) = if by_the_hour { (0, used.start) } else { (months, broken) };
        if used.until == cx.at {
            watch_prices(cx, ruling, component, used.start, months, from);
        }
        let hours = chargeable_hours(cx, used.until.since(from));
        let monthly = match (months, component.monthly) {
            (0, _) => Exact::ZERO,
            (_, Some(monthly)) => Exact::from(monthly).times(i64::from(months)).times(bracket),
            (_, None) => return Err(price_unknown("price_terms.components.monthly")),
        };
        let hourly = through_tiers(&component.hourly, &hours)
            .ok_or_else(|| price_unknown("price_terms.components.hourly"))?
            .times(hourly_rate);
        let consumed = used.cents(&monthly.plus(&hourly));
        ruling.line("component", || {
            let name = component.name.as_deref().unwrap_or("all");
            format!("{name}: {months} months x bracket {bracket} + {hours} h = {consumed}")
        });
        sum += consumed;
    }
    Ok(sum)
}

/// Hours of the broken month: to the second, CLB to the hour; in the text of 2017 the day of the refund
/// counts whole.
fn chargeable_hours(cx: &Context<'_>, time: Span) -> Exact {
    if cx.in_force(clause::PART_2017) {
        Exact::from(time.days_begun() * 24)
    } else if cx.is_product(product::CLB) {
        Exact::from(time.hours_begun())
    } else {
        Exact::ratio(time.micros(), HOUR)
    }
}

/// The price factor of the bracket that so many months reach; 1 below the first.
pub(crate) fn discount(terms: &PriceTerms, months: &Number) -> Number {
    let reached = terms.discounts.iter().filter(|row| row.from_months <= *months);
    reached.max_by_key(|row| row.from_months).map_or(Number::ONE, |row| row.rate)
}

/// Hours through the tiers; nothing where the price list does not reach so far.
fn through_tiers(tiers: &[HourlyTier], hours: &Exact) -> Option<Exact> {
    let mut sum = Exact::ZERO;
    let mut below = Exact::ZERO;
    let mut rest = hours.clone();
    for tier in tiers {
        if !rest.is_positive() {
            break;
        }
        let width = tier.up_to_hours.map(|end| Exact::from(end).minus(&below));
        let inside = width.map_or_else(|| rest.clone(), |width| rest.clone().at_most(width.floor_zero()));
        sum = sum.plus(&inside.times(tier.price));
        rest = rest.minus(&inside);
        if let Some(end) = tier.up_to_hours {
            below = Exact::from(end);
        }
    }
    (!rest.is_positive()).then_some(sum)
}

/// A price list without an open last tier, or without a monthly price, makes the figure known or
/// unknown by time alone.
fn watch_prices(
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    component: &PriceComponent,
    start: Instant,
    months: i32,
    from: Instant,
) {
    let next_month = cx.zone.add_months(start, months + 1);
    if component.monthly.is_none() && months == 0 {
        ruling.changes_at(next_month);
    }
    if component.hourly.iter().any(|tier| tier.up_to_hours.is_none()) {
        return;
    }
    let last = component.hourly.iter().filter_map(|tier| tier.up_to_hours).max().unwrap_or(Number::ZERO);
    match span_of(last).map(|span| from + span) {
        Some(last) if last > cx.at && last < next_month => ruling.changes_at(last),
        Some(last) if last <= cx.at => ruling.changes_at(next_month),
        _ => {}
    }
}

/// A length of time given in hours, to the second; nothing where it is absurdly long.
fn span_of(hours: Number) -> Option<Span> {
    let seconds = hours.units().checked_mul(3_600)?.checked_div(Number::ONE.units())?;
    i64::try_from(seconds).ok().filter(|seconds| *seconds < LONGEST).map(Span::seconds)
}

/// The days of an order's period: a year has 365, a pack's month 30, otherwise as the calendar has.
fn total_days<R: Resource, O: Order>(resource: &R, cx: &Context<'_>, used: &Used<'_, O>) -> Result<i64, Gap> {
    let days = |id: ParamId| cx.param(id).and_then(|held| held.whole()).unwrap_or_default();
    let months = used.order.term_months().map(i64::from).or_else(|| whole_years(cx, used).map(|years| years * 12));
    let total = match months {
        Some(months) if months > 0 && months % 12 == 0 => days(param::YEAR_DAYS) * (months / 12),
        Some(months) if months > 0 && resource.billing() == Billing::Package => days(param::MONTH_DAYS) * months,
        _ => used.end.map(|end| end.since(used.start).days_begun()).unwrap_or_default(),
    };
    if total > 0 { Ok(total) } else { Err(price_unknown("orders.ends_at")) }
}

fn whole_years<O: Order>(cx: &Context<'_>, used: &Used<'_, O>) -> Option<i64> {
    let end = used.end?;
    let months = cx.zone.months_between(used.start, end);
    let whole = months > 0 && months % 12 == 0 && cx.zone.add_months(used.start, months) == end;
    whole.then_some(i64::from(months / 12))
}

/// Method 2: used days / total days x list price x factor.
fn duration<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    used: &Used<'_, O>,
) -> Result<Amount, Gap> {
    ruling.cite(clause::PART_CONSUMED_DURATION);
    ruling.cite_if(clause::PART_TPNS, cx.is_product(product::TPNS));
    let unstated = cx.listed(list::DURATION_LIST).then_some(Number::ONE);
    // Lighthouse deducts the list price itself, whatever a customer's prices are.
    let fixed = cx.is_product(product::LIGHTHOUSE) || cx.is_product(product::LIGHTHOUSE_DISK);
    let stated = terms(resource).and_then(|terms| terms.rate).filter(|_| !fixed);
    let rate = stated.or(unstated).ok_or_else(|| price_unknown("price_terms.rate"))?;
    let list = used.order.list_price().ok_or_else(|| price_unknown("orders.list_price"))?;
    let total = total_days(resource, cx, used)?;
    let days = used.days_begun().min(total);
    ruling.line("duration", || format!("{days}/{total} days x {list} x {rate}"));
    Ok(used.cents(&Exact::from(list).times_ratio(days, total).times(rate)))
}

/// Used days / days of the period x what was paid.
fn share_of_paid<R: Resource, O: Order>(resource: &R, cx: &Context<'_>, used: &Used<'_, O>) -> Result<Amount, Gap> {
    let total = total_days(resource, cx, used)?;
    Ok(used.cents(&Exact::from(used.money).times_ratio(used.days_begun().min(total), total)))
}

/// What the monthly prices add up to.
fn monthly_price<R: Resource>(resource: &R) -> Option<Number> {
    let components = &terms(resource)?.components;
    if components.is_empty() {
        return None;
    }
    components.iter().try_fold(Number::ZERO, |sum, component| Some(sum + component.monthly?))
}

/// Days of a month of 30.
fn by_thirtieths<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    used: &Used<'_, O>,
    days: i64,
) -> Result<Amount, Gap> {
    let monthly = monthly_price(resource).ok_or_else(|| price_unknown("price_terms"))?;
    let month = cx.param(param::MONTH_DAYS).and_then(|held| held.whole()).unwrap_or_default();
    Ok(used.cents(&Exact::from(monthly).times_ratio(days, month)))
}

/// VPN: all days up to the return, the day of the refund left out, changed or not.
fn vpn<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    used: &Used<'_, O>,
) -> Result<Amount, Gap> {
    ruling.cite(clause::PART_VPN);
    by_thirtieths(resource, cx, used, cx.zone.days_between(used.start, used.until))
}

/// IM: whole months, then days used of the month, at the monthly fee.
fn im<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    used: &Used<'_, O>,
) -> Result<Amount, Gap> {
    ruling.cite(clause::PART_IM);
    let by_order = || {
        let months = used.order.term_months().filter(|months| *months > 0)?;
        Some(Exact::from(used.order.list_price()?).times_ratio(1, i64::from(months)))
    };
    let monthly = monthly_price(resource).map(Exact::from).or_else(by_order);
    let monthly = monthly.ok_or_else(|| price_unknown("price_terms"))?;
    let months = cx.zone.months_between(used.start, used.until).max(0);
    let month = cx.zone.add_months(used.start, months);
    let days_of_month = cx.zone.days_between(month, cx.zone.add_months(used.start, months + 1));
    let days = used.until.since(month).days_begun();
    let whole = monthly.times(i64::from(months));
    Ok(used.cents(&whole.plus(&monthly.times_ratio(days, days_of_month))))
}

/// How many units were used.
fn units_used<R: Resource>(resource: &R, cx: &Context<'_>) -> Result<Number, Gap> {
    let counted = resource.commitment().and_then(|commitment| commitment.used_units);
    let unused = || refusals::used(resource, cx).is_no().then_some(Number::ZERO);
    counted.or_else(unused).ok_or_else(|| price_unknown("commitment.used_units"))
}

/// Method 3 at the price of the tier that the used quantity reaches, from the table in force when the
/// pack was bought.
fn by_tier<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    used: &Used<'_, O>,
    prices: TableId,
    unstated_rate: Option<Number>,
) -> Result<Amount, Gap> {
    ruling.cite(clause::PART_CONSUMED_USAGE);
    let units = units_used(resource, cx)?;
    let rate = terms(resource).and_then(|terms| terms.rate).or(unstated_rate);
    let rate = rate.ok_or_else(|| price_unknown("price_terms.rate"))?;
    let bought = used.order.paid_at().unwrap_or(used.start);
    let epoch = cx.book().site(Some(cx.site())).and_then(|site| site.epoch(bought));
    let reached = epoch.and_then(|epoch| {
        let rows = epoch.rows(prices).filter_map(|(key, held)| match key {
            [recoup_core::policy::Key::Number(from)] => Some((*from, held)),
            _ => None,
        });
        rows.filter(|(from, _)| Number::whole(*from) <= units).max_by_key(|(from, _)| *from)
    });
    let (_, price) = reached.ok_or_else(|| price_unknown("price_terms.unit_price"))?;
    ruling.line("usage", || format!("{units} x {} x {rate}", price.value));
    Ok(used.cents(&Exact::from(units).times(price.value).times(rate)))
}

/// Method 3 at today's unit price.
fn by_unit<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    used: &Used<'_, O>,
) -> Result<Amount, Gap> {
    ruling.cite(clause::PART_CONSUMED_USAGE);
    let units = units_used(resource, cx)?;
    if units.is_zero() {
        return Ok(Amount::ZERO);
    }
    let unit_price = terms(resource).and_then(|terms| terms.unit_price);
    let price = unit_price.ok_or_else(|| price_unknown("price_terms.unit_price"))?;
    let rate = terms(resource).and_then(|terms| terms.rate).unwrap_or(Number::ONE);
    ruling.line("usage", || format!("{units} x {price} x {rate}"));
    Ok(used.cents(&Exact::from(units).times(price).times(rate)))
}

/// Pro rata by count.
fn by_count<R: Resource, O: Order>(resource: &R, cx: &Context<'_>, used: &Used<'_, O>) -> Result<Amount, Gap> {
    let units = units_used(resource, cx)?;
    let total = resource.commitment().and_then(|commitment| commitment.total_units).filter(|total| total.is_positive());
    let total = total.ok_or_else(|| price_unknown("commitment.total_units"))?;
    Ok(used.cents(&Exact::from(used.money).times(units).over(total)))
}
