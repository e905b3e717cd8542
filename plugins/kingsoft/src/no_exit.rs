//! The one exit, `none`. No fact is asked.

use recoup_core::prelude::*;

use crate::{clause, product};

/// A monthly server is never deleted and releases itself; what is metered has nothing to give back;
/// of the rest the vendor must be asked.
pub(crate) fn no_exit<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if let Some(reason) = resource.billing().refused_outright() {
        ruling.refuse_as(clause::METERED, reason, true);
    } else if resource.billing() == Billing::Subscription && cx.is_product(product::KEC) {
        ruling.refuse(clause::KEC_NO_DELETE);
        if let Some(end) = resource.ends_at() {
            ruling.line("released by itself", || end.display(cx.zone).to_string());
        }
    } else {
        ruling.refuse(clause::UNKNOWN);
        ruling.channel(Channel::Console);
    }
}
