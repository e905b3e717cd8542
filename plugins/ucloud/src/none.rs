//! Where nothing can come back.

use recoup_core::prelude::*;

/// A refusal by how the resource is billed: what was paid is consumed.
pub(crate) fn refused<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    clause: ClauseId,
    reason: Option<Reason>,
) {
    match reason {
        Some(reason) => ruling.refuse_as(clause, reason, true),
        None => ruling.refuse(clause),
    }
    if let Ok(ledger) = cx.ledger(resource, resource.paid_orders()) {
        ruling.refund(ledger.all_consumed());
    }
}
