//! Refusals for the state of a purchase, which several exits share.

use recoup_core::prelude::*;

use crate::clause;

/// Refuses what is over, and what is not held. A pending purchase counts as held only where `pending`
/// says so.
pub(crate) fn by_status<R: Resource>(resource: &R, ruling: &mut Ruling<'_>, pending: bool) {
    let held = match resource.status() {
        Status::Active | Status::Queued | Status::Expired => true,
        Status::Pending => pending,
        Status::Frozen | Status::Failed | Status::Released => false,
    };
    ruling.refuse_if(clause::STATE_EXPIRED, resource.status() == Status::Expired);
    ruling.refuse_if(clause::STATE_NOT_ACTIVE, !held);
}

/// Whether a term is over. The printed end counts, never start plus duration (section 11).
pub(crate) fn is_over<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    resource.ends_at().is_some_and(|end| end <= cx.at)
}
