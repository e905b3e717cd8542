//! What has no exit at all: usage, subscriptions and what no page speaks of.

use recoup_core::prelude::*;

use crate::{clause, product};

/// Refuses what is metered, free or bought once; everything else is something no page is known for.
pub(crate) fn none<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if cx.is_product(product::SUBSCRIPTION) {
        let reason = resource.billing().refused_outright().unwrap_or(Reason::PayAsYouGo);
        ruling.refuse_as(clause::SUB_CANCEL, reason, true);
        ruling.effects(&[Effect::DataDeleted]);
    } else if cx.is_product(product::VIRTUAL_MACHINE_OFFER) {
        ruling.refuse(clause::VM);
    } else if let Some(reason) = resource.billing().refused_outright() {
        let usage = reason == Reason::PayAsYouGo && resource.seller() == Seller::Marketplace;
        let clause = if usage { clause::VM } else { clause::BILLING_OUTRIGHT };
        ruling.refuse_as(clause, reason, true);
    } else {
        ruling.refuse(ClauseId::NO_RULE);
    }
}
