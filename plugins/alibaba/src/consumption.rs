//! What an order has consumed (section 6 of the rules).

use recoup_core::prelude::*;
use recoup_core::refund::{Draft, Missing};

use crate::settle::Terms;
use crate::{clause, list, param, product, table};

/// Why a figure cannot be computed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Gap {
    /// A rule, a table or a field is missing.
    Rule(ClauseId, Reason, &'static str),
    /// No page that is known has a rule.
    Unpublished(ClauseId),
    /// The orders do not say.
    Record(Missing),
}

impl From<Missing> for Gap {
    fn from(missing: Missing) -> Self {
        Self::Record(missing)
    }
}

impl Gap {
    /// Records the gap.
    pub(crate) fn record(self, ruling: &mut Ruling<'_>) {
        match self {
            Self::Rule(clause, reason, fact) => ruling.no_figure(clause, reason, Some(fact)),
            Self::Unpublished(clause) => ruling.no_figure(clause, Reason::RuleUnknown, None),
            Self::Record(missing) => ruling.missing(clause::PARTIAL_CASH_ONLY, missing),
        }
    }
}

/// Which products carry a coefficient in a ruling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carriers {
    /// Every product of the table.
    Table,
    /// ECS only: downgrades and conversions.
    EcsOnly,
}

/// How consumption is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Method {
    /// By elapsed time of the amount paid; the clause says so.
    Linear(ClauseId),
    /// By usage days at the list price.
    Daily(Daily),
    /// A total-volume plan: the share used, of the list price.
    Volume(Number),
    /// The share used, of the amount paid.
    PaidVolume(Number),
    /// So much, whatever the order cost.
    Fixed(Amount),
}

/// Terms of the count by usage days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Daily {
    /// The factor on consumption below a number of usage days, or always.
    pub(crate) coefficient: Option<Coefficient>,
    /// Which discount consumption carries.
    pub(crate) discount: Discount,
    /// Days of a month where the page counts by months.
    pub(crate) month_days: Option<i64>,
    /// Days by the calendar, both ends counted.
    pub(crate) calendar: bool,
}

/// A factor on consumption.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coefficient {
    pub(crate) factor: Number,
    pub(crate) while_it: While,
}

/// While a coefficient counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum While {
    Always,
    /// Below so many usage days.
    DaysBelow(i64),
    /// In the first so many months.
    Months(i32),
}

/// Which discount consumption carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discount {
    /// Of the time really used.
    TimeUsed,
    /// Of the original order.
    Original,
    /// None is spoken of.
    None,
}

impl Coefficient {
    /// The factor at a number of usage days of an order that began at `start`.
    fn at(self, days: i64, start: Instant, zone: Zone) -> Option<Number> {
        self.counts_at(days, start, zone).then_some(self.factor)
    }

    fn counts_at(self, days: i64, start: Instant, zone: Zone) -> bool {
        self.last_day(start, zone).is_none_or(|last| days <= last)
    }

    /// The last usage day on which it counts; none where it always does.
    pub(crate) fn last_day(self, start: Instant, zone: Zone) -> Option<i64> {
        match self.while_it {
            While::Always => None,
            While::DaysBelow(limit) => Some(limit - 1),
            While::Months(months) => Some(zone.add_months(start, months).since(start).whole_days()),
        }
    }
}

/// The coefficient of a product (`ali.partial.coefficient`).
pub(crate) fn coefficient<R: Resource>(resource: &R, cx: &Context<'_>, carriers: Carriers) -> Option<Coefficient> {
    if cx.listed(list::COEFFICIENT) && resource.billing() == Billing::Subscription {
        if carriers == Carriers::EcsOnly && !cx.is_product(product::ECS) {
            return None;
        }
        let factor = cx.param(param::COEFFICIENT)?.value;
        let limit = cx.cell(table::COEFFICIENT_DAYS, &[cx.product_name(resource).into()]);
        let while_it = limit.and_then(|held| held.whole()).map_or(While::Always, While::DaysBelow);
        return Some(Coefficient { factor, while_it });
    }
    if carriers == Carriers::Table && cx.is_product(product::MODEL_STUDIO) {
        let factor = cx.param(param::COEFFICIENT_BAILIAN)?.value;
        let months = cx.param(param::BAILIAN_MONTHS)?.whole()?;
        return Some(Coefficient { factor, while_it: While::Months(i32::try_from(months).ok()?) });
    }
    None
}

/// The discount that consumption carries on this day.
pub(crate) fn discount(cx: &Context<'_>) -> Discount {
    if cx.in_force(clause::PARTIAL_DISCOUNT_ORIGINAL) { Discount::Original } else { Discount::TimeUsed }
}

/// The share of a plan that was used: stated, or nothing where it is known that it was not used.
pub(crate) fn used_share<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<Number> {
    let commitment = resource.commitment();
    let stated = commitment.and_then(|commitment| commitment.used_fraction);
    stated.or_else(|| cx.flag(Flag::Used).is_no().then_some(Number::ZERO))
}

/// An order's period: as stated, or as its term gives the end.
pub(crate) fn period(order: &impl Order, zone: Zone) -> Result<(Instant, Instant), Gap> {
    let gap = |field| Gap::Rule(clause::PARTIAL_ACTUAL_DAYS, Reason::RuleUnknown, field);
    let start = order.starts_at().ok_or_else(|| gap("starts_at"))?;
    let end = order.ends_at().or_else(|| order.term().map(|term| term.end(start, zone)));
    Ok((start, end.ok_or_else(|| gap("ends_at"))?))
}

/// Undiscounted daily price of the configuration that an order bought.
pub(crate) fn daily_price(cx: &Context<'_>, order: &impl Order, month_days: Option<i64>) -> Result<Exact, Gap> {
    if let Some(stated) = cx.order_figure(order, Figure::DailyListPrice) {
        return Ok(Exact::from(stated));
    }
    let list = order.list_price().ok_or(Gap::Rule(clause::PARTIAL_BASIS, Reason::PriceUnknown, "list_price"))?;
    Ok(Exact::from(list).over(priced_days(cx, order, month_days)?))
}

/// The days over which an order's list price is spread.
fn priced_days(cx: &Context<'_>, order: &impl Order, month_days: Option<i64>) -> Result<i64, Gap> {
    if let (Some(days), Some(months)) = (month_days, order.term_months()) {
        return Ok(days * i64::from(months));
    }
    let (start, end) = period(order, cx.zone)?;
    Ok(end.since(start).whole_days())
}

/// Undiscounted daily price of the configuration before an upgrade order: as stated, else as the order
/// before it bought.
pub(crate) fn daily_price_before<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    order: &impl Order,
    month_days: Option<i64>,
) -> Result<Exact, Gap> {
    if let Some(stated) = cx.order_figure(order, Figure::DailyListPriceBefore) {
        return Ok(Exact::from(stated));
    }
    let earlier = resource
        .paid_orders()
        .filter(|other| matches!((other.starts_at(), order.starts_at()), (Some(a), Some(b)) if a < b))
        .filter(|other| other.id() != order.id() || other.id().is_none())
        .last();
    match earlier {
        Some(earlier) => daily_price(cx, &earlier, month_days),
        None => {
            Err(Gap::Rule(clause::PARTIAL_DAILY_UPGRADE, Reason::PriceUnknown, Figure::DailyListPriceBefore.as_str()))
        }
    }
}

/// Days of use of an order at `at`: begun days of 24 hours, at least one, or calendar days with both
/// ends.
pub(crate) fn usage_days(at: Instant, start: Instant, zone: Zone, calendar: bool) -> i64 {
    if calendar { zone.days_between(start, at) + 1 } else { at.since(start).days_begun().max(1) }
}

/// Where an order stands in its period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Pending,
    Running,
    Over,
}

pub(crate) fn phase(at: Instant, start: Instant, end: Instant) -> Phase {
    if at < start {
        Phase::Pending
    } else if at >= end {
        Phase::Over
    } else {
        Phase::Running
    }
}

/// The consumption of one usage day at the discount, without coefficient, and the actual days.
pub(crate) fn per_day<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    order: &impl Order,
    daily: Daily,
) -> Result<(Exact, i64), Gap> {
    let (start, end) = period(order, cx.zone)?;
    let actual = end.since(start).whole_days();
    let list = order.list_price().ok_or(Gap::Rule(clause::PARTIAL_BASIS, Reason::PriceUnknown, "list_price"))?;
    let mut price = Exact::from(list).over(priced_days(cx, order, daily.month_days)?);
    if order.kind() == OrderKind::Upgrade {
        let after = daily_price(cx, order, daily.month_days)?;
        let before = daily_price_before(resource, cx, order, daily.month_days)?;
        price = price.times(after.minus(&before).floor_zero()).over(after);
    }
    let factor = match daily.discount {
        Discount::None => Exact::ONE,
        _ if !price.is_positive() => Exact::ONE,
        Discount::Original => match order.due() {
            Some(due) => Exact::from(due).over(list),
            None => return Err(Gap::Rule(clause::PARTIAL_DISCOUNT_ORIGINAL, Reason::PriceUnknown, "due")),
        },
        Discount::TimeUsed => Exact::from(time_used_discount(resource, cx, order)?),
    };
    Ok((price.times(factor), actual))
}

/// The discount of the time really used, which only a look-up at the refund tells.
fn time_used_discount<R: Resource>(resource: &R, cx: &Context<'_>, order: &impl Order) -> Result<Number, Gap> {
    cx.order_figure(order, Figure::UsageDiscount).or_else(|| resource.figure(Figure::UsageDiscount)).ok_or(Gap::Rule(
        clause::PARTIAL_DISCOUNT,
        Reason::RuleUnknown,
        Figure::UsageDiscount.as_str(),
    ))
}

/// What an order has consumed of `paid`, exact and not yet cut to it.
pub(crate) fn consumed<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    order: &impl Order,
    paid: Amount,
    method: impl FnOnce() -> Result<Method, Gap>,
) -> Result<Exact, Gap> {
    if paid.is_zero() {
        return Ok(Exact::ZERO);
    }
    let period = period(order, cx.zone);
    if let Ok((start, end)) = period {
        match phase(cx.at, start, end) {
            Phase::Pending => return Ok(Exact::ZERO),
            Phase::Over => return Ok(Exact::from(paid)),
            Phase::Running => {}
        }
    }
    let method = method()?;
    let (start, end) = match (method, period) {
        (_, Ok(period)) => period,
        // What was used of an amount does not depend on the period.
        (Method::Volume(_) | Method::PaidVolume(_) | Method::Fixed(_), Err(_)) => (cx.at, cx.at),
        (_, Err(gap)) => return Err(gap),
    };
    match method {
        Method::Linear(clause) => {
            ruling.cite(clause);
            Ok(Exact::from(paid).times_ratio(cx.at.since(start).micros(), end.since(start).micros()))
        }
        Method::Volume(share) => {
            let list =
                order.list_price().ok_or(Gap::Rule(clause::PARTIAL_BASIS, Reason::PriceUnknown, "list_price"))?;
            if share.is_zero() {
                return Ok(Exact::ZERO);
            }
            let discount = time_used_discount(resource, cx, order)?;
            ruling.line("consumed", || format!("{list} x {share} used x {discount}"));
            Ok(Exact::from(list).times(share).times(discount))
        }
        Method::PaidVolume(share) => Ok(Exact::from(paid).times(share)),
        Method::Fixed(amount) => Ok(Exact::from(amount)),
        Method::Daily(daily) => by_days(resource, cx, ruling, order, (start, paid), daily),
    }
}

fn by_days<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    order: &impl Order,
    (start, paid): (Instant, Amount),
    daily: Daily,
) -> Result<Exact, Gap> {
    ruling.cite(clause::PARTIAL_BASIS);
    ruling.cite_if(clause::PARTIAL_DAILY_UPGRADE, order.kind() == OrderKind::Upgrade);
    ruling.cite(clause::PARTIAL_ACTUAL_DAYS);
    ruling.cite(clause::PARTIAL_USAGE_DAYS);
    match daily.discount {
        Discount::Original => ruling.cite(clause::PARTIAL_DISCOUNT_ORIGINAL),
        Discount::TimeUsed => ruling.cite(clause::PARTIAL_DISCOUNT),
        Discount::None => {}
    }
    let usage = usage_days(cx.at, start, cx.zone, daily.calendar);
    let (price, actual) = match per_day(resource, cx, order, daily) {
        Ok(found) => found,
        Err(gap) => {
            explain_gap(resource, cx, ruling, order, usage, daily);
            return Err(gap);
        }
    };
    let usage = usage.min(actual);
    if actual <= 0 {
        return Ok(Exact::from(paid));
    }
    let factor = daily.coefficient.and_then(|coefficient| coefficient.at(usage, start, cx.zone));
    ruling.cite_if(clause::PARTIAL_COEFFICIENT, factor.is_some());
    ruling.cite_if(clause::PARTIAL_COEFFICIENT_BAILIAN, factor.is_some());
    let factor = factor.unwrap_or(Number::ONE);
    ruling.line("consumed", || format!("{price} a day x {usage} of {actual} days x {factor}"));
    Ok(price.times(usage).times(factor))
}

/// Where only the discount is missing, the explanation gives the figures with the order's own discount
/// and with none.
fn explain_gap<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    order: &impl Order,
    usage: i64,
    daily: Daily,
) {
    if !cx.tracing() {
        return;
    }
    for (label, discount) in
        [("with the order's own discount", Discount::Original), ("without a discount", Discount::None)]
    {
        if let Ok((price, actual)) = per_day(resource, cx, order, Daily { discount, ..daily }) {
            ruling.line(label, || format!("consumed {price} a day x {} days", usage.min(actual)));
        }
    }
}

/// Settles an order in part: what is left of its money goes back, rounded half up.
pub(crate) fn settle_in_part<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    terms: Terms,
    order: &impl Order,
    draft: &mut Draft<&mut RefundQuote>,
    method: impl FnOnce() -> Result<Method, Gap>,
) -> Result<(), Gap> {
    draft.add_order(order, |payment| terms.dispose(cx, order, payment))?;
    // All that counts as paid shares.
    let paid = draft.left();
    let consumed = consumed(resource, cx, ruling, order, paid, method)?;
    let left = Exact::from(paid).minus(&consumed).floor_zero();
    ruling.line("refund of the order", || format!("{paid} - {consumed} = {left}"));
    ruling.cite_if(clause::PARTIAL_FLOOR, left.is_zero());
    draft.give_back_only(&left);
    Ok(())
}
