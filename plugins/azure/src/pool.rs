//! The pool of cancelled commitment: USD 50,000 in a rolling window of 12 months (policy page,
//! section 7).

use recoup_core::prelude::*;
use recoup_core::record::ReturnRecord;

use crate::{clause, list, param};

const NAME: &str = "cancelled_commitment";

/// What a cancellation draws on the pool.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    limit: Number,
    days: i64,
    rate: Exact,
    counts_released: bool,
}

impl Pool {
    /// Judges a draw of what comes back and what is released, in the currency of the orders; `None`
    /// where these are not known. Gives the pool where everything it needs is known.
    pub(crate) fn judge<R: Resource>(
        resource: &R,
        cx: &Context<'_>,
        draw: Option<(Currency, Amount, Option<Amount>)>,
        ruling: &mut Ruling<'_>,
    ) -> Option<Self> {
        let limit = cx.param(param::POOL_LIMIT)?.value;
        let days = cx.param(param::POOL_DAYS)?.whole()?;
        let counts_released = cx.param(param::POOL_COUNTS_RELEASED)?.value.is_positive();
        ruling.cite(clause::RI_LIMIT_MEASURE);
        let window = Window::RollingDays(u16::try_from(days).unwrap_or(u16::MAX));
        let mut quota = cx.quota(NAME, Some(limit), window, |entry| counts(cx, entry, days));
        ruling.cite_if(clause::RI_LIMIT_REPLENISH, stated(cx).is_none() && quota.used.is_some());
        quota.draws = None;
        let Some((currency, back, released)) = draw else {
            ruling.unknown(clause::RI_LIMIT_50K, Reason::QuotaExhausted, Some("orders"));
            ruling.note_quota(quota);
            return None;
        };
        let rate = if currency == Currency::USD {
            Exact::ONE
        } else if let Some(rate) = cx.figure(resource, Figure::UsdRate) {
            Exact::from(rate)
        } else {
            ruling.unknown(clause::RI_LIMIT_50K, Reason::QuotaExhausted, Some(Figure::UsdRate.as_str()));
            ruling.note_quota(quota);
            return None;
        };
        let pool = Self { limit: quota.limit.unwrap_or(limit), days, rate, counts_released };
        let draws = pool.draws(back, released);
        quota.draws = Some(draws);
        ruling.line("pool", || {
            let measure = if counts_released { "commitment" } else { "refund" };
            let used = quota.used.map_or_else(|| "an unknown part".to_owned(), |used| used.to_string());
            format!("{draws} USD of cancelled {measure} on top of {used} of {} USD", pool.limit)
        });
        if quota.used.is_none()
            && let Some(known) = pool.known_at(cx)
        {
            ruling.changes_at(known);
        }
        ruling.draw(clause::RI_LIMIT_50K, quota);
        Some(pool)
    }

    /// A cancellation in US dollars, as the edition measures it.
    fn draws(&self, back: Amount, released: Option<Amount>) -> Number {
        let released = if self.counts_released { released.unwrap_or_default() } else { Amount::ZERO };
        Exact::from(back + released).times(self.rate.clone()).round(Currency::USD).as_number()
    }

    /// The first instant before `end` at which a draw that the pool refuses now would fit, by a
    /// shrinking remainder (at 00:00 UTC) or by replenishment, whichever comes first
    /// (`az.ri.limit-locks-large`).
    pub(crate) fn opens_at(
        &self,
        cx: &Context<'_>,
        end: Instant,
        worth: impl Fn(Instant) -> (Amount, Option<Amount>),
    ) -> Option<Instant> {
        let fits = |at: Instant| {
            let (back, released) = worth(at);
            self.used_at(cx, at).is_some_and(|used| used + self.draws(back, released) <= self.limit)
        };
        let mut turns: Vec<Instant> = match stated(cx) {
            Some(_) => Vec::new(),
            None => returns(cx).map(|entry| entry.at + Span::days(self.days)).collect(),
        };
        turns.retain(|turn| cx.at < *turn && *turn < end);
        turns.push(end);
        turns.sort_unstable();
        let mut from = cx.at;
        for turn in turns {
            if from > cx.at && fits(from) {
                return Some(from);
            }
            if let Some(found) = first_midnight(cx.zone, from, turn, &fits) {
                return Some(found);
            }
            from = turn;
        }
        None
    }

    /// When it comes to be known what is used of the pool: once the cancellations of which it cannot be told
    /// no longer count.
    fn known_at(&self, cx: &Context<'_>) -> Option<Instant> {
        let leaves = returns(cx).map(|entry| entry.at + Span::days(self.days));
        leaves.filter(|leaves| cx.at < *leaves && self.used_at(cx, *leaves).is_some()).min()
    }

    fn used_at(&self, cx: &Context<'_>, at: Instant) -> Option<Number> {
        if let Some(used) = stated(cx) {
            return Some(used);
        }
        returns(cx)
            .filter(|entry| entry.at <= at && at < entry.at + Span::days(self.days))
            .try_fold(Number::ZERO, |sum, entry| Some(sum + drawn(cx, entry)?))
    }
}

/// The first midnight after `from` and before `to` at which `fits` holds, which once it holds goes on
/// holding.
pub(crate) fn first_midnight(
    zone: Zone,
    from: Instant,
    to: Instant,
    fits: &impl Fn(Instant) -> bool,
) -> Option<Instant> {
    let midnight = |count: i64| zone.add_days(zone.midnight(zone.date(from)), count);
    let mut high = zone.days_between(from, to);
    if high > 0 && midnight(high) >= to {
        high -= 1;
    }
    if high < 1 || !fits(midnight(high)) {
        return None;
    }
    let mut low = 0;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if fits(midnight(middle)) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(midnight(high))
}

/// What the account's own quota says is used.
fn stated(cx: &Context<'_>) -> Option<Number> {
    cx.account()?.quotas.iter().find(|quota| quota.name == NAME).map(|quota| quota.used)
}

fn returns<'a>(cx: &Context<'a>) -> impl Iterator<Item = &'a ReturnRecord> {
    cx.account().and_then(|account| account.returns.as_ref()).into_iter().flatten()
}

/// What an earlier cancellation still counts: nothing once it is `days` old.
fn counts(cx: &Context<'_>, entry: &ReturnRecord, days: i64) -> Option<Number> {
    if entry.at + Span::days(days) <= cx.at { Some(Number::ZERO) } else { drawn(cx, entry) }
}

/// What an earlier cancellation drew: nothing by an exchange or trade-in, and nothing where it was no
/// reservation. Its amount is in US dollars.
fn drawn(cx: &Context<'_>, entry: &ReturnRecord) -> Option<Number> {
    let product = entry.product.as_deref().and_then(|name| cx.book().product(name));
    let no_reservation = cx.epoch().listed(list::FIXED_FEE, product);
    match entry.exit {
        Some(Exit::Return | Exit::Marketplace) | None if !no_reservation => entry
            .amount
            .filter(|_| entry.currency.is_none_or(|currency| currency == Currency::USD))
            .map(Amount::as_number),
        _ => Some(Number::ZERO),
    }
}
