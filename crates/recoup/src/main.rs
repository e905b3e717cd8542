//! `recoup`: the command line.

mod assess;
mod case;
mod check;
mod cli;
mod compare;
mod deadlines;
mod explain;
mod forecast;
mod generate;
mod host;
mod output;
mod overlay;
mod plan;
mod plugin;
mod policy;
mod progress;
mod received;
mod reconcile;
mod simulate;
mod span;
mod stop;
mod streamed;

use std::io;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use cli::{Cli, Command};
use host::{Failure, Outcome, Status, print, say};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Status::Usage as u8 } else { 0 });
        }
    };
    let status = match run(cli) {
        Ok(status) => status,
        Err(Failure { status, message }) => {
            if !message.is_empty() {
                say(format_args!("error: {message}"));
            }
            status
        }
    };
    ExitCode::from(status as u8)
}

fn run(cli: Cli) -> Outcome {
    let setup = &cli.setup;
    match cli.command {
        Command::Assess(args) => host::with_engine(setup, |engine| assess::assess(engine, &args)),
        Command::Explain(args) => host::with_engine(setup, |engine| explain::explain(engine, &args)),
        Command::Compare(args) => host::with_engine(setup, |engine| compare::compare(engine, &args)),
        Command::Deadlines(args) => host::with_engine(setup, |engine| deadlines::deadlines(engine, &args)),
        Command::Forecast(args) => host::with_engine(setup, |engine| forecast::forecast(engine, &args)),
        Command::Simulate(args) => host::with_engine(setup, |engine| simulate::simulate(engine, &args)),
        Command::Plan(args) => host::with_engine(setup, |engine| plan::plan(engine, &args)),
        Command::Policy { command } => host::with_engine(setup, |engine| policy::policy(engine, &command)),
        Command::Plugin { command } => plugin::plugin(overlay::named(setup)?.plugins.as_deref(), &command),
        Command::Case { command } => case::case(setup, &command),
        Command::Reconcile(args) => host::with_engine(setup, |engine| reconcile::reconcile(engine, &args)),
        Command::Check(args) => host::with_engine(setup, |engine| check::check(engine, &args)),
        Command::Generate(args) => host::with_engine(setup, |engine| generate::generate(engine, &args)),
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "recoup", &mut script);
            print(&String::from_utf8_lossy(&script)).map(|()| Status::Done)
        }
        Command::Man => {
            let mut page = Vec::new();
            clap_mangen::Man::new(Cli::command())
                .render(&mut page)
                .map_err(|error: io::Error| Failure::output(&error))?;
            print(&String::from_utf8_lossy(&page)).map(|()| Status::Done)
        }
    }
}
