//! Measures recoup, side by side in one run: `cargo xtask bench [FILTER]`.
//!
//! Needs `RECOUP_DIST`, a folder with the program and its adapters (`cargo xtask dist`). FILTER is a part
//! of the name of a table. How to read the tables: `docs/PERFORMANCE.md`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "printing its figures is what a benchmark is for")]

mod batches;
mod bounds;
mod files;
mod portfolio;
mod stream;
mod text;

use std::env;
use std::path::PathBuf;
use std::process::ExitCode;

use recoup_core::adapter::Provider;
use recoup_engine::Engine;
use recoup_plugin::host::PluginDir;

use recoup_bench::Failure;
use recoup_bench::measure::{self, Figures};

/// What is asked for.
struct Asked {
    filter: String,
    /// Up to how many records files have.
    largest: usize,
    /// Where the figures are kept.
    save: Option<PathBuf>,
    /// The figures with which they are compared.
    against: Option<PathBuf>,
}

impl Asked {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut asked = Self { filter: String::new(), largest: 100_000, save: None, against: None };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
            match argument.as_str() {
                "--largest" => {
                    asked.largest = value()?.parse().map_err(|_| "--largest: expected a number of records")?;
                }
                "--save" => asked.save = Some(value()?.into()),
                "--against" => asked.against = Some(value()?.into()),
                other if other.starts_with('-') => {
                    return Err(
                        format!("{other}: expected [FILTER] [--largest N] [--save FILE] [--against FILE]").into()
                    );
                }
                _ => asked.filter = argument,
            }
        }
        Ok(asked)
    }
}

fn main() -> ExitCode {
    match Asked::read(env::args().skip(1)).and_then(|asked| run(&asked)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("recoup-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(asked: &Asked) -> Result<(), Failure> {
    let dist = PathBuf::from(env::var_os("RECOUP_DIST").ok_or("RECOUP_DIST is not set: run `cargo xtask bench`")?);
    let engine = Engine::from_plugins(PluginDir::open(&dist.join("plugins"))?);
    let mut figures = Figures::against(asked.against.as_deref())?;
    println!("{}", measure::machine());
    println!("Medians of {} rounds, in CPU time of one thread, where nothing else is said.", measure::ROUNDS);
    let wanted = |name: &str| name.contains(&asked.filter);
    if wanted("memory") {
        bounds::memory(&mut figures);
    }
    if wanted("readers") {
        bounds::readers(&engine, &mut figures)?;
    }
    if wanted("rulings") {
        batches::rulings(&engine, &mut figures)?;
    }
    of_one::<recoup_huawei::Huawei>(&engine, "huawei", &wanted, &mut figures)?;
    of_one::<recoup_alibaba::Alibaba>(&engine, "alibaba", &wanted, &mut figures)?;
    if wanted("text") {
        text::text(&engine, &mut figures)?;
    }
    if wanted("stream") {
        stream::parts(&mut figures)?;
    }
    if wanted("files") {
        files::files(&engine, &dist, asked.largest, &mut figures)?;
    }
    asked.save.as_deref().map_or(Ok(()), |file| figures.keep(file))
}

/// The tables for which the rules of a provider are linked in as well.
fn of_one<P: Provider>(
    engine: &Engine,
    provider: &str,
    wanted: &dyn Fn(&str) -> bool,
    figures: &mut Figures,
) -> Result<(), Failure> {
    let adapter = engine.adapter(provider)?;
    if wanted("exits") {
        batches::exits::<P>(adapter.as_ref(), figures)?;
    }
    if wanted("boundary") {
        batches::boundary(adapter.as_ref(), figures)?;
    }
    if wanted("paths") {
        batches::paths::<P>(adapter.as_ref(), figures)?;
    }
    Ok(())
}
