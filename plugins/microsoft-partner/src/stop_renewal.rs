//! Third-party SaaS after its window: the cancellation waits for the renewal (page, section 4).

use recoup_core::prelude::*;

use crate::held::{self, Leaving};
use crate::{clause, refusals};

/// Ending third-party SaaS with its term. Nothing that is running ends, and nothing comes back.
pub(crate) fn stop_renewal<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    ruling.cite(clause::CSP_ISV_RENEWAL);
    ruling.channel(Channel::Api);
    if let Some(end) = resource.ends_at() {
        ruling.takes_effect_at(end);
    }
    match held::all_consumed(resource, cx, Leaving::All) {
        Ok(quote) => ruling.refund(quote),
        Err(gap) => gap.record(ruling, clause::CSP_ISV_RENEWAL),
    }
    refusals::holds_until_the_end(resource, ruling);
}
