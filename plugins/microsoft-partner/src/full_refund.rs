//! Perpetual software: everything, inside the window of each order (page, section 4.2).

use recoup_core::prelude::*;
use recoup_core::time::day_after;

use crate::held::{self, Leaving, Taken};
use crate::{clause, param, refusals};

/// Giving perpetual software back. The day of purchase counts as the first of the window, in UTC dates.
pub(crate) fn full_refund<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let leaving = Leaving::of(resource, cx);
    refusals::common(resource, cx, ruling);
    refusals::never_by_the_api(cx, ruling);
    ruling.refuse_if(clause::QUANTITY, leaving == Leaving::TooMany);
    ruling.effects(&[Effect::Irreversible, Effect::AccessLost]);
    ruling.channel(Channel::Api);
    if let Some(days) = cx.param(param::PERPETUAL_WINDOW).and_then(|days| u64::try_from(days.whole()?).ok()) {
        let end_of = |start| cx.zone.midnight(day_after(cx.zone.date(start), days));
        held::refuse_after_window(resource, cx, ruling, clause::PERPETUAL, leaving, end_of);
    }
    let quote = if refusals::too_late(ruling) {
        held::all_consumed(resource, cx, leaving)
    } else {
        held::add_up(resource, cx, leaving, |_| Ok(Taken::Nothing))
    };
    match quote {
        _ if leaving == Leaving::TooMany => {}
        Ok(quote) => {
            ruling.cite(clause::INVOICE);
            ruling.refund(quote);
        }
        Err(gap) => gap.record(ruling, clause::PERPETUAL),
    }
    refusals::holds_until_the_end(resource, ruling);
}
