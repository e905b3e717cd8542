//! Rulings on their way back to Python.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;
use recoup_tables::{Part, Said, assess_in_parts, schema_of_rulings};

use crate::assessor::Shared;
use crate::capsule;
use crate::errors::raise;

/// What is said of rows, as Python has it: the row and the words.
pub(crate) type Words = Vec<(usize, String)>;

/// The rulings on a table, one row for each exit of each resource.
///
/// Anything that understands the Arrow PyCapsule interface takes it as a table: `pyarrow.table(it)`,
/// `polars.DataFrame(it)`, `duckdb.sql("from it")`.
#[pyclass(module = "recoup", frozen)]
pub(crate) struct Assessments {
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
    problems: Words,
    remarks: Words,
}

impl Assessments {
    pub(crate) fn new(parts: Vec<Part>) -> Self {
        let words = |said: Said| (said.row, said.what);
        let (mut batches, mut problems, mut remarks) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for part in parts {
            batches.push(part.rulings);
            problems.extend(part.problems.into_iter().map(words));
            // The same name in every part is remarked upon once.
            remarks.extend(part.remarks.into_iter().filter(|said| seen.insert(said.what.clone())).map(words));
        }
        Self { schema: Arc::new(schema_of_rulings()), batches, problems, remarks }
    }
}

#[pymethods]
impl Assessments {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::columns(py, &self.schema)
    }

    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::stream(py, &self.schema, self.batches.clone().into_iter().map(Ok), requested_schema)
    }

    fn __len__(&self) -> usize {
        self.batches.iter().map(RecordBatch::num_rows).sum()
    }

    /// Rows of the table that could not be read or assessed: the row, counted from 0, and what is wrong.
    #[getter]
    fn problems(&self) -> Words {
        self.problems.clone()
    }

    /// Names that were not understood and left out of account: the first row that has one, and the words.
    #[getter]
    fn remarks(&self) -> Words {
        self.remarks.clone()
    }

    fn __repr__(&self) -> String {
        format!("recoup.Assessments({} rulings, {} problems)", self.__len__(), self.problems.len())
    }
}

/// Assesses batch by batch while somebody reads.
struct Assessing {
    shared: Shared,
    batches: Box<dyn RecordBatchReader + Send>,
    schema: SchemaRef,
    rows: usize,
    raise: bool,
    problems: Arc<Mutex<Words>>,
}

impl Assessing {
    fn answer(&mut self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let external = |what: String| ArrowError::ComputeError(what);
        let parts = assess_in_parts(&self.shared.assessor, std::slice::from_ref(batch), self.shared.threads)
            .map_err(|error| external(error.to_string()))?;
        let before = self.rows;
        self.rows += batch.num_rows();
        let mut rulings = Vec::with_capacity(parts.len());
        for part in parts {
            let words = part.problems.into_iter().map(|said| (before + said.row, said.what));
            let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
            problems.extend(words);
            if let Some((row, what)) = problems.first().filter(|_| self.raise) {
                return Err(external(format!("row {row}: {what}")));
            }
            rulings.push(part.rulings);
        }
        arrow_select::concat::concat_batches(&self.schema, &rulings)
    }
}

impl Iterator for Assessing {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = self.batches.next()?;
        Some(batch.and_then(|batch| self.answer(&batch)))
    }
}

/// The rulings on a stream of batches, made while they are read: a table of any size in bounded memory.
///
/// It can be read once, by whatever understands the Arrow PyCapsule interface, for example
/// `pyarrow.RecordBatchReader.from_stream(it)`.
#[pyclass(module = "recoup", frozen)]
pub(crate) struct AssessmentStream {
    schema: SchemaRef,
    reader: Mutex<Option<Assessing>>,
    problems: Arc<Mutex<Words>>,
}

impl AssessmentStream {
    pub(crate) fn new(shared: Shared, batches: Box<dyn RecordBatchReader + Send>, raise: bool) -> Self {
        let problems = Arc::new(Mutex::new(Vec::new()));
        let schema = Arc::new(schema_of_rulings());
        let reader =
            Assessing { shared, batches, schema: Arc::clone(&schema), rows: 0, raise, problems: Arc::clone(&problems) };
        Self { schema, reader: Mutex::new(Some(reader)), problems }
    }
}

#[pymethods]
impl AssessmentStream {
    #[pyo3(signature = (requested_schema = None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyCapsule>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        let reader = reader.ok_or_else(|| raise("the stream has been read already; it can be read once"))?;
        capsule::stream(py, &self.schema, reader, requested_schema)
    }

    /// Rows read so far that could not be read or assessed: the row, counted from 0, and what is wrong.
    #[getter]
    fn problems(&self) -> Words {
        self.problems.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
