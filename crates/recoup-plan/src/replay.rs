//! Takes steps one after the other under the adapters' rules: each is assessed at its instant, in an account in which
//! every earlier step was taken.

use std::collections::{BTreeMap, BTreeSet};

use recoup_core::assessment::Answered;
use recoup_core::context::QuotaDraw;
use recoup_core::record::{AccountRecord, ResourceRecord};
use recoup_core::ruling::RulingData;
use recoup_core::time::{Instant, Span};
use recoup_core::vocab::{Channel, Effect, Exit, Reason};
use recoup_engine::Assessor;
use recoup_timeline::figures::Money;

use crate::accounts::{AccountKey, Taken, after, run_with};
use crate::gather::{Ground, Pools, ask_all, roomy, standing};
use crate::groups::Group;

/// Returns in all states of accounts that one run holds at most.
const MOST_RETURNS: usize = 100_000;

/// A step to take.
#[derive(Debug, Clone)]
pub(crate) struct Move<'g> {
    pub(crate) at: Instant,
    pub(crate) group: &'g Group,
    /// By member of the group: the exit.
    pub(crate) exits: Vec<Exit>,
}

/// What a resource's leaving was found to be.
#[derive(Debug, Clone)]
pub(crate) struct Left {
    pub(crate) member: usize,
    pub(crate) exit: Exit,
    pub(crate) money: Money,
    pub(crate) quota: Vec<QuotaDraw>,
    pub(crate) effects: Vec<Effect>,
    pub(crate) channel: Option<Channel>,
    pub(crate) review_hours: Option<u32>,
}

/// A step on its way, one row for each member.
struct Row {
    step: usize,
    member: usize,
    exit: Exit,
    at: Instant,
}

fn rows(moves: &[Move<'_>]) -> Vec<Row> {
    let of_move = |(step, one): (usize, &Move<'_>)| -> Vec<Row> {
        let members = one.group.members.iter().zip(&one.exits);
        members.map(|(member, exit)| Row { step, member: *member, exit: *exit, at: one.at }).collect()
    };
    moves.iter().enumerate().flat_map(of_move).collect()
}

/// Takes steps in their order, which is that of time. Gives what each brings, or why it does not hold.
pub(crate) fn replay(ground: &Ground<'_>, moves: &[Move<'_>]) -> Vec<Result<Vec<Left>, String>> {
    let rows = rows(moves);
    let asked: Vec<(usize, Instant)> = rows.iter().map(|row| (row.member, row.at)).collect();
    let as_is = Assessor::new(ground.engine, ground.run.clone());
    let known = ground.ask(&as_is, &asked);
    let mut pools = Pools::new();
    for (row, answer) in rows.iter().zip(&known) {
        let (Ok(answer), Some(key)) = (answer, ground.key(row.member)) else { continue };
        for draw in answer.assessment.rulings().iter().flat_map(|ruling| &ruling.quota) {
            pools.entry(key.clone()).or_default().insert(draw.name.to_string(), draw.window);
        }
    }
    let with_room = Assessor::new(ground.engine, roomy(ground.run, &pools));
    let open = ground.ask(&with_room, &asked);
    let taken: Vec<Option<Taken>> = rows.iter().zip(&open).map(|(row, answer)| taken(ground, row, answer)).collect();
    let found = in_states(ground, &rows, &taken, &pools, known);
    let reviewed = after_review(ground, &with_room, &rows, &open);
    let mut results: Vec<Result<Vec<Left>, String>> = moves.iter().map(|_| Ok(Vec::new())).collect();
    for (((row, answer), later), one) in
        rows.iter().zip(&found).zip(&reviewed).zip(rows.iter().map(|row| moves.get(row.step)))
    {
        let waived = one.map_or(&[] as &[Reason], |one| one.group.waived(row.member));
        let left =
            answer.as_ref().map_err(String::clone).and_then(|answer| leaves(row, answer, later.as_ref(), waived));
        if let Some(result) = results.get_mut(row.step) {
            match (result, left) {
                (Ok(all), Ok(left)) => all.push(left),
                (result @ Ok(_), Err(what)) => *result = Err(what),
                (Err(_), _) => {}
            }
        }
    }
    results
}

fn taken(ground: &Ground<'_>, row: &Row, answer: &Result<Answered, String>) -> Option<Taken> {
    let ruling = answer.as_ref().ok()?.assessment.ruling(row.exit)?;
    Some(Taken::of(ground.resources.get(row.member)?, row.at, ruling))
}

/// A row in the state of its account that the earlier rows leave.
struct State {
    row: usize,
    record: ResourceRecord,
    at: Instant,
}

/// The answers for all rows, each in an account in which the rows of earlier steps were taken. Accounts on whose
/// quotas nothing draws are as they were.
fn in_states(
    ground: &Ground<'_>,
    rows: &[Row],
    taken: &[Option<Taken>],
    pools: &Pools,
    mut answers: Vec<Result<Answered, String>>,
) -> Vec<Result<Answered, String>> {
    let mut before: BTreeMap<AccountKey, Vec<Taken>> = BTreeMap::new();
    let mut states: Vec<State> = Vec::new();
    let mut accounts: Vec<AccountRecord> = Vec::new();
    let mut returns = 0;
    for (index, (row, taken)) in rows.iter().zip(taken).enumerate() {
        let Some(key) = ground.key(row.member).filter(|key| pools.contains_key(key)) else { continue };
        let (Some(account), Some(resource)) = (key.record(ground.run), ground.resources.get(row.member)) else {
            continue;
        };
        let earlier = before.entry(key.clone()).or_default();
        if !earlier.is_empty() {
            let name = format!("{}\u{1f}{index}", account.account);
            let zone = ground.zone(row.member);
            let state = after(account, &key.site, name.clone(), earlier, row.at, zone);
            returns += state.returns.as_ref().map_or(0, Vec::len) + 1;
            accounts.push(state);
            states.push(State {
                row: index,
                record: ResourceRecord { account: Some(name), ..resource.clone() },
                at: row.at,
            });
        }
        earlier.extend(taken.clone());
        if returns > MOST_RETURNS {
            ask_states(ground, &mut answers, std::mem::take(&mut states), std::mem::take(&mut accounts));
            returns = 0;
        }
    }
    ask_states(ground, &mut answers, states, accounts);
    answers
}

fn ask_states(
    ground: &Ground<'_>,
    answers: &mut [Result<Answered, String>],
    states: Vec<State>,
    accounts: Vec<AccountRecord>,
) {
    let assessor = Assessor::new(ground.engine, run_with(ground.run, accounts));
    let found = ask_all(&assessor, &states, ground.threads, &|state| Some((&state.record, state.at)));
    for (state, answer) in states.into_iter().zip(found) {
        if let Some(slot) = answers.get_mut(state.row) {
            *slot = answer;
        }
    }
}

/// What the rules say of rows once their reviews are over, quotas apart.
fn after_review(
    ground: &Ground<'_>,
    with_room: &Assessor<'_>,
    rows: &[Row],
    open: &[Result<Answered, String>],
) -> Vec<Option<Result<Answered, String>>> {
    let hours = |row: &Row, answer: &Result<Answered, String>| {
        answer.as_ref().ok()?.assessment.ruling(row.exit)?.review.as_ref()?.approved_after_hours
    };
    let later: Vec<Option<(usize, Instant)>> = rows
        .iter()
        .zip(open)
        .map(|(row, answer)| hours(row, answer).map(|hours| (row.member, row.at + Span::hours(i64::from(hours)))))
        .collect();
    let asked: Vec<(usize, Instant)> = later.iter().flatten().copied().collect();
    let mut answers = ground.ask(with_room, &asked).into_iter();
    later.into_iter().map(|later| later.and_then(|_| answers.next())).collect()
}

fn stands<'a>(exit: Exit, answer: &'a Answered, waived: &[Reason]) -> Result<&'a RulingData, String> {
    let ruling = answer.assessment.ruling(exit).ok_or_else(|| format!("the exit {exit} is not there"))?;
    match standing(ruling, waived) {
        Some(unknown) if unknown.is_empty() => Ok(ruling),
        Some(unknown) => Err(format!("not certain: {}", unknown.into_iter().collect::<Vec<_>>().join(", "))),
        None => {
            let reasons: BTreeSet<&str> = ruling
                .refusals
                .iter()
                .filter(|refusal| !waived.contains(&refusal.reason))
                .map(|refusal| recoup_report::words::reason(refusal.reason))
                .collect();
            Err(format!("refused: {}", reasons.into_iter().collect::<Vec<_>>().join(", ")))
        }
    }
}

fn leaves(
    row: &Row,
    answer: &Answered,
    later: Option<&Result<Answered, String>>,
    waived: &[Reason],
) -> Result<Left, String> {
    let ruling = stands(row.exit, answer, waived)?;
    let figure =
        |ruling: &RulingData| ruling.refund.as_ref().map(Money::of).ok_or_else(|| "its refund is not known".to_owned());
    let mut money = figure(ruling)?;
    if let Some(later) = later {
        let then = later.as_ref().map_err(String::clone)?;
        let then = stands(row.exit, then, waived).map_err(|what| format!("once reviewed, {what}"))?;
        let then = figure(then)?;
        if then.worth() < money.worth() {
            money = then;
        }
    }
    Ok(Left {
        member: row.member,
        exit: row.exit,
        money,
        quota: ruling.quota.clone(),
        effects: ruling.effects.iter().collect(),
        channel: ruling.channel,
        review_hours: ruling.review.as_ref().and_then(|review| review.approved_after_hours),
    })
}
