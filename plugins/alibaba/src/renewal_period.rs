//! Pending renewals (section 4.5 of the rules).

use recoup_core::prelude::*;

use crate::scope::{Scope, Support};
use crate::settle::{self, Terms};
use crate::{clause, effects, refusals, until};

/// Cancelling the renewals that have not begun: all the money paid for them; nothing is allowed too.
pub(crate) fn renewal_period<R: Resource>(resource: &R, cx: &Context<'_>, scope: &Scope, ruling: &mut Ruling<'_>) {
    refusals::state(resource, cx, ruling);
    if !scope.renewals {
        ruling.refuse(clause::SCOPE_MATRIX_RENEWAL);
    }
    refusals::causes(resource, cx, ruling);
    ruling.refuse_on(clause::DENY_RENEWAL_MODIFIED, Flag::ChangedBeforeRenewal);
    ruling.cite(clause::FULL_PENDING_RENEWAL);
    until::pending_renewals(resource, cx, ruling);
    let terms = Terms::of(resource, cx, ruling);
    let lost = settle::loses_coupons(resource, cx, resource.pending_renewals(cx.at));
    effects::of_cancelling(lost, ruling);
    effects::channel_of_renewals(resource, cx, ruling);
    effects::settlement(cx, ruling);
    let quote = if refusals::value_is_lost(cx) {
        settle::nothing_back(resource, cx, terms, |order| order.is_pending_renewal(cx.at))
    } else {
        settle::whole(resource, cx, terms, |order| order.is_pending_renewal(cx.at))
    };
    match quote {
        Ok(quote) => ruling.refund(quote),
        Err(missing) => ruling.missing(clause::FULL_PENDING_RENEWAL, missing),
    }
    if scope.partial == Support::Ask {
        let fact = Flag::RefundNotSupported.as_str();
        ruling.unknown(clause::SCOPE_PRODUCT_MATRIX, Reason::RuleUnknown, Some(fact));
    }
}
