//! A support subscription bought before 2019-09-24 turns into platform credit when a new one is bought.

use recoup_core::prelude::*;

use crate::{clause, param, terms};

/// When it was bought; a record that does not say is judged by the start of its term.
fn bought<R: Resource>(resource: &R) -> Option<Instant> {
    let placed = || resource.orders()?.filter_map(|order| order.placed_at()).min();
    resource.purchased_at().or_else(placed).or_else(|| resource.starts_at())
}

/// Whether it was bought while conversions were still given; unknown where its purchase is.
fn convertible<R: Resource>(resource: &R, cx: &Context<'_>) -> Option<bool> {
    let epoch = cx.book().site(Some(cx.site()))?.epoch(bought(resource)?)?;
    Some(epoch.param(param::CONVERTIBLE_SUPPORT).is_some())
}

/// Whether there is such an exit: not for what was bought later, and not before the rule.
pub(crate) fn applies<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    cx.in_force(clause::SUB_SUPPORT_CONVERT) && convertible(resource, cx) != Some(false)
}

/// What is left, the monthly amount times the whole calendar months to the end, becomes credit.
pub(crate) fn exchange<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let clause = clause::SUB_SUPPORT_CONVERT;
    ruling.cite(clause);
    ruling.channel(Channel::Support);
    if convertible(resource, cx).is_none() {
        ruling.unknown(clause, Reason::RuleUnknown, Some("purchased_at"));
    }
    ruling.refuse_if(clause, resource.status() == Status::Expired);
    ruling.window(clause, "ends_at", resource.ends_at(), |at, end| at < end);
    let commitment = resource.commitment().unwrap_or_default();
    let monthly = commitment.recurring.filter(|_| commitment.recurring_every == Some(Recurrence::Month));
    let (Some(monthly), Some(end)) = (monthly, resource.ends_at()) else {
        let missing = if monthly.is_none() { "commitment.recurring" } else { "ends_at" };
        ruling.no_figure(clause, Reason::PriceUnknown, Some(missing));
        return;
    };
    let months = i64::from(cx.zone.months_between(cx.at, end).max(0));
    match terms::paid(resource, cx) {
        Ok(ledger) => {
            let mut draft = ledger.settle(|payment| Disposition::Share(terms::back_to_itself(payment)));
            let credit = draft.carry_over(&Exact::from(monthly).times(months));
            ruling.line("platform credit", || format!("{monthly} a month x {months} months left = {credit}"));
            draft.give_back_only(&Exact::ZERO);
            ruling.refund(draft.finish().carrying_nothing());
        }
        Err(missing) => ruling.missing(clause, missing),
    }
}
