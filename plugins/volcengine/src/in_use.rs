//! The return after 7 days, whose money formula is not known.

use recoup_core::prelude::*;

use crate::{clause, list, refusals};

/// Open to every prepaid resource of the product; what comes back stands on no known page.
pub(crate) fn in_use<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    refusals::consequences(resource, cx, ruling);
    ruling.cite_if(clause::ARK_PLAN, cx.listed(list::ARK));
    ruling.no_figure(clause::PART, Reason::RuleUnknown, None);
}
