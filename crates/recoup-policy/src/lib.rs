//! Turns an adapter's `policy/*.toml` into constants when it is built.
//!
//! An adapter's `build.rs` is one line:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     recoup_policy::build()
//! }
//! ```
//!
//! and its `lib.rs` includes what was written:
//!
//! ```ignore
//! recoup_core::include_policy!();
//! ```
//!
//! That gives the modules `clause`, `param`, `table`, `list` and `product` with a constant for every
//! id, and `POLICY`, the whole policy as JSON. A rule that names a clause that does not exist does not
//! compile, and a policy that contradicts itself does not build. An id becomes a constant by dropping
//! the part before its first dot and writing the rest in capitals: `hw.no.free` is `clause::NO_FREE`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use recoup_core::policy::{Policy, PolicyError, Rulebook};

/// A policy that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A file cannot be read or written.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not TOML of the right form.
    #[error("{}: {message}", .path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        message: String,
    },
    /// The policy contradicts itself.
    #[error("{0}")]
    Policy(#[from] PolicyError),
    /// Two ids give the same constant.
    #[error("{first:?} and {second:?} give the same constant {constant}")]
    SameConstant {
        /// An id.
        first: String,
        /// Another.
        second: String,
        /// The constant of both.
        constant: String,
    },
}

/// Reads every `policy/*.toml` of a crate, in the order of their names, into one policy.
///
/// # Errors
/// Where a file cannot be read, or the policy contradicts itself.
pub fn read(folder: &Path) -> Result<Policy, BuildError> {
    let io_error = |path: &Path| {
        let path = path.to_path_buf();
        move |source| BuildError::Io { path, source }
    };
    let mut files = fs::read_dir(folder)
        .map_err(io_error(folder))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(io_error(folder))?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut policy = Policy::default();
    let mut flows = None;
    for path in files {
        let text = fs::read_to_string(&path).map_err(io_error(&path))?;
        let part = toml::from_str::<Policy>(&text)
            .map_err(|error| BuildError::Form { path: path.clone(), message: error.to_string() })?;
        if !part.flow.is_empty() {
            flows = Some(path.clone());
        }
        policy.merge(part);
    }
    // What a flow names stands in the other files, so it is checked when all are read; the fault is its own.
    if let Some(path) = flows {
        policy.flow.check(&policy).map_err(|error| BuildError::Form { path, message: error.to_string() })?;
    }
    Rulebook::new(policy.clone())?;
    Ok(policy)
}

/// The constant of an id.
#[must_use]
pub fn constant(id: &str, drop_prefix: bool) -> String {
    let id = if drop_prefix { id.split_once('.').map_or(id, |(_, rest)| rest) } else { id };
    let mut name: String =
        id.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, 'N');
    }
    name
}

/// The Rust source of a policy's constants.
///
/// # Errors
/// Where two ids give the same constant.
pub fn constants(policy: &Policy) -> Result<String, BuildError> {
    let mut out = String::from("// Written by recoup-policy from policy/*.toml.\n");
    let clauses = policy.clauses.iter().map(|clause| (clause.id.as_str(), clause.says.as_str()));
    module(&mut out, "clause", "ClauseId", true, clauses)?;
    module(
        &mut out,
        "param",
        "ParamId",
        false,
        policy.params.iter().map(|param| (param.id.as_str(), param.says.as_str())),
    )?;
    module(
        &mut out,
        "table",
        "TableId",
        false,
        policy.tables.iter().map(|table| (table.id.as_str(), table.says.as_str())),
    )?;
    module(&mut out, "list", "ListId", false, policy.lists.iter().map(|list| (list.id.as_str(), list.says.as_str())))?;
    module(
        &mut out,
        "product",
        "ProductId",
        false,
        policy.products.iter().map(|product| (product.id.as_str(), product.id.as_str())),
    )?;
    Ok(out)
}

fn module<'a>(
    out: &mut String,
    name: &str,
    kind: &str,
    drop_prefix: bool,
    ids: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(), BuildError> {
    let mut seen: Vec<(String, &str)> = Vec::new();
    let _ = writeln!(
        out,
        "/// Constants for every {name} of the policy.\n#[allow(dead_code, missing_docs, unused_imports, unreachable_pub)]\npub mod {name} {{\n    use recoup_core::policy::{kind};"
    );
    for (index, (id, says)) in ids.enumerate() {
        let constant = constant(id, drop_prefix);
        if let Some((_, first)) = seen.iter().find(|(other, _)| *other == constant) {
            return Err(BuildError::SameConstant { first: (*first).to_owned(), second: id.to_owned(), constant });
        }
        let says = says.replace(['\n', '\r'], " ");
        let _ = writeln!(out, "    #[doc = {says:?}]\n    pub const {constant}: {kind} = {kind}({index});");
        seen.push((constant, id));
    }
    out.push_str("}\n");
    Ok(())
}

fn run() -> Result<(), BuildError> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let target = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let policy = read(&root.join("policy"))?;
    let mut source = constants(&policy)?;
    let json =
        serde_json::to_string(&policy).map_err(|error| BuildError::Form { path: root, message: error.to_string() })?;
    let _ = writeln!(source, "/// The policy as JSON.\npub const POLICY: &str = {json:?};");
    let path = target.join("policy.rs");
    fs::write(&path, source).map_err(|source| BuildError::Io { path, source })
}

/// The whole of an adapter's build script.
#[must_use]
#[allow(clippy::print_stdout, clippy::print_stderr, reason = "this is how a build script speaks to cargo")]
pub fn build() -> ExitCode {
    println!("cargo::rerun-if-changed=policy");
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("cargo::error={}", error.to_string().replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_become_constants() {
        assert_eq!(constant("hw.in-use.fee-table.cn", true), "IN_USE_FEE_TABLE_CN");
        assert_eq!(constant("adb_pg", false), "ADB_PG");
        assert_eq!(constant("3d-thing", false), "N3D_THING");
    }
    #[test]
    fn a_malformed_flow_is_refused_with_its_file_and_the_reason() {
        const PROVIDER: &str = r#"
            provider = "acme"
            [[site]]
            id = "global"
            title = "Acme"
            zone = "UTC"
            [[edition]]
            from = "2024-01-01"
            what = "all"
            [[source]]
            key = "api"
            title = "API"
            url = "https://acme.example/api"
            [[product]]
            id = "vm"
        "#;
        const CALL: &str = r#"
            [[flow.call]]
            id = "Leave"
            purpose = "leave"
            method = "POST"
            path = "/leave/{resource}"
            body = { reason = "{reason:number}", token = "{token?}" }
            token = { max_chars = 64 }
            answer = { ok = [200], orders = "/order", error_code = ["/error/code"] }
            sources = ["api"]
        "#;
        let folder = tempfile::tempdir().unwrap();
        let read_with = |flow: &str| {
            fs::write(folder.path().join("provider.toml"), PROVIDER).unwrap();
            fs::write(folder.path().join("flow.toml"), flow).unwrap();
            read(folder.path())
        };
        assert_eq!(read_with(CALL).unwrap().flow.calls.len(), 1);
        for (from, to, reason) in [
            ("sources = [\"api\"]", "sources = []", "names no source"),
            ("sources = [\"api\"]", "sources = [\"page\"]", "names the source \"page\", which does not exist"),
            (
                "sources = [\"api\"]",
                "sources = [\"api\"]\nclause = \"a.b\"",
                "names the clause \"a.b\", which does not exist",
            ),
            ("\"POST\"", "\"TAKE\"", "has the method \"TAKE\", expected GET, POST, PUT, PATCH or DELETE"),
            ("\"POST\"", "\"GET\"", "leaves by GET"),
            ("{resource}", "all", "leaves without naming a resource"),
            ("{resource}", "{resuorce}", "has the placeholder \"resuorce\", expected one of resources, resource,"),
            ("{resource}", "{resource", "has a { without a }"),
            ("token = { max_chars = 64 }", "", "needs both a {token} and what the page says of it"),
            ("ok = [200]", "ok = []", "needs the HTTP statuses of success"),
            ("\"/order\"", "\"order\"", "expected a JSON pointer"),
            ("\"leave\"", "\"quote\"", "does not say where the amount is"),
            ("\"leave\"", "\"depart\"", "is not a known purpose of a call"),
            ("path =", "when = { sites = [\"cn\"] }\npath =", "names the site \"cn\", which does not exist"),
            ("path =", "when = { products = [\"vmm\"] }\npath =", "names the product \"vmm\", which does not exist"),
            ("path =", "way =", "unknown field `way`"),
        ] {
            let flow = CALL.replace(from, to);
            assert_ne!(flow, CALL, "{from}");
            let error = read_with(&flow).unwrap_err().to_string();
            assert!(error.contains("flow.toml: "), "{error}");
            assert!(error.contains(reason), "{reason}: {error}");
        }
    }
}
