//! Assessments as columns, read and checked by a host. [`writer`](crate::writer) writes them.

use std::borrow::Cow;

use arrow_array::types::{UInt16Type, UInt32Type};
use arrow_array::{
    Array, Decimal128Array, ListArray, StringArray, StructArray, TimestampMicrosecondArray, UInt8Array, UInt16Array,
    UInt32Array,
};
use recoup_core::assessment::Assessment;
use recoup_core::context::{QuotaDraw, Window};
use recoup_core::policy::ClauseId;
use recoup_core::refund::{RefundParts, RefundQuote, Returned};
use recoup_core::ruling::{EffectSet, Refusal, Review, RulingData, Settlement, Step, Unknown, Verdict};
use recoup_core::time::Instant;
use recoup_core::vocab::{Channel, DayKind, Destination, Effect, Exit, Instrument, Outcome, Reason};

use crate::rows::{Columns, SchemaError, amount_at, code_at, number_at, range_at, text_at, time_at};

pub(crate) const VERDICTS: [Verdict; 4] = [Verdict::Refuses, Verdict::Unknown, Verdict::Passes, Verdict::Applies];

/// Of what, by what and when an assessment speaks, as the batch of answers lends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// The site by whose rules it was made.
    pub site: &'a str,
    /// The edition in force.
    pub edition: Option<&'a str>,
    /// The instant asked about.
    pub at: Instant,
}

/// An assessment as it came over the boundary.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The site by whose rules it was made.
    pub site: String,
    /// The edition in force.
    pub edition: Option<String>,
    /// The instant asked about.
    pub at: Instant,
    /// The rulings, best first.
    pub assessment: Assessment,
}

struct RefundReader<'a> {
    array: &'a StructArray,
    currency: &'a StringArray,
    paid: &'a Decimal128Array,
    consumed: &'a Decimal128Array,
    fee: &'a Decimal128Array,
    forfeited: &'a Decimal128Array,
    released: &'a Decimal128Array,
    carry_over: &'a Decimal128Array,
    charge: &'a Decimal128Array,
    proceeds: &'a Decimal128Array,
    returned: &'a ListArray,
    instrument: &'a UInt8Array,
    amount: &'a Decimal128Array,
    to: &'a UInt8Array,
    expires_at: &'a TimestampMicrosecondArray,
}

/// A batch of assessments, its columns resolved and checked.
pub struct Answers<'a> {
    len: usize,
    clauses: usize,
    error: &'a StringArray,
    site: &'a StringArray,
    edition: &'a StringArray,
    at: &'a TimestampMicrosecondArray,
    outcome: &'a UInt8Array,
    best: &'a UInt8Array,
    rulings: &'a ListArray,
    exit: &'a UInt8Array,
    channel: &'a UInt8Array,
    effects: &'a UInt16Array,
    until: &'a TimestampMicrosecondArray,
    effective_at: &'a TimestampMicrosecondArray,
    refusals: &'a ListArray,
    refusal_clause: &'a UInt16Array,
    refusal_reason: &'a UInt8Array,
    unknowns: &'a ListArray,
    unknown_clause: &'a UInt16Array,
    unknown_reason: &'a UInt8Array,
    unknown_fact: &'a StringArray,
    unknown_assumed: &'a arrow_array::BooleanArray,
    refund: RefundReader<'a>,
    review_by: &'a StringArray,
    review_clause: &'a UInt16Array,
    review_hours: &'a UInt32Array,
    settlement_days: &'a UInt32Array,
    settlement_kind: &'a UInt8Array,
    quota: &'a ListArray,
    quota_name: &'a StringArray,
    quota_limit: &'a Decimal128Array,
    quota_used: &'a Decimal128Array,
    quota_draws: &'a Decimal128Array,
    quota_window: &'a StringArray,
    steps: &'a ListArray,
    step_clause: &'a UInt16Array,
    step_verdict: &'a UInt8Array,
    step_label: &'a StringArray,
    step_text: &'a StringArray,
}

impl std::fmt::Debug for Answers<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answers").field("len", &self.len).finish_non_exhaustive()
    }
}

impl<'a> Answers<'a> {
    /// Resolves and checks a batch of assessments, whose clauses are numbered below `clauses`.
    ///
    /// # Errors
    /// Where a column is missing, has another type, or holds a code or a clause that does not exist.
    pub fn new(array: &'a StructArray, clauses: usize) -> Result<Self, SchemaError> {
        let columns = Columns::new(array, "");
        let (rulings, ruling) = columns.list("rulings")?;
        let (refusals, refusal) = ruling.list("refusals")?;
        let (unknowns, unknown) = ruling.list("unknowns")?;
        let (quota, draw) = ruling.list("quota")?;
        let (steps, step) = ruling.list("steps")?;
        let (refund_array, refund) = ruling.inner("refund")?;
        let (returned, item) = refund.list("returned")?;
        let answers = Self {
            len: array.len(),
            clauses,
            error: columns.text("error")?,
            site: columns.text("site")?,
            edition: columns.text("edition")?,
            at: columns.required_time("at")?,
            outcome: columns.code("outcome", Outcome::from_code, false)?,
            best: columns.code("best", Exit::from_code, true)?,
            rulings,
            exit: ruling.code("exit", Exit::from_code, false)?,
            channel: ruling.code("channel", Channel::from_code, true)?,
            effects: ruling.required_primitive::<UInt16Type>("effects")?,
            until: ruling.time("until")?,
            effective_at: ruling.time("effective_at")?,
            refusals,
            refusal_clause: refusal.required_primitive::<UInt16Type>("clause")?,
            refusal_reason: refusal.code("reason", Reason::from_code, false)?,
            unknowns,
            unknown_clause: unknown.required_primitive::<UInt16Type>("clause")?,
            unknown_reason: unknown.code("reason", Reason::from_code, false)?,
            unknown_fact: unknown.text("fact")?,
            unknown_assumed: unknown.boolean("assumed")?,
            refund: RefundReader {
                array: refund_array,
                currency: refund.text("currency")?,
                paid: refund.decimal("paid")?,
                consumed: refund.decimal("consumed")?,
                fee: refund.decimal("fee")?,
                forfeited: refund.decimal("forfeited")?,
                released: refund.decimal("released")?,
                carry_over: refund.decimal("carry_over")?,
                charge: refund.decimal("charge")?,
                proceeds: refund.decimal("proceeds")?,
                returned,
                instrument: item.code("instrument", Instrument::from_code, false)?,
                amount: item.required_decimal("amount")?,
                to: item.code("to", Destination::from_code, false)?,
                expires_at: item.time("expires_at")?,
            },
            review_by: ruling.text("review_by")?,
            review_clause: ruling.primitive::<UInt16Type>("review_clause")?,
            review_hours: ruling.primitive::<UInt32Type>("review_hours")?,
            settlement_days: ruling.primitive::<UInt32Type>("settlement_days")?,
            settlement_kind: ruling.code("settlement_kind", DayKind::from_code, true)?,
            quota,
            quota_name: draw.required_text("name")?,
            quota_limit: draw.decimal("limit")?,
            quota_used: draw.decimal("used")?,
            quota_draws: draw.decimal("draws")?,
            quota_window: draw.text("window")?,
            steps,
            step_clause: step.primitive::<UInt16Type>("clause")?,
            step_verdict: step.code("verdict", |code| VERDICTS.get(usize::from(code)), true)?,
            step_label: step.text("label")?,
            step_text: step.text("text")?,
        };
        answers.check_clauses("rulings[].refusals[].clause", answers.refusal_clause)?;
        answers.check_clauses("rulings[].unknowns[].clause", answers.unknown_clause)?;
        answers.check_clauses("rulings[].review_clause", answers.review_clause)?;
        answers.check_clauses("rulings[].steps[].clause", answers.step_clause)?;
        let known_effects = Effect::ALL.iter().fold(0_u16, |bits, effect| bits | 1 << effect.code());
        if let Some(row) = answers.effects.values().iter().position(|bits| bits & !known_effects != 0) {
            return Err(SchemaError::WrongValue {
                column: "rulings[].effects".to_owned(),
                row,
                what: "holds an effect that is not known".to_owned(),
            });
        }
        Ok(answers)
    }

    fn check_clauses(&self, column: &str, array: &UInt16Array) -> Result<(), SchemaError> {
        let wrong = |clause: &u16| usize::from(*clause) >= self.clauses && *clause != ClauseId::NO_RULE.0;
        match array.iter().enumerate().find_map(|(row, clause)| clause.filter(wrong).map(|clause| (row, clause))) {
            Some((row, clause)) => Err(SchemaError::WrongValue {
                column: column.to_owned(),
                row,
                what: format!("names clause {clause}, but the policy has {}", self.clauses),
            }),
            None => Ok(()),
        }
    }

    /// How many assessments there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// How many rulings there are in all.
    #[must_use]
    pub fn ruling_count(&self) -> usize {
        self.exit.len()
    }

    /// Of what, by what and when the assessment of a row speaks, or why the resource could not be assessed.
    ///
    /// # Errors
    /// What the adapter says.
    pub fn head(&self, row: usize) -> Result<Head<'a>, &'a str> {
        match text_at(self.error, row) {
            Some(error) => Err(error),
            None => Ok(Head {
                site: text_at(self.site, row).unwrap_or_default(),
                edition: text_at(self.edition, row),
                at: time_at(self.at, row).unwrap_or(Instant::from_micros(0)),
            }),
        }
    }

    /// Reads the rulings of a row into the memory of an assessment before.
    ///
    /// # Errors
    /// Where what it says does not hold together: money that does not conserve, an outcome that its
    /// rulings contradict.
    pub fn read(&self, row: usize, into: &mut Assessment) -> Result<(), SchemaError> {
        let rulings = range_at(self.rulings, row).unwrap_or(0..0);
        let outcome = code_at(self.outcome, row, Outcome::from_code).unwrap_or(Outcome::Refused);
        let best = code_at(self.best, row, Exit::from_code);
        let first = rulings.start;
        let holds =
            into.take_over(outcome, best, rulings.len(), |place, ruling| self.ruling(row, first + place, ruling))?;
        if holds {
            return Ok(());
        }
        Err(SchemaError::WrongValue { column: "outcome".to_owned(), row, what: "contradicts the rulings".to_owned() })
    }

    /// The assessment of a row, or why the resource could not be assessed.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn get(&self, row: usize) -> Result<Result<Answer, String>, SchemaError> {
        let head = match self.head(row) {
            Ok(head) => head,
            Err(error) => return Ok(Err(error.to_owned())),
        };
        let mut assessment = Assessment::default();
        self.read(row, &mut assessment)?;
        let (site, edition) = (head.site.to_owned(), head.edition.map(str::to_owned));
        Ok(Ok(Answer { site, edition, at: head.at, assessment }))
    }

    /// Fills an empty ruling with the one at `index`, which is of the assessment in `row`.
    fn ruling(&self, row: usize, index: usize, ruling: &mut RulingData) -> Result<(), SchemaError> {
        ruling.exit = code_at(self.exit, index, Exit::from_code).unwrap_or(Exit::None);
        ruling.channel = code_at(self.channel, index, Channel::from_code);
        ruling.effects = EffectSet::from_bits(self.effects.value(index));
        ruling.until = time_at(self.until, index);
        ruling.effective_at = time_at(self.effective_at, index);
        for item in range_at(self.refusals, index).unwrap_or(0..0) {
            ruling.refusals.extend(
                code_at(self.refusal_reason, item, Reason::from_code)
                    .map(|reason| Refusal { clause: ClauseId(self.refusal_clause.value(item)), reason }),
            );
        }
        for item in range_at(self.unknowns, index).unwrap_or(0..0) {
            ruling.unknowns.extend(code_at(self.unknown_reason, item, Reason::from_code).map(|reason| Unknown {
                clause: ClauseId(self.unknown_clause.value(item)),
                reason,
                fact: text_at(self.unknown_fact, item).map(|fact| Cow::Owned(fact.to_owned())),
                assumed: self.unknown_assumed.is_valid(item).then(|| self.unknown_assumed.value(item)),
            }));
        }
        ruling.refund = self.refund(row, index)?;
        ruling.review = text_at(self.review_by, index).map(|by| Review {
            by: Cow::Owned(by.to_owned()),
            because: ClauseId(self.review_clause.value(index)),
            approved_after_hours: self.review_hours.is_valid(index).then(|| self.review_hours.value(index)),
        });
        ruling.settlement = self.settlement_days.is_valid(index).then(|| Settlement {
            within_days: self.settlement_days.value(index),
            day_kind: code_at(self.settlement_kind, index, DayKind::from_code),
        });
        for item in range_at(self.quota, index).unwrap_or(0..0) {
            let window =
                Window::from_name(text_at(self.quota_window, item)).ok_or_else(|| SchemaError::WrongValue {
                    column: "rulings[].quota[].window".to_owned(),
                    row,
                    what: "is not a window that is known".to_owned(),
                })?;
            ruling.quota.push(QuotaDraw {
                name: Cow::Owned(self.quota_name.value(item).to_owned()),
                limit: number_at(self.quota_limit, item),
                used: number_at(self.quota_used, item),
                draws: number_at(self.quota_draws, item),
                window,
            });
        }
        for item in range_at(self.steps, index).unwrap_or(0..0) {
            let verdict = code_at(self.step_verdict, item, |code| VERDICTS.get(usize::from(code)).copied());
            ruling.steps.push(match verdict {
                Some(verdict) => Step::Clause(ClauseId(self.step_clause.value(item)), verdict),
                None => Step::Line(
                    Cow::Owned(text_at(self.step_label, item).unwrap_or_default().to_owned()),
                    text_at(self.step_text, item).unwrap_or_default().to_owned(),
                ),
            });
        }
        Ok(())
    }

    fn refund(&self, row: usize, index: usize) -> Result<Option<RefundQuote>, SchemaError> {
        let columns = &self.refund;
        if columns.array.is_null(index) {
            return Ok(None);
        }
        let wrong = |what: String| SchemaError::WrongValue { column: "rulings[].refund".to_owned(), row, what };
        let currency = text_at(columns.currency, index)
            .unwrap_or_default()
            .parse()
            .map_err(|error: recoup_core::money::UnknownCurrency| wrong(error.to_string()))?;
        let mut returned = Vec::new();
        for item in range_at(columns.returned, index).unwrap_or(0..0) {
            let instrument = code_at(columns.instrument, item, Instrument::from_code);
            let to = code_at(columns.to, item, Destination::from_code);
            if let (Some(instrument), Some(to), Some(amount)) = (instrument, to, amount_at(columns.amount, item)) {
                returned.push(Returned { instrument, amount, to, expires_at: time_at(columns.expires_at, item) });
            }
        }
        let parts = RefundParts {
            currency,
            paid: amount_at(columns.paid, index).ok_or_else(|| wrong("has no \"paid\"".to_owned()))?,
            consumed: amount_at(columns.consumed, index),
            fee: amount_at(columns.fee, index).ok_or_else(|| wrong("has no \"fee\"".to_owned()))?,
            forfeited: amount_at(columns.forfeited, index),
            returned,
            released: amount_at(columns.released, index),
            carry_over: amount_at(columns.carry_over, index),
            charge: amount_at(columns.charge, index),
            proceeds: amount_at(columns.proceeds, index),
        };
        RefundQuote::try_from(parts).map(Some).map_err(|error| wrong(error.to_string()))
    }
}
