//! `recoup check`: conformance cases through the installed adapters.

use std::collections::BTreeMap;
use std::fs;

use recoup_core::assessment::to_json;
use recoup_core::conformance::{Case, judge};
use recoup_core::record::ResourceRecord;
use recoup_engine::{Assessor, Engine};
use serde_json::Value;

use crate::cli::Check;
use crate::host::{Failure, Outcome, Status, print, say};

fn assess(engine: &Engine, case: &Case) -> Result<Value, String> {
    let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
    let run = case.run(&zone_of)?;
    let resource = ResourceRecord::from_json(case.resource(), &zone_of).map_err(|faults| faults.to_string())?.record;
    let answers = Assessor::new(engine, run).assess(vec![resource]);
    let answered = answers.into_iter().next().ok_or("no answer came back")?.map_err(|error| error.to_string())?;
    Ok(to_json(&answered.subject, &answered.assessment, &answered.policy))
}

pub(crate) fn check(engine: &Engine, args: &Check) -> Outcome {
    let mut by_provider: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    let mut status = Status::Done;
    for file in &args.files {
        let read = fs::read_to_string(file)
            .map_err(|error| error.to_string())
            .and_then(|text| Case::read_all(&text).map_err(|error| error.to_string()));
        match read {
            Ok(cases) => {
                cases
                    .into_iter()
                    .for_each(|case| by_provider.entry(case.provider().to_owned()).or_default().push(case));
            }
            Err(error) => {
                say(format_args!("{file}: {error}"));
                status = Status::BadInput;
            }
        }
    }
    let (mut passed, mut failed) = (0, 0);
    let mut text = String::new();
    for (provider, cases) in by_provider {
        let policy = match engine.policy(&provider) {
            Ok(policy) => policy,
            Err(error) => {
                failed += cases.len();
                text.push_str(&format!("FAILED {} case(s): {error}\n", cases.len()));
                continue;
            }
        };
        let report = judge(&policy, &cases, |case| assess(engine, case));
        failed += report.failures.len();
        passed += report.cases - report.failures.len();
        for (id, differences) in &report.failures {
            text.push_str(&format!("FAILED {id}\n"));
            for difference in differences {
                text.push_str(&format!("    {difference}\n"));
            }
        }
        if args.coverage {
            for line in report.uncovered() {
                text.push_str(&format!("not covered: {line}\n"));
                failed += 1;
            }
        }
    }
    text.push_str(&format!("{passed} passed, {failed} failed\n"));
    print(&text)?;
    if failed > 0 {
        status = status.max(Status::CheckFailed);
    } else if passed == 0 {
        return Err(Failure::input("no case was found"));
    }
    Ok(status)
}

/// For each clause, the cases in which it bites.
pub(crate) fn bites(engine: &Engine, files: &[String]) -> Result<BTreeMap<String, Vec<String>>, Failure> {
    let mut bites: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        let text = fs::read_to_string(file).map_err(|error| Failure::input(format_args!("{file}: {error}")))?;
        for case in Case::read_all(&text).map_err(|error| Failure::input(format_args!("{file}: {error}")))? {
            let assessment =
                assess(engine, &case).map_err(|error| Failure::input(format_args!("{}: {error}", case.id)))?;
            for clause in recoup_core::conformance::bitten(&assessment) {
                bites.entry(clause).or_default().push(case.id.clone());
            }
        }
    }
    Ok(bites)
}
