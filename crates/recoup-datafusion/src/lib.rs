//! recoup in SQL: functions for [DataFusion](https://datafusion.apache.org), which reads files and object
//! stores and streams batch to batch.
//!
//! ```sql
//! SELECT provider, currency, sum(refund) FROM assess('portfolio.parquet', '2026-02-10') WHERE is_best GROUP BY 1, 2
//! ```
//!
//! | function | gives |
//! |---|---|
//! | `assess(file or table [, at [, accounts]])` | the rulings, one row for each exit; fails on a row that cannot be assessed |
//! | `try_assess(...)` | the same without the rows that cannot be assessed |
//! | `assess_problems(...)` | the rows that cannot be assessed, and what is wrong with them |
//! | `recoup_best(resource, at)` | of one resource at one instant: outcome, best exit, refund, until |
//!
//! | module | subject |
//! |---|---|
//! | [`table`] | the table functions: what is asked, and where the portfolio is |
//! | [`exec`] | the step of a plan that assesses batches |
//! | [`scalar`] | the scalar function |

pub mod exec;
pub mod scalar;
pub mod table;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;
use recoup_core::context::Run;
use recoup_engine::Engine;

use crate::scalar::Best;
use crate::table::{Assess, Gives};

/// Makes the functions known to a session. `run` has what every question shares: accounts, an edition,
/// what to assume. The instant is the question's own.
pub fn register(session: &SessionContext, engine: &Arc<Engine>, run: &Run) {
    for (name, gives) in [
        ("assess", Gives::Rulings { of_all: true }),
        ("try_assess", Gives::Rulings { of_all: false }),
        ("assess_problems", Gives::Problems),
    ] {
        session.register_udtf(name, Arc::new(Assess::new(name, Arc::clone(engine), run.clone(), gives)));
    }
    session.register_udf(ScalarUDF::from(Best::new(Arc::clone(engine), run.clone())));
}
