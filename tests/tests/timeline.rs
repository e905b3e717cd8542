//! Timelines against the obvious: what they say of an instant is what assessing at that instant says.
//!
//! By default a few resources of every provider's cases and a few generated ones are assessed around every
//! change and once a day between; with `RECOUP_SLOW=1` (`cargo xtask test --slow`) all resources of all cases
//! and many generated ones are, at every hour of three years. `RECOUP_ONLY=PROVIDER` keeps to one and takes all
//! its cases, `RECOUP_CASE=TEXT` to those with the text in their ids; `RECOUP_SEED` and `RECOUP_COUNT` say
//! which resources are generated, and how many of each provider.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::sync::{Mutex, OnceLock};

use recoup_core::conformance::Case;
use recoup_core::context::Run;
use recoup_core::money::Amount;
use recoup_core::record::ResourceRecord;
use recoup_core::stated::Statement;
use recoup_core::time::{Instant, Span, Zone};
use recoup_engine::timeline::{Books, Ruled, Rules as _};
use recoup_engine::{Assessor, Engine};
use recoup_generate::Generator;
use recoup_report::Answered;
use recoup_tests::{cases, linked};
use recoup_timeline::deadlines::{Kind, deadlines};
use recoup_timeline::figures::Money;
use recoup_timeline::forecast::{Curve, curves};
use recoup_timeline::steps::MOST_STEPS;
use recoup_timeline::walk::same_brackets;
use recoup_timeline::{Figures, Row, Timeline, walk};

fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::from_adapters(linked()))
}

fn is_slow() -> bool {
    std::env::var_os("RECOUP_SLOW").is_some_and(|value| value == "1")
}

fn hour(at: Instant) -> Instant {
    Zone::UTC.floor_hour(at)
}

/// A resource to be walked, and the run that it is asked about in.
struct Subject {
    id: String,
    resource: ResourceRecord,
    run: Run,
    at: Instant,
}

impl Subject {
    /// The resource of a case; none where an edition was asked for by date, which is no question of time.
    fn of(case: &Case) -> Option<Self> {
        let zone_of = |provider: &str, site: Option<&str>| engine().zone_of(provider, site);
        let resource = ResourceRecord::from_json(case.resource(), &zone_of).ok()?.record;
        let run = case.run(&zone_of).ok()?;
        let at = run.at.filter(|_| run.edition.is_none())?;
        Some(Self { id: case.id.clone(), resource, run, at })
    }

    /// Walks it over some years, from shortly after it was bought.
    fn walked(self, years: i64) -> Option<Walked> {
        let Self { id, resource, run, at } = self;
        let orders = resource.orders.iter().flatten();
        let known = orders.filter_map(|order| order.placed_at.or(order.starts_at));
        let begin = known.chain(resource.purchased_at).chain(resource.starts_at).min().unwrap_or(at).min(at);
        // Before it was bought there is nothing to ask about.
        let begin = begin.max(at - Span::days(365 * 2)) + Span::hours(1);
        // Causes are read from the steps of rulings, which only a run that keeps them has.
        let mut keeping_steps = run.clone();
        keeping_steps.trace = true;
        let assessor = Assessor::new(engine(), keeping_steps);
        let resources = [resource];
        let books = Books::of(&assessor, &resources);
        let rules = Ruled::new(&assessor, &resources, &books);
        let timeline = walk(&rules, &[(hour(begin), hour(begin + Span::days(365 * years)))]).remove(0).ok()?;
        let curve = curves(&rules, &[(0, &timeline)], if is_slow() { 3_000 } else { MOST_STEPS }).remove(0).unwrap();
        let [resource] = resources;
        Some(Walked { id, resource, run, timeline, curve })
    }
}

/// A resource, walked, with everything that is needed to ask about it again.
struct Walked {
    id: String,
    resource: ResourceRecord,
    run: Run,
    timeline: Timeline,
    curve: Curve,
}

/// The instants at which a timeline is held against assessing: every hour, or those around its changes
/// and one a day.
fn instants(timeline: &Timeline) -> Vec<Instant> {
    let (from, last) = (timeline.from(), timeline.last());
    let mut chosen = BTreeSet::new();
    let (mut at, step) = (from, if is_slow() { Span::hours(1) } else { Span::hours(23) });
    while at <= last {
        chosen.insert(at);
        at = at + step;
    }
    for piece in &timeline.pieces {
        for edge in [piece.from, piece.last] {
            let edges = (-2..=2).map(|hours| hour(edge) + Span::hours(hours));
            chosen.extend(edges.chain([edge]).filter(|at| (from..=last).contains(at)));
        }
    }
    chosen.into_iter().collect()
}

/// Whether a figure lies between its values at the ends of a piece. Fees need not: one that is a share
/// of what was used up grows until nothing is left to keep it from.
fn between(first: &Figures, at: &Figures, end: &Figures) -> bool {
    let parts: [fn(&Money) -> Amount; 5] = [
        |money| money.refund,
        |money| money.consumed,
        |money| money.coupons,
        |money| money.released,
        |money| money.charge,
    ];
    match (first.money, at.money, end.money) {
        (Some(a), Some(x), Some(b)) => {
            // Where two exits cross, what comes back by the better one moves one way still.
            let same_exit = first.exit == end.exit && at.exit == first.exit;
            let spoken_of = if same_exit { parts.as_slice() } else { &parts[..1] };
            spoken_of.iter().all(|part| {
                let (a, x, b) = (part(&a), part(&x), part(&b));
                a.min(b) <= x && x <= a.max(b)
            })
        }
        (Some(_), None, Some(_)) => false,
        _ => true,
    }
}

fn problems(walked: &Walked, instants: &[Instant]) -> Vec<String> {
    let assessor = Assessor::new(engine(), walked.run.clone());
    let resources = [walked.resource.clone()];
    let books = Books::of(&assessor, &resources);
    let rules = Ruled::new(&assessor, &resources, &books);
    let rows: Vec<Row> = instants.iter().map(|at| Row { resource: 0, at: *at }).collect();
    let mut problems = Vec::new();
    // Not all at once: the answers of three years of hours are large.
    let answers = rows.chunks(4_096).flat_map(|rows| rules.rule(rows));
    for answer in answers {
        let Answered { subject, assessment, .. } = answer.unwrap();
        let at = subject.at;
        let shown = at.display(Zone::UTC);
        let piece = walked.timeline.piece(at).unwrap();
        let figures = Figures::of(&assessment);
        if !same_brackets(&piece.first, &assessment) {
            problems.push(format!("{}: outcome or reasons at {shown} are not those of the timeline", walked.id));
        } else if !between(&Figures::of(&piece.first), &figures, &Figures::of(&piece.end)) {
            problems.push(format!(
                "{}: a figure at {shown} moves both ways between {} and {}: {:?} {:?} {:?}",
                walked.id,
                piece.from.display(Zone::UTC),
                piece.last.display(Zone::UTC),
                Figures::of(&piece.first).money.map(|money| (money.refund, money.fee, money.consumed, money.released)),
                figures.money.map(|money| (money.refund, money.fee, money.consumed, money.released)),
                Figures::of(&piece.end).money.map(|money| (money.refund, money.fee, money.consumed, money.released)),
            ));
        } else if walked.curve.figures(at).is_some_and(|forecast| forecast != figures) {
            problems.push(format!("{}: the forecast of {shown} is not what is assessed then", walked.id));
        }
    }
    problems
}

/// Every exit that opens or closes from one instant to a later one does so at a deadline between them.
fn deadline_problems(walked: &Walked) -> Vec<String> {
    let found = deadlines(&walked.timeline);
    let mut problems = Vec::new();
    for (pair, ends) in walked.timeline.pieces.windows(2).zip(&walked.timeline.ends) {
        let [one, other] = pair else { continue };
        let open = |answer: &recoup_core::assessment::Assessment| {
            let open =
                answer.rulings().iter().filter(|ruling| ruling.outcome() != recoup_core::vocab::Outcome::Refused);
            open.map(|ruling| ruling.exit).collect::<Vec<_>>()
        };
        let (mut old, mut new) = (open(&one.end), open(&other.first));
        old.sort();
        new.sort();
        let here = found.iter().find(|deadline| match ends {
            recoup_timeline::Ends::Before(at) => deadline.at == *at && !deadline.through,
            recoup_timeline::Ends::Through(at) => deadline.at == *at && deadline.through,
            recoup_timeline::Ends::Open => false,
        });
        let told = |kind: Kind| -> Vec<_> {
            let changes = here.into_iter().flat_map(|deadline| &deadline.changes);
            changes.filter(|change| change.kind == kind).map(|change| change.exit).collect()
        };
        let closed: Vec<_> = old.iter().filter(|exit| !new.contains(exit)).copied().collect();
        let opened: Vec<_> = new.iter().filter(|exit| !old.contains(exit)).copied().collect();
        let sorted = |mut exits: Vec<_>| {
            exits.sort();
            exits
        };
        if sorted(told(Kind::Closes)) != closed || sorted(told(Kind::Opens)) != opened {
            problems.push(format!("{}: at {ends:?} closes {closed:?} opens {opened:?}", walked.id));
        }
        for change in here.into_iter().flat_map(|deadline| &deadline.changes) {
            let by_rules = here.is_some_and(|deadline| deadline.rules_change);
            if change.causes.is_empty() && change.kind == Kind::Closes && !by_rules {
                problems.push(format!("{}: nobody knows why {} closes at {ends:?}", walked.id, change.exit));
            }
        }
    }
    problems
}

/// What was found of some subjects.
#[derive(Default)]
struct Found {
    resources: usize,
    pieces: usize,
    instants: usize,
    problems: Vec<String>,
}

/// Walks subjects and holds each against assessing, with all threads.
fn held(subjects: Vec<Subject>, years: i64) -> Found {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, found) = (Mutex::new(subjects.into_iter()), Mutex::new(Found::default()));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let subject = next.lock().unwrap().next();
                    let Some(subject) = subject else { break };
                    let Some(walked) = subject.walked(years) else { continue };
                    let instants = instants(&walked.timeline);
                    // One a resource says enough.
                    let mut problems: Vec<String> = problems(&walked, &instants).into_iter().take(1).collect();
                    problems.extend(deadline_problems(&walked));
                    let mut found = found.lock().unwrap();
                    found.resources += 1;
                    found.pieces += walked.timeline.pieces.len();
                    found.instants += instants.len();
                    found.problems.extend(problems);
                }
            });
        }
    });
    found.into_inner().unwrap()
}

fn say(what: &str, found: &Found) {
    let shown: Vec<&String> = found.problems.iter().take(60).collect();
    println!("{what}: {} resources, {} pieces, {} instants", found.resources, found.pieces, found.instants);
    assert!(found.problems.is_empty(), "{what}: {} problem(s)\n{shown:#?}", found.problems.len());
}

#[test]
fn timelines_agree_with_assessing_at_every_hour() {
    let (only, named) = (std::env::var("RECOUP_ONLY").ok(), std::env::var("RECOUP_CASE").ok());
    let mut all = Found::default();
    for provider in engine().providers().into_iter().filter(|name| only.as_ref().is_none_or(|only| only == name)) {
        let cases = cases(&provider);
        let stride = if is_slow() || only.is_some() { 1 } else { cases.len().div_ceil(6) };
        let taken = cases.iter().step_by(stride.max(1));
        let taken = taken.filter(|case| named.as_ref().is_none_or(|named| case.id.contains(named.as_str())));
        let found = held(taken.filter_map(Subject::of).collect(), if is_slow() { 3 } else { 2 });
        if is_slow() {
            println!("{provider}: {} resources, {} instants", found.resources, found.instants);
        }
        all.resources += found.resources;
        all.pieces += found.pieces;
        all.instants += found.instants;
        all.problems.extend(found.problems);
    }
    say("cases", &all);
    let enough = only.is_some() || all.resources > 90 && all.pieces > 2 * all.resources;
    assert!(enough, "{} resources, {} pieces", all.resources, all.pieces);
}

/// The generated resources of a seed, so many of each provider.
fn generated(seed: u64, count: u64) -> Vec<Subject> {
    let at = Instant::parse("2025-06-15T00:00:00Z", Zone::UTC).unwrap();
    let only = std::env::var("RECOUP_ONLY").ok();
    let mut subjects = Vec::new();
    for provider in engine().providers().into_iter().filter(|name| only.as_ref().is_none_or(|only| only == name)) {
        let generator = Generator::new(seed, at, &[engine().policy(&provider).unwrap()]).unwrap();
        let run = Run::at(at).with_accounts(generator.accounts());
        subjects.extend(generator.resources(count).enumerate().map(|(number, resource)| Subject {
            id: format!("{provider} seed {seed} number {number} ({})", resource.id),
            resource,
            run: run.clone(),
            at,
        }));
    }
    subjects
}

#[test]
fn timelines_of_generated_resources_agree_with_assessing() {
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let (seed, count) = (number("RECOUP_SEED", 1), number("RECOUP_COUNT", if is_slow() { 60 } else { 3 }));
    let found = held(generated(seed, count), if is_slow() { 3 } else { 2 });
    let few = found.resources < usize::try_from(count).unwrap();
    say("generated", &found);
    assert!(!few, "only {} resources of {count} for each provider were walked", found.resources);
}

/// Consumption that is counted anew when a month of an order is over, or when the order itself is, falls
/// though no ruling names that instant.
#[test]
fn consumption_that_falls_when_an_order_is_a_month_older_is_a_boundary() {
    let names = ["own.part.renewal-pending", "own.part.im", "own.five.payment-2018"];
    for case in cases("tencent").iter().filter(|case| names.iter().any(|name| case.id.ends_with(name))) {
        let walked = Subject::of(case).and_then(|subject| subject.walked(2)).unwrap();
        assert!(problems(&walked, &instants(&walked.timeline)).is_empty(), "{}", case.id);
        let gains = deadlines(&walked.timeline).iter().any(|deadline| {
            deadline.changes.iter().any(|change| match (&change.before, &change.after) {
                (Some(before), Some(after)) => after.consumed() < before.consumed(),
                _ => false,
            })
        });
        assert!(gains, "{}: what falls is a deadline", case.id);
    }
}

/// An add-in renews, and the exit that no page describes makes room for one that a page does: nobody knew why it closed.
#[test]
fn an_exit_that_only_rested_on_something_unknown_closes_by_the_clause_that_leaves_it_unknown() {
    let case = cases("azure").into_iter().find(|case| case.id == "azure.addin.day-after-renewal").unwrap();
    let walked = Subject::of(&case).and_then(|subject| subject.walked(1)).unwrap();
    assert_eq!(deadline_problems(&walked), Vec::<String>::new());
    let renewal = Instant::parse("2021-06-03T10:00:00Z", Zone::UTC).unwrap();
    let found = deadlines(&walked.timeline);
    let changes = found.iter().filter(|deadline| deadline.at == renewal).flat_map(|deadline| &deadline.changes);
    assert!(changes.clone().any(|change| change.kind == Kind::Closes && change.causes.len() == 1));
    let opens = found.iter().flat_map(|deadline| &deadline.changes).filter(|change| change.kind == Kind::Opens);
    assert!(opens.clone().count() > 1 && opens.clone().all(|change| !change.causes.is_empty()));
}

/// Every instant of a walk compared a resource's statements anew, with a session opened for each.
#[test]
fn what_a_provider_stated_is_not_compared_at_every_instant() {
    let mut subject = cases("azure").iter().find_map(Subject::of).unwrap();
    let mut statement = Statement::by("returnable");
    statement.allowed = Some(true);
    subject.resource.stated = vec![statement];
    let assessor = Assessor::new(engine(), subject.run);
    let stated = |answers: Vec<Result<Answered, _>>| answers.into_iter().next().unwrap().unwrap().stated.len();
    assert_eq!(stated(assessor.assess(vec![subject.resource.clone()])), 1);
    assert_eq!(stated(assessor.assess_at(&[(subject.resource, subject.at)])), 0);
}
