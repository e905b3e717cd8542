//! The one exit, `none`: the way of billing alone decides, and no fact is asked.

use recoup_core::prelude::*;

use crate::clause;

/// Why nothing comes back, and what stays.
pub(crate) fn no_exit<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    match resource.billing() {
        Billing::PayAsYouGo | Billing::Spot => ruling.refuse(clause::CANCEL_DESTROY),
        Billing::Trial => ruling.refuse(clause::TRIAL),
        Billing::Free => ruling.refuse_as(clause::TRIAL, Reason::Free, true),
        Billing::CommittedUse | Billing::Reservation | Billing::SavingsPlan => ruling.refuse(clause::COMMIT),
        Billing::Subscription
        | Billing::SupportPlan
        | Billing::PrepaidBalance
        | Billing::Package
        | Billing::License
        | Billing::OneOff => ruling.refuse(clause::REFUND_NONE),
    }
    ruling.cite_if(clause::PAY_ORDER, resource.billing() == Billing::PrepaidBalance);
    ruling.cite_if(clause::CREDIT_EXPIRE, matches!(resource.billing(), Billing::PrepaidBalance | Billing::Trial));
    ruling.cite_if(clause::ARREARS, resource.status() == Status::Frozen);
    if let Some(end) = resource.ends_at() {
        ruling.line("runs out", || end.display(cx.zone).to_string());
    }
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
    ruling.channel(Channel::Api);
}
