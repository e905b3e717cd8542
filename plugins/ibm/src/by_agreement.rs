//! Asking Support: active VPC reservations, platform and support subscriptions. IBM decides.

use recoup_core::prelude::*;

use crate::{clause, terms};

/// Support may delete an active reservation case by case.
pub(crate) fn reservation<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::VPC_RES_SUPPORT, !cx.flag(Flag::AgreementGiven));
    agreed_refund(clause::VPC_RES_SUPPORT, resource, cx, ruling);
    ruling.effects(&[Effect::Irreversible, Effect::OnDemandRatesApply]);
}

/// A subscription may be ended early where IBM agrees. There is no window, and how it is paid does not
/// matter; once its term is over there is nothing left to end.
pub(crate) fn subscription<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_as(clause::ITEMS_IRREVERSIBLE, Reason::Expired, terms::is_over(resource, cx));
    ruling.refuse_as(clause::ITEMS_IRREVERSIBLE, Reason::NotActive, resource.status() == Status::Released);
    ruling.refuse_if(clause::SUB_CANCEL, !cx.flag(Flag::AgreementGiven));
    ruling.cite(clause::SUB_TERMS);
    ruling.review("IBM", clause::SUB_CANCEL, None);
    agreed_refund(clause::SUB_CANCEL, resource, cx, ruling);
}

/// What IBM agreed to give back, at most what was paid. That it is not known does not by itself make
/// the exit conditional.
fn agreed_refund<R: Resource>(clause: ClauseId, resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if let Some(end) = resource.ends_at() {
        ruling.changes_at(end);
    }
    ruling.channel(Channel::Support);
    let Some(agreed) = cx.figure(resource, Figure::AgreedRefund) else {
        ruling.refund_unpublished(clause);
        return;
    };
    match terms::paid(resource, cx) {
        Ok(ledger) => {
            let mut draft = ledger.settle(|payment| {
                if payment.instrument.is_money() {
                    Disposition::Share(terms::back_to_itself(payment))
                } else {
                    Disposition::Spent
                }
            });
            let back = draft.give_back_only(&Exact::from(agreed));
            ruling.line("agreed refund", || format!("{agreed}, at most the {} paid: {back}", ledger.paid()));
            ruling.refund(draft.finish());
        }
        Err(missing) => ruling.missing(clause, missing),
    }
}
