//! Case files and how they are judged (FORMATS.md, section 5).

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use serde_json::Value;

use crate::adapter::{Provider, Rules};
use crate::context::Run;
use crate::money::Number;
use crate::policy::ClauseKind;
use crate::record::{AccountRecord, ZoneOf};
use crate::time::{Instant, Zone};

/// A case: a resource at an instant, and what an assessment of it must say.
#[derive(Debug, Clone)]
pub struct Case {
    /// Its id.
    pub id: String,
    /// The whole case, for messages.
    pub json: Value,
}

/// A case file that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CaseError {
    /// It is not JSON.
    #[error("not JSON: {0}")]
    Json(String),
    /// It is JSON of another form.
    #[error("{0}")]
    Form(String),
}

impl Case {
    /// Reads a case file: an array of cases.
    ///
    /// # Errors
    /// Where it is not JSON, or a case lacks `id`, `at`, `resource` or `expect`.
    pub fn read_all(text: &str) -> Result<Vec<Self>, CaseError> {
        let json: Value = serde_json::from_str(text).map_err(|error| CaseError::Json(error.to_string()))?;
        let Value::Array(items) = json else {
            return Err(CaseError::Form("expected an array of cases".to_owned()));
        };
        let mut cases = Vec::with_capacity(items.len());
        for (index, json) in items.into_iter().enumerate() {
            let Some(id) = json.get("id").and_then(Value::as_str).map(str::to_owned) else {
                return Err(CaseError::Form(format!("case {}: \"id\" is missing", index + 1)));
            };
            if let Some(missing) = ["at", "resource", "expect"].iter().find(|name| json.get(**name).is_none()) {
                return Err(CaseError::Form(format!("{id}: {missing:?} is missing")));
            }
            cases.push(Self { id, json });
        }
        Ok(cases)
    }

    /// The resource.
    #[must_use]
    pub fn resource(&self) -> &Value {
        self.json.get("resource").unwrap_or(&Value::Null)
    }

    /// The provider of the resource.
    #[must_use]
    pub fn provider(&self) -> &str {
        self.resource().get("provider").and_then(Value::as_str).unwrap_or_default()
    }

    /// The run in which the case is assessed.
    ///
    /// # Errors
    /// Where instant, edition or account cannot be read.
    pub fn run(&self, zone_of: &ZoneOf<'_>) -> Result<Run, String> {
        let text = |name: &str| self.json.get(name).and_then(Value::as_str);
        let site = self.resource().get("site").and_then(Value::as_str);
        let zone = zone_of(self.provider(), site).unwrap_or(Zone::UTC);
        let at = Instant::parse(text("at").unwrap_or_default(), zone).map_err(|error| format!("\"at\": {error}"))?;
        let edition = text("edition")
            .map(|date| date.parse::<NaiveDate>().map_err(|_| format!("\"edition\": {date:?} is not a date")))
            .transpose()?;
        let mut accounts = Vec::new();
        if let Some(account) = self.json.get("account").filter(|account| !account.is_null()) {
            accounts.push(
                AccountRecord::from_json(account, zone_of).map_err(|error| format!("\"account\": {error}"))?.record,
            );
        }
        let mut run = Run::at(at).with_accounts(accounts);
        run.edition = edition;
        run.trace = true;
        Ok(run)
    }

    /// Everything in which an assessment differs from what the case expects.
    #[must_use]
    pub fn differences(&self, assessment: &Value) -> Vec<String> {
        let mut differences = Vec::new();
        if let Some(expect) = self.json.get("expect") {
            compare(expect, assessment, "", &mut differences);
        }
        differences
    }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    if text.len() > 300 { format!("{}...", text.chars().take(300).collect::<String>()) } else { text }
}

fn reasons(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().filter_map(|item| item.get("reason").and_then(Value::as_str)).collect()
}

fn scalar_equal(expected: &Value, actual: &Value) -> bool {
    if expected == actual {
        return true;
    }
    let text = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let (Some(expected), Some(actual)) = (text(expected), text(actual)) else { return false };
    if let (Ok(a), Ok(b)) = (expected.parse::<Number>(), actual.parse::<Number>()) {
        return a == b;
    }
    matches!((Instant::parse(&expected, Zone::UTC), Instant::parse(&actual, Zone::UTC)), (Ok(a), Ok(b)) if a == b)
}

fn matches(expected: &Value, actual: &Value) -> bool {
    let mut differences = Vec::new();
    compare(expected, actual, "", &mut differences);
    differences.is_empty()
}

fn compare(expected: &Value, actual: &Value, path: &str, differences: &mut Vec<String>) {
    match (expected, actual) {
        (Value::Object(fields), Value::Object(_)) => {
            for (name, value) in fields {
                let at = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let found = actual.get(name).unwrap_or(&Value::Null);
                match name.as_str() {
                    "refusals" | "unknowns" => compare_reasons(name, value, found, &at, differences),
                    "exits" => compare_exits(value, found, &at, differences),
                    _ => compare(value, found, &at, differences),
                }
            }
        }
        (Value::Object(_), Value::Array(items)) => {
            if !items.iter().any(|item| matches(expected, item)) {
                differences.push(format!("{path}: expected one like {}, found {}", shown(expected), shown(actual)));
            }
        }
        (Value::Array(wanted), Value::Array(items)) => {
            if wanted.is_empty() && !items.is_empty() {
                differences.push(format!("{path}: expected none, found {}", shown(actual)));
            }
            for want in wanted {
                if !items.iter().any(|item| matches(want, item)) {
                    differences.push(format!("{path}: expected one like {}, found {}", shown(want), shown(actual)));
                }
            }
        }
        // Nothing expected of a list: it may be written as empty.
        (Value::Null, Value::Array(items)) if items.is_empty() => {}
        _ => {
            if !scalar_equal(expected, actual) {
                differences.push(format!("{path}: expected {}, found {}", shown(expected), shown(actual)));
            }
        }
    }
}

fn compare_reasons(name: &str, expected: &Value, actual: &Value, path: &str, differences: &mut Vec<String>) {
    let (wanted, found) = (reasons(expected), reasons(actual));
    for item in expected.as_array().into_iter().flatten() {
        if !actual.as_array().into_iter().flatten().any(|other| matches(item, other)) {
            differences.push(format!("{path}: expected {}, found {found:?}", shown(item)));
        }
    }
    // Refusals are complete; unknowns are at least those expected.
    if name == "refusals" {
        for reason in found.iter().filter(|reason| !wanted.contains(reason)) {
            differences.push(format!("{path}: found {reason:?}, which is not expected"));
        }
    }
}

fn compare_exits(expected: &Value, actual: &Value, path: &str, differences: &mut Vec<String>) {
    for wanted in expected.as_array().into_iter().flatten() {
        let name = wanted.get("exit").and_then(Value::as_str).unwrap_or_default();
        let found =
            actual.as_array().into_iter().flatten().find(|exit| exit.get("exit").and_then(Value::as_str) == Some(name));
        match found {
            Some(found) => compare(wanted, found, &format!("{path}[{name}]"), differences),
            None => {
                let there: Vec<&str> = actual
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|exit| exit.get("exit").and_then(Value::as_str))
                    .collect();
                differences.push(format!("{path}: the exit {name:?} is expected, found {there:?}"));
            }
        }
    }
}

/// How often each clause bit and let pass in the cases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Assessments in which it refused, was unknown or shaped a ruling.
    pub bites: usize,
    /// Assessments in which it did not.
    pub passes: usize,
}

/// What running cases against an adapter showed.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Cases that failed, with everything in which they differ.
    pub failures: Vec<(String, Vec<String>)>,
    /// How many were run.
    pub cases: usize,
    /// By clause id. Clauses that no case can show (`kind = "text"`) are not in it.
    pub coverage: BTreeMap<String, Coverage>,
}

impl Report {
    /// The clauses that never bit, or never let pass.
    #[must_use]
    pub fn uncovered(&self) -> Vec<String> {
        self.coverage
            .iter()
            .filter_map(|(id, coverage)| match (coverage.bites, coverage.passes) {
                (0, _) => Some(format!("{id}: bites in no case")),
                (_, 0) => Some(format!("{id}: lets pass in no case")),
                _ => None,
            })
            .collect()
    }
}

/// Runs cases through an assessor, which gives an assessment with its steps, and judges them.
pub fn judge(
    policy: &crate::policy::Policy,
    cases: &[Case],
    mut assess: impl FnMut(&Case) -> Result<Value, String>,
) -> Report {
    let mut report = Report { cases: cases.len(), ..Report::default() };
    for clause in policy.clauses.iter().filter(|clause| clause.kind == ClauseKind::Rule) {
        report.coverage.insert(clause.id.clone(), Coverage::default());
    }
    for case in cases {
        match assess(case) {
            Ok(assessment) => {
                let differences = case.differences(&assessment);
                if !differences.is_empty() {
                    report.failures.push((case.id.clone(), differences));
                }
                count(&mut report.coverage, &assessment);
            }
            Err(error) => report.failures.push((case.id.clone(), vec![error])),
        }
    }
    report
}

/// The clauses that bit in an assessment: that refused, were unknown or shaped a ruling.
#[must_use]
pub fn bitten(assessment: &Value) -> BTreeSet<String> {
    let items = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let mut bitten = BTreeSet::new();
    for step in items(assessment, "exits").iter().flat_map(|exit| items(exit, "steps")) {
        if text(&step, "verdict").is_some_and(|verdict| verdict != "passes") {
            bitten.extend(text(&step, "clause"));
        }
    }
    bitten
}

fn count(coverage: &mut BTreeMap<String, Coverage>, assessment: &Value) {
    let bitten = bitten(assessment);
    for (id, counts) in coverage {
        if bitten.contains(id) { counts.bites += 1 } else { counts.passes += 1 }
    }
}

/// Runs cases against an adapter that is linked in.
///
/// # Errors
/// Where the adapter's policy is malformed.
pub fn judge_linked<P: Provider>(cases: &[Case]) -> Result<Report, crate::adapter::AdapterError> {
    let rules = Rules::<P>::load()?;
    let zone_of = |_: &str, site: Option<&str>| rules.zone_of(site);
    Ok(judge(rules.book().policy(), cases, |case| {
        let run = case.run(&zone_of)?;
        rules.assess_json(&run, case.resource()).map_err(|error| error.to_string())
    }))
}
