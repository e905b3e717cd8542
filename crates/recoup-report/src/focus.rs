//! Predicted refunds as rows of FOCUS 1.2 (CSV), to lie beside the cost that they would take back.
//!
//! The convention, which `docs/focus.md` states for users: of the best exit that is open, every returned
//! item is a row of its own with ChargeCategory `Credit`, an empty ChargeClass and a BilledCost below
//! zero; coupons and vouchers are rows with BilledCost zero, since no bill shrinks by them; a fee is a row
//! with ChargeCategory `Adjustment` and BilledCost zero, since it is kept from the refund and not billed.
//! So BilledCost adds up to the predicted refund, below zero. What FOCUS has no column for stands in
//! columns of recoup's own, `x_Recoup...`; `x_RecoupAmount` is the figure of the row itself.
//!
//! ```
//! use recoup_report::focus::Focus;
//! use recoup_report::write_all;
//!
//! let mut out = Vec::new();
//! write_all(&mut Focus::new(&mut out), &recoup_report::sample::answers()?)?;
//! let text = String::from_utf8(out)?;
//! assert!(text.lines().nth(1).is_some_and(|row| row.starts_with("-1200.00,team-1,")));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;

use recoup_core::money::Amount;
use recoup_core::refund::{Refund, RefundQuote};
use recoup_core::ruling::RulingData;
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::Outcome;

use crate::machine::clause_id;
use crate::{Answered, Report};

/// The columns: those that FOCUS 1.2 makes mandatory, those that name the resource, and recoup's own.
pub const COLUMNS: &[&str] = &[
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ResourceId",
    "ResourceName",
    "ServiceCategory",
    "ServiceName",
    "x_RecoupProvider",
    "x_RecoupSite",
    "x_RecoupEdition",
    "x_RecoupAt",
    "x_RecoupExit",
    "x_RecoupOutcome",
    "x_RecoupPart",
    "x_RecoupAmount",
    "x_RecoupInstrument",
    "x_RecoupDestination",
    "x_RecoupExpiresAt",
    "x_RecoupUntil",
    "x_RecoupClause",
    "x_RecoupUnknownFact",
];

/// The ruling whose refund is written: that of the best exit, where it is open and its refund known.
#[must_use]
pub fn written(answered: &Answered) -> Option<(&RulingData, &RefundQuote)> {
    let ruling = answered.assessment.ruling(answered.assessment.best()?)?;
    let quote = ruling.refund.as_ref().filter(|_| ruling.outcome() != Outcome::Refused)?;
    (!quote.items().is_empty() || quote.fee().is_positive()).then_some((ruling, quote))
}

/// Writes predicted refunds as rows of FOCUS.
#[derive(Debug)]
pub struct Focus<W: io::Write> {
    out: csv::Writer<W>,
}

impl<W: io::Write> Focus<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out: csv::Writer::from_writer(out) }
    }
}

/// What one row says.
struct Part<'p> {
    category: &'p str,
    part: &'p str,
    billed: Amount,
    amount: Amount,
    instrument: &'p str,
    destination: &'p str,
    expires_at: Option<Instant>,
    says: String,
}

fn joined<'t>(items: impl Iterator<Item = &'t str>) -> String {
    let mut all: Vec<&str> = items.filter(|item| !item.is_empty()).collect();
    all.dedup();
    all.join("; ")
}

/// The calendar month in UTC that an instant falls in, as FOCUS writes billing periods.
fn billing_month(at: Instant) -> (Instant, Instant) {
    let day = Zone::UTC.date(at).to_string();
    let first = day.get(..8).and_then(|month| Instant::parse(&format!("{month}01"), Zone::UTC).ok()).unwrap_or(at);
    (first, Zone::UTC.add_months(first, 1))
}

impl<W: io::Write> Focus<W> {
    fn row(&mut self, answered: &Answered, ruling: &RulingData, quote: &RefundQuote, part: Part<'_>) -> io::Result<()> {
        let Answered { subject, policy, .. } = answered;
        let utc = |instant: Instant| instant.display(Zone::UTC).to_string();
        let at = ruling.effective_at.unwrap_or(subject.at);
        let (month, next) = billing_month(at);
        let billed = part.billed.to_string();
        let issuer = if policy.title.is_empty() { &subject.provider } else { &policy.title };
        let clauses = ruling
            .unknowns
            .iter()
            .map(|unknown| unknown.clause)
            .chain(ruling.review.as_ref().map(|review| review.because))
            .map(|clause| clause_id(answered, clause));
        let facts = ruling.unknowns.iter().filter_map(|unknown| unknown.fact.as_deref());
        let cells = [
            billed.clone(),
            subject.account.clone().unwrap_or_default(),
            String::new(),
            quote.currency().to_string(),
            utc(next),
            utc(month),
            part.category.to_owned(),
            String::new(),
            part.says,
            "One-Time".to_owned(),
            utc(at + Span::hours(1)),
            utc(at),
            billed.clone(),
            billed.clone(),
            issuer.clone(),
            billed,
            String::new(),
            String::new(),
            issuer.clone(),
            issuer.clone(),
            subject.resource.clone(),
            subject.name.clone().unwrap_or_default(),
            "Other".to_owned(),
            subject.product.clone(),
            subject.provider.clone(),
            subject.site.clone(),
            subject.edition.clone().unwrap_or_default(),
            utc(subject.at),
            ruling.exit.to_string(),
            ruling.outcome().to_string(),
            part.part.to_owned(),
            part.amount.to_string(),
            part.instrument.to_owned(),
            part.destination.to_owned(),
            part.expires_at.map(utc).unwrap_or_default(),
            ruling.until.map(utc).unwrap_or_default(),
            joined(clauses),
            joined(facts),
        ];
        self.out.write_record(&cells)?;
        Ok(())
    }
}

impl<W: io::Write> Report for Focus<W> {
    fn begin(&mut self) -> io::Result<()> {
        self.out.write_record(COLUMNS)?;
        Ok(())
    }

    fn add(&mut self, answered: &Answered) -> io::Result<()> {
        let Some((ruling, quote)) = written(answered) else { return Ok(()) };
        let exit = ruling.exit;
        for item in quote.items() {
            let billed = if item.instrument.is_money() { -item.amount } else { Amount::ZERO };
            let part = Part {
                category: "Credit",
                part: "returned",
                billed,
                amount: item.amount,
                instrument: item.instrument.as_str(),
                destination: item.to.as_str(),
                expires_at: item.expires_at,
                says: format!("Predicted refund, exit {exit}: {} {} to {}", item.amount, item.instrument, item.to),
            };
            self.row(answered, ruling, quote, part)?;
        }
        let fee = quote.fee();
        if fee.is_positive() {
            let part = Part {
                category: "Adjustment",
                part: "fee",
                billed: Amount::ZERO,
                amount: fee,
                instrument: "",
                destination: "",
                expires_at: None,
                says: format!("Fee kept from the predicted refund, exit {exit}: {fee}"),
            };
            self.row(answered, ruling, quote, part)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sample, write_all};

    fn rows() -> (csv::StringRecord, Vec<csv::StringRecord>) {
        let mut out = Vec::new();
        write_all(&mut Focus::new(&mut out), &sample::answers().unwrap()).unwrap();
        let mut reader = csv::Reader::from_reader(out.as_slice());
        (reader.headers().unwrap().clone(), reader.records().map(Result::unwrap).collect())
    }

    #[test]
    fn billed_cost_adds_up_to_the_predicted_refunds() {
        let expected: Amount = sample::answers()
            .unwrap()
            .iter()
            .filter_map(|answered| written(answered).map(|(_, quote)| quote.refund()))
            .sum();
        let billed: Amount = rows().1.iter().map(|row| row[0].parse::<Amount>().unwrap()).sum();
        assert_eq!(billed, -expected);
    }

    #[test]
    fn every_row_has_every_column() {
        let (header, rows) = rows();
        assert_eq!(header.iter().collect::<Vec<_>>(), COLUMNS);
        assert!(!rows.is_empty() && rows.iter().all(|row| row.len() == COLUMNS.len()));
    }

    #[test]
    fn a_coupon_shrinks_no_bill() {
        insta::assert_snapshot!(
            rows().1.iter().take(2).map(|row| row.iter().collect::<Vec<_>>().join(",")).collect::<Vec<_>>().join("\n"),
            @r"
        -1200.00,team-1,,USD,2024-12-01T00:00:00Z,2024-11-01T00:00:00Z,Credit,,Predicted refund, exit full_refund: 1200.00 cash to account_balance,One-Time,2024-11-19T17:00:00Z,2024-11-19T16:00:00Z,-1200.00,-1200.00,Example Cloud,-1200.00,,,Example Cloud,Example Cloud,vm-1,web server,Other,vm,example,intl,2024-10-29,2024-11-19T16:00:00Z,full_refund,allowed,returned,1200.00,cash,account_balance,,2024-11-22T16:00:00Z,,
        0.00,team-1,,USD,2024-12-01T00:00:00Z,2024-11-01T00:00:00Z,Credit,,Predicted refund, exit full_refund: 20.00 cash_coupon to cash_coupon,One-Time,2024-11-19T17:00:00Z,2024-11-19T16:00:00Z,0.00,0.00,Example Cloud,0.00,,,Example Cloud,Example Cloud,vm-1,web server,Other,vm,example,intl,2024-10-29,2024-11-19T16:00:00Z,full_refund,allowed,returned,20.00,cash_coupon,cash_coupon,,2024-11-22T16:00:00Z,,
        "
        );
    }
}
