//! What is measured: portfolios as `recoup generate` makes them, the same ones in every run.

use std::sync::Arc;

use recoup_core::context::Run;
use recoup_core::policy::Policy;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_generate::{GenerateError, Generator};

const SEED: u64 = 1;

/// The instant asked about.
pub(crate) fn now() -> Instant {
    Instant::parse("2026-02-10T15:20:00+08:00", Zone::UTC).unwrap_or(Instant::from_micros(0))
}

/// What some providers sell.
pub(crate) fn generator(policies: &[Arc<Policy>]) -> Result<Generator, GenerateError> {
    Generator::new(SEED, now(), policies)
}

/// The first resources of a portfolio.
pub(crate) fn resources(generator: &Generator, count: usize) -> Vec<ResourceRecord> {
    generator.resources(count as u64).collect()
}

/// A run that knows the accounts of a portfolio.
pub(crate) fn run(generator: &Generator) -> Run {
    Run::at(now()).with_accounts(generator.accounts())
}
