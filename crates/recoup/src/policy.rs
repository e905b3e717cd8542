//! `recoup policy list | show | diff`.

use std::sync::Arc;

use chrono::NaiveDate;
use recoup_core::policy::{Policy, Rulebook};
use recoup_engine::{Assessor, Engine};
use recoup_report::{Answered, policy as render};

use crate::assess::{each, keeps};
use crate::cli::{PolicyCommand, Question};
use crate::host::{Failure, Outcome, Status, look, open, print, run, threads};
use crate::progress::Progress;

fn policy_of(engine: &Engine, provider: &str) -> Result<Arc<Policy>, Failure> {
    engine.policy(provider).map_err(Failure::usage)
}

pub(crate) fn policy(engine: &Engine, command: &PolicyCommand) -> Outcome {
    match command {
        PolicyCommand::List => {
            let policies =
                engine.providers().iter().map(|provider| policy_of(engine, provider)).collect::<Result<Vec<_>, _>>()?;
            let policies: Vec<&Policy> = policies.iter().map(Arc::as_ref).collect();
            print(&render::list(&policies, &look("", false)))?;
            Ok(Status::Done)
        }
        PolicyCommand::Show { provider, json } => {
            let policy = policy_of(engine, provider)?;
            if *json {
                let json = serde_json::to_string_pretty(&*policy).unwrap_or_default();
                print(&json)?;
            } else {
                print(&render::show(&policy, &look("", false)))?;
            }
            Ok(Status::Done)
        }
        PolicyCommand::Book { provider, cases } => {
            let policy = policy_of(engine, provider)?;
            let bites = crate::check::bites(engine, cases)?;
            print(&render::book(&policy, &bites))?;
            Ok(Status::Done)
        }
        PolicyCommand::Diff { provider, from, to, file, site, question } => {
            diff(engine, provider, [from, to], file.as_deref(), site.as_deref(), question)
        }
    }
}

fn diff(
    engine: &Engine,
    provider: &str,
    dates: [&String; 2],
    file: Option<&str>,
    site: Option<&str>,
    question: &Question,
) -> Outcome {
    let policy = policy_of(engine, provider)?;
    let book = Rulebook::new((*policy).clone()).map_err(Failure::usage)?;
    let rules = book.site(site).ok_or_else(|| {
        let names: Vec<&str> = book.sites().iter().map(|site| site.name.as_str()).collect();
        Failure::usage(format_args!("--site: expected one of {}", names.join(", ")))
    })?;
    let date = |text: &String| {
        text.parse::<NaiveDate>()
            .map_err(|_| Failure::usage(format_args!("{text}: expected an edition's date such as 2024-10-29")))
    };
    let [from, to] = [date(dates[0])?, date(dates[1])?];
    let changes = render::diff(&book, site, rules.end_of_day(from), rules.end_of_day(to), &look("", false));
    print(&changes.unwrap_or_default())?;
    let Some(file) = file else { return Ok(Status::Done) };
    let mut answers: Vec<Vec<Answered>> = Vec::new();
    let mut status = Status::Done;
    for edition in [from, to] {
        let (mut run, before) = run(engine, question, false)?;
        run.edition = Some(edition);
        let (inputs, run, opened) = open(engine, &[file.to_owned()], Some(provider), run)?;
        let assessor = Assessor::new(engine, run);
        let mut found = Vec::new();
        let kept = keeps(question, None);
        let keep = |resource: &recoup_core::record::ResourceRecord| resource.provider == provider && kept(resource);
        let done = each(&assessor, inputs, &keep, threads(question), &Progress::hidden(), |answered| {
            found.push(answered);
            Ok(())
        })?;
        status = status.max(before).max(opened).max(done);
        answers.push(found);
    }
    print(&hit(&answers, from, to))?;
    Ok(status)
}

/// Who is hit: the resources whose answer differs between two editions.
fn hit(answers: &[Vec<Answered>], from: NaiveDate, to: NaiveDate) -> String {
    let [before, after] = answers else { return String::new() };
    let short = |answered: &Answered| {
        let best = answered.assessment.best().map_or("-", |exit| exit.as_str());
        let refund = answered
            .assessment
            .best()
            .and_then(|exit| answered.assessment.ruling(exit))
            .and_then(|ruling| ruling.refund.as_ref());
        let money = refund.map_or_else(
            || "?".to_owned(),
            |quote| format!("{} {}", quote.refund(), recoup_core::refund::Refund::currency(quote)),
        );
        format!("{} by {best}, {money}", answered.assessment.outcome())
    };
    let mut lines = Vec::new();
    for (old, new) in before.iter().zip(after) {
        let (a, b) = (short(old), short(new));
        if a != b {
            lines.push(format!("{}: {a} -> {b}", new.subject.resource));
        }
    }
    let head = format!("{} of {} resources are answered differently by {to} than by {from}", lines.len(), after.len());
    lines.insert(0, head);
    lines.join("\n") + "\n"
}
