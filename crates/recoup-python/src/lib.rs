//! The Python module `recoup._recoup`: what the package `recoup` is made on.
//!
//! Tables come and go through the Arrow PyCapsule interface, so no library for tables is needed and none
//! is preferred. Nothing of Python is held while rules run.

mod assessments;
mod assessor;
mod capsule;
mod errors;

use std::sync::Arc;

use arrow_schema::Schema;
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

/// The columns of a portfolio.
#[pyfunction]
fn portfolio_schema() -> SchemaOf {
    SchemaOf(Arc::new(recoup_tables::portfolio_schema()))
}

/// The columns of the rulings that come out.
#[pyfunction]
fn rulings_schema() -> SchemaOf {
    SchemaOf(Arc::new(recoup_tables::schema_of_rulings()))
}

/// Columns, for whatever understands `__arrow_c_schema__`.
#[pyclass(module = "recoup", name = "Schema", frozen)]
struct SchemaOf(Arc<Schema>);

#[pymethods]
impl SchemaOf {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        capsule::columns(py, &self.0)
    }

    /// The names of the columns.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.0.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn __repr__(&self) -> String {
        format!("recoup.Schema({})", self.names().join(", "))
    }
}

#[pymodule]
fn _recoup(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("RecoupError", module.py().get_type::<errors::RecoupError>())?;
    module.add_class::<SchemaOf>()?;
    module.add_class::<assessor::Assessor>()?;
    module.add_class::<assessments::Assessments>()?;
    module.add_class::<assessments::AssessmentStream>()?;
    module.add_function(wrap_pyfunction!(portfolio_schema, module)?)?;
    module.add_function(wrap_pyfunction!(rulings_schema, module)?)
}
