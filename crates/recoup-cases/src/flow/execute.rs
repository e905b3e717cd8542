//! Carrying out: through a gateway, each task between two entries of the journal.

use std::collections::BTreeSet;
use std::time::Duration;

use recoup_core::time::Instant;
use recoup_core::vocab::Outcome as Verdict;
use serde_json::json;

use super::{FlowError, Flows, Outcome, chosen, digest, shown};
use crate::gateway::{Gateway, LineResult, Results, Task};
use crate::journal::{Act, EndedLine, Event};
use crate::model::{Case, CaseId, ExpectedReturn, Line, LineState};
use crate::procedure::Procedures;
use crate::settle::Calendar;

/// How often the store is told what became of a task, before somebody else has to.
const TELLINGS: u32 = 5;

/// What is to be carried out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Execution {
    /// The lines; all that are approved where none is named.
    pub lines: Option<Vec<u32>>,
    /// Also lines whose ruling held only up to an instant that has passed.
    pub past_until: bool,
}

/// What would be carried out, and what not.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct Plan {
    /// What is to be done, in order.
    pub tasks: Vec<Task>,
    /// Lines that are left where they are, and why.
    pub left: Vec<(u32, String)>,
}

/// What should come back for a line that is carried out at an instant.
#[must_use]
pub fn expected_returns(line: &Line, at: Instant, procedures: &dyn Procedures) -> Vec<ExpectedReturn> {
    let Some(money) = line.ruling.refund.as_ref().filter(|_| line.ruling.outcome != Verdict::Refused) else {
        return Vec::new();
    };
    let settlement = line.ruling.settlement.as_ref();
    let calendar = Calendar::of(procedures, &line.place);
    let due_by = settlement.and_then(|settlement| calendar.due_by(at, settlement, line.zone));
    let clauses = line.ruling.clauses();
    let expected = |item: &crate::model::Returned| ExpectedReturn {
        instrument: item.instrument,
        currency: money.currency,
        amount: item.amount,
        to: item.to,
        due_by,
        clauses: clauses.clone(),
    };
    money.returned.iter().filter(|item| item.amount.is_positive()).map(expected).collect()
}

/// The entry's form of what a gateway or a person says of a line.
fn ended(line: &Line, result: LineResult, at: Instant, procedures: &dyn Procedures) -> EndedLine {
    let mut ended = EndedLine {
        line: line.number,
        state: LineState::Executed,
        said: None,
        code: None,
        reason: None,
        references: Vec::new(),
        expected: Vec::new(),
    };
    match result {
        LineResult::Done { references } => {
            ended.references = references;
            ended.expected = expected_returns(line, at, procedures);
        }
        LineResult::Failed { code, reason, says } => {
            ended.state = LineState::Failed;
            ended.said = Some(says);
            ended.code = code;
            ended.reason = reason;
        }
        LineResult::NotSent { says } => {
            ended.state = LineState::Approved;
            ended.said = Some(says);
        }
        LineResult::InDoubt { says } => {
            ended.state = LineState::InDoubt;
            ended.said = Some(says);
        }
        LineResult::Handed { says } => {
            ended.state = LineState::Executing;
            ended.said = Some(says);
        }
    }
    ended
}

/// The lines of a task, those that follow included.
fn members(case: &Case, task: &Task) -> Vec<u32> {
    let follows = |line: &&Line| line.follows.is_some_and(|leader| task.lines.contains(&leader));
    let mut all: BTreeSet<u32> = task.lines.iter().copied().collect();
    all.extend(case.lines.iter().filter(follows).map(|line| line.number));
    all.into_iter().collect()
}

impl Flows {
    /// What a gateway would do. Changes nothing.
    ///
    /// # Errors
    /// Where a line that is named cannot be carried out, or the gateway has no way for one.
    pub async fn plan(
        &self,
        at: Instant,
        id: &CaseId,
        asked: &Execution,
        gateway: &dyn Gateway,
    ) -> Result<Plan, FlowError> {
        let case = self.case(id).await?;
        plan(&case, asked, gateway, at)
    }

    /// Carries out what is approved. Before each task an entry says that it begins, after it one says what
    /// became of every line; where that one is missing nothing is tried again before somebody has looked.
    ///
    /// # Errors
    /// Where nothing can be carried out, or the store cannot be told. What was carried out before stays so.
    pub async fn execute(
        &self,
        act: &Act,
        id: &CaseId,
        asked: &Execution,
        gateway: &dyn Gateway,
    ) -> Result<Outcome, FlowError> {
        let request = digest(
            "execute",
            &act.actor,
            &json!({"case": id, "lines": asked.lines, "past_until": asked.past_until, "gateway": gateway.name()}),
        );
        let mut work = self.begin(act).await?;
        if let Some(outcome) = work.answered(&request).await? {
            return Ok(outcome);
        }
        let mut case = Some(work.case(id, None).await?);
        Self::pass_time(&mut work, &mut case, id).await?;
        work.change.commit().await?;
        let Some(case) = case else { return Err(FlowError::NoCase(id.clone())) };
        let at = act.at;
        let plan = plan(&case, asked, gateway, at)?;
        let mut touched: Vec<u32> = Vec::new();
        let mut sunk: BTreeSet<String> = BTreeSet::new();
        for task in &plan.tasks {
            let numbers = members(&case, task);
            let order = case.line(*task.lines.first().unwrap_or(&0)).and_then(|line| line.combined_order.clone());
            if order.as_ref().is_some_and(|order| sunk.contains(order)) {
                self.sink(act, id, &numbers).await?;
                touched.extend(numbers);
                continue;
            }
            if !self.set_out(act, id, task, &numbers, gateway.name()).await? {
                continue;
            }
            let results = gateway.carry_out(task).await;
            let failed = results.iter().any(|(_, result)| matches!(result, LineResult::Failed { .. }));
            self.arrive(act, id, task, &numbers, results).await?;
            touched.extend(numbers);
            if let Some(order) = order.filter(|_| failed)
                && case.orders.iter().any(|combined| combined.id == order && combined.whole)
            {
                sunk.insert(order);
            }
        }
        let case = self.case(id).await?;
        let mut outcome = Outcome::new(&case, &touched);
        outcome.notes.extend(plan.left.iter().map(|(line, why)| format!("line {line}: {why}")));
        let work = self.begin(act).await?;
        work.answer(Some(id), request, &outcome).await?;
        Ok(outcome)
    }

    /// Writes down that a task begins. Not where its lines are not approved any more.
    async fn set_out(
        &self,
        act: &Act,
        id: &CaseId,
        task: &Task,
        numbers: &[u32],
        gateway: &str,
    ) -> Result<bool, FlowError> {
        let mut work = self.begin(act).await?;
        let case = work.case(id, Some(numbers)).await?;
        // Somebody else may have begun, withdrawn or ended them meanwhile.
        if case.lines.len() != numbers.len() || case.lines.iter().any(|line| line.state != LineState::Approved) {
            return Ok(false);
        }
        let event = Event::Begun { gateway: gateway.to_owned(), task: task.clone(), lines: numbers.to_vec() };
        work.record(&mut Some(case), id, &event).await?;
        work.change.commit().await?;
        Ok(true)
    }

    /// Writes down what became of a task. It happened, so the store is told more than once if need be.
    async fn arrive(
        &self,
        act: &Act,
        id: &CaseId,
        task: &Task,
        numbers: &[u32],
        results: Results,
    ) -> Result<(), FlowError> {
        let mut wait = Duration::from_millis(100);
        let mut tellings = 0;
        loop {
            match self.tell(act, id, task, numbers, &results).await {
                Ok(()) => return Ok(()),
                Err(FlowError::Store(error)) if tellings + 1 >= TELLINGS => {
                    let results = serde_json::to_string(&results).unwrap_or_default();
                    return Err(FlowError::NotWritten { case: id.clone(), task: shown(task), results, error });
                }
                Err(FlowError::Store(_)) => {
                    tellings += 1;
                    tokio::time::sleep(wait).await;
                    wait *= 3;
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn tell(
        &self,
        act: &Act,
        id: &CaseId,
        task: &Task,
        numbers: &[u32],
        results: &Results,
    ) -> Result<(), FlowError> {
        let mut work = self.begin(act).await?;
        let case = work.case(id, Some(numbers)).await?;
        if case.lines.iter().all(|line| line.state != LineState::Executing) {
            // It was told, and only the answer got lost.
            return Ok(());
        }
        let at = act.at.max(work.change.head().at);
        let result = |line: &Line| {
            let number = line.follows.filter(|leader| task.lines.contains(leader)).unwrap_or(line.number);
            let found = results.iter().find(|(of, _)| *of == number).map(|(_, result)| result.clone());
            found
                .unwrap_or_else(|| LineResult::InDoubt { says: "the gateway did not say what became of it".to_owned() })
        };
        let lines = case.lines.iter().map(|line| ended(line, result(line), at, self.procedures.as_ref())).collect();
        work.record(&mut Some(case), id, &Event::Ended { task: task.id.clone(), lines }).await?;
        work.change.commit().await?;
        Ok(())
    }

    /// Lines of an order that goes only whole, of which another line failed.
    async fn sink(&self, act: &Act, id: &CaseId, numbers: &[u32]) -> Result<(), FlowError> {
        let mut work = self.begin(act).await?;
        let case = work.case(id, Some(numbers)).await?;
        if case.lines.iter().all(|line| line.state == LineState::Approved) {
            work.record(&mut Some(case), id, &Event::Sunk { lines: numbers.to_vec() }).await?;
            work.change.commit().await?;
        }
        Ok(())
    }

    /// Ticks off lines that were begun: a person says what became of them.
    ///
    /// # Errors
    /// Where a line was not begun, or its end is known.
    pub async fn tick_off(
        &self,
        act: &Act,
        id: &CaseId,
        numbers: &[u32],
        result: &LineResult,
    ) -> Result<Outcome, FlowError> {
        let request = digest("tick_off", &act.actor, &json!({"case": id, "lines": numbers, "result": result}));
        let mut work = self.begin(act).await?;
        if let Some(outcome) = work.answered(&request).await? {
            return Ok(outcome);
        }
        let mut case = Some(work.case(id, None).await?);
        let at = act.at.max(work.change.head().at);
        let Some(now) = &case else { return Err(FlowError::NoCase(id.clone())) };
        let named = chosen(now, Some(numbers))?;
        let wanted: Vec<&Line> = now
            .lines
            .iter()
            .filter(|line| named.contains(&line.number) || line.follows.is_some_and(|leader| named.contains(&leader)))
            .collect();
        let mut tasks: Vec<(String, Vec<EndedLine>)> = Vec::new();
        for line in &wanted {
            let begun = matches!(line.state, LineState::Executing | LineState::InDoubt);
            let Some(task) = line.attempt.as_ref().filter(|_| begun) else {
                let what = "only a line that was begun and whose end is not known is ticked off";
                return Err(FlowError::State { case: id.clone(), line: line.number, state: line.state, what });
            };
            let ended = ended(line, result.clone(), at, self.procedures.as_ref());
            match tasks.iter_mut().find(|(known, _)| known == task) {
                Some((_, lines)) => lines.push(ended),
                None => tasks.push((task.clone(), vec![ended])),
            }
        }
        let touched: Vec<u32> = wanted.iter().map(|line| line.number).collect();
        for (task, lines) in tasks {
            work.record(&mut case, id, &Event::Ended { task, lines }).await?;
        }
        let outcome = case.map(|case| Outcome::new(&case, &touched)).ok_or_else(|| FlowError::NoCase(id.clone()))?;
        work.answer(Some(id), request, &outcome).await?;
        Ok(outcome)
    }
}

/// What is to be done, order by order.
fn plan(case: &Case, asked: &Execution, gateway: &dyn Gateway, at: Instant) -> Result<Plan, FlowError> {
    let wanted = chosen(case, asked.lines.as_deref())?;
    let mut plan = Plan::default();
    let mut ready: BTreeSet<u32> = BTreeSet::new();
    for line in case.lines.iter().filter(|line| wanted.contains(&line.number)) {
        let what = match line.state {
            LineState::Approved if !asked.past_until && line.ruling.until.is_some_and(|until| until < at) => {
                let until = line.ruling.until.unwrap_or(at).display(line.zone).to_string();
                let why = format!(
                    "its ruling held only until {until}: withdraw it and quote again, or carry it out anyway with --past-until"
                );
                plan.left.push((line.number, why));
                continue;
            }
            LineState::Approved => {
                ready.insert(line.number);
                continue;
            }
            LineState::Executing => "it was begun before and has no result; say what became of it with --tick",
            LineState::InDoubt => "it may have happened; find out, and say so with --tick",
            LineState::Quoted => "it is not confirmed",
            LineState::InReview => "it is in review",
            _ => "there is nothing to carry out",
        };
        if asked.lines.is_some() {
            return Err(FlowError::State { case: case.id.clone(), line: line.number, state: line.state, what });
        }
        if matches!(line.state, LineState::Executing | LineState::InDoubt | LineState::InReview) {
            plan.left.push((line.number, what.to_owned()));
        }
    }
    for order in &case.orders {
        let lines: Vec<&Line> = case
            .lines
            .iter()
            .filter(|line| order.lines.contains(&line.number) && ready.contains(&line.number) && line.follows.is_none())
            .collect();
        if !lines.is_empty() {
            plan.tasks.extend(gateway.prepare(case, order, &lines)?);
        }
    }
    if plan.tasks.is_empty() {
        let why = plan.left.iter().map(|(line, why)| format!("; line {line}: {why}")).collect::<String>();
        return Err(FlowError::Nothing(format!("{} has no line to carry out{why}", case.id)));
    }
    Ok(plan)
}
