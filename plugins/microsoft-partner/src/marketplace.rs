//! Third-party SaaS in its window: everything (page, section 4.4).

use recoup_core::policy::KeyRef;
use recoup_core::prelude::*;

use crate::held::{self, Leaving, Taken};
use crate::{clause, refusals, table};

/// Where the window ends, and the field that would say so where that is not known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Window {
    /// The first instant outside.
    pub(crate) end: Option<Instant>,
    field: &'static str,
    by_the_api: bool,
    /// The coming end of a window that may be the one, where it is not known which is.
    closes_at_last: Option<Instant>,
}

/// The window of third-party SaaS: by the API's date where there is one, else 24 hours where it is
/// billed monthly, whatever the term, and 14 times 24 hours otherwise.
pub(crate) fn window<R: Resource>(resource: &R, cx: &Context<'_>) -> Window {
    if let Some(end) = cx.moment(resource, Moment::ReturnableUntil) {
        return Window { end: Some(end), field: "returnable_until", by_the_api: true, closes_at_last: None };
    }
    let length = |billed| {
        let hours = cx.cell(table::SAAS_WINDOW, &[KeyRef::Word(billed)]).and_then(|hours| hours.whole());
        Span::hours(hours.unwrap_or(0))
    };
    let (short, long) = (length("monthly"), length("yearly"));
    let end_after = |span: Span| {
        let (start, field) = held::window_start(resource, cx, Leaving::of(resource, cx), |start| start + span);
        (start.map(|start| start + span), field)
    };
    let known = |(end, field)| Window { end, field, by_the_api: false, closes_at_last: None };
    match resource.commitment().and_then(|commitment| commitment.payment_option) {
        Some(PaymentOption::Monthly) => known(end_after(short)),
        Some(_) => known(end_after(long)),
        // However it is billed, the shorter window is open or the longer one is over.
        None => match (end_after(short), end_after(long)) {
            ((Some(end), field), _) if cx.at < end => known((Some(end), field)),
            (_, (Some(end), field)) if end <= cx.at => known((Some(end), field)),
            (_, (Some(end), _)) => Window { closes_at_last: Some(end), ..known((None, "payment_option")) },
            (_, none) => known(none),
        },
    }
}

/// When it was bought last.
fn bought_at<R: Resource>(resource: &R) -> Option<Instant> {
    held::held(resource).next().and_then(|order| order.placed_at()).or(resource.purchased_at())
}

/// Whether it was bought on the day asked about (UTC dates).
pub(crate) fn bought_today<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    bought_at(resource).is_some_and(|placed| cx.zone.date(placed) == cx.zone.date(cx.at))
}

/// Cancelling third-party SaaS.
pub(crate) fn marketplace<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, window: Window) {
    refusals::common(resource, cx, ruling);
    refusals::never_by_the_api(cx, ruling);
    ruling.cite_if(clause::API_WINDOW, window.by_the_api);
    ruling.window(clause::CSP_ISV_2021, window.field, window.end, |at, end| at < end);
    if let Some(end) = window.closes_at_last {
        ruling.changes_at(end);
    }
    ruling.cite_if(clause::SAAS_SAME_DAY, bought_today(resource, cx));
    ruling.effects(&[Effect::Irreversible, Effect::AccessLost]);
    ruling.channel(Channel::Api);
    let leaving = Leaving::of(resource, cx);
    let quote = if refusals::too_late(ruling) {
        held::all_consumed(resource, cx, leaving)
    } else {
        held::add_up(resource, cx, leaving, |_| Ok(Taken::Nothing))
    };
    match quote {
        Ok(quote) => {
            ruling.cite(clause::INVOICE);
            ruling.refund(quote);
        }
        Err(gap) => gap.record(ruling, clause::CSP_ISV_2021),
    }
    refusals::holds_until_the_end(resource, ruling);
    // Somebody who asks about a day before it can be converted from the begin of the day on which it is bought.
    if let Some(placed) = bought_at(resource) {
        ruling.changes_at(cx.zone.midnight(cx.zone.date(placed)));
    }
}
