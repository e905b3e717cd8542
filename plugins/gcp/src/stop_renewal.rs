//! Turning automatic renewal off. It ends nothing that is running (page, sections 4, 4.1 and 4.3).

use recoup_core::prelude::*;

use crate::{clause, money, none, param};

/// A committed use discount: before the midnight Pacific at which it ends.
pub(crate) fn commitment<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ends_with_the_term(resource, cx, ruling, clause::CUD_AUTORENEW, resource.ends_at());
    ruling.cite_if(clause::CUD_SPEND_API_CANCEL, none::is_spend_based(resource, cx));
    ruling.channel(Channel::Api);
}

/// Provisioned Throughput: some time before the next term.
pub(crate) fn throughput<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let notice = cx.param(param::THROUGHPUT_NOTICE).and_then(|hours| hours.whole());
    let last = resource.ends_at().zip(notice).map(|(end, hours)| end - Span::hours(hours));
    ends_with_the_term(resource, cx, ruling, clause::VERTEX_PT_RENEWAL, last);
    ruling.channel(Channel::Api);
}

/// Whether it was bought by the week: such terms never renew.
pub(crate) fn is_weekly<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    let by_week = |order: R::Order<'_>| order.term().is_some_and(|term| term.unit == TermUnit::Week);
    cx.text(resource, Text::Plan).is_some_and(|plan| plan.eq_ignore_ascii_case("weekly"))
        || resource.periods().last().is_some_and(by_week)
}

/// A Marketplace contract: at any time in it.
pub(crate) fn order<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ends_with_the_term(resource, cx, ruling, clause::MP_RENEWAL, resource.ends_at());
    ruling.channel(Channel::Marketplace);
}

/// Customer Care: falls to Basic with the calendar month, Pacific, whatever the record calls its end.
pub(crate) fn care<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::RENEWAL_OFF, !cx.flag(Flag::AutoRenew));
    ruling.cite(clause::CARE_CANCEL);
    ruling.takes_effect_at(cx.zone.next_month(cx.at));
    let plan = cx.text(resource, Text::Plan);
    let is = |name: &str| plan.is_some_and(|plan| plan.eq_ignore_ascii_case(name));
    if is("premium") || cx.flag(Flag::Invoiced).is_yes() {
        ruling.channel(Channel::Support);
    } else if is("standard") || is("enhanced") {
        ruling.channel(Channel::Console);
    }
    money::nothing_back(resource, cx, ruling, clause::CARE_CANCEL);
}

fn ends_with_the_term<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
    window: ClauseId,
    last: Option<Instant>,
) {
    ruling.refuse_if(clause::RENEWAL_OFF, !cx.flag(Flag::AutoRenew));
    ruling.window(window, "ends_at", last, |at, end| at < end);
    if let Some(end) = resource.ends_at() {
        ruling.takes_effect_at(end);
    }
    money::nothing_back(resource, cx, ruling, window);
}
