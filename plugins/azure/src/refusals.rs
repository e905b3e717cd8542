//! What refuses a reservation whatever the exit (policy page, sections 4.1 and 5).

use recoup_core::prelude::*;

use crate::clause;
use crate::held::{Held, Leaving};

/// Only an active reservation leaves.
pub(crate) fn state<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, ruling: &mut Ruling<'_>) {
    let status = resource.status();
    ruling.refuse_if(clause::RI_STATE, status == Status::Expired || held.is_over(cx.at));
    let inactive = matches!(status, Status::Pending | Status::Failed | Status::Released);
    ruling.refuse_as(clause::RI_STATE, Reason::NotActive, inactive);
}

/// The requester's role on the order, and a partner's customer, who cannot act itself.
pub(crate) fn requester(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::RI_ROLES, !cx.flag(Flag::RequesterAuthorised));
    ruling.refuse_on(clause::RI_CSP_CUSTOMER, Flag::CspCustomer);
}

/// No self-service for Enterprise Agreements of the US Government cloud. Gives whether that bites.
pub(crate) fn usgov_enterprise<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) -> bool {
    let enterprise = cx.text(resource, Text::BillingChannel).map(|channel| channel == "ea");
    ruling.refuse_if(clause::RI_USGOV_EA, Answer::named(Text::BillingChannel.as_str(), enterprise));
    enterprise == Some(true) && cx.in_force(clause::RI_USGOV_EA)
}

/// More than is held cannot leave.
pub(crate) fn quantity<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    match Leaving::of(resource, cx) {
        Leaving::TooMany => ruling.refuse(clause::RI_PARTIAL_QUANTITY),
        Leaving::Part(_) => ruling.cite(clause::RI_PARTIAL_QUANTITY),
        Leaving::All => ruling.refuse_if(clause::RI_PARTIAL_QUANTITY, false),
    }
}

/// Support plans, Marketplace items and commitments: over with their term, or cancelled before.
pub(crate) fn ended<R: Resource>(resource: &R, cx: &Context<'_>, held: &Held, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::EXIT_EXPIRED, resource.status() == Status::Expired || held.is_over(cx.at));
    ruling.refuse_if(clause::EXIT_RELEASED, resource.status() == Status::Released);
}

/// `until` of an exit that has no window of its own: the end of the term where it is open, and
/// nothing where it is refused, since time alone opens nothing.
pub(crate) fn until_the_end(held: &Held, ruling: &mut Ruling<'_>) {
    if ruling.so_far().refusals.is_empty() {
        if let Some(end) = held.ends_at {
            ruling.changes_at(end);
        }
    } else {
        ruling.never_changes();
    }
}
