//! The provider's own answer beside the rules', in words.

use recoup_core::stated::{Compared, Difference, Statement};
use recoup_core::time::{Span, Zone};
use recoup_core::vocab::Outcome;

use crate::text::{TIE, spaced};
use crate::{Answered, time};

/// What the provider states: `open until 2026-05-11 10:00 UTC, refund 20.72 GBP`.
fn stated(statement: &Statement, zone: Zone) -> String {
    let mut parts = Vec::new();
    match (statement.allowed, statement.until) {
        (Some(false), _) => parts.push("closed".to_owned()),
        (_, Some(until)) => parts.push(format!("open until {}", time::long(until, zone))),
        (Some(true), None) => parts.push("open".to_owned()),
        (None, None) => {}
    }
    let currency = statement.currency.map(|currency| format!("{TIE}{currency}")).unwrap_or_default();
    for (name, amount) in statement.amounts() {
        parts.extend(amount.map(|amount| format!("{} {amount}{currency}", spaced(name))));
    }
    parts.extend(statement.says.as_ref().map(|says| format!("\"{says}\"")));
    parts.join(", ")
}

/// What the rules alone say of the same exit.
fn own(compared: &Compared, zone: Zone) -> String {
    let own = &compared.own;
    let exit = own.exit.map(|exit| format!("{} ", spaced(exit.as_str()))).unwrap_or_default();
    let mut parts = vec![format!("{exit}{}", own.outcome)];
    parts.extend(own.until.map(|until| format!("until {}", time::long(until, zone))));
    // Of the amounts only those of which the provider speaks.
    for ((name, stated), amount) in compared.statement.amounts().into_iter().zip(own.amounts) {
        match (stated, amount, own.currency) {
            (Some(_), Some(amount), Some(currency)) => parts.push(format!("{} {amount}{TIE}{currency}", spaced(name))),
            (Some(_), _, _) if own.outcome != Outcome::Refused => parts.push(format!("no figure for {}", spaced(name))),
            _ => {}
        }
    }
    parts.join(", ")
}

/// A length of time in its two largest units.
fn length(span: Span) -> String {
    let seconds = span.whole_seconds().unsigned_abs();
    let units = [
        ("day", seconds / 86_400),
        ("hour", seconds / 3_600 % 24),
        ("minute", seconds / 60 % 60),
        ("second", seconds % 60),
    ];
    let named = units.iter().filter(|(_, count)| *count > 0).take(2);
    let words: Vec<String> =
        named.map(|(unit, count)| format!("{count} {unit}{}", if *count == 1 { "" } else { "s" })).collect();
    if words.is_empty() { "less than a second".to_owned() } else { words.join(" ") }
}

fn difference(one: &Difference) -> String {
    match one {
        Difference::Allowed { stated: true } => "open by the provider, refused by the rules".to_owned(),
        Difference::Allowed { stated: false } => "closed by the provider, open by the rules".to_owned(),
        Difference::Until(span) if span.is_positive() => format!("{} later", length(*span)),
        Difference::Until(span) => format!("{} earlier", length(*span)),
        Difference::Amount(name, by, currency) => {
            let word = if by.is_negative() { "less" } else { "more" };
            format!("{} {}{TIE}{currency} {word}", spaced(name), by.magnitude())
        }
        Difference::Currency { stated, own } => format!("in {stated}, the rules in {own}"),
    }
}

/// Whether and in what the provider's answer differs from the rules'.
pub(crate) fn verdict(compared: &Compared) -> String {
    match (compared.differs(), compared.is_comparable) {
        (true, _) => format!(
            "differs from the rules: {}",
            compared.differences.iter().map(difference).collect::<Vec<_>>().join(", ")
        ),
        (false, true) => "as the rules say".to_owned(),
        (false, false) if compared.own.outcome == Outcome::Conditional => {
            "by the rules it depends on what is not known".to_owned()
        }
        (false, false) => "the rules say nothing to compare".to_owned(),
    }
}

/// One sentence for a table.
pub(crate) fn short(compared: &Compared, zone: Zone) -> String {
    let statement = &compared.statement;
    format!("provider states ({}): {}; {}", statement.by, stated(statement, zone), verdict(compared))
}

/// Every statement in full: label and text, line by line.
pub(crate) fn lines(answered: &Answered) -> Vec<(&'static str, String)> {
    let zone = answered.subject.zone;
    let mut out = Vec::new();
    for compared in &answered.stated {
        let statement = &compared.statement;
        let at = statement.at.map(|at| format!(", as of {}", time::long(at, zone))).unwrap_or_default();
        out.push(("states", format!("{} ({}{at})", stated(statement, zone), statement.by)));
        out.push(("rules", own(compared, zone)));
        out.push(("beside", verdict(compared)));
    }
    out
}
