//! The conformance kit: what every adapter must satisfy, as tests.
//!
//! An adapter's `tests/conformance.rs` is one line,
//!
//! ```ignore
//! recoup_conformance::conformance!(recoup_acme::Acme, "acme");
//! ```
//!
//! which runs the case files of `fixtures/<name>/cases/` against the adapter and holds it to the laws
//! of every adapter:
//!
//! | law | what it says |
//! |---|---|
//! | cases | every case of the provider holds |
//! | coverage | every clause bites in a case and lets pass in another |
//! | purity | the same input gives the same answer |
//! | conservation | `paid = consumed + fee + forfeited + returned + carry_over`, nothing negative, no refund above what was paid |
//! | gaps | a record with a field missing, or absurdly large or late, is still answered |
//! | unknowns | learning a fact never turns a refusal into an allowance, nor an allowance into something unknown |
//! | until | an exit's outcome and reasons are the same at every instant before `until`, and the assessment differs at it or right after |

pub mod payloads;

use std::path::{Path, PathBuf};
use std::{fs, io};

use recoup_core::adapter::{Provider, Rules};
use recoup_core::conformance::{Case, Report, judge_linked};
use recoup_core::context::Run;
use recoup_core::fact::Flag;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Span, Zone};
use recoup_core::vocab::{Exit, Outcome};
use serde_json::Value;

/// Makes the tests of an adapter.
#[macro_export]
macro_rules! conformance {
    ($provider:ty, $name:literal) => {
        #[test]
        fn every_case_holds() {
            $crate::Kit::<$provider>::open(env!("CARGO_MANIFEST_DIR"), $name).cases();
        }

        #[test]
        fn every_clause_is_covered() {
            $crate::Kit::<$provider>::open(env!("CARGO_MANIFEST_DIR"), $name).coverage();
        }

        #[test]
        fn whatever_is_missing_or_absurd_is_an_answer() {
            $crate::Kit::<$provider>::open(env!("CARGO_MANIFEST_DIR"), $name).maimed();
        }

        #[test]
        fn the_laws_hold() {
            $crate::Kit::<$provider>::open(env!("CARGO_MANIFEST_DIR"), $name).laws();
        }
    };
}

/// The cases of an adapter and the adapter itself.
#[derive(Debug)]
pub struct Kit<P> {
    cases: Vec<Case>,
    rules: Rules<P>,
}

/// Reads every case file of a folder, in the order of their names.
///
/// # Errors
/// Where a file cannot be read.
pub fn read_cases(folder: &Path) -> io::Result<Vec<Case>> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let mut cases = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path)?;
        let read = Case::read_all(&text).map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
        cases.extend(read);
    }
    Ok(cases)
}

#[allow(clippy::panic, reason = "a test kit fails by panicking")]
fn fail(what: &str, problems: &[String]) {
    assert!(problems.is_empty(), "{what}: {} problem(s)\n{}", problems.len(), problems.join("\n"));
}

impl<P: Provider> Kit<P> {
    /// Reads the cases of `fixtures/<name>/cases/`, seen from an adapter's folder.
    ///
    /// # Panics
    /// Where they cannot be read, or the policy is malformed.
    #[must_use]
    #[allow(clippy::panic, reason = "a test kit fails by panicking")]
    pub fn open(manifest_dir: &str, name: &str) -> Self {
        let folder = Path::new(manifest_dir).join("../../fixtures").join(name).join("cases");
        let cases = match read_cases(&folder) {
            Ok(cases) => cases,
            Err(error) => panic!("{}: {error}", folder.display()),
        };
        let rules = match Rules::load() {
            Ok(rules) => rules,
            Err(error) => panic!("{error}"),
        };
        Self { cases, rules }
    }

    #[allow(clippy::panic, reason = "a test kit fails by panicking")]
    fn report(&self) -> Report {
        match judge_linked::<P>(&self.cases) {
            Ok(report) => report,
            Err(error) => panic!("{error}"),
        }
    }

    /// Every case holds.
    ///
    /// # Panics
    /// Where one does not.
    pub fn cases(&self) {
        let report = self.report();
        let problems: Vec<String> = report
            .failures
            .iter()
            .map(|(id, differences)| format!("{id}\n    {}", differences.join("\n    ")))
            .collect();
        fail(&format!("of {} cases", report.cases), &problems);
        assert!(report.cases > 0, "no case was found");
    }

    /// Every clause bites in a case and lets pass in another.
    ///
    /// # Panics
    /// Where one does not.
    pub fn coverage(&self) {
        fail("clause coverage", &self.report().uncovered());
    }

    /// The laws of every adapter hold on the resources of the cases.
    ///
    /// # Panics
    /// Where one does not.
    pub fn laws(&self) {
        let mut problems = Vec::new();
        for case in &self.cases {
            let zone_of = |_: &str, site: Option<&str>| self.rules.zone_of(site);
            let (Ok(run), Ok(read)) = (case.run(&zone_of), ResourceRecord::from_json(case.resource(), &zone_of)) else {
                continue;
            };
            let resource = read.record;
            let mut problem = |what: String| problems.push(format!("{}: {what}", case.id));
            let Some(answer) = self.answer(&run, &resource) else { continue };
            if self.answer(&run, &resource).as_ref() != Some(&answer) {
                problem("purity: asked twice, answered differently".to_owned());
            }
            for exit in exits(&answer) {
                if let Some(what) = conservation(exit) {
                    problem(format!("conservation: {what}"));
                }
            }
            self.unknowns(&run, &resource, &answer, &mut problem);
            self.until(&run, &resource, &answer, &mut problem);
        }
        fail("laws", &problems);
    }

    /// Every record of the cases with one field left out, or made as large or as late as it can be, is
    /// answered or refused as a record: nothing stops the rules, and money is conserved.
    ///
    /// # Panics
    /// Where it is not so.
    pub fn maimed(&self) {
        let mut problems = Vec::new();
        let mut answered = 0;
        for case in &self.cases {
            let zone_of = |_: &str, site: Option<&str>| self.rules.zone_of(site);
            let Ok(run) = case.run(&zone_of) else { continue };
            for record in maimed(case.resource()) {
                // A record that cannot be read is an error of its own; one that can is answered.
                let Ok(answer) = self.rules.assess_json(&run, &record) else { continue };
                answered += 1;
                problems.extend(
                    exits(&answer).filter_map(conservation).map(|what| format!("{}: {what}\n    {record}", case.id)),
                );
            }
        }
        assert!(answered > 0, "no record was answered");
        fail("maimed records", &problems);
    }

    fn answer(&self, run: &Run, resource: &ResourceRecord) -> Option<Value> {
        let (subject, assessment) = self.rules.assess_record(run, resource).ok()?;
        Some(recoup_core::assessment::to_json(&subject, &assessment, self.rules.book().policy()))
    }

    fn unknowns(&self, run: &Run, resource: &ResourceRecord, answer: &Value, problem: &mut impl FnMut(String)) {
        // First forget every flag of the resource, then learn them one by one.
        let mut forgotten = resource.clone();
        forgotten.facts.flags = recoup_core::fact::FlagSet::EMPTY;
        // What an order or the account states is not unknown, so it cannot be learned.
        let site = self.rules.book().site(resource.site.as_deref()).map_or("", |site| site.name.as_str());
        let account = resource.account.as_deref().and_then(|key| run.account(&resource.provider, site, key));
        let mut elsewhere = account.map(|account| account.facts.flags).unwrap_or_default();
        for order in resource.orders.iter().flatten() {
            elsewhere = elsewhere.and_also(order.facts.flags);
        }
        let is_open =
            |start: &ResourceRecord, flag: Flag| start.facts.flags.get(flag).is_none() && elsewhere.get(flag).is_none();
        let starts = [(resource, answer.clone()), (&forgotten, self.answer(run, &forgotten).unwrap_or_default())];
        for (start, before) in starts {
            for flag in Flag::ALL.iter().filter(|flag| is_open(start, **flag)) {
                for value in [false, true] {
                    let mut learned = start.clone();
                    learned.facts.flags.set(*flag, value);
                    let Some(after) = self.answer(run, &learned) else { continue };
                    for exit in exits(&before) {
                        let name = exit_name(exit);
                        let Some(other) = exits(&after).find(|other| exit_name(other) == name) else { continue };
                        match (outcome(exit), outcome(other)) {
                            (Some(Outcome::Refused), Some(Outcome::Allowed | Outcome::Conditional)) => {
                                problem(format!("unknowns: learning {flag} = {value} opens {name}, which was refused"));
                            }
                            (Some(Outcome::Allowed), Some(Outcome::Conditional)) => {
                                problem(format!(
                                    "unknowns: learning {flag} = {value} makes {name}, which was allowed, conditional"
                                ));
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
    }

    fn until(&self, run: &Run, resource: &ResourceRecord, answer: &Value, problem: &mut impl FnMut(String)) {
        if run.edition.is_some() {
            return;
        }
        let Some(at) = run.at else { return };
        for exit in exits(answer) {
            let name = exit_name(exit);
            let Some(until) =
                exit.get("until").and_then(Value::as_str).and_then(|text| Instant::parse(text, Zone::UTC).ok())
            else {
                continue;
            };
            if until < at {
                problem(format!("until: that of {name} lies before the instant asked about"));
                continue;
            }
            let at_instant = |instant: Instant| {
                let mut run = run.clone();
                run.at = Some(instant);
                self.answer(&run, resource)
            };
            let span = until.since(at).micros();
            for share in [1, 2, 3] {
                let between = at + Span::seconds(span / 4_000_000 * share);
                if between >= until || self.rule_change_between(resource, at, between) {
                    continue;
                }
                let Some(later) = at_instant(between) else { continue };
                let same = exits(&later)
                    .find(|other| exit_name(other) == name)
                    .is_some_and(|other| signature(other) == signature(exit));
                if !same {
                    problem(format!(
                        "until: {name} changes before {} (at {})",
                        until.display(Zone::UTC),
                        between.display(Zone::UTC)
                    ));
                    break;
                }
            }
            let right_after = [until, Instant::from_micros(until.micros() + 1)];
            if !right_after
                .into_iter()
                .filter_map(at_instant)
                .any(|later| without_times(&later) != without_times(answer))
            {
                problem(format!("until: nothing changes at {}, the until of {name}", until.display(Zone::UTC)));
            }
        }
    }

    /// Whether the rules themselves change between two instants: a later edition is no change by time.
    fn rule_change_between(&self, resource: &ResourceRecord, from: Instant, to: Instant) -> bool {
        let Some(site) = self.rules.book().site(resource.site.as_deref()) else { return false };
        site.epoch(from).map(recoup_core::policy::Epoch::from) != site.epoch(to).map(recoup_core::policy::Epoch::from)
    }
}

/// A record with each of its fields in turn left out, or made as large or as late as it can be. What facts
/// change is held by the laws.
fn maimed(resource: &Value) -> Vec<Value> {
    let mut paths = Vec::new();
    collect(resource, "", &mut paths);
    let mut records = Vec::new();
    for path in paths.iter().filter(|path| !path.contains("/facts/")) {
        for value in [Value::Null, Value::from("999999999999999"), Value::from("2999-12-31T00:00:00Z")] {
            let mut record = resource.clone();
            if let Some(place) = record.pointer_mut(path) {
                *place = value;
                records.push(record);
            }
        }
    }
    records
}

fn collect(value: &Value, path: &str, paths: &mut Vec<String>) {
    let mut step = |name: String, inner: &Value| {
        let path = format!("{path}/{name}");
        collect(inner, &path, paths);
        paths.push(path);
    };
    match value {
        Value::Object(map) => map.iter().for_each(|(name, inner)| step(name.replace('/', "~1"), inner)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, inner)| step(index.to_string(), inner)),
        _ => {}
    }
}

fn exits(answer: &Value) -> impl Iterator<Item = &Value> {
    answer.get("exits").and_then(Value::as_array).into_iter().flatten()
}

fn exit_name(exit: &Value) -> &str {
    exit.get("exit").and_then(Value::as_str).unwrap_or_default()
}

fn outcome(exit: &Value) -> Option<Outcome> {
    exit.get("outcome").and_then(Value::as_str).and_then(|word| Outcome::parse(word).ok())
}

/// What may not change before `until`: outcome and reasons.
fn signature(exit: &Value) -> (Option<Outcome>, Vec<String>, Vec<String>) {
    let reasons = |name: &str| {
        let items = exit.get(name).and_then(Value::as_array).into_iter().flatten();
        let mut words: Vec<String> =
            items.filter_map(|item| item.get("reason").and_then(Value::as_str)).map(str::to_owned).collect();
        words.sort();
        words
    };
    (outcome(exit), reasons("refusals"), reasons("unknowns"))
}

/// The assessment without the instants that always differ.
fn without_times(answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let Value::Object(map) = &mut answer {
        map.remove("at");
        map.remove("edition");
        for exit in map.get_mut("exits").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(exit) = exit {
                exit.remove("until");
                exit.remove("steps");
            }
        }
    }
    answer
}

fn conservation(exit: &Value) -> Option<String> {
    let refund = exit.get("refund").filter(|refund| !refund.is_null())?;
    let amount =
        |name: &str| refund.get(name).and_then(Value::as_str).map_or(Ok(recoup_core::money::Amount::ZERO), str::parse);
    let (Ok(paid), Ok(back), Ok(proceeds)) = (amount("paid"), amount("refund"), amount("proceeds")) else {
        return Some("an amount is not a decimal".to_owned());
    };
    let is_resale = exit_name(exit) == Exit::Resale.as_str();
    let most = if is_resale { proceeds } else { paid };
    (back.is_negative() || back > most)
        .then(|| format!("{}: the refund {back} is not between 0 and {most}", exit_name(exit)))
}
