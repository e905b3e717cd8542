//! Cancelling a Capacity Reservation, and Bedrock throughput after its commitment (sections 4.3, 4.4).

use recoup_core::prelude::*;

use crate::refusals::by_status;
use crate::terms::{nothing_back, over_hours, share, whole};
use crate::{clause, param};

const DAYS_PER_WEEK: i64 = 7;

/// A plain On-Demand Capacity Reservation, or a future-dated one with its commitment.
pub(crate) fn capacity_reservation<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    by_status(resource, ruling, true);
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Api);
    let gone = !ruling.so_far().refusals.is_empty();
    let commitment_end = cx.moment(resource, Moment::CommitmentEndsAt);
    if resource.commitment().is_none() && commitment_end.is_none() {
        ruling.cite(clause::CR_PLAIN);
        ruling.effect_if(Effect::AccessLost, resource.status() == Status::Active);
        ruling.refund(nothing_back(resource, cx));
        return;
    }
    ruling.unknown(clause::SITE_CN, Reason::RuleUnknown, None);
    if cx.in_force(clause::CR_FUTURE_BEFORE) {
        ruling.refuse_before(clause::CR_FUTURE_BEFORE, "commitment_ends_at", commitment_end);
        ruling.refund(nothing_back(resource, cx));
    } else {
        wind_down(resource, commitment_end, cx, ruling);
    }
    if gone {
        ruling.never_changes();
    }
}

/// Throughput bought for a time cannot be deleted before that time is over.
pub(crate) fn provisioned_throughput<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    by_status(resource, ruling, true);
    let gone = !ruling.so_far().refusals.is_empty();
    ruling.refuse_before(clause::BEDROCK_PT, "commitment_ends_at", cx.moment(resource, Moment::CommitmentEndsAt));
    if gone {
        ruling.never_changes();
    }
    ruling.refund(nothing_back(resource, cx));
    ruling.effects(&[Effect::Irreversible]);
    ruling.channel(Channel::Api);
}

/// What cancelling costs, and of which part of the commitment.
enum Bracket {
    /// Nothing; all that is left of the commitment is released.
    Free(Option<Span>),
    /// A share of so much time of the commitment.
    Charged(Number, Option<Span>),
    /// Not known for want of this field.
    Unknown(&'static str),
}

/// The brackets of the wind-down charge (`aws.cr.future.table`).
fn wind_down<R: Resource>(resource: &R, commitment_end: Option<Instant>, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::CR_FUTURE_TABLE);
    let total = resource.starts_at().zip(commitment_end).map(|(start, end)| end.since(start));
    let remaining = commitment_end.map(|end| end.since(cx.at));
    // By its state, and not by time, a reservation that AWS still assesses or has delayed is free.
    let by_state = resource.status() == Status::Pending || cx.flag(Flag::DeliveryDelayed).is_yes();
    let delivered = match resource.starts_at() {
        Some(start) => start <= cx.at,
        None => resource.status() == Status::Active,
    };
    // Before delivery there is no capacity yet that could be lost.
    ruling.effect_if(Effect::AccessLost, delivered && !by_state);
    let over = remaining.map(|remaining| !remaining.is_positive());
    let bracket = if by_state || over == Some(true) {
        // What is assessed or delayed was not delivered, so the whole commitment is still to come.
        Bracket::Free(if delivered && !by_state { remaining } else { total })
    } else if delivered {
        let running = cx.flag(Flag::HasDependents).and(Answer::named("commitment_ends_at", over.map(|over| !over)));
        ruling.refuse_if(clause::CR_FUTURE_CONDITIONS, running);
        if let Some(end) = commitment_end {
            edge(end, ruling);
        }
        match remaining {
            Some(_) => Bracket::Charged(share(cx, param::WIND_DOWN_DELIVERED), remaining),
            None => Bracket::Unknown("commitment_ends_at"),
        }
    } else {
        let priced = resource.commitment().is_some_and(|commitment| commitment.hourly.is_some()) && total.is_some();
        before_start(resource.starts_at(), total, priced, cx, ruling)
    };
    quote(resource, &bracket, cx, ruling);
}

/// Exactly 8 weeks before is free and exactly 2 weeks before is the lower share. Where no price is
/// known the two shares read alike, and what changes next is delivery.
fn before_start(
    start: Option<Instant>,
    total: Option<Span>,
    priced: bool,
    cx: &Context<'_>,
    ruling: &mut Ruling<'_>,
) -> Bracket {
    let Some(start) = start else { return Bracket::Unknown("starts_at") };
    let before = |weeks: ParamId| start - Span::days(whole(cx, weeks) * DAYS_PER_WEEK);
    let (free, late) = (before(param::WIND_DOWN_FREE_WEEKS), before(param::WIND_DOWN_LATE_WEEKS));
    if cx.at <= free {
        edge(free, ruling);
        Bracket::Free(total)
    } else if cx.at <= late {
        edge(if priced { late } else { start }, ruling);
        Bracket::Charged(share(cx, param::WIND_DOWN_EARLY), total)
    } else {
        edge(start, ruling);
        Bracket::Charged(share(cx, param::WIND_DOWN_LATE), total)
    }
}

/// The last instant of a bracket, or the first of the next. As a window that never refuses, because
/// the last instant of a bracket can be the one asked about.
fn edge(end: Instant, ruling: &mut Ruling<'_>) {
    ruling.window(clause::CR_FUTURE_TABLE, "starts_at", Some(end), |_, _| true);
}

fn quote<R: Resource>(resource: &R, bracket: &Bracket, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    let hourly = resource.commitment().and_then(|commitment| commitment.hourly);
    let owed = |span: Option<Span>| hourly.zip(span).map(|(hourly, span)| over_hours(hourly, span));
    let nothing = nothing_back(resource, cx);
    match bracket {
        Bracket::Free(left) => {
            let free = nothing.charging(&Exact::ZERO);
            ruling.refund(match owed(*left) {
                Some(owed) => free.releasing(&owed),
                None => free,
            });
        }
        Bracket::Charged(share, left) => match owed(*left) {
            Some(owed) => {
                let charge = owed.times(*share);
                ruling.line("wind-down charge", || format!("{owed} x {share} = {charge}"));
                ruling.refund(nothing.charging(&charge).releasing(&owed.minus(&charge)));
            }
            None => {
                let field = if hourly.is_none() { "commitment.hourly" } else { "commitment_ends_at" };
                ruling.no_figure(clause::CR_FUTURE_TABLE, Reason::PriceUnknown, Some(field));
            }
        },
        Bracket::Unknown(field) => {
            ruling.no_figure(clause::CR_FUTURE_TABLE, Reason::PriceUnknown, Some(field));
        }
    }
}
