//! One answer in full: every exit best first, every clause with its pages, the arithmetic step by step.
//!
//! ```
//! use recoup_report::{Look, explain::explain};
//!
//! let answers = recoup_report::sample::answers()?;
//! let text = explain(answers.first().ok_or("no answer")?, &Look { width: 72, ..Look::default() });
//! assert!(text.contains("1. full refund: allowed"));
//! assert!(text.lines().all(|line| line.chars().count() <= 72));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use recoup_core::fact::Flag;
use recoup_core::policy::ClauseId;
use recoup_core::refund::Refund;
use recoup_core::ruling::{RulingData, Step, Unknown, Verdict};
use recoup_core::vocab::{Exit, Outcome};

use crate::detail::{about, breakdown, cited, particulars};
use crate::grid::{Tone, paint};
use crate::line::Line;
use crate::text::{clean, padded, paragraph, right, spaced, width};
use crate::{Answered, Look, stated, time, words};

/// The explanation of an answer as plain text, wrapped to the width. Clauses asked and arithmetic are
/// shown where the run kept its steps.
#[must_use]
pub fn explain(answered: &Answered, look: &Look) -> String {
    let limit = look.columns();
    let mut out = String::new();
    header(&mut out, answered, look);
    statements(&mut out, answered, limit);
    for (index, ruling) in answered.assessment.rulings().iter().enumerate() {
        out.push('\n');
        let exit = if ruling.exit == Exit::None { "no exit".to_owned() } else { spaced(ruling.exit.as_str()) };
        let outcome = ruling.outcome();
        let is_best = outcome != Outcome::Refused && answered.assessment.best() == Some(ruling.exit);
        let best = if is_best { " (best)" } else { "" };
        let word = paint(outcome.as_str(), Tone::Of(outcome), look.colour);
        out.push_str(&format!("{}. {}: {word}{best}\n", index + 1, paint(&exit, Tone::Head, look.colour)));
        let mut body = Body { out: &mut out, answered, limit };
        body.refusals(ruling);
        body.unknowns(ruling);
        body.money(ruling);
        body.particulars(ruling);
        body.steps(ruling);
    }
    out
}

fn header(out: &mut String, answered: &Answered, look: &Look) {
    let (subject, limit) = (&answered.subject, look.columns());
    let line = Line::of(answered);
    let name = subject.name.as_deref().map(|name| format!("  {}", clean(name))).unwrap_or_default();
    for line in crate::text::wrap(&format!("{}{name}", clean(&subject.resource)), limit) {
        out.push_str(&paint(&line, Tone::Head, look.colour));
        out.push('\n');
    }
    let edition = subject.edition.as_deref().map(|edition| format!(", edition {edition}")).unwrap_or_default();
    let provider = if answered.policy.title.is_empty() { &subject.provider } else { &answered.policy.title };
    paragraph(out, "  provider  ", &clean(&format!("{provider}, site {}{edition}", subject.site)), limit);
    paragraph(out, "  product   ", &clean(&subject.product), limit);
    if let Some(account) = &subject.account {
        paragraph(out, "  account   ", &clean(account), limit);
    }
    paragraph(out, "  asked at  ", &time::both(subject.at, subject.zone), limit);
    let exit = line.best.map(|exit| format!(": {}", spaced(exit.as_str()))).unwrap_or_default();
    let money = match line.outcome {
        Outcome::Refused => String::new(),
        _ => format!(", refund {}", line.refund),
    };
    let why = if line.reasons.is_empty() { String::new() } else { format!(" ({})", line.reasons) };
    paragraph(out, "  answer    ", &clean(&format!("{}{exit}{money}{why}", line.outcome)), limit);
}

/// The provider's own answers, each beside the rules' answer for the same exit.
fn statements(out: &mut String, answered: &Answered, limit: usize) {
    for (label, text) in stated::lines(answered) {
        paragraph(out, &format!("  {}  ", padded(label, 8)), &clean(&text), limit);
    }
}

/// The lines of one exit.
struct Body<'a> {
    out: &'a mut String,
    answered: &'a Answered,
    limit: usize,
}

impl Body<'_> {
    fn head(&mut self, text: &str) {
        self.out.push_str("   ");
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn line(&mut self, first: &str, text: &str) {
        paragraph(self.out, first, &clean(text), self.limit);
    }

    fn sources(&mut self, clause: ClauseId, indent: usize) {
        for source in cited(self.answered, clause).sources {
            self.line(&format!("{:indent$}source: ", ""), &format!("{} ({})", source.title, about(source)));
            // A team's own document need not have an address.
            if !source.url.is_empty() {
                self.line(&format!("{:indent$}        ", ""), &source.url);
            }
        }
    }

    fn refusals(&mut self, ruling: &RulingData) {
        if ruling.refusals.is_empty() {
            return;
        }
        self.head("refused by");
        for refusal in &ruling.refusals {
            let clause = cited(self.answered, refusal.clause);
            self.line("     - ", &format!("{}: {}", words::reason(refusal.reason), clause.id));
            self.line("       ", clause.says);
            self.sources(refusal.clause, 7);
        }
    }

    fn unknowns(&mut self, ruling: &RulingData) {
        if ruling.unknowns.is_empty() {
            return;
        }
        self.head("not known");
        for unknown in &ruling.unknowns {
            let clause = cited(self.answered, unknown.clause);
            self.line("     - ", &format!("{}: {}", words::reason(unknown.reason), clause.id));
            self.line("       ", clause.says);
            self.line("       check: ", &to_check(unknown));
            self.sources(unknown.clause, 7);
        }
    }

    fn money(&mut self, ruling: &RulingData) {
        let Some(quote) = &ruling.refund else {
            if ruling.outcome() != Outcome::Refused {
                self.head("money: the figure cannot be computed from what is known");
            }
            return;
        };
        let made = breakdown(quote, self.answered);
        let currency = quote.currency();
        let condition = match ruling.outcome() {
            Outcome::Allowed => "",
            Outcome::Conditional => ", as far as it is known",
            Outcome::Refused => ", if it were open",
        };
        self.head(&format!("money in {currency}{condition}"));
        let lines = || {
            let sum = std::iter::once((made.sum.0, made.sum.1));
            let besides = made.besides.iter().map(|(label, amount)| (*label, *amount));
            made.parts.iter().map(|(label, amount)| (label.as_str(), *amount)).chain(sum).chain(besides)
        };
        let amounts: Vec<(String, String)> =
            lines().map(|(_, amount)| (amount.to_string(), currency.to_string())).collect();
        let amounts = crate::grid::aligned(&amounts);
        let wide = amounts.iter().map(|amount| width(amount)).max().unwrap_or(0);
        // Where a label and an amount have no room side by side, the label wraps.
        let label = lines().map(|(label, _)| width(label)).max().unwrap_or(0).min(self.limit.saturating_sub(wide + 9));
        for (index, ((text, _), amount)) in lines().zip(&amounts).enumerate() {
            if index == made.parts.len() {
                self.out.push_str(&format!("     {}  {}\n", padded("", label), "─".repeat(wide)));
            }
            let wrapped = crate::text::wrap(text, label);
            let last = wrapped.len().saturating_sub(1);
            for (place, text) in wrapped.iter().enumerate() {
                let amount = if place == last { right(amount, wide) } else { String::new() };
                let sign = if index == made.parts.len() && place == last { "=" } else { " " };
                let line = format!("   {sign} {}  {amount}", padded(text, label));
                self.out.push_str(line.trim_end());
                self.out.push('\n');
            }
        }
    }

    fn particulars(&mut self, ruling: &RulingData) {
        for (label, text) in particulars(self.answered, ruling) {
            self.line(&format!("   {}  ", padded(label, 12)), &text);
        }
    }

    fn steps(&mut self, ruling: &RulingData) {
        if ruling.steps.is_empty() {
            return;
        }
        self.head("step by step");
        for step in &ruling.steps {
            match step {
                Step::Clause(clause, verdict) => {
                    let cited = cited(self.answered, *clause);
                    self.line(
                        &format!("     {}  ", padded(verdict.as_str(), 8)),
                        &format!("{}: {}", cited.id, cited.says),
                    );
                    // What refuses or is unknown has shown its pages above.
                    if *verdict == Verdict::Applies {
                        self.sources(*clause, 15);
                    }
                }
                Step::Line(label, text) => self.line("     figure    ", &format!("{label}: {text}")),
            }
        }
    }
}

/// What to look up, and what the ruling takes for granted until then.
pub(crate) fn to_check(unknown: &Unknown) -> String {
    match (unknown.fact.as_deref(), unknown.assumed) {
        (Some(fact), Some(assumed)) if Flag::parse(fact).is_ok() => format!("{fact}; assumed {assumed}"),
        (Some(fact), Some(_)) => format!("{fact}; assumed not to stand in the way"),
        (Some(fact), None) => format!("{fact}; nothing is assumed"),
        (None, _) => "the provider; no page that is known says it".to_owned(),
    }
}
