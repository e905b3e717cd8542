//! `recoup case confirm --plan`: the steps of a plan whose moment has come become confirmed cases, one for each request
//! and in the plan's order.
//!
//! A step is quoted as it stands now, in its account as the cases of the store leave it. Where that brings less than
//! the plan says, or another exit is all there is, the quote stays: whoever wants it all the same confirms its case.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use recoup_cases::flow::{Confirmation, Draft, FlowError, Flows, Quoting, draft};
use recoup_cases::journal::Act;
use recoup_cases::model::{Case, CaseId, Line, LineState, Money, Place};
use recoup_cases::state::{Gone, key_of, kinds, resource_key};
use recoup_cases::store::{Store, StoreError, open};
use recoup_core::context::{QuotaDraw, Run, Window};
use recoup_core::money::{Amount, Currency};
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::Exit;
use recoup_engine::{Assessor, Engine};
use recoup_plan::accounts::{Taken, after, run_with};
use recoup_plan::document::{Document, Leaving, Plan, Stamp, Step};
use recoup_report::rows::Rows;
use serde::Serialize;
use serde_json::json;

use super::cli::Confirm;
use super::portfolio::{Read, judge, pin_accounts, published, read};
use super::{instant, wait, write};
use crate::cli::{Question, Setup};
use crate::host::{self, Failure, Outcome, Status, say};
use crate::plan::{as_planned, document};

/// Steps that go into one request.
struct Request<'d> {
    plan: &'d Plan,
    steps: Vec<&'d Step>,
}

impl Request<'_> {
    fn at(&self) -> Option<Stamp> {
        self.steps.first().map(|step| step.at)
    }

    fn name(&self) -> String {
        let numbers: Vec<String> = self.steps.iter().map(|step| step.step.to_string()).collect();
        format!("{} step {}", self.plan.currency, numbers.join(", "))
    }
}

/// The requests of a document in the order of time, and of the plan where that is the same.
fn requests<'d>(document: &'d Document, only: &[String]) -> Result<Vec<Request<'d>>, Failure> {
    let mut requests: Vec<Request<'d>> = Vec::new();
    for plan in &document.plans {
        let mut batches: BTreeMap<usize, Vec<&Step>> = BTreeMap::new();
        for step in &plan.steps {
            batches.entry(step.batch).or_default().push(step);
        }
        requests.extend(batches.into_values().map(|steps| Request { plan, steps }));
    }
    let one = document.plans.len() == 1;
    let is_it = |word: &str, plan: &Plan, step: &Step| {
        word == format!("{}:{}", plan.currency, step.step) || one && word == step.step.to_string()
    };
    for word in only {
        if !requests.iter().any(|request| request.steps.iter().any(|step| is_it(word, request.plan, step))) {
            let expected =
                if one { "its number" } else { "CODE:N, for example USD:1, since it has several currencies" };
            return Err(Failure::usage(format!("--step {word}: the plan has no such step; expected {expected}")));
        }
    }
    if !only.is_empty() {
        requests
            .retain(|request| request.steps.iter().any(|step| only.iter().any(|word| is_it(word, request.plan, step))));
    }
    requests.sort_by_key(|request| request.at().map(|stamp| stamp.at));
    Ok(requests)
}

fn place(step: &Step) -> Place {
    Place { provider: step.provider.clone(), site: step.site.clone(), account: step.account.clone() }
}

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Became {
    /// Its moment has not come.
    Later,
    /// It was asked for before.
    Before,
    /// It was asked for now.
    Asked,
    /// It is quoted, and to be asked for by somebody who has seen it.
    Quoted,
    /// It cannot be asked for.
    Refused,
}

impl Became {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Later => "later",
            Self::Before => "asked for before",
            Self::Asked => "asked for",
            Self::Quoted => "quoted",
            Self::Refused => "refused",
        }
    }
}

/// What became of one resource of a step.
#[derive(Debug, Clone, Serialize)]
struct Told {
    plan: Currency,
    step: usize,
    at: Stamp,
    #[serde(flatten)]
    place: Place,
    resource: String,
    exit: Exit,
    currency: Currency,
    planned: Amount,
    quoted: Option<Amount>,
    became: Became,
    state: Option<LineState>,
    case: Option<CaseId>,
    line: Option<u32>,
    why: String,
}

impl Told {
    fn new(plan: &Plan, step: &Step, leaving: &Leaving, became: Became, why: String) -> Self {
        Self {
            plan: plan.currency,
            step: step.step,
            at: step.at,
            place: place(step),
            resource: leaving.resource.clone(),
            exit: leaving.exit,
            currency: leaving.currency,
            planned: worth(leaving),
            quoted: None,
            became,
            state: None,
            case: None,
            line: None,
            why,
        }
    }

    fn with(mut self, case: &Case, line: &Line) -> Self {
        self.quoted = line.ruling.refund.as_ref().map(worth_of);
        self.state = Some(line.state);
        self.case = Some(case.id.clone());
        self.line = Some(line.number);
        self
    }
}

/// What leaving is worth, whatever was wanted of the plan: what comes back, is no longer owed or is carried over, less
/// what it costs.
fn worth(leaving: &Leaving) -> Amount {
    leaving.refund + leaving.released + leaving.carried_over - leaving.charge
}

fn worth_of(money: &Money) -> Amount {
    let or_none = |amount: Option<Amount>| amount.unwrap_or_default();
    money.refund + or_none(money.released) + or_none(money.carry_over) - or_none(money.charge)
}

/// How a quote falls short of what the plan says by more than is accepted, if it does.
fn drift(leaving: &Leaving, line: &Line, accepted: Amount) -> Option<String> {
    if line.state == LineState::Refused {
        let says: Vec<&str> = line.refused.iter().map(|refusal| refusal.says.as_str()).collect();
        return Some(says.join(" "));
    }
    if line.ruling.exit != leaving.exit {
        return Some(format!("goes through {}, the plan says {}", line.ruling.exit, leaving.exit));
    }
    let Some(money) = &line.ruling.refund else { return Some("its refund is not known now".to_owned()) };
    if money.currency != leaving.currency {
        return Some(format!("is paid in {}, the plan says {}", money.currency, leaving.currency));
    }
    let (now, planned) = (worth_of(money), worth(leaving));
    (now + accepted < planned).then(|| format!("brings {now} now, the plan says {planned}: {} less", planned - now))
}

/// What a store says of resources and accounts when the command begins, and what the command adds to it.
#[derive(Default)]
struct Standing {
    /// By resource: the case that asks for it, or in which it left, through which exit.
    claimed: BTreeMap<String, (CaseId, Option<Exit>)>,
    /// By resource and exit: the quote that waits to be confirmed.
    quoted: BTreeMap<(String, Exit), (CaseId, u32)>,
    /// By account: what drew on its quotas.
    taken: BTreeMap<Place, Vec<Taken>>,
}

impl Standing {
    async fn of(store: &dyn Store, at: Instant, since: Option<Instant>) -> Result<Self, Failure> {
        let mut standing = Self::default();
        for mark in store.marks(kinds::HELD, None).await? {
            standing.claimed.insert(mark.key, (CaseId(mark.case), None));
        }
        for mark in store.marks(kinds::GONE, None).await? {
            let gone: Gone = serde_json::from_str(&mark.value)
                .map_err(|error| StoreError::Damaged(format!("a mark of {}: {error}", mark.case)))?;
            let exit = (!gone.whole).then_some(gone.exit);
            standing.claimed.entry(mark.key).or_insert((CaseId(mark.case), exit));
        }
        let mut cases = BTreeSet::new();
        for kind in [kinds::DRAWN, kinds::DUE] {
            cases.extend(store.marks(kind, None).await?.into_iter().map(|mark| CaseId(mark.case)));
        }
        for id in cases {
            let Some(case) = store.case(&id).await? else { continue };
            standing.add_quotes(&case, at);
            let all: Vec<u32> = case.lines.iter().map(|line| line.number).collect();
            standing.add_taken(&case, &all, since);
        }
        Ok(standing)
    }

    fn add_quotes(&mut self, case: &Case, at: Instant) {
        let waits = |line: &&Line| line.state == LineState::Quoted && at < case.expires_at;
        for line in case.lines.iter().filter(waits) {
            self.quoted.insert((resource_key(line), line.ruling.exit), (case.id.clone(), line.number));
        }
    }

    fn add_taken(&mut self, case: &Case, lines: &[u32], since: Option<Instant>) {
        for line in case.lines.iter().filter(|line| lines.contains(&line.number)) {
            let asked = line.state.holds() || line.state == LineState::Executed;
            let Some(at) = line.confirmed_at.filter(|at| asked && since.is_none_or(|since| since <= *at)) else {
                continue;
            };
            if line.follows.is_none() {
                self.taken.entry(line.place.clone()).or_default().push(taken(line, at));
            }
        }
    }

    fn claim(&self, place: &Place, leaving: &Leaving) -> Option<&CaseId> {
        let (case, exit) = self.claimed.get(&key_of(place, &leaving.resource))?;
        exit.is_none_or(|exit| exit == leaving.exit).then_some(case)
    }

    /// The one case in which all of some steps are quoted already.
    fn quote_of(&self, steps: &[&Step]) -> Option<CaseId> {
        let leaves = steps.iter().flat_map(|step| step.leaves.iter().map(|leaving| (place(step), leaving)));
        let cases: Option<BTreeSet<&CaseId>> = leaves
            .map(|(place, leaving)| {
                let found = self.quoted.get(&(key_of(&place, &leaving.resource), leaving.exit));
                found.map(|(case, _)| case)
            })
            .collect();
        let cases = cases?;
        cases.first().filter(|_| cases.len() == 1).map(|case| (*case).clone())
    }
}

/// A line that was asked for, as it counts in its account.
fn taken(line: &Line, at: Instant) -> Taken {
    let draws = line.ruling.quota.iter().map(|quota| QuotaDraw {
        name: quota.name.clone().into(),
        limit: quota.limit,
        used: quota.used,
        draws: quota.draws,
        window: Window::from_name(quota.window.as_deref()).unwrap_or(Window::Unpublished),
    });
    let quantity = line.record.get("quantity").and_then(|quantity| quantity.as_str()?.parse().ok());
    let refund = line.ruling.refund.as_ref().map(|money| (money.refund, money.currency));
    Taken::new(at, line.ruling.exit, &line.product, quantity, draws.collect(), refund)
}

/// Everything that steps are taken with.
struct Desk<'a> {
    engine: &'a Engine,
    flows: Flows,
    read: Read,
    act: Act,
    said: Confirmation,
    quoting: Quoting,
    assumed: Vec<String>,
    /// How much less than planned a resource may bring.
    accepted: Amount,
    file: &'a Path,
    standing: Standing,
}

/// A request that could not be asked for since something was not said.
struct Unsaid {
    request: String,
    error: FlowError,
}

impl Desk<'_> {
    /// The run with an account as the cases of the store leave it.
    fn run_of(&self, place: &Place, zone: Zone) -> Run {
        let run = &self.read.run;
        let name = place.account.as_deref();
        let account = name.and_then(|name| run.account(&place.provider, &place.site, name));
        match (account, self.standing.taken.get(place)) {
            (Some(account), Some(taken)) => {
                let now = after(account, &place.site, account.account.clone(), taken, self.act.at, zone);
                run_with(run, vec![now]).with_more_accounts(run.accounts().to_vec())
            }
            _ => run.clone(),
        }
    }

    /// Quotes what some steps let go of.
    fn drafted(&self, place: &Place, steps: &[&Step], zone: Zone) -> Draft {
        let ids: BTreeSet<&str> =
            steps.iter().flat_map(|step| &step.leaves).map(|leaving| leaving.resource.as_str()).collect();
        let is_it = |record: &ResourceRecord| {
            record.provider == place.provider
                && record.account == place.account
                && record.site.as_ref().is_none_or(|site| *site == place.site)
                && ids.contains(record.id.as_str())
        };
        let records = &self.read.records;
        let chosen = records.iter().enumerate().filter(|(_, record)| is_it(record)).map(|(index, _)| index).collect();
        let exit = steps.iter().flat_map(|step| &step.leaves).map(|leaving| leaving.exit).next();
        let assessor = Assessor::new(self.engine, self.run_of(place, zone));
        let mut drafted = draft(records, &chosen, exit, &self.quoting, &mut judge(&assessor));
        drafted.assumed.clone_from(&self.assumed);
        pin_accounts(&mut drafted, &self.read.run);
        // What cases drew is counted when it is confirmed: a quote says what is used besides.
        let taken = self.standing.taken.get(place).map(Vec::as_slice).unwrap_or_default();
        for quota in drafted.lines.iter_mut().flat_map(|line| &mut line.ruling.quota) {
            if let Some(used) = &mut quota.used {
                *used -= taken.iter().map(|taken| taken.drew(&quota.name, self.act.at, zone)).sum();
            }
        }
        drafted
    }

    /// Quotes and asks for the steps of a request, and says what became of each.
    async fn take(&mut self, request: &Request<'_>, unsaid: &mut Vec<Unsaid>) -> Result<Vec<Told>, Failure> {
        let Some((place, zone)) = request.steps.first().map(|step| (place(step), step.at.zone)) else {
            return Ok(Vec::new());
        };
        let (mut told, waiting) = self.before(request, &place);
        if waiting.is_empty() {
            return Ok(told);
        }
        let because = format!("{} of {}", request.name(), self.file.display());
        let act = Act {
            because: if self.act.because.is_empty() { because } else { self.act.because.clone() },
            ..self.act.clone()
        };
        match self.quoted(&act, &place, &waiting, zone).await? {
            Quoted::Case(case) => {
                let (steady, drifts) = compared(&case.lines, &waiting, self.accepted);
                let case = self.ask_for(&act, *case, steady, request, unsaid).await?;
                told.extend(outcomes(request.plan, &waiting, Some(&case), &drifts));
            }
            Quoted::Refused(lines) => {
                let (_, drifts) = compared(&lines, &waiting, self.accepted);
                told.extend(outcomes(request.plan, &waiting, None, &drifts));
            }
        }
        Ok(told)
    }

    /// The steps of a request that were asked for before, and those that wait.
    fn before<'d>(&self, request: &Request<'d>, place: &Place) -> (Vec<Told>, Vec<&'d Step>) {
        let mut told = Vec::new();
        let mut waiting: Vec<&Step> = Vec::new();
        for step in &request.steps {
            let claims: Vec<Option<&CaseId>> =
                step.leaves.iter().map(|leaving| self.standing.claim(place, leaving)).collect();
            if claims.iter().all(Option::is_none) {
                waiting.push(step);
                continue;
            }
            for (leaving, case) in step.leaves.iter().zip(claims) {
                let (became, why) = match case {
                    Some(_) => (Became::Before, String::new()),
                    None => (Became::Refused, "it leaves only with what was asked for before".to_owned()),
                };
                told.push(Told { case: case.cloned(), ..Told::new(request.plan, step, leaving, became, why) });
            }
        }
        (told, waiting)
    }

    /// The case in which some steps are quoted: one that waits already, else a new one.
    async fn quoted(&self, act: &Act, place: &Place, steps: &[&Step], zone: Zone) -> Result<Quoted, Failure> {
        let id = match self.standing.quote_of(steps) {
            Some(id) => id,
            None => {
                let drafted = self.drafted(place, steps, zone);
                for (id, what) in &drafted.problems {
                    say(format_args!("{id}: {what}"));
                }
                for note in &drafted.notes {
                    say(format_args!("note: {note}"));
                }
                // What is refused altogether makes no case.
                if drafted.lines.iter().all(|line| line.state != LineState::Quoted) {
                    return Ok(Quoted::Refused(drafted.lines));
                }
                self.flows.quote(act, drafted, &self.quoting).await?.case
            }
        };
        Ok(Quoted::Case(Box::new(self.flows.case(&id).await?)))
    }

    /// Asks for lines of a case. Where something is still to be said, they stay quoted.
    async fn ask_for(
        &mut self,
        act: &Act,
        case: Case,
        lines: Vec<u32>,
        request: &Request<'_>,
        unsaid: &mut Vec<Unsaid>,
    ) -> Result<Case, Failure> {
        if lines.is_empty() {
            return Ok(case);
        }
        let said = Confirmation { lines: Some(lines.clone()), ..self.said.clone() };
        match self.flows.confirm(act, &case.id, &said).await {
            Ok(_) => {}
            Err(error @ (FlowError::NotAcknowledged(_) | FlowError::NotChecked(_) | FlowError::Reason { .. })) => {
                unsaid.push(Unsaid { request: request.name(), error });
                return Ok(case);
            }
            Err(error) => return Err(error.into()),
        }
        let now = self.flows.case(&case.id).await?;
        self.standing.add_taken(&now, &lines, None);
        Ok(now)
    }
}

/// What quoting led to.
enum Quoted {
    Case(Box<Case>),
    /// No line could go, so that there is no case.
    Refused(Vec<Line>),
}

/// The lines that bring what the plan says, and how the others fall short, by resource. What leaves only together
/// falls short together.
fn compared<'d>(lines: &[Line], steps: &[&'d Step], accepted: Amount) -> (Vec<u32>, BTreeMap<&'d str, String>) {
    let mut steady = Vec::new();
    let mut drifts = BTreeMap::new();
    for step in steps {
        let mut numbers = Vec::new();
        let mut short: Vec<(&str, String)> = Vec::new();
        for leaving in &step.leaves {
            match line_of(lines, step, leaving) {
                Some(line) => match drift(leaving, line, accepted) {
                    Some(what) => short.push((&leaving.resource, what)),
                    None => numbers.push(line.number),
                },
                None => short.push((&leaving.resource, "it is not in the portfolio, or cannot be judged".to_owned())),
            }
        }
        if short.is_empty() {
            steady.extend(numbers);
        } else {
            drifts.extend(short);
        }
    }
    (steady, drifts)
}

fn line_of<'c>(lines: &'c [Line], step: &Step, leaving: &Leaving) -> Option<&'c Line> {
    lines.iter().find(|line| line.resource == leaving.resource && line.place == place(step))
}

fn outcomes(plan: &Plan, steps: &[&Step], case: Option<&Case>, drifts: &BTreeMap<&str, String>) -> Vec<Told> {
    let mut told = Vec::new();
    for step in steps {
        for leaving in &step.leaves {
            let found = case.and_then(|case| Some((case, line_of(&case.lines, step, leaving)?)));
            told.push(outcome(plan, step, leaving, found, drifts.get(leaving.resource.as_str()).cloned()));
        }
    }
    told
}

fn outcome(plan: &Plan, step: &Step, leaving: &Leaving, found: Option<(&Case, &Line)>, drift: Option<String>) -> Told {
    let Some((case, line)) = found else {
        return Told::new(plan, step, leaving, Became::Refused, drift.unwrap_or_default());
    };
    let says = || line.refused.iter().map(|refusal| refusal.says.as_str()).collect::<Vec<_>>().join(" ");
    let (became, why) = match line.state {
        LineState::Quoted => {
            let why = drift.unwrap_or_else(|| "something is still to be said".to_owned());
            (Became::Quoted, format!("{why}; to ask for it: recoup case confirm {} --line {}", case.id, line.number))
        }
        LineState::Refused => (Became::Refused, says()),
        _ => {
            let more = line.ruling.refund.as_ref().map_or(Amount::ZERO, |money| worth_of(money) - worth(leaving));
            let word = if more.is_positive() { "more" } else { "less" };
            let why = if more.is_zero() { String::new() } else { format!("{} {word} than planned", more.magnitude()) };
            (Became::Asked, why)
        }
    };
    Told::new(plan, step, leaving, became, why).with(case, line)
}

pub(super) fn confirm(setup: &Setup, args: &Confirm, file: &Path) -> Outcome {
    let planned = &args.planned;
    let document = document(file)?;
    let requests = requests(&document, &planned.steps)?;
    let at = instant(args.when.at.as_deref())?;
    let act = args.who.act(at)?;
    let said = args.said()?;
    let as_of = planned.accounts_as_of.as_deref().map(|text| Instant::parse(text, Zone::UTC)).transpose();
    let quotas_as_of = as_of.map_err(|error| Failure::usage(format!("--accounts-as-of {error}")))?;
    let accepted: Amount =
        planned.accept_less.parse().map_err(|error| Failure::usage(format!("--accept-less: {error}")))?;
    if accepted.is_negative() {
        return Err(Failure::usage("--accept-less: expected an amount of zero or more"));
    }
    let question = Question { accounts: planned.accounts.clone(), ..Question::default() };
    let question = as_planned(question, &document.inputs);
    let files = if planned.portfolio.is_empty() { &document.inputs.files } else { &planned.portfolio };
    if files.iter().any(|file| file == "-") && planned.portfolio.is_empty() {
        return Err(Failure::usage("the plan was made of standard input; name the portfolio with --portfolio FILE"));
    }
    let engine = host::engine(setup)?;
    let (due, later): (Vec<Request<'_>>, Vec<Request<'_>>) =
        requests.into_iter().partition(|request| request.at().is_some_and(|stamp| stamp.at <= at));
    let mut told = Vec::new();
    let mut unsaid = Vec::new();
    let mut status = Status::Done;
    if !due.is_empty() {
        let read = read(&engine, files, &question, at)?;
        status = read.status;
        told = wait(async {
            let store: Arc<dyn Store> = Arc::new(open(&args.desk.store).await?);
            let standing = Standing::of(store.as_ref(), at, quotas_as_of).await?;
            let flows = Flows::new(store, Arc::new(published(&engine)));
            let quoting = Quoting { quotas_as_of, ..Quoting::default() };
            let assumed = question.assume.clone();
            let mut desk = Desk { engine: &engine, flows, read, act, said, quoting, assumed, accepted, file, standing };
            let mut told = Vec::new();
            for request in &due {
                told.extend(desk.take(request, &mut unsaid).await?);
            }
            Ok(told)
        })?;
    }
    for request in &later {
        for step in &request.steps {
            let come_back = || format!("come back at {}", step.at);
            told.extend(
                step.leaves.iter().map(|leaving| Told::new(request.plan, step, leaving, Became::Later, come_back())),
            );
        }
    }
    show(args, &told, later.first().and_then(Request::at))?;
    Ok(status.max(verdict(&told, unsaid)))
}

fn show(args: &Confirm, told: &[Told], next: Option<Stamp>) -> Result<(), Failure> {
    let headings = ["step", "when", "account", "resource", "exit", "planned", "quoted", "became", "case", "why"];
    let mut rows = Rows::new("Steps of the plan", &headings).right(5..7);
    for told in told {
        let amount = |amount: Amount| format!("{amount} {}", told.currency);
        let state =
            told.state.filter(|_| told.became == Became::Asked).map(|state| state.to_string().replace('_', " "));
        let cells = vec![
            format!("{} {}", told.plan, told.step),
            told.at.to_string(),
            told.place.to_string(),
            told.resource.clone(),
            told.exit.to_string(),
            amount(told.planned),
            told.quoted.map(amount).unwrap_or_default(),
            state.unwrap_or_else(|| told.became.as_str().to_owned()),
            told.case.as_ref().map(ToString::to_string).unwrap_or_default(),
            told.why.clone(),
        ];
        rows.add(cells, json!(told));
    }
    write(&args.answer, &rows.whole(json!({"steps": told, "next": next})))
}

/// How it ended, with what there is to do next.
fn verdict(told: &[Told], unsaid: Vec<Unsaid>) -> Status {
    let count = |became: Became| told.iter().filter(|told| told.became == became).count();
    say(format_args!(
        "{} asked for, {} before, {} quoted and not asked for, {} refused, {} later",
        count(Became::Asked),
        count(Became::Before),
        count(Became::Quoted),
        count(Became::Refused),
        count(Became::Later),
    ));
    let mut status =
        if count(Became::Quoted) + count(Became::Refused) > 0 { Status::CheckFailed } else { Status::Done };
    for Unsaid { request, error } in unsaid {
        let failure = Failure::from(error);
        say(format_args!("{request}: {}", failure.message));
        status = status.max(failure.status);
    }
    status
}
