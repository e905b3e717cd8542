//! Terminating a month-to-month store subscription with its monthly cycle (page, section 4).

use recoup_core::prelude::*;

use crate::{clause, param};

/// Whether a store subscription runs from month to month, by its commitment's term, else by that of its
/// latest period.
pub(crate) fn is_month_to_month<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<bool> {
    let stated = resource.commitment().and_then(|terms| terms.term_months);
    let months = stated.or_else(|| resource.periods().last()?.term_months())?;
    let month = cx.param(param::MONTH_TO_MONTH)?.whole()?;
    Some(i64::from(months) == month)
}

/// Terminating it: the buyer only, with the running cycle, without a refund.
pub(crate) fn stop_renewal<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    monthly: Option<bool>,
) {
    ruling.refuse_if(clause::TERM_LEGACY, Answer::named("term_months", monthly.map(|monthly| !monthly)));
    ruling.refuse_if(clause::TERM_LEGACY_BUYER, !cx.flag(Flag::RequesterAuthorised));
    ruling.cite(clause::TERM_LEGACY_CYCLE);
    ruling.effects(&[Effect::DataDeleted]);
    ruling.channel(Channel::Console);
    if let Some(end) = resource.ends_at() {
        ruling.takes_effect_at(end);
        ruling.changes_at(end);
    }
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.all_consumed()),
        Err(missing) => ruling.missing(clause::TERM_LEGACY_CYCLE, missing),
    }
}
