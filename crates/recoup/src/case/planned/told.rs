//! What became of the steps of a plan, and how what is quoted now compares with what was planned.

use std::collections::BTreeMap;

use recoup_cases::model::{Case, CaseId, Line, LineState, Money, Place};
use recoup_core::money::{Amount, Currency};
use recoup_core::vocab::Exit;
use recoup_plan::document::{Leaving, Plan, Stamp, Step};
use recoup_report::rows::Rows;
use serde::Serialize;
use serde_json::json;

use super::{Unsaid, place};
use crate::case::cli::Confirm;
use crate::case::write;
use crate::host::{Failure, Status, say};

/// What became of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Became {
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
pub(super) struct Told {
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
    pub(super) fn new(plan: &Plan, step: &Step, leaving: &Leaving, became: Became, why: String) -> Self {
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

    /// Of which only the case is known.
    pub(super) fn in_case(mut self, case: Option<&CaseId>) -> Self {
        self.case = case.cloned();
        self
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

/// The lines that bring what the plan says, and how the others fall short, by resource. What leaves only together
/// falls short together.
pub(super) fn compared<'d>(
    lines: &[Line],
    steps: &[&'d Step],
    accepted: Amount,
) -> (Vec<u32>, BTreeMap<&'d str, String>) {
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

pub(super) fn outcomes(
    plan: &Plan,
    steps: &[&Step],
    case: Option<&Case>,
    drifts: &BTreeMap<&str, String>,
) -> Vec<Told> {
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

/// Writes what became of every step, and when there is something to do again.
pub(super) fn show(args: &Confirm, told: &[Told], next: Option<Stamp>) -> Result<(), Failure> {
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
pub(super) fn verdict(told: &[Told], unsaid: Vec<Unsaid>) -> Status {
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
