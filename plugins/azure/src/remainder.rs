//! The value of the remaining term: by days for a plan paid upfront, by payment months for a monthly
//! one (policy page, section 6).

use recoup_core::prelude::*;

use crate::clause;
use crate::held::{Held, Leaving};

/// What is left of a reservation, on any day.
#[derive(Debug, Clone)]
pub(crate) struct Remainder {
    /// What was paid for the part that leaves.
    pub(crate) ledger: Ledger,
    /// Future payments of that part that are cancelled; none where it is paid upfront.
    pub(crate) released: Option<Amount>,
    /// The first UTC day of the term.
    first_day: Instant,
    /// The UTC day on which it expires.
    pub(crate) last_day: Instant,
    zone: Zone,
    plan: Plan,
}

#[derive(Debug, Clone)]
enum Plan {
    /// The lower of the price paid and today's.
    Upfront { price: Amount },
    /// What was charged month by month, for how many months, today's instalment where it is lower, and
    /// what each of the months charged cost where that is shown.
    Monthly { instalment: Exact, charged: Exact, lower: Option<Exact>, months: i32, shown: Option<Vec<Amount>> },
}

impl Remainder {
    /// Reads what a resource says of its price; what is missing becomes an unknown of the ruling.
    pub(crate) fn of<R: Resource>(
        resource: &R,
        cx: &Context<'_>,
        held: &Held,
        ruling: &mut Ruling<'_>,
    ) -> Option<Self> {
        let lacks = |ruling: &mut Ruling<'_>, field: &'static str| {
            ruling.no_figure(clause::RI_FORMULA, Reason::PriceUnknown, Some(field));
        };
        let leaving = Leaving::of(resource, cx);
        let today = cx
            .figure(resource, Figure::CurrentPrice)
            .or_else(|| resource.price_terms().and_then(|terms| terms.current));
        if today.is_none() {
            ruling.unknown(clause::RI_LOWER_PRICE, Reason::PriceChanged, Some(Figure::CurrentPrice.as_str()));
        }
        let today = today.filter(|_| cx.in_force(clause::RI_LOWER_PRICE));
        if held.starts_at.is_none() {
            lacks(ruling, "starts_at");
        }
        if held.ends_at.is_none() {
            lacks(ruling, "ends_at");
        }
        let ledger = match held.ledger(resource, cx) {
            Ok(ledger) => ledger,
            Err(missing) => {
                ruling.missing(clause::RI_FORMULA, missing);
                return None;
            }
        };
        let day = |instant: Instant| cx.zone.midnight(cx.zone.date(instant));
        let (first_day, last_day) = (day(held.starts_at?), day(held.ends_at?));
        let commitment = resource.commitment().unwrap_or_default();
        let monthly = match commitment.payment_option {
            Some(PaymentOption::AllUpfront) => false,
            Some(PaymentOption::Monthly | PaymentOption::NoUpfront) => true,
            None if commitment.recurring.is_some() => true,
            None if commitment.upfront.is_some() => false,
            Some(PaymentOption::PartialUpfront) | None => {
                lacks(ruling, "commitment.payment_option");
                return None;
            }
        };
        ruling.cite(clause::RI_FORMULA);
        ruling.cite_if(clause::RI_FORMULA_API, !monthly);
        ruling.cite_if(clause::RI_MONTHLY, monthly);
        let paid = ledger.paid();
        let currency = ledger.currency();
        if !monthly {
            let today = today.map(|price| leaving.of_whole(price).round(currency));
            let price = today.filter(|price| *price < paid).unwrap_or(paid);
            ruling.cite_if(clause::RI_LOWER_PRICE, price < paid);
            let plan = Plan::Upfront { price };
            return Some(Self { ledger, released: None, first_day, last_day, zone: cx.zone, plan });
        }
        let by_dates = || Some(cx.zone.months_between(first_day, last_day)).filter(|months| *months > 0);
        let months = commitment.term_months.and_then(|months| i32::try_from(months).ok()).or_else(by_dates);
        let (Some(recurring), Some(months)) = (commitment.recurring, months) else {
            lacks(ruling, if months.is_some() { "commitment.recurring" } else { "commitment.term_months" });
            return None;
        };
        let instalment = leaving.of_whole(recurring);
        let lower = today
            .map(|price| leaving.of_whole(price).over(i64::from(months)))
            .filter(|lower| instalment.minus(lower).is_positive());
        ruling.cite_if(clause::RI_LOWER_PRICE, lower.is_some());
        let begun = cx.zone.months_between(first_day, day(cx.at)).max(0);
        let shown = single_payments(&ledger, begun);
        ruling.cite_if(clause::RI_FX_MONTHLY, shown.is_some());
        let paid_so_far = Exact::from(
            held.orders(resource, cx.at)
                .filter_map(|order| order.payments().map(|payments| payments.map(|payment| payment.amount).sum()))
                .sum::<Amount>(),
        );
        let still_owed = Exact::from(recurring).times(i64::from(months)).minus(&paid_so_far).floor_zero();
        let released = Some(leaving.of_whole(still_owed).round(currency));
        // Counted in the whole: a part of what was paid is already rounded to the cent.
        let charged = if recurring.is_positive() { paid_so_far.over(recurring) } else { Exact::ZERO };
        let plan = Plan::Monthly { instalment, charged, lower, months, shown };
        Some(Self { ledger, released, first_day, last_day, zone: cx.zone, plan })
    }

    /// What would come back on a UTC day: what was paid less what is consumed, rounded half up.
    pub(crate) fn back_on(&self, day: Instant) -> Amount {
        let paid = self.ledger.paid();
        let currency = self.ledger.currency();
        let back = match &self.plan {
            Plan::Upfront { price } => {
                let term = self.zone.days_between(self.first_day, self.last_day);
                let elapsed = self.zone.days_between(self.first_day, day).clamp(0, term.max(0));
                *price - Exact::from(*price).times_ratio(elapsed, term).round(currency)
            }
            Plan::Monthly { instalment, charged, lower, months, shown } => {
                let over = self.zone.months_between(self.first_day, day).clamp(0, *months);
                let begin = self.zone.add_months(self.first_day, over);
                let end = self.zone.add_months(self.first_day, over + 1);
                let gone = if over == *months { 0 } else { self.zone.days_between(begin, day).max(0) };
                let length = self.zone.days_between(begin, end);
                match (shown, lower) {
                    // The months charged and not over, each at the lower of its price and today's.
                    (Some(amounts), _) => {
                        let unit = |amount: &Amount| match lower {
                            Some(lower) => Exact::from(*amount).at_most(lower.clone()),
                            None => Exact::from(*amount),
                        };
                        let rest = usize::try_from(over).ok().and_then(|over| amounts.get(over..)).unwrap_or_default();
                        let used = rest.first().map_or(Exact::ZERO, |current| unit(current).times_ratio(gone, length));
                        let charged = rest.iter().fold(Exact::ZERO, |sum, amount| sum.plus(&unit(amount)));
                        charged.minus(&Exact::from(used.round(currency))).round(currency)
                    }
                    (None, Some(lower)) => {
                        let charged = charged.clone().times(lower.clone());
                        let used = lower.times_ratio(gone, length).round(currency);
                        charged.minus(&lower.times(i64::from(over))).minus(&Exact::from(used)).round(currency)
                    }
                    (None, None) => {
                        let months = Exact::from(i64::from(over)).plus(&Exact::ratio(gone, length));
                        paid - instalment.times(months).round(currency)
                    }
                }
            }
        };
        back.floor_zero().at_most(paid)
    }

    /// The remaining commitment on a UTC day: what would come back and what is no longer owed.
    pub(crate) fn commitment_on(&self, day: Instant) -> Amount {
        self.back_on(day) + self.released.unwrap_or_default()
    }

    /// The UTC day of an instant, by its midnight.
    pub(crate) fn day(&self, at: Instant) -> Instant {
        self.zone.midnight(self.zone.date(at))
    }

    /// The arithmetic, for people.
    pub(crate) fn explain(&self, at: Instant, ruling: &mut Ruling<'_>) {
        let day = self.day(at);
        ruling.line("remaining", || {
            let elapsed = self.zone.days_between(self.first_day, day);
            let term = self.zone.days_between(self.first_day, self.last_day);
            let (paid, back) = (self.ledger.paid(), self.back_on(day));
            match &self.plan {
                Plan::Upfront { price } => {
                    format!("price {price} of {paid} paid, day {elapsed} of {term} (UTC): {back} left")
                }
                Plan::Monthly { instalment, .. } => {
                    let over = self.zone.months_between(self.first_day, day);
                    format!("{paid} paid in instalments of {instalment}, {over} payment months over: {back} left")
                }
            }
        });
        if let Some(released) = self.released {
            ruling.line("released", || format!("{released} of future payments no longer owed"));
        }
    }
}

/// The payments of single months, where the record shows one for each month charged so far
/// (`az.ri.fx-monthly`): all by one instrument, as many as months have begun, the current one charged
/// or not.
fn single_payments(ledger: &Ledger, over: i32) -> Option<Vec<Amount>> {
    let count = i32::try_from(ledger.payments().count()).ok()?;
    let instrument = ledger.payments().next()?.instrument;
    let one = ledger.payments().all(|payment| payment.instrument == instrument);
    let months = one && count > 1 && (count == over || count == over + 1);
    months.then(|| ledger.payments().map(|payment| payment.amount).collect())
}
