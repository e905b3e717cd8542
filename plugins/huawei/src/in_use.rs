//! Leaving a resource that is in use, by the conditional rule: what was paid, less what was consumed,
//! less a handling fee.

use recoup_core::policy::Held;
use recoup_core::prelude::*;
use recoup_core::refund::Missing;

use crate::periods::Periods;
use crate::refusals::{self, Ware, channel};
use crate::{clause, list, money, param, review, table};

/// Leaving a resource in use, with the renewals that have not begun.
pub(crate) fn in_use<R: Resource, O: Order>(
    resource: &R,
    cx: &Context<'_>,
    periods: &Periods<O>,
    ruling: &mut Ruling<'_>,
) {
    refusals::of_what_is_in_use(resource, cx, periods, ruling);
    what_is_lost(periods, ruling);
    ruling.effect_if(Effect::CouponsLost, coupons_leave(resource, periods));
    ruling.channel(channel(resource));
    if let Some(end) = periods.expires_at() {
        ruling.changes_at(end);
    }
    figure(resource, cx, periods, ruling);
    review::of_large_amounts(cx, resource.paid_orders().filter(|order| periods.leaves(order)), ruling);
    refusals::stays_refused(ruling);
}

/// What leaving a resource in use costs besides money.
pub(crate) fn what_is_lost<O: Order>(periods: &Periods<O>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::DATA_DELETED);
    ruling.effects(&[Effect::Irreversible, Effect::AccessLost, Effect::DataDeleted]);
    ruling.effect_if(Effect::RenewalsLeaveToo, periods.next_renewal.is_some());
}

fn coupons_leave<R: Resource, O: Order>(resource: &R, periods: &Periods<O>) -> bool {
    let leaving = |order: &R::Order<'_>| periods.leaves(order);
    resource.paid_orders().any(|order| order.paid_with().intersects(InstrumentSet::NOT_MONEY) && leaving(&order))
}

/// What comes back, where its rule is published.
fn figure<R: Resource, O: Order>(resource: &R, cx: &Context<'_>, periods: &Periods<O>, ruling: &mut Ruling<'_>) {
    match resource.billing() {
        Billing::Reservation => return ruling.no_figure(clause::HIDDEN_RESERVED_INSTANCE, Reason::RuleUnknown, None),
        Billing::Package if cx.listed(list::PACKAGE_EXCEPTIONS) => {
            return ruling.no_figure(clause::NO_PACKAGE_EXCEPTION, Reason::RuleUnknown, None);
        }
        // Refused; there is no refund to speak of.
        Billing::Package | Billing::SavingsPlan => return,
        _ => {}
    }
    if refusals::ware(resource, cx) == Ware::Other {
        return;
    }
    if let Some(start) = periods.next_renewal {
        ruling.changes_at(start);
        return ruling.no_figure(clause::SCENARIO_IN_USE_TAKES_RENEWALS, Reason::RuleUnknown, None);
    }
    formula(resource, cx, periods, ruling);
}

/// Refund = paid - consumed - fee, on the order of the running period alone.
fn formula<R: Resource, O: Order>(resource: &R, cx: &Context<'_>, periods: &Periods<O>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::IN_USE_FORMULA);
    ruling.cite(clause::IN_USE_ESTIMATE_ONLY);
    if !periods.known {
        return ruling.missing(clause::IN_USE_FORMULA, Missing::Orders);
    }
    if periods.undated_renewal {
        let clause = clause::SCENARIO_EFFECTIVE_RENEWAL_IS_IN_USE;
        return ruling.no_figure(clause, Reason::RuleUnknown, Some("starts_at"));
    }
    if periods.changed {
        ruling.no_figure(clause::SPEC_THEN_UNSUBSCRIBE, Reason::RuleUnknown, None);
    }
    let Some(running) = &periods.running else {
        if !periods.changed {
            nothing_paid(resource, cx, ruling);
        }
        return;
    };
    if has_ended(running.end, cx) && !has_ended(periods.end, cx) {
        // The period that runs was bought by an order that is not here.
        return ruling.missing(clause::SCENARIO_EFFECTIVE_RENEWAL_IS_IN_USE, Missing::Orders);
    }
    if let Some(end) = running.end {
        ruling.changes_at(end + Span::seconds(1));
    }
    let order = &running.order;
    ruling.cite_if(clause::SCENARIO_EFFECTIVE_RENEWAL_IS_IN_USE, order.kind() == OrderKind::Renewal);
    let usage = match (running.start, running.end) {
        (Some(start), Some(end)) => Usage::of(cx, start, end, ruling),
        (None, _) => {
            ruling.no_figure(clause::IN_USE_CONSUMED, Reason::RuleUnknown, Some("starts_at"));
            None
        }
        (_, None) => {
            ruling.no_figure(clause::IN_USE_CONSUMED, Reason::RuleUnknown, Some("ends_at"));
            None
        }
    };
    let Fee { share, until } = fee(cx, order, usage.as_ref(), ruling);
    let paid_in = money::paid_in(resource, cx, order);
    ruling.cite(clause::IN_USE_PAID_INTL);
    ruling.cite(clause::IN_USE_PAID_CN);
    let settled = match (paid_in, usage, share) {
        (Err(missing), ..) => Err(missing),
        (Ok(currency), Some(usage), Some(share)) if !periods.changed => {
            if let Some(until) = until {
                ruling.changes_at(until);
            }
            money::give_back_the_rest(cx, order, currency, (usage.used(), usage.ordered()), &share, ruling)
        }
        _ => Ok(()),
    };
    if let Err(missing) = settled {
        ruling.missing(clause::IN_USE_FORMULA, missing);
    }
}

/// Whether the second after a last one has come.
fn has_ended(last: Option<Instant>, cx: &Context<'_>) -> bool {
    last.is_some_and(|last| last + Span::seconds(1) <= cx.at)
}

fn nothing_paid<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    match cx.currency(resource) {
        Ok(currency) => ruling.refund(RefundQuote::nothing(currency)),
        Err(missing) => ruling.missing(clause::IN_USE_FORMULA, missing),
    }
}

/// The time of a period as the edition counts it: begin, end and the instant of leaving, each cut to
/// the hour or to the day.
struct Usage {
    start: Instant,
    end: Instant,
    now: Instant,
    by_hours: bool,
}

impl Usage {
    fn of(cx: &Context<'_>, start: Instant, end: Instant, ruling: &mut Ruling<'_>) -> Option<Self> {
        ruling.cite(clause::IN_USE_CONSUMED);
        let by_hours = cx.in_force(clause::IN_USE_TIME_HOURS);
        let usage = if by_hours {
            ruling.cite(clause::IN_USE_TIME_HOURS);
            let cut = |instant| cx.zone.floor_hour(instant);
            Self { start: cut(start), end: cut(end + Span::seconds(1)), now: cut(cx.at), by_hours }
        } else {
            ruling.cite(clause::IN_USE_TIME_DAYS);
            ruling.cite(clause::IN_USE_TIME_DAYS_EXCLUSIVE);
            let cut = |instant| cx.zone.midnight(cx.zone.date(instant));
            Self { start: cut(start), end: cx.zone.next_midnight(end), now: cut(cx.at), by_hours }
        };
        ruling.line("time", || {
            let (unit, hours) = if by_hours { ("hours", 1) } else { ("days", 24) };
            format!("{} of {} {unit} used", usage.used() / hours, usage.ordered() / hours)
        });
        if usage.ordered() <= 0 {
            ruling.no_figure(clause::IN_USE_CONSUMED, Reason::RuleUnknown, Some("ends_at"));
            return None;
        }
        Some(usage)
    }

    /// Hours used: none before the begin, and no more than were ordered.
    fn used(&self) -> i64 {
        self.now.since(self.start).whole_hours().clamp(0, self.ordered().max(0))
    }

    /// Hours ordered. A day counts as its 24 hours, which leaves the proportion as it is.
    fn ordered(&self) -> i64 {
        self.end.since(self.start).whole_hours()
    }

    /// The end of a year of use; it still belongs to that year.
    fn anniversary(&self, cx: &Context<'_>, year: i32) -> Instant {
        cx.zone.add_months(self.start, year.saturating_mul(12))
    }

    /// Which year of use it is, counted from 1.
    fn year(&self, cx: &Context<'_>) -> i32 {
        // No year is shorter than 365 days, so most periods need no calendar.
        let mut year = 1;
        if self.now.since(self.start) > Span::days(365) {
            while self.anniversary(cx, year) < self.now && self.anniversary(cx, year) < self.end {
                year += 1;
            }
        }
        year
    }

    /// The first hour or day of the year of use after this one, where the period has one.
    fn next_year(&self, cx: &Context<'_>, year: i32) -> Option<Instant> {
        if self.ordered() <= Span::days(365).whole_hours() {
            return None;
        }
        let last = self.anniversary(cx, year);
        let next = if self.by_hours { last + Span::hours(1) } else { cx.zone.add_days(last, 1) };
        (next < self.end).then_some(next)
    }
}

/// The handling fee.
struct Fee {
    /// The share of what was paid that is kept; `None` where no source shows it.
    share: Option<Exact>,
    /// The first hour or day with another share, where the period has one.
    until: Option<Instant>,
}

/// The fee that the term and the year of use have in the table in force, unless a contract waives it.
fn fee(cx: &Context<'_>, order: &impl Order, usage: Option<&Usage>, ruling: &mut Ruling<'_>) -> Fee {
    let unknown = Fee { share: None, until: None };
    if ruling.cite_if(clause::IN_USE_FEE_WAIVER_FRAMEWORK, cx.flag(Flag::FeeWaivedByContract).is_yes()) {
        return Fee { share: Some(Exact::ZERO), until: None };
    }
    ruling.cite(clause::IN_USE_FEE_COMPONENTS_CN);
    let table = [clause::IN_USE_FEE_TABLE_INTL, clause::IN_USE_FEE_TABLE_CN]
        .into_iter()
        .find(|clause| cx.in_force(*clause))
        .unwrap_or(clause::IN_USE_FORMULA);
    let Some(row) = row_of(cx, order) else {
        ruling.no_figure(table, Reason::RuleUnknown, Some("term_months"));
        return unknown;
    };
    let Some(usage) = usage else { return unknown };
    let year = usage.year(cx);
    let held = cell(cx, row, year).map(|held| held.value);
    let mut until = None;
    let mut later = year;
    while let Some(next) = usage.next_year(cx, later) {
        later += 1;
        let other = cell(cx, row, later).map(|held| held.value);
        if held.is_some() != other.is_some() {
            // The fee comes to be unknown, or known: so does the answer, whatever else is open.
            ruling.changes_at(next);
            break;
        }
        if held != other && until.is_none() {
            until = Some(next);
        }
    }
    match held {
        Some(share) => {
            ruling.cite(table);
            Fee { share: Some(Exact::from(share)), until }
        }
        None => {
            ruling.no_figure(table, Reason::RuleUnknown, None);
            unknown
        }
    }
}

fn cell(cx: &Context<'_>, row: i64, year: i32) -> Option<Held> {
    cx.cell(table::HANDLING_FEE, &[row.into(), i64::from(year).into()])
}

/// The row of the fee table: the years of a yearly term, 0 for any other number of months.
fn row_of(cx: &Context<'_>, order: &impl Order) -> Option<i64> {
    let months = i64::from(order.term_months()?);
    let longest = cx.param(param::LONGEST_YEARLY_TERM)?.whole()?;
    let years = months / 12;
    Some(if months % 12 == 0 && years <= longest { years } else { 0 })
}
