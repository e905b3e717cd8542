//! Confirming: the reason, what is acknowledged, the combined orders, the quotas.

use std::collections::{BTreeMap, BTreeSet};

use recoup_core::context::Window;
use recoup_core::time::{Instant, Span};
use recoup_core::vocab::{Effect, Exit, Reason};
use serde_json::json;

use super::{FlowError, Flows, MissingEffect, Outcome, Work, chosen, digest, together};
use crate::journal::{Act, ConfirmedLine, Event};
use crate::model::{Case, CaseId, CombinedOrder, LeavingReason, Line, LineState, Place, Refusal};
use crate::procedure::{BatchTerms, Procedures};
use crate::state::{Drawn, Gone, kinds, quota_key, resource_key};
use crate::store::StoreError;

/// What somebody who confirms says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confirmation {
    /// The lines; all that are quoted where none is named.
    pub lines: Option<Vec<u32>>,
    /// Why.
    pub reason: LeavingReason,
    /// The effects that are acknowledged.
    pub acknowledged: BTreeSet<Effect>,
    /// The unknown facts that somebody vouches for.
    pub checked: BTreeSet<String>,
}

fn refusal(clause: &str, reason: Reason, says: String) -> Refusal {
    Refusal { clause: clause.to_owned(), reason, says }
}

/// Lines that go or stay together.
#[derive(Debug)]
struct Unit<'a> {
    lines: Vec<&'a Line>,
    terms: BatchTerms,
    place: &'a Place,
    /// What the units of one combined order have in common.
    channel: String,
}

impl<'a> Unit<'a> {
    /// The lines that count: what follows its primary counts with it.
    fn counted(&self) -> usize {
        self.lines.iter().filter(|line| line.follows.is_none()).count()
    }

    fn leader(&self) -> Option<&'a Line> {
        self.lines.iter().find(|line| line.follows.is_none()).copied()
    }
}

/// Takes lines into units, in the order of their first lines.
fn units<'a>(case: &'a Case, lines: &[&'a Line], procedures: &dyn Procedures, at: Instant) -> Vec<Unit<'a>> {
    let mut done: BTreeSet<u32> = BTreeSet::new();
    let mut units: Vec<Unit<'a>> = Vec::new();
    for line in lines {
        if done.contains(&line.number) {
            continue;
        }
        let members = together(case, &BTreeSet::from([line.number]));
        let members: Vec<&Line> = lines.iter().filter(|line| members.contains(&line.number)).copied().collect();
        done.extend(members.iter().map(|line| line.number));
        let leader = members.iter().find(|line| line.follows.is_none()).copied().unwrap_or(line);
        units.push(Unit {
            terms: procedures.batch(leader, at),
            place: &leader.place,
            channel: leader.ruling.channel.map(|channel| channel.to_string()).unwrap_or_default(),
            lines: members,
        });
    }
    units
}

/// Where a provider sinks whole orders, everything that would go into one is one unit.
fn merge_whole(units: Vec<Unit<'_>>) -> Vec<Unit<'_>> {
    let mut merged: Vec<Unit<'_>> = Vec::new();
    for unit in units {
        let same = |other: &&mut Unit<'_>| {
            let fits = other.terms.at_most.is_none_or(|most| other.counted() + unit.counted() <= most as usize);
            other.terms.whole && fits && same_order(other, &unit)
        };
        match merged.iter_mut().filter(|_| unit.terms.whole && unit.terms.alone.is_none()).find(same) {
            Some(other) => other.lines.extend(unit.lines),
            None => merged.push(unit),
        }
    }
    merged
}

fn same_order(a: &Unit<'_>, b: &Unit<'_>) -> bool {
    a.place == b.place
        && a.channel == b.channel
        && a.terms.group == b.terms.group
        && a.terms.whole == b.terms.whole
        && a.terms.alone.is_none()
        && b.terms.alone.is_none()
}

/// Puts units into combined orders, splitting where the provider limits a batch.
fn orders(case: &Case, units: &[&Unit<'_>]) -> Vec<CombinedOrder> {
    struct Open<'a> {
        first: &'a Unit<'a>,
        counted: usize,
        lines: Vec<u32>,
    }
    let mut open: Vec<Open<'_>> = Vec::new();
    for unit in units {
        let fits = |order: &&mut Open<'_>| {
            let most = unit.terms.at_most.map_or(usize::MAX, |most| most as usize);
            same_order(order.first, unit) && !unit.terms.whole && order.counted + unit.counted() <= most
        };
        let numbers = unit.lines.iter().map(|line| line.number);
        match open.iter_mut().find(fits) {
            Some(order) => {
                order.counted += unit.counted();
                order.lines.extend(numbers);
            }
            None => open.push(Open { first: unit, counted: unit.counted(), lines: numbers.collect() }),
        }
    }
    let before = case.orders.len();
    open.into_iter()
        .enumerate()
        .map(|(index, mut order)| {
            order.lines.sort_unstable();
            CombinedOrder {
                id: format!("{}-{}", case.id, before + index + 1),
                place: order.first.place.clone(),
                lines: order.lines,
                whole: order.first.terms.whole,
            }
        })
        .collect()
}

/// Why a resource cannot be asked for: somebody asks for it already, or it has gone.
fn claimed(line: &Line, held: &[(String, String)], gone: &[(String, Gone)]) -> Option<Refusal> {
    let key = resource_key(line);
    if let Some((_, by)) = held.iter().find(|(resource, _)| *resource == key) {
        let says = format!("{by} asks for the same resource and is not at its end.");
        return Some(refusal("recoup.asked-for", Reason::TransactionInProgress, says));
    }
    // A renewal that came after is a new thing to give back; the same record is not.
    let conflict = |gone: &Gone| gone.whole || gone.snapshot == line.snapshot || renewals_again(gone, line);
    gone.iter().find(|(resource, gone)| *resource == key && conflict(gone)).map(|(_, gone)| {
        let says = if gone.whole {
            "It was unsubscribed before.".to_owned()
        } else {
            format!("The same was unsubscribed before, through {}.", gone.exit)
        };
        refusal("recoup.gone", Reason::NotActive, says)
    })
}

/// Whether every order that a renewal's line has was there when renewals were given back before. Where
/// orders have no numbers, nobody knows, and it is taken to be so.
fn renewals_again(gone: &Gone, line: &Line) -> bool {
    gone.exit == Exit::RenewalPeriod
        && line.ruling.exit == Exit::RenewalPeriod
        && line.orders.iter().all(|order| gone.orders.contains(order))
}

/// What cases have drawn on quotas, and what is drawn now.
#[derive(Debug, Default)]
struct Quotas {
    drawn: BTreeMap<String, Vec<Drawn>>,
}

impl Quotas {
    /// Draws for lines together, or says why not; then nothing is drawn.
    fn draw(&mut self, lines: &[&Line], at: Instant) -> Result<(), (u32, Refusal)> {
        let mut drawn: Vec<(String, Drawn)> = Vec::new();
        for line in lines.iter().filter(|line| line.follows.is_none()) {
            for quota in &line.ruling.quota {
                let key = quota_key(line, &quota.name);
                let draws = quota.draws.unwrap_or_default();
                if let Some(limit) = quota.limit {
                    let start = Window::from_name(quota.window.as_deref()).map(|window| window.start(at, line.zone));
                    let counts = |drawn: &&Drawn| {
                        start.is_none_or(|start| drawn.at >= start)
                            && line.quotas_as_of.is_none_or(|known| drawn.at >= known)
                    };
                    let before = self.drawn.get(&key).into_iter().flatten().filter(counts);
                    let now = drawn.iter().filter(|(other, _)| *other == key).map(|(_, drawn)| drawn);
                    let mut used = quota.used.unwrap_or_default();
                    before.chain(now).for_each(|drawn| used += drawn.amount);
                    if used + draws > limit {
                        let says = format!(
                            "{} of {limit} of {} are used{}; this draws {draws}. Another exit may be open: quote again.",
                            used,
                            quota.name,
                            quota.window.as_ref().map(|window| format!(" ({window})")).unwrap_or_default()
                        );
                        return Err((line.number, refusal("recoup.quota", Reason::QuotaExhausted, says)));
                    }
                }
                drawn.push((key, Drawn { at, amount: draws }));
            }
        }
        for (key, draw) in drawn {
            self.drawn.entry(key).or_default().push(draw);
        }
        Ok(())
    }
}

impl Flows {
    /// Asks for what was quoted. Every line becomes approved, in review or refused; a line that is refused
    /// does not sink the others, unless they go only together.
    ///
    /// # Errors
    /// Where the quote lapsed, the reason is not the provider's, or an effect or an unknown fact of a line
    /// is not acknowledged. Then nothing was changed, but that the quote is lapsed.
    pub async fn confirm(&self, act: &Act, id: &CaseId, said: &Confirmation) -> Result<Outcome, FlowError> {
        let request = digest(
            "confirm",
            &act.actor,
            &json!({"case": id, "lines": said.lines, "reason": said.reason, "acknowledged": said.acknowledged, "checked": said.checked}),
        );
        let mut work = self.begin(act).await?;
        if let Some(outcome) = work.answered(&request).await? {
            return Ok(outcome);
        }
        let mut case = Some(work.case(id, None).await?);
        let (_, lapsed) = Self::pass_time(&mut work, &mut case, id).await?;
        let Some(now) = &case else { return Err(FlowError::NoCase(id.clone())) };
        if lapsed > 0 || now.lines.iter().any(|line| line.state == LineState::Expired) {
            let zone = now.lines.first().map_or(recoup_core::time::Zone::UTC, |line| line.zone);
            let error = FlowError::Lapsed { case: id.clone(), at: now.expires_at, zone };
            work.change.commit().await?;
            return Err(error);
        }
        let at = act.at.max(work.change.head().at);
        let lines = self.confirmable(now, said)?;
        self.check_said(&lines, said, at)?;
        let (held, gone, mut quotas) = claims(&mut work, &lines).await?;
        let units = merge_whole(units(now, &lines, self.procedures.as_ref(), at));
        let several: BTreeSet<&Place> = places_with_several(&units);
        let mut outcomes: BTreeMap<u32, Vec<Refusal>> = BTreeMap::new();
        let mut going: Vec<&Unit<'_>> = Vec::new();
        for unit in &units {
            let mut refused: Option<(u32, Refusal)> =
                unit.lines.iter().find_map(|line| Some((line.number, claimed(line, &held, &gone)?)));
            if refused.is_none() && several.contains(unit.place) {
                refused = unit.terms.alone.clone().zip(unit.leader()).map(|(why, line)| (line.number, why));
            }
            if refused.is_none() && unit.terms.at_most.is_some_and(|most| unit.counted() > most as usize) {
                refused = unit.leader().map(|line| {
                    let says = format!(
                        "{} resources leave only together, and the provider takes {} at a time.",
                        unit.counted(),
                        unit.terms.at_most.unwrap_or_default()
                    );
                    (line.number, refusal("recoup.batch-limit", Reason::QuantityTooLarge, says))
                });
            }
            if refused.is_none() {
                refused = quotas.draw(&unit.lines, at).err();
            }
            match refused {
                None => going.push(unit),
                Some((number, why)) => {
                    for line in &unit.lines {
                        let because = if line.number == number { why.clone() } else { sunk(line, number) };
                        outcomes.insert(line.number, vec![because]);
                    }
                }
            }
        }
        let orders = orders(now, &going);
        let confirmed = lines.iter().map(|line| confirmed(line, &mut outcomes, &orders, at)).collect();
        let event = Event::Confirmed {
            reason: said.reason.clone(),
            acknowledged: said.acknowledged.iter().copied().collect(),
            checked: said.checked.iter().cloned().collect(),
            lines: confirmed,
            orders,
        };
        let numbers: Vec<u32> = lines.iter().map(|line| line.number).collect();
        work.record(&mut case, id, &event).await?;
        let outcome = case.map(|case| Outcome::new(&case, &numbers)).ok_or_else(|| FlowError::NoCase(id.clone()))?;
        work.answer(Some(id), request, &outcome).await?;
        Ok(outcome)
    }

    /// The quoted lines that somebody confirms, with what goes only together with them.
    fn confirmable<'a>(&self, case: &'a Case, said: &Confirmation) -> Result<Vec<&'a Line>, FlowError> {
        let wanted = chosen(case, said.lines.as_deref())?;
        let wanted = if said.lines.is_some() { together(case, &wanted) } else { wanted };
        let mut lines = Vec::new();
        for line in case.lines.iter().filter(|line| wanted.contains(&line.number)) {
            if line.state == LineState::Quoted {
                lines.push(line);
            } else if said.lines.is_some() {
                let what = match line.state {
                    LineState::Refused => "what the rules refuse cannot be confirmed; `case show` has every reason",
                    _ => "it was confirmed before",
                };
                return Err(FlowError::State { case: case.id.clone(), line: line.number, state: line.state, what });
            }
        }
        if lines.is_empty() {
            let what = if case.lines.iter().all(|line| line.state == LineState::Refused) {
                "the rules refuse every line; `case show` has every reason"
            } else {
                "no line waits to be confirmed"
            };
            return Err(FlowError::Nothing(format!("{}: {what}", case.id)));
        }
        Ok(lines)
    }

    /// Checks what was said against what must be said.
    fn check_said(&self, lines: &[&Line], said: &Confirmation, at: Instant) -> Result<(), FlowError> {
        self.check_reason(lines, &said.reason, at)?;
        let mut missing: BTreeMap<Effect, Vec<u32>> = BTreeMap::new();
        let mut unchecked: BTreeSet<String> = BTreeSet::new();
        for line in lines {
            for effect in line.ruling.effects.iter().filter(|effect| !said.acknowledged.contains(effect)) {
                missing.entry(*effect).or_default().push(line.number);
            }
            for unknown in &line.ruling.unknowns {
                let fact = unknown.fact.clone().unwrap_or_else(|| unknown.reason.to_string());
                if !said.checked.contains(&fact) {
                    unchecked.insert(fact);
                }
            }
        }
        if !missing.is_empty() {
            let missing = missing.into_iter().map(|(effect, lines)| MissingEffect { effect, lines }).collect();
            return Err(FlowError::NotAcknowledged(missing));
        }
        if !unchecked.is_empty() {
            return Err(FlowError::NotChecked(unchecked.into_iter().collect()));
        }
        Ok(())
    }

    fn check_reason(&self, lines: &[&Line], reason: &LeavingReason, at: Instant) -> Result<(), FlowError> {
        let text = reason.text.as_deref().map(str::trim).unwrap_or_default();
        let places: BTreeSet<&Place> = lines.iter().map(|line| &line.place).collect();
        for place in places {
            let options = self.procedures.reasons(place, at);
            let wrong = |what: String| Err(FlowError::Reason { what, options: options.clone() });
            let option = reason.option.as_deref();
            match option.map(|option| options.iter().find(|known| known.id == option)) {
                None if !options.is_empty() => return wrong(format!("{place} asks for a reason of its own list")),
                None if text.is_empty() => return wrong("a reason is needed, in words of one's own".to_owned()),
                Some(None) if !options.is_empty() => {
                    let option = option.unwrap_or_default();
                    return wrong(format!("{place} has no reason {option:?} in its list"));
                }
                Some(Some(known)) if known.needs_text && text.is_empty() => {
                    return wrong(format!("the reason {:?} needs words of one's own beside it", known.id));
                }
                _ => {}
            }
            if let Some(longest) = self.procedures.longest_text(place, at)
                && text.chars().count() > longest
            {
                return wrong(format!("{place} takes at most {longest} characters of words of one's own"));
            }
        }
        Ok(())
    }
}

/// Why a line goes down with another.
fn sunk(line: &Line, with: u32) -> Refusal {
    let (clause, reason, how) = if line.follows.is_some() {
        ("recoup.with-primary", Reason::LeavesWithPrimary, "with its primary")
    } else {
        ("recoup.together", Reason::PartOfBundle, "together")
    };
    refusal(clause, reason, format!("It goes only {how}, and line {with} is refused."))
}

fn confirmed(
    line: &Line,
    refused: &mut BTreeMap<u32, Vec<Refusal>>,
    orders: &[CombinedOrder],
    at: Instant,
) -> ConfirmedLine {
    let order = orders.iter().find(|order| order.lines.contains(&line.number)).map(|order| order.id.clone());
    let mut confirmed = ConfirmedLine {
        line: line.number,
        state: LineState::Approved,
        refused: Vec::new(),
        order,
        approved_by_itself_at: None,
    };
    if let Some(why) = refused.remove(&line.number) {
        confirmed.state = LineState::Refused;
        confirmed.refused = why;
    } else if let Some(review) = &line.ruling.review {
        confirmed.state = LineState::InReview;
        confirmed.approved_by_itself_at = review.approved_after_hours.map(|hours| at + Span::hours(i64::from(hours)));
    }
    confirmed
}

/// Accounts from which more than one thing leaves.
fn places_with_several<'a>(units: &[Unit<'a>]) -> BTreeSet<&'a Place> {
    let mut counts: BTreeMap<&'a Place, usize> = BTreeMap::new();
    for unit in units {
        *counts.entry(unit.place).or_default() += unit.counted();
    }
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(place, _)| place).collect()
}

type Claims = (Vec<(String, String)>, Vec<(String, Gone)>, Quotas);

/// Who holds the resources of some lines, what has gone of them, and what is drawn on their quotas.
async fn claims(work: &mut Work<'_>, lines: &[&Line]) -> Result<Claims, FlowError> {
    let resources: Vec<String> =
        lines.iter().map(|line| resource_key(line)).collect::<BTreeSet<_>>().into_iter().collect();
    let damaged = |error: serde_json::Error| StoreError::Damaged(format!("a mark: {error}"));
    let held = work.change.find(kinds::HELD, &resources).await?;
    let held = held.into_iter().map(|mark| (mark.key, format!("line {} of {}", mark.line, mark.case))).collect();
    let mut gone = Vec::new();
    for mark in work.change.find(kinds::GONE, &resources).await? {
        gone.push((mark.key, serde_json::from_str(&mark.value).map_err(damaged)?));
    }
    let names: BTreeSet<String> =
        lines.iter().flat_map(|line| line.ruling.quota.iter().map(|quota| quota_key(line, &quota.name))).collect();
    let mut quotas = Quotas::default();
    for mark in work.change.find(kinds::DRAWN, &names.into_iter().collect::<Vec<_>>()).await? {
        quotas.drawn.entry(mark.key).or_default().push(serde_json::from_str(&mark.value).map_err(damaged)?);
    }
    Ok((held, gone, quotas))
}
