//! Makes a plan: gathers the choices, solves, replays what was found, and says why the rest stays.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant as Clock};

use recoup_core::assessment::Subject;
use recoup_core::context::Run;
use recoup_core::money::{Amount, Currency, Exact, Number};
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_core::vocab::Exit;
use recoup_engine::Engine;
use recoup_timeline::figures::Money;

use crate::batches::{self, Asking};
use crate::document::{Document, Inputs, Leaving, Plan, Quota, Rates, Stamp, Step, VERSION, Want};
use crate::gather::{Candidate, Choices, Ground, gather};
use crate::greedy::largest_first;
use crate::groups::Group;
use crate::pools::PoolNumbers;
use crate::problem::{Choice, Draw, Item, Problem, Selection, drawn, room};
use crate::replay::{Left as Found, Move, replay};
use crate::solve::{Solved, solve};
use crate::why;

/// Times a plan is made anew without what a replay found not to hold.
const ROUNDS: usize = 4;

/// The part of the time that is left to searching at least.
const LEAST_SHARE: u32 = 4;

/// What is wanted of a plan.
#[derive(Debug, Clone)]
pub struct Wish {
    /// What it is to bring.
    pub want: Want,
    /// No step after this; a year from the beginning where nothing is said.
    pub by: Option<Instant>,
    /// Ids of resources that stay.
    pub keep: Vec<String>,
    /// Where not empty: the only resources that may leave, by id, name, product, project or account.
    pub only: Vec<String>,
    /// Rates, to plan several currencies together.
    pub rates: Option<Rates>,
    /// How long all of it may take: gathering, searching, replaying. Past it the best found is given with its gap.
    pub time: Duration,
}

impl Wish {
    fn picks(&self, resource: &ResourceRecord) -> bool {
        let named = |word: &String| {
            [
                Some(&resource.id),
                resource.name.as_ref(),
                Some(&resource.product),
                resource.project.as_ref(),
                resource.account.as_ref(),
            ]
            .contains(&Some(word))
        };
        self.only.is_empty() || self.only.iter().any(named)
    }
}

/// Whether an exit only moves value into something new, which is then paid for.
pub(crate) const fn is_exchange(exit: Exit) -> bool {
    matches!(exit, Exit::Exchange | Exit::TradeIn)
}

/// What a resource's leaving is worth, by what is wanted. An exchange brings nothing: what it carries over, and what it
/// releases, is owed for the new purchase.
pub(crate) fn worth_of(want: Want, exit: Exit, money: &Money) -> Amount {
    match want {
        _ if is_exchange(exit) => Amount::ZERO,
        Want::Cash => money.cash(),
        Want::Released => money.released,
        Want::Both => money.worth(),
    }
}

/// What is planned, and with what.
#[derive(Debug)]
pub(crate) struct Planner<'a> {
    pub(crate) ground: Ground<'a>,
    pub(crate) choices: Choices,
    pub(crate) wish: &'a Wish,
    pub(crate) until: Instant,
}

/// Plans what to give back. `subjects` are what the resources' assessments at the instant asked about speak of, in
/// the order of the resources.
#[must_use]
pub fn make(
    engine: &Engine,
    run: &Run,
    resources: &[ResourceRecord],
    subjects: &[Subject],
    threads: usize,
    wish: &Wish,
    inputs: Inputs,
) -> Document {
    // Gathering counts as well: whoever waits does not care what for.
    let end = Clock::now() + wish.time;
    let ground = Ground { engine, run, resources, subjects, threads };
    let from = subjects.iter().map(|subject| subject.at).min().unwrap_or(Instant::from_micros(0));
    let zone = clock(subjects);
    let until = wish.by.unwrap_or_else(|| zone.add_months(from, 12)).max(from);
    let choices = gather(&ground, until);
    let planner = Planner { ground, choices, wish, until };
    let mut document = Document {
        recoup_plan: VERSION,
        from: Stamp { at: from, zone },
        by: Stamp { at: until, zone },
        want: wish.want,
        rates: wish.rates.clone(),
        inputs,
        plans: Vec::new(),
        left: Vec::new(),
        problems: planner.choices.problems.clone(),
    };
    let by_currency = planner.by_currency(&mut document.problems);
    let mut earlier: Vec<Candidate> = Vec::new();
    let mut waiting = u32::try_from(by_currency.len()).unwrap_or(1);
    for (currency, candidates) in &by_currency {
        // However long gathering took, something is searched.
        let share = left_until(end).max(wish.time / LEAST_SHARE) / waiting.max(1);
        waiting = waiting.saturating_sub(1);
        let (plan, taken) = planner.plan(*currency, candidates, &earlier, Clock::now() + share);
        earlier.extend(taken);
        document.plans.push(plan);
    }
    document.left = why::without_choice(&planner, &by_currency);
    document
}

/// The time that is left until an instant.
fn left_until(end: Clock) -> Duration {
    end.saturating_duration_since(Clock::now())
}

/// A candidate with what it is worth in the plan's currency.
#[derive(Debug, Clone)]
pub(crate) struct Valued {
    pub(crate) candidate: Candidate,
    pub(crate) worth: Amount,
}

impl Valued {
    pub(crate) fn is_certain(&self) -> bool {
        self.candidate.facts.is_empty()
    }
}

/// A solved plan, before it is written.
pub(crate) struct Drawn<'v> {
    /// By item: its group and its candidates, in the order of the problem's choices.
    pub(crate) items: Vec<(usize, Vec<&'v Valued>)>,
    pub(crate) problem: Problem,
    pub(crate) solved: Solved,
    /// The pools, by their numbers.
    pub(crate) pools: PoolNumbers,
}

impl<'v> Drawn<'v> {
    pub(crate) fn chosen(&self) -> impl Iterator<Item = &'v Valued> + '_ {
        self.items.iter().zip(&self.solved.selection).filter_map(|((_, ways), way)| ways.get((*way)?).copied())
    }
}

/// The candidates of one group: they stand in the order of groups.
fn of_group(candidates: &[Valued], group: usize) -> &[Valued] {
    let start = candidates.partition_point(|valued| valued.candidate.group < group);
    let end = candidates.partition_point(|valued| valued.candidate.group <= group);
    candidates.get(start..end).unwrap_or_default()
}

/// Minor units of a currency.
fn minor(amount: Amount, currency: Currency) -> i128 {
    amount.units().div_euclid(currency.minor_unit().units().max(1))
}

/// An amount of minor units.
pub(crate) fn amount(minor: i128, currency: Currency) -> Amount {
    Amount::from_units(minor.saturating_mul(currency.minor_unit().units()))
}

impl Planner<'_> {
    /// What a candidate is worth, in which currency; the reason where that cannot be said.
    fn value(&self, candidate: &Candidate) -> Result<(Currency, Amount), String> {
        let mut sum = Amount::ZERO;
        let mut all: Option<Currency> = None;
        for part in &candidate.parts {
            let worth = worth_of(self.wish.want, part.exit, &part.money);
            let (currency, worth) = match &self.wish.rates {
                None => (part.money.currency, worth),
                Some(rates) => {
                    let rate = rates
                        .of(part.money.currency)
                        .ok_or_else(|| format!("no rate from {} to {} is given", part.money.currency, rates.base))?;
                    (rates.base, Exact::from(worth).times(rate).round(rates.base))
                }
            };
            if all.is_some_and(|all| all != currency) {
                return Err("what leaves together is paid in several currencies; give --rates".to_owned());
            }
            all = Some(currency);
            sum += worth;
        }
        all.map(|currency| (currency, sum)).ok_or_else(|| "nothing leaves".to_owned())
    }

    fn by_currency(&self, problems: &mut Vec<String>) -> BTreeMap<Currency, Vec<Valued>> {
        let mut by_currency: BTreeMap<Currency, Vec<Valued>> = BTreeMap::new();
        let mut said = BTreeSet::new();
        for candidate in &self.choices.candidates {
            if !self.may_leave(candidate.group) {
                continue;
            }
            match self.value(candidate) {
                Ok((currency, worth)) => {
                    by_currency.entry(currency).or_default().push(Valued { candidate: candidate.clone(), worth });
                }
                Err(what) => {
                    said.insert(format!("{}: {what}", self.name(candidate.group)));
                }
            }
        }
        problems.extend(said);
        by_currency
    }

    /// The ids of a group's resources, for people.
    pub(crate) fn name(&self, group: usize) -> String {
        self.ids(group).join(", ")
    }

    pub(crate) fn ids(&self, group: usize) -> Vec<String> {
        let members = self.choices.groups.get(group).map(|group| group.members.as_slice()).unwrap_or_default();
        members.iter().filter_map(|member| self.ground.resources.get(*member)).map(|one| one.id.clone()).collect()
    }

    pub(crate) fn is_kept(&self, group: usize) -> bool {
        self.ids(group).iter().any(|id| self.wish.keep.contains(id))
    }

    pub(crate) fn may_leave(&self, group: usize) -> bool {
        let members = self.choices.groups.get(group).map(|group| group.members.as_slice()).unwrap_or_default();
        let picked = members.iter().filter_map(|member| self.ground.resources.get(*member));
        picked.into_iter().any(|resource| self.wish.picks(resource)) && !self.is_kept(group)
    }

    pub(crate) fn lead(&self, group: usize) -> Option<usize> {
        self.choices.groups.get(group)?.members.first().copied()
    }

    /// The problem over some candidates, given what other plans draw already.
    fn problem<'v>(
        &self,
        currency: Currency,
        candidates: impl Iterator<Item = &'v Valued>,
        earlier: &[Candidate],
    ) -> Drawn<'v> {
        let mut pools = PoolNumbers::default();
        let mut items: Vec<(usize, Vec<&'v Valued>)> = Vec::new();
        let mut problem = Problem::default();
        let drawn_before = self.draws(earlier, &mut pools);
        for valued in candidates {
            let mut choice = self.choice(&valued.candidate, minor(valued.worth, currency), &mut pools);
            for draw in &mut choice.draws {
                // What another currency's plan draws is taken as drawn, wherever one could count for the other.
                let other = drawn_before
                    .iter()
                    .filter(|(at, other)| other.pool == draw.pool && draw.from <= *at && other.from <= choice.at);
                draw.room -= other.map(|(_, other)| other.amount).sum::<i128>();
            }
            match items.last_mut().zip(problem.items.last_mut()) {
                Some(((group, ways), item)) if *group == valued.candidate.group => {
                    ways.push(valued);
                    item.choices.push(choice);
                }
                _ => {
                    items.push((valued.candidate.group, vec![valued]));
                    problem.items.push(Item { choices: vec![choice] });
                }
            }
        }
        problem.pools = pools.len();
        Drawn { items, problem, solved: Solved::default(), pools }
    }

    fn draws(&self, candidates: &[Candidate], pools: &mut PoolNumbers) -> Vec<(Instant, Draw)> {
        let mut draws = Vec::new();
        for candidate in candidates {
            draws.extend(self.choice(candidate, 0, pools).draws.into_iter().map(|draw| (candidate.at, draw)));
        }
        draws
    }

    pub(crate) fn choice(&self, candidate: &Candidate, worth: i128, pools: &mut PoolNumbers) -> Choice {
        let mut draws: Vec<Draw> = Vec::new();
        for part in &candidate.parts {
            let Some(key) = self.ground.key(part.member) else { continue };
            for draw in &part.draws {
                let pool = pools.number(&key, &draw.name);
                let from = draw.window.start(candidate.at, self.ground.zone(part.member));
                let left = room(draw.limit - draw.used);
                match draws.iter_mut().find(|same| same.pool == pool) {
                    Some(same) => {
                        same.amount += drawn(draw.draws);
                        same.room = same.room.min(left);
                    }
                    None => draws.push(Draw { pool, amount: drawn(draw.draws).max(0), room: left, from }),
                }
            }
        }
        Choice { at: candidate.at, worth, draws }
    }

    pub(crate) fn solve<'v>(
        &self,
        currency: Currency,
        candidates: impl Iterator<Item = &'v Valued>,
        earlier: &[Candidate],
        time: Duration,
    ) -> Drawn<'v> {
        let mut drawn = self.problem(currency, candidates, earlier);
        drawn.solved = solve(&drawn.problem, time);
        drawn
    }

    fn plan(
        &self,
        currency: Currency,
        candidates: &[Valued],
        earlier: &[Candidate],
        end: Clock,
    ) -> (Plan, Vec<Candidate>) {
        let mut banned: BTreeMap<(usize, Instant, Exit), String> = BTreeMap::new();
        let key = |candidate: &Candidate| (candidate.group, candidate.at, candidate.exit());
        let mut round = 0;
        loop {
            let certain =
                candidates.iter().filter(|valued| valued.is_certain() && !banned.contains_key(&key(&valued.candidate)));
            // What is left of the time is for the replay, and for what knowing a fact would add.
            let drawn = self.solve(currency, certain, earlier, left_until(end) / 2);
            let mut taken: Vec<&Valued> = drawn.chosen().collect();
            if self.wish.want == Want::Both {
                let open = |valued: &&Valued| !banned.contains_key(&key(&valued.candidate));
                taken.extend(self.exchanges(&drawn, candidates.iter().filter(open)));
            }
            taken.sort_by_key(|valued| (valued.candidate.at, valued.candidate.group));
            let found = self.replayed(&taken);
            let failed = found.iter().zip(&taken).filter_map(|(found, valued)| Some((found.as_ref().err()?, valued)));
            let failed: Vec<_> = failed.map(|(what, valued)| (key(&valued.candidate), what.clone())).collect();
            let again = !failed.is_empty() && round < ROUNDS;
            banned.extend(failed);
            if again {
                round += 1;
                continue;
            }
            let steps = self.steps(currency, &taken, &found, candidates);
            let bare = |minor: i128| amount(minor, currency);
            let worth: Amount = steps.iter().map(|step| step.worth).sum();
            let bound = bare(drawn.solved.bound).max(worth);
            let greedy: Selection = largest_first(&drawn.problem);
            let (left, facts) = (
                why::left(self, currency, candidates, &drawn, &taken, &banned),
                why::facts(self, currency, candidates, earlier, worth, left_until(end) / 2),
            );
            let plan = Plan {
                currency,
                worth,
                bound,
                gap: bound - worth,
                largest_first: bare(drawn.problem.worth(&greedy)),
                choices: candidates.len(),
                searched: drawn.solved.effort.searched,
                steps,
                left,
                facts,
            };
            return (plan, taken.into_iter().map(|valued| valued.candidate.clone()).collect());
        }
    }

    /// Exchanges of what a quota has no room to return: those that carry over most, as early as they do.
    fn exchanges<'v>(&self, drawn: &Drawn<'v>, candidates: impl Iterator<Item = &'v Valued>) -> Vec<&'v Valued> {
        let taken: BTreeSet<usize> = drawn.chosen().map(|valued| valued.candidate.group).collect();
        let mut tally = drawn.problem.tally(&drawn.solved.selection);
        let mut blocked: BTreeSet<usize> = BTreeSet::new();
        let mut best: BTreeMap<usize, &Valued> = BTreeMap::new();
        let carries =
            |valued: &Valued| -> Amount { valued.candidate.parts.iter().map(|part| part.money.carried_over).sum() };
        for valued in candidates.filter(|valued| valued.is_certain() && !taken.contains(&valued.candidate.group)) {
            let group = valued.candidate.group;
            if valued.worth.is_positive() {
                blocked.insert(group);
            } else if is_exchange(valued.candidate.exit()) && carries(valued).is_positive() {
                let held = best.entry(group).or_insert(valued);
                if carries(valued) > carries(held) {
                    *held = valued;
                }
            }
        }
        best.retain(|group, _| blocked.contains(group));
        let mut pools = drawn.pools.clone();
        best.into_values()
            .filter(|valued| {
                let choice = self.choice(&valued.candidate, 0, &mut pools);
                let fits = tally.admits(&choice);
                if fits {
                    tally.add(&choice);
                }
                fits
            })
            .collect()
    }

    fn replayed(&self, taken: &[&Valued]) -> Vec<Result<Vec<Found>, String>> {
        let moves: Vec<Move<'_>> = taken
            .iter()
            .filter_map(|valued| {
                let group = self.choices.groups.get(valued.candidate.group)?;
                let exits = valued.candidate.parts.iter().map(|part| part.exit).collect();
                Some(Move { at: valued.candidate.at, group, exits })
            })
            .collect();
        replay(&self.ground, &moves)
    }

    fn steps(
        &self,
        currency: Currency,
        taken: &[&Valued],
        found: &[Result<Vec<Found>, String>],
        candidates: &[Valued],
    ) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut asking = Vec::new();
        for (valued, found) in taken.iter().zip(found) {
            let candidate = &valued.candidate;
            let (Ok(found), Some(lead)) = (found, self.lead(candidate.group)) else { continue };
            let (Some(subject), zone) = (self.ground.subjects.get(lead), self.ground.zone(lead)) else { continue };
            let leaves: Vec<Leaving> = found.iter().filter_map(|found| leaving(self.ground.resources, found)).collect();
            asking.push(Asking {
                billing: self.ground.resources.get(lead).map(|resource| resource.billing),
                counted: self.choices.groups.get(candidate.group).map_or(1, Group::counted),
            });
            steps.push(Step {
                step: steps.len() + 1,
                at: Stamp { at: candidate.at, zone },
                done_by: candidate.done_by().map(|at| Stamp { at, zone }),
                provider: subject.provider.clone(),
                site: subject.site.clone(),
                account: subject.account.clone(),
                worth: self.sum(currency, found),
                batch: 0,
                leaves,
                waits: why::waits(self, currency, valued, of_group(candidates, candidate.group)),
            });
        }
        batches::number(&mut steps, self.ground.engine, &asking);
        steps
    }

    /// What a step brings, by what was wanted.
    fn sum(&self, currency: Currency, found: &[Found]) -> Amount {
        sum_of(self.wish.want, self.wish.rates.as_ref(), currency, found.iter().map(|found| (found.exit, &found.money)))
    }
}

/// The clock that a whole plan goes by: that of the sites where they all have the same, else UTC.
#[must_use]
pub fn clock(subjects: &[Subject]) -> Zone {
    let zone = subjects.first().map_or(Zone::UTC, |subject| subject.zone);
    if subjects.iter().all(|subject| subject.zone == zone) { zone } else { Zone::UTC }
}

/// What resources that leave bring together, by what was wanted.
pub(crate) fn sum_of<'m>(
    want: Want,
    rates: Option<&Rates>,
    currency: Currency,
    all: impl Iterator<Item = (Exit, &'m Money)>,
) -> Amount {
    all.map(|(exit, money)| {
        let worth = worth_of(want, exit, money);
        match rates.and_then(|rates| rates.of(money.currency)) {
            Some(rate) => Exact::from(worth).times(rate).round(currency),
            None => worth,
        }
    })
    .sum()
}

/// A resource that leaves, as the file writes it.
pub(crate) fn leaving(resources: &[ResourceRecord], found: &Found) -> Option<Leaving> {
    let resource = resources.get(found.member)?;
    let quota = found.quota.iter().filter_map(|draw| {
        Some(Quota {
            name: draw.name.to_string(),
            limit: draw.limit?,
            used: draw.used?,
            draws: draw.draws.unwrap_or(Number::ZERO),
            window: draw.window.name().map(std::borrow::Cow::into_owned),
        })
    });
    Some(Leaving {
        resource: resource.id.clone(),
        name: resource.name.clone(),
        product: resource.product.clone(),
        exit: found.exit,
        currency: found.money.currency,
        refund: found.money.refund,
        released: found.money.released,
        charge: found.money.charge,
        carried_over: found.money.carried_over,
        fee: found.money.fee,
        quota: quota.collect(),
        effects: found.effects.clone(),
        channel: found.channel,
        review_hours: found.review_hours,
    })
}
