//! What every exit asks, and what every open exit shares (page, sections 5, 8 and 9).

use recoup_core::prelude::*;

use crate::clause;

/// Who asks, and whether there is still something to leave.
pub(crate) fn common<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::REQUESTER, !cx.flag(Flag::RequesterAuthorised));
    ruling.refuse_on(clause::CUSTOMER, Flag::CspCustomer);
    ruling.refuse_if(clause::EXPIRED, has_ended(resource, cx));
    ruling
        .refuse_if(clause::INACTIVE, matches!(resource.status(), Status::Pending | Status::Released | Status::Failed));
}

/// Whether the term is over; `ends_at` is exclusive (page, section 3).
pub(crate) fn has_ended<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    resource.status() == Status::Expired || resource.ends_at().is_some_and(|end| end <= cx.at)
}

/// `nce.api-window`: a null in the API means that it can never be cancelled. Only the API knows, so
/// that nothing stated is no unknown.
pub(crate) fn never_by_the_api(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::API_WINDOW, cx.flag(Flag::RefundNotSupported).unknown_is_no());
}

/// Whether a refusal says that nothing comes back any more.
pub(crate) fn too_late(ruling: &Ruling<'_>) -> bool {
    let refused = ruling.so_far();
    [Reason::WindowClosed, Reason::Expired, Reason::ProductNotSupported]
        .into_iter()
        .any(|reason| refused.refused_for(reason))
}

/// Until when the ruling holds: an open exit closes at the latest with the term; a closed one does not
/// open again by time.
pub(crate) fn holds_until_the_end<R: Resource>(resource: &R, ruling: &mut Ruling<'_>) {
    if ruling.so_far().refusals.is_empty() {
        if let Some(end) = resource.ends_at() {
            ruling.changes_at(end);
        }
    } else {
        ruling.never_changes();
    }
}
