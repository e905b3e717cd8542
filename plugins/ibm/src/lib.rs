//! To be written.

recoup_core::include_policy!();
