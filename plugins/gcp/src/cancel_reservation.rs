//! Deleting BigQuery capacity commitments and cancelling future reservations: billing stops, nothing
//! comes back (page, section 4.2).

use recoup_core::prelude::*;

use crate::{clause, money};

/// A BigQuery capacity commitment. Only the end of its committed period decides, whatever the plan;
/// neither assignments nor the caller are asked about.
pub(crate) fn capacity<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let end = cx.moment(resource, Moment::CommitmentEndsAt);
    ruling.refuse_before(clause::BQ_DELETE, Moment::CommitmentEndsAt.as_str(), end);
    ends_billing(resource, cx, ruling, clause::BQ_DELETE);
}

/// A future reservation: before its lock, and again once its period is over.
pub(crate) fn future<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::FR_OWNER, !cx.flag(Flag::RequesterAuthorised));
    ruling.refuse_if(clause::FR_GONE, resource.status() == Status::Released);
    let ended = resource.ends_at().is_some_and(|end| end <= cx.at);
    match resource.status() {
        Status::Released => {}
        Status::Failed | Status::Expired => ruling.cite(clause::FR_CANCEL),
        _ if ended => ruling.cite(clause::FR_CANCEL),
        Status::Pending | Status::Queued => {
            let lock = cx.moment(resource, Moment::LocksAt);
            let open = ruling.window(clause::FR_CANCEL, Moment::LocksAt.as_str(), lock, |at, lock| at < lock);
            if open == Some(false) {
                opens_with_its_end(resource, ruling);
            }
        }
        Status::Active | Status::Frozen => {
            ruling.refuse(clause::FR_CANCEL);
            opens_with_its_end(resource, ruling);
        }
    }
    // Waiting helps nobody whom something else refuses.
    let others = ruling.so_far().refusals.iter().any(|refusal| refusal.reason != Reason::WindowClosed);
    if others {
        ruling.never_changes();
    }
    ends_billing(resource, cx, ruling, clause::FR_CANCEL);
}

/// What is locked can be deleted once its period is over.
fn opens_with_its_end<R: Resource>(resource: &R, ruling: &mut Ruling<'_>) {
    if let Some(end) = resource.ends_at() {
        ruling.changes_at(end);
    }
}

fn ends_billing<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, clause: ClauseId) {
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Api);
    money::nothing_back(resource, cx, ruling, clause);
}
