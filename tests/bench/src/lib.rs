//! What the benchmarks share.

#![allow(clippy::print_stdout, reason = "printing its figures is what a benchmark is for")]

pub mod measure;

/// Anything that keeps something from being measured.
pub type Failure = Box<dyn std::error::Error>;
