//! One question to the rules, as a Python object.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use arrow_array::RecordBatch;
use pyo3::prelude::*;
use pyo3_arrow::input::AnyRecordBatch;
use recoup_core::context::Run;
use recoup_engine::{Engine, question};
use recoup_plugin::host::PluginDir;
use recoup_report::{Look, explain};
use recoup_tables::{assess, assess_in_parts};

use crate::assessments::{AssessmentStream, Assessments};
use crate::errors::raise;

/// A run that streams share with the object that began them.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) assessor: Arc<recoup_engine::Assessor<'static>>,
    pub(crate) threads: usize,
}

/// A question to the rules: when, for which accounts, by which adapters. Answers any number of tables.
#[pyclass(module = "recoup", frozen)]
pub(crate) struct Assessor {
    engine: Arc<Engine>,
    shared: Shared,
}

/// The engines of this process, by their folders of adapters: no library is ever unloaded, so whoever asks
/// again, for another day say, finds its adapters opened.
static ENGINES: LazyLock<Mutex<HashMap<PathBuf, Arc<Engine>>>> = LazyLock::new(Mutex::default);

/// The engine over a folder of adapters.
fn engine(adapters: &Path) -> Result<Arc<Engine>, String> {
    let folder = adapters.canonicalize().map_err(|error| format!("{}: {error}", adapters.display()))?;
    let mut engines = ENGINES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(engine) = engines.get(&folder) {
        return Ok(Arc::clone(engine));
    }
    let plugins = PluginDir::open(adapters).map_err(|error| error.to_string())?;
    if let Some(problem) = plugins.problems().first() {
        return Err(problem.to_string());
    }
    let engine = Arc::new(Engine::from_plugins(plugins));
    engines.insert(folder, Arc::clone(&engine));
    Ok(engine)
}

/// The run that was asked for.
fn run(
    engine: &Engine,
    at: &str,
    edition: Option<&str>,
    assume: &[(String, String)],
    accounts: Option<&str>,
) -> Result<Run, String> {
    let mut run = Run::default();
    question::set_at(&mut run, at).map_err(|what| format!("at: {what}"))?;
    let date = |text| question::date(text).map_err(|what| format!("edition: {what}"));
    run.edition = edition.map(date).transpose()?;
    let pairs = assume.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    run.assumed = question::assumptions(pairs).map_err(|what| format!("assume: {what}"))?;
    if let Some(text) = accounts {
        let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
        let read = recoup_portfolio::accounts::from_text("accounts", text, &zone_of);
        let accounts = read.map_err(|error| error.to_string())?;
        if let Some(fault) = accounts.faults.first() {
            return Err(fault.clone());
        }
        run = run.with_accounts(accounts.records);
    }
    Ok(run)
}

/// All batches of a table, read without holding the interpreter's lock: they may be made while they are
/// read, by threads that want it.
fn batches(py: Python<'_>, table: AnyRecordBatch) -> PyResult<Vec<RecordBatch>> {
    let reader = table.into_reader()?;
    py.detach(|| reader.collect::<Result<Vec<_>, _>>()).map_err(raise)
}

#[pymethods]
impl Assessor {
    #[new]
    #[expect(clippy::needless_pass_by_value, reason = "a list of Python arrives as a vector of its own")]
    #[pyo3(signature = (at, adapters, edition = None, assume = Vec::new(), accounts = None, threads = 1))]
    fn new(
        py: Python<'_>,
        at: &str,
        adapters: &str,
        edition: Option<&str>,
        assume: Vec<(String, String)>,
        accounts: Option<&str>,
        threads: usize,
    ) -> PyResult<Self> {
        py.detach(|| {
            let engine = engine(Path::new(adapters))?;
            let run = run(&engine, at, edition, &assume, accounts)?;
            let assessor = Arc::new(recoup_engine::Assessor::shared(Arc::clone(&engine), run));
            Ok::<_, String>(Self { engine, shared: Shared { assessor, threads } })
        })
        .map_err(raise)
    }

    /// The providers that the adapters serve.
    #[getter]
    fn providers(&self) -> Vec<String> {
        self.engine.providers()
    }

    /// Assesses a table.
    fn assess(&self, py: Python<'_>, table: AnyRecordBatch) -> PyResult<Assessments> {
        let batches = batches(py, table)?;
        let parts = py.detach(|| assess_in_parts(&self.shared.assessor, &batches, self.shared.threads));
        parts.map(Assessments::new).map_err(raise)
    }

    /// Assesses a table batch by batch while the answer is read.
    #[pyo3(signature = (table, raise_on_problem = true))]
    fn stream(&self, table: AnyRecordBatch, raise_on_problem: bool) -> PyResult<AssessmentStream> {
        Ok(AssessmentStream::new(self.shared.clone(), table.into_reader()?, raise_on_problem))
    }

    /// One resource of a table in full, as text for people.
    #[pyo3(signature = (table, id, width = 100))]
    fn explain(&self, py: Python<'_>, table: AnyRecordBatch, id: &str, width: usize) -> PyResult<String> {
        let batches = batches(py, table)?;
        py.detach(|| {
            let mut run = self.shared.assessor.run().clone();
            run.trace = true;
            let assessor = recoup_engine::Assessor::shared(Arc::clone(&self.engine), run);
            let mut texts = Vec::new();
            for batch in recoup_tables::with_id(&batches, id) {
                for answer in assess(&assessor, &batch, None).map_err(|error| error.to_string())?.answers {
                    texts.push(explain::explain(&answer?, &Look { width, ..Look::default() }));
                }
            }
            match texts.is_empty() {
                true => Err(format!("no resource of the table has the id {id:?}")),
                false => Ok(texts.join("\n")),
            }
        })
        .map_err(raise)
    }

    /// A provider's policy as JSON text.
    fn policy(&self, py: Python<'_>, provider: &str) -> PyResult<String> {
        let policy = py.detach(|| self.engine.policy(provider)).map_err(raise)?;
        serde_json::to_string(&*policy).map_err(raise)
    }
}
