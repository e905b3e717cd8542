//! Deleting a VPC reservation.

use recoup_core::prelude::*;

use crate::{clause, terms};

/// An inactive or expired reservation is deleted freely, an active one not before its term ends.
/// Nothing was billed ahead, so nothing comes back.
pub(crate) fn cancel_reservation<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    match resource.status() {
        Status::Active => {
            let running = !terms::is_over(resource, cx);
            ruling.refuse_if(clause::VPC_RES_ACTIVE, running);
            if let Some(end) = resource.ends_at() {
                ruling.changes_at(end);
            }
            if !running {
                ruling.cite(clause::VPC_RES_INACTIVE);
            }
        }
        Status::Queued | Status::Expired => ruling.cite(clause::VPC_RES_INACTIVE),
        Status::Released => ruling.refuse_as(clause::VPC_RES_INACTIVE, Reason::NotActive, true),
        Status::Pending | Status::Failed | Status::Frozen => {
            ruling.unknown(clause::VPC_RES_INACTIVE, Reason::RuleUnknown, None);
        }
    }
    ruling.refuse_if(clause::VPC_RES_PERMISSION, !cx.flag(Flag::RequesterAuthorised));
    terms::nothing_back(clause::VPC_RES_INACTIVE, resource, cx, ruling);
    ruling.effects(&[Effect::Irreversible, Effect::OnDemandRatesApply]);
    ruling.channel(Channel::Api);
}
