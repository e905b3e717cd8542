//! Changing to a smaller configuration.

use recoup_core::prelude::*;

use crate::clause;
use crate::in_use::{consequences, disposition, nothing_to_wait_for, period};

/// Old value less new value for the remaining time, without a factor.
pub(crate) fn downgrade<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, monthly: Number) {
    ruling.refuse_on(clause::REFUSE_CAMPAIGN, Flag::Promotion);
    ruling.refuse_if(clause::REFUSE_RELEASED, resource.status() == Status::Released);
    consequences(resource, cx, ruling, &[Effect::Irreversible]);
    if cx.in_force(clause::BEFORE) {
        ruling.no_figure(clause::BEFORE, Reason::RuleUnknown, None);
        return;
    }
    ruling.cite(clause::CHANGE);
    if resource.orders().is_none() {
        return ruling.missing(clause::CHANGE, recoup_core::refund::Missing::Orders);
    }
    let currency = match cx.currency(resource) {
        Ok(currency) => currency,
        Err(missing) => return ruling.missing(clause::CHANGE, missing),
    };
    let mut sum = RefundQuote::nothing(currency);
    for order in resource.periods() {
        let Some((start, end)) = period(resource, &order, cx) else {
            return ruling.no_figure(clause::CHANGE, Reason::RuleUnknown, Some("orders.starts_at"));
        };
        if start > cx.at || end <= cx.at {
            continue;
        }
        let Some(months) = order.term_months() else {
            return ruling.no_figure(clause::CHANGE, Reason::RuleUnknown, Some("orders.term_months"));
        };
        let mut ledger = Ledger::new(currency);
        if let Err(missing) = ledger.add_order(&order) {
            return ruling.missing(clause::CHANGE, missing);
        }
        let (left, total) = (end.since(cx.at).micros(), end.since(start).micros());
        let old = Exact::from(ledger.money()).times_ratio(left, total);
        let new = Exact::from(monthly).times(i64::from(months)).times_ratio(left, total);
        ruling.line("downgrade", || format!("{old} - {new}"));
        let mut draft = ledger.settle(disposition);
        draft.give_back_only(&old.minus(&new).floor_zero());
        sum = sum.plus(&draft.finish());
        ruling.changes_at(end);
    }
    ruling.refund(sum);
    nothing_to_wait_for(ruling);
}
