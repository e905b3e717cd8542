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
    for path in files {
        let text = fs::read_to_string(&path).map_err(io_error(&path))?;
        let part = toml::from_str::<Policy>(&text)
            .map_err(|error| BuildError::Form { path: path.clone(), message: error.to_string() })?;
        policy.merge(part);
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
}
