//! Where the journal lies, and what is derived from it.
//!
//! A [`Store`] lets one change through at a time: [`begin`](Store::begin) waits for its turn, and nothing
//! that a [`Change`] reads can be changed by anybody else until it is committed or dropped. Dropping it
//! changes nothing. That is all the flows need to know of a database.

mod sql;

use async_trait::async_trait;
use recoup_core::time::{Instant, Zone};

use crate::journal::{Broken, Entry, Head};
use crate::model::{Case, CaseId, Line, LineState};
use crate::state::Mark;

pub use sql::{SqlStore, limited, open};

/// How far a clock may be behind the newest entry: machines are never quite together.
pub const CLOCK_SKEW_SECONDS: i64 = 300;

/// A store that cannot do what it was asked. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else holds it for too long.
    #[error(
        "the store is locked by somebody else ({0}); nothing was changed. Wait until the other command is done and try again"
    )]
    Locked(String),
    /// There is no room.
    #[error(
        "the store cannot be written, its disk or its quota is full ({0}); nothing was changed. Make room and try again"
    )]
    Full(String),
    /// It cannot be reached.
    #[error("the store cannot be reached ({0}); what was committed is safe. Try again when it is back")]
    Gone(String),
    /// It may only be read.
    #[error("the store may only be read ({0}); nothing was changed")]
    ReadOnly(String),
    /// Its address is not understood.
    #[error("{0}: expected a file name, or postgres://USER@HOST/DATABASE")]
    Address(String),
    /// This program was built without what the store needs.
    #[error("{0}: this program was built without PostgreSQL (feature `postgres`)")]
    NotBuilt(String),
    /// It is not what it should be.
    #[error("the store is damaged: {0}. `recoup case verify` says more; restore a copy whose head is known")]
    Damaged(String),
    /// A newer program made it.
    #[error("the store has schema {found}, and this program knows up to {known}: use a newer recoup")]
    Newer {
        /// The schema found.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// The clock went back.
    #[error(
        "the clock went back: it is {}, but the newest entry was made at {}; nothing was changed. Set the clock right, or give a time from then on with --at",
        .now.display(Zone::UTC), .newest.display(Zone::UTC)
    )]
    ClockWentBack {
        /// The time given.
        now: Instant,
        /// When the newest entry was made.
        newest: Instant,
    },
    /// Something else that the database says.
    #[error("the store: {0}")]
    Other(String),
}

impl From<Broken> for StoreError {
    fn from(broken: Broken) -> Self {
        Self::Damaged(broken.to_string())
    }
}

/// A journal with what is derived from it.
#[async_trait]
pub trait Store: Send + Sync {
    /// Where it is, for people; without a password.
    fn address(&self) -> &str;

    /// Begins a change, once everybody else is done.
    ///
    /// # Errors
    /// Where the store is locked for too long, or cannot be used.
    async fn begin(&self) -> Result<Box<dyn Change>, StoreError>;

    /// The end of the journal.
    ///
    /// # Errors
    /// Where the store cannot be used.
    async fn head(&self) -> Result<Head, StoreError>;

    /// Entries from a number on, at most so many; of one case only, where one is named.
    ///
    /// # Errors
    /// Where the store cannot be used.
    async fn entries(&self, from: i64, most: i64, case: Option<&CaseId>) -> Result<Vec<Entry>, StoreError>;

    /// A case with all its lines.
    ///
    /// # Errors
    /// Where the store cannot be used or is damaged.
    async fn case(&self, id: &CaseId) -> Result<Option<Case>, StoreError>;

    /// The numbers of all cases, newest first.
    ///
    /// # Errors
    /// Where the store cannot be used.
    async fn cases(&self) -> Result<Vec<CaseId>, StoreError>;

    /// All marks of a kind, or of a kind and key, in the order of key, case and line.
    ///
    /// # Errors
    /// Where the store cannot be used.
    async fn marks(&self, kind: &'static str, key: Option<&str>) -> Result<Vec<Mark>, StoreError>;

    /// Lets go of the database.
    async fn close(&self);
}

/// A change on its way. Everything read in it stays so until it is committed or dropped.
#[async_trait]
pub trait Change: Send {
    /// The end of the journal.
    fn head(&self) -> &Head;

    /// Appends entries, each of which follows on the one before.
    ///
    /// # Errors
    /// Where one does not follow, or the store cannot be used.
    async fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError>;

    /// A case with some of its lines, or with all.
    ///
    /// # Errors
    /// Where the store cannot be used or is damaged.
    async fn case(&mut self, id: &CaseId, lines: Option<&[u32]>) -> Result<Option<Case>, StoreError>;

    /// The lines of a case and where each stands.
    ///
    /// # Errors
    /// Where the store cannot be used or is damaged.
    async fn states(&mut self, id: &CaseId) -> Result<Vec<(u32, LineState)>, StoreError>;

    /// How many cases there are.
    ///
    /// # Errors
    /// Where the store cannot be used.
    async fn count(&mut self) -> Result<i64, StoreError>;

    /// Writes what a case is, without its lines.
    ///
    /// # Errors
    /// Where the store cannot be used.
    async fn put_case(&mut self, case: &Case) -> Result<(), StoreError>;

    /// Writes lines of a case.
    ///
    /// # Errors
    /// Where the store cannot be used.
    async fn put_lines(&mut self, case: &CaseId, lines: &[&Line]) -> Result<(), StoreError>;

    /// The marks of a kind with some keys.
    ///
    /// # Errors
    /// Where the store cannot be used.
    async fn find(&mut self, kind: &'static str, keys: &[String]) -> Result<Vec<Mark>, StoreError>;

    /// Puts marks in the place of those that some lines of a case had. Line 0 is the case itself.
    ///
    /// # Errors
    /// Where the store cannot be used.
    async fn mark(&mut self, case: &str, lines: &[u32], marks: &[Mark]) -> Result<(), StoreError>;

    /// Takes away all that is derived, as the first step of making it again.
    ///
    /// # Errors
    /// Where the store cannot be used.
    async fn clear(&mut self) -> Result<(), StoreError>;

    /// Makes the change durable, whole.
    ///
    /// # Errors
    /// Where it is not; then nothing was changed, unless the store went away in this very moment.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}
