//! Replays a plan step by step and recomputes every figure and quota.

use recoup_core::assessment::Subject;
use recoup_core::context::Run;
use recoup_core::money::Amount;
use recoup_core::record::ResourceRecord;
use recoup_core::time::Instant;
use recoup_engine::Engine;

use crate::document::{Document, Leaving, Plan, Step};
use crate::gather::Ground;
use crate::groups::{Group, groups};
use crate::make::{leaving, sum_of};
use crate::replay::{Left, Move, replay};

/// What is wrong with a plan, one line each; nothing where everything holds.
pub type Faults = Vec<String>;

/// Replays a plan against the records, accounts and rules as they are.
#[must_use]
pub fn check(
    document: &Document,
    engine: &Engine,
    run: &Run,
    resources: &[ResourceRecord],
    subjects: &[Subject],
    threads: usize,
) -> Faults {
    let ground = Ground { engine, run, resources, subjects, threads };
    let groups = groups(resources, subjects);
    let mut faults = Faults::new();
    // Plans in different currencies may draw on one quota, so all steps are taken in the order of time.
    let mut steps: Vec<(&Plan, &Step)> =
        document.plans.iter().flat_map(|plan| plan.steps.iter().map(move |step| (plan, step))).collect();
    steps.sort_by_key(|(_, step)| step.at.at);
    let mut taken: Vec<(&Plan, &Step)> = Vec::new();
    let mut moves: Vec<Move<'_>> = Vec::new();
    let mut seen = std::collections::BTreeSet::new();
    for (plan, step) in steps {
        match find(&groups, resources, subjects, step) {
            Some(group) if !seen.insert(group.members.clone()) => {
                faults.push(format!("{}: leaves already in an earlier step", place(plan, step)));
            }
            Some(group) => {
                moves.push(Move { at: step.at.at, group, exits: exits(group, resources, step) });
                taken.push((plan, step));
            }
            None => faults.push(format!(
                "{}: what leaves is not in the portfolio, or does not leave together",
                place(plan, step)
            )),
        }
        if step.at.at < document.from.at || step.at.at > document.by.at {
            faults.push(format!("{}: {} is outside the time of the plan", place(plan, step), step.at));
        }
    }
    for ((plan, step), found) in taken.iter().zip(replay(&ground, &moves)) {
        match found {
            Ok(found) => faults.extend(compare(document, plan, step, &found, resources)),
            Err(what) => faults.push(format!("{}: {what}", place(plan, step))),
        }
    }
    faults.extend(document.plans.iter().flat_map(sums));
    faults
}

fn place(plan: &Plan, step: &Step) -> String {
    let ids: Vec<&str> = step.leaves.iter().map(|leaving| leaving.resource.as_str()).collect();
    format!("{} step {} ({})", plan.currency, step.step, ids.join(", "))
}

/// The group that a step speaks of.
fn find<'g>(groups: &'g [Group], resources: &[ResourceRecord], subjects: &[Subject], step: &Step) -> Option<&'g Group> {
    groups.iter().find(|group| {
        group.members.len() == step.leaves.len()
            && group.members.iter().all(|member| {
                let (Some(resource), Some(subject)) = (resources.get(*member), subjects.get(*member)) else {
                    return false;
                };
                subject.provider == step.provider
                    && subject.site == step.site
                    && resource.account == step.account
                    && step.leaves.iter().any(|leaving| leaving.resource == resource.id)
            })
    })
}

fn exits(group: &Group, resources: &[ResourceRecord], step: &Step) -> Vec<recoup_core::vocab::Exit> {
    let of = |member: &usize| {
        let id = resources.get(*member).map(|resource| &resource.id);
        let leaving = step.leaves.iter().find(|leaving| Some(&leaving.resource) == id);
        leaving.map_or(recoup_core::vocab::Exit::None, |leaving| leaving.exit)
    };
    group.members.iter().map(of).collect()
}

/// The difference between what a step says and what it is.
fn compare(document: &Document, plan: &Plan, step: &Step, found: &[Left], resources: &[ResourceRecord]) -> Faults {
    let mut faults = Faults::new();
    let here = place(plan, step);
    for found in found {
        let Some(now) = leaving(resources, found) else { continue };
        if let Some(said) = step.leaves.iter().find(|leaving| leaving.resource == now.resource) {
            faults.extend(differences(said, &now).into_iter().map(|what| format!("{here}: {what}")));
        }
    }
    let money = found.iter().map(|found| (found.exit, &found.money));
    let worth = sum_of(document.want, document.rates.as_ref(), plan.currency, money);
    if worth != step.worth {
        faults.push(format!("{here}: worth is {worth}, the plan says {}", step.worth));
    }
    let hours = found.iter().filter_map(|found| found.review_hours).max();
    let done = hours.map(|hours| step.at.at + recoup_core::time::Span::hours(i64::from(hours)));
    let said: Option<Instant> = step.done_by.map(|stamp| stamp.at);
    if done != said {
        faults.push(format!("{here}: the review is over at another time than the plan says"));
    }
    faults
}

fn differences(said: &Leaving, now: &Leaving) -> Vec<String> {
    let mut found = Vec::new();
    let amounts = [
        ("refund", said.refund, now.refund),
        ("released", said.released, now.released),
        ("charge", said.charge, now.charge),
        ("carried_over", said.carried_over, now.carried_over),
        ("fee", said.fee, now.fee),
    ];
    for (name, said, now) in amounts {
        if said != now {
            found.push(format!("{name} is {now}, the plan says {said}"));
        }
    }
    if said.currency != now.currency {
        found.push(format!("the currency is {}, the plan says {}", now.currency, said.currency));
    }
    for quota in &now.quota {
        match said.quota.iter().find(|other| other.name == quota.name) {
            Some(other) if other == quota => {}
            Some(other) => found.push(format!(
                "{}: draws {} on {} of {}, the plan says {} on {} of {}",
                quota.name, quota.draws, quota.used, quota.limit, other.draws, other.used, other.limit
            )),
            None => found.push(format!("{}: draws {}, of which the plan says nothing", quota.name, quota.draws)),
        }
    }
    for other in said.quota.iter().filter(|other| now.quota.iter().all(|quota| quota.name != other.name)) {
        found.push(format!("{}: the plan says that it is drawn on, and it is not", other.name));
    }
    found
}

/// Whether a plan's own sums agree.
fn sums(plan: &Plan) -> Faults {
    let mut faults = Faults::new();
    let worth: Amount = plan.steps.iter().map(|step| step.worth).sum();
    if worth != plan.worth {
        faults.push(format!("{}: the steps bring {worth}, the plan says {}", plan.currency, plan.worth));
    }
    if plan.worth > plan.bound || plan.bound - plan.worth != plan.gap {
        faults.push(format!(
            "{}: worth {}, bound {} and gap {} do not agree",
            plan.currency, plan.worth, plan.bound, plan.gap
        ));
    }
    faults
}
