//! Deleting a running resource.

use recoup_core::money::Currency;
use recoup_core::prelude::*;
use recoup_core::refund::{Draft, Missing};
use recoup_core::resource::Term;

use crate::{clause, param, product};

/// Why a figure cannot be computed.
enum Gap {
    Paid(Missing),
    Unknown(ClauseId, Reason, &'static str),
}

impl From<Missing> for Gap {
    fn from(missing: Missing) -> Self {
        Self::Paid(missing)
    }
}

/// Money paid less what was consumed, order by order.
pub(crate) fn in_use<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_on(clause::REFUSE_CAMPAIGN, Flag::Promotion);
    ruling.refuse_if(clause::REFUSE_RELEASED, resource.status() == Status::Released);
    ruling.refuse_if(clause::REFUSE_YEAR, runs_for(resource, cx, TermUnit::Year));
    if cx.is_product(product::CLOUD_PHONE) {
        ruling.refuse_if(clause::REFUSE_CLOUD_PHONE, runs_for(resource, cx, TermUnit::Day));
    }
    if cx.is_product(product::ULHOST) {
        ruling.cite_if(clause::ULHOST_CROSS_BORDER, cx.flag(Flag::CrossBorder).is_yes());
        if cx.flag(Flag::CrossBorder).known().is_none() {
            // The figure holds where the host is not in the cross-border zone.
            ruling.refuse_on(clause::ULHOST_CROSS_BORDER, Flag::CrossBorder);
        }
    }
    ruling.cite_if(clause::EXPIRED, resource.has_expired(cx.at));
    consequences(resource, cx, ruling, &[Effect::Irreversible, Effect::DataDeleted]);
    if cx.in_force(clause::BEFORE) {
        ruling.no_figure(clause::BEFORE, Reason::RuleUnknown, None);
        return;
    }
    ruling.cite(clause::FORMULA);
    match quote(resource, cx, ruling) {
        Ok(quote) => ruling.refund(quote),
        Err(Gap::Paid(missing)) => ruling.missing(clause::FORMULA, missing),
        Err(Gap::Unknown(clause, reason, fact)) => ruling.no_figure(clause, reason, Some(fact)),
    }
    nothing_to_wait_for(ruling);
}

/// A campaign or a deletion refuses for good: what is left of the money no longer matters.
pub(crate) fn nothing_to_wait_for(ruling: &mut Ruling<'_>) {
    let refused = ruling.so_far();
    if refused.refused_for(Reason::Promotion) || refused.refused_for(Reason::NotActive) {
        ruling.never_changes();
    }
}

/// Whether the resource is a cloud phone whose running order was bought by the day.
pub(crate) fn is_cloud_phone_by_the_day<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    cx.is_product(product::CLOUD_PHONE) && runs_for(resource, cx, TermUnit::Day).is_yes()
}

/// Effects, channel and settlement, which every exit of the page shares.
pub(crate) fn consequences<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, effects: &[Effect]) {
    ruling.effects(effects);
    let coupons = [Instrument::Voucher, Instrument::CashCoupon, Instrument::DiscountCoupon];
    let lost = coupons.iter().any(|coupon| resource.paid_with(*coupon));
    ruling.cite_if(clause::VOUCHER, lost);
    ruling.effect_if(Effect::CouponsLost, lost);
    ruling.effect_if(Effect::RenewalsLeaveToo, resource.pending_renewals(cx.at).next().is_some());
    ruling.channel(Channel::Api);
    ruling.settles_within(clause::SETTLE, 0, DayKind::Calendar);
}

/// What becomes of a payment: vouchers are lost, cash and gift money share what is left.
pub(crate) fn disposition(payment: &Payment) -> Disposition {
    match payment.instrument {
        Instrument::Voucher | Instrument::CashCoupon | Instrument::DiscountCoupon => Disposition::Lost,
        Instrument::Bonus => Disposition::Share(Destination::Bonus),
        _ => Disposition::Share(Destination::AccountBalance),
    }
}

/// The period of an order: as it states it, else by its term, else that of the resource.
pub(crate) fn period<R: Resource>(resource: &R, order: &impl Order, cx: &Context<'_>) -> Option<(Instant, Instant)> {
    let only = resource.periods().count() == 1;
    let whole = |instant: Option<Instant>| instant.filter(|_| only);
    let start = order.starts_at().or_else(|| whole(resource.starts_at()))?;
    let end = order.ends_at().or_else(|| order.term().map(|term| term.end(start, cx.zone)));
    end.or_else(|| whole(resource.ends_at())).map(|end| (start, end))
}

/// Whether the running order was bought by a unit; unknown where its term or its period is.
fn runs_for<R: Resource>(resource: &R, cx: &Context<'_>, unit: TermUnit) -> Answer {
    if resource.orders().is_none() {
        return Answer::named("orders", None);
    }
    resource.periods().fold(Answer::from(false), |answer, order| {
        let running = period(resource, &order, cx).map(|(start, end)| start <= cx.at && cx.at < end);
        let by_unit = term_of(resource, &order).map(|term| term.unit == unit);
        answer.or(Answer::named("orders", running).and(Answer::named("orders.term_unit", by_unit)))
    })
}

/// An order's term; a change counts by the term of the order that it changed.
fn term_of<R: Resource>(resource: &R, order: &impl Order) -> Option<Term> {
    order.term().or_else(|| {
        let is_change = !matches!(order.kind(), OrderKind::Purchase | OrderKind::Renewal);
        let base = resource.periods().last().and_then(|base| base.term());
        // A year's formula takes the list price of the whole resource, which a change cannot share.
        base.filter(|term| is_change && term.unit != TermUnit::Year)
    })
}

/// How an order's use is charged.
enum Charge {
    /// The used share of what was paid, times a factor.
    Share(Number),
    /// The used share of this.
    Of(Exact),
    /// All of it.
    All,
    /// It cannot be told while something of it is left.
    Missing(Gap),
}

fn charge<R: Resource>(resource: &R, order: &impl Order, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Charge {
    if cx.is_product(product::ULHOST)
        && let Some(factor) = cx.param(param::ULHOST_FACTOR)
    {
        if cx.flag(Flag::CrossBorder).is_yes() {
            return Charge::All;
        }
        ruling.cite(factor.clause);
        return Charge::Share(factor.value);
    }
    let Some(term) = term_of(resource, order) else {
        return Charge::Missing(Gap::Unknown(clause::UNIT, Reason::RuleUnknown, "orders.term_unit"));
    };
    let factor = match term.unit {
        TermUnit::Day if cx.is_product(product::CLOUD_PHONE) => return Charge::All,
        TermUnit::Day => cx.param(param::DAY_FACTOR),
        TermUnit::Month => cx.param(param::MONTH_FACTOR),
        TermUnit::Year => return by_the_year(resource, term, cx, ruling),
        TermUnit::Hour | TermUnit::Week => None,
    };
    match factor {
        Some(factor) => {
            ruling.cite(factor.clause);
            Charge::Share(factor.value)
        }
        None => Charge::Missing(Gap::Unknown(clause::UNIT, Reason::RuleUnknown, "orders.term_unit")),
    }
}

/// The monthly list price over all months bought.
fn by_the_year<R: Resource>(resource: &R, term: Term, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Charge {
    let Some(months) = cx.param(param::YEAR_MONTHS) else { return Charge::All };
    ruling.cite(months.clause);
    let components = resource.price_terms().map(|terms| terms.components.as_slice()).unwrap_or_default();
    let monthly = components.iter().try_fold(Number::ZERO, |sum, component| Some(sum + component.monthly?));
    match monthly.filter(|_| !components.is_empty()) {
        Some(monthly) => Charge::Of(Exact::from(monthly).times(months.value).times(i64::from(term.count))),
        None => Charge::Missing(Gap::Unknown(clause::PRICE, Reason::PriceUnknown, "price_terms.components.monthly")),
    }
}

/// The units of time that a charge counts in: hours, days for light hosts.
fn unit(cx: &Context<'_>) -> Span {
    let by_days = cx.is_product(product::ULHOST) && cx.param(param::ULHOST_FACTOR).is_some();
    if by_days { Span::days(1) } else { Span::hours(1) }
}

fn begun(span: Span, unit: Span) -> i64 {
    -(-span.micros()).div_euclid(unit.micros())
}

fn quote<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> Result<RefundQuote, Gap> {
    if resource.orders().is_none() {
        return Err(Missing::Orders.into());
    }
    let currency = cx.currency(resource)?;
    let unit = unit(cx);
    let mut sum = RefundQuote::nothing(currency);
    let mut emptied = Emptied::default();
    let mut gap = None;
    for order in resource.paid_orders() {
        let mut ledger = Ledger::new(currency);
        ledger.add_order(&order)?;
        let mut draft = ledger.settle(disposition);
        let dates = || Gap::Unknown(clause::UNIT, Reason::RuleUnknown, "orders.starts_at");
        let (start, end) = period(resource, &order, cx).ok_or_else(dates)?;
        if start > cx.at {
            // From then on the money is charged, which is a change of the answer where no term or price is known.
            let charge = ruling.on_trial(|ruling| charge(resource, &order, cx, ruling));
            if matches!(charge, Charge::Missing(_)) && !ledger.money().is_zero() {
                ruling.changes_at(start);
            }
            ruling.line("not begun", || format!("{} returns whole", draft.left()));
            emptied.pending = true;
        } else {
            let paid = ledger.money();
            let total = begun(end.since(start), unit);
            let used = begun(cx.at.since(start), unit).min(total);
            match charge(resource, &order, cx, ruling) {
                // All is used, or no money paid: no price is needed.
                _ if used >= total || paid.is_zero() => {
                    draft.give_back_only(&Exact::ZERO);
                }
                Charge::Missing(missing) => {
                    emptied.at(cx, start + times(unit, total - 1));
                    gap.get_or_insert(missing);
                }
                Charge::All => {
                    draft.give_back_only(&Exact::ZERO);
                }
                Charge::Share(factor) => {
                    let most = Exact::from(paid).times(factor);
                    take(ruling, cx, &mut draft, &mut emptied, (start, unit, used, total), &most, paid, currency);
                }
                Charge::Of(most) => {
                    take(ruling, cx, &mut draft, &mut emptied, (start, unit, used, total), &most, paid, currency);
                }
            }
            explain_month(ruling, cx, &order, total, unit);
        }
        sum = sum.plus(&draft.finish());
    }
    ruling.cite(clause::UNIT);
    if let Some(until) = emptied.until(resource.ends_at()) {
        ruling.changes_at(until);
    }
    gap.map_or_else(|| Ok(sum.naming(kinds(resource))), Err)
}

/// Where what comes back of each kind of money that paid goes.
fn kinds<R: Resource>(resource: &R) -> Vec<(Instrument, Destination)> {
    let mut kinds = Vec::new();
    for order in resource.paid_orders() {
        for payment in order.payments().into_iter().flatten() {
            if let Disposition::Share(to) = disposition(&payment) {
                kinds.push((payment.instrument, to));
            }
        }
    }
    kinds
}

fn times(unit: Span, count: i64) -> Span {
    Span::seconds(unit.whole_seconds().saturating_mul(count.max(0)))
}

/// When nothing is left of any order.
#[derive(Default)]
struct Emptied {
    last: Option<Instant>,
    pending: bool,
}

impl Emptied {
    fn at(&mut self, cx: &Context<'_>, instant: Instant) {
        if instant >= cx.at {
            self.last = Some(self.last.map_or(instant, |last| last.max(instant)));
        }
    }

    /// The instant at which nothing is left; the end of the resource while an order has not begun.
    fn until(self, end: Option<Instant>) -> Option<Instant> {
        if self.pending { end } else { self.last }
    }
}

/// Takes the used share, and finds when nothing will be left.
#[allow(clippy::too_many_arguments, reason = "the terms of one division")]
fn take(
    ruling: &mut Ruling<'_>,
    cx: &Context<'_>,
    draft: &mut Draft,
    emptied: &mut Emptied,
    (start, unit, used, total): (Instant, Span, i64, i64),
    most: &Exact,
    paid: Amount,
    currency: Currency,
) {
    let consumed = most.times_ratio(used, total);
    ruling.line("consumed", || format!("{most} x {used}/{total} = {consumed}"));
    draft.give_back_only(&Exact::from(paid).minus(&consumed).floor_zero());
    // The first count of units that costs all that was paid; it begins one unit before it is full.
    let all = if most.is_positive() { Exact::from(paid).times(total).over(most.clone()) } else { Exact::from(total) };
    let full = all.floor_to(Amount::whole(1));
    let count = Number::from_units(full.units()).as_whole().unwrap_or(total);
    let count = if Exact::from(full) == all { count } else { count.saturating_add(1) };
    if count > used && currency.minor_unit().is_positive() {
        emptied.at(cx, start + times(unit, count.min(total) - 1));
    }
}

/// The page prints 30 days a month: says so where the order's own period is another.
fn explain_month(ruling: &mut Ruling<'_>, cx: &Context<'_>, order: &impl Order, total: i64, unit: Span) {
    let days = cx.param(param::PRINTED_DAYS).and_then(|days| days.whole());
    if let (Some(months), Some(days)) = (order.term_months(), days) {
        let printed = begun(Span::days(days * i64::from(months)), unit);
        if printed != total {
            ruling.line("period", || format!("{total} units of the order's own period, printed: {printed}"));
        }
    }
}
