//! What goes wrong, as exceptions.

use std::fmt::Display;

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(recoup, RecoupError, PyException, "Something that recoup cannot work with.");

/// An error with the words in which it says itself.
pub(crate) fn raise(error: impl Display) -> PyErr {
    RecoupError::new_err(error.to_string())
}
