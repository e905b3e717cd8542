//! The boundary between recoup and its adapters.
//!
//! An adapter is a shared library that exports one C symbol (see [`abi`] and `include/recoup_adapter.h`).
//! Resources and assessments cross it as Arrow batches through the Arrow C data interface, everything
//! rare as JSON; no Rust type does, so an adapter may be built by another compiler or written in another
//! language. The same adapter also links statically, as [`session::Linked`].
//!
//! | module | side | subject |
//! |---|---|---|
//! | [`abi`] | both | the C ABI |
//! | [`schema`] | both | the columns of a batch |
//! | [`batch`] | host | from owned records to a batch |
//! | [`rows`] | adapter | a batch as resources that rules read |
//! | [`writer`] | adapter | assessments into a batch |
//! | [`answers`] | host | assessments out of a batch, checked |
//! | [`messages`] | both | the JSON of the rare calls |
//! | [`export`] | adapter | the exported functions, `export_provider!` |
//! | [`session`] | host | what a host calls, linked or loaded |
//! | [`host`] | host | finding, checking and loading libraries (feature `host`) |
//!
//! This is the only crate with `unsafe`.

pub mod abi;
pub mod answers;
pub mod batch;
mod columns;
pub mod export;
#[cfg(feature = "host")]
pub mod host;
pub mod messages;
mod names;
mod prices;
pub mod rows;
pub mod schema;
pub mod session;
mod valid;
pub mod writer;

pub use session::{Adapter, CallError, Linked, Session};
