//! Sums by outcome and currency. Amounts of different currencies are never added.
//!
//! ```
//! use recoup_core::vocab::Outcome;
//! use recoup_report::totals::Totals;
//!
//! let mut totals = Totals::default();
//! for answered in &recoup_report::sample::answers()? {
//!     totals.add(answered);
//! }
//! assert_eq!(totals.count(Outcome::Allowed), 1);
//! let (_, currency, sum) = totals.sums().next().ok_or("no sum")?;
//! assert_eq!((currency.as_str(), sum.refund.to_string().as_str()), ("USD", "1200.00"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::collections::BTreeMap;

use recoup_core::money::{Amount, Currency};
use recoup_core::refund::{Refund, RefundQuote};
use recoup_core::vocab::Outcome;

use crate::{Answered, line};

/// What the best exits of some resources add up to, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sum {
    /// How many resources.
    pub resources: usize,
    /// What stands to be divided: what was paid, or the proceeds at a resale.
    pub paid: Amount,
    /// What comes back as money.
    pub refund: Amount,
    /// What comes back as coupons and vouchers.
    pub coupons: Amount,
    /// What is kept: consumption, fees and what is forfeited.
    pub kept: Amount,
    /// What exchanges carry over.
    pub carried_over: Amount,
    /// New money that the exits cost. It stands outside the equation.
    pub charged: Amount,
    /// Future payments no longer owed. They stand outside the equation.
    pub released: Amount,
}

impl Sum {
    fn add(&mut self, quote: &RefundQuote) {
        self.resources += 1;
        self.paid += quote.proceeds().unwrap_or(quote.paid());
        self.refund += quote.refund();
        self.coupons += quote.items().iter().filter(|item| !item.instrument.is_money()).map(|item| item.amount).sum();
        self.kept += line::kept(quote);
        self.carried_over += quote.carried_over().unwrap_or_default();
        self.charged += quote.charge().unwrap_or_default();
        self.released += quote.released().unwrap_or_default();
    }
}

/// Counts by outcome, and sums by outcome and currency of what the best open exits give back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    counts: BTreeMap<Outcome, usize>,
    without_figure: BTreeMap<Outcome, usize>,
    sums: BTreeMap<(Outcome, Currency), Sum>,
}

impl Totals {
    /// Adds a resource.
    pub fn add(&mut self, answered: &Answered) {
        let outcome = answered.assessment.outcome();
        *self.counts.entry(outcome).or_default() += 1;
        if outcome == Outcome::Refused {
            return;
        }
        match line::best(answered).and_then(|ruling| ruling.refund.as_ref()) {
            Some(quote) => self.sums.entry((outcome, quote.currency())).or_default().add(quote),
            None => *self.without_figure.entry(outcome).or_default() += 1,
        }
    }

    /// How many resources there are.
    #[must_use]
    pub fn resources(&self) -> usize {
        self.counts.values().sum()
    }

    /// How many resources have an outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.counts.get(&outcome).copied().unwrap_or_default()
    }

    /// How many resources with an outcome have an open exit whose figure is not known.
    #[must_use]
    pub fn without_figure(&self, outcome: Outcome) -> usize {
        self.without_figure.get(&outcome).copied().unwrap_or_default()
    }

    /// The sums: allowed before conditional, then by currency.
    pub fn sums(&self) -> impl Iterator<Item = (Outcome, Currency, &Sum)> {
        self.sums.iter().map(|((outcome, currency), sum)| (*outcome, *currency, sum))
    }

    /// One sentence: how many of how many.
    #[must_use]
    pub fn sentence(&self) -> String {
        let resources = self.resources();
        let plural = if resources == 1 { "" } else { "s" };
        let counts: Vec<String> =
            Outcome::ALL.iter().map(|outcome| format!("{} {outcome}", self.count(*outcome))).collect();
        let gaps: usize = self.without_figure.values().sum();
        let gaps = if gaps == 0 { String::new() } else { format!("; {gaps} with no known figure, in no sum") };
        format!("{resources} resource{plural}: {}{gaps}", counts.join(", "))
    }

    /// The sums as rows of words: outcome, currency, resources, then amounts. Columns in which nothing
    /// stands are left out. The first row holds the headings.
    pub(crate) fn rows(&self) -> Vec<Vec<String>> {
        type Column = (&'static str, bool, fn(&Sum) -> Amount);
        let columns: [Column; 6] = [
            ("refund", true, |sum| sum.refund),
            ("kept", true, |sum| sum.kept),
            ("coupons back", false, |sum| sum.coupons),
            ("carried over", false, |sum| sum.carried_over),
            ("charged", false, |sum| sum.charged),
            ("released", false, |sum| sum.released),
        ];
        let shown: Vec<&Column> = columns
            .iter()
            .filter(|(_, always, of)| *always || self.sums.values().any(|sum| !of(sum).is_zero()))
            .collect();
        let mut rows = vec![
            ["total", "currency", "resources"]
                .into_iter()
                .chain(shown.iter().map(|column| column.0))
                .map(str::to_owned)
                .collect(),
        ];
        for (outcome, currency, sum) in self.sums() {
            let mut row: Vec<String> = vec![outcome.to_string(), currency.to_string(), sum.resources.to_string()];
            row.extend(shown.iter().map(|(_, always, of)| match of(sum) {
                nothing if nothing.is_zero() && !always => "-".to_owned(),
                amount => amount.to_string(),
            }));
            rows.push(row);
        }
        rows
    }
}
