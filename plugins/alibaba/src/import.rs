//! Reads what the provider's APIs print.

use recoup_core::import::{ImportFile, Imported};

pub(crate) fn recognises(_file: &ImportFile<'_>) -> bool {
    false
}

pub(crate) fn import(_files: &[ImportFile<'_>]) -> Imported {
    Imported::default()
}
