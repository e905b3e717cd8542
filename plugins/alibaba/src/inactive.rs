//! What was bought with a later start and is not yet in force (section 4.3 of the rules).

use recoup_core::prelude::*;

use crate::scope::{Scope, Support, is_plan};
use crate::{clause, effects, refusals, settle};

/// Whether this exit exists: on the international site for everything that has an exit at all, on the
/// China site for plans.
pub(crate) fn offered<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    cx.in_force(clause::FULL_PENDING_ACTIVATION)
        && (is_plan(resource, cx) || !cx.in_force(clause::FULL_CN_PLAN_NOT_IN_FORCE))
}

/// All that was paid comes back.
pub(crate) fn inactive<R: Resource>(resource: &R, cx: &Context<'_>, scope: &Scope, ruling: &mut Ruling<'_>) {
    refusals::state(resource, cx, ruling);
    refusals::causes(resource, cx, ruling);
    ruling.cite(clause::FULL_PENDING_ACTIVATION);
    ruling.cite(clause::FULL_CN_PLAN_NOT_IN_FORCE);
    if let Some(start) = resource.starts_at() {
        ruling.changes_at(start);
    }
    effects::of_leaving(resource, cx, ruling);
    effects::channel(resource, cx, ruling);
    effects::settlement(cx, ruling);
    settle::refund_whole(resource, cx, ruling);
    if scope.partial == Support::Ask {
        let fact = Flag::RefundNotSupported.as_str();
        ruling.unknown(clause::SCOPE_PRODUCT_MATRIX, Reason::RuleUnknown, Some(fact));
    }
}
