//! What every exit asks of the state, and what leaving does.

use recoup_core::prelude::*;

use crate::clause;

/// What has ended or was given up cannot be left.
pub(crate) fn must_run<R: Resource>(resource: &R, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::STATE_EXPIRED, resource.status() == Status::Expired);
    ruling.refuse_if(clause::STATE_RELEASED, resource.status() == Status::Released);
}

/// Leaving is for good and takes the data along.
pub(crate) fn ends(ruling: &mut Ruling<'_>) {
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
}
