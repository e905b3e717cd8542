//! Leaving at any time: support plans, Office add-ins after their first day, Databricks units and
//! monetary commitments (policy page, sections 4.4 to 6).

use recoup_core::prelude::*;

use crate::destination::give_back;
use crate::held::Held;
use crate::{clause, marketplace, refusals};

/// A support plan is billed to the end of the month: nothing comes back. What is gone is consumed,
/// the rest of the month forfeited.
pub(crate) fn support_plan<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let held = Held::of(resource, cx);
    refusals::ended(resource, cx, &held, ruling);
    ruling.cite(clause::SUPPORT_NO_PRORATE);
    ruling.channel(Channel::Console);
    match (held.starts_at.zip(held.ends_at), held.ledger(resource, cx)) {
        (Some((start, end)), Ok(ledger)) => {
            let days = cx.zone.days_between(start, end);
            let gone = cx.zone.days_between(start, cx.at).clamp(0, days.max(0));
            let paid = ledger.paid();
            ruling.line("consumed", || format!("{paid} x {gone} of {days} days (UTC)"));
            let mut draft = ledger.settle(|_| Disposition::Share(Destination::NextInvoice));
            draft.consume(&Exact::from(paid).times_ratio(gone, days));
            draft.forfeit(&Exact::from(draft.left()));
            ruling.refund(draft.finish());
        }
        (dates, ledger) => {
            if dates.is_none() {
                let field = if held.starts_at.is_none() { "starts_at" } else { "ends_at" };
                ruling.no_figure(clause::SUPPORT_NO_PRORATE, Reason::PriceUnknown, Some(field));
            }
            if let Err(missing) = ledger {
                ruling.missing(clause::SUPPORT_NO_PRORATE, missing);
            }
        }
    }
    refusals::until_the_end(&held, ruling);
}

/// After the first day an add-in is prorated by the part that is left, in a unit that no page says.
pub(crate) fn office_add_in<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, ruling: &mut Ruling<'_>) {
    refusals::ended(resource, cx, held, ruling);
    ruling.no_figure(clause::OFFICE_ADDIN, Reason::RuleUnknown, None);
    marketplace::manner(ruling);
    refusals::until_the_end(held, ruling);
}

/// Databricks units that are removed are refunded by the units left.
pub(crate) fn databricks_asset<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, ruling: &mut Ruling<'_>) {
    marketplace::manner(ruling);
    refusals::ended(resource, cx, held, ruling);
    ruling.no_figure(clause::BEFORE_2020_11_20, Reason::RuleUnknown, None);
    ruling.cite(clause::DATABRICKS_ASSET);
    let commitment = resource.commitment().unwrap_or_default();
    let by_units = || Some(Exact::from(commitment.used_units?).over(commitment.total_units?));
    let used = commitment.used_fraction.map(Exact::from).or_else(by_units);
    match (used, held.ledger(resource, cx)) {
        _ if cx.in_force(clause::BEFORE_2020_11_20) => {}
        (Some(used), Ok(ledger)) => {
            let paid = ledger.paid();
            let consumed = Exact::from(paid).times(used.clone()).round(ledger.currency()).floor_zero().at_most(paid);
            ruling.line("consumed", || format!("{paid} x {used} of the units"));
            let quote = give_back(resource, cx, held, &ledger, (paid - consumed, Amount::ZERO), ruling);
            ruling.refund(quote);
        }
        (used, ledger) => {
            if used.is_none() {
                let field = Some("commitment.used_fraction");
                ruling.no_figure(clause::DATABRICKS_ASSET, Reason::PriceUnknown, field);
            }
            if let Err(missing) = ledger {
                ruling.missing(clause::DATABRICKS_ASSET, missing);
            }
        }
    }
    refusals::until_the_end(held, ruling);
}

/// A monetary commitment is prorated by the remaining term, in a unit that no page says.
pub(crate) fn monetary_commitment<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let held = Held::of(resource, cx);
    refusals::ended(resource, cx, &held, ruling);
    ruling.no_figure(clause::MC, Reason::RuleUnknown, None);
    refusals::until_the_end(&held, ruling);
}
