//! `recoup-sql --plugins DIR QUERY`: a query with recoup's functions, its answer as a table.

use std::env;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{SessionConfig, SessionContext};
use recoup_core::context::Run;
use recoup_engine::Engine;
use recoup_plugin::host::PluginDir;

const USAGE: &str = "usage: recoup-sql --plugins DIR QUERY, for example\n  \
    recoup-sql --plugins plugins \"SELECT provider, currency, sum(refund) FROM assess('portfolio.parquet') WHERE is_best GROUP BY 1, 2\"";

async fn answer(plugins: &str, query: &str) -> Result<String, Box<dyn std::error::Error>> {
    let engine = Arc::new(Engine::from_plugins(PluginDir::open(Path::new(plugins))?));
    let session = SessionContext::new_with_config(SessionConfig::new().with_information_schema(true));
    recoup_datafusion::register(&session, &engine, &Run::default());
    let batches = session.sql(query).await?.collect().await?;
    Ok(pretty_format_batches(&batches)?.to_string())
}

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let said = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--plugins", plugins, query] => answer(plugins, query).await.map_err(|error| error.to_string()),
        _ => Err(USAGE.to_owned()),
    };
    let (written, code) = match said {
        Ok(table) => (writeln!(io::stdout(), "{table}"), ExitCode::SUCCESS),
        Err(what) => (writeln!(io::stderr(), "{what}"), ExitCode::FAILURE),
    };
    // A closed pipe is no error.
    let _ = written;
    code
}
