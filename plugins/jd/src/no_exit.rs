//! The one exit, `none`. No fact is asked.

use recoup_core::prelude::*;

use crate::{clause, product};

/// A monthly VM is never deleted before it expires; what is metered has nothing to give back; the rest
/// is not known.
pub(crate) fn no_exit<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    if let Some(reason) = resource.billing().refused_outright() {
        ruling.refuse_as(clause::METERED, reason, true);
    } else if resource.billing() == Billing::Subscription && cx.is_product(product::VM) {
        ruling.refuse(clause::VM_NO_DELETE);
        if let Some(end) = resource.ends_at() {
            ruling.line("runs out", || end.display(cx.zone).to_string());
        }
    } else {
        ruling.refuse(clause::UNKNOWN);
    }
}
