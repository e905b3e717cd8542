//! The full return: five days on the China site, and packs in their window.

use recoup_core::prelude::*;
use recoup_core::refund::Missing;
use recoup_core::time::day_after;

use crate::consumed::{Scope, left_of_orders};
use crate::money::{Form, Gap, Left, Standing, standing};
use crate::{clause, list, param, product, quota, refusals};

/// The full return of a new purchase or of an unused pack.
pub(crate) fn full_refund<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruled(resource, cx, ruling);
    refusals::settle_until(ruling, None, &[]);
}

fn ruled<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    ruling.refuse_if(clause::REFUSE_POSTPAID_CONVERTED, refusals::converted(resource, cx));
    refusals::suspended_for_content(cx, ruling);
    if is_pack(cx) {
        ruling.refuse_if(clause::REFUSE_PACK_USED, refusals::used(resource, cx));
    }
    let open = window(resource, cx, ruling);
    quota::five_day(resource, cx, ruling);
    if open == Some(true)
        && let Some(end) = resource.ends_at()
    {
        ruling.changes_at(end);
    }
    ruling.cite_if(clause::FIVE_INTL_PRODUCT, [list::FIVE_INTL, list::FIVE_INTL_TCMG].iter().any(|id| cx.listed(*id)));
    ruling.cite_if(clause::INTL_APIGW, cx.listed(list::FIVE_INTL_APIGW));
    refusals::effects(resource, cx, ruling);
    refusals::channel(cx, ruling);
    // Once the window is over the answer no longer hangs on a page that is not known.
    if open != Some(false) && is_unknown(cx, ruling) {
        return;
    }
    match quote(resource, cx, ruling) {
        Ok(quote) => ruling.refund(quote),
        Err(gap) => gap.report(clause::FIVE_AMOUNT, ruling),
    }
}

fn is_pack(cx: &Context<'_>) -> bool {
    [list::PACKS_FULL, list::PACKS_FULL_INTL, list::PACKS_BOTH].iter().any(|id| cx.listed(*id))
}

/// Days of which no page is known.
fn is_unknown(cx: &Context<'_>, ruling: &mut Ruling<'_>) -> bool {
    let clauses = [clause::UNKNOWN_BEFORE, clause::UNKNOWN_INTL_CHANGE];
    if let Some(clause) = clauses.into_iter().find(|clause| cx.in_force(*clause)) {
        ruling.no_figure(clause, Reason::RuleUnknown, None);
        return true;
    }
    if is_pack(cx) && pack_window(cx).is_none() {
        ruling.no_figure(clause::UNKNOWN_PAGE_DATE, Reason::RuleUnknown, None);
        return true;
    }
    false
}

/// How long a window is open.
#[derive(Clone, Copy)]
enum Length {
    /// So many hours, the last instant inside.
    Hours(Number),
    /// Until the end of the day so many days after the day of purchase.
    Days(Number),
}

fn pack_window(cx: &Context<'_>) -> Option<(ClauseId, Length)> {
    let hours = |clause: ClauseId, id: ParamId| Some((clause, Length::Hours(cx.param(id)?.value)));
    let days = |clause: ClauseId, id: ParamId| Some((clause, Length::Days(cx.param(id)?.value)));
    if cx.listed(list::WINDOW_DAY_END) {
        days(clause::PACK_DAY_END, param::DAY_END_DAYS)
    } else if cx.listed(list::PACKS_FULL_INTL) && cx.in_force(clause::INTL_CSS) {
        days(clause::INTL_CSS, param::DAY_END_DAYS)
    } else if cx.listed(list::WINDOW_SEVEN) {
        days(clause::PACK_SEVEN, param::SEVEN_DAYS)
    } else if cx.listed(list::WINDOW_FIFTEEN) {
        hours(clause::PACK_FIFTEEN, param::FIFTEEN_DAYS)
    } else if cx.is_product(product::NLP_PACK) && cx.in_force(clause::PACK_NLP) {
        hours(clause::PACK_NLP, param::NLP_DAYS)
    } else if cx.is_product(product::SOE_PACK) && cx.in_force(clause::PACK_SOE) {
        hours(clause::PACK_SOE, param::SOE_DAYS)
    } else {
        None
    }
}

/// The window of a pack, else the five days. Gives whether it is open.
fn window<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Option<bool> {
    let start = new_purchase(resource, cx);
    if is_pack(cx) {
        let (clause, length) = pack_window(cx)?;
        return in_window(cx, ruling, clause, start, length);
    }
    ruling.cite(clause::FIVE_CLOCK);
    let length = cx.param(param::FIVE_DAYS)?.value;
    let open = in_window(cx, ruling, clause::FIVE_WINDOW, start, Length::Hours(length));
    if open == Some(true) {
        ruling.line("window", || "the system may let it pass until 23:59:59 of that day".to_owned());
    }
    open
}

fn in_window(
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    clause: ClauseId,
    start: Option<Instant>,
    length: Length,
) -> Option<bool> {
    match length {
        Length::Hours(hours) => ruling.window_through(clause, "orders", start, Span::hours(hours.as_whole()?)),
        Length::Days(days) => {
            let days = u64::try_from(days.as_whole()?).ok()?;
            let end = start.map(|start| cx.zone.midnight(day_after(cx.zone.date(start), days + 1)));
            ruling.window(clause, "orders", end, |at, end| at < end)
        }
    }
}

/// When the new purchase was delivered (before 2018-07-10: paid).
pub(crate) fn new_purchase<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<Instant> {
    let Some(mut orders) = resource.orders() else { return resource.purchased_at() };
    let first =
        |order: &R::Order<'_>| order.is_paid() && matches!(order.kind(), OrderKind::Purchase | OrderKind::Conversion);
    let order = orders.find(first)?;
    let (delivered, paid) = (order.starts_at(), order.paid_at());
    if cx.in_force(clause::FIVE_CLOCK) { delivered.or(paid) } else { paid.or(delivered) }
}

/// All money of the orders that are not over; from 2016-12-01 to 2018-02-28 a discounted order is
/// charged the undiscounted list price for what was used.
fn quote<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Result<RefundQuote, Gap> {
    ruling.cite(clause::FIVE_AMOUNT);
    let refunded = resource.orders().into_iter().flatten().any(|order| order.status() == OrderStatus::Refunded);
    ruling.cite_if(clause::FIVE_NETSWITCH, refunded);
    if resource.orders().is_none() {
        return Err(Missing::Orders.into());
    }
    let currency = cx.currency(resource)?;
    let mut parts = Vec::with_capacity(1);
    for order in resource.paid_orders() {
        let standing = standing(resource, &order, cx);
        if standing == Some(Standing::Over) {
            continue;
        }
        let mut part = Left::of(&order, currency)?;
        if let Some(Standing::Running(start)) = standing
            && cx.in_force(clause::FIVE_DISCOUNTED)
            && let Some(consumed) = at_list_price(resource, &order, start, cx)
            && ruling.cite_if(clause::FIVE_DISCOUNTED, order.due() != order.list_price())
        {
            part.consume(consumed.round(currency));
        }
        parts.push(part);
    }
    Ok(Form::full(cx, ruling).settle_all(&parts, currency))
}

fn at_list_price<R: Resource>(resource: &R, order: &impl Order, start: Instant, cx: &Context<'_>) -> Option<Exact> {
    let end = crate::money::end_of(resource, order, start, cx)?;
    let (used, total) = (cx.at.since(start).days_begun(), end.since(start).days_begun());
    Some(Exact::from(order.list_price()?).times_ratio(used, total))
}

/// What every order was paid with, for contracts that return all or nothing.
pub(crate) fn every_order<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
) -> Result<(Vec<Left>, Currency, Form), Gap> {
    if resource.orders().is_none() {
        return Err(Missing::Orders.into());
    }
    let currency = cx.currency(resource)?;
    let parts = resource.paid_orders().map(|order| Left::of(&order, currency)).collect::<Result<Vec<_>, _>>()?;
    Ok((parts, currency, Form::full(cx, ruling)))
}

/// All money of every order.
pub(crate) fn everything<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
) -> Result<RefundQuote, Gap> {
    let (parts, currency, form) = every_order(resource, cx, ruling)?;
    Ok(form.settle_all(&parts, currency))
}

/// The money that the ordinary formula leaves of every order.
pub(crate) fn ordinary<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
) -> Result<RefundQuote, Gap> {
    let (parts, currency) = left_of_orders(resource, cx, ruling, Scope::All)?;
    Ok(Form::ordinary(cx, ruling).settle_all(&parts, currency))
}
