//! When time alone changes a partial refund: a pending order begins, a coefficient ends, use has eaten
//! the payment (section 9 of the rules, `until`).

use recoup_core::prelude::*;

use crate::clause;
use crate::consumption::{self, Coefficient, Daily, Gap, Method, Phase};
use crate::settle::Terms;

const DAY: i64 = Span::days(1).micros();
/// Running orders that are looked at; one more, and no zero is foretold.
const MOST: usize = 4;

/// The start of the pending renewals, which are no longer free to drop then.
pub(crate) fn pending_renewals<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    for order in resource.pending_renewals(cx.at) {
        if let Some(start) = order.starts_at() {
            ruling.changes_at(start);
        }
    }
}

/// How an order's refund goes on: how it is consumed, and which share of what is left comes back.
pub(crate) type Course = (Method, Exact);

/// An order whose consumption goes on.
#[derive(Debug, Clone)]
struct Curve {
    start: Instant,
    end: Instant,
    paid: Amount,
    /// What is less rounds to nothing: half a minor unit, over the share that comes back.
    half: Exact,
    shape: Shape,
    zone: Zone,
}

#[derive(Debug, Clone)]
enum Shape {
    Linear,
    Daily { per_day: Exact, actual: i64, coefficient: Option<Coefficient> },
}

/// The days on which a coefficient ends, on which a paid order begins to be consumed and, where a
/// refund of nothing is refused (`zero_refuses`), on which nothing is left any more, or something again.
pub(crate) fn consumption<R: Resource>(
    resource: &R,
    cx: &Context<'_>,
    terms: Terms,
    ruling: &mut Ruling<'_>,
    zero_refuses: bool,
    course: impl Fn(&R::Order<'_>) -> Result<Course, Gap>,
) {
    let Ok(currency) = cx.currency(resource) else { return };
    let mut curves: [Option<Curve>; MOST] = [const { None }; MOST];
    let mut foretell = zero_refuses;
    let mut free = curves.iter_mut();
    for order in resource.paid_orders() {
        let Ok(paid) = terms.paid_for(&order) else { return };
        let Ok((start, end)) = consumption::period(&order, cx.zone) else { return };
        if !paid.is_positive() {
            continue;
        }
        match consumption::phase(cx.at, start, end) {
            Phase::Pending => {
                // Nothing is zero before a paid order has begun.
                foretell = false;
                if begins(resource, cx, &order, course(&order)) {
                    ruling.changes_at(start);
                }
            }
            Phase::Over => {}
            Phase::Running => {
                let Ok((method, share)) = course(&order) else { return };
                if share.is_zero() {
                    continue;
                }
                let half = Exact::from(currency.minor_unit()).times_ratio(1, 2).over(share);
                match (curve(resource, cx, &order, method), free.next()) {
                    (Some(shape), Some(place)) => {
                        *place = Some(Curve { start, end, paid, half, shape, zone: cx.zone });
                    }
                    _ => foretell = false,
                }
            }
        }
    }
    for curve in curves.iter().flatten() {
        if let Some(instant) = curve.coefficient_ends(cx.at) {
            changes_after(cx, ruling, instant);
        }
    }
    if foretell && let Some(instant) = next_turn(&curves, cx.at) {
        changes_after(cx, ruling, instant);
    }
}

/// Whether a figure changes when an order begins: its first day is consumed at once, or what would
/// compute that is missing.
fn begins<R: Resource>(resource: &R, cx: &Context<'_>, order: &impl Order, course: Result<Course, Gap>) -> bool {
    match course {
        Err(_) => true,
        Ok((_, share)) if share.is_zero() => false,
        Ok((Method::Daily(daily), _)) => {
            consumption::per_day(resource, cx, order, daily).map_or(true, |(per_day, _)| per_day.is_positive())
        }
        Ok((Method::Volume(share) | Method::PaidVolume(share), _)) => !share.is_zero(),
        Ok((Method::Fixed(amount), _)) => amount.is_positive(),
        Ok((Method::Linear(_), _)) => false,
    }
}

/// Something changes right after an instant, which may be the one asked about: its usage day is just
/// full.
fn changes_after(cx: &Context<'_>, ruling: &mut Ruling<'_>, instant: Instant) {
    if instant == cx.at {
        ruling.window(clause::PARTIAL_USAGE_DAYS, "starts_at", Some(instant), |at, end| at <= end);
    } else {
        ruling.changes_at(instant);
    }
}

fn curve<R: Resource>(resource: &R, cx: &Context<'_>, order: &impl Order, method: Method) -> Option<Shape> {
    match method {
        Method::Linear(_) => Some(Shape::Linear),
        Method::Daily(daily) => daily_shape(resource, cx, order, daily),
        // What was used of an amount does not change with time.
        Method::Volume(_) | Method::PaidVolume(_) | Method::Fixed(_) => None,
    }
}

fn daily_shape<R: Resource>(resource: &R, cx: &Context<'_>, order: &impl Order, daily: Daily) -> Option<Shape> {
    let (per_day, actual) = consumption::per_day(resource, cx, order, daily).ok()?;
    Some(Shape::Daily { per_day, actual, coefficient: daily.coefficient })
}

/// When all orders together turn from something to nothing, or back.
fn next_turn(curves: &[Option<Curve>; MOST], at: Instant) -> Option<Instant> {
    let running = || curves.iter().flatten();
    running().next()?;
    if running().all(|curve| curve.is_zero_at(at)) {
        return running().filter_map(|curve| curve.opens_again(at)).min();
    }
    let mut from = at;
    for _ in 0..MOST * 2 {
        let latest = running().map(|curve| curve.zero_from(from)).max()?;
        if latest == from {
            break;
        }
        from = latest;
    }
    Some(from)
}

impl Curve {
    /// The usage day that begins right after an instant.
    fn day_after(&self, at: Instant) -> i64 {
        at.since(self.start).micros().div_euclid(DAY) + 1
    }

    /// The instant right after which a usage day counts.
    fn begin_of(&self, day: i64) -> Instant {
        (self.start + Span::days((day - 1).min(1_000_000))).min(self.end)
    }

    fn left(&self, per_day: &Exact, day: i64, coefficient: Option<Coefficient>) -> Exact {
        let consumed = per_day.times(day);
        let consumed = match coefficient {
            Some(coefficient) if self.counts(coefficient, day) => consumed.times(coefficient.factor),
            _ => consumed,
        };
        Exact::from(self.paid).minus(&consumed)
    }

    fn counts(&self, coefficient: Coefficient, day: i64) -> bool {
        coefficient.last_day(self.start, self.zone).is_none_or(|last| day <= last)
    }

    fn is_nothing(&self, left: &Exact) -> bool {
        left.compare(&self.half).is_lt()
    }

    /// Whether nothing is left at an instant.
    fn is_zero_at(&self, at: Instant) -> bool {
        match &self.shape {
            Shape::Linear => at >= self.end || at > self.linear_zero(),
            Shape::Daily { per_day, actual, coefficient } => {
                let day = consumption::usage_days(at, self.start, self.zone, false).min(*actual);
                at >= self.end || *actual <= 0 || self.is_nothing(&self.left(per_day, day, *coefficient))
            }
        }
    }

    /// The last instant at which a linear remainder is more than nothing.
    fn linear_zero(&self) -> Instant {
        let whole = self.end.since(self.start).micros();
        let rest = self.half.over(self.paid).times(whole);
        let micros = Exact::from(whole).minus(&rest).floor_zero().whole_part().unwrap_or(whole);
        Instant::from_micros(self.start.micros().saturating_add(micros))
    }

    /// The first instant from `from` on right after which nothing is left.
    fn zero_from(&self, from: Instant) -> Instant {
        match &self.shape {
            Shape::Linear => self.linear_zero().min(self.end).max(from),
            Shape::Daily { per_day, actual, coefficient } => {
                let day = self.day_after(from);
                let zero = self.zero_day(per_day, day, *coefficient);
                if zero > *actual { self.end.max(from) } else { self.begin_of(zero).max(from) }
            }
        }
    }

    fn zero_day(&self, per_day: &Exact, from: i64, coefficient: Option<Coefficient>) -> i64 {
        let mut from = from;
        if let Some(coefficient) = coefficient {
            let zero = self.least_zero(&per_day.times(coefficient.factor)).max(from);
            match coefficient.last_day(self.start, self.zone) {
                None => return zero,
                Some(last) if zero <= last => return zero,
                Some(last) => from = from.max(last + 1),
            }
        }
        self.least_zero(per_day).max(from)
    }

    /// The first day on which a daily consumption leaves nothing.
    fn least_zero(&self, per_day: &Exact) -> i64 {
        if !per_day.is_positive() {
            return i64::MAX;
        }
        let days = Exact::from(self.paid).minus(&self.half).floor_zero().over(per_day.clone());
        days.whole_part().map_or(i64::MAX, |days| days.saturating_add(1))
    }

    /// When the coefficient's end leaves something again.
    fn opens_again(&self, at: Instant) -> Option<Instant> {
        let Shape::Daily { per_day, actual, coefficient } = &self.shape else { return None };
        let last = (*coefficient)?.last_day(self.start, self.zone)?;
        let later = last + 1;
        let opens = self.day_after(at) <= later && later <= *actual;
        (opens && !self.is_nothing(&self.left(per_day, later, None))).then(|| self.begin_of(later))
    }

    /// When the coefficient ends, where that changes the figure.
    fn coefficient_ends(&self, at: Instant) -> Option<Instant> {
        let Shape::Daily { per_day, actual, coefficient } = &self.shape else { return None };
        let last = (*coefficient)?.last_day(self.start, self.zone)?;
        let ends = self.begin_of(last + 1);
        let left_before = !self.is_nothing(&self.left(per_day, last, *coefficient));
        let left_after = !self.is_nothing(&self.left(per_day, last + 1, None));
        (ends >= at && last < *actual && (left_before || left_after)).then_some(ends)
    }
}
