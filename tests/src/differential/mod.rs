//! Generated resources on every path at once: what one path says, all must say, and it must be what the reference says.
//!
//! A [`Trial`] is one seed at one instant. It takes a stretch of its resources through owned records, the linked and
//! the loaded adapter, and a file of one form by some number of threads, asks [`crate::reference`] about each, and
//! holds the answers to the laws. Whatever disagrees is made as small as it can be and printed with its seed.

mod paths;
mod shrink;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use recoup_core::assessment::Subject;
use recoup_core::context::Run;
use recoup_core::fact::Flag;
use recoup_core::policy::{Policy, Rulebook};
use recoup_core::record::{AccountRecord, ResourceRecord};
use recoup_core::ruling::RulingData;
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::{Exit, Outcome};
use recoup_engine::{Assessor, Engine};
use recoup_generate::Generator;
use recoup_portfolio::write::Form;

use crate::reference::{Question, alibaba, huawei, laws};
use paths::Owned;

/// The providers of which the reference speaks.
pub const OF_REFERENCE: &[&str] = &["alibaba", "huawei"];

/// What one path answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    subject: Subject,
    outcome: Outcome,
    best: Option<Exit>,
    rulings: Vec<RulingData>,
}

/// An answer, or what is said where there is none.
type Said = Result<Answer, String>;

impl Answer {
    fn ruling(&self, exit: Exit) -> Option<&RulingData> {
        self.rulings.iter().find(|ruling| ruling.exit == exit)
    }
}

/// Everything that trials need and that does not change between them.
pub struct Bench {
    linked: Engine,
    loaded: Option<Engine>,
    owned: Owned,
    policies: Vec<Arc<Policy>>,
    books: BTreeMap<String, Rulebook>,
}

impl fmt::Debug for Bench {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bench").field("providers", &self.books.keys()).finish_non_exhaustive()
    }
}

/// How a stretch of a portfolio is read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    /// The form of the file.
    pub form: Form,
    /// The threads that assess it.
    pub threads: usize,
}

/// Something that is not the same everywhere.
#[derive(Debug, Clone)]
pub struct Disagreement {
    seed: u64,
    number: u64,
    at: Instant,
    /// The providers whose resources the seed made.
    of: String,
    what: String,
    record: ResourceRecord,
    account: Option<AccountRecord>,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seed, number, at) = (self.seed, self.number, self.at.display(Zone::UTC));
        writeln!(f, "seed {seed}, number {number}, at {at}, of {}: {}", self.of, self.what)?;
        writeln!(f, "  record:  {}", self.record.to_json(Zone::fixed_hours(8)))?;
        match &self.account {
            Some(account) => writeln!(f, "  account: {}", account.to_json(Zone::fixed_hours(8))),
            None => Ok(()),
        }
    }
}

impl Bench {
    /// A bench over the linked adapters, and over loaded ones where there are such.
    ///
    /// # Panics
    /// Where a policy is malformed or an adapter cannot be used.
    #[must_use]
    #[allow(clippy::expect_used, reason = "a test fails by panicking")]
    pub fn new(loaded: Option<Engine>) -> Self {
        let linked = Engine::from_adapters(crate::linked());
        let policies: Vec<Arc<Policy>> =
            linked.providers().iter().map(|provider| linked.policy(provider).expect("a policy")).collect();
        let book = |policy: &Arc<Policy>| {
            (policy.provider.clone(), Rulebook::new(Policy::clone(policy)).expect("a policy that builds"))
        };
        let books = policies.iter().map(book).collect();
        Self { linked, loaded, owned: Owned::all(), policies, books }
    }

    /// Every instant at which anything dated changes anywhere, oldest first.
    #[must_use]
    pub fn edges(&self) -> Vec<Instant> {
        let mut edges = Vec::new();
        for site in self.books.values().flat_map(Rulebook::sites) {
            let next = |edge: &Instant| site.changes_after(*edge);
            edges.extend(std::iter::successors(site.changes_after(Instant::from_micros(i64::MIN)), next));
        }
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// One seed at one instant, of the providers named, or of all.
    ///
    /// # Panics
    /// Where a policy does not say what portfolios hold.
    #[must_use]
    #[allow(clippy::expect_used, reason = "a test fails by panicking")]
    pub fn trial(&self, seed: u64, at: Instant, only: &[&str]) -> Trial<'_> {
        let is_meant = |policy: &&Arc<Policy>| only.is_empty() || only.contains(&policy.provider.as_str());
        let policies: Vec<Arc<Policy>> = self.policies.iter().filter(is_meant).cloned().collect();
        let generator = Generator::new(seed, at, &policies).expect("policies that say what portfolios hold");
        let accounts = generator.accounts();
        let run = Run::at(at).with_accounts(accounts.clone());
        let loaded = self.loaded.as_ref().map(|engine| Assessor::new(engine, run.clone()));
        let of = if only.is_empty() { "all".to_owned() } else { only.join(" and ") };
        Trial {
            bench: self,
            seed,
            at,
            of,
            linked: Assessor::new(&self.linked, run.clone()),
            loaded,
            run,
            generator,
            accounts,
        }
    }
}

/// One seed at one instant.
#[derive(Debug)]
pub struct Trial<'b> {
    bench: &'b Bench,
    seed: u64,
    at: Instant,
    of: String,
    run: Run,
    linked: Assessor<'b>,
    loaded: Option<Assessor<'b>>,
    generator: Generator,
    accounts: Vec<AccountRecord>,
}

/// How many answers of a stretch the reference had an opinion on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opinions {
    /// Exits of which the reference says something.
    pub exits: u64,
    /// Exits of which it gives the figure.
    pub figures: u64,
}

impl Trial<'_> {
    /// Takes some resources through everything. Gives what disagrees, made small, and how much the reference said.
    #[must_use]
    pub fn disagreements(&self, numbers: Range<u64>, reading: Reading) -> (Vec<Disagreement>, Opinions) {
        let resources: Vec<ResourceRecord> = numbers.clone().map(|number| self.generator.resource(number)).collect();
        let said = paths::through(&self.linked, &resources);
        let mut opinions = Opinions::default();
        let mut found: Vec<(usize, String)> = Vec::new();
        if let Some(loaded) = &self.loaded {
            differing("loaded and linked", &said, &paths::through(loaded, &resources), &mut found);
        }
        let through_file = paths::through_file(&self.linked, &self.generator, &resources, reading);
        differing(&format!("{reading:?} and records"), &said, &through_file, &mut found);
        let owned: Vec<Said> = resources.iter().map(|resource| self.bench.owned.answer(&self.run, resource)).collect();
        differing("owned record and row", &said, &owned, &mut found);
        for (place, (resource, said)) in resources.iter().zip(&said).enumerate() {
            let Ok(answer) = said else { continue };
            let problems = self.reference(resource, answer, &mut opinions);
            found.extend(problems.into_iter().map(|what| (place, what)));
            let broken = answer.rulings.iter().flat_map(|ruling| laws::of_ruling(resource, ruling));
            found.extend(broken.map(|what| (place, what)));
        }
        self.laws(&numbers, &resources, &said, &mut found);
        (self.small(&numbers, &resources, found), opinions)
    }

    /// Where the reference says something else.
    fn reference(&self, resource: &ResourceRecord, answer: &Answer, opinions: &mut Opinions) -> Vec<String> {
        let pages = match resource.provider.as_str() {
            "huawei" => huawei::expect,
            "alibaba" => alibaba::expect,
            _ => return Vec::new(),
        };
        let question = Question::new(resource, &self.accounts, &answer.subject.site, self.at);
        let mut found = Vec::new();
        for expected in pages(&question) {
            opinions.exits += 1;
            opinions.figures += u64::from(expected.gives_figure());
            match answer.ruling(expected.exit) {
                Some(ruling) => found.extend(expected.differences(ruling)),
                None if expected.must_be_ruled() => found.push(format!("{}: is not ruled", expected.exit)),
                None => {}
            }
        }
        found
    }

    /// Laws between answers, each record held to one of each kind, picked by its number.
    fn laws(
        &self,
        numbers: &Range<u64>,
        resources: &[ResourceRecord],
        said: &[Said],
        found: &mut Vec<(usize, String)>,
    ) {
        let picks = || numbers.clone().map(|number| paths::pick(self.seed, number));
        let later: Vec<Instant> =
            resources.iter().zip(said).zip(picks()).map(|((one, said), pick)| self.later(one, said, pick)).collect();
        let rows: Vec<_> = resources.iter().zip(later).collect();
        let waited = paths::through_at(&self.linked, &rows);
        let flags: Vec<Flag> = resources.iter().zip(picks()).map(|(one, pick)| flag_of(one, pick)).collect();
        let with = |value: Option<bool>| -> Vec<Said> {
            let changed =
                resources.iter().zip(&flags).map(|(one, flag)| with_flag(one, *flag, value)).collect::<Vec<_>>();
            paths::through(&self.linked, &changed)
        };
        let (unknown, stated_true, stated_false) = (with(None), with(Some(true)), with(Some(false)));
        for (place, (resource, said)) in resources.iter().zip(said).enumerate() {
            let at = |answers: &[Said], exit: Exit| answers.get(place)?.as_ref().ok()?.ruling(exit).cloned();
            let Some(flag) = flags.get(place).copied() else { continue };
            let mut broken = Vec::new();
            for exit in Exit::ALL {
                let (yes, no) = (at(&stated_true, *exit), at(&stated_false, *exit));
                if !self.is_stated_elsewhere(resource, flag)
                    && let Some(unknown) = at(&unknown, *exit)
                {
                    broken.extend(laws::of_not_knowing(&unknown, [yes.as_ref(), no.as_ref()], flag));
                }
                for (one, other) in [(&yes, &no), (&no, &yes)] {
                    if let (Some(one), Some(other)) = (one, other) {
                        broken.extend(laws::of_refusing(one, other, flag));
                    }
                }
            }
            if let Some(exit) = self.waiting(said)
                && let (Ok(answer), Some(later)) = (said, at(&waited, exit))
                && let Some(now) = answer.ruling(exit)
            {
                broken.extend(laws::of_waiting(resource, now, &later));
            }
            found.extend(broken.into_iter().map(|what| (place, what)));
        }
    }

    /// Whether an order or the account states a flag, so that the resource cannot leave it open.
    fn is_stated_elsewhere(&self, resource: &ResourceRecord, flag: Flag) -> bool {
        let by_order = resource.orders.iter().flatten().any(|order| order.facts.flags.get(flag).is_some());
        by_order
            || self.accounts.iter().any(|account| {
                account.provider == resource.provider
                    && Some(&account.account) == resource.account.as_ref()
                    && account.facts.flags.get(flag).is_some()
            })
    }

    /// The exit whose next change is the first of all: until then, it and all others stay.
    fn waiting(&self, said: &Said) -> Option<Exit> {
        let rulings = said.as_ref().ok()?.rulings.iter().filter(|ruling| ruling.until.is_some());
        rulings.min_by_key(|ruling| ruling.until).map(|ruling| ruling.exit)
    }

    /// An instant before anything changes, the rules included.
    fn later(&self, resource: &ResourceRecord, said: &Said, pick: u64) -> Instant {
        let until = said.as_ref().ok().and_then(|answer| answer.rulings.iter().filter_map(|ruling| ruling.until).min());
        let site = self.bench.books.get(&resource.provider).and_then(|book| book.site(resource.site.as_deref()));
        let next_rules = site.and_then(|site| site.changes_after(self.at));
        let end = until.into_iter().chain(next_rules).min().unwrap_or(self.at + Span::days(900));
        let room = end.since(self.at).micros();
        if room <= 1 {
            return self.at;
        }
        let ahead = match pick % 3 {
            0 => room - 1,
            _ => i64::try_from(pick >> 2).unwrap_or(0) % room,
        };
        Instant::from_micros(self.at.micros() + ahead)
    }

    /// The disagreements, each made as small as it stays one.
    fn small(
        &self,
        numbers: &Range<u64>,
        resources: &[ResourceRecord],
        found: Vec<(usize, String)>,
    ) -> Vec<Disagreement> {
        /// Enough to see what is wrong; making small takes its time.
        const MOST: usize = 20;
        let mut all = Vec::new();
        for (place, what) in found.into_iter().take(MOST) {
            let Some(resource) = resources.get(place) else { continue };
            let number = numbers.start + place as u64;
            let same_kind = |record: &ResourceRecord| self.still(number, record, &what);
            let record = shrink::shrink(resource.clone(), same_kind);
            let what = self.alone(number, &record).into_iter().find(|other| kind(other) == kind(&what)).unwrap_or(what);
            let site = record.site.clone();
            let account = self.accounts.iter().find(|account| {
                account.provider == record.provider
                    && Some(&account.account) == record.account.as_ref()
                    && (site.is_none() || account.site == site)
            });
            let (seed, at, of) = (self.seed, self.at, self.of.clone());
            all.push(Disagreement { seed, number, at, of, what, account: account.cloned(), record });
        }
        all
    }

    fn still(&self, number: u64, record: &ResourceRecord, what: &str) -> bool {
        self.alone(number, record).iter().any(|other| kind(other) == kind(what))
    }

    /// What disagrees about one record by itself.
    fn alone(&self, number: u64, record: &ResourceRecord) -> Vec<String> {
        let one = std::slice::from_ref(record);
        let said = paths::through(&self.linked, one);
        let mut found = Vec::new();
        if let Some(loaded) = &self.loaded {
            differing("loaded and linked", &said, &paths::through(loaded, one), &mut found);
        }
        for form in [Form::Ndjson, Form::Json, Form::Csv, Form::Parquet] {
            let reading = Reading { form, threads: 1 };
            let read = paths::through_file(&self.linked, &self.generator, one, reading);
            differing(&format!("{reading:?} and records"), &said, &read, &mut found);
        }
        differing("owned record and row", &said, &[self.bench.owned.answer(&self.run, record)], &mut found);
        if let Some(Ok(answer)) = said.first() {
            let mut opinions = Opinions::default();
            found.extend(self.reference(record, answer, &mut opinions).into_iter().map(|what| (0, what)));
            found
                .extend(answer.rulings.iter().flat_map(|ruling| laws::of_ruling(record, ruling)).map(|what| (0, what)));
        }
        self.laws(&(number..number + 1), one, &said, &mut found);
        found.into_iter().map(|(_, what)| what).collect()
    }
}

/// Where two paths do not say the same.
fn differing(paths: &str, one: &[Said], other: &[Said], found: &mut Vec<(usize, String)>) {
    for (place, said) in one.iter().enumerate() {
        match other.get(place) {
            Some(same) if same == said => {}
            Some(different) => found.push((place, format!("{paths}: {different:?} instead of {said:?}"))),
            None => found.push((place, format!("{paths}: nothing is said"))),
        }
    }
}

/// What kind of disagreement it is: the words without its figures, so that a smaller record of the same kind counts.
fn kind(what: &str) -> String {
    let words = what.split(": ").take(2).collect::<Vec<_>>().join(": ");
    words.chars().take(60).filter(|c| !c.is_ascii_digit()).collect()
}

/// A flag of those that the record states, or any other.
fn flag_of(resource: &ResourceRecord, pick: u64) -> Flag {
    let stated: Vec<Flag> = resource.facts.flags.iter().map(|(flag, _)| flag).collect();
    let all = if stated.is_empty() { Flag::ALL } else { &stated };
    let place = usize::try_from(pick).unwrap_or(0) % all.len().max(1);
    all.get(place).copied().unwrap_or(Flag::Exists)
}

/// The record with a flag stated otherwise, or no more.
fn with_flag(resource: &ResourceRecord, flag: Flag, value: Option<bool>) -> ResourceRecord {
    let mut changed = resource.clone();
    let mut flags = recoup_core::fact::FlagSet::EMPTY;
    for (other, stated) in changed.facts.flags.iter().filter(|(other, _)| *other != flag) {
        flags.set(other, stated);
    }
    if let Some(value) = value {
        flags.set(flag, value);
    }
    changed.facts.flags = flags;
    changed
}
