//! Settling: what came back is booked, what is late is listed.

use std::collections::BTreeSet;

use recoup_core::money::{Amount, Currency};
use recoup_core::time::Instant;
use recoup_core::vocab::Instrument;
use serde::Serialize;
use serde_json::json;

use super::{FlowError, Flows, Outcome, digest, limits};
use crate::journal::{Act, Event};
use crate::model::{Case, CaseId, LineState, Received, when};
use crate::state::{kinds, receipt_key};

/// What is still to come of an expected return.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Due {
    /// The case.
    pub case: CaseId,
    /// The line.
    pub line: u32,
    /// Its resource.
    pub resource: String,
    /// What had paid.
    pub instrument: Instrument,
    /// In which currency.
    pub currency: Currency,
    /// How much was expected.
    pub expected: Amount,
    /// How much is still to come.
    pub left: Amount,
    /// When it should have come at the latest.
    #[serde(with = "when::maybe")]
    pub due_by: Option<Instant>,
    /// Whether that has passed.
    pub overdue: bool,
    /// The clauses that say that it should come.
    pub clauses: Vec<String>,
}

/// What is still to come for a case. Receipts that name a line, an instrument, count there first; the rest
/// goes to what is left, in the order of the lines.
#[must_use]
pub fn dues(case: &Case, at: Instant) -> Vec<Due> {
    let mut dues: Vec<Due> = Vec::new();
    for line in case.lines.iter().filter(|line| line.state == LineState::Executed) {
        for expected in &line.expected {
            dues.push(Due {
                case: case.id.clone(),
                line: line.number,
                resource: line.resource.clone(),
                instrument: expected.instrument,
                currency: expected.currency,
                expected: expected.amount,
                left: expected.amount,
                due_by: expected.due_by,
                overdue: expected.due_by.is_some_and(|due| due < at),
                clauses: expected.clauses.clone(),
            });
        }
    }
    let mut rest: Vec<(Amount, &Received)> = case.received.iter().map(|receipt| (receipt.amount, receipt)).collect();
    // From the narrowest match to the widest.
    type Fits = fn(&Due, &Received) -> bool;
    let rounds: [Fits; 4] = [
        |due, receipt| receipt.line == Some(due.line) && receipt.instrument == Some(due.instrument),
        |due, receipt| receipt.line == Some(due.line) && receipt.instrument.is_none(),
        |due, receipt| receipt.line.is_none() && receipt.instrument == Some(due.instrument),
        |_, receipt| receipt.line.is_none() && receipt.instrument.is_none(),
    ];
    for fits in rounds {
        for (amount, receipt) in &mut rest {
            for due in dues.iter_mut().filter(|due| due.currency == receipt.currency && fits(due, receipt)) {
                let taken = amount.at_most(due.left);
                if taken.is_positive() {
                    due.left -= taken;
                    *amount -= taken;
                }
            }
        }
    }
    dues.retain(|due| due.left.is_positive());
    dues
}

impl Flows {
    /// Books what came back for a case. What was booked before under the same reference is left out.
    ///
    /// # Errors
    /// Where a receipt names a line that there is not, or everything was booked before.
    pub async fn receive(&self, act: &Act, id: &CaseId, receipts: Vec<Received>) -> Result<Outcome, FlowError> {
        let request = digest("settle", &act.actor, &json!({"case": id, "receipts": receipts}));
        if receipts.len() > limits::RECEIPTS {
            return Err(FlowError::Given(format!(
                "{} receipts; {} at most in one go",
                receipts.len(),
                limits::RECEIPTS
            )));
        }
        let mut work = self.begin(act).await?;
        if let Some(outcome) = work.answered(&request).await? {
            return Ok(outcome);
        }
        let mut case = Some(work.case(id, None).await?);
        let Some(now) = &case else { return Err(FlowError::NoCase(id.clone())) };
        let provider = |receipt: &Received| {
            let line = receipt.line.and_then(|number| now.line(number)).or_else(|| now.lines.first());
            line.map(|line| line.place.provider.clone()).unwrap_or_default()
        };
        for receipt in &receipts {
            if let Some(line) = receipt.line.filter(|number| now.line(*number).is_none()) {
                return Err(FlowError::NoLine { case: id.clone(), line, lines: now.lines.len() });
            }
            if receipt.amount.is_zero() {
                return Err(FlowError::Given(format!("{}: a receipt of nothing", receipt.source)));
            }
        }
        let key = |receipt: &Received| Some(receipt_key(&provider(receipt), receipt.reference.as_ref()?));
        let keys: Vec<String> = receipts.iter().filter_map(key).collect::<BTreeSet<_>>().into_iter().collect();
        let mut booked: BTreeSet<String> =
            work.change.find(kinds::RECEIPT, &keys).await?.into_iter().map(|mark| mark.key).collect();
        let first = work.change.head().seq + 1;
        let (mut new, mut before) = (Vec::new(), Vec::new());
        for mut receipt in receipts {
            let known = key(&receipt).is_some_and(|key| !booked.insert(key));
            if known {
                before.push(receipt.reference.unwrap_or_default());
            } else {
                // The entry's number keeps a receipt's number from being given again once it was struck.
                receipt.id = format!("R{first}.{}", new.len() + 1);
                new.push(receipt);
            }
        }
        if new.is_empty() {
            return Err(FlowError::Nothing(format!("all of it was booked before ({})", before.join(", "))));
        }
        let named: BTreeSet<u32> = new.iter().filter_map(|receipt| receipt.line).collect();
        let ids: Vec<String> = new.iter().map(|receipt| receipt.id.clone()).collect();
        work.record(&mut case, id, &Event::Received { receipts: new }).await?;
        let case = case.ok_or_else(|| FlowError::NoCase(id.clone()))?;
        let mut outcome = Outcome::new(&case, &named.into_iter().collect::<Vec<_>>());
        outcome.notes.push(format!("booked as {}", ids.join(", ")));
        if !before.is_empty() {
            outcome.notes.push(format!("booked before and left out: {}", before.join(", ")));
        }
        work.answer(Some(id), request, &outcome).await?;
        Ok(outcome)
    }

    /// Strikes a receipt that was booked wrongly. It stays in the journal.
    ///
    /// # Errors
    /// Where there is no such receipt.
    pub async fn strike(&self, act: &Act, id: &CaseId, receipt: &str) -> Result<Outcome, FlowError> {
        let request = digest("strike", &act.actor, &json!({"case": id, "receipt": receipt}));
        let mut work = self.begin(act).await?;
        if let Some(outcome) = work.answered(&request).await? {
            return Ok(outcome);
        }
        let mut case = Some(work.case(id, None).await?);
        if !case.iter().any(|case| case.received.iter().any(|booked| booked.id == receipt)) {
            return Err(FlowError::Given(format!("{id} has no receipt {receipt}")));
        }
        work.record(&mut case, id, &Event::Struck { receipt: receipt.to_owned() }).await?;
        let mut outcome = case.map(|case| Outcome::new(&case, &[])).ok_or_else(|| FlowError::NoCase(id.clone()))?;
        outcome.notes.push(format!("{receipt} counts no more"));
        work.answer(Some(id), request, &outcome).await?;
        Ok(outcome)
    }

    /// What is still to come, of all cases or one; late first.
    ///
    /// # Errors
    /// Where the store cannot be used.
    pub async fn due(&self, at: Instant, only: Option<&CaseId>) -> Result<Vec<Due>, FlowError> {
        let cases = match only {
            Some(id) => vec![id.clone()],
            None => self.store.cases().await?,
        };
        let mut all = Vec::new();
        for id in cases {
            let case = self.case(&id).await?;
            if !case.settled {
                all.extend(dues(&case, at));
            }
        }
        all.sort_by_key(|due| (!due.overdue, due.due_by.is_none(), due.due_by, due.line));
        Ok(all)
    }
}
