//! The choices there are: for everything that leaves as a whole, every exit at every moment worth choosing.
//!
//! Two runs answer. In the one, accounts stand as they do; it says what is used of every quota at an instant. In
//! the other nothing is used of any quota, so that it says what an exit gives where only quotas stand against it.
//! Whether they do is the plan's to decide.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use recoup_core::assessment::{Answered, Assessment, Subject};
use recoup_core::context::{QuotaDraw, Run, Window};
use recoup_core::fact::Flag;
use recoup_core::money::Number;
use recoup_core::record::ResourceRecord;
use recoup_core::ruling::RulingData;
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::{Exit, Reason};
use recoup_engine::timeline;
use recoup_engine::{Assessor, Engine};
use recoup_timeline::figures::Money;

use crate::accounts::{AccountKey, with_room};
use crate::groups::{Group, groups};
use crate::outline::{Outline, is_way};

/// Rows that are asked about in one batch.
const ROWS: usize = 4_096;
/// Instants at which one quota makes room again that are looked at.
const MOST_TURNS: usize = 36;
/// Choices of one account that may come from looking at one day after the other.
const MOST_DAILY: i64 = 12_000;

/// What is planned with.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) run: &'a Run,
    pub(crate) resources: &'a [ResourceRecord],
    /// What each resource's first answer speaks of: site, zone, the instant asked about.
    pub(crate) subjects: &'a [Subject],
    pub(crate) threads: usize,
}

/// A draw on a pool, with what was used before the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PoolDraw {
    pub(crate) name: String,
    pub(crate) limit: Number,
    pub(crate) used: Number,
    pub(crate) draws: Number,
    pub(crate) window: Window,
}

/// A resource leaving through an exit.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) member: usize,
    pub(crate) exit: Exit,
    pub(crate) money: Money,
    pub(crate) draws: Vec<PoolDraw>,
    pub(crate) review_hours: Option<u32>,
}

/// A way for a group to leave at an instant.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) group: usize,
    pub(crate) at: Instant,
    pub(crate) parts: Vec<Part>,
    /// What is not known, as `fact=value` that would open it; empty where it is certain.
    pub(crate) facts: BTreeSet<String>,
}

impl Candidate {
    pub(crate) fn exit(&self) -> Exit {
        self.parts.first().map_or(Exit::None, |part| part.exit)
    }

    /// When a review is over at the latest.
    pub(crate) fn done_by(&self) -> Option<Instant> {
        let hours = self.parts.iter().filter_map(|part| part.review_hours).max()?;
        Some(self.at + Span::hours(i64::from(hours)))
    }
}

/// Everything there is to choose from.
#[derive(Debug, Default)]
pub(crate) struct Choices {
    pub(crate) groups: Vec<Group>,
    pub(crate) candidates: Vec<Candidate>,
    /// By group: the reasons for which all its exits are refused at the first instant.
    pub(crate) refused: Vec<BTreeSet<Reason>>,
    pub(crate) problems: Vec<String>,
}

/// What stands of a ruling where some reasons do not count: nothing where it is refused, else what is unknown.
pub(crate) fn standing(ruling: &RulingData, waived: &[Reason]) -> Option<BTreeSet<String>> {
    if ruling.refusals.iter().any(|refusal| !waived.contains(&refusal.reason)) {
        return None;
    }
    let unknowns = ruling.unknowns.iter().filter(|unknown| !waived.contains(&unknown.reason));
    let said = unknowns.map(|unknown| {
        let fact = unknown.fact.as_deref().unwrap_or(unknown.reason.as_str());
        // A value helps only where the fact is true or false; of anything else the name says what to find out.
        let assumed = unknown.assumed.filter(|_| Flag::parse(fact).is_ok());
        assumed.map_or_else(|| fact.to_owned(), |assumed| format!("{fact}={assumed}"))
    });
    Some(said.collect())
}

impl Ground<'_> {
    pub(crate) fn key(&self, index: usize) -> Option<AccountKey> {
        let (resource, subject) = (self.resources.get(index)?, self.subjects.get(index)?);
        Some(AccountKey {
            provider: subject.provider.clone(),
            site: subject.site.clone(),
            account: resource.account.clone(),
        })
    }

    pub(crate) fn zone(&self, index: usize) -> Zone {
        self.subjects.get(index).map_or(Zone::UTC, |subject| subject.zone)
    }

    pub(crate) fn start(&self, index: usize) -> Instant {
        self.subjects.get(index).map_or(Instant::from_micros(0), |subject| subject.at)
    }

    /// Asks about resources, each at its own instant, with all threads.
    pub(crate) fn ask(&self, assessor: &Assessor<'_>, rows: &[(usize, Instant)]) -> Vec<Result<Answered, String>> {
        let record = |(index, at): &(usize, Instant)| self.resources.get(*index).map(|one| (one, *at));
        ask_all(assessor, rows, self.threads, &record)
    }

    fn walk(&self, assessor: &Assessor<'_>, until: Instant) -> Vec<Result<Outline, String>> {
        let spans: Vec<(Instant, Instant)> = self
            .subjects
            .iter()
            .zip(self.resources)
            .map(|(subject, resource)| {
                let end = timeline::end_of(resource).unwrap_or(until);
                (subject.at, until.min(end).max(subject.at))
            })
            .collect();
        timeline::each(assessor, self.resources, &spans, self.threads, |_, timelines| {
            timelines.into_iter().map(|(_, timeline)| timeline.map(|timeline| Outline::of(&timeline))).collect()
        })
    }
}

/// Asks about rows in batches, with all threads; the answers stand in the order of the rows.
pub(crate) fn ask_all<'r, R: Sync>(
    assessor: &Assessor<'_>,
    rows: &'r [R],
    threads: usize,
    record: &(impl Fn(&'r R) -> Option<(&'r ResourceRecord, Instant)> + Sync),
) -> Vec<Result<Answered, String>> {
    let chunks: Vec<&[R]> = rows.chunks(ROWS).collect();
    let next = AtomicUsize::new(0);
    let made: Mutex<BTreeMap<usize, Vec<Result<Answered, String>>>> = Mutex::default();
    thread::scope(|scope| {
        for _ in 0..threads.clamp(1, chunks.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(chunk) = chunks.get(number) else { break };
                    let asked: Vec<(&ResourceRecord, Instant)> = chunk.iter().filter_map(record).collect();
                    let answers = assessor.assess_at(&asked);
                    let answers = answers.into_iter().map(|answer| answer.map_err(|error| error.to_string())).collect();
                    if let Ok(mut made) = made.lock() {
                        made.insert(number, answers);
                    }
                }
            });
        }
    });
    made.into_inner().unwrap_or_default().into_values().flatten().collect()
}

/// Pools by account: their names and how they count.
pub(crate) type Pools = BTreeMap<AccountKey, BTreeMap<String, Window>>;

fn pools_of(ground: &Ground<'_>, outlines: &[Result<Outline, String>]) -> Pools {
    let mut pools = Pools::new();
    for (index, outline) in outlines.iter().enumerate() {
        let (Ok(outline), Some(key)) = (outline, ground.key(index)) else { continue };
        if !outline.quotas.is_empty() {
            pools.entry(key).or_default().extend(outline.quotas.iter().cloned());
        }
    }
    pools
}

/// The run in which nothing is used of any quota.
pub(crate) fn roomy(run: &Run, pools: &Pools) -> Run {
    let names = pools.iter().map(|(key, names)| (key.clone(), names.keys().cloned().collect())).collect();
    with_room(run, &names)
}

/// The instants at which a pool makes room again: its calendar turns, or what was returned leaves its window, be it
/// before the plan or at an earlier turn.
pub(crate) fn turns(
    window: Window,
    returned: &[Instant],
    zone: Zone,
    from: Instant,
    until: Instant,
) -> BTreeSet<Instant> {
    let mut turns = BTreeSet::new();
    match window {
        Window::CalendarYear | Window::CalendarMonth => {
            let mut at = from;
            while turns.len() < MOST_TURNS {
                at = if window == Window::CalendarYear { zone.next_year(at) } else { zone.next_month(at) };
                if at > until {
                    break;
                }
                turns.insert(at);
            }
        }
        Window::RollingDays(days) => {
            let length = Span::days(i64::from(days));
            let mut waiting: BTreeSet<Instant> = returned.iter().copied().chain([from]).collect();
            while let Some(first) = waiting.pop_first() {
                // The last instant of a window may be inside; a second later it is not.
                for at in [first + length, first + length + Span::seconds(1)] {
                    if from < at && at <= until && turns.len() < MOST_TURNS && turns.insert(at) {
                        waiting.insert(at);
                    }
                }
            }
        }
        Window::Lifetime | Window::Unpublished => {}
    }
    turns
}

/// How finely days are looked at where a draw shrinks as time goes on, so that on one of them it fits into what is left
/// of a pool: as finely as the number of resources allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Days(i64),
    Months,
}

impl Pace {
    fn of(groups: i64, from: Instant, until: Instant) -> Self {
        let days = until.since(from).whole_days().max(1);
        [1, 7]
            .into_iter()
            .find(|every| groups.saturating_mul(days) / every <= MOST_DAILY)
            .map_or(Self::Months, Self::Days)
    }

    fn days(self, from: Instant, until: Instant, zone: Zone) -> impl Iterator<Item = Instant> {
        let next = move |at: &Instant| {
            Some(match self {
                Self::Days(1) => zone.next_midnight(*at),
                Self::Days(days) => zone.add_days(zone.midnight(zone.date(*at)), days),
                Self::Months => zone.next_month(*at),
            })
        };
        std::iter::successors(next(&from), next).take_while(move |at| *at <= until)
    }
}

/// Whether what a group draws on a pool changes as time goes on.
fn shrinks(group: &Group, outlines: &[Result<Outline, String>]) -> bool {
    group.members.iter().any(|member| {
        let Some(Ok(outline)) = outlines.get(*member) else { return false };
        let waived = group.waived(*member);
        outline.stretches.iter().flat_map(|stretch| stretch.open(waived)).any(|way| way.shrinks)
    })
}

/// By group, how finely days are looked at, where they are.
fn paces(
    ground: &Ground<'_>,
    groups: &[Group],
    outlines: &[Result<Outline, String>],
    until: Instant,
) -> Vec<Option<Pace>> {
    let key = |group: &Group| group.members.first().and_then(|lead| ground.key(*lead));
    let mut count: BTreeMap<Option<AccountKey>, i64> = BTreeMap::new();
    let shrinking: Vec<bool> = groups.iter().map(|group| shrinks(group, outlines)).collect();
    for (group, _) in groups.iter().zip(&shrinking).filter(|(_, shrinks)| **shrinks) {
        *count.entry(key(group)).or_default() += 1;
    }
    let from = ground.subjects.iter().map(|subject| subject.at).min().unwrap_or(until);
    let pace = |group: &Group| Pace::of(count.get(&key(group)).copied().unwrap_or(1), from, until);
    groups.iter().zip(shrinking).map(|(group, shrinks)| shrinks.then(|| pace(group))).collect()
}

/// The instants worth choosing for a group.
fn moments(
    ground: &Ground<'_>,
    group: &Group,
    outlines: &[Result<Outline, String>],
    turns: &BTreeMap<(AccountKey, String), BTreeSet<Instant>>,
    pace: Option<Pace>,
    until: Instant,
) -> BTreeSet<Instant> {
    let mut moments = BTreeSet::new();
    let mut names = BTreeSet::new();
    let start = group.members.iter().map(|member| ground.start(*member)).max().unwrap_or(until);
    for member in &group.members {
        let Some(Ok(outline)) = outlines.get(*member) else { continue };
        let waived = group.waived(*member);
        let mut last_open: Option<Instant> = None;
        for stretch in &outline.stretches {
            for way in stretch.open(waived) {
                moments.extend([stretch.from, stretch.last]);
                last_open = Some(stretch.last);
                moments.extend(way.review_hours.map(|hours| stretch.last - Span::hours(i64::from(hours))));
                names.extend(way.quotas.iter().map(String::as_str));
            }
        }
        if let (Some(pace), Some(last)) = (pace, last_open) {
            moments.extend(pace.days(start, last.min(until), ground.zone(*member)));
        }
    }
    moments.insert(start);
    if let Some(key) = group.members.first().and_then(|lead| ground.key(*lead)) {
        for name in names {
            moments.extend(turns.get(&(key.clone(), name.to_owned())).into_iter().flatten());
        }
    }
    moments.retain(|at| start <= *at && *at <= until);
    moments
}

/// Gathers all choices up to an instant.
pub(crate) fn gather(ground: &Ground<'_>, until: Instant) -> Choices {
    let as_is = Assessor::new(ground.engine, ground.run.clone());
    let known = ground.walk(&as_is, until);
    let pools = pools_of(ground, &known);
    let roomy_run = roomy(ground.run, &pools);
    let with_room = Assessor::new(ground.engine, roomy_run);
    let outlines = if pools.is_empty() { known } else { ground.walk(&with_room, until) };
    let mut choices = Choices { groups: groups(ground.resources, ground.subjects), ..Choices::default() };
    for (outline, subject) in outlines.iter().zip(ground.subjects) {
        if let Err(what) = outline {
            choices.problems.push(format!("{}: {what}", subject.resource));
        }
    }
    let turns = all_turns(ground, &pools, until);
    let paces = paces(ground, &choices.groups, &outlines, until);
    let asked: Vec<(usize, Instant)> = choices
        .groups
        .iter()
        .zip(paces)
        .enumerate()
        .flat_map(|(index, (group, pace))| {
            moments(ground, group, &outlines, &turns, pace, until).into_iter().map(move |at| (index, at))
        })
        .collect();
    choices.refused = refused(&choices.groups, &outlines);
    let found = candidates_at(ground, &choices.groups, &asked, &as_is, &with_room);
    choices.candidates = found;
    choices
}

fn all_turns(ground: &Ground<'_>, pools: &Pools, until: Instant) -> BTreeMap<(AccountKey, String), BTreeSet<Instant>> {
    let from = ground.subjects.iter().map(|subject| subject.at).min().unwrap_or(until);
    let mut all = BTreeMap::new();
    for (key, names) in pools {
        let zone = ground.engine.zone_of(&key.provider, Some(&key.site)).unwrap_or(Zone::UTC);
        let returns = key.record(ground.run).and_then(|record| record.returns.as_ref());
        let returned: Vec<Instant> = returns.into_iter().flatten().map(|entry| entry.at).collect();
        for (name, window) in names {
            all.insert((key.clone(), name.clone()), turns(*window, &returned, zone, from, until));
        }
    }
    all
}

/// By group, why it cannot leave now.
fn refused(groups: &[Group], outlines: &[Result<Outline, String>]) -> Vec<BTreeSet<Reason>> {
    let of_group = |group: &Group| {
        let outlines = group.members.iter().filter_map(|member| outlines.get(*member)?.as_ref().ok());
        outlines.flat_map(|outline| outline.refused.iter().copied()).collect()
    };
    groups.iter().map(of_group).collect()
}

/// The candidates of groups at instants.
pub(crate) fn candidates_at(
    ground: &Ground<'_>,
    groups: &[Group],
    asked: &[(usize, Instant)],
    as_is: &Assessor<'_>,
    with_room: &Assessor<'_>,
) -> Vec<Candidate> {
    let mut rows: Vec<(usize, Instant)> = Vec::new();
    for (group, at) in asked {
        rows.extend(groups.get(*group).into_iter().flat_map(|group| &group.members).map(|member| (*member, *at)));
    }
    let (known, open) = (ground.ask(as_is, &rows), ground.ask(with_room, &rows));
    let after = reviewed(ground, with_room, &rows, &open);
    let mut answers = known.iter().zip(&open).zip(&after);
    let mut candidates = Vec::new();
    for (index, at) in asked {
        let Some(group) = groups.get(*index) else { continue };
        let mut sides: Vec<Side<'_>> = Vec::new();
        for (member, ((known, open), after)) in group.members.iter().zip(answers.by_ref()) {
            if let (Ok(known), Ok(open)) = (known, open) {
                sides.push(Side { member: *member, known: &known.assessment, open: &open.assessment, after });
            }
        }
        if sides.len() == group.members.len() {
            candidates.extend(of_group(*index, group, *at, &sides));
        }
    }
    candidates
}

/// What the rules say of the same rows once a review is over, where there is one.
fn reviewed(
    ground: &Ground<'_>,
    with_room: &Assessor<'_>,
    rows: &[(usize, Instant)],
    open: &[Result<Answered, String>],
) -> Vec<Option<Assessment>> {
    let hours = |answer: &Result<Answered, String>| {
        let rulings = answer.as_ref().ok()?.assessment.rulings();
        rulings.iter().filter_map(|ruling| ruling.review.as_ref()?.approved_after_hours).max()
    };
    let (places, later): (Vec<usize>, Vec<(usize, Instant)>) = rows
        .iter()
        .zip(open)
        .enumerate()
        .filter_map(|(place, ((member, at), answer))| {
            hours(answer).map(|hours| (place, (*member, *at + Span::hours(i64::from(hours)))))
        })
        .unzip();
    let mut after: Vec<Option<Assessment>> = rows.iter().map(|_| None).collect();
    for (place, answer) in places.into_iter().zip(ground.ask(with_room, &later)) {
        if let (Some(slot), Ok(answer)) = (after.get_mut(place), answer) {
            *slot = Some(answer.assessment);
        }
    }
    after
}

/// What is known of one member at an instant.
struct Side<'a> {
    member: usize,
    known: &'a Assessment,
    open: &'a Assessment,
    after: &'a Option<Assessment>,
}

/// The ways of a group at an instant, one for each exit of its lead.
fn of_group(index: usize, group: &Group, at: Instant, sides: &[Side<'_>]) -> Vec<Candidate> {
    let Some((lead, others)) = sides.split_first() else { return Vec::new() };
    let mut candidates = Vec::new();
    for (part, facts) in ways(group, lead) {
        let mut candidate = Candidate { group: index, at, parts: vec![part], facts };
        let mut whole = true;
        for other in others {
            let exit = candidate.exit();
            // Those that leave with it take its exit where they have it, else their own best.
            let best = ways(group, other)
                .into_iter()
                .max_by_key(|(part, facts)| (std::cmp::Reverse(facts.len()), part.exit == exit, part.money.worth()));
            let Some((part, facts)) = best else {
                whole = false;
                break;
            };
            candidate.parts.push(part);
            candidate.facts.extend(facts);
        }
        if whole {
            candidates.push(candidate);
        }
    }
    candidates
}

/// The ways of one member, with what is not known of each.
fn ways(group: &Group, side: &Side<'_>) -> Vec<(Part, BTreeSet<String>)> {
    let waived = group.waived(side.member);
    let mut ways = Vec::new();
    for ruling in side.open.rulings().iter().filter(|ruling| is_way(ruling, waived)) {
        let Some(facts) = standing(ruling, waived) else { continue };
        let Some(known) = side.known.ruling(ruling.exit) else { continue };
        // Where accounts as they are refuse for more than a quota, the room that it leaves is not the point.
        let more = known
            .refusals
            .iter()
            .any(|refusal| refusal.reason != Reason::QuotaExhausted && !waived.contains(&refusal.reason));
        if !more {
            ways.extend(way(side, ruling, known, facts, waived));
        }
    }
    // What only stands open because a quota is used up, it is open as it is.
    for ruling in side.known.rulings().iter().filter(|ruling| is_way(ruling, waived)) {
        let is_new = side.open.ruling(ruling.exit).is_none_or(|open| standing(open, waived).is_none());
        if let (true, Some(facts)) = (is_new, standing(ruling, waived)) {
            ways.extend(way(side, ruling, ruling, facts, waived));
        }
    }
    ways
}

fn way(
    side: &Side<'_>,
    ruling: &RulingData,
    known: &RulingData,
    mut facts: BTreeSet<String>,
    waived: &[Reason],
) -> Option<(Part, BTreeSet<String>)> {
    let mut money = Money::of(ruling.refund.as_ref()?);
    let review_hours = ruling.review.as_ref().and_then(|review| review.approved_after_hours);
    if review_hours.is_some() {
        // It is only asked for now: it must still be open when the review is over, and brings what it brings then
        // where that is less.
        let then = side.after.as_ref()?.ruling(ruling.exit)?;
        facts.extend(standing(then, waived)?);
        let later = Money::of(then.refund.as_ref()?);
        if later.worth() < money.worth() {
            money = later;
        }
    }
    let mut draws = Vec::new();
    for draw in &ruling.quota {
        let used = known.quota.iter().find(|known| known.name == draw.name);
        match figures(draw, used) {
            Some(draw) => draws.push(draw),
            None => {
                facts.insert("quotas".to_owned());
            }
        }
    }
    Some((Part { member: side.member, exit: ruling.exit, money, draws, review_hours }, facts))
}

/// A draw with all its figures, where they are known.
fn figures(draw: &QuotaDraw, known: Option<&QuotaDraw>) -> Option<PoolDraw> {
    let known = known?;
    Some(PoolDraw {
        name: draw.name.to_string(),
        limit: known.limit?,
        used: known.used?,
        draws: draw.draws?,
        window: draw.window,
    })
}
