//! What only the other side can grant: accepted Marketplace orders, and Provisioned Throughput that was
//! bought by accident (page, sections 4.3 and 6).

use recoup_core::prelude::*;

/// Asking for it. Neither the time in the term nor its length matters; what comes back is what is
/// granted, at most what was paid.
pub(crate) fn by_agreement<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    clause: ClauseId,
    channel: Channel,
) {
    ruling.refuse_if(clause, !cx.flag(Flag::AgreementGiven));
    ruling.channel(channel);
    // A sum not yet named leaves the refund open and alone makes nothing conditional.
    let Some(agreed) = cx.figure(resource, Figure::AgreedRefund) else { return };
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => {
            let mut draft = ledger.settle(|_| Disposition::Share(Destination::OriginalPaymentMethod));
            draft.give_back_only(&Exact::from(agreed));
            let quote = draft.finish();
            ruling.line("agreed", || format!("{agreed}, at most the {} paid", quote.paid()));
            ruling.refund(quote);
        }
        Err(missing) => ruling.missing(clause, missing),
    }
}
