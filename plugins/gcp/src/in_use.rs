//! A reseller's entitlements: CancelEntitlement of the Channel API (page, section 4.3).

use recoup_core::prelude::*;

use crate::{clause, money, product};

/// What the products of entitlements begin with.
pub(crate) const ENTITLEMENT: &str = "channel:";

/// Cancelling an entitlement: Workspace add-ons, and the Google Cloud one without linked projects.
pub(crate) fn in_use<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let platform = cx.is_product(product::CHANNEL_GCP);
    ruling.refuse_if(clause::RESELLER_CANCEL, !platform && !cx.is_product(product::CHANNEL_WORKSPACE_ADDON));
    if platform {
        ruling.refuse_on(clause::RESELLER_LINKED, Flag::HasDependents);
    }
    ruling.channel(Channel::Api);
    money::nothing_back(resource, cx, ruling, clause::RESELLER_CANCEL);
}
