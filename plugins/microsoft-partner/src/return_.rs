//! The partners' fee table for Azure reservations, 2018-10-29 to 2021-05-20 (page, section 4.5).

use recoup_core::prelude::*;

use crate::held::{self, Gap, Leaving, Line, Taken};
use crate::{clause, param, refusals};

const POOL: &str = "cancelled_refunds";

/// Giving back a reservation that is held for a customer.
pub(crate) fn return_<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    ruling.cite(clause::RI_CSP_FEE_TABLE);
    ruling.cite(clause::RI_CSP_TICKET);
    ruling.effects(&[Effect::Irreversible, Effect::AccessLost]);
    ruling.channel(Channel::Support);
    let bought = held::held(resource).next().and_then(|order| order.placed_at()).or(resource.purchased_at());
    let free_days = cx.param(param::FEE_FREE_DAYS).and_then(|days| days.whole()).unwrap_or(0);
    let is_early = bought.map(|bought| cx.zone.days_between(bought, cx.at) <= free_days);
    let is_used = cx.flag(Flag::Used).known();
    if is_early == Some(true) && is_used.is_none() {
        ruling.unknown(clause::RI_CSP_USE, Reason::AlreadyUsed, Some(Flag::Used.as_str()));
    }
    let quote = match is_early {
        _ if refusals::too_late(ruling) => held::all_consumed(resource, cx, Leaving::of(resource, cx)),
        None => Err(Gap::Field("purchased_at")),
        Some(is_early) => quote(resource, cx, ruling, is_early, is_used == Some(false)),
    };
    let drawn = quote.as_ref().ok().and_then(|quote| in_dollars(resource, cx, quote.currency(), quote.refund()));
    match quote {
        Ok(quote) => {
            ruling.cite(clause::INVOICE);
            draw(resource, cx, ruling, Some(quote.currency()), drawn);
            ruling.refund(quote);
        }
        Err(gap) => {
            draw(resource, cx, ruling, None, None);
            gap.record(ruling, clause::RI_CSP_FEE_TABLE);
        }
    }
    refusals::holds_until_the_end(resource, ruling);
    let shows = is_used.is_none() || ruling.so_far().refund.as_ref().is_some_and(|quote| quote.paid().is_positive());
    if let (Some(bought), Some(true), true) = (bought, is_early, shows) {
        // 00:00 of the day after the last one without a fee.
        ruling.changes_at(cx.zone.midnight(cx.zone.date(cx.zone.add_days(bought, free_days + 1))));
    }
}

/// All of it where it is early and not used; else prorated, and after the first days less the fee.
fn quote<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    is_early: bool,
    is_unused: bool,
) -> Result<RefundQuote, Gap> {
    let leaving = Leaving::of(resource, cx);
    if is_early && is_unused {
        return held::add_up(resource, cx, leaving, |_| Ok(Taken::Nothing));
    }
    let rate = if is_early { Number::ZERO } else { cx.param(param::FEE_RATE).map_or(Number::ZERO, |rate| rate.value) };
    ruling.line("fee", || format!("{rate} of what is left after proration"));
    let months = resource.commitment().filter(|terms| terms.payment_option == Some(PaymentOption::Monthly));
    let quote = held::add_up(resource, cx, leaving, |line| {
        let used = match months.and_then(|terms| terms.recurring) {
            Some(instalment) => used_of_months(resource, cx, line, instalment)?,
            None => used_of_term(resource, cx, line)?,
        };
        Ok(Taken::ConsumedWithFee(used, rate))
    })?;
    Ok(match months.and_then(|terms| Some(Exact::from(terms.recurring?).times(i64::from(terms.term_months?)))) {
        Some(term) => {
            let owed = term.times(leaving.share(resource.quantity())).minus(&Exact::from(quote.paid()));
            quote.releasing(&owed.floor_zero())
        }
        None => quote,
    })
}

/// Paid times the days gone over the days of the term, both differences of UTC dates.
fn used_of_term<R: Resource>(resource: &R, cx: &Context<'_>, line: &Line) -> Result<Exact, Gap> {
    let (start, end) = resource.starts_at().zip(resource.ends_at()).or(line.cycle).ok_or(Gap::Field("ends_at"))?;
    let gone = cx.zone.days_between(start, cx.at).max(0);
    Ok(line.part().times_ratio(gone, cx.zone.days_between(start, end)))
}

/// Paid by the month: the months that are over and the days gone of the current one.
fn used_of_months<R: Resource>(resource: &R, cx: &Context<'_>, line: &Line, instalment: Amount) -> Result<Exact, Gap> {
    let start = resource.starts_at().or(line.cycle.map(|(start, _)| start)).ok_or(Gap::Field("starts_at"))?;
    let over = cx.zone.months_between(start, cx.at).max(0);
    let month = (cx.zone.add_months(start, over), cx.zone.add_months(start, over + 1));
    let current = Exact::ratio(cx.zone.days_between(month.0, cx.at).max(0), cx.zone.days_between(month.0, month.1));
    Ok(Exact::from(instalment).times(line.share.clone()).times(current.plus(&Exact::from(i64::from(over)))))
}

/// An amount in US dollars, in which the pool counts.
fn in_dollars<R: Resource>(resource: &R, cx: &Context<'_>, currency: Currency, amount: Amount) -> Option<Number> {
    if currency == Currency::USD {
        return Some(amount.as_number());
    }
    let rate = cx.figure(resource, Figure::UsdRate)?;
    Some(Exact::from(amount).times(rate).round(Currency::USD).as_number())
}

/// The pool: refunds of reservations, after the fee, in the last 365 days.
fn draw<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    currency: Option<Currency>,
    drawn: Option<Number>,
) {
    let limit = cx.param(param::REFUND_LIMIT).map(|limit| limit.value);
    let days = cx.param(param::REFUND_LIMIT_DAYS).and_then(|days| u16::try_from(days.whole()?).ok());
    let window = days.map_or(Window::Unpublished, Window::RollingDays);
    let count = |entry: &recoup_core::record::ReturnRecord| {
        if entry.exit.is_some_and(|exit| exit != Exit::Return) {
            return Some(Number::ZERO);
        }
        let of = entry.currency.or(cx.settlement_currency())?;
        if of != Currency::USD && Some(of) != currency {
            return None;
        }
        in_dollars(resource, cx, of, entry.amount?)
    };
    let mut draw = cx.quota(POOL, limit, window, count);
    draw.draws = drawn;
    ruling.draw(clause::RI_CSP_LIMIT, draw);
}
