//! Both databases through one driver of sqlx: SQLite in a file, PostgreSQL on a server.
//!
//! The statements are the same; what differs is how a change waits for its turn, and how errors are
//! numbered.

use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use async_trait::async_trait;
use recoup_core::time::Instant;
use sqlx::any::{AnyArguments, AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AnyPool, AssertSqlSafe, Connection, Row, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::{Change, Store, StoreError};
use crate::journal::{Entry, Head};
use crate::model::{Case, CaseId, Line, LineState};
use crate::state::{Mark, kinds};

/// The schema that this program writes.
const SCHEMA: i64 = 1;
/// How long a change waits for its turn.
const PATIENCE: Duration = Duration::from_secs(15);
/// Rows of one statement; databases limit its parameters.
const ROWS: usize = 100;
/// What PostgreSQL's advisory lock is taken on while the schema is made.
#[cfg(feature = "postgres")]
const MAKING: &str = "SELECT pg_advisory_xact_lock(7237701)::text";

/// What both databases understand.
const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS journal (seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, actor TEXT NOT NULL, because TEXT NOT NULL, case_id TEXT NOT NULL, body TEXT NOT NULL, before TEXT NOT NULL, hash TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS journal_case ON journal (case_id, seq)",
    "CREATE TABLE IF NOT EXISTS cases (id TEXT PRIMARY KEY, number BIGINT NOT NULL, doc TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS lines (case_id TEXT NOT NULL, number BIGINT NOT NULL, state TEXT NOT NULL, doc TEXT NOT NULL, PRIMARY KEY (case_id, number))",
    "CREATE TABLE IF NOT EXISTS marks (kind TEXT NOT NULL, key TEXT NOT NULL, case_id TEXT NOT NULL, line BIGINT NOT NULL, value TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS marks_key ON marks (kind, key)",
    "CREATE INDEX IF NOT EXISTS marks_line ON marks (case_id, line)",
    // Belt and braces: whatever a flow might do wrong, no resource is asked for twice, and no receipt or
    // answer is booked twice.
    "CREATE UNIQUE INDEX IF NOT EXISTS marks_once ON marks (kind, key) WHERE kind IN ('held', 'receipt', 'answer')",
];

/// The journal is appended to, never changed: the database holds that too.
const SQLITE_GUARDS: &[&str] = &[
    "CREATE TRIGGER IF NOT EXISTS journal_kept BEFORE UPDATE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END",
    "CREATE TRIGGER IF NOT EXISTS journal_whole BEFORE DELETE ON journal BEGIN SELECT RAISE(ABORT, 'the journal is only appended to'); END",
];
#[cfg(feature = "postgres")]
const POSTGRES_GUARDS: &[&str] = &[
    "CREATE OR REPLACE FUNCTION journal_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the journal is only appended to'; END $$",
    "DROP TRIGGER IF EXISTS journal_kept ON journal",
    "CREATE TRIGGER journal_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON journal FOR EACH STATEMENT EXECUTE FUNCTION journal_kept()",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

/// A store in a database.
#[derive(Debug)]
pub struct SqlStore {
    pool: AnyPool,
    kind: Kind,
    address: String,
    /// Within a process changes wait here, in order, and not in the database.
    turn: Arc<Mutex<()>>,
}

type Bound<'q> = Query<'q, Any, AnyArguments>;

/// What an error of the database means.
#[allow(clippy::needless_pass_by_value, reason = "so that it can be given to map_err")]
fn failed(error: sqlx::Error) -> StoreError {
    let said = error.to_string();
    match &error {
        sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            return StoreError::Gone(said);
        }
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default().into_owned();
            let primary = code.parse::<u32>().map(|code| code & 0xff);
            // SQLite numbers its errors; PostgreSQL has SQLSTATEs of five characters.
            if code.len() == 5 {
                return match code.get(..2).unwrap_or_default() {
                    "08" | "57" => StoreError::Gone(said),
                    "53" => StoreError::Full(said),
                    "55" | "40" => StoreError::Locked(said),
                    "25" => StoreError::ReadOnly(said),
                    "28" => StoreError::Gone(said),
                    "3D" => StoreError::Gone(said),
                    _ => StoreError::Other(said),
                };
            }
            return match primary {
                Ok(5 | 6) => StoreError::Locked(said),
                Ok(8) => StoreError::ReadOnly(said),
                // Disk I/O errors and short writes leave nothing half done either: the change is undone.
                Ok(13) => StoreError::Full(said),
                Ok(10 | 14) => StoreError::Gone(said),
                Ok(11 | 26) => StoreError::Damaged(said),
                _ => StoreError::Other(said),
            };
        }
        _ => {}
    }
    StoreError::Other(said)
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(error.to_string())
}

fn written(value: &impl serde::Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(damaged)
}

/// An address without a password.
fn shown(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else { return address.to_owned() };
    let place = rest.split('?').next().unwrap_or_default();
    match place.rsplit_once('@') {
        Some((user, host)) => format!("{scheme}://{}@{host}", user.split(':').next().unwrap_or_default()),
        None => format!("{scheme}://{place}"),
    }
}

/// Opens a store, and makes it where there is none: a file for SQLite, or `postgres://...`.
///
/// # Errors
/// Where it cannot be reached, is damaged, or was made by a newer program.
pub async fn open(address: &str) -> Result<SqlStore, StoreError> {
    opened(address, Vec::new()).await
}

/// Opens a store in a file that may not grow beyond so many pages of it: what a full disk does to a store.
///
/// # Errors
/// As [`open`], and where the store is no file.
pub async fn limited(file: &str, pages: u32) -> Result<SqlStore, StoreError> {
    match kind_of(file)? {
        Kind::Sqlite => opened(file, vec![format!("PRAGMA max_page_count = {pages}")]).await,
        #[cfg(feature = "postgres")]
        Kind::Postgres => Err(StoreError::Address(shown(file))),
    }
}

async fn opened(address: &str, more: Vec<String>) -> Result<SqlStore, StoreError> {
    static DRIVERS: Once = Once::new();
    DRIVERS.call_once(sqlx::any::install_default_drivers);
    let kind = kind_of(address)?;
    let url = match kind {
        Kind::Sqlite => sqlite_url(address)?,
        #[cfg(feature = "postgres")]
        Kind::Postgres => address.to_owned(),
    };
    let options: AnyConnectOptions =
        url.parse().map_err(|error| StoreError::Address(format!("{}: {error}", shown(address))))?;
    // A pool tries again and again; what is wrong is said at once by one connection of our own.
    let mut probe = sqlx::AnyConnection::connect_with(&options).await.map_err(failed)?;
    for statement in settings(kind) {
        sqlx::query(*statement).execute(&mut probe).await.map_err(failed)?;
    }
    probe.close().await.map_err(failed)?;
    let pool = AnyPoolOptions::new()
        .max_connections(4)
        .acquire_timeout(PATIENCE)
        .after_connect(move |connection, _| {
            let more = more.clone();
            Box::pin(async move {
                for statement in settings(kind) {
                    sqlx::query(*statement).execute(&mut *connection).await?;
                }
                for statement in more {
                    sqlx::query(AssertSqlSafe(statement)).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
        .connect_with(options)
        .await
        .map_err(failed)?;
    let store = SqlStore { pool, kind, address: shown(address), turn: Arc::default() };
    store.make().await?;
    Ok(store)
}

fn kind_of(address: &str) -> Result<Kind, StoreError> {
    match address.split_once("://") {
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => Ok(Kind::Postgres),
        #[cfg(not(feature = "postgres"))]
        Some(("postgres" | "postgresql", _)) => Err(StoreError::NotBuilt(shown(address))),
        Some(("sqlite", _)) | None => Ok(Kind::Sqlite),
        Some(_) => Err(StoreError::Address(shown(address))),
    }
}

/// What every connection is told first.
const fn settings(kind: Kind) -> &'static [&'static str] {
    match kind {
        // What is committed survives a power cut; readers do not wait for a writer.
        Kind::Sqlite => &["PRAGMA busy_timeout = 15000", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"],
        #[cfg(feature = "postgres")]
        Kind::Postgres => &["SET lock_timeout = '15s'", "SET client_min_messages = 'warning'"],
    }
}

fn sqlite_url(address: &str) -> Result<String, StoreError> {
    let file = address.strip_prefix("sqlite://").unwrap_or(address);
    if file.is_empty() {
        return Err(StoreError::Address("an empty name".to_owned()));
    }
    let path = Path::new(file);
    if path.is_dir() {
        return Err(StoreError::Address(format!("{file} is a folder")));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir()) {
        return Err(StoreError::Gone(format!("there is no folder {}", folder.display())));
    }
    // What means something in an address is written otherwise; `%` first.
    let file = file.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
    Ok(format!("sqlite://{file}?mode=rwc"))
}

impl SqlStore {
    /// Makes what is not there yet, and looks whether what is there is known.
    async fn make(&self) -> Result<(), StoreError> {
        if self.is_made().await? {
            return Ok(());
        }
        let mut change = self.pool.begin_with(self.opening()).await.map_err(failed)?;
        let mut statements: Vec<&'static str> = Vec::new();
        #[cfg(feature = "postgres")]
        if self.kind == Kind::Postgres {
            statements.push(MAKING);
        }
        statements.extend(TABLES);
        statements.extend(match self.kind {
            Kind::Sqlite => SQLITE_GUARDS,
            #[cfg(feature = "postgres")]
            Kind::Postgres => POSTGRES_GUARDS,
        });
        for statement in statements {
            sqlx::query(statement).execute(&mut *change).await.map_err(failed)?;
        }
        for (name, value) in [("schema", SCHEMA.to_string()), ("head", written(&Head::default())?)] {
            sqlx::query("INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING")
                .bind(name)
                .bind(value)
                .execute(&mut *change)
                .await
                .map_err(failed)?;
        }
        change.commit().await.map_err(failed)
    }

    async fn is_made(&self) -> Result<bool, StoreError> {
        let row = sqlx::query("SELECT value FROM meta WHERE name = 'schema'").fetch_optional(&self.pool).await;
        let value = match row {
            Ok(Some(row)) => row.try_get::<String, _>(0).map_err(failed)?,
            Ok(None) => return Ok(false),
            // No such table yet.
            Err(sqlx::Error::Database(error)) if matches!(error.code().as_deref(), Some("1" | "42P01")) => {
                return Ok(false);
            }
            Err(error) => return Err(failed(error)),
        };
        match value.parse::<i64>() {
            Ok(found) if found <= SCHEMA => Ok(true),
            Ok(found) => Err(StoreError::Newer { found, known: SCHEMA }),
            Err(_) => Err(StoreError::Damaged(format!("its schema is {value:?}"))),
        }
    }

    const fn opening(&self) -> &'static str {
        match self.kind {
            // Takes the lock at once, so that nobody reads what somebody else is about to change.
            Kind::Sqlite => "BEGIN IMMEDIATE",
            #[cfg(feature = "postgres")]
            Kind::Postgres => "BEGIN",
        }
    }

    const fn locking_head(&self) -> &'static str {
        match self.kind {
            Kind::Sqlite => "SELECT value FROM meta WHERE name = 'head'",
            #[cfg(feature = "postgres")]
            Kind::Postgres => "SELECT value FROM meta WHERE name = 'head' FOR UPDATE",
        }
    }
}

fn entry(row: &AnyRow) -> Result<Entry, StoreError> {
    let text = |index: usize| row.try_get::<String, _>(index).map_err(failed);
    let number = |index: usize| row.try_get::<i64, _>(index).map_err(failed);
    Ok(Entry {
        seq: number(0)?,
        at: Instant::from_micros(number(1)?),
        actor: text(2)?,
        because: text(3)?,
        case: text(4)?,
        body: text(5)?,
        before: text(6)?,
        hash: text(7)?,
    })
}

fn mark(row: &AnyRow) -> Result<Mark, StoreError> {
    let text = |index: usize| row.try_get::<String, _>(index).map_err(failed);
    let kind = text(0)?;
    let kind = kinds::ALL.iter().find(|known| **known == kind).ok_or_else(|| damaged(format!("a mark {kind:?}")))?;
    let line = row.try_get::<i64, _>(3).map_err(failed)?;
    Ok(Mark { kind, key: text(1)?, case: text(2)?, line: u32::try_from(line).map_err(damaged)?, value: text(4)? })
}

fn head(text: &str) -> Result<Head, StoreError> {
    serde_json::from_str(text).map_err(|error| damaged(format!("its head: {error}")))
}

fn case(row: &AnyRow, lines: &[AnyRow]) -> Result<Case, StoreError> {
    let mut case: Case = serde_json::from_str(&row.try_get::<String, _>(0).map_err(failed)?).map_err(damaged)?;
    for line in lines {
        case.lines.push(serde_json::from_str(&line.try_get::<String, _>(0).map_err(failed)?).map_err(damaged)?);
    }
    Ok(case)
}

/// `($1, $2), ($3, $4)` for two rows of two columns.
fn places(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let cells: Vec<String> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", cells.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

/// `$2, $3, $4` for three values from the second on.
fn list(from: usize, count: usize) -> String {
    (from..from + count).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ")
}

#[async_trait]
impl Store for SqlStore {
    fn address(&self) -> &str {
        &self.address
    }

    async fn begin(&self) -> Result<Box<dyn Change>, StoreError> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let mut transaction = self.pool.begin_with(self.opening()).await.map_err(failed)?;
        let row = sqlx::query(self.locking_head()).fetch_one(&mut *transaction).await.map_err(failed)?;
        let head = head(&row.try_get::<String, _>(0).map_err(failed)?)?;
        Ok(Box::new(SqlChange { transaction, head, appended: false, _turn: turn }))
    }

    async fn head(&self) -> Result<Head, StoreError> {
        let row =
            sqlx::query("SELECT value FROM meta WHERE name = 'head'").fetch_one(&self.pool).await.map_err(failed)?;
        head(&row.try_get::<String, _>(0).map_err(failed)?)
    }

    async fn entries(&self, from: i64, most: i64, case: Option<&CaseId>) -> Result<Vec<Entry>, StoreError> {
        const COLUMNS: &str =
            "SELECT seq, at, actor, because, case_id, body, before, hash FROM journal WHERE seq >= $1";
        let rows = match case {
            Some(case) => {
                let statement = format!("{COLUMNS} AND case_id = $3 ORDER BY seq LIMIT $2");
                sqlx::query(AssertSqlSafe(statement)).bind(from).bind(most).bind(&case.0).fetch_all(&self.pool).await
            }
            None => {
                let statement = format!("{COLUMNS} ORDER BY seq LIMIT $2");
                sqlx::query(AssertSqlSafe(statement)).bind(from).bind(most).fetch_all(&self.pool).await
            }
        };
        rows.map_err(failed)?.iter().map(entry).collect()
    }

    async fn case(&self, id: &CaseId) -> Result<Option<Case>, StoreError> {
        // One snapshot for both statements.
        let mut change = self.pool.begin().await.map_err(failed)?;
        read_case(&mut change, id, None).await
    }

    async fn cases(&self) -> Result<Vec<CaseId>, StoreError> {
        let rows = sqlx::query("SELECT id FROM cases ORDER BY number DESC").fetch_all(&self.pool).await;
        rows.map_err(failed)?.iter().map(|row| row.try_get(0).map(CaseId).map_err(failed)).collect()
    }

    async fn marks(&self, kind: &'static str, key: Option<&str>) -> Result<Vec<Mark>, StoreError> {
        const COLUMNS: &str = "SELECT kind, key, case_id, line, value FROM marks WHERE kind = $1";
        const ORDER: &str = "ORDER BY key, case_id, line, value";
        let rows = match key {
            Some(key) => {
                let statement = format!("{COLUMNS} AND key = $2 {ORDER}");
                sqlx::query(AssertSqlSafe(statement)).bind(kind).bind(key).fetch_all(&self.pool).await
            }
            None => {
                let statement = format!("{COLUMNS} {ORDER}");
                sqlx::query(AssertSqlSafe(statement)).bind(kind).fetch_all(&self.pool).await
            }
        };
        rows.map_err(failed)?.iter().map(mark).collect()
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}

async fn read_case(
    change: &mut Transaction<'static, Any>,
    id: &CaseId,
    numbers: Option<&[u32]>,
) -> Result<Option<Case>, StoreError> {
    let row = sqlx::query("SELECT doc FROM cases WHERE id = $1").bind(&id.0).fetch_optional(&mut **change).await;
    let Some(row) = row.map_err(failed)? else { return Ok(None) };
    let mut lines = Vec::new();
    match numbers {
        None => {
            let statement = sqlx::query("SELECT doc FROM lines WHERE case_id = $1 ORDER BY number").bind(&id.0);
            lines = statement.fetch_all(&mut **change).await.map_err(failed)?;
        }
        Some(numbers) => {
            for numbers in numbers.chunks(ROWS) {
                let statement = format!(
                    "SELECT doc FROM lines WHERE case_id = $1 AND number IN ({}) ORDER BY number",
                    list(2, numbers.len())
                );
                let mut query = sqlx::query(AssertSqlSafe(statement)).bind(&id.0);
                for number in numbers {
                    query = query.bind(i64::from(*number));
                }
                lines.extend(query.fetch_all(&mut **change).await.map_err(failed)?);
            }
        }
    }
    case(&row, &lines).map(Some)
}

struct SqlChange {
    transaction: Transaction<'static, Any>,
    head: Head,
    appended: bool,
    _turn: OwnedMutexGuard<()>,
}

impl SqlChange {
    async fn run(&mut self, query: Bound<'_>) -> Result<(), StoreError> {
        query.execute(&mut *self.transaction).await.map(|_| ()).map_err(failed)
    }
}

#[async_trait]
impl Change for SqlChange {
    fn head(&self) -> &Head {
        &self.head
    }

    async fn append(&mut self, entries: &[Entry]) -> Result<(), StoreError> {
        for chunk in entries.chunks(ROWS) {
            let statement = format!(
                "INSERT INTO journal (seq, at, actor, because, case_id, body, before, hash) VALUES {}",
                places(chunk.len(), 8)
            );
            let mut query = sqlx::query(AssertSqlSafe(statement));
            for entry in chunk {
                entry.follows(&self.head)?;
                self.head = entry.head();
                query = query
                    .bind(entry.seq)
                    .bind(entry.at.micros())
                    .bind(entry.actor.clone())
                    .bind(entry.because.clone())
                    .bind(entry.case.clone())
                    .bind(entry.body.clone())
                    .bind(entry.before.clone())
                    .bind(entry.hash.clone());
            }
            self.run(query).await?;
            self.appended = true;
        }
        Ok(())
    }

    async fn case(&mut self, id: &CaseId, lines: Option<&[u32]>) -> Result<Option<Case>, StoreError> {
        read_case(&mut self.transaction, id, lines).await
    }

    async fn states(&mut self, id: &CaseId) -> Result<Vec<(u32, LineState)>, StoreError> {
        let rows = sqlx::query("SELECT number, state FROM lines WHERE case_id = $1 ORDER BY number")
            .bind(&id.0)
            .fetch_all(&mut *self.transaction)
            .await
            .map_err(failed)?;
        rows.iter()
            .map(|row| {
                let number = u32::try_from(row.try_get::<i64, _>(0).map_err(failed)?).map_err(damaged)?;
                let state = row.try_get::<String, _>(1).map_err(failed)?;
                let state = serde_json::from_value(serde_json::Value::String(state)).map_err(damaged)?;
                Ok((number, state))
            })
            .collect()
    }

    async fn count(&mut self) -> Result<i64, StoreError> {
        let row = sqlx::query("SELECT COUNT(*) FROM cases").fetch_one(&mut *self.transaction).await.map_err(failed)?;
        row.try_get(0).map_err(failed)
    }

    async fn put_case(&mut self, case: &Case) -> Result<(), StoreError> {
        let without_lines = Case { lines: Vec::new(), ..case.clone() };
        let number = case.id.0.trim_start_matches(|c: char| !c.is_ascii_digit()).parse::<i64>().unwrap_or_default();
        let query = sqlx::query(
            "INSERT INTO cases (id, number, doc) VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET doc = excluded.doc",
        );
        self.run(query.bind(case.id.0.clone()).bind(number).bind(written(&without_lines)?)).await
    }

    async fn put_lines(&mut self, case: &CaseId, lines: &[&Line]) -> Result<(), StoreError> {
        for lines in lines.chunks(ROWS) {
            let statement = format!(
                "INSERT INTO lines (case_id, number, state, doc) VALUES {} ON CONFLICT (case_id, number) DO UPDATE SET state = excluded.state, doc = excluded.doc",
                places(lines.len(), 4)
            );
            let mut query = sqlx::query(AssertSqlSafe(statement));
            for line in lines {
                query = query
                    .bind(case.0.clone())
                    .bind(i64::from(line.number))
                    .bind(line.state.as_str())
                    .bind(written(line)?);
            }
            self.run(query).await?;
        }
        Ok(())
    }

    async fn find(&mut self, kind: &'static str, keys: &[String]) -> Result<Vec<Mark>, StoreError> {
        let mut found = Vec::new();
        for keys in keys.chunks(ROWS) {
            let statement = format!(
                "SELECT kind, key, case_id, line, value FROM marks WHERE kind = $1 AND key IN ({})",
                list(2, keys.len())
            );
            let mut query = sqlx::query(AssertSqlSafe(statement)).bind(kind);
            for key in keys {
                query = query.bind(key.clone());
            }
            let rows = query.fetch_all(&mut *self.transaction).await.map_err(failed)?;
            for row in &rows {
                found.push(mark(row)?);
            }
        }
        Ok(found)
    }

    async fn mark(&mut self, case: &str, lines: &[u32], marks: &[Mark]) -> Result<(), StoreError> {
        if !case.is_empty() {
            for lines in lines.chunks(ROWS) {
                let statement = format!("DELETE FROM marks WHERE case_id = $1 AND line IN ({})", list(2, lines.len()));
                let mut query = sqlx::query(AssertSqlSafe(statement)).bind(case.to_owned());
                for line in lines {
                    query = query.bind(i64::from(*line));
                }
                self.run(query).await?;
            }
        }
        for marks in marks.chunks(ROWS) {
            let statement =
                format!("INSERT INTO marks (kind, key, case_id, line, value) VALUES {}", places(marks.len(), 5));
            let mut query = sqlx::query(AssertSqlSafe(statement));
            for mark in marks {
                query = query
                    .bind(mark.kind)
                    .bind(mark.key.clone())
                    .bind(mark.case.clone())
                    .bind(i64::from(mark.line))
                    .bind(mark.value.clone());
            }
            self.run(query).await?;
        }
        Ok(())
    }

    async fn clear(&mut self) -> Result<(), StoreError> {
        for statement in ["DELETE FROM marks", "DELETE FROM lines", "DELETE FROM cases"] {
            self.run(sqlx::query(statement)).await?;
        }
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        if self.appended {
            let query = sqlx::query("UPDATE meta SET value = $1 WHERE name = 'head'").bind(written(&self.head)?);
            self.run(query).await?;
        }
        self.transaction.commit().await.map_err(failed)
    }
}
