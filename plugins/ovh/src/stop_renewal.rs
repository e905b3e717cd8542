//! Cancelling a service at the end of its period.

use recoup_core::prelude::*;

use crate::{clause, list, money, param, product};

/// The request is in time up to 24 hours before the end, that instant included.
pub(crate) fn stop_renewal<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.channel(Channel::Api);
    ruling.effects(&[Effect::DataDeleted]);
    let notice = cx.param(param::CANCEL_NOTICE).and_then(|held| held.whole()).unwrap_or(0);
    let deadline = resource.ends_at().map(|end| end - Span::hours(notice));
    ruling.window(clause::CANCEL_EOP, "ends_at", deadline, |at, deadline| at <= deadline);
    ruling.refuse_if(clause::CANCEL_REFUSALS_CONTACT, !cx.flag(Flag::RequesterAuthorised));
    ruling.refuse_if(clause::CANCEL_REFUSALS_MANUAL, !cx.flag(Flag::AutoRenew));
    let frozen = Answer::from(resource.status() == Status::Frozen);
    ruling.refuse_if(clause::CANCEL_REFUSALS_ARREARS, frozen.and(cx.flag(Flag::Arrears)));
    ruling.refuse_if(clause::CANCEL_REFUSALS_PROCEDURE, cx.listed(list::OWN_PROCEDURE));
    money::settle_state(resource, ruling);
    ruling.cite_if(clause::DOMAIN, cx.is_product(product::DOMAIN));
    ruling.cite_if(clause::MXPLAN_NO_REFUND, cx.is_product(product::MX_PLAN));
    if let Some(end) = resource.ends_at() {
        ruling.takes_effect_at(end);
    }
    money::all_consumed(clause::CANCEL_EOP, resource, cx, ruling);
}
