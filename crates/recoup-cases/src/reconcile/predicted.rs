//! What should come back: read from assessments, and from the lines of cases.

use recoup_core::money::{Amount, Currency};
use recoup_core::refund::Refund;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Instrument, Outcome};
use serde_json::Value;

use super::{Prediction, Receipt, Said};
use crate::model::{Case, Line, LineState, Money, PinnedRuling};

impl Refund for Money {
    fn currency(&self) -> Currency {
        self.currency
    }
    fn fee(&self) -> Option<Amount> {
        Some(self.fee)
    }
    fn consumed(&self) -> Option<Amount> {
        self.consumed
    }
    fn returned(&self) -> impl Iterator<Item = (Instrument, Amount)> + '_ {
        self.returned.iter().map(|item| (item.instrument, item.amount))
    }
}

/// An assessment that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoAssessment(String);

/// The clauses of a ruling: those that shaped it, else those that refuse or leave it open.
fn clauses(ruling: &PinnedRuling) -> Vec<Said> {
    let refused = ruling.refusals.iter().map(|refusal| (&refusal.clause, refusal.says.as_str()));
    let open = ruling.unknowns.iter().map(|unknown| (&unknown.clause, ""));
    let shaped = ruling.clauses();
    let shaped = shaped.iter().map(|clause| (clause, ""));
    let reviewed = ruling.review.iter().filter_map(|review| Some((review.clause.as_ref()?, review.because.as_str())));
    let mut said: Vec<Said> = Vec::new();
    for (clause, says) in refused.chain(shaped).chain(reviewed).chain(open) {
        if !said.iter().any(|known| known.clause == *clause) {
            said.push(Said { clause: clause.clone(), says: says.to_owned() });
        }
    }
    said
}

/// Whether a JSON value looks like an assessment.
#[must_use]
pub fn is_assessment(json: &Value) -> bool {
    json.get("exits").is_some_and(Value::is_array) && json.get("resource").is_some_and(Value::is_string)
}

/// What an assessment predicts: the refund of its best exit. Where every exit is refused, that nothing
/// should come, and why.
///
/// # Errors
/// Where it is no assessment.
pub fn from_assessment(json: &Value, source: &str) -> Result<Prediction, NoAssessment> {
    let wrong = |what: &str| NoAssessment(what.to_owned());
    if !is_assessment(json) {
        return Err(wrong(
            "is no assessment: expected an object with \"resource\" and \"exits\", as `recoup assess` prints",
        ));
    }
    let text = |name: &str| json.get(name).and_then(Value::as_str).map(str::to_owned);
    let exits = json.get("exits").and_then(Value::as_array).into_iter().flatten();
    let mut rulings = Vec::new();
    for exit in exits {
        let ruling: PinnedRuling = serde_json::from_value(exit.clone()).map_err(|error| {
            NoAssessment(format!("an exit of {} cannot be read: {error}", text("resource").unwrap_or_default()))
        })?;
        rulings.push(ruling);
    }
    let best = text("best");
    let best = rulings.iter().find(|ruling| Some(ruling.exit.as_str()) == best.as_deref()).or_else(|| rulings.first());
    let open = best.filter(|ruling| ruling.outcome != Outcome::Refused);
    Ok(Prediction {
        provider: text("provider").ok_or_else(|| wrong("names no provider"))?,
        site: text("site"),
        account: text("account"),
        resource: text("resource").unwrap_or_default(),
        name: text("name"),
        product: text("product").unwrap_or_default(),
        orders: Vec::new(),
        exit: open.map(|ruling| ruling.exit),
        money: open.and_then(|ruling| ruling.refund.clone()),
        due_by: None,
        clauses: best.map(clauses).unwrap_or_default(),
        at: text("at").and_then(|at| Instant::parse(&at, Zone::UTC).ok()),
        source: source.to_owned(),
    })
}

/// What the lines of a case predict that were carried out.
pub fn from_case(case: &Case) -> impl Iterator<Item = Prediction> + '_ {
    let done = case.lines.iter().filter(|line| line.state == LineState::Executed);
    done.map(|line| from_line(case, line))
}

fn from_line(case: &Case, line: &Line) -> Prediction {
    let due_by = line.expected.iter().filter_map(|expected| expected.due_by).max();
    Prediction {
        provider: line.place.provider.clone(),
        site: Some(line.place.site.clone()),
        account: line.place.account.clone(),
        resource: line.resource.clone(),
        name: line.name.clone(),
        product: line.product.clone(),
        orders: line.orders.iter().chain(&line.references).cloned().collect(),
        exit: Some(line.ruling.exit),
        money: line.ruling.refund.clone(),
        due_by,
        clauses: clauses(&line.ruling),
        at: Some(case.quoted_at),
        source: format!("case {} line {}", case.id, line.number),
    }
}

/// What came for a case, as it was recorded.
pub fn receipts_of(case: &Case) -> impl Iterator<Item = Receipt> + '_ {
    case.received.iter().map(|received| {
        let line = received.line.and_then(|number| case.lines.iter().find(|line| line.number == number));
        let mut refund = recoup_core::record::RefundRecord::new(received.currency);
        refund.provider = line.map(|line| line.place.provider.clone());
        refund.account = line.and_then(|line| line.place.account.clone());
        refund.resource = line.map(|line| line.resource.clone()).or_else(|| received.resource.clone());
        refund.order.clone_from(&received.order);
        // Without a number of the provider's, that of the case keeps two equal receipts apart.
        let own = || format!("{} {}", case.id, received.id);
        refund.id = Some(received.reference.clone().unwrap_or_else(own));
        refund.at = received.at;
        match received.instrument {
            Some(instrument) => refund.returned.push((instrument, received.amount)),
            None => refund.unnamed = received.amount,
        }
        Receipt { refund, source: format!("case {}: {}", case.id, received.source) }
    })
}
