//! Where nothing can come back.

use recoup_core::prelude::*;

use crate::clause;

/// Metered, free and trial resources.
pub(crate) fn by_billing<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, reason: Reason) {
    match reason {
        Reason::PayAsYouGo => ruling.refuse(clause::SCOPE_PREPAID),
        other => ruling.refuse_as(clause::SCOPE_GIFTED, other, true),
    }
    all_consumed(resource, cx, ruling);
}

/// Products and days of which no page speaks.
pub(crate) fn no_rule<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse(clause::UNKNOWN);
    all_consumed(resource, cx, ruling);
}

fn all_consumed<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if let Ok(ledger) = cx.ledger(resource, resource.paid_orders()) {
        ruling.refund(ledger.all_consumed());
    }
}
