//! Leaving a resource package whose effective time has not come.

use recoup_core::prelude::*;

use crate::{clause, money, refusals, review};

/// Leaving an inactive package, by its own short list of refusals.
pub(crate) fn inactive<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::INACTIVE_DEFINITION);
    ruling.refuse_if(clause::INACTIVE_EFFECTIVE_PACKAGE, has_taken_effect(resource, cx));
    ruling.refuse_on(clause::INACTIVE_REFUSE_OTHER_TRANSACTION, Flag::TransactionInProgress);
    ruling.refuse_on(clause::INACTIVE_REFUSE_SPECIAL, Flag::SpecialRequestOpen);
    ruling.refuse_on(clause::INACTIVE_REFUSE_PROMOTION, Flag::Promotion);
    ruling.refuse_on(clause::INACTIVE_REFUSE_INVOICE_ANY, Flag::Invoiced);
    let invoice = clause::INACTIVE_REFUSE_INVOICE;
    refusals::of_invoices(resource, cx, invoice, invoice, ruling);
    ruling.refuse_on(clause::INACTIVE_REFUSE_LEGAL_FREEZE, Flag::FrozenLegal);
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Console);
    money::give_back_all(resource, cx, resource.paid_orders(), clause::INACTIVE_REFUND, false, ruling);
    review::of_large_amounts(cx, resource.paid_orders(), ruling);
    if let Some(start) = effective_at(resource) {
        ruling.changes_at(start);
    }
    refusals::stays_refused(ruling);
}

/// Whether the effective time has come.
pub(crate) fn has_taken_effect<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    effective_at(resource).is_some_and(|start| start <= cx.at)
}

fn effective_at<R: Resource>(resource: &R) -> Option<Instant> {
    resource.starts_at().or_else(|| resource.paid_orders().find_map(|order| order.starts_at()))
}
