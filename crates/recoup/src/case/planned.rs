//! `recoup case confirm --plan`: the steps of a plan whose moment has come become confirmed cases, one for each request
//! and in the plan's order.
//!
//! A step is quoted as it stands now, in its account as the cases of the store leave it. Where that brings less than
//! the plan says, or another exit is all there is, the quote stays: whoever wants it all the same confirms its case.

mod standing;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use recoup_cases::flow::{Confirmation, Draft, FlowError, Flows, Quoting, draft};
use recoup_cases::journal::Act;
use recoup_cases::model::{Case, CaseId, Line, LineState, Place};
use recoup_cases::store::{Store, open};
use recoup_core::context::Run;
use recoup_core::money::Amount;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_engine::{Assessor, Engine};
use recoup_plan::accounts::{after, run_with};
use recoup_plan::document::{Document, Plan, Stamp, Step};

use super::cli::Confirm;
use super::portfolio::{Read, judge, pin_accounts, published, read};
use super::{instant, wait};
use crate::cli::{Question, Setup};
use crate::host::{self, Failure, Outcome, Status, say};
use crate::plan::{as_planned, document};
use standing::Standing;
use told::{Became, Told, compared, outcomes, show, verdict};

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
                told.push(Told::new(request.plan, step, leaving, became, why).in_case(case));
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
