//! `recoup case`: the flows, from a quote to money received. One file each for what reads a portfolio, what
//! changes a case, what shows one.

mod change;
mod cli;
mod planned;
mod portfolio;
mod receipts;
mod show;

use std::future::Future;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use recoup_cases::flow::{FlowError, Flows, Outcome as Did};
use recoup_cases::journal::Act;
use recoup_cases::model::{CaseId, LineState};
use recoup_cases::published::Published;
use recoup_cases::store::{Store, StoreError, open};
use recoup_core::time::{Instant, Zone};
use recoup_report::rows::{Form, Rows};
use serde_json::json;

use crate::cli::{Answer, Format, Setup};
use crate::host::{self, Failure, Outcome, Status, look, say};
use crate::output;

pub(crate) use cli::CaseCommand;
use cli::{Desk, Who};

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let status = if matches!(error, StoreError::Address(_)) { Status::Usage } else { Status::Store };
        Self { status, message: error.to_string() }
    }
}

impl From<FlowError> for Failure {
    fn from(error: FlowError) -> Self {
        let message = error.to_string();
        let status = match error {
            FlowError::Store(error) => return error.into(),
            FlowError::NotWritten { .. } => Status::Store,
            FlowError::State { .. } | FlowError::Lapsed { .. } | FlowError::Nothing(_) | FlowError::Gateway(_) => {
                Status::CheckFailed
            }
            FlowError::NoCase(_)
            | FlowError::NoLine { .. }
            | FlowError::NotAcknowledged(_)
            | FlowError::NotChecked(_)
            | FlowError::Reason { .. }
            | FlowError::Given(_)
            | FlowError::KeyUsed { .. } => Status::Usage,
        };
        let help = match status {
            Status::Usage if message.starts_with("what cannot be undone") => {
                "\nhint: --acknowledge EFFECT,EFFECT says that you know it"
            }
            Status::Usage if message.starts_with("some answers hold only") => {
                "\nhint: --checked FACT,FACT says that you have looked"
            }
            _ => "",
        };
        Self { status, message: format!("{message}{help}") }
    }
}

/// Runs something asynchronous to its end.
pub(crate) fn wait<T>(future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|error| Failure::input(format_args!("no runtime: {error}")))?.block_on(future)
}

/// What a command that only looks may be told about a store that is not there.
pub(crate) fn must_exist(address: &str) -> Result<(), Failure> {
    let file = address.strip_prefix("sqlite://").unwrap_or(address);
    if file.contains("://") || Path::new(file).exists() {
        return Ok(());
    }
    Err(Failure { status: Status::Store, message: format!("there is no store {file}; `recoup case quote` makes one") })
}

/// The instant of a command: the one given, else now.
fn instant(at: Option<&str>) -> Result<Instant, Failure> {
    match at {
        None => Ok(host::now()),
        Some(text) => Instant::parse(text, Zone::UTC).map_err(|error| Failure::usage(format!("--at {error}"))),
    }
}

impl Who {
    fn act(&self, at: Instant) -> Result<Act, Failure> {
        let actor = self.actor.clone().or_else(|| std::env::var("USER").ok()).filter(|actor| !actor.is_empty());
        let actor = actor.ok_or_else(|| {
            Failure::usage("nobody is named: say who does this with --actor NAME (or set RECOUP_ACTOR)")
        })?;
        Ok(Act { at, actor, because: self.because.clone().unwrap_or_default(), key: self.idempotency_key.clone() })
    }
}

/// What is known of the procedures of all installed providers that a command is about.
fn published(setup: &Setup, providers: impl Fn(&str) -> bool) -> Result<Published, Failure> {
    let engine = host::engine(setup)?;
    let mut policies = Vec::new();
    for provider in engine.providers().into_iter().filter(|provider| providers(provider)) {
        match engine.policy(&provider) {
            Ok(policy) => policies.push(policy),
            Err(error) => say(format_args!("warning: {error}")),
        }
    }
    Ok(Published::new(policies))
}

/// The flows over a store, for the providers of one case.
async fn flows_for(setup: &Setup, desk: &Desk, case: &CaseId) -> Result<(Flows, Arc<Published>), Failure> {
    must_exist(&desk.store)?;
    let store: Arc<dyn Store> = Arc::new(open(&desk.store).await?);
    let found = store.case(case).await?.ok_or_else(|| FlowError::NoCase(case.clone()))?;
    let named: Vec<String> = found.lines.iter().map(|line| line.place.provider.clone()).collect();
    let published = Arc::new(published(setup, |provider| named.iter().any(|name| name == provider))?);
    Ok((Flows::new(store, Arc::clone(&published) as _), published))
}

/// The flows over a store, where no provider has a say.
async fn flows(desk: &Desk) -> Result<Flows, Failure> {
    must_exist(&desk.store)?;
    let store: Arc<dyn Store> = Arc::new(open(&desk.store).await?);
    Ok(Flows::new(store, Arc::new(Published::default())))
}

/// Writes rows where an answer goes.
fn write(answer: &Answer, rows: &Rows) -> Result<(), Failure> {
    let form = match output::format(answer) {
        Format::Table => Form::Table,
        Format::Json => Form::Json,
        Format::Ndjson => Form::Ndjson,
        Format::Csv => Form::Csv,
        Format::Markdown => Form::Markdown,
        Format::Html => Form::Html,
        Format::Parquet | Format::Focus => {
            return Err(Failure::usage("--format: expected table, json, ndjson, csv, markdown or html here"));
        }
    };
    let text = rows.write(form, &look("", answer.output.is_some())).map_err(|error| Failure::output(&error))?;
    output::write_text(answer, &text)
}

/// Writes what a flow did, and says how it ended: with 1 where something asked for did not go through.
fn told(answer: &Answer, did: &Did, next: &str) -> Outcome {
    let mut rows = Rows::new(&format!("Case {}", did.case), &["line", "resource", "state", "order", "why"]).right(0..1);
    for line in &did.lines {
        let why: Vec<&str> =
            line.refused.iter().map(|refusal| refusal.says.as_str()).chain(line.said.as_deref()).collect();
        rows.add(
            vec![
                line.line.to_string(),
                line.resource.clone(),
                line.state.to_string(),
                line.order.clone().unwrap_or_default(),
                why.join(" "),
            ],
            json!(line),
        );
    }
    write(answer, &rows.whole(json!(did)))?;
    let to_person = answer.output.is_none() && io::stdout().is_terminal() || io::stderr().is_terminal();
    say(format_args!("{}: {}", did.case, did.state));
    for note in &did.notes {
        say(format_args!("note: {note}"));
    }
    if to_person && !next.is_empty() {
        say(format_args!("next: {next}"));
    }
    let failed = [LineState::Refused, LineState::Failed, LineState::InDoubt];
    let stopped = did.lines.iter().any(|line| failed.contains(&line.state));
    Ok(if stopped { Status::CheckFailed } else { Status::Done })
}

pub(crate) fn case(setup: &Setup, command: &CaseCommand) -> Outcome {
    match command {
        CaseCommand::List(args) => portfolio::list(setup, args),
        CaseCommand::Quote(args) => portfolio::quote(setup, args),
        CaseCommand::Confirm(args) => match (&args.planned.plan, &args.case) {
            (Some(file), _) => planned::confirm(setup, args, file),
            (None, case) => wait(change::confirm(setup, args, case.as_deref().unwrap_or_default())),
        },
        CaseCommand::Review(args) => wait(change::review(setup, args)),
        CaseCommand::Execute(args) => wait(change::execute(setup, args)),
        CaseCommand::Settle(args) => wait(change::settle(setup, args)),
        CaseCommand::Tick(args) => wait(change::tick(args)),
        CaseCommand::Withdraw(args) => wait(change::withdraw(setup, args)),
        CaseCommand::Show(args) => wait(show::show(args)),
        CaseCommand::History(args) => wait(show::history(args)),
        CaseCommand::Verify(args) => wait(show::verify(args)),
        CaseCommand::Export(args) => wait(show::export(args)),
    }
}
