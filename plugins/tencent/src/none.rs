//! Where there is no way out: what was paid is consumed.

use recoup_core::prelude::*;

use crate::{clause, product};

fn all_consumed<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if let Ok(ledger) = cx.ledger(resource, resource.paid_orders()) {
        ruling.refund(ledger.all_consumed());
    }
}

/// Pay-as-you-go is released and settled.
pub(crate) fn metered<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse(clause::SCOPE_PREPAID);
    ruling.cite_if(clause::INTL_MARIADB, cx.is_product(product::MARIADB));
    all_consumed(resource, cx, ruling);
}

/// Gifted, free and trial resources.
pub(crate) fn gifted<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, reason: Reason) {
    ruling.refuse_as(clause::REFUSE_GIFTED, reason, true);
    all_consumed(resource, cx, ruling);
}

/// Products whose page says never.
pub(crate) fn never<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse(clause::NEVER);
    all_consumed(resource, cx, ruling);
}

/// Products of which no page speaks.
pub(crate) fn no_rule<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, reason: Reason) {
    ruling.refuse_as(clause::UNKNOWN_NO_RULE, reason, true);
    all_consumed(resource, cx, ruling);
}
