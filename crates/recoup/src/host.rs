//! What every command needs: the adapters, the question asked, the terminal.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use recoup_core::context::Run;
use recoup_core::record::Facts;
use recoup_core::time::Instant;
use recoup_engine::Engine;
use recoup_engine::import::import;
use recoup_engine::names::Names;
use recoup_engine::pipeline::Input;
use recoup_engine::question;
use recoup_engine::services::name_products;
use recoup_plugin::host::PluginDir;
use recoup_plugin::messages::FileText;
use recoup_portfolio::focus::{self, Focus};
use recoup_portfolio::read::{self, Opened};
use recoup_report::Look;

use crate::cli::{Question, Setup};
use crate::overlay;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Status {
    /// All went well.
    Done = 0,
    /// A check failed.
    CheckFailed = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Some input could not be read or assessed.
    BadInput = 3,
    /// The store of cases cannot be used.
    Store = 4,
    /// Ctrl-C stopped it: 128 and the number of the signal, as shells have it.
    Interrupted = 130,
}

/// Something that ends a command.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    pub(crate) message: String,
}

impl Failure {
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self { status: Status::Usage, message: message.to_string() }
    }

    pub(crate) fn input(message: impl fmt::Display) -> Self {
        Self { status: Status::BadInput, message: message.to_string() }
    }

    /// A closed pipe is not an error: whoever read has read enough.
    pub(crate) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            Self { status: Status::Done, message: String::new() }
        } else {
            Self { status: Status::BadInput, message: format!("the output cannot be written: {error}") }
        }
    }
}

pub(crate) type Outcome = Result<Status, Failure>;

/// Says something beside the data.
pub(crate) fn say(message: impl fmt::Display) {
    let _ = writeln!(io::stderr(), "{message}");
}

/// Prints to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let newline = if text.ends_with('\n') { "" } else { "\n" };
    write!(out, "{text}{newline}").and_then(|()| out.flush()).map_err(|error| Failure::output(&error))
}

/// The look of what is written to standard output, or to a file.
pub(crate) fn look(title: &str, to_file: bool) -> Look {
    let terminal = !to_file && io::stdout().is_terminal();
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    let measured = terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)).filter(|_| terminal);
    Look {
        width: columns.or(measured).unwrap_or(120),
        colour: terminal
            && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var("TERM").is_ok_and(|term| term != "dumb"),
        title: title.to_owned(),
    }
}

/// The folder of adapters: the one named, else `plugins` beside the program.
pub(crate) fn plugin_folder(named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        return Ok(named.to_path_buf());
    }
    let program = std::env::current_exe().and_then(|path| path.canonicalize()).map_err(|error| {
        Failure::usage(format!("the program's own folder is not known: {error}; name the adapters' with --plugins DIR"))
    })?;
    Ok(program.parent().unwrap_or(Path::new(".")).join("plugins"))
}

/// The adapters that are installed, with the overlays that were named.
pub(crate) fn engine(setup: &Setup) -> Result<Engine, Failure> {
    let named = overlay::named(setup)?;
    let plugins = PluginDir::open(&plugin_folder(named.plugins.as_deref())?).map_err(Failure::usage)?;
    for problem in plugins.problems() {
        say(format_args!("warning: {problem}"));
    }
    if plugins.providers().is_empty() {
        say(format_args!("warning: no adapter is installed in {}", plugins.folder().display()));
    }
    let mut engine = Engine::from_plugins(plugins);
    overlay::add(&mut engine, &named.overlays)?;
    Ok(engine)
}

/// Runs a command with the adapters, and says which of them it needed where that is asked for.
pub(crate) fn with_engine(setup: &Setup, command: impl FnOnce(&Engine) -> Outcome) -> Outcome {
    let engine = engine(setup)?;
    let outcome = command(&engine);
    if let (true, Some(plugins)) = (setup.verbose, engine.plugins()) {
        let opened = plugins.opened();
        let names = if opened.is_empty() { "none".to_owned() } else { opened.join(", ") };
        say(format_args!("libraries opened: {} of {}: {names}", opened.len(), plugins.providers().len()));
    }
    outcome
}

/// The instant now, the only place where the program reads a clock.
pub(crate) fn now() -> Instant {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Instant::from_micros(i64::try_from(since.as_secs()).unwrap_or(0).saturating_mul(1_000_000))
}

fn assumptions(assume: &[String]) -> Result<Facts, Failure> {
    let mut pairs = Vec::new();
    for entry in assume {
        let pair = entry.split_once('=').ok_or_else(|| {
            Failure::usage(format!("--assume {entry}: expected FACT=VALUE, for example promotion=false"))
        })?;
        pairs.push(pair);
    }
    question::assumptions(pairs).map_err(|what| Failure::usage(format!("--assume: {what}")))
}

/// The run that a question asks for.
pub(crate) fn run(engine: &Engine, asked: &Question, trace: bool) -> Result<(Run, Status), Failure> {
    let mut status = Status::Done;
    let mut run = Run::default();
    run.trace = trace;
    run.assumed = assumptions(&asked.assume)?;
    match asked.at.as_deref() {
        None => run.at = Some(now()),
        Some(text) => question::set_at(&mut run, text).map_err(|what| Failure::usage(format!("--at {what}")))?,
    }
    let edition = |text: &str| question::date(text).map_err(|what| Failure::usage(format!("--edition {what}")));
    run.edition = asked.edition.as_deref().map(edition).transpose()?;
    if let Some(file) = &asked.accounts {
        let accounts = recoup_portfolio::accounts::read(file, &|provider, site| engine.zone_of(provider, site))
            .map_err(Failure::input)?;
        for fault in &accounts.faults {
            say(fault);
            status = Status::BadInput;
        }
        for remark in &accounts.remarks {
            say(format_args!("warning: {file}: {}", remark.what));
        }
        run = run.with_accounts(accounts.records);
    }
    Ok((run, status))
}

/// Reads files of FOCUS together. Gives what they hold and the files' names; what cannot be read is said
/// and counts as bad input.
pub(crate) fn read_focus(
    engine: &Engine,
    sources: Vec<focus::Source>,
    provider: Option<&str>,
    status: &mut Status,
) -> (focus::FocusRead, Vec<String>) {
    let names = Names::of(engine);
    let provider_of = |name: &str| names.provider(name);
    let mut focus = Focus::new(&provider_of, provider);
    let files: Vec<String> = sources.iter().map(|source| source.file().to_string()).collect();
    for source in sources {
        let file = Arc::clone(source.file());
        let read = focus.read(source, &mut |line, what| {
            let place = if line == 0 { file.to_string() } else { format!("{file}:{line}") };
            say(format_args!("{place}: {what}"));
        });
        if let Err(error) = read {
            say(error);
            *status = Status::BadInput;
        }
    }
    let read = focus.finish();
    if read.counts.lost() > 0 {
        *status = Status::BadInput;
    }
    (read, files)
}

/// Gathers what was bought from files of FOCUS, all together: a purchase and its refund may stand in the
/// exports of different months.
fn bought(engine: &Engine, sources: Vec<focus::Source>, provider: Option<&str>) -> (Input, Status) {
    let mut status = Status::Done;
    let (mut read, files) = read_focus(engine, sources, provider, &mut status);
    let unknown = name_products(engine, &mut read);
    let names = files.join(", ");
    for remark in read.remarks.iter().chain(&unknown) {
        say(format_args!("note: {remark}"));
    }
    say(format_args!("{names}: {}; {} resource(s) read", read.counts, read.records.len()));
    (Input::Records { file: Arc::from(files.join("+")), records: read.records }, status)
}

/// The files that are meant by names, some of which may be patterns such as `exports/*.ndjson.gz`, where no shell
/// has resolved them. A pattern's files stand in the order of their names.
fn files_of(names: &[String]) -> Result<Vec<String>, Failure> {
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let is_pattern = name.contains(['*', '?', '[']) && !Path::new(name).exists();
        if !is_pattern {
            files.push(name.clone());
            continue;
        }
        let paths = glob::glob(name).map_err(|error| Failure::usage(format_args!("{name}: not a pattern: {error}")))?;
        let before = files.len();
        for path in paths {
            let path = path.map_err(Failure::usage)?;
            if path.is_file() {
                files.push(path.to_string_lossy().into_owned());
            }
        }
        if files.len() == before {
            return Err(Failure::input(format_args!("{name}: no file has such a name")));
        }
    }
    Ok(files)
}

/// Opens files: portfolios as they are, and what providers printed through the adapters that recognise it.
pub(crate) fn open(
    engine: &Engine,
    files: &[String],
    provider: Option<&str>,
    run: Run,
) -> Result<(Vec<Input>, Run, Status), Failure> {
    let mut status = Status::Done;
    let mut inputs = Vec::new();
    let mut foreign = Vec::new();
    let mut costs = Vec::new();
    let files = files_of(files)?;
    if files.iter().filter(|file| *file == "-").count() > 1 {
        return Err(Failure::usage("standard input can be read only once"));
    }
    if let Some(name) = provider {
        engine.adapter(name).map_err(|error| Failure::usage(format!("--provider {error}")))?;
    }
    for file in &files {
        match read::open(file) {
            Ok(Opened::Portfolio(portfolio)) => inputs.push(Input::Portfolio(portfolio)),
            Ok(Opened::Focus(source)) => costs.push(source),
            Ok(Opened::Foreign { text }) => foreign.push(FileText::new(file.clone(), text)),
            Err(error) => {
                say(&error);
                status = Status::BadInput;
            }
        }
    }
    if !costs.is_empty() {
        let (input, read) = bought(engine, costs, provider);
        inputs.push(input);
        status = status.max(read);
    }
    let mut accounts = Vec::new();
    if !foreign.is_empty() {
        let (imported, errors) = import(engine, foreign, provider);
        for error in errors {
            say(error);
            status = Status::BadInput;
        }
        for group in imported {
            for remark in &group.imported.remarks {
                let kind = if remark.is_error { "" } else { "note: " };
                let path = if remark.path.is_empty() { String::new() } else { format!("{}: ", remark.path) };
                say(format_args!("{kind}{}: {path}{}", remark.file, remark.what));
                if remark.is_error {
                    status = Status::BadInput;
                }
            }
            let count = group.imported.resources.len();
            say(format_args!("{}: {count} resource(s) read as {}", group.files.join(", "), group.provider));
            accounts.extend(group.imported.accounts);
            inputs.push(Input::Records { file: Arc::from(group.files.join("+")), records: group.imported.resources });
        }
    }
    // What a user says of an account comes first; what a payload shows fills in.
    let run = if accounts.is_empty() { run } else { run.with_more_accounts(accounts) };
    Ok((inputs, run, status))
}

pub(crate) fn threads(question: &Question) -> usize {
    question.threads.map_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get), usize::from)
}
