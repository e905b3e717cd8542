//! What has no exit (page, sections 4 and 6).

use recoup_core::prelude::*;

use crate::clause;

/// Whether the term is over.
pub(crate) fn is_over<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    resource.status() == Status::Expired || resource.ends_at().is_some_and(|end| end <= cx.at)
}

/// Refused for what it is; what was paid is consumed.
pub(crate) fn refused<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, clause: ClauseId) {
    ruling.refuse(clause);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.all_consumed()),
        Err(missing) => ruling.missing(clause, missing),
    }
}

/// A term that is over: what is left of the credits is forfeited, the rest was consumed.
pub(crate) fn term_over<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse(clause::TERM_OVER);
    ruling.cite(clause::UC_FORFEIT);
    let Some(unused) = cx.figure(resource, Figure::RemainingBalance) else {
        ruling.no_figure(clause::UC_FORFEIT, Reason::PriceUnknown, Some(Figure::RemainingBalance.as_str()));
        return;
    };
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => {
            let mut draft = ledger.settle(|_| Disposition::Share(Destination::OriginalPaymentMethod));
            draft.forfeit(&Exact::from(unused));
            draft.give_back_only(&Exact::ZERO);
            ruling.line("forfeited", || format!("{unused} left at the end of the term"));
            ruling.refund(draft.finish());
        }
        Err(missing) => ruling.missing(clause::UC_FORFEIT, missing),
    }
}
