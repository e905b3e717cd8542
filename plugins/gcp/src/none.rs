//! What has no exit (page, section 4.1).

use recoup_core::prelude::*;

use crate::{clause, money, product};

/// Where a commitment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Bought, active or not yet.
    Running,
    /// Its term is over.
    Over,
    /// CANCELLED, which means merged into another one.
    MergedAway,
}

/// Where a commitment stands at the instant asked about.
pub(crate) fn state<R: Resource>(resource: &R, cx: &Context<'_>) -> State {
    match resource.status() {
        Status::Released => State::MergedAway,
        Status::Expired => State::Over,
        _ if resource.ends_at().is_some_and(|end| end <= cx.at) => State::Over,
        _ => State::Running,
    }
}

/// A commitment is never cancelled; what is over is refused for that alone.
pub(crate) fn commitment<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let state = state(resource, cx);
    let by_spend = is_spend_based(resource, cx);
    ruling.refuse_if(clause::CUD_RES_CANCEL_NEVER, state == State::Running && !by_spend);
    ruling.refuse_if(clause::CUD_SPEND_CANCEL_NEVER, state == State::Running && by_spend);
    ruling.refuse_if(clause::CUD_OVER, state == State::Over);
    ruling.refuse_if(clause::CUD_MERGE, state == State::MergedAway);
    ruling.cite_if(clause::CUD_COMMITTED_UNITS, state == State::Running);
    money::nothing_back(resource, cx, ruling, clause::CUD_COMMITTED_UNITS);
}

/// Compute commitments are resource-based unless they commit to an amount an hour.
pub(crate) fn is_spend_based<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    !cx.is_product(product::COMPUTE) || resource.commitment().is_some_and(|terms| terms.hourly.is_some())
}

/// Customer Care that is not renewed ends by itself.
pub(crate) fn not_renewed<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse(clause::RENEWAL_OFF);
    money::nothing_back(resource, cx, ruling, clause::RENEWAL_OFF);
}
