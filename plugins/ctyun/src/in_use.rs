//! Unsubscribing what is in use: usage and a handling fee are kept, and no fee table is published.

use recoup_core::prelude::*;

use crate::{clause, refusals};

/// The figure is not known, so the exit is conditional.
pub(crate) fn in_use<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::both(resource, cx, ruling);
    ruling.waits_only_for(&[]);
    refusals::leaving(cx, ruling);
    ruling.no_figure(clause::NON7, Reason::RuleUnknown, None);
}
