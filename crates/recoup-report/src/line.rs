//! What one line says of a resource: the same in the table, in Markdown, in HTML and side by side.

use recoup_core::fact::Flag;
use recoup_core::money::{Amount, Currency};
use recoup_core::refund::{Refund, RefundQuote};
use recoup_core::ruling::{RulingData, Unknown};
use recoup_core::time::Instant;
use recoup_core::vocab::{Exit, Outcome};

use crate::text::{TIE, spaced};
use crate::{Answered, stated, time, words};

/// An amount with its currency, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Money {
    /// So much.
    Known(Amount, Currency),
    /// The exit is open and the figure cannot be computed.
    Unknown,
    /// Nothing is spoken of, since nothing can be returned.
    None,
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(amount, currency) => write!(f, "{amount} {currency}"),
            Self::Unknown => f.write_str("unknown"),
            Self::None => f.write_str("-"),
        }
    }
}

/// What a quote keeps: consumption, fee and what is forfeited.
pub(crate) fn kept(quote: &RefundQuote) -> Amount {
    RefundQuote::consumed(quote).unwrap_or_default() + RefundQuote::fee(quote) + quote.forfeited().unwrap_or_default()
}

/// The ruling of the best exit.
pub(crate) fn best(answered: &Answered) -> Option<&RulingData> {
    answered.assessment.best().and_then(|exit| answered.assessment.ruling(exit))
}

/// What one line says of a resource.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) outcome: Outcome,
    pub(crate) best: Option<Exit>,
    pub(crate) refund: Money,
    pub(crate) kept: Money,
    pub(crate) until: Option<Instant>,
    /// Why, or under what conditions; amounts are tied to their currencies.
    pub(crate) reasons: String,
    /// The reasons, and what the provider itself answers.
    pub(crate) why: String,
}

impl Line {
    pub(crate) fn of(answered: &Answered) -> Self {
        let outcome = answered.assessment.outcome();
        let best = best(answered);
        let figure = |of: fn(&RefundQuote) -> Amount| match best {
            Some(ruling) if outcome != Outcome::Refused => {
                ruling.refund.as_ref().map_or(Money::Unknown, |quote| Money::Known(of(quote), quote.currency()))
            }
            _ => Money::None,
        };
        let reasons = why(answered, best);
        Self {
            outcome,
            best: answered.assessment.best().filter(|exit| *exit != Exit::None),
            refund: figure(RefundQuote::refund),
            kept: figure(kept),
            until: answered.assessment.until(),
            why: with_statements(&reasons, answered),
            reasons,
        }
    }

    /// The best exit's name.
    pub(crate) fn exit(&self) -> String {
        self.best.map_or_else(|| "-".to_owned(), |exit| spaced(exit.as_str()))
    }
}

fn push_once(list: &mut Vec<String>, item: impl Into<String>) {
    let item = item.into();
    if !list.contains(&item) {
        list.push(item);
    }
}

/// What a conditional ruling rests on: facts that can be taken for granted first, written as
/// `--assume` takes them, then what else is missing.
pub(crate) fn conditions(unknowns: &[Unknown]) -> Vec<String> {
    let (mut facts, mut missing) = (Vec::new(), Vec::new());
    for unknown in unknowns {
        match (unknown.fact.as_deref(), unknown.assumed) {
            (Some(fact), Some(assumed)) if Flag::parse(fact).is_ok() => {
                push_once(&mut facts, format!("{fact}={assumed}"));
            }
            (Some(fact), _) => push_once(&mut missing, format!("{} ({})", spaced(fact), words::reason(unknown.reason))),
            (None, _) => push_once(&mut missing, words::reason(unknown.reason)),
        }
    }
    let mut out = Vec::new();
    if !facts.is_empty() {
        out.push(format!("if {}", facts.join(", ")));
    }
    if !missing.is_empty() {
        out.push(format!("to check: {}", missing.join(", ")));
    }
    out
}

/// What the provider itself answers follows what the rules say.
fn with_statements(reasons: &str, answered: &Answered) -> String {
    let stated = answered.stated.iter().map(|one| stated::short(one, answered.subject.zone));
    std::iter::once(reasons.to_owned()).filter(|why| !why.is_empty()).chain(stated).collect::<Vec<_>>().join("; ")
}

fn why(answered: &Answered, best: Option<&RulingData>) -> String {
    let rulings = answered.assessment.rulings();
    let mut parts = Vec::new();
    if answered.assessment.outcome() == Outcome::Refused {
        let mut reasons = Vec::new();
        let refused = rulings.iter().filter(|ruling| match best {
            Some(best) => ruling.exit == best.exit,
            None => ruling.exit != Exit::StopRenewal,
        });
        for refusal in refused.flat_map(|ruling| &ruling.refusals) {
            push_once(&mut reasons, words::reason(refusal.reason));
        }
        let stop = answered.assessment.ruling(Exit::StopRenewal);
        if reasons.is_empty() {
            // Nothing but the end of the renewals was ruled on, and that is refused too.
            let refusals = stop.into_iter().flat_map(|ruling| &ruling.refusals);
            refusals.for_each(|refusal| push_once(&mut reasons, words::reason(refusal.reason)));
        }
        if !reasons.is_empty() {
            parts.push(reasons.join(", "));
        }
        match answered.assessment.ruling(Exit::StopRenewal).map(RulingData::outcome) {
            Some(Outcome::Allowed) => parts.push("renewal can be stopped".to_owned()),
            Some(Outcome::Conditional) => parts.push("renewal can perhaps be stopped".to_owned()),
            _ => {}
        }
        return parts.join("; ");
    }
    let Some(ruling) = best else { return String::new() };
    parts.extend(conditions(&ruling.unknowns));
    if let Some(quote) = &ruling.refund {
        let currency = quote.currency();
        let notes = [
            ("costs", quote.charge(), ""),
            ("carries over", quote.carried_over(), ""),
            ("releases", quote.released(), " of future payments"),
            ("sold for", quote.proceeds(), ""),
        ];
        for (verb, amount, of) in notes {
            if let Some(amount) = amount.filter(|amount| !amount.is_zero()) {
                parts.push(format!("{verb} {amount}{TIE}{currency}{of}"));
            }
        }
        let other: Amount =
            quote.items().iter().filter(|item| !item.instrument.is_money()).map(|item| item.amount).sum();
        if !other.is_zero() {
            parts.push(format!("coupons back: {other}{TIE}{currency}"));
        }
    }
    if let Some(review) = &ruling.review {
        parts.push(format!("reviewed by {}", spaced(&review.by)));
    }
    if let Some(at) = ruling.effective_at {
        parts.push(format!("takes effect {}", time::day(at, answered.subject.zone)));
    }
    parts.join("; ")
}
