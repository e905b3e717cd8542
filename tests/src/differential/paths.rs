//! The paths from a resource to its answer.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::ops::ControlFlow;

use recoup_core::adapter::{Provider, Rules};
use recoup_core::assessment::{Assessment, Subject};
use recoup_core::context::Run;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_engine::pipeline::{self, Input, Output};
use recoup_engine::{Answered, Assessor};
use recoup_generate::Generator;
use recoup_portfolio::read::{Opened, from_reader};
use recoup_portfolio::write::{FactNames, Writer};

use super::{Answer, Reading, Said};

fn answer(subject: Subject, assessment: &Assessment) -> Answer {
    Answer { subject, outcome: assessment.outcome(), best: assessment.best(), rulings: assessment.rulings().to_vec() }
}

fn of_answered(answered: Answered) -> Answer {
    answer(answered.subject, &answered.assessment)
}

/// Records in batches, as Arrow rows.
pub(super) fn through(assessor: &Assessor<'_>, resources: &[ResourceRecord]) -> Vec<Said> {
    let said = assessor.assess(resources.to_vec());
    said.into_iter().map(|said| said.map(of_answered).map_err(|error| error.to_string())).collect()
}

/// The same, each at an instant of its own.
pub(super) fn through_at(assessor: &Assessor<'_>, rows: &[(&ResourceRecord, Instant)]) -> Vec<Said> {
    let said = assessor.assess_at(rows);
    said.into_iter().map(|said| said.map(of_answered).map_err(|error| error.to_string())).collect()
}

/// Written into a file of some form, and read back by some threads.
pub(super) fn through_file(
    assessor: &Assessor<'_>,
    generator: &Generator,
    resources: &[ResourceRecord],
    reading: Reading,
) -> Vec<Said> {
    let facts = FactNames { resources: generator.facts(), orders: generator.facts_of_orders() };
    let written = (|| {
        let mut file = Vec::new();
        let mut writer = Writer::new(reading.form, &mut file, &facts)?;
        for resource in resources {
            let zone = generator.zone_of(&resource.provider, resource.site.as_deref()).unwrap_or(Zone::UTC);
            writer.add(resource, zone)?;
        }
        writer.finish().map(|()| file)
    })();
    let file = match written {
        Ok(file) => file,
        Err(error) => return vec![Err(format!("not written: {error}"))],
    };
    match from_reader("generated", Box::new(Cursor::new(file))) {
        Ok(Opened::Portfolio(portfolio)) => read_back(assessor, portfolio, reading.threads),
        Ok(other) => vec![Err(format!("not taken for a portfolio: {other:?}"))],
        Err(error) => vec![Err(error.to_string())],
    }
}

fn read_back(assessor: &Assessor<'_>, portfolio: recoup_portfolio::read::Portfolio, threads: usize) -> Vec<Said> {
    let mut said = Vec::new();
    pipeline::run(assessor, vec![Input::Portfolio(portfolio)], &|_| true, threads, |output| {
        said.push(match output {
            Output::Answered { answered, .. } => Ok(of_answered(*answered)),
            Output::Problem { what, .. } | Output::Remark { what, .. } => Err(what),
        });
        ControlFlow::Continue(())
    });
    said
}

type Rule = Box<dyn Fn(&Run, &ResourceRecord) -> Said + Send + Sync>;

/// The rules of every adapter over owned records, without rows in between.
pub(super) struct Owned(BTreeMap<String, Rule>);

impl Owned {
    pub(super) fn all() -> Self {
        let mut rules = BTreeMap::new();
        macro_rules! add {
            ($($provider:ty),+ $(,)?) => { $(add::<$provider>(&mut rules);)+ };
        }
        crate::with_adapters!(add);
        Self(rules)
    }

    pub(super) fn answer(&self, run: &Run, resource: &ResourceRecord) -> Said {
        let rule = self.0.get(&resource.provider).ok_or("no such provider")?;
        rule(run, resource)
    }
}

#[allow(clippy::expect_used, reason = "a test fails by panicking")]
fn add<P: Provider + Send + Sync + 'static>(rules: &mut BTreeMap<String, Rule>) {
    let book = Rules::<P>::load().expect("a policy that builds");
    let provider = book.book().policy().provider.clone();
    let rule = move |run: &Run, resource: &ResourceRecord| {
        let (subject, assessment) = book.assess_record(run, resource).map_err(|error| error.to_string())?;
        Ok(answer(subject, &assessment))
    };
    rules.insert(provider, Box::new(rule));
}

/// A number that depends on a seed and a resource's number alone.
pub(super) fn pick(seed: u64, number: u64) -> u64 {
    let mixed = (seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed ^ (mixed >> 29)
}
