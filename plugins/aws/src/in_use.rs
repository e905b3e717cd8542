//! Dropping a Support plan (section 4.4).

use recoup_core::prelude::*;

use crate::refusals::by_status;
use crate::terms::{held_since, whole};
use crate::{clause, param};

/// Dropping a paid Support plan, which must be kept for 30 days. What comes back is published nowhere.
pub(crate) fn support_plan<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    by_status(resource, ruling, false);
    let state_refuses = !ruling.so_far().refusals.is_empty();
    let kept = held_since(resource).map(|start| start + Span::days(whole(cx, param::SUPPORT_DAYS)));
    ruling.refuse_before(clause::SUPPORT_CANCEL, "starts_at", kept);
    if state_refuses {
        ruling.never_changes();
    }
    match cx.text(resource, Text::Plan) {
        Some("business") => {
            ruling.cite(clause::SUPPORT_CANCEL_CHANNEL);
            ruling.channel(Channel::Console);
        }
        Some("enterprise" | "enterprise_on_ramp") => {
            ruling.cite(clause::SUPPORT_CANCEL_CHANNEL);
            ruling.channel(Channel::Support);
        }
        _ => {}
    }
    ruling.refund_unpublished(clause::SUPPORT_CANCEL);
}
