//! Video-live traffic packs.

use recoup_core::context::Window;
use recoup_core::prelude::*;

use crate::{clause, param, refusals, table};

/// Both exits of a live pack. An unused pack in its first days comes back whole and has no other exit,
/// unless the quota refuses that.
pub(crate) fn exits<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
    let pack = Pack::of(resource, cx);
    let draw = quota(cx);
    let exhausted = draw.exceeds() == Some(true);
    out.exit(cx, Exit::FullRefund, |ruling| full_refund(resource, &pack, draw, cx, ruling));
    let whole = pack.used == Some(false) && pack.in_first_days == Some(true) && !is_over(resource, cx);
    if !whole || exhausted {
        out.exit(cx, Exit::InUse, |ruling| in_use(resource, &pack, whole, cx, ruling));
    }
}

fn is_over<R: Resource>(resource: &R, cx: &Context<'_>) -> bool {
    resource.status() == Status::Expired || resource.ends_at().is_some_and(|end| end <= cx.at)
}

/// What is known of a pack's volume and age.
struct Pack {
    total: Option<Number>,
    used_units: Option<Number>,
    used_fraction: Option<Number>,
    used: Option<bool>,
    in_first_days: Option<bool>,
}

impl Pack {
    fn of<R: Resource>(resource: &R, cx: &Context<'_>) -> Self {
        let commitment = resource.commitment().unwrap_or_default();
        let said = cx.flag(Flag::Used).known();
        let counters = [commitment.used_units, commitment.used_fraction];
        let counted = counters.iter().flatten().map(|figure| figure.is_positive()).max();
        let used = if counted == Some(true) || said == Some(true) { Some(true) } else { counted.or(said) };
        Self {
            total: commitment.total_units,
            // What was never used needs no count.
            used_units: commitment.used_units.or(if used == Some(false) { Some(Number::ZERO) } else { None }),
            used_fraction: commitment.used_fraction,
            used,
            in_first_days: resource.starts_at().map(|start| cx.at <= start + refusals::first_days(cx)),
        }
    }

    /// The used share of the volume: by its units, else the fraction that a record states.
    fn share(&self) -> Option<Exact> {
        let total = self.total.filter(|total| total.is_positive());
        let by_units = || Some(Exact::from(self.used_units?).over(total?));
        by_units().or_else(|| self.used_fraction.map(Exact::from))
    }

    /// Whether the volume counts after the first days too.
    fn by_volume_later(&self, cx: &Context<'_>) -> Option<bool> {
        let from = cx.param(param::BY_VOLUME_FROM).map(|held| Exact::from(held.value)).unwrap_or(Exact::ZERO);
        self.share().map(|share| !from.minus(&share).is_positive())
    }

    /// Whether nothing is left of the volume.
    fn used_up(&self) -> Answer {
        let known = match (self.used, self.share()) {
            (Some(false), _) => Some(false),
            (_, share) => share.map(|share| !Exact::ONE.minus(&share).is_positive()),
        };
        Answer::named("commitment.used_units", known)
    }
}

fn quota(cx: &Context<'_>) -> QuotaDraw {
    let limit = cx.param(param::LIVE_FULL_REFUNDS).map(|held| held.value);
    cx.quota("seven_day_full_refund.live-pack", limit, Window::Lifetime, |entry| {
        let same = cx.book().product(entry.product.as_deref()?) == cx.product();
        Some(if same && entry.exit? == Exit::FullRefund { Number::ONE } else { Number::ZERO })
    })
}

fn full_refund<R: Resource>(resource: &R, pack: &Pack, draw: QuotaDraw, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.window_through(clause::LIVE_PACK, "starts_at", resource.starts_at(), refusals::first_days(cx));
    ruling.refuse_if(clause::LIVE_USED, Answer::named("used", pack.used));
    ruling.draw(clause::LIVE_QUOTA, draw);
    refusals::both(resource, cx, ruling);
    ruling.waits_only_for(&[]);
    refusals::leaving(cx, ruling);
    match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ruling.refund(ledger.settle(refusals::money_back).finish()),
        Err(missing) => ruling.missing(clause::LIVE_PACK, missing),
    }
}

fn in_use<R: Resource>(resource: &R, pack: &Pack, whole: bool, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_if(clause::LIVE_USED, pack.used_up());
    refusals::both(resource, cx, ruling);
    if let (Some(start), Some(false)) = (resource.starts_at(), pack.by_volume_later(cx)) {
        // From then on the days count and no longer the volume.
        ruling.changes_at(start + refusals::first_days(cx));
    }
    ruling.waits_only_for(&[]);
    refusals::leaving(cx, ruling);
    if whole {
        // The quota refused the full refund, and no rule is printed for what is unused then.
        ruling.no_figure(clause::LIVE_QUOTA, Reason::RuleUnknown, None);
        // That lasts through the first days, the last instant included.
        ruling.window_through(clause::LIVE_PACK, "starts_at", resource.starts_at(), refusals::first_days(cx));
        return;
    }
    ruling.cite(clause::LIVE_PACK);
    let months = term_months(resource);
    let Some(fee) = months.and_then(|months| cx.cell(table::LIVE_FEE, &[i64::from(months).into()])) else {
        ruling.no_figure(
            clause::LIVE_FEE,
            Reason::RuleUnknown,
            if months.is_none() { Some("term_months") } else { None },
        );
        return;
    };
    ruling.cite(clause::LIVE_FEE);
    let ledger = match cx.ledger(resource, resource.paid_orders()) {
        Ok(ledger) => ledger,
        Err(missing) => return ruling.missing(clause::LIVE_PACK, missing),
    };
    let money = ledger.money();
    let consumed = match consumed(resource, pack, money, cx) {
        Ok(consumed) => consumed,
        Err(field) => return ruling.no_figure(clause::LIVE_PACK, Reason::PriceUnknown, Some(field)),
    };
    let mut draft = ledger.settle(refusals::money_back);
    let taken = draft.consume(&consumed);
    let kept = draft.keep_fee(&Exact::from(money).times(fee.value));
    ruling.line("refund", || format!("{money} - {taken} consumed - {kept} fee ({} of the money)", fee.value));
    ruling.refund(draft.finish());
}

fn term_months<R: Resource>(resource: &R) -> Option<u32> {
    let stated = resource.commitment().and_then(|commitment| commitment.term_months);
    stated.or_else(|| resource.periods().find_map(|order| order.term_months()))
}

/// What was consumed: by volume in the first days and from 30 % on, otherwise by days.
fn consumed<R: Resource>(resource: &R, pack: &Pack, money: Amount, cx: &Context<'_>) -> Result<Exact, &'static str> {
    let first_days = pack.in_first_days.ok_or("starts_at")?;
    let share = pack.share().ok_or("commitment.used_units")?;
    if first_days || pack.by_volume_later(cx) == Some(true) {
        return Ok(Exact::from(money).times(share));
    }
    let start = resource.starts_at().ok_or("starts_at")?;
    let end = resource.ends_at().ok_or("ends_at")?;
    let days = cx.zone.days_between(start, cx.at) + 1;
    Ok(Exact::from(money).times_ratio(days, cx.zone.days_between(start, end)))
}
