//! The host's side of the boundary: finding, checking and loading libraries.
//!
//! Adapters are found in one named folder, never in the working directory or the loader's search path.
//! Beside each library stands a manifest, `<provider>.adapter.json`, with its name, protocol, platform
//! and SHA-256, all of which are checked before the library is opened, since opening it runs its code.
//! A library is opened when it is first needed and never unloaded: what it gave out may be anywhere.

#![allow(unsafe_code, reason = "this is the boundary")]

use std::collections::BTreeMap;
use std::ffi::c_void;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{Array, StructArray};
use object::{Object, ObjectSegment};
use recoup_core::context::Run;
use recoup_core::import::Imported;
use recoup_core::policy::Policy;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::abi::{ABI_MAJOR, ABI_MINOR, ABI_MINOR_OLDEST, AdapterTable, BAD_INPUT, Entry, OK, POISONED, Text, symbol};
use crate::messages::{FileText, files_to_json, imported_from_json};
use crate::session::{Adapter, CallError, Session};
use crate::valid::check;

/// What a manifest's file name ends with.
pub const MANIFEST_SUFFIX: &str = ".adapter.json";

/// A manifest beside a library.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The provider that the library serves.
    pub provider: String,
    /// The library's file name, in the same folder.
    pub library: String,
    /// Major version of the protocol.
    pub abi_major: u32,
    /// Minor version of the protocol.
    pub abi_minor: u32,
    /// The platform, for example `linux-x86_64`.
    pub platform: String,
    /// The library's SHA-256 in lower-case hexadecimals.
    pub sha256: String,
    /// The adapter's own version, for people.
    #[serde(default)]
    pub version: String,
    /// The names by which cost exports call the provider: what its policy gives as title and aliases.
    /// Empty where whoever sealed the library did not write them down; the library is then asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// What its policy gives as marks of payloads; the library is asked about files that bear one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<Vec<String>>,
}

/// The platform of this host.
#[must_use]
pub fn platform() -> String {
    format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH)
}

/// The file name of a library on this platform.
#[must_use]
pub fn library_name(name: &str) -> String {
    format!("{}{}{}", std::env::consts::DLL_PREFIX, name, std::env::consts::DLL_SUFFIX)
}

/// The SHA-256 of some bytes, in lower-case hexadecimals.
#[must_use]
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Manifest {
    /// A manifest for a library of this platform that speaks this host's protocol.
    ///
    /// # Errors
    /// Where the library cannot be read.
    pub fn for_library(provider: &str, library: &Path, version: &str) -> Result<Self, LoadError> {
        let bytes = fs::read(library)
            .map_err(|error| LoadError::Read { path: library.to_path_buf(), message: error.to_string() })?;
        Ok(Self {
            provider: provider.to_owned(),
            library: library.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            abi_major: ABI_MAJOR,
            abi_minor: ABI_MINOR,
            platform: platform(),
            sha256: sha256(&bytes),
            version: version.to_owned(),
            names: Vec::new(),
            marks: None,
        })
    }

    /// Takes from the library's policy what a host wants to know without opening it.
    pub fn describe(&mut self, policy: &Policy) {
        self.names = std::iter::once(&policy.title).chain(&policy.aliases).cloned().collect();
        self.marks.clone_from(&policy.marks);
    }

    /// Writes the manifest into a folder.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<PathBuf, LoadError> {
        let path = folder.join(format!("{}{MANIFEST_SUFFIX}", self.provider));
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        fs::write(&path, text).map_err(|error| LoadError::Read { path: path.clone(), message: error.to_string() })?;
        Ok(path)
    }
}

/// An adapter that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// The folder of adapters does not exist or cannot be read.
    #[error("the folder of adapters {} cannot be read: {message}; name one with --plugins DIR", .path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A file cannot be read.
    #[error("{}: {message}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A manifest is malformed.
    #[error("{}: not a manifest of an adapter: {message}", .path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// Two manifests name one provider.
    #[error("two adapters claim the provider {provider:?}: {} and {}; remove one", .first.display(), .second.display())]
    Twice {
        /// The provider.
        provider: String,
        /// A manifest.
        first: PathBuf,
        /// Another.
        second: PathBuf,
    },
    /// No adapter serves a provider.
    #[error("no adapter serves the provider {provider:?}, installed are {}", if .installed.is_empty() { "none".to_owned() } else { .installed.join(", ") })]
    NoAdapter {
        /// The provider.
        provider: String,
        /// The providers that are served.
        installed: Vec<String>,
    },
    /// The library is for another platform.
    #[error("{}: made for {found}, this host is {expected}", .path.display())]
    Platform {
        /// The library.
        path: PathBuf,
        /// Its platform.
        found: String,
        /// This host's.
        expected: String,
    },
    /// The library speaks a protocol that is too old.
    #[error("{}: speaks protocol {found}, this host understands {oldest} to {newest}; rebuild the adapter", .path.display())]
    TooOld {
        /// The library.
        path: PathBuf,
        /// Its protocol.
        found: String,
        /// The oldest that is understood.
        oldest: String,
        /// The newest that is understood.
        newest: String,
    },
    /// The library speaks a protocol that is too new.
    #[error("{}: speaks protocol {found}, this host understands {oldest} to {newest}; update recoup", .path.display())]
    TooNew {
        /// The library.
        path: PathBuf,
        /// Its protocol.
        found: String,
        /// The oldest that is understood.
        oldest: String,
        /// The newest that is understood.
        newest: String,
    },
    /// The library is not the one that the manifest speaks of.
    #[error("{}: its SHA-256 is {found}, its manifest says {expected}; it was changed or not copied whole, install it again", .path.display())]
    Checksum {
        /// The library.
        path: PathBuf,
        /// Its checksum.
        found: String,
        /// The manifest's.
        expected: String,
    },
    /// The file is no library of this platform, or not whole.
    #[error("{}: not a whole library of this platform: {message}", .path.display())]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// The library does not export the symbol.
    #[error("{}: does not export {symbol:?}, so it is no adapter for {provider:?}", .path.display())]
    NoSymbol {
        /// The library.
        path: PathBuf,
        /// The symbol.
        symbol: String,
        /// The provider.
        provider: String,
    },
    /// The library's table is malformed.
    #[error("{}: its table is malformed: {what}", .path.display())]
    Table {
        /// The library.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The library's policy cannot be used.
    #[error("{}: its policy cannot be used: {message}", .path.display())]
    Policy {
        /// The library.
        path: PathBuf,
        /// Why.
        message: String,
    },
}

fn version(major: u32, minor: u32) -> String {
    format!("{major}.{minor}")
}

/// Refuses a protocol outside the range that this host understands.
fn check_version(path: &Path, major: u32, minor: u32) -> Result<(), LoadError> {
    let (path, found) = (path.to_path_buf(), version(major, minor));
    let (oldest, newest) = (version(ABI_MAJOR, ABI_MINOR_OLDEST), version(ABI_MAJOR, ABI_MINOR));
    if (major, minor) < (ABI_MAJOR, ABI_MINOR_OLDEST) {
        Err(LoadError::TooOld { path, found, oldest, newest })
    } else if (major, minor) > (ABI_MAJOR, ABI_MINOR) {
        Err(LoadError::TooNew { path, found, oldest, newest })
    } else {
        Ok(())
    }
}

/// Refuses a file that is no library of this platform or ends before it should: the system's loader
/// would map what is not there, and crash.
fn check_library(path: &Path, bytes: &[u8]) -> Result<(), LoadError> {
    let wrong = |message: String| LoadError::NotALibrary { path: path.to_path_buf(), message };
    let file = object::File::parse(bytes).map_err(|error| wrong(error.to_string()))?;
    let architecture = format!("{:?}", file.architecture()).to_lowercase();
    let here = std::env::consts::ARCH;
    if architecture != here {
        return Err(wrong(format!("it is for {architecture}, this host is {here}")));
    }
    if file.kind() != object::ObjectKind::Dynamic {
        return Err(wrong("it is no shared library".to_owned()));
    }
    for segment in file.segments() {
        segment.data().map_err(|_| wrong("it ends before it should".to_owned()))?;
    }
    Ok(())
}

/// An adapter that was loaded from a library.
struct Loaded {
    path: PathBuf,
    table: AdapterTable,
    policy: Arc<Policy>,
    // Kept so that the library stays: it is never unloaded.
    _library: &'static libloading::Library,
}

// SAFETY: the table holds function pointers only, which the protocol allows to be called from any thread.
unsafe impl Send for Loaded {}
// SAFETY: as above.
unsafe impl Sync for Loaded {}

/// The functions that every adapter must offer, checked once.
struct Required {
    open: crate::abi::Open,
    assess: crate::abi::Assess,
    close: unsafe extern "C" fn(*mut c_void),
    free_text: unsafe extern "C" fn(*mut Text),
}

impl Loaded {
    fn open_library(path: &Path, manifest: &Manifest) -> Result<Self, LoadError> {
        let bytes =
            fs::read(path).map_err(|error| LoadError::Read { path: path.to_path_buf(), message: error.to_string() })?;
        let found = sha256(&bytes);
        if found != manifest.sha256 {
            return Err(LoadError::Checksum { path: path.to_path_buf(), found, expected: manifest.sha256.clone() });
        }
        check_library(path, &bytes)?;
        drop(bytes);
        // SAFETY: opening runs the library's initialisers. It is the file that the manifest in the folder
        // that the user named speaks of, checked by its SHA-256.
        let library = unsafe { libloading::Library::new(path) }
            .map_err(|error| LoadError::NotALibrary { path: path.to_path_buf(), message: error.to_string() })?;
        let library: &'static libloading::Library = Box::leak(Box::new(library));
        let name = symbol(&manifest.provider);
        let no_symbol = || LoadError::NoSymbol {
            path: path.to_path_buf(),
            symbol: name.clone(),
            provider: manifest.provider.clone(),
        };
        // SAFETY: the protocol gives the symbol of this name this type; a library that exports it
        // otherwise is not an adapter, which the manifest's author vouches that it is.
        let entry = unsafe { library.get::<Entry>(name.as_bytes()) }.map_err(|_| no_symbol())?;
        // SAFETY: the function takes nothing and returns a pointer to a static table.
        let pointer = unsafe { entry() };
        let table = Self::read_table(path, pointer)?;
        let mut loaded = Self { path: path.to_path_buf(), table, policy: Arc::default(), _library: library };
        loaded.policy = Arc::new(loaded.read_policy(&manifest.provider)?);
        Ok(loaded)
    }

    fn read_table(path: &Path, pointer: *const AdapterTable) -> Result<AdapterTable, LoadError> {
        let malformed = |what: &str| LoadError::Table { path: path.to_path_buf(), what: what.to_owned() };
        if pointer.is_null() || !pointer.is_aligned() {
            return Err(malformed("there is none"));
        }
        // SAFETY: every version of the protocol begins its table with these two numbers, so they may be
        // read before anything else is known.
        let (major, minor) =
            unsafe { ((&raw const (*pointer).abi_major).read(), (&raw const (*pointer).abi_minor).read()) };
        check_version(path, major, minor)?;
        // SAFETY: this version has its size next.
        let size = unsafe { (&raw const (*pointer).struct_size).read() };
        if size < std::mem::size_of::<AdapterTable>() as u64 {
            return Err(malformed("it is smaller than its version demands"));
        }
        // SAFETY: the table is static and at least as large as this type.
        let table = unsafe { pointer.read() };
        let all = table.policy.is_some()
            && table.open.is_some()
            && table.assess.is_some()
            && table.close.is_some()
            && table.free_text.is_some();
        if all { Ok(table) } else { Err(malformed("a function that every adapter has is missing")) }
    }

    fn required(&self) -> Result<Required, CallError> {
        match (self.table.open, self.table.assess, self.table.close, self.table.free_text) {
            (Some(open), Some(assess), Some(close), Some(free_text)) => Ok(Required { open, assess, close, free_text }),
            _ => Err(CallError::Malformed {
                provider: self.policy.provider.clone(),
                what: "a function is missing".to_owned(),
            }),
        }
    }

    fn take_text(&self, text: &mut Text) -> String {
        let Some(free_text) = self.table.free_text else { return String::new() };
        take_text(text, free_text)
    }

    fn read_policy(&self, provider: &str) -> Result<Policy, LoadError> {
        let wrong = |message: String| LoadError::Policy { path: self.path.clone(), message };
        let Some(give) = self.table.policy else { return Err(wrong("it gives none".to_owned())) };
        let mut text = Text::empty();
        // SAFETY: `text` may be written.
        let code = unsafe { give(&raw mut text) };
        let json = self.take_text(&mut text);
        if code != OK {
            return Err(wrong(json));
        }
        let policy: Policy = serde_json::from_str(&json).map_err(|error| wrong(error.to_string()))?;
        if policy.provider != provider {
            return Err(wrong(format!("it is for {:?}, the manifest says {provider:?}", policy.provider)));
        }
        recoup_core::policy::Rulebook::new(policy.clone()).map_err(|error| wrong(error.to_string()))?;
        Ok(policy)
    }

    fn failure(&self, code: i32, message: String) -> CallError {
        let provider = self.policy.provider.clone();
        match code {
            POISONED => CallError::Poisoned { provider, message },
            BAD_INPUT => {
                CallError::Failed { provider, message: format!("it does not understand its input: {message}") }
            }
            _ => CallError::Failed { provider, message },
        }
    }

    fn converse(&self, function: crate::abi::Converse, files: &[FileText]) -> Result<Value, CallError> {
        let input = files_to_json(files).to_string();
        let mut text = Text::empty();
        // SAFETY: the input lives as long as the call, and `text` may be written.
        let code = unsafe { function(input.as_ptr(), input.len(), &raw mut text) };
        let answer = self.take_text(&mut text);
        if code != OK {
            return Err(self.failure(code, answer));
        }
        serde_json::from_str(&answer).map_err(|error| CallError::Malformed {
            provider: self.policy.provider.clone(),
            what: format!("its answer is not JSON: {error}"),
        })
    }
}

fn take_text(text: &mut Text, free_text: unsafe extern "C" fn(*mut Text)) -> String {
    let shown = if text.data.is_null() || isize::try_from(text.len).is_err() {
        String::new()
    } else {
        // SAFETY: the adapter gave `len` bytes at `data`, which it keeps until they are given back.
        let bytes = unsafe { std::slice::from_raw_parts(text.data, text.len) };
        String::from_utf8_lossy(bytes).into_owned()
    };
    // SAFETY: the text is the adapter's own, given back once.
    unsafe { free_text(std::ptr::from_mut(text)) };
    shown
}

struct LoadedSession {
    provider: String,
    functions: Required,
    session: *mut c_void,
    clauses: usize,
}

// SAFETY: the protocol allows a session to be used from several threads at once.
unsafe impl Send for LoadedSession {}
// SAFETY: as above.
unsafe impl Sync for LoadedSession {}

impl Drop for LoadedSession {
    fn drop(&mut self) {
        // SAFETY: the session is the adapter's own, closed once.
        unsafe { (self.functions.close)(self.session) };
    }
}

impl LoadedSession {
    fn malformed(&self, what: impl Into<String>) -> CallError {
        CallError::Malformed { provider: self.provider.clone(), what: what.into() }
    }
}

impl Session for LoadedSession {
    fn assess(&self, resources: StructArray) -> Result<StructArray, CallError> {
        let (mut array, schema) = to_ffi(&resources.to_data()).map_err(|error| self.malformed(error.to_string()))?;
        drop(resources);
        let (mut out, mut out_schema) = (FFI_ArrowArray::empty(), FFI_ArrowSchema::empty());
        let mut error = Text::empty();
        // SAFETY: the session is open; the array is given away (the adapter empties it), the schema is
        // lent; what is written to may be written.
        let code = unsafe {
            (self.functions.assess)(
                self.session,
                &raw mut array,
                &raw const schema,
                &raw mut out,
                &raw mut out_schema,
                &raw mut error,
            )
        };
        if code != OK {
            let message = take_text(&mut error, self.functions.free_text);
            let provider = self.provider.clone();
            return Err(match code {
                POISONED => CallError::Poisoned { provider, message },
                _ => CallError::Failed { provider, message },
            });
        }
        check_c_data(&out, &out_schema).map_err(|what| self.malformed(what))?;
        // SAFETY: the adapter wrote an array and a schema of the Arrow C data interface; their shape was
        // checked as far as the interface lets a consumer check it.
        let data = unsafe { from_ffi(out, &out_schema) }.map_err(|error| self.malformed(error.to_string()))?;
        if !matches!(data.data_type(), arrow_schema::DataType::Struct(_)) {
            return Err(self.malformed("the batch of assessments is not a struct"));
        }
        check(&data).map_err(|error| self.malformed(error.to_string()))?;
        Ok(StructArray::from(data))
    }

    fn clauses(&self) -> usize {
        self.clauses
    }
}

/// Refuses what the interface lets a consumer see is wrong, before any buffer is touched.
fn check_c_data(array: &FFI_ArrowArray, schema: &FFI_ArrowSchema) -> Result<(), String> {
    if array.is_released() {
        return Err("it gave no array".to_owned());
    }
    if schema.format() != "+s" {
        return Err(format!(
            "the batch of assessments has the format {:?}, expected a struct (\"+s\")",
            schema.format()
        ));
    }
    check_node(array, schema, "assessments")
}

fn check_node(array: &FFI_ArrowArray, schema: &FFI_ArrowSchema, path: &str) -> Result<(), String> {
    let format = schema.format();
    let buffers = match format {
        "+s" => 1,
        "+l" => 2,
        "u" => 3,
        "b" | "C" | "S" | "I" | "d:38,18" => 2,
        format if format.starts_with("tsu:") => 2,
        other => return Err(format!("{path} has the format {other:?}, which the boundary does not use")),
    };
    if array.num_buffers() != buffers {
        return Err(format!("{path} has {} buffers, expected {buffers}", array.num_buffers()));
    }
    let children = schema.children().count();
    if array.num_children() != children {
        return Err(format!("{path} has {} children, its schema {children}", array.num_children()));
    }
    let rows = array.len().checked_add(array.offset()).filter(|rows| *rows <= MOST_ROWS);
    if rows.is_none() {
        return Err(format!("{path} claims {} rows, at most {MOST_ROWS} are read", array.len()));
    }
    for (index, child_schema) in schema.children().enumerate() {
        let child = array.child(index);
        let name = format!("{path}.{}", child_schema.name().unwrap_or("?"));
        if format == "+s" && child.len() < array.len() {
            return Err(format!("{name} has {} rows, its struct {}", child.len(), array.len()));
        }
        check_node(child, child_schema, &name)?;
    }
    Ok(())
}

/// No batch has more rows than this at any level.
const MOST_ROWS: usize = 1 << 28;

impl Adapter for Loaded {
    fn provider(&self) -> &str {
        &self.policy.provider
    }

    fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    fn origin(&self) -> String {
        self.path.display().to_string()
    }

    fn open(&self, run: &Run, policy: Option<&Policy>) -> Result<Box<dyn Session>, CallError> {
        let functions = self.required()?;
        let mut json = run.to_json();
        if let (Value::Object(map), Some(policy)) = (&mut json, policy) {
            map.insert("policy".into(), serde_json::to_value(policy).unwrap_or_default());
        }
        let input = json.to_string();
        let (mut session, mut error) = (std::ptr::null_mut(), Text::empty());
        // SAFETY: the input lives as long as the call; session and error may be written.
        let code = unsafe { (functions.open)(input.as_ptr(), input.len(), &raw mut session, &raw mut error) };
        if code != OK {
            return Err(self.failure(code, take_text(&mut error, functions.free_text)));
        }
        if session.is_null() {
            return Err(CallError::Malformed {
                provider: self.policy.provider.clone(),
                what: "it opened no session".to_owned(),
            });
        }
        let clauses = policy.unwrap_or(&self.policy).clauses.len();
        Ok(Box::new(LoadedSession { provider: self.policy.provider.clone(), functions, session, clauses }))
    }

    fn recognise(&self, files: &[FileText]) -> Result<Vec<bool>, CallError> {
        let Some(function) = self.table.recognise else { return Ok(vec![false; files.len()]) };
        let asked: Vec<FileText> = files.iter().filter(|file| self.may_hold(file)).cloned().collect();
        if asked.is_empty() {
            return Ok(vec![false; files.len()]);
        }
        let answer = self.converse(function, &asked)?;
        let claims: Option<Vec<bool>> = answer.as_array().and_then(|items| items.iter().map(Value::as_bool).collect());
        let claims = claims.filter(|claims| claims.len() == asked.len()).ok_or_else(|| CallError::Malformed {
            provider: self.policy.provider.clone(),
            what: "it did not say yes or no for every file".to_owned(),
        })?;
        let mut claims = claims.into_iter();
        Ok(files.iter().map(|file| self.may_hold(file) && claims.next() == Some(true)).collect())
    }

    fn import(&self, files: &[FileText]) -> Result<Imported, CallError> {
        let Some(function) = self.table.import else { return Ok(Imported::default()) };
        let answer = self.converse(function, files)?;
        Ok(imported_from_json(&answer, &|_, site| self.zone_of(site)))
    }
}

struct Installed {
    manifest: Manifest,
    manifest_path: PathBuf,
    adapter: OnceLock<Result<Arc<dyn Adapter>, LoadError>>,
}

/// The adapters of a folder, each opened when it is first needed.
pub struct PluginDir {
    folder: PathBuf,
    installed: BTreeMap<String, Installed>,
    problems: Vec<LoadError>,
}

impl std::fmt::Debug for PluginDir {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PluginDir")
            .field("folder", &self.folder)
            .field("providers", &self.providers())
            .finish_non_exhaustive()
    }
}

impl PluginDir {
    /// Reads the manifests of a folder. No library is opened. Manifests that cannot be used are kept as
    /// [`problems`](Self::problems); two that claim one provider are both refused.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn open(folder: &Path) -> Result<Self, LoadError> {
        let unreadable =
            |error: std::io::Error| LoadError::Folder { path: folder.to_path_buf(), message: error.to_string() };
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(MANIFEST_SUFFIX)) {
                paths.push(path);
            }
        }
        paths.sort();
        let mut dir = Self { folder: folder.to_path_buf(), installed: BTreeMap::new(), problems: Vec::new() };
        let mut claimed_twice = Vec::new();
        for path in paths {
            match Self::read_manifest(&path) {
                Err(error) => dir.problems.push(error),
                Ok(manifest) => {
                    if let Some(first) = dir.installed.get(&manifest.provider) {
                        dir.problems.push(LoadError::Twice {
                            provider: manifest.provider.clone(),
                            first: first.manifest_path.clone(),
                            second: path,
                        });
                        claimed_twice.push(manifest.provider);
                    } else {
                        let provider = manifest.provider.clone();
                        dir.installed
                            .insert(provider, Installed { manifest, manifest_path: path, adapter: OnceLock::new() });
                    }
                }
            }
        }
        for provider in claimed_twice {
            dir.installed.remove(&provider);
        }
        Ok(dir)
    }

    fn read_manifest(path: &Path) -> Result<Manifest, LoadError> {
        let text = fs::read_to_string(path)
            .map_err(|error| LoadError::Read { path: path.to_path_buf(), message: error.to_string() })?;
        let manifest: Manifest = serde_json::from_str(&text)
            .map_err(|error| LoadError::Manifest { path: path.to_path_buf(), message: error.to_string() })?;
        let is_plain = Path::new(&manifest.library).file_name().is_some_and(|name| name == manifest.library.as_str());
        if !is_plain {
            let message = format!("\"library\": {:?} is not a file name in the same folder", manifest.library);
            return Err(LoadError::Manifest { path: path.to_path_buf(), message });
        }
        Ok(manifest)
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The providers that are served, in alphabetical order.
    #[must_use]
    pub fn providers(&self) -> Vec<&str> {
        self.installed.keys().map(String::as_str).collect()
    }

    /// The manifests, by provider.
    pub fn manifests(&self) -> impl Iterator<Item = &Manifest> {
        self.installed.values().map(|installed| &installed.manifest)
    }

    /// The manifest of a provider's library.
    #[must_use]
    pub fn manifest(&self, provider: &str) -> Option<&Manifest> {
        self.installed.get(provider).map(|installed| &installed.manifest)
    }

    /// The providers whose libraries were opened so far, in alphabetical order.
    #[must_use]
    pub fn opened(&self) -> Vec<&str> {
        let opened = self.installed.iter().filter(|(_, installed)| installed.adapter.get().is_some());
        opened.map(|(provider, _)| provider.as_str()).collect()
    }

    /// What is in the folder and cannot be used.
    #[must_use]
    pub fn problems(&self) -> &[LoadError] {
        &self.problems
    }

    /// The adapter of a provider, opened if it was not yet.
    ///
    /// # Errors
    /// Where none serves the provider, or its library cannot be used.
    pub fn adapter(&self, provider: &str) -> Result<Arc<dyn Adapter>, LoadError> {
        let Some(installed) = self.installed.get(provider) else {
            let claimed = self
                .problems
                .iter()
                .find(|problem| matches!(problem, LoadError::Twice { provider: other, .. } if other == provider));
            return Err(claimed.cloned().unwrap_or_else(|| LoadError::NoAdapter {
                provider: provider.chars().take(60).collect(),
                installed: self.installed.keys().cloned().collect(),
            }));
        };
        installed.adapter.get_or_init(|| self.load(installed)).clone()
    }

    fn load(&self, installed: &Installed) -> Result<Arc<dyn Adapter>, LoadError> {
        load(&self.folder.join(&installed.manifest.library), &installed.manifest)
    }
}

/// Loads one library by its manifest.
///
/// # Errors
/// Where platform, protocol or checksum do not fit, the file is no whole library, or it does not keep
/// to the boundary.
pub fn load(library: &Path, manifest: &Manifest) -> Result<Arc<dyn Adapter>, LoadError> {
    if manifest.platform != platform() {
        return Err(LoadError::Platform {
            path: library.to_path_buf(),
            found: manifest.platform.clone(),
            expected: platform(),
        });
    }
    check_version(library, manifest.abi_major, manifest.abi_minor)?;
    Ok(Arc::new(Loaded::open_library(library, manifest)?))
}
