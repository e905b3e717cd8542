//! Assessments for programs: JSON, NDJSON and CSV. None of them holds more than one assessment.
//!
//! ```
//! use recoup_report::machine::Ndjson;
//! use recoup_report::write_all;
//!
//! let mut out = Vec::new();
//! write_all(&mut Ndjson::new(&mut out), &recoup_report::sample::answers()?)?;
//! let first = String::from_utf8(out)?.lines().next().map(str::to_owned).ok_or("nothing written")?;
//! assert!(first.starts_with(r#"{"provider":"example","site":"intl","edition":"2024-10-29""#));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;

use recoup_core::money::Amount;
use recoup_core::policy::ClauseId;
use recoup_core::refund::{Refund, RefundQuote};
use recoup_core::ruling::RulingData;
use recoup_core::stated::{Compared, Statement};
use recoup_core::time::Zone;
use recoup_core::vocab::Exit;

use crate::json::JsonText;
use crate::{Answered, Report};

/// The id of a clause as assessments write it.
pub(crate) fn clause_id(answered: &Answered, clause: ClauseId) -> &str {
    answered.policy.clause(clause).map_or("recoup.no-rule", |clause| clause.id.as_str())
}

/// One JSON array of all assessments (FORMATS.md, section 4).
#[derive(Debug)]
pub struct Json<W> {
    out: W,
    any: bool,
    json: JsonText,
    text: String,
}

impl<W: io::Write> Json<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, any: false, json: JsonText::default(), text: String::new() }
    }
}

impl<W: io::Write> Report for Json<W> {
    fn begin(&mut self) -> io::Result<()> {
        self.out.write_all(b"[")
    }

    fn add(&mut self, answered: &Answered) -> io::Result<()> {
        self.text.clear();
        self.text.push_str(if self.any { ",\n" } else { "\n" });
        self.any = true;
        self.json.put(&mut self.text, answered);
        self.out.write_all(self.text.as_bytes())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.write_all(if self.any { b"\n]\n" } else { b"]\n" })?;
        self.out.flush()
    }
}

/// One JSON object a line (FORMATS.md, section 4).
#[derive(Debug)]
pub struct Ndjson<W> {
    out: W,
    json: JsonText,
    text: String,
}

impl<W: io::Write> Ndjson<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, json: JsonText::default(), text: String::new() }
    }
}

impl<W: io::Write> Report for Ndjson<W> {
    fn begin(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn add(&mut self, answered: &Answered) -> io::Result<()> {
        self.text.clear();
        self.json.put(&mut self.text, answered);
        self.text.push('\n');
        self.out.write_all(self.text.as_bytes())
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// The columns of the CSV, one row for every ruling of an exit.
pub const CSV_COLUMNS: &[&str] = &[
    "provider",
    "site",
    "edition",
    "account",
    "resource",
    "name",
    "product",
    "at",
    "outcome",
    "best",
    "exit",
    "exit_outcome",
    "is_best",
    "currency",
    "paid",
    "consumed",
    "fee",
    "forfeited",
    "refund",
    "released",
    "carry_over",
    "charge",
    "proceeds",
    "refusal_reasons",
    "refusal_clauses",
    "unknown_reasons",
    "unknown_facts",
    "returned",
    "review",
    "settlement",
    "quota",
    "effective_at",
    "effects",
    "channel",
    "until",
    "overlay",
    "stated_by",
    "stated_allowed",
    "stated_until",
    "stated_currency",
    "stated_refund",
    "stated_fee",
    "stated_carry_over",
    "stated_charge",
    "stated_difference",
];

/// A flat table: a row for every ruling of an exit, in the order of the assessment. What is unknown
/// or absent is an empty cell; lists are joined by `"; "`.
#[derive(Debug)]
pub struct Csv<W: io::Write> {
    out: csv::Writer<W>,
}

impl<W: io::Write> Csv<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out: csv::Writer::from_writer(out) }
    }

    /// The rows written so far, without a head where none was begun with.
    pub(crate) fn into_inner(self) -> io::Result<W> {
        self.out.into_inner().map_err(|error| io::Error::other(error.to_string()))
    }

    fn row(&mut self, answered: &Answered, ruling: Option<&RulingData>) -> io::Result<()> {
        let Answered { subject, assessment, .. } = answered;
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        let best = assessment.best();
        let mut cells = vec![
            subject.provider.clone(),
            subject.site.clone(),
            text(&subject.edition),
            text(&subject.account),
            subject.resource.clone(),
            text(&subject.name),
            subject.product.clone(),
            subject.at.display(subject.zone).to_string(),
            assessment.outcome().to_string(),
            best.map(|exit| exit.to_string()).unwrap_or_default(),
        ];
        if let Some(ruling) = ruling {
            ruling_cells(&mut cells, answered, ruling, best);
        }
        cells.resize(CSV_COLUMNS.len(), String::new());
        self.out.write_record(&cells)?;
        Ok(())
    }
}

fn joined<T: AsRef<str>>(items: impl Iterator<Item = T>) -> String {
    let mut out = String::new();
    for item in items {
        if !out.is_empty() {
            out.push_str("; ");
        }
        out.push_str(item.as_ref());
    }
    out
}

fn ruling_cells(cells: &mut Vec<String>, answered: &Answered, ruling: &RulingData, best: Option<Exit>) {
    let zone = answered.subject.zone;
    let time = |instant: recoup_core::time::Instant| instant.display(zone).to_string();
    let quote = ruling.refund.as_ref();
    let amount = |of: fn(&RefundQuote) -> Option<Amount>| {
        quote.and_then(of).map(|amount| amount.to_string()).unwrap_or_default()
    };
    cells.extend([
        ruling.exit.to_string(),
        ruling.outcome().to_string(),
        (best == Some(ruling.exit)).to_string(),
        quote.map(|quote| quote.currency().to_string()).unwrap_or_default(),
        amount(|quote| Some(quote.paid())),
        amount(RefundQuote::consumed),
        amount(|quote| Some(RefundQuote::fee(quote))),
        amount(RefundQuote::forfeited),
        amount(|quote| Some(quote.refund())),
        amount(RefundQuote::released),
        amount(RefundQuote::carried_over),
        amount(RefundQuote::charge),
        amount(RefundQuote::proceeds),
        joined(ruling.refusals.iter().map(|refusal| refusal.reason.as_str())),
        joined(ruling.refusals.iter().map(|refusal| clause_id(answered, refusal.clause))),
        joined(ruling.unknowns.iter().map(|unknown| unknown.reason.as_str())),
        // A fact for every reason, empty where none would settle it, so that the two lists stay in step.
        ruling
            .unknowns
            .iter()
            .map(|unknown| unknown.fact.as_deref().unwrap_or_default())
            .collect::<Vec<_>>()
            .join("; "),
        joined(quote.into_iter().flat_map(RefundQuote::items).map(|item| {
            let until = item.expires_at.map(|end| format!(" until {}", time(end))).unwrap_or_default();
            format!("{} {} -> {}{until}", item.instrument, item.amount, item.to)
        })),
        ruling
            .review
            .as_ref()
            .map(|review| {
                let hours = review
                    .approved_after_hours
                    .map(|hours| format!(", approved after {hours} hours"))
                    .unwrap_or_default();
                format!("{} ({}){hours}", review.by, clause_id(answered, review.because))
            })
            .unwrap_or_default(),
        ruling
            .settlement
            .map(|settlement| {
                let kind = settlement.day_kind.map(|kind| format!("{kind} ")).unwrap_or_default();
                format!("within {} {kind}days", settlement.within_days)
            })
            .unwrap_or_default(),
        joined(ruling.quota.iter().map(|draw| {
            let figure = |value: Option<recoup_core::money::Number>| {
                value.map_or_else(|| "?".to_owned(), |value| value.to_string())
            };
            let window = draw.window.name().map(|name| format!(" {name}")).unwrap_or_default();
            format!("{} {}/{} draws {}{window}", draw.name, figure(draw.used), figure(draw.limit), figure(draw.draws))
        })),
        ruling.effective_at.map(time).unwrap_or_default(),
        joined(ruling.effects.iter().map(recoup_core::vocab::Effect::as_str)),
        ruling.channel.map(|channel| channel.to_string()).unwrap_or_default(),
        ruling.until.map(time).unwrap_or_default(),
        joined(answered.overlaid(ruling).into_iter()),
    ]);
    stated_cells(cells, answered, ruling);
}

/// What the provider itself states of the exit, and how that differs from the ruling.
fn stated_cells(cells: &mut Vec<String>, answered: &Answered, ruling: &RulingData) {
    let zone = answered.subject.zone;
    let each = |of: fn(&Statement, Zone) -> Option<String>| {
        joined(answered.stated_of(ruling.exit).filter_map(|one| of(&one.statement, zone)))
    };
    cells.extend([
        each(|statement, _| Some(statement.by.clone())),
        each(|statement, _| statement.allowed.map(|allowed| allowed.to_string())),
        each(|statement, zone| statement.until.map(|until| until.display(zone).to_string())),
        each(|statement, _| statement.currency.map(|currency| currency.to_string())),
        each(|statement, _| statement.refund.map(|amount| amount.to_string())),
        each(|statement, _| statement.fee.map(|amount| amount.to_string())),
        each(|statement, _| statement.carry_over.map(|amount| amount.to_string())),
        each(|statement, _| statement.charge.map(|amount| amount.to_string())),
        joined(answered.stated_of(ruling.exit).filter(|one| one.differs()).map(difference_cell)),
    ]);
}

/// The differences as in JSON, `name value`.
fn difference_cell(compared: &Compared) -> String {
    let written = compared.difference_json();
    joined(written.iter().map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        format!("{name} {value}")
    }))
}

impl<W: io::Write> Report for Csv<W> {
    fn begin(&mut self) -> io::Result<()> {
        self.out.write_record(CSV_COLUMNS)?;
        Ok(())
    }

    fn add(&mut self, answered: &Answered) -> io::Result<()> {
        let rulings = answered.assessment.rulings();
        if rulings.is_empty() {
            return self.row(answered, None);
        }
        rulings.iter().try_for_each(|ruling| self.row(answered, Some(ruling)))
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sample, write_all};

    #[test]
    fn a_row_for_every_exit() {
        let answers = sample::answers().unwrap();
        let mut out = Vec::new();
        write_all(&mut Csv::new(&mut out), &answers).unwrap();
        let mut reader = csv::Reader::from_reader(out.as_slice());
        let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), answers.iter().map(|answer| answer.assessment.rulings().len()).sum::<usize>());
        insta::assert_snapshot!(String::from_utf8(out).unwrap().lines().take(3).collect::<Vec<_>>().join("\n"), @r#"
        provider,site,edition,account,resource,name,product,at,outcome,best,exit,exit_outcome,is_best,currency,paid,consumed,fee,forfeited,refund,released,carry_over,charge,proceeds,refusal_reasons,refusal_clauses,unknown_reasons,unknown_facts,returned,review,settlement,quota,effective_at,effects,channel,until,overlay,stated_by,stated_allowed,stated_until,stated_currency,stated_refund,stated_fee,stated_carry_over,stated_charge,stated_difference
        example,intl,2024-10-29,team-1,vm-1,web server,vm,2024-11-20T00:00:00+08:00,allowed,full_refund,full_refund,allowed,true,USD,1220.00,0.00,0.00,0.00,1200.00,,,,,,,,,cash 1200.00 -> account_balance; cash_coupon 20.00 -> cash_coupon,,,five_day_returns 0/1 draws 1 calendar_year,,irreversible; data_deleted,console,2024-11-23T00:00:00+08:00,,,,,,,,,,
        example,intl,2024-10-29,team-1,vm-1,web server,vm,2024-11-20T00:00:00+08:00,allowed,full_refund,in_use,conditional,false,USD,1220.00,6.90,120.00,20.00,1073.10,,,,,,,promotion; invoiced,promotion; invoiced,cash 1073.10 -> account_balance,"account_manager (ex.review), approved after 24 hours",within 7 business days,,,irreversible; data_deleted; coupons_lost,console,,,,,,,,,,,
        "#);
    }

    #[test]
    fn what_is_written_without_a_tree_is_what_the_tree_says() {
        let mut written = Vec::new();
        let answers = sample::answers().unwrap();
        write_all(&mut Ndjson::new(&mut written), &answers).unwrap();
        let expected: String = answers.iter().map(|answered| format!("{}\n", answered.to_json())).collect();
        assert_eq!(String::from_utf8(written).unwrap(), expected);
    }

    #[test]
    fn json_and_ndjson_say_the_same() {
        let answers = sample::answers().unwrap();
        let (mut json, mut lines) = (Vec::new(), Vec::new());
        write_all(&mut Json::new(&mut json), &answers).unwrap();
        write_all(&mut Ndjson::new(&mut lines), &answers).unwrap();
        let array: Vec<serde_json::Value> = serde_json::from_slice(&json).unwrap();
        let each: Vec<serde_json::Value> =
            String::from_utf8(lines).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(array, each);
        let mut none = Vec::new();
        write_all(&mut Json::new(&mut none), &[]).unwrap();
        assert_eq!(none, b"[]\n");
    }
}
