//! Notice for konsoleH and colocation: 30 days to the end of the month.

use recoup_core::prelude::*;
use recoup_core::time::{day_after, last_of_month};

use crate::{clause, param};

/// Giving notice. The contract goes on until the end of the month in which the notice has run out, and
/// what was paid is consumed.
pub(crate) fn stop_renewal<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::STATE_EXPIRED, resource.has_expired(cx.at));
    ruling.refuse_if(clause::STATE_RELEASED, resource.status() == Status::Released);
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
    ruling.channel(Channel::Console);
    if cx.in_force(clause::CANCEL_BEFORE_2020) {
        ruling.no_figure(clause::CANCEL_BEFORE_2020, Reason::RuleUnknown, None);
        return;
    }
    ruling.cite(clause::CANCEL_30D_EOM);
    let notice = cx.param(param::NOTICE_DAYS).and_then(|held| held.whole()).unwrap_or(0);
    let last_day = last_of_month(day_after(cx.zone.date(cx.at), u64::try_from(notice).unwrap_or(0)));
    ruling.line("ends after", || last_day.to_string());
    ruling.takes_effect_at(cx.zone.midnight(day_after(last_day, 1)));
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.all_consumed()),
        Err(missing) => ruling.missing(clause::CANCEL_30D_EOM, missing),
    }
}
