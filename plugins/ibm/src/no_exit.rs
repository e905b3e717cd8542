//! What cannot be left: contract terms, subscription licences, a licence that lapses by itself, what is
//! metered or given, and what no page speaks of. Nothing comes back of any of them.

use recoup_core::prelude::*;

use crate::{clause, terms};

/// A Classic term runs to its end and stays owed; once it is over, that alone is the answer.
pub(crate) fn classic_term<R: Resource>(clause: ClauseId, resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if terms::is_over(resource, cx) {
        ruling.refuse_as(clause, Reason::Expired, true);
    } else {
        ruling.refuse(clause);
        owed_until(resource, cx, ruling);
    }
    all_consumed(resource, cx, ruling);
}

/// A subscription licence runs to the end of its term.
pub(crate) fn subscription_licence<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if terms::is_over(resource, cx) {
        ruling.refuse_as(clause::PA_SUBSCRIPTION, Reason::Expired, true);
    } else {
        ruling.refuse(clause::PA_SUBSCRIPTION);
        owed_until(resource, cx, ruling);
    }
    all_consumed(resource, cx, ruling);
}

/// A panel licence that does not renew lapses at its anniversary; without a known anniversary no rule
/// says when it could be ended.
pub(crate) fn lapses<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::AUTO_RENEW, cx.flag(Flag::AutoRenew).is_no());
    ruling.refuse_as(clause::CLASSIC_PANEL_LICENCE, Reason::RuleUnknown, resource.ends_at().is_none());
    owed_until(resource, cx, ruling);
    all_consumed(resource, cx, ruling);
}

/// What is metered, given or tried has nothing ahead to be refunded.
pub(crate) fn by_billing<R: Resource>(reason: Reason, resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_as(clause::CHARGED, reason, true);
    all_consumed(resource, cx, ruling);
}

/// No page speaks of ending it.
pub(crate) fn unpublished<R: Resource>(clause: ClauseId, resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse(clause);
    all_consumed(resource, cx, ruling);
}

/// The refusal says why nothing comes back; an amount that is not known stays out.
fn all_consumed<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if let Ok(ledger) = terms::paid(resource, cx) {
        ruling.refund(ledger.all_consumed());
    }
}

fn owed_until<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if let Some(end) = resource.ends_at() {
        ruling.line("stays owed", || format!("until {}", end.display(cx.zone)));
    }
}
