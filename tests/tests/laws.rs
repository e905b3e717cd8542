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

/// NDJSON and all that is said beside it, as the record-wise pipeline has it.
fn by_records(engine: &Engine, file: &str) -> (String, Vec<String>) {
    use recoup_engine::pipeline::{Output, run};
    let (mut text, mut aside) = (String::new(), Vec::new());
    run(&Assessor::new(engine, self::run()), open(file), &|_| true, 2, |output| {
        match output {
            Output::Answered { answered, .. } => text += &format!("{}\n", answered.to_json()),
            said => aside.push(format!("{said:?}")),
        }
        std::ops::ControlFlow::Continue(())
    });
    (text, aside)
}

/// The same as the stream has it, whose threads write what they assessed.
fn streamed(engine: &Engine, file: &str, threads: usize) -> (String, Vec<String>) {
    use recoup_engine::stream::{Flow, Render, stream};
    use recoup_report::parts::{PartFormat, PartWriter};
    struct Lines(PartWriter);
    impl Render for Lines {
        type Part = Vec<u8>;
        fn add(&mut self, answered: &Answered) {
            self.0.add(answered).unwrap();
        }
        fn part(&mut self) -> Vec<u8> {
            self.0.part().unwrap()
        }
    }
    let stop = std::sync::atomic::AtomicBool::new(false);
    let flow = Flow { threads, keep: &|_, _| true, stop: &stop };
    let (mut text, mut aside) = (Vec::new(), Vec::new());
    let assessor = Assessor::new(engine, run());
    stream(
        &assessor,
        open(file),
        &flow,
        || Lines(PartFormat::Ndjson.writer()),
        |part| {
            text.extend(part.rendered);
            aside.extend(part.aside.iter().map(|said| format!("{said:?}")));
            std::ops::ControlFlow::Continue(())
        },
    );
    (String::from_utf8(text).unwrap(), aside)
}

fn open(file: &str) -> Vec<recoup_engine::pipeline::Input> {
    match recoup_portfolio::read::open(file).unwrap() {
        recoup_portfolio::read::Opened::Portfolio(portfolio) => {
            vec![recoup_engine::pipeline::Input::Portfolio(portfolio)]
        }
        _ => panic!("{file} is a portfolio"),
    }
}

/// Every case of every provider, mixed; records that are broken, unknown, blank, there twice.
fn mixed() -> Vec<String> {
    let engine = Engine::from_adapters(linked());
    let mut lines: Vec<String> = Vec::new();
    for provider in engine.providers() {
        lines.extend(cases(&provider).iter().map(|case| case.resource().to_string()));
    }
    // Neighbours are of different providers, as in a real portfolio.
    let count = lines.len();
    let mut lines: Vec<String> = (0..count).map(|place| lines[place * 7919 % count].clone()).collect();
    for (place, line) in [
        (3, "not JSON"),
        (4, ""),
        (9, r#"{"provider":"nobody","id":"a","product":"b","billing":"subscription","status":"active"}"#),
        (
            20,
            r#"{"provider":"hetzner","id":"a","product":"konsoleh","billing":"subscription","status":"active","colour":"red"}"#,
        ),
        (21, r#"{"provider":"hetzner","id":"\u0061","product":"konsoleh","billing":"subscription","status":"active"}"#),
        (900, r#"{"provider":"hetzner","id":"b","product":"konsoleh","billing":"weekly","status":"active"}"#),
    ] {
        lines.insert(place, line.to_owned());
    }
    lines
}

/// The records as CSV: what has a structure is JSON text.
fn csv(lines: &[String]) -> String {
    use serde_json::Value;
    let columns = recoup_core::record::RESOURCE_FIELDS;
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(columns).unwrap();
    for record in lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        writer
            .write_record(columns.iter().map(|name| match &record[*name] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }))
            .unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

#[test]
fn what_is_streamed_is_what_the_records_one_by_one_come_to() {
    let engine = Engine::from_adapters(linked());
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    };
    let lines = mixed();
    let ndjson = write("p.ndjson", &lines.join("\n"));
    // Enough lines for several blocks, every resource again and again under another id.
    let many: Vec<String> = (0..3)
        .flat_map(|round| lines.iter().map(move |line| line.replacen("\"id\":\"", &format!("\"id\":\"{round}-"), 1)))
        .collect();
    let many = write("many.ndjson", &many.join("\n"));
    let array: Vec<&str> = lines.iter().map(String::as_str).filter(|line| line.starts_with('{')).collect();
    let array = write("p.json", &format!("[{}]", array.join(",\n")));
    let csv = write("p.csv", &csv(&lines));
    for file in [&ndjson, &many, &array, &csv] {
        let (text, aside) = by_records(&engine, file);
        assert!(text.lines().count() > 1_000, "{file}");
        assert!(aside.iter().any(|said| said.contains("was there before")), "{aside:?}");
        for threads in [1, 2, 5] {
            let (streamed, beside) = streamed(&engine, file, threads);
            assert!(streamed == text, "{file}, {threads} threads");
            assert_eq!(beside, aside, "{file}, {threads} threads");
        }
    }
}
