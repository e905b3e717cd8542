//! Reviews: somebody agrees or does not.

use serde_json::json;

use super::{FlowError, Flows, Outcome, chosen, digest, together};
use crate::journal::{Act, Event};
use crate::model::{CaseId, LineState};

impl Flows {
    /// Says what the reviewer decided; of all lines in review where none is named.
    ///
    /// # Errors
    /// Where a line that is named is not in review, or none is.
    pub async fn review(
        &self,
        act: &Act,
        id: &CaseId,
        lines: Option<&[u32]>,
        approved: bool,
    ) -> Result<Outcome, FlowError> {
        let request = digest("review", &act.actor, &json!({"case": id, "lines": lines, "approved": approved}));
        let mut work = self.begin(act).await?;
        if let Some(outcome) = work.answered(&request).await? {
            return Ok(outcome);
        }
        let mut case = Some(work.case(id, None).await?);
        let (by_itself, _) = Self::pass_time(&mut work, &mut case, id).await?;
        let Some(now) = &case else { return Err(FlowError::NoCase(id.clone())) };
        let wanted = together(now, &chosen(now, lines)?);
        let mut decided = Vec::new();
        for line in now.lines.iter().filter(|line| wanted.contains(&line.number)) {
            if line.state == LineState::InReview {
                decided.push(line.number);
            } else if lines.is_some_and(|lines| lines.contains(&line.number)) {
                let what = "only what is in review can be approved or rejected";
                return Err(FlowError::State { case: id.clone(), line: line.number, state: line.state, what });
            }
        }
        if decided.is_empty() {
            let why =
                if by_itself > 0 { ": the provider's time had passed, and it was approved by itself" } else { "" };
            work.change.commit().await?;
            return Err(FlowError::Nothing(format!("no line of {id} is in review{why}")));
        }
        // What goes only together with a line that is rejected does not go.
        let mates = decided.clone();
        work.record(&mut case, id, &Event::Reviewed { lines: decided.clone(), approved, by_itself: false }).await?;
        if !approved {
            let Some(now) = &case else { return Err(FlowError::NoCase(id.clone())) };
            let left = now.lines.iter().filter(|line| {
                wanted.contains(&line.number)
                    && line.state == LineState::Approved
                    && goes_with(now, line.number, &mates)
            });
            let left: Vec<u32> = left.map(|line| line.number).collect();
            if !left.is_empty() {
                decided.extend(&left);
                work.record(&mut case, id, &Event::Withdrawn { lines: left }).await?;
            }
        }
        let outcome = case.map(|case| Outcome::new(&case, &decided)).ok_or_else(|| FlowError::NoCase(id.clone()))?;
        work.answer(Some(id), request, &outcome).await?;
        Ok(outcome)
    }
}

/// Whether a line goes only together with one of some others.
fn goes_with(case: &crate::model::Case, number: u32, others: &[u32]) -> bool {
    let unit = together(case, &std::collections::BTreeSet::from([number]));
    others.iter().any(|other| unit.contains(other))
}
