//! Measures recoup, side by side in one run: `cargo xtask bench [FILTER]`.
//!
//! Needs `RECOUP_DIST`, a folder with the program and its adapters (`cargo xtask dist`). FILTER is a part
//! of the name of a table: `rulings`, `boundary`, `paths`, `text`, `files`. How to read the tables:
//! `docs/PERFORMANCE.md`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing its figures is what a benchmark is for")]

mod batches;
mod files;
mod generate;
mod measure;
mod stream;
mod text;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use recoup_core::context::Run;
use recoup_engine::Engine;
use recoup_plugin::host::PluginDir;

/// Anything that keeps a table from being measured.
pub(crate) type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("recoup-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Failure> {
    let filter = env::args().nth(1).unwrap_or_default();
    let wanted = |name: &str| name.contains(&filter);
    if wanted("stream") {
        println!("{}", measure::machine());
        stream::parts()?;
        if filter == "stream" {
            return Ok(());
        }
    }
    let dist = PathBuf::from(env::var_os("RECOUP_DIST").ok_or("RECOUP_DIST is not set: run `cargo xtask bench`")?);
    let engine = Engine::from_plugins(PluginDir::open(&dist.join("plugins"))?);
    println!("{}", measure::machine());
    println!("Medians of {} rounds; batches are assessed on one thread, in its own CPU time.", measure::ROUNDS);
    for provider in generate::PROVIDERS {
        let adapter = engine.adapter(provider.name)?;
        let run = Run::at(generate::now()).with_accounts(generate::accounts(provider));
        if wanted("rulings") {
            batches::rulings(adapter.as_ref(), provider, &run)?;
        }
        if wanted("boundary") {
            batches::boundary(adapter.as_ref(), provider, &run)?;
        }
        if wanted("paths") {
            match provider.name {
                "huawei" => batches::paths::<recoup_huawei::Huawei>(adapter.as_ref(), provider, &run)?,
                _ => batches::paths::<recoup_alibaba::Alibaba>(adapter.as_ref(), provider, &run)?,
            }
        }
    }
    if wanted("text") {
        text::text(&engine)?;
    }
    if wanted("files") {
        files::files(&dist)?;
    }
    Ok(())
}
