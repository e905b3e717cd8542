//! The same answer on every path: loaded or linked, owned record or row, any batch size, order or number
//! of threads.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Arc;

use recoup_core::assessment::to_json;
use recoup_core::context::Run;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_engine::{Answered, Assessor, Engine};
use recoup_plugin::Adapter;
use recoup_plugin::host::PluginDir;
use recoup_tests::{cases, dist, linked};

fn loaded() -> Engine {
    Engine::from_plugins(PluginDir::open(&dist().join("plugins")).unwrap())
}

fn text(answered: &Answered) -> String {
    to_json(&answered.subject, &answered.assessment, &answered.policy).to_string()
}

fn resources(adapter: &dyn Adapter) -> Vec<ResourceRecord> {
    let zone_of = |_: &str, site: Option<&str>| adapter.zone_of(site);
    let mut resources: Vec<ResourceRecord> = Vec::new();
    for case in cases(adapter.provider()) {
        if let Ok(read) = ResourceRecord::from_json(case.resource(), &zone_of) {
            let mut resource = read.record;
            resource.id = format!("{}-{}", resource.id, resources.len());
            resources.push(resource);
        }
    }
    resources
}

fn run() -> Run {
    let mut run = Run::at(Instant::parse("2026-03-05T12:34:56Z", Zone::UTC).unwrap());
    run.trace = true;
    run
}

#[test]
fn loaded_equals_linked_case_by_case() {
    let (loaded, linked) = (loaded(), Engine::from_adapters(linked()));
    assert_eq!(loaded.providers(), linked.providers());
    for provider in loaded.providers() {
        for case in cases(&provider) {
            let zone_of = |provider: &str, site: Option<&str>| linked.zone_of(provider, site);
            let Ok(read) = ResourceRecord::from_json(case.resource(), &zone_of) else { continue };
            let answer = |engine: &Engine| {
                let run = case.run(&zone_of).unwrap();
                Assessor::new(engine, run)
                    .assess(vec![read.record.clone()])
                    .remove(0)
                    .map(|answered| text(&answered))
                    .map_err(|error| error.to_string())
            };
            assert_eq!(answer(&loaded), answer(&linked), "{}", case.id);
        }
    }
}

#[test]
fn an_owned_record_and_a_row_are_answered_alike() {
    macro_rules! alike {
        ($($provider:ty),+ $(,)?) => { $({
            let rules = recoup_core::adapter::Rules::<$provider>::load().unwrap();
            let adapter = Arc::new(recoup_plugin::Linked::<$provider>::new().unwrap());
            let resources = resources(adapter.as_ref());
            let engine = Engine::from_adapters(vec![adapter]);
            let answers = Assessor::new(&engine, run()).assess(resources.clone());
            for (resource, answer) in resources.iter().zip(answers) {
                let owned = rules.assess_record(&run(), resource).map(|(subject, assessment)| to_json(&subject, &assessment, rules.book().policy()).to_string());
                assert_eq!(answer.map(|answered| text(&answered)).map_err(|error| error.to_string()), owned.map_err(|error| error.to_string()), "{}", resource.id);
            }
        })+ };
    }
    alike![
        recoup_huawei::Huawei,
        recoup_alibaba::Alibaba,
        recoup_aws::Aws,
        recoup_azure::Azure,
        recoup_tencent::Tencent,
        recoup_hetzner::Hetzner
    ];
}

#[test]
fn neither_batch_size_nor_order_changes_an_answer() {
    let engine = Engine::from_adapters(linked());
    let mut all: Vec<ResourceRecord> = Vec::new();
    for provider in engine.providers() {
        all.extend(resources(engine.adapter(&provider).unwrap().as_ref()));
    }
    let answers = |chunk: usize, reversed: bool| {
        let mut resources = all.clone();
        if reversed {
            resources.reverse();
        }
        let assessor = Assessor::new(&engine, run());
        let mut texts: Vec<String> = Vec::new();
        for part in resources.chunks(chunk) {
            texts.extend(
                assessor
                    .assess(part.to_vec())
                    .into_iter()
                    .map(|answer| answer.map_or_else(|error| error.to_string(), |answered| text(&answered))),
            );
        }
        if reversed {
            texts.reverse();
        }
        texts
    };
    let whole = answers(all.len(), false);
    assert_eq!(answers(7, false), whole);
    assert_eq!(answers(1, true), whole);
    assert_eq!(answers(64, true), whole);
}
