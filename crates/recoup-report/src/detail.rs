//! Everything that a ruling says besides its outcome, in lines that the explanation and the page share.

use recoup_core::money::{Amount, Number};
use recoup_core::policy::{ClauseId, Source};
use recoup_core::refund::RefundQuote;
use recoup_core::ruling::RulingData;
use recoup_core::vocab::DayKind;

use crate::text::spaced;
use crate::{Answered, time, words};

/// What a clause says, and on which pages.
pub(crate) struct Cited<'a> {
    pub(crate) id: &'a str,
    pub(crate) says: &'a str,
    pub(crate) sources: Vec<&'a Source>,
}

pub(crate) fn cited(answered: &Answered, clause: ClauseId) -> Cited<'_> {
    answered.policy.clause(clause).map_or(
        Cited {
            id: "recoup.no-rule",
            says: "No page of this provider that is known speaks of such a resource.",
            sources: Vec::new(),
        },
        |clause| Cited {
            id: &clause.id,
            says: &clause.says,
            sources: clause.sources.iter().filter_map(|key| answered.policy.source(key)).collect(),
        },
    )
}

/// What stands behind a source's title: site, date and note.
pub(crate) fn about(source: &Source) -> String {
    let mut parts = Vec::new();
    parts.extend(source.site.as_ref().map(|site| format!("site {site}")));
    parts.push(source.date.as_ref().map_or_else(|| "no date printed".to_owned(), |date| format!("dated {date}")));
    parts.extend(source.note.clone());
    if source.overlay {
        parts.push("a team's own rule, not the provider's".to_owned());
    }
    parts.join(", ")
}

/// A refund's parts and what they add up to.
pub(crate) struct Breakdown {
    pub(crate) parts: Vec<(String, Amount)>,
    pub(crate) sum: (&'static str, Amount),
    /// Figures that stand outside the sum.
    pub(crate) besides: Vec<(&'static str, Amount)>,
}

pub(crate) fn breakdown(quote: &RefundQuote, answered: &Answered) -> Breakdown {
    let zone = answered.subject.zone;
    let mut parts = Vec::new();
    let mut part = |label: &str, amount: Option<Amount>| parts.extend(amount.map(|amount| (label.to_owned(), amount)));
    part("consumed", RefundQuote::consumed(quote));
    part("fee", Some(RefundQuote::fee(quote)));
    part("forfeited", quote.forfeited());
    part("carried over", quote.carried_over());
    for item in quote.items() {
        let lapse = item.expires_at.map(|end| format!(", lapses {}", time::long(end, zone))).unwrap_or_default();
        let (from, to) = (spaced(item.instrument.as_str()), spaced(item.to.as_str()));
        let label = if from == to { format!("back as {to}{lapse}") } else { format!("back: {from} to {to}{lapse}") };
        parts.push((label, item.amount));
    }
    let sum = quote.proceeds().map_or(("paid", quote.paid()), |proceeds| ("proceeds", proceeds));
    let mut besides = vec![("refund in money", quote.refund())];
    if quote.proceeds().is_some() {
        besides.push(("paid before", quote.paid()));
    }
    besides.extend(quote.released().map(|amount| ("no longer owed", amount)));
    besides.extend(quote.charge().map(|amount| ("to be paid for leaving", amount)));
    Breakdown { parts, sum, besides }
}

/// Review, settlement, quotas, effects, channel and dates of a ruling, labelled.
pub(crate) fn particulars(answered: &Answered, ruling: &RulingData) -> Vec<(&'static str, String)> {
    let zone = answered.subject.zone;
    let mut out = Vec::new();
    if let Some(review) = &ruling.review {
        let because = cited(answered, review.because);
        let hours = review
            .approved_after_hours
            .map(|hours| format!("; approved by itself after {hours} hours"))
            .unwrap_or_default();
        out.push(("review", format!("by {}{hours} ({}: {})", spaced(&review.by), because.id, because.says)));
    }
    if let Some(settlement) = ruling.settlement {
        let kind = match settlement.day_kind {
            Some(DayKind::Business) => "business days",
            Some(DayKind::Calendar) => "calendar days",
            None => "days",
        };
        out.push(("settlement", format!("within {} {kind}", settlement.within_days)));
    }
    for draw in &ruling.quota {
        let figure =
            |value: Option<Number>| value.map_or_else(|| "an unknown number".to_owned(), |value| value.to_string());
        let window = draw.window.name().map(|name| format!(" ({})", spaced(&name))).unwrap_or_default();
        out.push((
            "quota",
            format!(
                "{}{window}: draws {}, {} used of {}",
                draw.name,
                figure(draw.draws),
                figure(draw.used),
                figure(draw.limit)
            ),
        ));
    }
    if let Some(at) = ruling.effective_at {
        out.push(("takes effect", time::both(at, zone)));
    }
    let effects: Vec<&str> = ruling.effects.iter().map(words::effect).collect();
    if !effects.is_empty() {
        out.push(("effects", effects.join("; ")));
    }
    if let Some(channel) = ruling.channel {
        out.push(("where", words::channel(channel).to_owned()));
    }
    if let Some(until) = ruling.until {
        out.push(("until", time::both(until, zone)));
    }
    out
}
