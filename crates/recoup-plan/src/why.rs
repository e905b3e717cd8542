//! Why something stays, why a step waits, and what knowing a fact would add.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use recoup_core::context::Window;
use recoup_core::money::{Amount, Currency};
use recoup_core::time::{Instant, Span};
use recoup_core::vocab::{Exit, Reason};
use recoup_engine::Assessor;
use recoup_report::words;

use crate::accounts::AccountKey;
use crate::document::{Because, FactWorth, Left, Stamp, Want};
use crate::gather::{Candidate, candidates_at, roomy};
use crate::make::{Drawn, Planner, Valued, amount, is_exchange, worth_of};
use crate::problem::{Choice, Tally};

/// Facts of which it is told what knowing them would add.
const MOST_FACTS: usize = 12;
/// Instants after the end of a plan at which is asked whether there is room again.
const MOST_LATER: usize = 4;

type Banned = BTreeMap<(usize, Instant, Exit), String>;

fn day(at: Instant, planner: &Planner<'_>, group: usize) -> String {
    let zone = planner.lead(group).map_or(recoup_core::time::Zone::UTC, |lead| planner.ground.zone(lead));
    zone.date(at).to_string()
}

fn empty(planner: &Planner<'_>, group: usize, because: Because, why: String) -> Left {
    let lead = planner.lead(group);
    let subject = lead.and_then(|lead| planner.ground.subjects.get(lead));
    Left {
        provider: subject.map(|subject| subject.provider.clone()).unwrap_or_default(),
        account: subject.and_then(|subject| subject.account.clone()),
        resources: planner.ids(group),
        because,
        why,
        worth: None,
        quota: None,
        room_at: None,
        worth_then: None,
        facts: Vec::new(),
        instead: None,
    }
}

/// Resources for which there is no choice at all, and those that were to be kept.
pub(crate) fn without_choice(planner: &Planner<'_>, by_currency: &BTreeMap<Currency, Vec<Valued>>) -> Vec<Left> {
    let with: BTreeSet<usize> = by_currency.values().flatten().map(|valued| valued.candidate.group).collect();
    let mut left = Vec::new();
    for group in (0..planner.choices.groups.len()).filter(|group| !with.contains(group)) {
        if planner.is_kept(group) {
            left.push(empty(planner, group, Because::Kept, "to be kept".to_owned()));
        } else if planner.may_leave(group) {
            let reasons = planner.choices.refused.get(group).into_iter().flatten();
            let reasons: Vec<&str> = reasons.map(|reason| words::reason(*reason)).collect();
            let why = if reasons.is_empty() {
                "no exit with a known figure until the end of the plan".to_owned()
            } else {
                reasons.join(", ")
            };
            left.push(empty(planner, group, Because::Refused, why));
        }
    }
    left
}

/// What a plan leaves of what there are choices for.
pub(crate) fn left(
    planner: &Planner<'_>,
    currency: Currency,
    candidates: &[Valued],
    drawn: &Drawn<'_>,
    steps: &[&Valued],
    banned: &Banned,
) -> Vec<Left> {
    let taken: BTreeSet<usize> = steps.iter().map(|valued| valued.candidate.group).collect();
    let replayed: BTreeSet<usize> = banned.keys().map(|(group, _, _)| *group).collect();
    let mut by_group: BTreeMap<usize, Vec<&Valued>> = BTreeMap::new();
    for valued in candidates {
        by_group.entry(valued.candidate.group).or_default().push(valued);
    }
    let tally = drawn.problem.tally(&drawn.solved.selection);
    let fell: BTreeSet<usize> = steps
        .iter()
        .map(|valued| &valued.candidate)
        .filter(|candidate| banned.contains_key(&(candidate.group, candidate.at, candidate.exit())))
        .map(|candidate| candidate.group)
        .collect();
    let mut pools = drawn.pools.clone();
    let mut left = Vec::new();
    let mut blocked: Vec<Blocked<'_>> = Vec::new();
    for (group, ways) in by_group {
        if taken.contains(&group) && !fell.contains(&group) {
            continue;
        }
        let certain = ways.iter().copied().filter(|valued| valued.is_certain());
        let best = certain.max_by_key(|valued| (valued.worth, std::cmp::Reverse(valued.candidate.at)));
        let mut entry = match best {
            None => unknown(planner, group, &ways),
            // What is certain is worth nothing, what is not would be worth something.
            Some(best) if !best.worth.is_positive() && ways.iter().any(|way| way.worth.is_positive()) => {
                unknown(planner, group, &ways)
            }
            Some(best) if !best.worth.is_positive() => {
                let mut entry = empty(planner, group, Because::Worthless, nothing_back(planner, best));
                entry.worth = Some(best.worth);
                entry
            }
            Some(best) => {
                let choice = planner.choice(&best.candidate, 0, &mut pools);
                match tally.refuses(&choice).and_then(|draw| Some((draw.pool, drawn.pools.get(draw.pool)?.clone()))) {
                    Some((pool, (account, name))) => {
                        let mut entry = empty(planner, group, Because::Quota, String::new());
                        entry.worth = Some(best.worth);
                        entry.quota = Some(name.clone());
                        blocked.push(Blocked { place: left.len(), best, pool, account, name });
                        entry
                    }
                    None if replayed.contains(&group) => {
                        let what = banned.iter().find(|((banned, _, _), _)| *banned == group).map(|(_, what)| what);
                        let mut entry = empty(planner, group, Because::Replay, what.cloned().unwrap_or_default());
                        entry.worth = Some(best.worth);
                        entry
                    }
                    None => {
                        let mut entry =
                            empty(planner, group, Because::Quota, "the search was over before it".to_owned());
                        entry.worth = Some(best.worth);
                        entry
                    }
                }
            }
        };
        entry.instead = instead(planner, &ways);
        left.push(entry);
    }
    explain_blocked(planner, currency, drawn, &tally, &blocked, &mut left);
    left
}

fn nothing_back(planner: &Planner<'_>, best: &Valued) -> String {
    let released: Amount = best.candidate.parts.iter().map(|part| part.money.released).sum();
    match planner.wish.want {
        Want::Cash if released.is_positive() => {
            format!("no money comes back; {released} would no longer be owed")
        }
        _ if best.worth.is_negative() => "leaving costs more than it brings".to_owned(),
        _ => "nothing comes back".to_owned(),
    }
}

fn unknown(planner: &Planner<'_>, group: usize, ways: &[&Valued]) -> Left {
    let open = ways.iter().filter(|valued| !valued.is_certain());
    let best = open.max_by_key(|valued| {
        (valued.worth.is_positive(), std::cmp::Reverse(valued.candidate.facts.len()), valued.worth)
    });
    let facts: Vec<String> = best.map(|best| best.candidate.facts.iter().cloned().collect()).unwrap_or_default();
    let mut entry = empty(planner, group, Because::Unknown, format!("only if {}", in_words(&facts)));
    entry.worth = best.map(|best| best.worth);
    entry.facts = facts;
    entry
}

/// An exchange that is open although nothing is planned.
fn instead(planner: &Planner<'_>, ways: &[&Valued]) -> Option<String> {
    let exchange = ways.iter().filter(|valued| valued.is_certain()).find_map(|valued| {
        let part = valued.candidate.parts.first()?;
        let moves = is_exchange(part.exit) && part.money.carried_over.is_positive();
        moves.then_some((valued, part))
    });
    exchange.map(|(valued, part)| {
        let exit = part.exit.as_str().replace('_', " ");
        let money = part.money;
        let at = day(valued.candidate.at, planner, valued.candidate.group);
        format!("{exit} on {at} carries over {} {}", money.carried_over, money.currency)
    })
}

/// Something for which a quota has no room.
struct Blocked<'v> {
    /// Its place among what is left.
    place: usize,
    best: &'v Valued,
    pool: usize,
    account: AccountKey,
    name: String,
}

/// Says when there is room again for what is blocked, and what it would bring then.
fn explain_blocked(
    planner: &Planner<'_>,
    currency: Currency,
    drawn: &Drawn<'_>,
    tally: &Tally,
    blocked: &[Blocked<'_>],
    left: &mut [Left],
) {
    let rows: Vec<(usize, Instant)> = blocked
        .iter()
        .flat_map(|one| later(planner, drawn, one).into_iter().map(|at| (one.best.candidate.group, at)))
        .collect();
    let mut then: BTreeMap<usize, Vec<Candidate>> = BTreeMap::new();
    for candidate in ask_later(planner, blocked, &rows) {
        then.entry(candidate.group).or_default().push(candidate);
    }
    let asked: BTreeSet<usize> = rows.iter().map(|(group, _)| *group).collect();
    let mut pools = drawn.pools.clone();
    for one in blocked {
        let Some(entry) = left.get_mut(one.place) else { continue };
        let group = one.best.candidate.group;
        let room = then.get(&group).into_iter().flatten().find(|candidate| {
            let choice: Choice = planner.choice(candidate, 0, &mut pools);
            candidate.facts.is_empty() && tally.admits(&choice)
        });
        entry.why = match room {
            Some(candidate) => {
                let worth: Amount =
                    candidate.parts.iter().map(|part| worth_of(planner.wish.want, part.exit, &part.money)).sum();
                entry.worth_then = Some(worth);
                entry.room_at =
                    planner.lead(group).map(|lead| Stamp { at: candidate.at, zone: planner.ground.zone(lead) });
                format!(
                    "would exceed {} until {}; worth {worth} {currency} then",
                    one.name,
                    day(candidate.at, planner, group)
                )
            }
            None if !asked.contains(&group) => format!("would exceed {}, which does not fill up again", one.name),
            None => format!("would exceed {} for as long as anything comes back", one.name),
        };
    }
}

/// Instants after the end of the plan at which a pool may have room again.
fn later(planner: &Planner<'_>, drawn: &Drawn<'_>, one: &Blocked<'_>) -> Vec<Instant> {
    let draws = one.best.candidate.parts.iter().flat_map(|part| &part.draws);
    let Some(window) = draws.clone().find(|draw| draw.name == one.name).map(|draw| draw.window) else {
        return Vec::new();
    };
    let zone =
        planner.lead(one.best.candidate.group).map_or(recoup_core::time::Zone::UTC, |lead| planner.ground.zone(lead));
    let mut found: BTreeSet<Instant> = match window {
        Window::CalendarYear => [zone.next_year(planner.until)].into(),
        Window::CalendarMonth => [zone.next_month(planner.until)].into(),
        Window::RollingDays(days) => {
            let length = Span::days(i64::from(days)) + Span::seconds(1);
            let returns = one.account.record(planner.ground.run).and_then(|record| record.returns.as_ref());
            let before = returns.into_iter().flatten().map(|entry| entry.at);
            let chosen = drawn.problem.all_chosen(&drawn.solved.selection);
            let planned =
                chosen.filter(|choice| choice.draws.iter().any(|draw| draw.pool == one.pool)).map(|choice| choice.at);
            before.chain(planned).map(|at| at + length).collect()
        }
        Window::Lifetime | Window::Unpublished => BTreeSet::new(),
    };
    found.retain(|at| *at > planner.until);
    // The first of them, and the last: by then all is out of the window.
    let last = found.last().copied();
    found.into_iter().take(MOST_LATER).chain(last).collect::<BTreeSet<_>>().into_iter().collect()
}

fn ask_later(planner: &Planner<'_>, blocked: &[Blocked<'_>], rows: &[(usize, Instant)]) -> Vec<Candidate> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut pools = crate::gather::Pools::new();
    for one in blocked {
        for draw in one.best.candidate.parts.iter().flat_map(|part| &part.draws) {
            pools.entry(one.account.clone()).or_default().insert(draw.name.clone(), draw.window);
        }
    }
    let as_is = Assessor::new(planner.ground.engine, planner.ground.run.clone());
    let with_room = Assessor::new(planner.ground.engine, roomy(planner.ground.run, &pools));
    candidates_at(&planner.ground, &planner.choices.groups, rows, &as_is, &with_room)
}

/// Why a step is not taken at once, given the candidates of its group.
pub(crate) fn waits(
    planner: &Planner<'_>,
    currency: Currency,
    chosen: &Valued,
    candidates: &[Valued],
) -> Option<String> {
    let group = chosen.candidate.group;
    let mine = candidates.iter().filter(|valued| valued.is_certain());
    let earlier: Vec<&Valued> = mine.filter(|valued| valued.candidate.at < chosen.candidate.at).collect();
    let start = planner.lead(group).map_or(chosen.candidate.at, |lead| planner.ground.start(lead));
    if is_exchange(chosen.candidate.exit()) {
        let carried: Amount = chosen.candidate.parts.iter().map(|part| part.money.carried_over).sum();
        return Some(format!("there is no room to return it; carries over {carried} {currency}"));
    }
    if chosen.candidate.at <= start {
        return None;
    }
    let best = earlier.iter().max_by_key(|valued| (valued.worth, std::cmp::Reverse(valued.candidate.at)));
    Some(match best {
        None => "is not open earlier".to_owned(),
        Some(best) if best.worth < chosen.worth => {
            let at = day(best.candidate.at, planner, group);
            format!("brings {} {currency} more than on {at}", chosen.worth - best.worth)
        }
        Some(best) => {
            let names: BTreeSet<&str> =
                best.candidate.parts.iter().flat_map(|part| &part.draws).map(|draw| draw.name.as_str()).collect();
            format!("no room earlier in {}", names.into_iter().collect::<Vec<_>>().join(", "))
        }
    })
}

/// What has to be found out of facts, in words: that one has the value that helps, or what it is at all.
pub(crate) fn in_words(facts: &[String]) -> String {
    let clause = |fact: &String| match fact.as_str() {
        "quotas" => "what is used of its quotas is known".to_owned(),
        value if value.contains('=') => value.to_owned(),
        name if Reason::parse(name).is_ok() => format!("{} is settled", name.replace('_', " ")),
        name => format!("{name} is known"),
    };
    facts.iter().map(clause).collect::<Vec<_>>().join(" and ")
}

/// What knowing facts would add: each alone, and all that something takes together.
pub(crate) fn facts(
    planner: &Planner<'_>,
    currency: Currency,
    candidates: &[Valued],
    earlier: &[Candidate],
    worth: Amount,
    time: Duration,
) -> Vec<FactWorth> {
    let mut sets: BTreeMap<BTreeSet<String>, (BTreeSet<usize>, Amount)> = BTreeMap::new();
    for valued in candidates.iter().filter(|valued| !valued.is_certain()) {
        let (groups, most) = sets.entry(valued.candidate.facts.clone()).or_default();
        groups.insert(valued.candidate.group);
        *most = (*most).max(valued.worth);
    }
    // A fact alone first, then by what is at stake.
    let mut sets: Vec<(BTreeSet<String>, usize, Amount)> =
        sets.into_iter().map(|(facts, (groups, most))| (facts, groups.len(), most)).collect();
    sets.sort_by_key(|(facts, _, most)| (facts.len(), std::cmp::Reverse(*most)));
    sets.truncate(MOST_FACTS);
    let share = time / u32::try_from(sets.len().max(1)).unwrap_or(1);
    let mut found = Vec::new();
    for (facts, _, _) in &sets {
        let known = |valued: &&Valued| valued.candidate.facts.is_subset(facts);
        // Without the quotas nobody knows how much room there is.
        if facts.contains("quotas") {
            continue;
        }
        let resources: BTreeSet<usize> = candidates
            .iter()
            .filter(|valued| !valued.is_certain() && known(valued))
            .map(|valued| valued.candidate.group)
            .collect();
        let drawn = planner.solve(currency, candidates.iter().filter(known), earlier, share);
        let adds = amount(drawn.solved.worth, currency) - worth;
        if adds.is_positive() {
            found.push(FactWorth { facts: facts.iter().cloned().collect(), adds, resources: resources.len() });
        }
    }
    found.sort_by_key(|fact| std::cmp::Reverse(fact.adds));
    found
}
