//! Suspending legacy licences, and cancelling or reducing one-time and recurring purchases (page,
//! sections 4.3 and 6).

use recoup_core::policy::KeyRef;
use recoup_core::prelude::*;

use crate::held::{self, Gap, Leaving, Line, Taken};
use crate::{clause, param, refusals, table};

/// A legacy licence: at any time; in the first 30 days of the subscription the whole current charge,
/// later the days left of the charge cycle.
pub(crate) fn licence<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let leaving = asked_at_both(resource, cx, ruling);
    ruling.cite(clause::LEGACY);
    ruling.cite(clause::LEGACY_DATA);
    ruling.effects(&[Effect::Irreversible, Effect::AccessLost, Effect::DataDeleted]);
    let first = first_purchase(resource);
    let full_until = first.zip(cx.param(param::LEGACY_FULL).and_then(|hours| hours.whole()));
    let full_until = full_until.map(|(first, hours)| first + Span::hours(hours));
    let quote = if refusals::too_late(ruling) {
        held::all_consumed(resource, cx, leaving)
    } else {
        held::add_up(resource, cx, leaving, |line| match full_until {
            None => Err(Gap::Field("placed_at")),
            Some(end) if cx.at < end => Ok(Taken::Nothing),
            Some(_) => days_left(resource, cx, line),
        })
    };
    settle(ruling, leaving, quote, clause::LEGACY);
    refusals::holds_until_the_end(resource, ruling);
    if let Some(end) = full_until
        && ruling.so_far().refusals.is_empty()
        && ruling.so_far().refund.as_ref().is_some_and(|quote| quote.paid().is_positive())
    {
        ruling.changes_at(end);
    }
}

/// A one-time or recurring purchase: the net of the old line's credit and the new line's charge for the
/// same days, which is the credit of the units that leave.
pub(crate) fn one_time<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let leaving = asked_at_both(resource, cx, ruling);
    ruling.cite(clause::LEGACY_QUANTITY);
    ruling.effects(&[Effect::Irreversible, Effect::AccessLost]);
    let quote = if refusals::too_late(ruling) {
        held::all_consumed(resource, cx, leaving)
    } else {
        held::add_up(resource, cx, leaving, |line| line_credit(cx, line))
    };
    settle(ruling, leaving, quote, clause::LEGACY_QUANTITY);
    refusals::holds_until_the_end(resource, ruling);
}

fn asked_at_both<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Leaving {
    let leaving = Leaving::of(resource, cx);
    refusals::common(resource, cx, ruling);
    ruling.refuse_if(clause::QUANTITY, leaving == Leaving::TooMany);
    ruling.channel(Channel::Api);
    leaving
}

fn settle(ruling: &mut Ruling<'_>, leaving: Leaving, quote: Result<RefundQuote, Gap>, clause: ClauseId) {
    match quote {
        _ if leaving == Leaving::TooMany => {}
        Ok(quote) => {
            ruling.cite(clause::INVOICE);
            ruling.line("credit", || quote.refund().to_string());
            ruling.refund(quote);
        }
        Err(gap) => gap.record(ruling, clause),
    }
}

/// When the subscription itself was bought: a renewal or a new monthly charge does not count.
fn first_purchase<R: Resource>(resource: &R) -> Option<Instant> {
    let first = resource.paid_orders().find(|order| order.kind() == OrderKind::Purchase);
    first.and_then(|order| order.placed_at()).or(resource.purchased_at())
}

/// The days left of a charge cycle, that of the suspension included, and all its days.
fn days_of(cx: &Context<'_>, line: &Line) -> Result<(i64, i64), Gap> {
    let (start, end) = line.cycle.ok_or(Gap::Field("ends_at"))?;
    let all = cx.zone.days_between(start, end);
    Ok((cx.zone.days_between(cx.at, end).clamp(0, all.max(0)), all))
}

/// The price of a unit's day, rounded, times the days left, times the units.
fn days_left<R: Resource>(resource: &R, cx: &Context<'_>, line: &Line) -> Result<Taken, Gap> {
    let (left, all) = days_of(cx, line)?;
    let units = line.units.ok_or(Gap::Field("quantity"))?;
    let billed = match resource.commitment().and_then(|commitment| commitment.payment_option) {
        Some(PaymentOption::Monthly) => "monthly",
        Some(PaymentOption::AllUpfront) => "yearly",
        // Not stated: a cycle of at most a calendar month is billed monthly.
        _ if line.cycle.is_some_and(|(start, end)| end <= cx.zone.add_months(start, 1)) => "monthly",
        _ => "yearly",
    };
    let step = cx.cell(table::PER_DAY_SCALE, &[KeyRef::Word(billed)]).ok_or(Gap::Field("payment_option"))?;
    let day = Exact::from(line.charge).over(units).over(all).round_to(step.value.as_amount());
    Ok(Taken::AllBut(Exact::from(day).times(left).times(units).times(line.share.clone())))
}

/// The credit of one unit for the days left, rounded first, times the units; on the day of purchase in
/// full.
fn line_credit(cx: &Context<'_>, line: &Line) -> Result<Taken, Gap> {
    let placed = line.placed_at.ok_or(Gap::Field("placed_at"))?;
    if cx.zone.date(placed) == cx.zone.date(cx.at) {
        return Ok(Taken::Nothing);
    }
    let (left, all) = days_of(cx, line)?;
    let units = line.units.ok_or(Gap::Field("quantity"))?;
    let mut unit = Exact::from(line.charge).over(units).times_ratio(left, all);
    if cx.param(param::ROUND_UNIT_FIRST).is_some_and(|first| first.value == Number::ONE) {
        unit = Exact::from(unit.round_to(line.minor_unit));
    }
    Ok(Taken::AllBut(unit.times(units).times(line.share.clone())))
}
