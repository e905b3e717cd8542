//! AWS Marketplace agreements that end because the seller agrees (section 4.5).

use recoup_core::prelude::*;

use crate::clause;
use crate::marketplace::{destination, settlement};

/// The seller of record decides by its own policy, and grants what it wants to grant.
pub(crate) fn by_agreement<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.unknown(clause::SITE_CN, Reason::RuleUnknown, None);
    let status = resource.status();
    ruling.refuse_as(clause::MP_CANCEL_REQUEST_ACTIVE, Reason::Expired, status == Status::Expired);
    ruling.refuse_if(clause::MP_CANCEL_REQUEST_ACTIVE, !matches!(status, Status::Active | Status::Expired));
    ruling.refuse_on(clause::MP_CANCEL_REQUEST_OPEN, Flag::TransactionInProgress);
    ruling.refuse_on(clause::MP_CANCEL_REQUEST_DEPENDENTS, Flag::HasDependents);
    ruling.refuse_if(clause::MP_SELLER_DISCRETION, !cx.flag(Flag::AgreementGiven));
    ruling.review("seller", clause::MP_SELLER_DISCRETION, None);
    settlement(cx, ruling);
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Marketplace);
    // How much is granted is known only from the seller; that gap alone leaves the exit open.
    let Some(agreed) = cx.figure(resource, Figure::AgreedRefund) else { return };
    ruling.cite(clause::MP_ADJUST);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => {
            let mut draft = ledger.settle(|payment| Disposition::Share(destination(payment.instrument)));
            let back = draft.give_back_only(&Exact::from(agreed));
            let quote = draft.finish();
            // What is granted beyond the payments lowers what is still due.
            let lowered = (agreed.as_amount() - back).at_most(unpaid(resource));
            let is_lowered = lowered.is_positive();
            ruling.refund(if is_lowered { quote.releasing(&Exact::from(lowered)) } else { quote });
        }
        Err(missing) => ruling.missing(clause::MP_ADJUST, missing),
    }
}

/// What invoices not yet paid ask for, as far as it is known.
fn unpaid<R: Resource>(resource: &R) -> Amount {
    let orders = resource.orders().into_iter().flatten();
    orders.filter(|order| order.status() == OrderStatus::Unpaid).filter_map(|order| order.due()).sum()
}
