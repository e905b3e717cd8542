//! What Oracle or the partner can grant: an early end of Universal Credits, and refunds of Marketplace
//! purchases, from the first day to the last (page, sections 4, 6 and 8).

use recoup_core::prelude::*;

use crate::clause;

/// Universal Credits of every plan: Oracle sales or the customer success manager, also by replacing
/// the contract with another one.
pub(crate) fn credits<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::UC_ANNUAL, !cx.flag(Flag::AgreementGiven));
    ruling.cite(clause::CANCEL_REPLACE);
    let flex = cx.text(resource, Text::Plan).is_some_and(|plan| plan.eq_ignore_ascii_case("monthly_flex"));
    ruling.cite_if(clause::UC_MONTHLYFLEX, flex);
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Support);
    agreed(resource, cx, ruling, clause::UC_ANNUAL, Destination::OriginalPaymentMethod);
}

/// A Marketplace purchase: the partner authorises Oracle. A private offer goes back to the Universal
/// Credits that it was charged against.
pub(crate) fn marketplace<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::MP_REFUND, !cx.flag(Flag::AgreementGiven));
    ruling.channel(Channel::Marketplace);
    let is_private = ruling.cite_if(clause::MP_PRIVATE, cx.flag(Flag::PrivateOffer).is_yes());
    let to = if is_private { Destination::Prepayment } else { Destination::OriginalPaymentMethod };
    agreed(resource, cx, ruling, clause::MP_REFUND, to);
}

/// What comes back is what was agreed, at most what was paid. A sum not yet named alone makes nothing
/// conditional.
fn agreed<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, clause: ClauseId, to: Destination) {
    if let Some(end) = resource.ends_at() {
        ruling.changes_at(end);
    }
    let Some(agreed) = cx.figure(resource, Figure::AgreedRefund) else { return };
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => {
            let mut draft = ledger.settle(|_| Disposition::Share(to));
            draft.give_back_only(&Exact::from(agreed));
            let quote = draft.finish();
            ruling.line("agreed", || format!("{agreed}, at most the {} paid", quote.paid()));
            ruling.refund(quote);
        }
        Err(missing) => ruling.missing(clause, missing),
    }
}
