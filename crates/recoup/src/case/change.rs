//! `recoup case confirm`, `review`, `execute`, `settle`, `tick`, `withdraw`: what changes a case.

use std::collections::BTreeMap;
use std::sync::Arc;

use recoup_cases::flow::{Confirmation, Execution, Flows};
use recoup_cases::gateway::dry_run::DryRun;
use recoup_cases::gateway::http::{HeadersFromEnvironment, Http};
use recoup_cases::gateway::worklist::{WorklistFolder, ticks};
use recoup_cases::gateway::{Gateway, LineResult, Work};
use recoup_cases::journal::Act;
use recoup_cases::model::{CaseId, LeavingReason, Received};
use recoup_cases::published::Published;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::{Destination, Effect, Instrument};
use recoup_report::rows::Rows;
use serde_json::json;

use super::cli::{Confirm, Decision, Execute, GatewayWord, On, Review, Settle, Tick, TickWord, Withdraw};
use super::{flows, flows_for, instant, told, write};
use crate::cli::Setup;
use crate::host::{Failure, Outcome, Status, say};

impl On {
    fn id(&self) -> CaseId {
        CaseId(self.case.clone())
    }

    fn lines(&self) -> Option<&[u32]> {
        (!self.lines.is_empty()).then_some(&self.lines)
    }

    fn act(&self) -> Result<Act, Failure> {
        self.who.act(instant(self.when.at.as_deref())?)
    }
}

impl Confirm {
    /// What is said by whoever confirms.
    pub(super) fn said(&self) -> Result<Confirmation, Failure> {
        let mut said = Confirmation {
            lines: (!self.lines.is_empty()).then(|| self.lines.clone()),
            reason: LeavingReason { option: self.reason.clone(), text: self.text.clone() },
            checked: self.checked.iter().cloned().collect(),
            ..Confirmation::default()
        };
        for word in &self.acknowledge {
            let effect = Effect::parse(word).map_err(|error| Failure::usage(format!("--acknowledge: {error}")))?;
            said.acknowledged.insert(effect);
        }
        Ok(said)
    }
}

pub(super) async fn confirm(setup: &Setup, args: &Confirm, case: &str) -> Outcome {
    let id = CaseId(case.to_owned());
    let said = args.said()?;
    let act = args.who.act(instant(args.when.at.as_deref())?)?;
    let (flows, _) = flows_for(setup, &args.desk, &id).await?;
    let did = flows.confirm(&act, &id, &said).await?;
    told(&args.answer, &did, &format!("recoup case execute {case}"))
}

pub(super) async fn review(setup: &Setup, args: &Review) -> Outcome {
    let on = &args.on;
    let act = on.act()?;
    let (flows, _) = flows_for(setup, &on.desk, &on.id()).await?;
    let did = flows.review(&act, &on.id(), on.lines(), args.decision == Decision::Approve).await?;
    told(&on.answer, &did, &format!("recoup case execute {}", on.case))
}

pub(super) async fn withdraw(setup: &Setup, args: &Withdraw) -> Outcome {
    let on = &args.on;
    let act = on.act()?;
    let (flows, _) = flows_for(setup, &on.desk, &on.id()).await?;
    let did = flows.withdraw(&act, &on.id(), on.lines()).await?;
    told(&on.answer, &did, "")
}

fn given(given: &[String]) -> Result<BTreeMap<String, String>, Failure> {
    given
        .iter()
        .map(|text| {
            let pair = text.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()));
            pair.ok_or_else(|| Failure::usage(format!("--given {text}: expected NAME=VALUE")))
        })
        .collect()
}

/// Shows what would be done.
async fn dry_run(flows: &Flows, args: &Execute, asked: &Execution, published: Arc<Published>, at: Instant) -> Outcome {
    let on = &args.on;
    let plan = flows.plan(at, &on.id(), asked, &DryRun::new(published)).await?;
    let mut rows = Rows::new("What would be done", &["lines", "task", "what"]);
    for task in &plan.tasks {
        let lines = task.lines.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let what = match &task.work {
            Work::Call(call) => format!("{} https://{}{} {}", call.method, call.host, call.path, call.body),
            Work::Steps(steps) => {
                let link = steps.link.as_ref().map(|link| format!("{link}: ")).unwrap_or_default();
                format!("{link}{}", steps.steps.join("; "))
            }
        };
        rows.add(vec![lines, task.id.clone(), what], json!(task));
    }
    write(&on.answer, &rows.whole(json!(plan)))?;
    for (line, why) in &plan.left {
        say(format_args!("note: line {line}: {why}"));
    }
    say("a dry run: nothing was done. --gateway worklist writes steps for a person, --gateway http sends the calls");
    Ok(Status::Done)
}

async fn tick_off(flows: &Flows, args: &Execute, act: &Act) -> Outcome {
    let on = &args.on;
    let case = flows.case(&on.id()).await?;
    let numbers = match on.lines() {
        Some(lines) => lines.to_vec(),
        None => {
            use recoup_cases::model::LineState;
            let begun = |state| matches!(state, LineState::Executing | LineState::InDoubt);
            case.lines.iter().filter(|line| begun(line.state)).map(|line| line.number).collect()
        }
    };
    if numbers.is_empty() {
        let message = format!("{} has no line that was begun and whose end is not known", on.case);
        return Err(Failure { status: Status::CheckFailed, message });
    }
    let says = || args.said.clone().unwrap_or_else(|| "as somebody ticked off".to_owned());
    let result = match args.tick {
        Some(TickWord::Failed) => LineResult::Failed { code: None, reason: None, says: says() },
        Some(TickWord::NotDone) => LineResult::NotSent { says: says() },
        Some(TickWord::Done) | None => LineResult::Done { references: args.reference.clone() },
    };
    let did = flows.tick_off(act, &on.id(), &numbers, &result).await?;
    told(&on.answer, &did, &format!("recoup case settle {}", on.case))
}

/// Reads a worklist back that somebody ticked off.
async fn ticked(flows: &Flows, args: &Execute, act: &Act, file: &std::path::Path) -> Outcome {
    let on = &args.on;
    let named = |error: &dyn std::fmt::Display| Failure::input(format_args!("{}: {error}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| named(&error))?;
    let ticks = ticks(&text).map_err(|error| named(&error))?;
    let mut last = None;
    for tick in &ticks {
        // One key cannot stand for several ticks: each has its own line in it.
        let key = act.key.as_ref().map(|key| format!("{key}/{}", tick.line));
        let act = Act { key, ..act.clone() };
        let did = flows.tick_off(&act, &on.id(), &[tick.line], &tick.result).await?;
        match &mut last {
            None => last = Some(did),
            Some(all) => {
                all.state = did.state;
                all.lines.extend(did.lines);
            }
        }
    }
    match last {
        Some(did) => told(&on.answer, &did, &format!("recoup case settle {}", on.case)),
        None => {
            Err(Failure { status: Status::CheckFailed, message: format!("{}: nothing is ticked off", file.display()) })
        }
    }
}

pub(super) async fn execute(setup: &Setup, args: &Execute) -> Outcome {
    let on = &args.on;
    let act = on.act()?;
    let (flows, published) = flows_for(setup, &on.desk, &on.id()).await?;
    if let Some(file) = &args.ticked {
        return ticked(&flows, args, &act, file).await;
    }
    if args.tick.is_some() {
        return tick_off(&flows, args, &act).await;
    }
    let published = Arc::new(Published::clone(&published).with_given(given(&args.given)?));
    let asked = Execution { lines: on.lines().map(<[u32]>::to_vec), past_until: args.past_until };
    let gateway: Box<dyn Gateway> = match args.gateway {
        GatewayWord::DryRun => return dry_run(&flows, args, &asked, published, act.at).await,
        GatewayWord::Worklist => Box::new(WorklistFolder::new(published, args.worklists.clone())),
        GatewayWord::Http => {
            let mut http = Http::new(published, Arc::new(HeadersFromEnvironment));
            if let Some(endpoint) = &args.endpoint {
                let case = flows.case(&on.id()).await?;
                for line in &case.lines {
                    http = http.with_base(line.place.provider.clone(), endpoint.clone());
                }
            }
            Box::new(http)
        }
    };
    let did = flows.execute(&act, &on.id(), &asked, gateway.as_ref()).await?;
    told(&on.answer, &did, &format!("recoup case settle {}", on.case))
}

fn by_hand(args: &Settle, amount: &str) -> Result<Received, Failure> {
    let word = |flag: &str, error: &dyn std::fmt::Display| Failure::usage(format!("--{flag}: {error}"));
    let currency = args.currency.as_deref().unwrap_or_default();
    Ok(Received {
        id: String::new(),
        line: args.line,
        instrument: args
            .instrument
            .as_deref()
            .map(Instrument::parse)
            .transpose()
            .map_err(|error| word("instrument", &error))?,
        currency: currency.parse().map_err(|error| word("currency", &error))?,
        amount: amount.parse().map_err(|error| word("amount", &error))?,
        to: args.to.as_deref().map(Destination::parse).transpose().map_err(|error| word("to", &error))?,
        at: args
            .on
            .as_deref()
            .map(|on| Instant::parse(on, Zone::UTC))
            .transpose()
            .map_err(|error| word("on", &error))?,
        reference: args.reference.clone(),
        resource: None,
        order: None,
        source: "by hand".to_owned(),
    })
}

/// What is still to come.
async fn due(flows: &Flows, args: &Settle, at: Instant) -> Outcome {
    let only = args.case.clone().map(CaseId);
    let due = flows.due(at, only.as_ref()).await?;
    let headings = ["case", "line", "resource", "instrument", "left", "expected", "currency", "due by", "late"];
    let mut rows = Rows::new("Still to come", &headings).right(4..6);
    let mut late = false;
    for due in due.iter().filter(|due| due.overdue || !args.overdue) {
        late |= due.overdue;
        let cells = vec![
            due.case.to_string(),
            due.line.to_string(),
            due.resource.clone(),
            due.instrument.to_string(),
            due.left.to_string(),
            due.expected.to_string(),
            due.currency.to_string(),
            due.due_by.map(|by| by.display(Zone::UTC).to_string()).unwrap_or_default(),
            if due.overdue { "late".to_owned() } else { String::new() },
        ];
        rows.add(cells, json!(due));
    }
    write(&args.answer, &rows)?;
    if late {
        say("late: open a ticket with the provider, naming the clauses (`--format json` has them)");
    }
    Ok(if late && args.overdue { Status::CheckFailed } else { Status::Done })
}

pub(super) async fn settle(setup: &Setup, args: &Settle) -> Outcome {
    let at = instant(args.when.at.as_deref())?;
    let booking = args.amount.is_some() || !args.from.is_empty() || args.strike.is_some();
    let Some(case) = args.case.clone().map(CaseId).filter(|_| booking) else {
        if booking {
            return Err(Failure::usage("name the case that it came for"));
        }
        return due(&flows(&args.desk).await?, args, at).await;
    };
    let act = args.who.act(at)?;
    let (flows, _) = flows_for(setup, &args.desk, &case).await?;
    let mut read = Status::Done;
    let did = if let Some(receipt) = &args.strike {
        flows.strike(&act, &case, receipt).await?
    } else if let Some(amount) = &args.amount {
        flows.receive(&act, &case, vec![by_hand(args, amount)?]).await?
    } else {
        let found = flows.case(&case).await?;
        let (receipts, status) = super::receipts::read(setup, &args.from, &found)?;
        read = status;
        flows.receive(&act, &case, receipts).await?
    };
    told(&args.answer, &did, "").map(|status| status.max(read))
}

pub(super) async fn tick(args: &Tick) -> Outcome {
    let act = args.who.act(instant(args.when.at.as_deref())?)?;
    let flows = flows(&args.desk).await?;
    let ticked = flows.tick(&act).await?;
    let mut rows = Rows::new("What happened by itself", &["approved", "lapsed", "cases", "to look at"]);
    let words = |cases: &[CaseId]| cases.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    rows.add(
        vec![ticked.approved.to_string(), ticked.lapsed.to_string(), words(&ticked.cases), words(&ticked.unfinished)],
        json!(ticked),
    );
    write(&args.answer, &rows)?;
    if !ticked.unfinished.is_empty() {
        say(
            "some lines were begun and have no result: find out what became of them, and say so with `case execute --tick`",
        );
    }
    Ok(Status::Done)
}
