//! Years of purchases, renewals, requests, reviews, partial failures and refunds over all providers, against a
//! model that is simple enough to be seen to be right.
//!
//! A failing seed is printed and replays: `RECOUP_SEED=7 cargo test -p recoup-tests --test simulator`.
//! `RECOUP_SIMULATE_SECONDS` runs as many seeds as fit.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use recoup_cases::flow::{Confirmation, Execution, FlowError, Flows, Quoting, draft};
use recoup_cases::gateway::{Gateway, GatewayError, LineResult, Results, Steps, Task, Work};
use recoup_cases::journal::Act;
use recoup_cases::model::{Case, CaseId, CombinedOrder, LeavingReason, Line, LineState, Received};
use recoup_cases::procedure::Procedures;
use recoup_cases::published::Published;
use recoup_cases::store::{Store, open};
use recoup_core::context::{Run, Window};
use recoup_core::money::{Amount, Currency, Number};
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::{Effect, Exit, Outcome};
use recoup_engine::{Assessor, Engine};
use recoup_plugin::Adapter;
use recoup_tests::{cases, linked, quick_folder};
use serde_json::Value;
use sqlx::Connection as _;

/// Steps of one seed; with days between them they make some years.
const STEPS: u32 = 140;

struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % below.max(1) as u64).unwrap()
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.roll(100) < percent
    }
}

/// A provider's case as something that can be bought at any time.
struct Template {
    at: Instant,
    /// Whether it could be left when its case was written.
    open: bool,
    resource: Value,
}

/// What there is to buy, of all providers.
fn market(adapters: &[Arc<dyn Adapter>]) -> Vec<Template> {
    let mut all = Vec::new();
    for adapter in adapters {
        let zone_of = |_: &str, site: Option<&str>| adapter.zone_of(site);
        for case in cases(adapter.provider()) {
            let Ok(run) = case.run(&zone_of) else { continue };
            if case.json.get("edition").is_none() && ResourceRecord::from_json(case.resource(), &zone_of).is_ok() {
                let open = case.json.pointer("/expect/outcome").is_some_and(|outcome| outcome != "refused");
                all.push(Template { at: run.at.unwrap(), open, resource: case.resource().clone() });
            }
        }
    }
    all
}

/// Moves every date in a record by some days.
fn moved(value: &Value, days: i64) -> Value {
    match value {
        Value::String(text) if text.len() == 10 && text.as_bytes()[4] == b'-' => {
            let moved =
                Instant::parse(text, Zone::UTC).map(|at| (at + Span::days(days)).display(Zone::UTC).to_string());
            moved.map_or_else(|_| value.clone(), |text| text[..10].into())
        }
        Value::String(text) if text.len() >= 20 && text.as_bytes()[10] == b'T' => {
            let moved =
                Instant::parse(text, Zone::UTC).map(|at| (at + Span::days(days)).display(Zone::UTC).to_string());
            moved.map_or_else(|_| value.clone(), Value::String)
        }
        Value::Array(items) => items.iter().map(|item| moved(item, days)).collect(),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), moved(value, days))).collect(),
        _ => value.clone(),
    }
}

/// What has left of a resource, as the model remembers it.
#[derive(Debug, Clone)]
struct Left {
    whole: bool,
    exit: Exit,
    orders: Vec<String>,
    snapshot: String,
}

/// A line as the model sees it.
#[derive(Debug, Clone)]
struct Seen {
    key: String,
    state: LineState,
    pinned: Line,
    draws: Vec<(String, Instant, Number)>,
    review_ends: Option<Instant>,
    owed: BTreeMap<Currency, Amount>,
}

#[derive(Debug, Clone)]
struct Sheet {
    expires: Instant,
    lines: Vec<Seen>,
}

/// The model: plain maps, no journal, no database.
#[derive(Debug, Default)]
struct Model {
    sheets: BTreeMap<CaseId, Sheet>,
    left: BTreeMap<String, Vec<Left>>,
    came: BTreeMap<CaseId, BTreeMap<Currency, Amount>>,
}

fn key(line: &Line) -> String {
    format!("{}|{}", line.place, line.resource)
}

fn holds(state: LineState) -> bool {
    matches!(state, LineState::InReview | LineState::Approved | LineState::Executing | LineState::InDoubt)
}

impl Model {
    fn pass(&mut self, now: Instant) {
        for sheet in self.sheets.values_mut() {
            for line in &mut sheet.lines {
                if line.state == LineState::Quoted && sheet.expires <= now {
                    line.state = LineState::Expired;
                }
                if line.state == LineState::InReview && line.review_ends.is_some_and(|ends| ends <= now) {
                    line.state = LineState::Approved;
                }
            }
        }
    }

    fn drawn(&self, quota: &str, since: Instant) -> Number {
        let lines = self.sheets.values().flat_map(|sheet| &sheet.lines);
        let counting = lines.filter(|line| holds(line.state) || line.state == LineState::Executed);
        let draws = counting.flat_map(|line| &line.draws).filter(|(name, at, _)| name == quota && *at >= since);
        draws.fold(Number::ZERO, |sum, (_, _, amount)| sum + *amount)
    }

    fn taken(&self, line: &Line) -> bool {
        let held = |seen: &Seen| seen.key == key(line) && holds(seen.state);
        let gone = |left: &Left| {
            let renewal = left.exit == Exit::RenewalPeriod
                && line.ruling.exit == Exit::RenewalPeriod
                && line.orders.iter().all(|order| left.orders.contains(order));
            left.whole || left.snapshot == line.snapshot || renewal
        };
        self.sheets.values().any(|sheet| sheet.lines.iter().any(held))
            || self.left.get(&key(line)).is_some_and(|left| left.iter().any(gone))
    }

    fn confirm(&mut self, id: &CaseId, now: Instant, procedures: &dyn Procedures) {
        let quoted: Vec<Line> = self.sheets[id]
            .lines
            .iter()
            .filter(|line| line.state == LineState::Quoted)
            .map(|line| line.pinned.clone())
            .collect();
        for line in &quoted {
            let beside = quoted.iter().filter(|other| other.place == line.place).count() > 1;
            let alone = beside && procedures.batch(line, now).alone.is_some();
            let mut draws = Vec::new();
            let mut over = false;
            for quota in &line.ruling.quota {
                let name = format!("{}|{}", line.place, quota.name);
                let amount = quota.draws.unwrap_or_default();
                let start = Window::from_name(quota.window.as_deref()).unwrap().start(now, line.zone);
                let used = quota.used.unwrap_or_default() + self.drawn(&name, start);
                over |= quota.limit.is_some_and(|limit| used + amount > limit);
                draws.push((name, now, amount));
            }
            let refused = self.taken(line) || alone || over;
            let sheet = self.sheets.get_mut(id).unwrap();
            let seen = sheet.lines.iter_mut().find(|seen| seen.pinned.number == line.number).unwrap();
            if refused {
                seen.state = LineState::Refused;
                continue;
            }
            seen.draws = draws;
            seen.state = LineState::Approved;
            if let Some(review) = &line.ruling.review {
                seen.state = LineState::InReview;
                seen.review_ends = review.approved_after_hours.map(|hours| now + Span::hours(i64::from(hours)));
            }
        }
    }

    fn execute(&mut self, id: &CaseId, number: u32, result: &LineResult) {
        let sheet = self.sheets.get_mut(id).unwrap();
        let seen = sheet.lines.iter_mut().find(|seen| seen.pinned.number == number).unwrap();
        seen.state = match result {
            LineResult::Done { .. } => LineState::Executed,
            LineResult::Failed { .. } => LineState::Failed,
            LineResult::NotSent { .. } => LineState::Approved,
            LineResult::InDoubt { .. } => LineState::InDoubt,
            LineResult::Handed { .. } => LineState::Executing,
        };
        if seen.state == LineState::Executed {
            let line = &seen.pinned;
            if let Some(money) = &line.ruling.refund {
                for item in &money.returned {
                    *seen.owed.entry(money.currency).or_default() += item.amount;
                }
            }
            let partly = line.record.pointer("/facts/quantity_leaving").is_some();
            let whole = !partly
                && !matches!(
                    line.ruling.exit,
                    Exit::RenewalPeriod
                        | Exit::Exchange
                        | Exit::TradeIn
                        | Exit::Resale
                        | Exit::Downgrade
                        | Exit::Conversion
                        | Exit::BalancePayout
                        | Exit::StopRenewal
                );
            let left =
                Left { whole, exit: line.ruling.exit, orders: line.orders.clone(), snapshot: line.snapshot.clone() };
            self.left.entry(seen.key.clone()).or_default().push(left);
        }
    }
}

/// A provider that does what the dice say.
struct World<'d> {
    dice: Mutex<&'d mut Dice>,
    results: Mutex<Vec<(u32, LineResult)>>,
}

#[async_trait]
impl Gateway for World<'_> {
    fn name(&self) -> &str {
        "the world"
    }

    fn sends(&self) -> bool {
        true
    }

    fn prepare(&self, _case: &Case, order: &CombinedOrder, lines: &[&Line]) -> Result<Vec<Task>, GatewayError> {
        let task = |line: &&Line| Task {
            id: format!("{}.{}", order.id, line.number),
            lines: vec![line.number],
            work: Work::Steps(Steps { steps: vec![line.resource.clone()], ..Steps::default() }),
        };
        Ok(lines.iter().map(task).collect())
    }

    async fn carry_out(&self, task: &Task) -> Results {
        let says = "the dice say so".to_owned();
        let result = match self.dice.lock().unwrap().roll(20) {
            0 | 1 => LineResult::Failed { code: None, reason: None, says },
            2 | 3 => LineResult::InDoubt { says },
            4 => LineResult::NotSent { says },
            _ => LineResult::Done { references: vec![task.id.clone()] },
        };
        self.results.lock().unwrap().push((task.lines[0], result.clone()));
        vec![(task.lines[0], result)]
    }
}

struct Play<'a> {
    dice: Dice,
    now: Instant,
    owned: Vec<Value>,
    bought: usize,
    model: Model,
    flows: Flows,
    engine: &'a Engine,
    market: &'a [Template],
    did: BTreeMap<&'static str, u32>,
}

impl Play<'_> {
    fn act(&self) -> Act {
        Act { at: self.now, actor: "simulator".to_owned(), because: String::new(), key: None }
    }

    fn count(&mut self, what: &'static str) {
        *self.did.entry(what).or_default() += 1;
    }

    fn buy(&mut self) {
        // Most of what teams look at can go; most cases are about what cannot.
        let wanted = self.dice.chance(70);
        let mut template = &self.market[self.dice.roll(self.market.len())];
        while wanted && !template.open {
            template = &self.market[self.dice.roll(self.market.len())];
        }
        let days = self.now.since(template.at).whole_days();
        let mut record = moved(&template.resource, days);
        self.bought += 1;
        record["id"] = format!("bought-{}", self.bought).into();
        record["account"] = format!("account-{}", self.dice.roll(2)).into();
        self.owned.push(record);
        self.count("bought");
    }

    fn renew(&mut self) {
        let count = self.owned.len();
        let record = &mut self.owned[self.dice.roll(count)];
        let Some(mut order) = record["orders"].as_array().and_then(|orders| orders.last()).cloned() else { return };
        let (Some(start), Some(end)) = (order["starts_at"].as_str(), order["ends_at"].as_str()) else { return };
        let (Ok(start), Ok(end)) = (Instant::parse(start, Zone::UTC), Instant::parse(end, Zone::UTC)) else { return };
        let longer = end + end.since(start);
        order["kind"] = "renewal".into();
        order["id"] = format!("renewal-{}", self.dice.0).into();
        order["starts_at"] = end.display(Zone::UTC).to_string().into();
        order["ends_at"] = longer.display(Zone::UTC).to_string().into();
        record["ends_at"] = order["ends_at"].clone();
        record["orders"].as_array_mut().unwrap().push(order);
        self.count("renewed");
    }

    async fn quote(&mut self) {
        let wanted: BTreeSet<usize> = (0..=self.dice.roll(4)).map(|_| self.dice.roll(self.owned.len())).collect();
        let zone_of = |provider: &str, site: Option<&str>| self.engine.zone_of(provider, site);
        let records: Vec<ResourceRecord> = wanted
            .iter()
            .filter_map(|index| ResourceRecord::from_json(&self.owned[*index], &zone_of).ok())
            .map(|read| read.record)
            .collect();
        let mut run = Run::at(self.now);
        run.trace = true;
        let assessor = Assessor::new(self.engine, run);
        let mut judge = |records: Vec<ResourceRecord>| {
            assessor.assess(records).into_iter().map(|answer| answer.map_err(|error| error.to_string())).collect()
        };
        let quoting = Quoting { valid_for: Span::hours(1 + self.dice.roll(400) as i64), quotas_as_of: None };
        let all = (0..records.len()).collect();
        let mut drafted = draft(&records, &all, None, &quoting, &mut judge);
        // Whole orders are a law of their own, which the flows' own tests hold; the model knows single lines.
        drafted.lines.retain(|line| {
            !self.flows.procedures().batch(line, self.now).whole && line.follows.is_none() && line.bundle.is_none()
        });
        for (index, line) in drafted.lines.iter_mut().enumerate() {
            line.number = u32::try_from(index + 1).unwrap();
        }
        if drafted.lines.is_empty() {
            return;
        }
        let lines = drafted.lines.clone();
        let id = self.flows.quote(&self.act(), drafted, &quoting).await.unwrap().case;
        let open = lines.iter().filter(|line| line.ruling.outcome != Outcome::Refused);
        let until = open.filter_map(|line| line.ruling.until).min().map(|until| until.max(self.now + Span::seconds(1)));
        let expires = (self.now + quoting.valid_for).min(until.unwrap_or(self.now + quoting.valid_for));
        let seen = |line: Line| Seen {
            key: key(&line),
            state: if line.ruling.outcome == Outcome::Refused { LineState::Refused } else { LineState::Quoted },
            pinned: line,
            draws: Vec::new(),
            review_ends: None,
            owed: BTreeMap::new(),
        };
        let open = lines.iter().any(|line| line.ruling.outcome != Outcome::Refused);
        self.model.sheets.insert(id.clone(), Sheet { expires, lines: lines.into_iter().map(seen).collect() });
        self.count("quoted");
        // Whoever asks mostly means it.
        if open && self.dice.chance(60) {
            self.confirm_case(id).await;
        }
    }

    /// A case with a line in a state, if there is any.
    fn some_case(&mut self, state: LineState) -> Option<CaseId> {
        let found: Vec<CaseId> = self
            .model
            .sheets
            .iter()
            .filter(|(_, sheet)| sheet.lines.iter().any(|line| line.state == state))
            .map(|(id, _)| id.clone())
            .collect();
        (!found.is_empty()).then(|| found[self.dice.roll(found.len())].clone())
    }

    async fn confirm(&mut self) {
        // Now and then somebody comes too late.
        if self.dice.chance(80) {
            self.model.pass(self.now);
        }
        if let Some(id) = self.some_case(LineState::Quoted) {
            self.confirm_case(id).await;
        }
    }

    async fn confirm_case(&mut self, id: CaseId) {
        let case = self.flows.case(&id).await.unwrap();
        let quoted: Vec<&Line> = case.lines.iter().filter(|line| line.state == LineState::Quoted).collect();
        let option = quoted
            .iter()
            .find_map(|line| self.flows.procedures().reasons(&line.place, self.now).first().cloned())
            .map(|option| option.id);
        let unknowns = quoted.iter().flat_map(|line| &line.ruling.unknowns);
        let said = Confirmation {
            lines: None,
            reason: LeavingReason { option, text: Some("simulated".to_owned()) },
            acknowledged: Effect::ALL.iter().copied().collect(),
            checked: unknowns
                .map(|unknown| unknown.fact.clone().unwrap_or_else(|| unknown.reason.to_string()))
                .collect(),
        };
        self.model.pass(self.now);
        let lapsed = self.model.sheets[&id].lines.iter().any(|line| line.state == LineState::Expired);
        match self.flows.confirm(&self.act(), &id, &said).await {
            Ok(_) => {
                assert!(!lapsed, "{id} was confirmed after it had lapsed");
                let procedures = Arc::clone(self.flows.procedures());
                self.model.confirm(&id, self.now, procedures.as_ref());
                self.count("confirmed");
            }
            Err(FlowError::Lapsed { .. }) => assert!(lapsed, "{id} had not lapsed"),
            // Resources of several providers have several lists of reasons: they are confirmed apart.
            Err(FlowError::Reason { .. }) => {
                assert!(quoted.iter().any(|line| line.place != quoted[0].place));
            }
            Err(error) => panic!("{id}: {error}"),
        }
    }

    async fn review(&mut self) {
        self.model.pass(self.now);
        let Some(id) = self.some_case(LineState::InReview) else { return };
        let approved = self.dice.chance(60);
        self.flows.review(&self.act(), &id, None, approved).await.unwrap();
        for line in &mut self.model.sheets.get_mut(&id).unwrap().lines {
            if line.state == LineState::InReview {
                line.state = if approved { LineState::Approved } else { LineState::Rejected };
            }
        }
        self.count("reviewed");
    }

    async fn execute(&mut self) {
        self.model.pass(self.now);
        let Some(id) = self.some_case(LineState::Approved) else { return };
        let past_until = self.dice.chance(50);
        let act = self.act();
        let world = World { dice: Mutex::new(&mut self.dice), results: Mutex::default() };
        let asked = Execution { lines: None, past_until };
        let outcome = self.flows.execute(&act, &id, &asked, &world).await;
        let results = world.results.into_inner().unwrap();
        match outcome {
            Ok(_) => assert!(!results.is_empty()),
            Err(FlowError::Nothing(_)) => assert!(!past_until && results.is_empty()),
            Err(error) => panic!("{id}: {error}"),
        }
        for (line, result) in results {
            let seen = self.model.sheets[&id].lines.iter().find(|seen| seen.pinned.number == line).unwrap();
            assert_eq!(seen.state, LineState::Approved, "{id}: line {line} was carried out");
            assert!(past_until || seen.pinned.ruling.until.is_none_or(|until| until >= self.now), "{id}: line {line}");
            self.model.execute(&id, line, &result);
        }
        self.count("executed");
    }

    async fn resolve(&mut self) {
        let Some(id) = self.some_case(LineState::InDoubt) else { return };
        let says = "somebody looked".to_owned();
        let result = match self.dice.roll(3) {
            0 => LineResult::Failed { code: None, reason: None, says },
            1 => LineResult::NotSent { says },
            _ => LineResult::Done { references: vec!["found".to_owned()] },
        };
        let lines = &self.model.sheets[&id].lines;
        let number = lines.iter().find(|line| line.state == LineState::InDoubt).unwrap().pinned.number;
        self.flows.tick_off(&self.act(), &id, &[number], &result).await.unwrap();
        self.model.execute(&id, number, &result);
        self.count("resolved");
    }

    async fn withdraw(&mut self) {
        self.model.pass(self.now);
        let state = [LineState::Quoted, LineState::InReview, LineState::Approved][self.dice.roll(3)];
        let Some(id) = self.some_case(state) else { return };
        self.flows.withdraw(&self.act(), &id, None).await.unwrap();
        for line in &mut self.model.sheets.get_mut(&id).unwrap().lines {
            if matches!(line.state, LineState::Quoted | LineState::InReview | LineState::Approved) {
                line.state = LineState::Withdrawn;
            }
        }
        self.count("withdrawn");
    }

    async fn receive(&mut self) {
        let Some(id) = self.some_case(LineState::Executed) else { return };
        let case = self.flows.case(&id).await.unwrap();
        let due = recoup_cases::flow::dues(&case, self.now);
        if due.is_empty() {
            return;
        }
        let due = &due[self.dice.roll(due.len())];
        // All of it, or a cent less, which comes later.
        let cent = due.currency.minor_unit();
        let amount = if self.dice.chance(30) && due.left > cent { due.left - cent } else { due.left };
        let receipt = Received {
            id: String::new(),
            line: Some(due.line),
            instrument: Some(due.instrument),
            currency: due.currency,
            amount,
            to: None,
            at: Some(self.now),
            reference: Some(format!("refund-{}", self.dice.0)),
            resource: None,
            order: None,
            source: "the simulator".to_owned(),
        };
        self.flows.receive(&self.act(), &id, vec![receipt]).await.unwrap();
        *self.model.came.entry(id).or_default().entry(due.currency).or_default() += amount;
        self.count("received");
    }

    /// Everything that the flows say, against the model.
    async fn compare(&mut self) {
        self.flows.tick(&self.act()).await.unwrap();
        self.model.pass(self.now);
        for (id, sheet) in &self.model.sheets {
            let case = self.flows.case(id).await.unwrap();
            let found: Vec<LineState> = case.lines.iter().map(|line| line.state).collect();
            let expected: Vec<LineState> = sheet.lines.iter().map(|line| line.state).collect();
            assert_eq!(found, expected, "{id} at {}", self.now.display(Zone::UTC));
            let mut left: BTreeMap<Currency, Amount> = BTreeMap::new();
            for line in &sheet.lines {
                line.owed.iter().for_each(|(currency, amount)| *left.entry(*currency).or_default() += *amount);
            }
            for (currency, amount) in self.model.came.get(id).into_iter().flatten() {
                *left.entry(*currency).or_default() -= *amount;
            }
            let mut due: BTreeMap<Currency, Amount> = BTreeMap::new();
            for item in recoup_cases::flow::dues(&case, self.now) {
                *due.entry(item.currency).or_default() += item.left;
            }
            left.retain(|_, amount| amount.is_positive());
            assert_eq!(due, left, "{id}: what is still to come");
        }
        let report = self.flows.verify(None).await.unwrap();
        assert!(report.holds(), "{:#?}", report.problems);
        assert_eq!(report.cases, self.model.sheets.len(), "a case was lost");
    }

    async fn step(&mut self) {
        // Mostly hours, sometimes weeks.
        let hours = if self.dice.chance(20) { self.dice.roll(1_500) } else { self.dice.roll(60) };
        self.now = self.now + Span::hours(hours as i64) + Span::seconds(self.dice.roll(3_600) as i64);
        match self.dice.roll(20) {
            0..=3 => self.buy(),
            4 => self.renew(),
            5..=8 => self.quote().await,
            9..=11 => self.confirm().await,
            12 => self.review().await,
            13..=15 => self.execute().await,
            16 => self.resolve().await,
            17 => self.withdraw().await,
            _ => self.receive().await,
        }
    }
}

/// Says how to replay a seed that fails.
struct Replay(u64, &'static str);

impl Drop for Replay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("seed {} failed on {}; replay it with RECOUP_SEED={}", self.0, self.1, self.0);
        }
    }
}

async fn play(
    seed: u64,
    address: &str,
    kind: &'static str,
    engine: &Engine,
    market: &[Template],
    published: &Arc<Published>,
) -> BTreeMap<&'static str, u32> {
    let _replay = Replay(seed, kind);
    let store: Arc<dyn Store> = Arc::new(open(address).await.unwrap());
    let mut play = Play {
        dice: Dice(seed.wrapping_mul(0x1_0001)),
        now: Instant::parse("2024-03-01T08:00:00Z", Zone::UTC).unwrap(),
        owned: Vec::new(),
        bought: 0,
        model: Model::default(),
        flows: Flows::new(Arc::clone(&store), Arc::clone(published) as _),
        engine,
        market,
        did: BTreeMap::new(),
    };
    for _ in 0..6 {
        play.buy();
    }
    for step in 0..STEPS {
        play.step().await;
        if step % 35 == 34 {
            play.compare().await;
        }
    }
    play.compare().await;
    assert!(play.flows.rebuild().await.unwrap().holds());
    play.compare().await;
    let years = play.now.since(Instant::parse("2024-03-01T08:00:00Z", Zone::UTC).unwrap()).whole_days();
    *play.did.entry("days").or_default() += u32::try_from(years).unwrap();
    store.close().await;
    play.did
}

async fn schema(server: &str, seed: u64) -> String {
    let name = format!("s{}_{seed}", std::process::id());
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(server).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE SCHEMA {name}"))).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    format!("{server}?options%5Bsearch_path%5D={name}")
}

#[tokio::test]
async fn years_of_everything_agree_with_a_simple_model() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("RECOUP_SIMULATE_SECONDS");
    let server = std::env::var("RECOUP_TEST_POSTGRES").ok().filter(|server| !server.is_empty());
    let adapters = linked();
    let market = market(&adapters);
    let published = Arc::new(Published::new(adapters.iter().map(|adapter| Arc::clone(adapter.policy()))));
    let engine = Engine::from_adapters(adapters);
    let begun = std::time::Instant::now();
    let (mut seed, mut seeds) = (number("RECOUP_SEED").unwrap_or(1), 0_u32);
    let mut did: BTreeMap<&str, u32> = BTreeMap::new();
    loop {
        let folder = tempfile::tempdir_in(quick_folder()).unwrap();
        let file = folder.path().join("cases.db").to_string_lossy().into_owned();
        // Every third seed is played on the server, where there is one.
        let played = match &server {
            Some(server) if seed % 3 == 0 => {
                let address = schema(server, seed).await;
                play(seed, &address, "PostgreSQL", &engine, &market, &published).await
            }
            _ => play(seed, &file, "SQLite", &engine, &market, &published).await,
        };
        played.into_iter().for_each(|(what, count)| *did.entry(what).or_default() += count);
        seeds += 1;
        seed += 1;
        let enough = match seconds {
            Some(seconds) => begun.elapsed().as_secs() >= seconds,
            None => seeds >= 6,
        };
        if enough || number("RECOUP_SEED").is_some() {
            break;
        }
    }
    eprintln!("{seeds} seeds agree with the model: {did:?}; nothing lost");
    assert!(number("RECOUP_SEED").is_some() || did.get("executed").is_some_and(|count| *count > 0), "{did:?}");
}
