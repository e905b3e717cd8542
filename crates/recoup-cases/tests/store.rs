//! The stores themselves: many at once, tampering, full disks, locks, servers that go away.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod common;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use common::*;
use recoup_cases::flow::{Execution, Quoting};
use recoup_cases::journal::{Act, Entry, Event};
use recoup_cases::model::{CaseId, LineState};
use recoup_cases::store::{Store, StoreError, open};
use sqlx::Connection as _;

const ACROSS: &str = "RECOUP_ACROSS_STORE";

/// Confirms a batch that overlaps with everybody else's, and carries out what it got.
async fn take_part(address: &str, who: usize) -> Vec<String> {
    let store: Arc<dyn Store> = Arc::new(open(address).await.unwrap());
    let flows = flows(&store);
    let lines = (0..8).map(|n| line_with(&format!("r-{}", (n + who * 3) % 20), &[quota("q", 12, 0)])).collect();
    let act = Act { actor: format!("worker {who}"), ..act(1) };
    let id = flows.quote(&act, draft(lines), &Quoting::default()).await.unwrap().case;
    flows.confirm(&act, &id, &yes()).await.unwrap();
    let provider = Provider::default();
    let _ = flows.execute(&act, &id, &Execution::default(), &provider).await;
    let did = provider.did.lock().unwrap().clone();
    store.close().await;
    did
}

async fn everything_left_once(address: &str, done: usize) {
    let store: Arc<dyn Store> = Arc::new(open(address).await.unwrap());
    let flows = flows(&store);
    holds(&flows).await;
    let mut left: BTreeMap<String, usize> = BTreeMap::new();
    for id in store.cases().await.unwrap() {
        for line in flows.case(&id).await.unwrap().lines {
            if line.state == LineState::Executed {
                *left.entry(line.resource).or_default() += 1;
            }
        }
    }
    assert!(left.values().all(|times| *times == 1), "{left:?}");
    // Twenty resources are wanted, and the quota lets twelve go: exactly twelve did.
    assert_eq!((left.len(), done), (12, 12));
    store.close().await;
}

/// Is a child of `two_processes_never_take_the_same_resource`, and nothing by itself.
#[test]
fn the_other_process() {
    let Ok(text) = std::env::var(ACROSS) else { return };
    let (who, address) = text.split_once(' ').unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for round in 0..5 {
        let did = runtime.block_on(take_part(address, who.parse::<usize>().unwrap() * 5 + round));
        did.iter().for_each(|resource| println!("did {resource}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_tasks_never_take_the_same_resource_or_exceed_a_quota() {
    for place in fresh().await {
        let tasks: Vec<_> = (0..10)
            .map(|who| {
                let address = place.address.clone();
                tokio::spawn(async move { take_part(&address, who).await })
            })
            .collect();
        let mut did = Vec::new();
        for task in tasks {
            did.extend(task.await.unwrap());
        }
        everything_left_once(&place.address, did.len()).await;
    }
}

#[tokio::test]
async fn two_processes_never_take_the_same_resource() {
    for place in fresh().await {
        let children: Vec<_> = (0..2)
            .map(|who| {
                Command::new(std::env::current_exe().unwrap())
                    .args(["--exact", "the_other_process", "--nocapture"])
                    .env(ACROSS, format!("{who} {}", place.address))
                    .stdout(std::process::Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let mut done = 0;
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success());
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            done += text.matches("did r-").count();
        }
        everything_left_once(&place.address, done).await;
    }
}

/// A store with one settled case, and its address.
async fn with_a_case(address: &str) -> CaseId {
    let store: Arc<dyn Store> = Arc::new(open(address).await.unwrap());
    let flows = flows(&store);
    let id = quoted(&flows, vec![line("a"), line("b")]).await;
    flows.confirm(&act(1), &id, &yes()).await.unwrap();
    flows.execute(&act(2), &id, &Execution::default(), &Provider::default()).await.unwrap();
    holds(&flows).await;
    store.close().await;
    id
}

/// Does something to the tables behind everybody's back.
async fn tamper(address: &str, statements: &[&str]) -> Result<(), sqlx::Error> {
    sqlx::any::install_default_drivers();
    let url = if address.contains("://") { address.to_owned() } else { format!("sqlite://{address}") };
    let mut connection = sqlx::AnyConnection::connect(&url).await?;
    for statement in statements {
        sqlx::query(sqlx::AssertSqlSafe((*statement).to_owned())).execute(&mut connection).await?;
    }
    connection.close().await
}

fn unguarded(kind: &str) -> &'static [&'static str] {
    match kind {
        "SQLite" => &["DROP TRIGGER journal_kept", "DROP TRIGGER journal_whole"],
        _ => &["DROP TRIGGER journal_kept ON journal"],
    }
}

#[tokio::test]
async fn the_database_itself_keeps_the_journal_from_being_changed() {
    for place in fresh().await {
        with_a_case(&place.address).await;
        for statement in ["UPDATE journal SET actor = 'someone else'", "DELETE FROM journal WHERE seq = 2"] {
            let error = tamper(&place.address, &[statement]).await.unwrap_err();
            assert!(error.to_string().contains("only appended to"), "{error}");
        }
    }
}

#[tokio::test]
async fn whatever_is_tampered_with_is_found() {
    for (statement, found) in [
        ("UPDATE journal SET actor = 'someone else' WHERE seq = 3", "entry 3: its hash is"),
        ("UPDATE journal SET body = replace(body, '80.00', '90.00') WHERE seq = 2", "entry 2: its hash is"),
        ("DELETE FROM journal WHERE seq = 3", "entry 3 was expected here"),
        ("DELETE FROM journal WHERE seq >= 5", "entries are missing at its end"),
        ("UPDATE lines SET doc = replace(doc, '80.00', '90.00')", "what is derived of C1 is not what the journal says"),
        ("DELETE FROM cases", "C1 is in the journal and not in what is derived from it"),
        ("DELETE FROM marks WHERE kind = 'gone'", "2 are lost and 0 too many"),
    ] {
        for place in fresh().await {
            let known = {
                with_a_case(&place.address).await;
                let store = open(&place.address).await.unwrap();
                store.head().await.unwrap().hash
            };
            let mut statements = unguarded(place.kind).to_vec();
            statements.push(statement);
            tamper(&place.address, &statements).await.unwrap();
            let store: Arc<dyn Store> = Arc::new(open(&place.address).await.unwrap());
            let flows = flows(&store);
            let report = flows.verify(None).await.unwrap();
            assert!(
                report.problems.iter().any(|problem| problem.contains(found)),
                "{statement}: {:#?}",
                report.problems
            );
            // What is derived can be made again; the journal cannot.
            let mended = flows.rebuild().await;
            if statement.contains("journal") && !statement.contains(">= 5") {
                assert!(mended.is_err(), "{statement}");
            } else if !statement.contains("journal") {
                assert!(mended.unwrap().holds(), "{statement}");
                assert!(flows.verify(Some(&known)).await.unwrap().holds());
            }
            store.close().await;
        }
    }
}

#[tokio::test]
async fn a_head_that_was_noted_down_must_be_in_the_chain() {
    for place in fresh().await {
        with_a_case(&place.address).await;
        let store: Arc<dyn Store> = Arc::new(open(&place.address).await.unwrap());
        let flows = flows(&store);
        let second = store.entries(2, 1, None).await.unwrap()[0].hash.clone();
        assert!(flows.verify(Some(&second)).await.unwrap().holds());
        let report = flows.verify(Some(&"f".repeat(64))).await.unwrap();
        assert!(report.problems[0].contains("not the journal that it was noted down of"), "{:?}", report.problems);
        store.close().await;
    }
}

#[tokio::test]
async fn a_change_that_is_dropped_changes_nothing() {
    for place in fresh().await {
        with_a_case(&place.address).await;
        let store = open(&place.address).await.unwrap();
        let before = store.head().await.unwrap();
        {
            let mut change = store.begin().await.unwrap();
            let event = Event::Withdrawn { lines: vec![1] };
            let entry = Entry::after(change.head(), &act(9), None, &event).unwrap();
            change.append(std::slice::from_ref(&entry)).await.unwrap();
            // An entry that does not follow on the newest one is refused.
            assert!(change.append(&[entry]).await.is_err());
        }
        assert_eq!(store.head().await.unwrap(), before);
        store.close().await;
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_said_without_its_password() {
    for (address, expected) in [
        ("mysql://u:secret@h/d", "mysql://u@h/d: expected a file name, or postgres://USER@HOST/DATABASE"),
        ("", "an empty name: expected a file name, or postgres://USER@HOST/DATABASE"),
        (
            "/nowhere/at/all/c.db",
            "the store cannot be reached (there is no folder /nowhere/at/all); what was committed is safe. Try again when it is back",
        ),
    ] {
        assert_eq!(open(address).await.unwrap_err().to_string(), expected);
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(open(&folder.path().to_string_lossy()).await, Err(StoreError::Address(_))));
    let file = folder.path().join("text.db");
    std::fs::write(&file, "this is no database, however long it may be ".repeat(200)).unwrap();
    let error = open(&file.to_string_lossy()).await.unwrap_err();
    assert!(matches!(error, StoreError::Damaged(_)), "{error}");
}

#[tokio::test]
async fn names_with_signs_of_addresses_are_files() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("50% of #1?.db");
    with_a_case(&file.to_string_lossy()).await;
    assert!(file.is_file());
}

#[tokio::test]
async fn a_store_of_a_newer_program_is_left_alone() {
    for place in fresh().await {
        with_a_case(&place.address).await;
        tamper(&place.address, &["UPDATE meta SET value = '2' WHERE name = 'schema'"]).await.unwrap();
        let error = open(&place.address).await.unwrap_err();
        assert_eq!(error, StoreError::Newer { found: 2, known: 1 });
    }
}

#[tokio::test]
async fn a_full_disk_is_said_and_leaves_nothing_half_done() {
    // SQLite lets a database be told how large it may become, which fails as a full disk does.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cases.db").to_string_lossy().into_owned();
    with_a_case(&file).await;
    let store: Arc<dyn Store> = Arc::new(open(&file).await.unwrap());
    let flows = flows(&store);
    let small = recoup_cases::store::limited(&file, 30).await.unwrap();
    let full: Arc<dyn Store> = Arc::new(small);
    let large: Vec<_> = (0..2_000).map(|n| line(&format!("large-{n}"))).collect();
    let before = store.head().await.unwrap();
    let error = common::flows(&full).quote(&act(5), draft(large), &Quoting::default()).await.unwrap_err();
    assert!(error.to_string().contains("full"), "{error}");
    assert_eq!(store.head().await.unwrap(), before);
    holds(&flows).await;
    store.close().await;
}

#[tokio::test]
async fn a_locked_database_is_waited_for_and_then_said() {
    for place in fresh().await {
        with_a_case(&place.address).await;
        let store: Arc<dyn Store> = Arc::new(open(&place.address).await.unwrap());
        let other = open(&place.address).await.unwrap();
        let held = other.begin().await.unwrap();
        let flows = flows(&store);
        let waits = tokio::spawn({
            let flows = flows.clone();
            async move { quoted(&flows, vec![line("c")]).await }
        });
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!waits.is_finished());
        drop(held);
        assert_eq!(waits.await.unwrap().0, "C2");
        let held = other.begin().await.unwrap();
        let error = flows.tick(&act(300)).await.unwrap_err();
        assert!(error.to_string().contains("locked by somebody else"), "{error}");
        drop(held);
        assert_eq!(flows.tick(&act(300)).await.unwrap().lapsed, 1);
        store.close().await;
        other.close().await;
    }
}

#[tokio::test]
async fn a_server_that_goes_away_and_returns_is_said_and_found_again() {
    let Some(server) = server() else { return };
    let place = fresh().await.pop().unwrap();
    with_a_case(&place.address).await;
    let store: Arc<dyn Store> = Arc::new(open(&place.address).await.unwrap());
    let flows = flows(&store);
    let mut change = store.begin().await.unwrap();
    let mine = tamper(&server, &["SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'"]).await;
    mine.unwrap();
    let entry = Entry::after(change.head(), &act(9), None, &Event::Withdrawn { lines: vec![1] }).unwrap();
    let error = change.append(&[entry]).await.unwrap_err();
    assert!(matches!(error, StoreError::Gone(_)), "{error}");
    drop(change);
    // The next command takes a new connection.
    quoted(&flows, vec![line("c")]).await;
    holds(&flows).await;
    store.close().await;
    // No server at all.
    let error = open("postgres://nobody@127.0.0.1:1/none").await.unwrap_err();
    assert!(matches!(error, StoreError::Gone(_)), "{error}");
}
