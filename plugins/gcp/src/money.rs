//! What was paid ahead, where nothing of it comes back (page, section 6).

use recoup_core::prelude::*;
use recoup_core::refund::Missing;

/// Sets that nothing comes back: what was paid is consumed. Without orders nothing was paid ahead,
/// which is a figure and no gap.
pub(crate) fn nothing_back<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, clause: ClauseId) {
    let nothing_paid = resource.paid_orders().next().is_none();
    let quote = if nothing_paid {
        cx.currency(resource).map(RefundQuote::nothing)
    } else {
        cx.ledger(resource, resource.paid_orders()).map(|ledger| ledger.all_consumed())
    };
    match quote {
        Ok(quote) => ruling.refund(quote),
        // Nothing is nothing in every currency.
        Err(Missing::Currency) if nothing_paid => ruling.refund_unpublished(clause),
        Err(missing) => ruling.missing(clause, missing),
    }
}
