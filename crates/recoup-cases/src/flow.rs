//! The flows: quote, confirm, review, execute, settle, withdraw. One file each; this one has what they
//! share.

mod confirm;
mod execute;
pub(crate) mod quote;
mod review;
mod settle;

use std::collections::BTreeSet;
use std::sync::Arc;

use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::Effect;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::gateway::{GatewayError, Task};
use crate::journal::{Act, Broken, Entry, Event, sha256};
use crate::model::{Case, CaseId, CaseState, Line, LineState, Refusal};
use crate::procedure::{Procedures, ReasonOption};
use crate::state::{Changed, Given, Mark, apply, kinds, marks, receipt_marks};
use crate::store::{CLOCK_SKEW_SECONDS, Change, Store, StoreError};

pub use confirm::Confirmation;
pub use execute::{Execution, Plan, expected_returns};
pub use quote::{Draft, Judge, Quoting, draft};
pub use settle::{Due, dues};

/// Limits with names; each far above what a person would do in one go.
pub mod limits {
    /// Lines of one case.
    pub const LINES: usize = 20_000;
    /// Characters of an actor, a reason, a key.
    pub const TEXT: usize = 2_000;
    /// Receipts booked in one go.
    pub const RECEIPTS: usize = 100_000;
}

/// Something that a flow does not do. Nothing was changed, unless it says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FlowError {
    /// The store cannot.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The gateway cannot.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// There is no such case.
    #[error("there is no case {0}; `recoup case show` lists them")]
    NoCase(CaseId),
    /// There is no such line.
    #[error("{case} has no line {line}; it has {lines}")]
    NoLine {
        /// The case.
        case: CaseId,
        /// The line.
        line: u32,
        /// How many it has.
        lines: usize,
    },
    /// A line cannot do that where it stands.
    #[error("line {line} of {case} is {state}: {what}")]
    State {
        /// The case.
        case: CaseId,
        /// The line.
        line: u32,
        /// Where it stands.
        state: LineState,
        /// What cannot be done and what can.
        what: &'static str,
    },
    /// The quote lapsed.
    #[error("the quote {case} lapsed at {}; quote again", .at.display(*.zone))]
    Lapsed {
        /// The case.
        case: CaseId,
        /// When.
        at: Instant,
        /// The wall clock.
        zone: Zone,
    },
    /// Effects were not acknowledged.
    #[error("what cannot be undone is confirmed explicitly; not acknowledged: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    NotAcknowledged(Vec<MissingEffect>),
    /// Unknown facts were not vouched for.
    #[error("some answers hold only under conditions; not vouched for: {}", .0.join("; "))]
    NotChecked(Vec<String>),
    /// The reason is not one of the provider's.
    #[error("{what}{}", listed(.options))]
    Reason {
        /// What is wrong.
        what: String,
        /// What would be understood.
        options: Vec<ReasonOption>,
    },
    /// Nothing to do.
    #[error("{0}")]
    Nothing(String),
    /// Something given is not understood.
    #[error("{0}")]
    Given(String),
    /// The idempotency key was used for another request.
    #[error("the idempotency key {key:?} was used before for another request; a new request needs a new key")]
    KeyUsed {
        /// The key.
        key: String,
    },
    /// Something was carried out, and the store could not be told.
    #[error(
        "{task} was carried out, but the store could not be told ({error}). Its lines stay `executing`; when the store is back, say what became of them with `recoup case execute {case} --line N --tick ...`: {results}"
    )]
    NotWritten {
        /// The case.
        case: CaseId,
        /// The task.
        task: String,
        /// What became of it, as JSON.
        results: String,
        /// Why the store could not be told.
        error: StoreError,
    },
}

impl From<Broken> for FlowError {
    fn from(broken: Broken) -> Self {
        Self::Store(broken.into())
    }
}

/// An effect that was not acknowledged, and the lines that have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingEffect {
    /// The effect.
    pub effect: Effect,
    /// The lines.
    pub lines: Vec<u32>,
}

impl std::fmt::Display for MissingEffect {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.effect, lines_of(&self.lines))
    }
}

/// `line 3`, `lines 1 to 4, 7`.
fn lines_of(lines: &[u32]) -> String {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for line in lines {
        match runs.last_mut() {
            Some((_, end)) if *end + 1 == *line => *end = *line,
            _ => runs.push((*line, *line)),
        }
    }
    let runs: Vec<String> = runs
        .iter()
        .map(|(start, end)| if start == end { start.to_string() } else { format!("{start} to {end}") })
        .collect();
    format!("line{} {}", if lines.len() == 1 { "" } else { "s" }, runs.join(", "))
}

fn listed(options: &[ReasonOption]) -> String {
    if options.is_empty() {
        return String::new();
    }
    let options: Vec<String> = options.iter().map(|option| format!("{} ({})", option.id, option.says)).collect();
    format!("; the provider's list: {}", options.join(", "))
}

/// What became of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineOutcome {
    /// The line.
    pub line: u32,
    /// Its resource.
    pub resource: String,
    /// Where it stands now.
    pub state: LineState,
    /// Its combined order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Why it is refused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refused: Vec<Refusal>,
    /// What was said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

impl LineOutcome {
    fn of(line: &Line) -> Self {
        Self {
            line: line.number,
            resource: line.resource.clone(),
            state: line.state,
            order: line.combined_order.clone(),
            refused: line.refused.clone(),
            said: line.said.clone(),
        }
    }
}

/// What a flow did: the answer to a request, and what the same request with the same key gets again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// The case.
    pub case: CaseId,
    /// Where it stands now.
    pub state: CaseState,
    /// The lines that the request was about.
    pub lines: Vec<LineOutcome>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

impl Outcome {
    fn new(case: &Case, lines: &[u32]) -> Self {
        let lines = case.lines.iter().filter(|line| lines.contains(&line.number)).map(LineOutcome::of).collect();
        Self { case: case.id.clone(), state: case.state(), lines, notes: Vec::new() }
    }
}

/// The flows over a store.
#[derive(Clone)]
pub struct Flows {
    store: Arc<dyn Store>,
    procedures: Arc<dyn Procedures>,
}

impl std::fmt::Debug for Flows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flows").field("store", &self.store.address()).finish_non_exhaustive()
    }
}

/// A change on its way, made by somebody at an instant.
struct Work<'a> {
    change: Box<dyn Change>,
    act: &'a Act,
}

impl Work<'_> {
    /// Appends an event and brings what is derived up to it.
    async fn record(&mut self, case: &mut Option<Case>, id: &CaseId, event: &Event) -> Result<(), FlowError> {
        let entry = Entry::after(self.change.head(), self.act, Some(id), event)?;
        let changed = apply(case, &entry, event)?;
        self.change.append(&[entry]).await?;
        if let Some(case) = case {
            derive(self.change.as_mut(), case, &changed).await?;
        }
        Ok(())
    }

    async fn case(&mut self, id: &CaseId, lines: Option<&[u32]>) -> Result<Case, FlowError> {
        self.change.case(id, lines).await?.ok_or_else(|| FlowError::NoCase(id.clone()))
    }

    /// The answer that a request with this key had before.
    async fn answered<T: serde::de::DeserializeOwned>(&mut self, request: &str) -> Result<Option<T>, FlowError> {
        let Some(key) = &self.act.key else { return Ok(None) };
        let marks = self.change.find(kinds::ANSWER, std::slice::from_ref(key)).await?;
        let Some(mark) = marks.first() else { return Ok(None) };
        let damaged = |error: serde_json::Error| StoreError::Damaged(format!("the answer to {key:?}: {error}"));
        let given: Given = serde_json::from_str(&mark.value).map_err(damaged)?;
        if given.request != request {
            return Err(FlowError::KeyUsed { key: key.clone() });
        }
        serde_json::from_value(given.answer).map(Some).map_err(|error| damaged(error).into())
    }

    /// Keeps the answer to a request for whoever repeats it, and commits.
    async fn answer(
        mut self,
        case: Option<&CaseId>,
        request: String,
        answer: &impl Serialize,
    ) -> Result<(), FlowError> {
        if let Some(key) = self.act.key.clone() {
            let answer = serde_json::to_value(answer).map_err(|error| FlowError::Given(error.to_string()))?;
            let event = Event::Answered { key, request, answer };
            let entry = Entry::after(self.change.head(), self.act, case, &event)?;
            self.change.append(&[entry]).await?;
            self.change.mark("", &[], &answer_marks(&event)).await?;
        }
        self.change.commit().await?;
        Ok(())
    }
}

/// The mark of an answer.
pub(crate) fn answer_marks(event: &Event) -> Vec<Mark> {
    let Event::Answered { key, request, answer } = event else { return Vec::new() };
    let given = Given { request: request.clone(), answer: answer.clone() };
    let value = serde_json::to_string(&given).unwrap_or_default();
    vec![Mark { kind: kinds::ANSWER, key: key.clone(), case: String::new(), line: 0, value }]
}

/// Writes what is derived of what changed of a case.
pub(crate) async fn derive(change: &mut dyn Change, case: &Case, changed: &Changed) -> Result<(), StoreError> {
    let wanted: BTreeSet<u32> = changed.lines.iter().copied().collect();
    let lines: Vec<&Line> = case.lines.iter().filter(|line| wanted.contains(&line.number)).collect();
    // A long case is not written again for each of its lines.
    if changed.case {
        change.put_case(case).await?;
    }
    change.put_lines(&case.id, &lines).await?;
    let mut all: Vec<Mark> = lines.iter().flat_map(|line| marks(case, line)).collect();
    let mut touched: Vec<u32> = wanted.into_iter().collect();
    if changed.receipts {
        touched.push(0);
        all.extend(receipt_marks(case, &case.received));
    }
    change.mark(&case.id.0, &touched, &all).await
}

impl Flows {
    /// The flows over a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, procedures: Arc<dyn Procedures>) -> Self {
        Self { store, procedures }
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    /// What providers say of the procedure.
    #[must_use]
    pub fn procedures(&self) -> &Arc<dyn Procedures> {
        &self.procedures
    }

    /// A case with all its lines.
    ///
    /// # Errors
    /// Where there is none, or the store cannot be used.
    pub async fn case(&self, id: &CaseId) -> Result<Case, FlowError> {
        self.store.case(id).await?.ok_or_else(|| FlowError::NoCase(id.clone()))
    }

    async fn begin<'a>(&self, act: &'a Act) -> Result<Work<'a>, FlowError> {
        for (name, text) in [("the actor", &act.actor), ("the reason", &act.because)] {
            if text.chars().count() > limits::TEXT {
                return Err(FlowError::Given(format!("{name} has more than {} characters", limits::TEXT)));
            }
        }
        if act.actor.trim().is_empty() {
            return Err(FlowError::Given("nobody is named as actor; name one with --actor".to_owned()));
        }
        if act.key.as_ref().is_some_and(|key| key.is_empty() || key.chars().count() > limits::TEXT) {
            return Err(FlowError::Given(format!("an idempotency key has 1 to {} characters", limits::TEXT)));
        }
        let mut change = self.store.begin().await?;
        let newest = change.head().at;
        if act.at + Span::seconds(CLOCK_SKEW_SECONDS) < newest {
            return Err(StoreError::ClockWentBack { now: act.at, newest }.into());
        }
        if change.head().seq == 0 {
            let event = Event::Opened { store: fresh_name(act) };
            let entry = Entry::after(change.head(), act, None, &event)?;
            change.append(&[entry]).await?;
        }
        Ok(Work { change, act })
    }

    /// Lets happen to a case what happens by itself when time passes.
    async fn pass_time(work: &mut Work<'_>, case: &mut Option<Case>, id: &CaseId) -> Result<(u32, u32), FlowError> {
        let at = work.act.at.max(work.change.head().at);
        let Some(now) = case.as_ref() else { return Err(FlowError::NoCase(id.clone())) };
        let with = |state: LineState, due: &dyn Fn(&Line) -> bool| -> Vec<u32> {
            now.lines.iter().filter(|line| line.state == state && due(line)).map(|line| line.number).collect()
        };
        let approved = with(LineState::InReview, &|line| line.approved_by_itself_at.is_some_and(|due| due <= at));
        let lapsed = if now.expires_at <= at { with(LineState::Quoted, &|_| true) } else { Vec::new() };
        let counts =
            (u32::try_from(approved.len()).unwrap_or(u32::MAX), u32::try_from(lapsed.len()).unwrap_or(u32::MAX));
        if !approved.is_empty() {
            let event = Event::Reviewed { lines: approved, approved: true, by_itself: true };
            work.record(case, id, &event).await?;
        }
        if !lapsed.is_empty() {
            work.record(case, id, &Event::Lapsed { lines: lapsed }).await?;
        }
        Ok(counts)
    }
}

/// What a store is told apart by.
fn fresh_name(act: &Act) -> String {
    use std::hash::{BuildHasher, Hasher, RandomState};
    // The standard library's own randomness, which differs from process to process.
    let random = RandomState::new().build_hasher().finish().to_le_bytes();
    let more = RandomState::new().build_hasher().finish().to_le_bytes();
    sha256(&[&random, &more, act.actor.as_bytes(), &act.at.micros().to_le_bytes()]).chars().take(32).collect()
}

/// A request as its idempotency key knows it.
fn digest(name: &str, actor: &str, request: &Value) -> String {
    let text = serde_json::to_string(request).unwrap_or_default();
    sha256(&[name.as_bytes(), actor.as_bytes(), text.as_bytes()])
}

/// Lines by their numbers, or all where none is named.
fn chosen(case: &Case, numbers: Option<&[u32]>) -> Result<BTreeSet<u32>, FlowError> {
    let Some(numbers) = numbers else { return Ok(case.lines.iter().map(|line| line.number).collect()) };
    for number in numbers {
        if case.line(*number).is_none() {
            return Err(FlowError::NoLine { case: case.id.clone(), line: *number, lines: case.lines.len() });
        }
    }
    Ok(numbers.iter().copied().collect())
}

/// Adds to some lines those that go only together with them: what follows them, what they follow, the rest
/// of their bundle, and of an order that goes only whole.
fn together(case: &Case, chosen: &BTreeSet<u32>) -> BTreeSet<u32> {
    let mut all = chosen.clone();
    loop {
        let mut more = all.clone();
        for line in &case.lines {
            let leads =
                case.lines.iter().any(|other| other.follows == Some(line.number) && all.contains(&other.number));
            let follows = line.follows.is_some_and(|leader| all.contains(&leader));
            let bundled = line.bundle.is_some()
                && case.lines.iter().any(|other| {
                    other.bundle == line.bundle && other.place == line.place && all.contains(&other.number)
                });
            let whole = case.orders.iter().any(|order| {
                order.whole && order.lines.contains(&line.number) && order.lines.iter().any(|other| all.contains(other))
            });
            if leads || follows || bundled || whole {
                more.insert(line.number);
            }
        }
        if more == all {
            return all;
        }
        all = more;
    }
}

/// What a tick did.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ticked {
    /// Cases that something happened to.
    pub cases: Vec<CaseId>,
    /// Lines approved because the provider's time passed.
    pub approved: u32,
    /// Lines whose quote lapsed.
    pub lapsed: u32,
    /// Cases with lines that were begun and have no result: somebody must look.
    pub unfinished: Vec<CaseId>,
}

impl Flows {
    /// Lets time pass: reviews that are approved by themselves, quotes that lapse.
    ///
    /// # Errors
    /// Where the store cannot be used. Cases that were done before stay done.
    pub async fn tick(&self, act: &Act) -> Result<Ticked, FlowError> {
        let mut ticked = Ticked::default();
        let mut due = BTreeSet::new();
        for mark in self.store.marks(kinds::DUE, None).await? {
            if mark.value.parse::<i64>().is_ok_and(|at| at <= act.at.micros()) {
                due.insert(CaseId(mark.case));
            }
        }
        for id in due {
            let mut work = self.begin(act).await?;
            let mut case = Some(work.case(&id, None).await?);
            let (approved, lapsed) = Self::pass_time(&mut work, &mut case, &id).await?;
            work.change.commit().await?;
            ticked.approved += approved;
            ticked.lapsed += lapsed;
            if approved + lapsed > 0 {
                ticked.cases.push(id);
            }
        }
        let held: BTreeSet<CaseId> =
            self.store.marks(kinds::HELD, None).await?.into_iter().map(|mark| CaseId(mark.case)).collect();
        for id in held {
            let unfinished = |line: &Line| matches!(line.state, LineState::Executing | LineState::InDoubt);
            if self.case(&id).await?.lines.iter().any(unfinished) {
                ticked.unfinished.push(id);
            }
        }
        Ok(ticked)
    }

    /// Takes lines back before they are carried out; all that can be, where none is named.
    ///
    /// # Errors
    /// Where a line that is named was begun: what was carried out cannot be taken back.
    pub async fn withdraw(&self, act: &Act, id: &CaseId, lines: Option<&[u32]>) -> Result<Outcome, FlowError> {
        use LineState as S;
        let request = digest("withdraw", &act.actor, &json!({"case": id, "lines": lines}));
        let mut work = self.begin(act).await?;
        if let Some(outcome) = work.answered(&request).await? {
            return Ok(outcome);
        }
        let mut case = Some(work.case(id, None).await?);
        Self::pass_time(&mut work, &mut case, id).await?;
        let Some(now) = &case else { return Err(FlowError::NoCase(id.clone())) };
        let wanted = together(now, &chosen(now, lines)?);
        let mut taken = Vec::new();
        for line in now.lines.iter().filter(|line| wanted.contains(&line.number)) {
            let what = match line.state {
                S::Quoted | S::InReview | S::Approved => {
                    taken.push(line.number);
                    continue;
                }
                S::Executed => "after success an unsubscription cannot be taken back",
                S::Executing => "it was begun and may have happened; say what became of it with `case execute --tick`",
                S::InDoubt => "it may have happened; find out, and say so with `case execute --tick`",
                S::Refused | S::Rejected | S::Failed | S::Withdrawn | S::Expired => "there is nothing to take back",
            };
            if lines.is_some() {
                return Err(FlowError::State { case: id.clone(), line: line.number, state: line.state, what });
            }
        }
        if taken.is_empty() {
            let executed = now.lines.iter().any(|line| line.state == S::Executed);
            let why = if executed { ": after success an unsubscription cannot be taken back" } else { "" };
            return Err(FlowError::Nothing(format!("{id} has no line that can be withdrawn{why}")));
        }
        work.record(&mut case, id, &Event::Withdrawn { lines: taken.clone() }).await?;
        let outcome = case.map(|case| Outcome::new(&case, &taken)).ok_or_else(|| FlowError::NoCase(id.clone()))?;
        work.answer(Some(id), request, &outcome).await?;
        Ok(outcome)
    }
}

/// A task on its way, for the journal's reader.
fn shown(task: &Task) -> String {
    format!("{} ({})", task.id, lines_of(&task.lines))
}
