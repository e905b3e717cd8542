//! Keeping a term from going on. Nothing that runs ends, and nothing comes back.

use recoup_core::prelude::*;

use crate::{clause, param, terms};

/// Setting a VPC reservation's expiration policy to release, until its end.
pub(crate) fn reservation<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    until_end(clause::VPC_RES_EXPIRY, Span::hours(0), resource, cx, ruling);
    ruling.refuse_if(clause::VPC_RES_PERMISSION, !cx.flag(Flag::RequesterAuthorised));
    ruling.effects(&[Effect::Irreversible, Effect::OnDemandRatesApply]);
    ruling.channel(Channel::Api);
}

/// Cancelling a Classic device at its billing anniversary.
pub(crate) fn device<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    until_end(clause::CLASSIC_CANCEL, Span::hours(0), resource, cx, ruling);
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
    ruling.channel(Channel::Console);
}

/// Ending a control panel licence with the running cycle.
pub(crate) fn panel_licence<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let notice = Span::hours(terms::whole(cx, param::PANEL_LICENCE_NOTICE));
    until_end(clause::CLASSIC_PANEL_LICENCE, notice, resource, cx, ruling);
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Console);
}

/// Giving notice of a platform or support subscription. The notice in force at the request counts.
pub(crate) fn subscription<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let notice = Span::days(terms::whole(cx, param::RENEWAL_NOTICE));
    until_end(clause::SUB_RENEWAL_NOTICE, notice, resource, cx, ruling);
    ruling.cite(clause::SUB_EXPIRY);
    ruling.channel(Channel::Support);
}

/// Open until `notice` before the end, which itself is already too late.
fn until_end<R: Resource>(clause: ClauseId, notice: Span, resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::AUTO_RENEW, !cx.flag(Flag::AutoRenew));
    let deadline = resource.ends_at().map(|end| end - notice);
    ruling.window(clause, "ends_at", deadline, |at, deadline| at < deadline);
    if let Some(deadline) = deadline {
        ruling.line("last call", || format!("before {}", deadline.display(cx.zone)));
    }
    if let Some(end) = resource.ends_at() {
        ruling.takes_effect_at(end);
    }
    terms::nothing_back(clause, resource, cx, ruling);
}
