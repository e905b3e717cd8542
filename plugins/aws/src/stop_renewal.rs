//! Cancelling the auto-renewal of a SaaS contract or of Bedrock throughput (sections 4.4 and 4.5).

use recoup_core::prelude::*;

use crate::clause;
use crate::refusals::by_status;

/// Cancelling the renewal, of which `clause` speaks. The running term goes on to its end and stays
/// paid.
pub(crate) fn stop_renewal<R: Resource>(clause: ClauseId, resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    by_status(resource, ruling, true);
    ruling.refuse_if(clause, !cx.flag(Flag::AutoRenew));
    ruling.cite(clause);
    if let Some(end) = resource.ends_at().or_else(|| cx.moment(resource, Moment::CommitmentEndsAt)) {
        ruling.window(clause::STATE_EXPIRED, "ends_at", Some(end), |at, end| at < end);
        ruling.takes_effect_at(end);
    }
    ruling.waits_only_for(&[]);
    if clause == clause::BEDROCK_PT_RENEWAL {
        ruling.effects(&[Effect::Irreversible]);
    } else {
        ruling.channel(Channel::Console);
    }
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.all_consumed()),
        Err(missing) => ruling.missing(clause, missing),
    }
}
