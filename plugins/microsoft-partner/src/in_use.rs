//! Cancelling New Commerce licences and software subscriptions: prorated, and only in their window
//! (page, sections 4.1, 4.2 and 6).

use recoup_core::prelude::*;

use crate::held::{self, Gap, Leaving, Line, Taken};
use crate::{clause, list, param, refusals};

/// What differs between licences and software.
struct Terms {
    /// The clause of the window.
    window: ClauseId,
    /// Its length.
    hours: ParamId,
    /// The clause of the time for which no rule is known.
    before: ClauseId,
    /// The clause of the proration.
    proration: ClauseId,
    /// Days charged besides the blocks of 24 hours that are over.
    extra_days: ParamId,
}

/// A New Commerce licence: blocks of 24 hours that were not begun come back.
pub(crate) fn licence<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let upgraded = resource.paid_orders().any(|order| order.kind() == OrderKind::Conversion);
    ruling.cite_if(clause::BUSINESSCENTRAL, cx.listed(list::BUSINESS_CENTRAL));
    ruling.cite_if(clause::PARTIAL_UPGRADE, upgraded);
    let terms = Terms {
        window: clause::WINDOW,
        hours: param::NCE_WINDOW,
        before: clause::BEFORE_2022,
        proration: clause::PRORATION,
        extra_days: param::BLOCKS,
    };
    prorated(resource, cx, ruling, &terms);
}

/// A software subscription: the days begun are charged, and the number of licences stays.
pub(crate) fn software<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let reduced = matches!(Leaving::of(resource, cx), Leaving::Part(_));
    ruling.refuse_as(clause::SOFTWARE_SUB, Reason::ProductNotSupported, reduced);
    let terms = Terms {
        window: clause::SOFTWARE_SUB,
        hours: param::SOFTWARE_WINDOW,
        before: clause::SOFTWARE_BEFORE_2021,
        proration: clause::SOFTWARE_SUB,
        extra_days: param::DAYS_STARTED,
    };
    prorated(resource, cx, ruling, &terms);
}

/// A Red Hat or SUSE plan: the rules of software do not hold for it.
pub(crate) fn plan<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse(clause::SOFTWARE_NOT_PLANS);
    refusals::common(resource, cx, ruling);
    let leaving = Leaving::of(resource, cx);
    ruling.refuse_if(clause::QUANTITY, leaving == Leaving::TooMany);
    ruling.channel(Channel::Api);
    if let Ok(quote) = held::all_consumed(resource, cx, Leaving::All) {
        ruling.refund(quote);
    }
    refusals::holds_until_the_end(resource, ruling);
}

fn prorated<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, terms: &Terms) {
    let leaving = Leaving::of(resource, cx);
    refusals::common(resource, cx, ruling);
    refusals::never_by_the_api(cx, ruling);
    ruling.refuse_if(clause::QUANTITY, leaving == Leaving::TooMany);
    ruling.cite(clause::NO_RESTORE);
    ruling.effects(&[Effect::Irreversible, Effect::AccessLost]);
    ruling.channel(Channel::Api);
    let hours = cx.param(terms.hours).and_then(|hours| hours.whole());
    if let Some(hours) = hours {
        let end_of = |start| start + Span::hours(hours);
        held::refuse_after_window(resource, cx, ruling, terms.window, leaving, end_of);
    }
    match quote(resource, cx, ruling, leaving, terms) {
        _ if leaving == Leaving::TooMany => {}
        Ok(quote) => ruling.refund(quote),
        Err(gap) => gap.record(ruling, terms.proration),
    }
    if hours.is_none() {
        ruling.no_figure(terms.before, Reason::RuleUnknown, None);
    }
    refusals::holds_until_the_end(resource, ruling);
}

fn quote<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    leaving: Leaving,
    terms: &Terms,
) -> Result<RefundQuote, Gap> {
    if refusals::too_late(ruling) {
        return held::all_consumed(resource, cx, leaving);
    }
    let whole = |param| cx.param(param).and_then(|held| held.whole()).ok_or(Gap::Field("days"));
    let (extra_days, block) = (whole(terms.extra_days)?, whole(param::BLOCK)?.max(1));
    ruling.cite(terms.proration);
    ruling.cite(clause::INVOICE);
    let quote = held::add_up(resource, cx, leaving, |line| {
        let (charged, days) = charged_days(cx, line, extra_days, block)?;
        Ok(Taken::Consumed(line.part().times_ratio(charged, days)))
    })?;
    ruling.line("consumed", || {
        let per_order = held::touched(resource, leaving).into_iter().flatten().map(|(order, share)| {
            let over = order.placed_at().map_or(0, |placed| cx.at.since(placed).whole_hours().div_euclid(block));
            format!("{share} of an order, {} of its days", over + extra_days)
        });
        format!("{} ({})", quote.consumed().unwrap_or_default(), per_order.collect::<Vec<_>>().join("; "))
    });
    Ok(match still_owed(resource, leaving) {
        Some(owed) => {
            ruling.cite(clause::RELEASED);
            quote.releasing(&owed)
        }
        None => quote,
    })
}

/// The days charged of an order, and the days of its charge cycle.
fn charged_days(cx: &Context<'_>, line: &Line, extra_days: i64, block: i64) -> Result<(i64, i64), Gap> {
    let placed = line.placed_at.ok_or(Gap::Field("placed_at"))?;
    let (start, end) = line.cycle.ok_or(Gap::Field("ends_at"))?;
    let over = cx.at.since(placed).whole_hours().max(0) / block;
    Ok((over + extra_days, cx.zone.days_between(start, end)))
}

/// What a term billed by the month would still have been charged, in the share of what leaves.
fn still_owed<R: Resource>(resource: &R, leaving: Leaving) -> Option<Exact> {
    let commitment = resource.commitment()?;
    let months = commitment.term_months.filter(|months| *months > 1)?;
    if commitment.payment_option != Some(PaymentOption::Monthly) {
        return None;
    }
    let term = Exact::from(commitment.recurring?).times(i64::from(months));
    let charged: Amount = held::held(resource).map(|order| order.due()).sum::<Option<Amount>>()?;
    Some(term.minus(&Exact::from(charged)).floor_zero().times(leaving.share(resource.quantity())))
}
