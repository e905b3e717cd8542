//! What is built for Python and run by it: the wheel, its tests, the cluster.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Done, dist, entries, name, root, run, said, target};

/// What the package's tests need, and what they need on a cluster.
pub(crate) const REQUIREMENTS: &str = "requirements.txt";
pub(crate) const OF_SPARK: &[&str] = &[REQUIREMENTS, "requirements-spark.txt"];

/// Where the package is, in the workspace.
fn package() -> PathBuf {
    root().join("crates/recoup-python")
}

/// An interpreter of a version that the wheel is made for.
fn interpreter() -> Result<String, String> {
    let named = env::var("RECOUP_PYTHON").into_iter();
    let usual = ["python3", "python3.13", "python3.12", "python3.11", "python"].map(str::to_owned);
    let new_enough = |program: &String| {
        let probe = ["-c", "import sys, venv; sys.exit(sys.version_info < (3, 11))"];
        Command::new(program).args(probe).output().is_ok_and(|output| output.status.success())
    };
    named.chain(usual).find(new_enough).ok_or_else(|| {
        "no Python 3.11 or later with the module venv was found: install one (Debian: apt-get install python3-venv), \
         or name its program in RECOUP_PYTHON"
            .to_owned()
    })
}

/// A virtual environment, with a file of requirements installed.
pub(crate) struct Environment {
    folder: PathBuf,
}

impl Environment {
    /// Makes it where it is not there yet, or where what it needs has changed.
    pub(crate) fn prepare(requirements: &[&str]) -> Result<Self, String> {
        let environment = Self { folder: target().join("python/venv") };
        if !environment.program("python").is_file() {
            run(Command::new(interpreter()?).args(["-m", "venv"]).arg(&environment.folder))?;
        }
        for file in requirements {
            environment.install(file)?;
        }
        Ok(environment)
    }

    /// Installs what a file of requirements names.
    pub(crate) fn install(&self, file: &str) -> Done {
        let wanted = package().join(file);
        let text = fs::read_to_string(&wanted).map_err(said(&wanted))?;
        // What was installed last, so that nothing is asked for again.
        let seal = self.folder.join(file);
        if fs::read_to_string(&seal).is_ok_and(|installed| installed == text) {
            return Ok(());
        }
        let mut pip = self.command("python");
        run(pip
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"])
            .arg(&wanted))?;
        fs::write(&seal, text).map_err(said(&seal))
    }

    fn program(&self, name: &str) -> PathBuf {
        let programs = if cfg!(windows) { "Scripts" } else { "bin" };
        self.folder.join(programs).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// A program of the environment.
    pub(crate) fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.program(name));
        command.env("VIRTUAL_ENV", &self.folder).env_remove("PYTHONPATH").env_remove("PYTHONHOME");
        command
    }
}

/// The program and the adapters that the wheel carries, and that the tests compare with.
fn distribution(profile: &str) -> Result<PathBuf, String> {
    let out = target().join(if profile == "release" { "demo" } else { "test-dist" });
    dist(&out, profile)?;
    Ok(out)
}

/// Puts the adapters into the package, as the wheel has them.
fn carry_adapters(from: &Path) -> Done {
    let folder = package().join("python/recoup/adapters");
    if folder.is_dir() {
        fs::remove_dir_all(&folder).map_err(said(&folder))?;
    }
    fs::create_dir_all(&folder).map_err(said(&folder))?;
    for adapter in entries(&from.join("plugins"))? {
        let place = folder.join(name(&adapter));
        fs::copy(&adapter, &place).map_err(said(&place))?;
    }
    Ok(())
}

/// Builds the wheel and installs it. Gives the folder with the program beside which it is tested.
pub(crate) fn install_wheel(environment: &Environment, profile: &str) -> Result<PathBuf, String> {
    let out = distribution(profile)?;
    carry_adapters(&out)?;
    let wheels = target().join("python/wheels");
    if wheels.is_dir() {
        fs::remove_dir_all(&wheels).map_err(said(&wheels))?;
    }
    let mut build = environment.command("maturin");
    build.current_dir(package()).args(["build", "--locked", "--profile", profile, "--out"]).arg(&wheels);
    run(build.env("CARGO_TARGET_DIR", target()))?;
    let wheel = entries(&wheels)?.pop().ok_or("maturin built no wheel")?;
    let mut pip = environment.command("python");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--force-reinstall"]);
    run(pip.arg(&wheel))?;
    eprintln!("{}", wheel.display());
    Ok(out)
}

/// Builds the wheel, checks its types and runs its tests.
pub(crate) fn python(rest: &[&str]) -> Done {
    let (profile, rest) = match rest {
        ["--release", rest @ ..] => ("release", rest),
        rest => ("dev", rest),
    };
    let environment = Environment::prepare(&[REQUIREMENTS])?;
    let out = install_wheel(&environment, profile)?;
    run(environment.command("mypy").current_dir(package()))?;
    let mut tests = environment.command("pytest");
    run(tests.current_dir(package()).args(rest).env("RECOUP_DIST", out))
}

/// A Java that runs Spark.
pub(crate) fn java() -> Result<PathBuf, String> {
    let java = env::var_os("JAVA_HOME").map_or_else(|| "java".into(), |home| Path::new(&home).join("bin/java"));
    let output = Command::new(&java).arg("-version").output();
    // It says `openjdk version "17.0.15"`.
    let text = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    let version = text.split('"').nth(1).and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    match version {
        Some(17..) => Ok(java),
        found => {
            let found = found.map_or_else(|| "none was found".to_owned(), |version| format!("found is {version}"));
            Err(format!(
                "Spark needs Java 17 or later, {found}: install one (Debian: apt-get install openjdk-17-jre-headless), \
                 or name its folder in JAVA_HOME"
            ))
        }
    }
}

/// Assesses over a local cluster and compares with the program.
pub(crate) fn spark() -> Done {
    java()?;
    let environment = Environment::prepare(OF_SPARK)?;
    let out = install_wheel(&environment, "dev")?;
    let mut tests = environment.command("pytest");
    run(tests.current_dir(package()).args(["-s", "cluster"]).env("RECOUP_DIST", out))
}
