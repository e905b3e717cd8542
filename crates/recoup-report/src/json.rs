//! An assessment as JSON text, written without a tree of JSON between: byte for byte what
//! [`Answered::to_json`] gives, which a test holds it to.

use std::fmt::{self, Write};
use std::sync::Arc;

use recoup_core::assessment::clause_text;
use recoup_core::money::Amount;
use recoup_core::policy::{ClauseId, Policy};
use recoup_core::refund::{Refund, RefundQuote};
use recoup_core::ruling::{RulingData, Step};
use recoup_core::time::{Instant, Zone};

use crate::Answered;

/// A text in JSON, in its quotes.
fn put_text(out: &mut String, text: &str) {
    let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        // A text is always JSON.
        out.push_str(&serde_json::Value::from(text).to_string());
    }
}

/// A word of a vocabulary, which has nothing to escape.
fn put_word(out: &mut String, word: &str) {
    out.push('"');
    out.push_str(word);
    out.push('"');
}

fn put_if<T>(out: &mut String, value: Option<T>, put: impl FnOnce(&mut String, T)) {
    match value {
        Some(value) => put(out, value),
        None => out.push_str("null"),
    }
}

/// Something that is written without anything to escape, in quotes.
fn put_shown(out: &mut String, value: impl fmt::Display) {
    // Writing to memory does not fail.
    let _ = write!(out, "\"{value}\"");
}

/// 10^16, the units in a cent, are 2^16 times this.
const CENT_WITHOUT_TWOS: u64 = 5_u64.pow(16);

/// The cents of an amount that is no fraction of one and no larger than a million millions. Dividing a word is an order of
/// magnitude quicker than dividing the whole amount.
fn cents(amount: Amount) -> Option<u64> {
    let units = u128::try_from(amount.units()).ok()?;
    let odd = u64::try_from(units >> 16).ok()?;
    (units.trailing_zeros() >= 16 && odd % CENT_WITHOUT_TWOS == 0).then_some(odd / CENT_WITHOUT_TWOS)
}

/// An amount, as it is shown, in quotes.
fn put_amount(out: &mut String, amount: Amount) {
    let Some(cents) = cents(amount) else { return put_shown(out, amount) };
    // A digit is less than ten.
    let digit = |number: u64| b'0' + u8::try_from(number % 10).unwrap_or(0);
    // As many as the largest word has.
    let mut text = [b'0'; 20];
    let (mut whole, mut from) = (cents / 100, text.len());
    for place in text.iter_mut().rev() {
        (*place, whole, from) = (digit(whole), whole / 10, from - 1);
        if whole == 0 {
            break;
        }
    }
    let whole = text.get(from..).and_then(|digits| std::str::from_utf8(digits).ok());
    out.push('"');
    out.push_str(whole.unwrap_or_default());
    out.push('.');
    out.push(char::from(digit(cents / 10)));
    out.push(char::from(digit(cents)));
    out.push('"');
}

fn put_time(out: &mut String, instant: Option<Instant>, zone: Zone) {
    put_if(out, instant, |out, instant| put_shown(out, instant.display(zone)));
}

/// Writes the items of an array.
fn put_all<T>(out: &mut String, items: impl IntoIterator<Item = T>, mut put: impl FnMut(&mut String, T)) {
    out.push('[');
    for (place, item) in items.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        put(out, item);
    }
    out.push(']');
}

/// What is written of a clause, made ready once for a policy.
struct Clause {
    id: String,
    says: String,
    /// The end of an object that speaks of the clause: it is marked where the clause is a team's own.
    end: &'static str,
}

/// The clauses of a policy as they are written.
struct Clauses {
    policy: Arc<Policy>,
    clauses: Vec<Clause>,
    none: Clause,
}

impl Clauses {
    fn new(policy: &Arc<Policy>) -> Self {
        let text = |text: &str| {
            let mut out = String::new();
            put_text(&mut out, text);
            out
        };
        let clause = |id: ClauseId| {
            let (name, says) = clause_text(policy, id);
            let end = if policy.is_overlaid(id) { ",\"overlay\":true}" } else { "}" };
            Clause { id: text(name), says: text(says), end }
        };
        let ids = (0..policy.clauses.len()).filter_map(|place| u16::try_from(place).ok());
        let clauses = ids.map(|place| clause(ClauseId(place))).collect();
        Self { policy: Arc::clone(policy), clauses, none: clause(ClauseId::NO_RULE) }
    }

    fn of(&self, id: ClauseId) -> &Clause {
        self.clauses.get(usize::from(id.0)).unwrap_or(&self.none)
    }
}

/// Writes assessments as JSON text.
#[derive(Default)]
pub(crate) struct JsonText {
    policies: Vec<Clauses>,
    /// The instant last asked about, as it is written: nearly always that of the whole run.
    at: Option<((Instant, Zone), String)>,
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonText").finish_non_exhaustive()
    }
}

impl JsonText {
    fn clauses(&mut self, policy: &Arc<Policy>) -> Option<&Clauses> {
        let place = match self.policies.iter().position(|known| Arc::ptr_eq(&known.policy, policy)) {
            Some(place) => place,
            None => {
                self.policies.push(Clauses::new(policy));
                self.policies.len() - 1
            }
        };
        self.policies.get(place)
    }

    fn put_at(&mut self, out: &mut String, at: Instant, zone: Zone) {
        if self.at.as_ref().is_none_or(|(known, _)| *known != (at, zone)) {
            let mut text = String::new();
            put_time(&mut text, Some(at), zone);
            self.at = Some(((at, zone), text));
        }
        out.push_str(self.at.as_ref().map_or("null", |(_, text)| text));
    }

    /// Adds an assessment to a text.
    pub(crate) fn put(&mut self, out: &mut String, answered: &Answered) {
        let Answered { subject, assessment, policy, stated } = answered;
        let zone = subject.zone;
        out.push_str("{\"provider\":");
        put_text(out, &subject.provider);
        out.push_str(",\"site\":");
        put_text(out, &subject.site);
        out.push_str(",\"edition\":");
        put_if(out, subject.edition.as_deref(), put_text);
        out.push_str(",\"account\":");
        put_if(out, subject.account.as_deref(), put_text);
        out.push_str(",\"resource\":");
        put_text(out, &subject.resource);
        if let Some(name) = &subject.name {
            out.push_str(",\"name\":");
            put_text(out, name);
        }
        out.push_str(",\"product\":");
        put_text(out, &subject.product);
        out.push_str(",\"at\":");
        self.put_at(out, subject.at, zone);
        out.push_str(",\"outcome\":");
        put_word(out, assessment.outcome().as_str());
        out.push_str(",\"best\":");
        put_if(out, assessment.best(), |out, exit| put_word(out, exit.as_str()));
        out.push_str(",\"exits\":");
        if let Some(clauses) = self.clauses(policy) {
            put_all(out, assessment.rulings(), |out, ruling| put_ruling(out, ruling, clauses, zone));
        }
        if !stated.is_empty() {
            out.push_str(",\"stated\":");
            put_all(out, stated, |out, one| out.push_str(&one.to_json(zone).to_string()));
        }
        out.push('}');
    }
}

fn put_ruling(out: &mut String, ruling: &RulingData, clauses: &Clauses, zone: Zone) {
    out.push_str("{\"exit\":");
    put_word(out, ruling.exit.as_str());
    out.push_str(",\"outcome\":");
    put_word(out, ruling.outcome().as_str());
    out.push_str(",\"refusals\":");
    put_all(out, &ruling.refusals, |out, refusal| {
        let clause = clauses.of(refusal.clause);
        let parts = [
            "{\"clause\":",
            &clause.id,
            ",\"reason\":\"",
            refusal.reason.as_str(),
            "\",\"says\":",
            &clause.says,
            clause.end,
        ];
        parts.into_iter().for_each(|part| out.push_str(part));
    });
    out.push_str(",\"unknowns\":");
    put_all(out, &ruling.unknowns, |out, unknown| {
        let clause = clauses.of(unknown.clause);
        let parts = ["{\"clause\":", &clause.id, ",\"reason\":\"", unknown.reason.as_str(), "\",\"fact\":"];
        parts.into_iter().for_each(|part| out.push_str(part));
        put_if(out, unknown.fact.as_deref(), put_text);
        out.push_str(",\"assumed\":");
        put_if(out, unknown.assumed, |out, assumed| out.push_str(if assumed { "true" } else { "false" }));
        out.push_str(clause.end);
    });
    out.push_str(",\"refund\":");
    put_if(out, ruling.refund.as_ref(), |out, quote| put_refund(out, quote, zone));
    put_terms(out, ruling, clauses);
    out.push_str(",\"effective_at\":");
    put_time(out, ruling.effective_at, zone);
    out.push_str(",\"effects\":");
    put_all(out, ruling.effects.iter(), |out, effect| put_word(out, effect.as_str()));
    out.push_str(",\"channel\":");
    put_if(out, ruling.channel, |out, channel| put_word(out, channel.as_str()));
    out.push_str(",\"until\":");
    put_time(out, ruling.until, zone);
    if !ruling.steps.is_empty() {
        out.push_str(",\"steps\":");
        put_all(out, &ruling.steps, |out, step| put_step(out, step, clauses));
    }
    out.push('}');
}

/// Review, settlement and quotas.
fn put_terms(out: &mut String, ruling: &RulingData, clauses: &Clauses) {
    out.push_str(",\"review\":");
    put_if(out, ruling.review.as_ref(), |out, review| {
        let clause = clauses.of(review.because);
        out.push_str("{\"by\":");
        put_text(out, &review.by);
        let parts = [",\"because\":", &clause.says, ",\"clause\":", &clause.id, ",\"approved_after_hours\":"];
        parts.into_iter().for_each(|part| out.push_str(part));
        put_if(out, review.approved_after_hours, |out, hours| out.push_str(&hours.to_string()));
        out.push_str(clause.end);
    });
    out.push_str(",\"settlement\":");
    put_if(out, ruling.settlement.as_ref(), |out, settlement| {
        let _ = write!(out, "{{\"within_days\":{},\"day_kind\":", settlement.within_days);
        put_if(out, settlement.day_kind, |out, kind| put_word(out, kind.as_str()));
        out.push('}');
    });
    out.push_str(",\"quota\":");
    put_all(out, &ruling.quota, |out, draw| {
        out.push_str("{\"name\":");
        put_text(out, &draw.name);
        for (name, figure) in [(",\"limit\":", draw.limit), (",\"used\":", draw.used), (",\"draws\":", draw.draws)] {
            out.push_str(name);
            put_if(out, figure, put_shown);
        }
        out.push_str(",\"window\":");
        put_if(out, draw.window.name(), |out, name| put_text(out, &name));
        out.push('}');
    });
}

fn put_refund(out: &mut String, quote: &RefundQuote, zone: Zone) {
    fn put_amounts(out: &mut String, amounts: &[(&str, Option<Amount>)]) {
        for (name, amount) in amounts {
            out.push_str(name);
            put_if(out, *amount, put_amount);
        }
    }
    out.push_str("{\"currency\":");
    put_word(out, quote.currency().as_str());
    put_amounts(
        out,
        &[
            (",\"paid\":", Some(quote.paid())),
            (",\"consumed\":", quote.consumed()),
            (",\"fee\":", Some(quote.fee())),
            (",\"forfeited\":", quote.forfeited()),
            (",\"refund\":", Some(quote.refund())),
        ],
    );
    out.push_str(",\"returned\":");
    put_all(out, quote.items(), |out, item| {
        out.push_str("{\"instrument\":");
        put_word(out, item.instrument.as_str());
        out.push_str(",\"amount\":");
        put_amount(out, item.amount);
        out.push_str(",\"to\":");
        put_word(out, item.to.as_str());
        if item.expires_at.is_some() {
            out.push_str(",\"expires_at\":");
            put_time(out, item.expires_at, zone);
        }
        out.push('}');
    });
    put_amounts(
        out,
        &[
            (",\"released\":", quote.released()),
            (",\"carry_over\":", quote.carried_over()),
            (",\"charge\":", quote.charge()),
            (",\"proceeds\":", quote.proceeds()),
        ],
    );
    out.push('}');
}

fn put_step(out: &mut String, step: &Step, clauses: &Clauses) {
    match step {
        Step::Clause(clause, verdict) => {
            let clause = clauses.of(*clause);
            let parts = ["{\"clause\":", &clause.id, ",\"verdict\":\"", verdict.as_str(), "\"", clause.end];
            parts.into_iter().for_each(|part| out.push_str(part));
        }
        Step::Line(label, text) => {
            out.push_str("{\"label\":");
            put_text(out, label);
            out.push_str(",\"text\":");
            put_text(out, text);
            out.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Amounts are written here as they are shown everywhere, whatever their size, sign and fraction.
    #[test]
    fn an_amount_is_written_as_it_is_shown() {
        let cent = Amount::from_units(10_i128.pow(16));
        let mut tens: Vec<i128> = (0..38).map(|power| 10_i128.pow(power)).collect();
        tens.extend([0, i128::from(u64::MAX) << 16, i128::from(u64::MAX - 1) << 17]);
        let near = [-3, -1, 0, 1, 7].map(|step| step * cent.units());
        for units in tens.iter().flat_map(|ten| near.map(|step| ten + step)).flat_map(|units| [units, -units]) {
            let (mut written, mut shown) = (String::new(), String::new());
            put_amount(&mut written, Amount::from_units(units));
            put_shown(&mut shown, Amount::from_units(units));
            assert_eq!(written, shown, "{units}");
        }
    }
}
