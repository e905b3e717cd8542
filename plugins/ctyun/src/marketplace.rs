//! What was bought in the marketplace.

use recoup_core::prelude::*;

use crate::{clause, param};

/// The marketplace reviews the request; what comes back is not published.
pub(crate) fn marketplace(cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.review("marketplace", clause::MARKET, None);
    if let Some(days) = cx.param(param::MARKET_REVIEW) {
        ruling.line("review", || format!("within {} working days", days.value));
    }
    ruling.no_figure(clause::MARKET, Reason::RuleUnknown, None);
    ruling.channel(Channel::Marketplace);
}
