//! Assessments into columns, by an adapter.
//!
//! What every ruling says is kept as one [`Line`] a ruling and turned into columns when the batch is closed: that
//! is a short loop a column. What few rulings say goes into columns that cost nothing where it is missing.

use std::cell::LazyCell;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Decimal128Type, TimestampMicrosecondType, UInt8Type, UInt16Type, UInt32Type,
};
use arrow_array::{ArrayRef, BooleanArray, PrimitiveArray, StructArray};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType};
use recoup_core::assessment::Assessment;
use recoup_core::context::{Place, QuotaDraw};
use recoup_core::money::Currency;
use recoup_core::policy::ClauseId;
use recoup_core::refund::{Refund, RefundQuote, Returned};
use recoup_core::ruling::{Refusal, RulingData, Step, Unknown, Verdict};
use recoup_core::time::Instant;
use recoup_core::vocab::{Channel, Exit, Outcome, Reason};

use crate::answers::VERDICTS;
use crate::columns::{Bounds, Decimals, Texts, Times, Values, all_but, labelled, labels_at, lists, only, record};
use crate::schema::{self, DECIMAL, timestamp};

type Codes = Values<UInt8Type>;
type Clauses = Values<UInt16Type>;
type Counts = Values<UInt32Type>;

fn verdict_code(verdict: Verdict) -> u8 {
    VERDICTS.iter().position(|other| *other == verdict).and_then(|place| u8::try_from(place).ok()).unwrap_or(0)
}

/// A column without gaps.
fn column<T: ArrowPrimitiveType>(values: Vec<T::Native>, nulls: Option<NullBuffer>, data_type: DataType) -> ArrayRef {
    Arc::new(PrimitiveArray::<T>::new(ScalarBuffer::from(values), nulls).with_data_type(data_type))
}

/// Which of some cells are there, as Arrow wants it.
fn nulls<L>(lines: &[L], is_there: impl Fn(&L) -> bool) -> Option<NullBuffer> {
    let word = |lines: &[L]| lines.iter().rev().fold(0_u64, |word, line| word << 1 | u64::from(is_there(line)));
    let words: Vec<u64> = lines.chunks(64).map(word).collect();
    let bits = BooleanBuffer::new(Buffer::from_vec(words), 0, lines.len());
    Some(NullBuffer::new(bits)).filter(|nulls| nulls.null_count() > 0)
}

/// What every assessment says.
#[derive(Debug, Clone, Copy)]
struct Heading {
    at: i64,
    /// Which of the places in which resources were ruled; none where it could not be assessed.
    place: u32,
    /// Up to which of all rulings its own go.
    rulings: i32,
    outcome: Outcome,
    best: Option<Exit>,
}

/// What every ruling says.
#[derive(Debug, Clone, Copy)]
struct Line {
    until: Option<Instant>,
    /// Up to which of all refusals its own go, and so on.
    refusals: i32,
    unknowns: i32,
    effects: u16,
    exit: Exit,
    channel: Option<Channel>,
}

/// What every refund says.
#[derive(Debug, Clone, Copy)]
struct Money {
    /// Of which of all rulings.
    row: usize,
    paid: i128,
    fee: i128,
    consumed: i128,
    forfeited: i128,
    currency: Currency,
    /// At a resale nothing is said of what was consumed or lost.
    speaks_of_use: bool,
}

impl Money {
    #[inline]
    fn of(row: usize, refund: &RefundQuote) -> Self {
        let (consumed, forfeited) = (refund.consumed(), refund.forfeited());
        Self {
            row,
            paid: refund.paid().units(),
            fee: refund.fee().units(),
            consumed: consumed.unwrap_or_default().units(),
            forfeited: forfeited.unwrap_or_default().units(),
            currency: refund.currency(),
            speaks_of_use: consumed.is_some(),
        }
    }
}

/// What every unknown says besides the fact to check.
#[derive(Debug, Clone, Copy)]
struct Open {
    clause: ClauseId,
    reason: Reason,
    assumed: Option<bool>,
}

/// Up to which of all elements those of a row go. What does not fit is refused when the column is closed.
#[inline]
fn end_of<T>(elements: &[T]) -> i32 {
    i32::try_from(elements.len()).unwrap_or(i32::MAX)
}

/// Assessments on their way into a batch.
#[derive(Debug, Default)]
pub struct AnswerWriter<'a> {
    headings: Vec<Heading>,
    /// The site and the edition of each place.
    places: Vec<(&'a str, Option<&'a str>)>,
    error: Texts,
    lines: Vec<Line>,
    refusals: Vec<Refusal>,
    refunds: Vec<Money>,
    returned_of: Bounds,
    returned: Vec<Returned>,
    unknowns: Vec<Open>,
    unknown_fact: Texts,
    effective_at: Times,
    released: Decimals,
    carry_over: Decimals,
    charge: Decimals,
    proceeds: Decimals,
    review_by: Texts,
    review_clause: Clauses,
    review_hours: Counts,
    settlement_days: Counts,
    settlement_kind: Codes,
    quota: Bounds,
    quota_name: Texts,
    quota_limit: Decimals,
    quota_used: Decimals,
    quota_draws: Decimals,
    quota_window: Texts,
    steps: Bounds,
    step_clause: Clauses,
    step_verdict: Codes,
    step_label: Texts,
    step_text: Texts,
}

impl<'a> AnswerWriter<'a> {
    /// A writer with room for so many assessments of about two rulings each.
    #[must_use]
    pub fn with_room_for(rows: usize) -> Self {
        let rulings = rows.saturating_mul(2);
        let mut writer = Self {
            headings: Vec::with_capacity(rows),
            lines: Vec::with_capacity(rulings),
            refusals: Vec::with_capacity(rulings),
            refunds: Vec::with_capacity(rows),
            returned: Vec::with_capacity(rows),
            unknowns: Vec::with_capacity(rulings),
            ..Self::default()
        };
        // The names of facts are some twenty letters long.
        writer.unknown_fact.reserve(rulings, 20);
        writer.settlement_days.reserve(rulings);
        writer.settlement_kind.reserve(rulings);
        writer
    }

    /// Makes a place known in which resources are ruled, and gives its number.
    pub fn place(&mut self, place: &Place<'a>) -> u32 {
        let said = (place.site(), place.edition());
        let number = self.places.iter().position(|known| *known == said).unwrap_or_else(|| {
            self.places.push(said);
            self.places.len() - 1
        });
        u32::try_from(number).unwrap_or(u32::MAX)
    }

    /// Adds the assessment of the next resource, made at an instant in a place.
    pub fn push(&mut self, place: u32, at: Instant, assessment: &Assessment) {
        for ruling in assessment.ranked() {
            self.ruling(ruling);
        }
        self.headings.push(Heading {
            at: at.micros(),
            place,
            rulings: end_of(&self.lines),
            outcome: assessment.outcome(),
            best: assessment.best(),
        });
    }

    /// States that the next resource could not be assessed.
    pub fn push_error(&mut self, error: &str) {
        self.error.put(self.headings.len(), error);
        self.headings.push(Heading {
            at: 0,
            place: u32::MAX,
            rulings: end_of(&self.lines),
            outcome: Outcome::Refused,
            best: None,
        });
    }

    #[inline]
    fn ruling(&mut self, ruling: &RulingData) {
        let row = self.lines.len();
        self.refusals.extend(ruling.refusals.iter().copied());
        if !ruling.unknowns.is_empty() {
            self.unknowns(&ruling.unknowns);
        }
        if let Some(refund) = &ruling.refund {
            self.refunds.push(Money::of(row, refund));
            self.returned_of.put(row, refund.items().len());
            self.returned.extend(refund.items().iter().copied());
            if !refund.is_plain() {
                self.rare(row, refund);
            }
        }
        self.lines.push(Line {
            until: ruling.until,
            refusals: end_of(&self.refusals),
            unknowns: end_of(&self.unknowns),
            effects: ruling.effects.bits(),
            exit: ruling.exit,
            channel: ruling.channel,
        });
        if let Some(instant) = ruling.effective_at {
            self.effective_at.put(row, instant.micros());
        }
        if let Some(review) = &ruling.review {
            self.review_by.put(row, &review.by);
            self.review_clause.put(row, review.because.0);
            if let Some(hours) = review.approved_after_hours {
                self.review_hours.put(row, hours);
            }
        }
        if let Some(settlement) = ruling.settlement {
            self.settlement_days.put(row, settlement.within_days);
            if let Some(kind) = settlement.day_kind {
                self.settlement_kind.put(row, kind.code());
            }
        }
        if !ruling.quota.is_empty() {
            self.quota(row, &ruling.quota);
        }
        if !ruling.steps.is_empty() {
            self.steps(row, &ruling.steps);
        }
    }

    fn unknowns(&mut self, unknowns: &[Unknown]) {
        for unknown in unknowns {
            if let Some(fact) = &unknown.fact {
                self.unknown_fact.put(self.unknowns.len(), fact);
            }
            self.unknowns.push(Open { clause: unknown.clause, reason: unknown.reason, assumed: unknown.assumed });
        }
    }

    /// What only a resale, an exchange or a commitment has.
    #[cold]
    fn rare(&mut self, row: usize, refund: &RefundQuote) {
        for (column, amount) in [
            (&mut self.released, refund.released()),
            (&mut self.carry_over, refund.carried_over()),
            (&mut self.charge, refund.charge()),
            (&mut self.proceeds, refund.proceeds()),
        ] {
            if let Some(amount) = amount {
                column.put(row, amount.units());
            }
        }
    }

    fn quota(&mut self, row: usize, draws: &[QuotaDraw]) {
        self.quota.put(row, draws.len());
        for draw in draws {
            self.quota_name.push(Some(&draw.name));
            self.quota_limit.number(draw.limit);
            self.quota_used.number(draw.used);
            self.quota_draws.number(draw.draws);
            self.quota_window.push(draw.window.name().as_deref());
        }
    }

    #[cold]
    fn steps(&mut self, row: usize, steps: &[Step]) {
        self.steps.put(row, steps.len());
        for step in steps {
            let (clause, label) = match step {
                Step::Clause(clause, verdict) => (Some((clause.0, verdict_code(*verdict))), None),
                Step::Line(label, text) => (None, Some((label.as_ref(), text.as_str()))),
            };
            self.step_clause.push(clause.map(|(clause, _)| clause));
            self.step_verdict.push(clause.map(|(_, verdict)| verdict));
            self.step_label.push(label.map(|(label, _)| label));
            self.step_text.push(label.map(|(_, text)| text));
        }
    }

    /// Closes the batch.
    ///
    /// # Errors
    /// Where Arrow refuses the columns: there is more of something than a column may hold.
    pub fn finish(mut self) -> Result<StructArray, ArrowError> {
        let rulings = self.finish_rulings()?;
        let headings = self.headings.as_slice();
        let ends = headings.iter().map(|heading| heading.rulings);
        let label = |of: fn(&(&'a str, Option<&'a str>)) -> Option<&'a str>| {
            let labels: Vec<Option<&str>> = self.places.iter().map(of).collect();
            let places = headings.iter().map(|heading| usize::try_from(heading.place).unwrap_or(usize::MAX));
            labelled(&places, &labels)
        };
        let columns = vec![
            self.error.close(headings.len()).finish()?,
            label(|(site, _)| Some(site))?,
            label(|(_, edition)| *edition)?,
            column::<TimestampMicrosecondType>(headings.iter().map(|heading| heading.at).collect(), None, timestamp()),
            codes(headings, |heading| heading.outcome.code()),
            optional_codes(headings, |heading| heading.best.map(Exit::code)),
            lists(ends, rulings)?,
        ];
        record(schema::assessment(), columns, None, headings.len())
    }

    fn finish_rulings(&mut self) -> Result<StructArray, ArrowError> {
        let lines = std::mem::take(&mut self.lines);
        let rows = lines.len();
        let until = lines.iter().map(|line| line.until.map_or(0, Instant::micros)).collect();
        let until = column::<TimestampMicrosecondType>(until, nulls(&lines, |line| line.until.is_some()), timestamp());
        let refusals = self.finish_refusals()?;
        let unknowns = self.finish_unknowns()?;
        let quota = self.finish_quota()?;
        let steps = self.finish_steps()?;
        let columns = vec![
            codes(&lines, |line| line.exit.code()),
            optional_codes(&lines, |line| line.channel.map(Channel::code)),
            column::<UInt16Type>(lines.iter().map(|line| line.effects).collect(), None, DataType::UInt16),
            until,
            self.effective_at.close(rows).finish_time(),
            lists(lines.iter().map(|line| line.refusals), refusals)?,
            lists(lines.iter().map(|line| line.unknowns), unknowns)?,
            self.finish_refunds(rows)?,
            self.review_by.close(rows).finish()?,
            self.review_clause.close(rows).finish(),
            self.review_hours.close(rows).finish(),
            self.settlement_days.close(rows).finish(),
            self.settlement_kind.close(rows).finish(),
            self.quota.close(rows).finish(quota)?,
            self.steps.close(rows).finish(steps)?,
        ];
        record(schema::ruling(), columns, None, rows)
    }

    fn finish_refunds(&mut self, rows: usize) -> Result<ArrayRef, ArrowError> {
        let refunds = std::mem::take(&mut self.refunds);
        let decimals = |of: fn(&Money) -> i128, nulls| {
            let mut values = vec![0; rows];
            for refund in &refunds {
                if let Some(place) = values.get_mut(refund.row) {
                    *place = of(refund);
                }
            }
            column::<Decimal128Type>(values, nulls, DECIMAL)
        };
        // What stands in a row without a refund means nothing.
        let is_silent = refunds.iter().filter(|refund| !refund.speaks_of_use).map(|refund| refund.row);
        let use_is_known = all_but(rows, is_silent);
        let returned = self.finish_returned()?;
        // Few batches have any of these: all that have none share one column.
        let blank: LazyCell<ArrayRef, _> = LazyCell::new(|| Decimals::default().close(rows).finish_decimal());
        let or_blank = |column: &mut Decimals| {
            if column.is_blank() { Arc::clone(&blank) } else { column.close(rows).finish_decimal() }
        };
        let columns = vec![
            labels_at(rows, refunds.iter().map(|refund| (refund.row, refund.currency.as_str())))?,
            decimals(|money| money.paid, None),
            decimals(|money| money.consumed, use_is_known.clone()),
            decimals(|money| money.fee, None),
            decimals(|money| money.forfeited, use_is_known),
            or_blank(&mut self.released),
            or_blank(&mut self.carry_over),
            or_blank(&mut self.charge),
            or_blank(&mut self.proceeds),
            self.returned_of.close(rows).finish(returned)?,
        ];
        let present = only(rows, refunds.iter().map(|refund| refund.row));
        Ok(Arc::new(record(schema::refund(), columns, present, rows)?))
    }

    fn finish_returned(&mut self) -> Result<StructArray, ArrowError> {
        let items = std::mem::take(&mut self.returned);
        let expires_at = items.iter().map(|item| item.expires_at.map_or(0, Instant::micros)).collect();
        let expires = nulls(&items, |item| item.expires_at.is_some());
        let columns = vec![
            codes(&items, |item| item.instrument.code()),
            column::<Decimal128Type>(items.iter().map(|item| item.amount.units()).collect(), None, DECIMAL),
            codes(&items, |item| item.to.code()),
            column::<TimestampMicrosecondType>(expires_at, expires, timestamp()),
        ];
        record(schema::returned(), columns, None, items.len())
    }

    fn finish_refusals(&mut self) -> Result<StructArray, ArrowError> {
        let refusals = std::mem::take(&mut self.refusals);
        let clauses = refusals.iter().map(|refusal| refusal.clause.0).collect();
        let columns = vec![
            column::<UInt16Type>(clauses, None, DataType::UInt16),
            codes(&refusals, |refusal| refusal.reason.code()),
        ];
        record(schema::refusal(), columns, None, refusals.len())
    }

    fn finish_unknowns(&mut self) -> Result<StructArray, ArrowError> {
        let unknowns = std::mem::take(&mut self.unknowns);
        let rows = unknowns.len();
        let yes = |row: usize| unknowns.get(row).is_some_and(|unknown| unknown.assumed == Some(true));
        let yes = BooleanBuffer::collect_bool(rows, yes);
        let assumed = BooleanArray::new(yes, nulls(&unknowns, |unknown| unknown.assumed.is_some()));
        let columns = vec![
            column::<UInt16Type>(unknowns.iter().map(|unknown| unknown.clause.0).collect(), None, DataType::UInt16),
            codes(&unknowns, |unknown| unknown.reason.code()),
            self.unknown_fact.close(rows).finish()?,
            Arc::new(assumed),
        ];
        record(schema::unknown(), columns, None, rows)
    }

    fn finish_quota(&mut self) -> Result<StructArray, ArrowError> {
        let rows = self.quota.items();
        let columns = vec![
            self.quota_name.finish()?,
            self.quota_limit.finish_decimal(),
            self.quota_used.finish_decimal(),
            self.quota_draws.finish_decimal(),
            self.quota_window.finish()?,
        ];
        record(schema::quota(), columns, None, rows)
    }

    fn finish_steps(&mut self) -> Result<StructArray, ArrowError> {
        let rows = self.steps.items();
        let columns = vec![
            self.step_clause.finish(),
            self.step_verdict.finish(),
            self.step_label.finish()?,
            self.step_text.finish()?,
        ];
        record(schema::step(), columns, None, rows)
    }
}

fn codes<L>(lines: &[L], code: impl Fn(&L) -> u8) -> ArrayRef {
    column::<UInt8Type>(lines.iter().map(code).collect(), None, DataType::UInt8)
}

fn optional_codes<L>(lines: &[L], code: impl Fn(&L) -> Option<u8>) -> ArrayRef {
    let values = lines.iter().map(|line| code(line).unwrap_or(0)).collect();
    column::<UInt8Type>(values, nulls(lines, |line| code(line).is_some()), DataType::UInt8)
}
