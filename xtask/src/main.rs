//! The project's own commands. Nothing but the standard library, so that they build in a moment.

mod new_provider;
mod postgres;
mod python;

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

const HELP: &str = "\
cargo xtask COMMAND

  demo                  build everything in release and assess the real sample payloads in fixtures/
  test [--postgres]     build host and adapters and run all tests; with --postgres the stores' tests also on a private server
  test --browser        only the test that opens the HTML reports in a headless Chromium
  test --slow           only the tests that hold timelines against assessing every hour of several years
  soak [--seconds N]    cases a second on each store, kills survived, simulated years; longer finds more
  soak --differential [--count N]   generated resources (ten million) on every path and by the reference, in release
  ci [--quick]          fmt, clippy, tests, docs, python; without --quick also datafusion, spark, Miri and fuzzing
  dist --out DIR        put the program and its adapters into DIR, runnable from there  [--profile dev|release]
  bench [FILTER]        measure, side by side in one run  [--largest N] [--save FILE] [--against FILE]
  bench plan [COUNT]    plans, deadlines and forecasts of so many resources, and plans beside the largest refund first
  bench peers [COUNT]   one policy beside regorus, Cedar, zen, DuckDB, DataFusion, Polars and pandas (the last four with Python 3.11)
  book [--check]        write the policy books under docs/policies/ (or say which is stale)
  fuzz [SECONDS]        fuzz every target for so long together (needs nightly and cargo-fuzz)
  miri                  run the boundary's tests under Miri (needs nightly with miri)
  python [--release]    build the wheel and run its tests in a virtual environment of its own (needs Python 3.11)
  datafusion            check and test recoup in SQL, which default builds leave out
  spark                 assess over a local cluster of two executors and compare (needs Java 17)
  new-provider NAME     begin an adapter: a crate that builds, loads and passes with one sample clause  [--root DIR]
";

/// An adapter's page may point at its own rule files, which are private.
const DOC_FLAGS: &str = "-D warnings -A rustdoc::private_intra_doc_links";

/// The member that brings DataFusion, which takes longer to build than all others together.
const DATAFUSION: &str = "recoup-datafusion";

type Done = Result<(), String>;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo"] => demo(),
        ["test", "--postgres", rest @ ..] => test_with_server(rest),
        ["test", rest @ ..] => test(rest),
        ["soak"] => soak("60"),
        ["soak", "--seconds", seconds] => soak(seconds),
        ["soak", "--differential"] => differential("10000000"),
        ["soak", "--differential", "--count", count] => differential(count),
        ["ci"] => ci(true),
        ["ci", "--quick"] => ci(false),
        ["dist", rest @ ..] => dist_command(rest),
        ["bench", "plan"] => bench_plan("10000"),
        ["bench", "plan", count] => bench_plan(count),
        ["bench", "peers"] => bench_peers("200000"),
        ["bench", "peers", count] => bench_peers(count),
        ["bench", rest @ ..] => bench(rest),
        ["book"] => book(false),
        ["book", "--check"] => book(true),
        ["fuzz"] => fuzz(60),
        ["fuzz", seconds] => {
            seconds.parse().map_err(|_| format!("{seconds}: expected a number of seconds")).and_then(fuzz)
        }
        ["miri"] => miri(),
        ["python", rest @ ..] => python::python(rest),
        ["spark"] => python::spark(),
        ["datafusion"] => datafusion(),
        ["new-provider", name] => new_provider::new_provider(&root(), name),
        ["new-provider", name, "--root", folder] => new_provider::new_provider(Path::new(folder), name),
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => Err(format!("not understood: {}\n\n{HELP}", words.join(" "))),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder.
fn root() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.clone(), Path::to_path_buf)
}

fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |folder| root().join(folder))
}

fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

fn run(command: &mut Command) -> Done {
    let shown = format!("{command:?}");
    eprintln!("+ {}", shown.replace('"', ""));
    let status = command.status().map_err(|error| format!("{shown}: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{} ended with {status}", shown.replace('"', ""))) }
}

fn said(path: &Path) -> impl Fn(io::Error) -> String + '_ {
    move |error| format!("{}: {error}", path.display())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(said(folder))? {
        paths.push(entry.map_err(said(folder))?.path());
    }
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().map(OsStr::to_string_lossy).unwrap_or_default().into_owned()
}

/// The adapters of the workspace, by the names of their folders.
fn providers() -> Result<Vec<String>, String> {
    let folders = entries(&root().join("plugins"))?;
    Ok(folders.iter().filter(|folder| folder.join("Cargo.toml").is_file()).map(|folder| name(folder)).collect())
}

fn dist_command(args: &[&str]) -> Done {
    let (mut out, mut profile) = (None, "release");
    let mut rest = args.iter();
    while let Some(arg) = rest.next() {
        match (*arg, rest.next()) {
            ("--out", Some(folder)) => out = Some(PathBuf::from(folder)),
            ("--profile", Some(name @ (&"dev" | &"release"))) => profile = name,
            (other, _) => return Err(format!("dist {other}: expected --out DIR and --profile dev|release")),
        }
    }
    let out = out.ok_or("dist: expected --out DIR")?;
    dist(&out, profile)?;
    eprintln!("{}: recoup and {} adapters", out.display(), providers()?.len());
    Ok(())
}

/// Builds the program and its adapters and puts them into a folder, with manifests.
fn dist(out: &Path, profile: &str) -> Done {
    let providers = providers()?;
    let mut build = cargo();
    build.args(["build", "--locked", "--profile", profile, "--package", "recoup"]);
    for provider in &providers {
        build.args(["--package", &format!("recoup-{provider}")]);
    }
    run(&mut build)?;
    let built = target().join(if profile == "dev" { "debug" } else { profile });
    let plugins = out.join("plugins");
    if plugins.is_dir() {
        // What an earlier run left must not be taken for an adapter of this one.
        for old in entries(&plugins)? {
            fs::remove_file(&old).map_err(said(&old))?;
        }
    }
    fs::create_dir_all(&plugins).map_err(said(&plugins))?;
    let program = format!("recoup{}", env::consts::EXE_SUFFIX);
    copy(&built.join(&program), &out.join(&program))?;
    let mut seal = Command::new(out.join(&program));
    seal.args(["plugin", "seal", "--version", env!("CARGO_PKG_VERSION")]);
    for provider in &providers {
        let library =
            format!("{}recoup_{}{}", env::consts::DLL_PREFIX, provider.replace('-', "_"), env::consts::DLL_SUFFIX);
        let place = plugins.join(&library);
        copy(&built.join(&library), &place)?;
        seal.arg(place);
    }
    run(&mut seal)
}

/// Copies a file under a new name first, so that a program that is running is not written over.
fn copy(from: &Path, to: &Path) -> Done {
    let temporary = to.with_extension("new");
    fs::copy(from, &temporary).map_err(said(from))?;
    fs::rename(&temporary, to).map_err(said(to))
}

/// Builds everything and assesses the real sample payloads.
fn demo() -> Done {
    let out = target().join("demo");
    dist(&out, "release")?;
    // The arguments stand in a file, one a line, as somebody would type them in fixtures/.
    let fixtures = root().join("fixtures");
    let list = fixtures.join("demo/arguments.txt");
    let arguments = fs::read_to_string(&list).map_err(said(&list))?;
    let mut assess = Command::new(out.join("recoup"));
    assess.current_dir(&fixtures).arg("assess");
    assess.args(arguments.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')));
    run(&mut assess)?;
    eprintln!("\nThe program and its adapters are in {}", out.display());
    Ok(())
}

/// Builds the program and its adapters for the tests that load them, then runs all tests.
fn test(rest: &[&str]) -> Done {
    match rest {
        ["--browser"] => return browser(),
        ["--slow"] => return slow(),
        _ => {}
    }
    let out = target().join("test-dist");
    dist(&out, "dev")?;
    run(cargo().args(["test", "--locked"]).args(rest).env("RECOUP_DIST", &out))
}

/// The programs under which Chromium goes.
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Opens the HTML reports in a real browser and reads the figures from page and chart.
fn browser() -> Done {
    let runs =
        |name: &&String| Command::new(name).arg("--version").output().is_ok_and(|output| output.status.success());
    let named = env::var("RECOUP_BROWSER").into_iter();
    let found = named.chain(BROWSERS.map(str::to_owned)).collect::<Vec<_>>();
    let browser = found.iter().find(runs).ok_or(
        "no Chromium was found: install one (Debian: apt-get install chromium; macOS: brew install --cask chromium), \
         or name its program in RECOUP_BROWSER",
    )?;
    let out = target().join("test-dist");
    dist(&out, "dev")?;
    let mut command = cargo();
    command.args(["test", "--locked", "--package", "recoup-tests", "--test", "browser", "--", "--include-ignored"]);
    run(command.env("RECOUP_DIST", &out).env("RECOUP_BROWSER", browser))
}

/// Every resource of every case at every hour of three years: in release, since it is long.
fn slow() -> Done {
    let mut command = cargo();
    command.args([
        "test",
        "--locked",
        "--release",
        "--package",
        "recoup-tests",
        "--test",
        "timeline",
        "--",
        "--nocapture",
    ]);
    run(command.env("RECOUP_SLOW", "1"))
}

/// The same, with a private PostgreSQL server beside it for everything that keeps a store.
fn test_with_server(rest: &[&str]) -> Done {
    let server = postgres::Server::start()?;
    let out = target().join("test-dist");
    dist(&out, "dev")?;
    let mut tests = cargo();
    tests.args(["test", "--locked"]).args(rest);
    run(tests.env("RECOUP_DIST", &out).env("RECOUP_TEST_POSTGRES", server.address()))
}

/// Kills processes in the middle of their work a thousand times on each store.
fn kills() -> Done {
    let server = postgres::Server::start();
    let address = server.as_ref().map(postgres::Server::address).unwrap_or_default();
    if let Err(error) = &server {
        eprintln!("without PostgreSQL: {error}");
    }
    let mut tests = cargo();
    tests.args(["test", "--locked", "--package", "recoup-cases", "--test", "kills"]);
    run(tests.env("RECOUP_TEST_POSTGRES", address).env("RECOUP_KILLS", "1000"))
}

/// Figures of the flows: half of the time for the stores and for killing processes, half for simulated years.
fn soak(seconds: &str) -> Done {
    let seconds: u64 = seconds.parse().map_err(|_| format!("{seconds}: expected a number of seconds"))?;
    let server = match postgres::Server::start() {
        Ok(server) => Some(server),
        Err(error) => {
            eprintln!("xtask: without PostgreSQL: {error}");
            None
        }
    };
    let address = server.as_ref().map(postgres::Server::address).unwrap_or_default();
    let half = (seconds / 2).max(1).to_string();
    let mut stores = cargo();
    stores.args(["run", "--locked", "--package", "recoup-cases", "--example", "soak", "--", &half]);
    run(stores.env("RECOUP_TEST_POSTGRES", &address))?;
    let mut years = cargo();
    years.args(["test", "--locked", "--package", "recoup-tests", "--test", "simulator", "--", "--nocapture"]);
    run(years.env("RECOUP_TEST_POSTGRES", &address).env("RECOUP_SIMULATE_SECONDS", &half))
}

/// Generated resources on every path, against each other and the reference.
fn differential(count: &str) -> Done {
    let count: u64 = count.parse().map_err(|_| format!("{count}: expected a number of resources"))?;
    let out = target().join("demo");
    dist(&out, "release")?;
    let mut tests = cargo();
    tests.args([
        "test",
        "--locked",
        "--release",
        "--package",
        "recoup-tests",
        "--test",
        "differential",
        "--",
        "--nocapture",
    ]);
    run(tests.env("RECOUP_DIST", &out).env("RECOUP_DIFFERENTIAL", count.to_string()))
}

fn has_nightly(tool: &str) -> bool {
    let mut command = Command::new("cargo");
    command.arg("+nightly").args(tool.split(' ')).arg("--version");
    command.output().is_ok_and(|output| output.status.success())
}

fn ci(with_slow: bool) -> Done {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    run(cargo().args(["clippy", "--locked", "--all-targets", "--", "-D", "warnings"]))?;
    // Where there is no server, the stores' tests run on SQLite alone, and CI says so.
    match postgres::Server::start() {
        Ok(server) => {
            drop(server);
            test_with_server(&[])?;
        }
        Err(error) => {
            eprintln!("without PostgreSQL: {error}");
            test(&[])?;
        }
    }
    kills()?;
    run(cargo().args(["doc", "--locked", "--no-deps"]).env("RUSTDOCFLAGS", DOC_FLAGS))?;
    book(true)?;
    // What cannot be had here is said and skipped; what is built and fails, fails.
    match python::Environment::prepare(&[python::REQUIREMENTS]) {
        Ok(_) => {
            python::python(&[])?;
            run(cargo().args(["clippy", "--locked", "--package", "recoup-python", "--", "-D", "warnings"]))?;
        }
        Err(missing) => eprintln!("skipped: Python ({missing})"),
    }
    if !with_slow {
        return Ok(());
    }
    datafusion()?;
    run(cargo().args(["clippy", "--locked", "--package", "recoup-peers", "--package", "recoup-bench-cloud"]).args([
        "--all-targets",
        "--",
        "-D",
        "warnings",
    ]))?;
    match python::java().and_then(|_| python::Environment::prepare(python::OF_SPARK)) {
        Ok(_) => python::spark()?,
        Err(missing) => eprintln!("skipped: Spark ({missing})"),
    }
    match has_nightly("miri") {
        true => miri()?,
        false => eprintln!("skipped: Miri (no nightly toolchain with miri)"),
    }
    match has_nightly("fuzz") {
        true => fuzz(60)?,
        false => eprintln!("skipped: fuzzing (no nightly toolchain with cargo-fuzz)"),
    }
    Ok(())
}

/// The boundary's tests under Miri, as far as Miri can run them: it opens no libraries.
fn miri() -> Done {
    let mut command = Command::new("cargo");
    command.current_dir(root()).args([
        "+nightly",
        "miri",
        "test",
        "--locked",
        "--package",
        "recoup-plugin",
        "--test",
        "boundary",
    ]);
    run(command.env("MIRIFLAGS", "-Zmiri-disable-isolation").env("CARGO_TARGET_DIR", target().join("miri")))
}

/// Real payloads, from which fuzzing the importers starts.
fn fuzz_seeds(target: &str) -> Result<Vec<PathBuf>, String> {
    if target != "import" {
        return Ok(Vec::new());
    }
    let folders = entries(&root().join("fixtures"))?.into_iter().map(|provider| provider.join("payloads"));
    Ok(folders.filter(|folder| folder.is_dir()).collect())
}

/// Fuzzes every target, the time shared among them.
fn fuzz(seconds: u64) -> Done {
    let targets = entries(&root().join("fuzz/fuzz_targets"))?;
    let each = (seconds / targets.len().max(1) as u64).max(1);
    for target in targets {
        let name = name(&target).trim_end_matches(".rs").to_owned();
        // What is found new goes into the first folder.
        let corpus = root().join("fuzz/corpus").join(&name);
        fs::create_dir_all(&corpus).map_err(said(&corpus))?;
        let mut command = Command::new("cargo");
        command.current_dir(root()).args(["+nightly", "fuzz", "run", &name]).arg(corpus).args(fuzz_seeds(&name)?);
        run(command.args(["--", "-rss_limit_mb=4096"]).arg(format!("-max_total_time={each}")))?;
    }
    Ok(())
}

fn bench(rest: &[&str]) -> Done {
    let out = target().join("demo");
    dist(&out, "release")?;
    run(cargo()
        .args(["run", "--locked", "--release", "--package", "recoup-bench", "--"])
        .args(rest)
        .env("RECOUP_DIST", &out))
}

/// Runs a command and says how long it took.
fn timed(what: &str, command: &mut Command) -> Done {
    let began = std::time::Instant::now();
    run(command)?;
    eprintln!("{what}: {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

/// What plans cost and bring: a generated portfolio through the program, then the solver beside the largest refund first.
fn bench_plan(count: &str) -> Done {
    let out = target().join("demo");
    dist(&out, "release")?;
    let folder = target().join("bench-plan");
    fs::create_dir_all(&folder).map_err(said(&folder))?;
    let example = |name: &str| {
        let mut command = cargo();
        command.args(["run", "--locked", "--release", "--package", "recoup-plan", "--example", name, "--"]);
        command
    };
    run(example("portfolio").arg(count).arg(&folder))?;
    let recoup = |args: &[&str]| {
        let mut command = Command::new(out.join("recoup"));
        command.current_dir(&folder).args(args);
        command
    };
    let asked = ["portfolio.ndjson", "--accounts", "accounts.json", "--at", "2025-06-03T00:00:00Z"];
    timed("plan", &mut recoup(&[&["plan"], &asked[..], &["-o", "plan.json"]].concat()))?;
    timed("plan --check", &mut recoup(&["plan", "--check", "plan.json"]))?;
    timed("deadlines", &mut recoup(&[&["deadlines"], &asked[..], &["-o", "deadlines.json"]].concat()))?;
    timed("forecast", &mut recoup(&[&["forecast"], &asked[..], &["-o", "forecast.json"]].concat()))?;
    run(example("against_greedy").arg(count))
}

/// One policy, followed by recoup and by what somebody might use instead, on the same records.
fn bench_peers(count: &str) -> Done {
    let out = target().join("demo");
    dist(&out, "release")?;
    let folder = target().join("peers");
    let plugins = folder.join("plugins");
    fs::create_dir_all(&plugins).map_err(said(&plugins))?;
    run(cargo().args([
        "build",
        "--locked",
        "--release",
        "--package",
        "recoup-peers",
        "--package",
        "recoup-bench-cloud",
    ]))?;
    let library = format!("{}recoup_bench_cloud{}", env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    let place = plugins.join(&library);
    copy(&target().join("release").join(&library), &place)?;
    let program = out.join(format!("recoup{}", env::consts::EXE_SUFFIX));
    run(Command::new(&program).args(["plugin", "seal", "--version", env!("CARGO_PKG_VERSION")]).arg(&place))?;
    let mut engines = cargo();
    engines.args(["run", "--locked", "--release", "--package", "recoup-peers", "--", count]);
    run(engines.env("RECOUP_PEERS", &folder))?;
    match python::Environment::prepare(&["requirements.txt"]) {
        Ok(environment) => {
            // Without DataFusion the others are still asked.
            if let Err(missing) = environment.install("requirements-peers.txt") {
                eprintln!("skipped is DataFusion: {missing}");
            }
            let mut analysts = environment.command("python");
            run(analysts.arg(root().join("tests/peers/analysts.py")).arg(&folder).arg(&program))
        }
        Err(missing) => {
            eprintln!("skipped are DuckDB, DataFusion, Polars and pandas: {missing}");
            Ok(())
        }
    }
}

/// Checks and tests recoup in SQL, then shows it on a portfolio that looks like a real one.
fn datafusion() -> Done {
    let out = target().join("test-dist");
    dist(&out, "dev")?;
    run(cargo().args(["clippy", "--locked", "--package", DATAFUSION, "--all-targets", "--", "-D", "warnings"]))?;
    run(cargo().args(["test", "--locked", "--package", DATAFUSION]).env("RECOUP_DIST", &out))?;
    let portfolio = out.join("portfolio.parquet");
    run(Command::new(out.join("recoup")).args(["generate", "--count", "10000", "-o"]).arg(&portfolio))?;
    let query = format!(
        "SELECT provider, currency, sum(refund) FROM assess('{}', '2026-02-10') \
         WHERE is_best AND refund IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
        portfolio.display()
    );
    let mut sql = cargo();
    sql.args(["run", "--locked", "--package", DATAFUSION, "--bin", "recoup-sql", "--", "--plugins"]);
    run(sql.arg(out.join("plugins")).arg(&query))
}

/// Writes the policy books, or says which one is not what the adapter's policy says.
fn book(check: bool) -> Done {
    let out = target().join("test-dist");
    dist(&out, "dev")?;
    let folder = root().join("docs/policies");
    fs::create_dir_all(&folder).map_err(said(&folder))?;
    let mut stale = Vec::new();
    for provider in providers()? {
        let cases: Vec<PathBuf> = entries(&root().join("fixtures").join(&provider).join("cases")).unwrap_or_default();
        let mut command = Command::new(out.join("recoup"));
        command.current_dir(root()).args(["policy", "book", &provider]).args(&cases);
        let output = command.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("{provider}: {}", String::from_utf8_lossy(&output.stderr)));
        }
        let path = folder.join(format!("{provider}.md"));
        let old = fs::read(&path).unwrap_or_default();
        if old != output.stdout {
            stale.push(provider);
            if !check {
                fs::write(&path, &output.stdout).map_err(said(&path))?;
            }
        }
    }
    match (check, stale.is_empty()) {
        (true, false) => Err(format!("the policy books of {} are stale: run `cargo xtask book`", stale.join(", "))),
        _ => Ok(()),
    }
}
