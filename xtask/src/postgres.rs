//! A private PostgreSQL server for tests: made in the target folder, started on a free port of this
//! machine's own address, stopped and taken away afterwards.

use std::env;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What to do where there is no server.
const INSTALL: &str = "no PostgreSQL server is installed: install one (Debian and Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server; macOS: brew install postgresql), or name the folder of initdb and pg_ctl in PG_BIN";
/// Users that may run a server where we are root, which it refuses.
const USERS: &[&str] = &["postgres", "nobody"];

/// A server that stops when it is dropped.
pub(crate) struct Server {
    folder: PathBuf,
    bin: PathBuf,
    user: Option<&'static str>,
    port: u16,
}

/// The newest installed server's programs.
fn programs() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os("PG_BIN") {
        return Ok(PathBuf::from(named));
    }
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for family in ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"] {
        for entry in fs::read_dir(family).into_iter().flatten().flatten() {
            let bin = entry.path().join("bin");
            let digits: String = entry.file_name().to_string_lossy().chars().filter(char::is_ascii_digit).collect();
            if bin.join("initdb").is_file() {
                found.push((digits.parse().unwrap_or(0), bin));
            }
        }
    }
    let on_path = || {
        let path = env::var_os("PATH")?;
        env::split_paths(&path).find(|folder| folder.join("initdb").is_file())
    };
    found.into_iter().max().map(|(_, bin)| bin).or_else(on_path).ok_or_else(|| INSTALL.to_owned())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}

fn exists(user: &str) -> bool {
    Command::new("id").arg(user).output().is_ok_and(|output| output.status.success())
}

/// A command, as another user where one is named.
fn program(user: Option<&str>, bin: &Path, name: &str) -> Command {
    let program = bin.join(name);
    match user {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", user, "--regid", user, "--clear-groups"]).arg(program);
            command
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let shown = format!("{command:?}").replace('"', "");
    let output = command.output().map_err(|error| format!("{shown}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).trim().to_owned()).join("\n");
    Err(format!("{shown} ended with {}: {said}", output.status))
}

impl Server {
    /// Makes and starts a server.
    pub(crate) fn start() -> Result<Self, String> {
        let bin = programs()?;
        let user = match is_root() {
            false => None,
            true => Some(
                USERS
                    .iter()
                    .find(|user| exists(user))
                    .copied()
                    .ok_or("PostgreSQL refuses to run as root, and there is neither a user postgres nor nobody")?,
            ),
        };
        // Where root's folders are closed to others, the target folder may be too; the temporary one is not.
        let folder = env::temp_dir().join(format!("recoup-postgres-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        // A port that is free now; the listener lets go of it at once.
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let port = port.map_err(|error| format!("no free port: {error}"))?.port();
        let server = Self { folder, bin, user, port };
        if let Some(user) = user {
            run(Command::new("chown").arg(user).arg(&server.folder))?;
        }
        let data = server.folder.join("data");
        run(program(user, &server.bin, "initdb")
            .current_dir(&server.folder)
            .args(["--auth=trust", "--username=recoup", "--encoding=UTF8", "--pgdata"])
            .arg(&data))?;
        let options =
            format!("-p {port} -k '{}' -c listen_addresses=127.0.0.1 -c max_connections=200", server.folder.display());
        // The log goes to a file: a server that kept our output open would keep our caller waiting.
        run(program(user, &server.bin, "pg_ctl")
            .current_dir(&server.folder)
            .args(["start", "--wait", "--silent", "--log"])
            .arg(server.folder.join("log"))
            .args(["--options", &options, "--pgdata"])
            .arg(&data))?;
        eprintln!("PostgreSQL of {} runs on port {port}", server.bin.display());
        Ok(server)
    }

    /// Its address.
    pub(crate) fn address(&self) -> String {
        format!("postgres://recoup@127.0.0.1:{}/postgres", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        let mut stop = program(self.user, &self.bin, "pg_ctl");
        stop.current_dir("/").args(["stop", "--wait", "--silent", "--mode=fast", "--pgdata"]).arg(&data);
        if let Err(error) = run(&mut stop) {
            eprintln!("xtask: {error}");
        }
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            eprintln!("xtask: {}: {error}", self.folder.display());
        }
    }
}
