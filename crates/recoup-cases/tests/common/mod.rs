//! What the tests of the flows share: stores of both kinds, lines of an invented provider, a gateway that
//! remembers what it did.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test fails by panicking; not every test needs all of this"
)]

pub mod kills;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use recoup_cases::flow::{Confirmation, Draft, Flows, Quoting};
use recoup_cases::gateway::{Gateway, GatewayError, LineResult, Results, Steps, Task, Work};
use recoup_cases::journal::{Act, sha256};
use recoup_cases::model::{Case, CaseId, CombinedOrder, LeavingReason, Line, LineState, Place, Refusal};
use recoup_cases::procedure::{BatchTerms, Procedures, ReasonOption};
use recoup_cases::store::{Store, open};
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Effect, Reason};
use serde_json::{Value, json};
use sqlx::Connection as _;

/// A store for one test, taken away with it.
pub struct TestStore {
    pub address: String,
    pub kind: &'static str,
    _folder: tempfile::TempDir,
}

/// The server that `cargo xtask test --postgres` starts.
pub fn server() -> Option<String> {
    std::env::var("RECOUP_TEST_POSTGRES").ok().filter(|address| !address.is_empty())
}

/// A fresh file, and a fresh schema on the server where there is one.
pub async fn fresh() -> Vec<TestStore> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.db").to_string_lossy().into_owned();
    let mut all = vec![TestStore { address: file, kind: "SQLite", _folder: folder }];
    if let Some(server) = server() {
        let schema = format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&server).await.unwrap();
        let statement = sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
        sqlx::query(statement).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let join = if server.contains('?') { '&' } else { '?' };
        let address = format!("{server}{join}options%5Bsearch_path%5D={schema}");
        all.push(TestStore { address, kind: "PostgreSQL", _folder: tempfile::tempdir().unwrap() });
    }
    all
}

/// Runs a test on a fresh store of each kind.
pub async fn on_each<F: Future<Output = ()>>(test: impl Fn(Arc<dyn Store>) -> F) {
    for place in fresh().await {
        eprintln!("on {}", place.kind);
        let store: Arc<dyn Store> = Arc::new(open(&place.address).await.unwrap());
        test(Arc::clone(&store)).await;
        store.close().await;
    }
}

pub fn instant(text: &str) -> Instant {
    Instant::parse(text, Zone::UTC).unwrap()
}

/// Noon of the first day of everything, and so many hours later.
pub fn hour(hours: i64) -> Instant {
    instant("2026-03-02T12:00:00Z") + recoup_core::time::Span::hours(hours)
}

pub fn act(hours: i64) -> Act {
    Act { at: hour(hours), actor: "tess".to_owned(), because: String::new(), key: None }
}

pub fn keyed(hours: i64, key: &str) -> Act {
    Act { key: Some(key.to_owned()), ..act(hours) }
}

/// A line of an invented provider whose ruling gives back 80.00 in cash and 20.00 as a coupon.
pub fn line(id: &str) -> Line {
    let record = json!({"provider": "acme", "id": id, "product": "vm"});
    let snapshot = sha256(&[record.to_string().as_bytes()]);
    let value = json!({
        "number": 0, "place": {"provider": "acme", "site": "global", "account": "a-1"}, "zone": "+08:00",
        "resource": id, "name": format!("name of {id}"), "product": "vm", "billing": "subscription", "status": "active",
        "orders": [format!("o-{id}")], "edition": "2026-01-01", "snapshot": snapshot, "record": record, "state": "quoted",
        "ruling": {
            "exit": "in_use", "outcome": "allowed",
            "refund": {"currency": "USD", "paid": "120.00", "consumed": "15.00", "fee": "5.00", "forfeited": "0.00",
                "refund": "80.00", "returned": [
                    {"instrument": "cash", "amount": "80.00", "to": "account_balance"},
                    {"instrument": "cash_coupon", "amount": "20.00", "to": "cash_coupon"}]},
            "settlement": {"within_days": 3, "day_kind": "business"},
            "effects": ["irreversible", "data_deleted"], "channel": "api",
            "steps": [{"clause": "acme.refund", "verdict": "applies"}]
        }
    });
    serde_json::from_value(value).unwrap()
}

/// The same with some fields of its JSON changed, by their pointers.
pub fn line_with(id: &str, changes: &[(&str, Value)]) -> Line {
    let mut value = serde_json::to_value(line(id)).unwrap();
    for (pointer, change) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        let parent = if parent.is_empty() { &mut value } else { value.pointer_mut(parent).unwrap() };
        parent[name] = change.clone();
    }
    serde_json::from_value(value).unwrap()
}

pub fn reviewed(hours: Option<u32>) -> (&'static str, Value) {
    ("/ruling/review", json!({"by": "account_manager", "because": "a large order", "approved_after_hours": hours}))
}

pub fn quota(name: &str, limit: u32, used: u32) -> (&'static str, Value) {
    (
        "/ruling/quota",
        json!([{"name": name, "limit": limit.to_string(), "used": used.to_string(), "draws": "1", "window": "calendar_year"}]),
    )
}

pub fn draft(mut lines: Vec<Line>) -> Draft {
    for (index, line) in lines.iter_mut().enumerate() {
        line.number = u32::try_from(index + 1).unwrap();
    }
    Draft { lines, ..Draft::default() }
}

/// What the invented provider says of the procedure.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub reasons: Vec<ReasonOption>,
    pub at_most: Option<u32>,
    pub whole: bool,
    pub alone: BTreeSet<String>,
}

impl Procedures for Rules {
    fn reasons(&self, _place: &Place, _at: Instant) -> Vec<ReasonOption> {
        self.reasons.clone()
    }

    fn longest_text(&self, _place: &Place, _at: Instant) -> Option<usize> {
        Some(20)
    }

    fn batch(&self, line: &Line, _at: Instant) -> BatchTerms {
        let alone = self.alone.contains(&line.product).then(|| Refusal {
            clause: "acme.alone".to_owned(),
            reason: Reason::ProductNotSupported,
            says: format!("A {} leaves one at a time.", line.product),
        });
        BatchTerms { group: line.product.clone(), at_most: self.at_most, whole: self.whole, alone }
    }

    fn hidden(&self, _line: &Line, _at: Instant) -> Option<Refusal> {
        None
    }
}

pub fn flows(store: &Arc<dyn Store>) -> Flows {
    flows_with(store, Rules::default())
}

pub fn flows_with(store: &Arc<dyn Store>, rules: Rules) -> Flows {
    Flows::new(Arc::clone(store), Arc::new(rules))
}

/// Every effect acknowledged, a reason given.
pub fn yes() -> Confirmation {
    Confirmation {
        reason: LeavingReason { option: None, text: Some("not needed".to_owned()) },
        acknowledged: Effect::ALL.iter().copied().collect(),
        ..Confirmation::default()
    }
}

pub async fn quoted(flows: &Flows, lines: Vec<Line>) -> CaseId {
    // Not before what was done already.
    let act = Act { at: flows.store().head().await.unwrap().at.max(hour(0)), ..act(0) };
    flows.quote(&act, draft(lines), &Quoting::default()).await.unwrap().case
}

pub async fn states(flows: &Flows, id: &CaseId) -> Vec<String> {
    flows.case(id).await.unwrap().lines.iter().map(|line| line.state.to_string()).collect()
}

pub async fn holds(flows: &Flows) {
    let report = flows.verify(None).await.unwrap();
    assert!(report.holds(), "{:#?}", report.problems);
}

/// The resource of a task of one line.
pub fn resource(task: &Task) -> String {
    match &task.work {
        Work::Steps(steps) => steps.steps.first().cloned().unwrap_or_default(),
        Work::Call(call) => call.path.clone(),
    }
}

/// One task a line, whose step is the resource.
pub fn tasks(order: &CombinedOrder, lines: &[&Line]) -> Vec<Task> {
    lines
        .iter()
        .map(|line| Task {
            id: format!("{}.{}", order.id, line.number),
            lines: vec![line.number],
            work: Work::Steps(Steps { steps: vec![line.resource.clone()], ..Steps::default() }),
        })
        .collect()
}

/// A provider in memory: what it did, and what it answers for some resources.
#[derive(Debug, Default)]
pub struct Provider {
    pub did: Mutex<Vec<String>>,
    pub answers: BTreeMap<String, LineResult>,
}

#[async_trait]
impl Gateway for Provider {
    fn name(&self) -> &str {
        "provider in memory"
    }

    fn sends(&self) -> bool {
        true
    }

    fn prepare(&self, _case: &Case, order: &CombinedOrder, lines: &[&Line]) -> Result<Vec<Task>, GatewayError> {
        Ok(tasks(order, lines))
    }

    async fn carry_out(&self, task: &Task) -> Results {
        let resource = resource(task);
        self.did.lock().unwrap().push(resource.clone());
        let done = LineResult::Done { references: vec![format!("ref-{resource}")] };
        vec![(task.lines[0], self.answers.get(&resource).cloned().unwrap_or(done))]
    }
}

/// A provider in a file, which lives on when a process is killed: one line for each resource that left.
#[derive(Debug)]
pub struct Ledger {
    pub file: PathBuf,
}

impl Ledger {
    pub fn did(file: &Path) -> Vec<String> {
        std::fs::read_to_string(file).unwrap_or_default().lines().map(str::to_owned).collect()
    }
}

#[async_trait]
impl Gateway for Ledger {
    fn name(&self) -> &str {
        "ledger"
    }

    fn sends(&self) -> bool {
        true
    }

    fn prepare(&self, _case: &Case, order: &CombinedOrder, lines: &[&Line]) -> Result<Vec<Task>, GatewayError> {
        Ok(tasks(order, lines))
    }

    async fn carry_out(&self, task: &Task) -> Results {
        let resource = resource(task);
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(&self.file).unwrap();
        file.write_all(format!("{resource}\n").as_bytes()).unwrap();
        vec![(task.lines[0], LineResult::Done { references: vec![format!("ref-{resource}")] })]
    }
}

pub fn state_of(case: &Case, resource: &str) -> LineState {
    case.lines.iter().find(|line| line.resource == resource).unwrap().state
}
