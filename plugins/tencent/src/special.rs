//! Products whose page is a contract of its own.

use recoup_core::prelude::*;

use crate::full_refund::{every_order, everything, new_purchase};
use crate::{agreement, clause, param, refusals};

fn hours(cx: &Context<'_>, id: ParamId) -> Option<Span> {
    cx.param(id).and_then(|held| held.whole()).map(Span::hours)
}

/// All money back, or a page younger than the instant asked about.
fn all_or_unknown<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>, page: ClauseId) {
    refusals::settle_until(ruling, None, &[]);
    refusals::effects(resource, cx, ruling);
    refusals::channel(cx, ruling);
    if !cx.in_force(page) {
        ruling.no_figure(clause::UNKNOWN_PAGE_DATE, Reason::RuleUnknown, None);
        return;
    }
    ruling.cite(clause::FIVE_AMOUNT);
    match everything(resource, cx, ruling) {
        Ok(quote) => ruling.refund(quote),
        Err(gap) => gap.report(page, ruling),
    }
}

/// SSL certificates: paid but not issued.
pub(crate) fn certificate<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    let issued = matches!(resource.status(), Status::Active | Status::Expired | Status::Frozen);
    ruling.refuse_if(clause::SSL, issued);
    all_or_unknown(resource, cx, ruling, clause::SSL);
}

/// Training classes: the share that comes back hangs on the working days to the start.
pub(crate) fn training<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    refusals::effects(resource, cx, ruling);
    refusals::channel(cx, ruling);
    if !cx.in_force(clause::TRAINING) {
        ruling.no_figure(clause::UNKNOWN_PAGE_DATE, Reason::RuleUnknown, None);
        return;
    }
    let days = cx.figure(resource, Figure::WorkingDaysToStart);
    let Some(kept) = days.and_then(|days| training_kept(cx, days)) else {
        let fact = Some(Figure::WorkingDaysToStart.as_str());
        ruling.no_figure(clause::TRAINING, Reason::RuleUnknown, fact);
        return;
    };
    ruling.cite(clause::TRAINING);
    match every_order(resource, cx, ruling) {
        Ok((parts, currency, form)) => ruling.refund(form.keeping(kept).settle_all(&parts, currency)),
        Err(gap) => gap.report(clause::TRAINING, ruling),
    }
}

/// The share of the money that is kept of a class so many working days before its start.
fn training_kept(cx: &Context<'_>, days: Number) -> Option<Number> {
    let (all, some) = (cx.param(param::TRAINING_ALL)?.value, cx.param(param::TRAINING_SOME)?.value);
    if days >= all {
        Some(Number::ZERO)
    } else if days > some {
        Some(cx.param(param::TRAINING_KEPT)?.value)
    } else {
        Some(Number::ONE)
    }
}

/// QiDian: full within 7 days of delivery; within 30 days by agreement where login fails.
pub(crate) fn qidian<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    let start = new_purchase(resource, cx);
    out.exit(cx, Exit::FullRefund, |ruling| {
        refusals::common(resource, cx, ruling);
        if let Some(length) = hours(cx, param::QIDIAN_DAYS) {
            ruling.window_through(clause::QIDIAN, "orders", start, length);
        }
        all_or_unknown(resource, cx, ruling, clause::QIDIAN);
    });
    let open = start.zip(hours(cx, param::QIDIAN_DAYS)).is_none_or(|(start, length)| cx.at <= start + length);
    if cx.in_force(clause::QIDIAN) && !open {
        out.exit(cx, Exit::ByAgreement, |ruling| {
            refusals::common(resource, cx, ruling);
            if let Some(length) = hours(cx, param::QIDIAN_FAULT_DAYS) {
                ruling.window_through(clause::QIDIAN_FAULT, "orders", start, length);
            }
            refusals::settle_until(ruling, None, &[]);
            agreement::needed(resource, cx, ruling, clause::QIDIAN_FAULT);
            refusals::effects(resource, cx, ruling);
            ruling.channel(Channel::Support);
        });
    }
}

/// The live plug-in of mini-programs: full within 14 days, little traffic, category not admissible.
pub(crate) fn live_plugin<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    refusals::common(resource, cx, ruling);
    if let Some(length) = hours(cx, param::PLUGIN_DAYS) {
        ruling.window_through(clause::LIVE_PLUGIN, "orders", new_purchase(resource, cx), length);
    }
    let played = resource.commitment().and_then(|commitment| commitment.used_units);
    let most = cx.param(param::PLUGIN_TRAFFIC).map(|held| held.value);
    let too_much = played.zip(most).map(|(played, most)| played > most);
    ruling.refuse_if(clause::LIVE_PLUGIN_TRAFFIC, Answer::named("commitment.used_units", too_much));
    if !cx.flag(Flag::AgreementGiven).is_yes() {
        let fact = Some(Flag::AgreementGiven.as_str());
        ruling.unknown(clause::LIVE_PLUGIN_CATEGORY, Reason::AgreementNeeded, fact);
    }
    all_or_unknown(resource, cx, ruling, clause::LIVE_PLUGIN);
}
