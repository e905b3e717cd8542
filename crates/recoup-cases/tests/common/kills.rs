//! A process that is killed at random points of a long batch, again and again, until the batch is done.
//!
//! The child confirms and carries out; its provider is a file that lives on. The parent kills it, looks at
//! what the provider did, says so for what was begun, and starts the next child. In the end every line has
//! left exactly once, and the journal holds after every single death.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant as Clock};

use recoup_cases::flow::{Execution, FlowError};
use recoup_cases::gateway::LineResult;
use recoup_cases::model::{CaseId, LineState};
use recoup_cases::store::{Store, open};
use recoup_core::money::Amount;

use super::{Ledger, act, draft, flows, keyed, line, yes};

/// What the environment tells a child.
pub const STORE: &str = "RECOUP_KILLED_STORE";
pub const PROVIDER: &str = "RECOUP_KILLED_PROVIDER";

/// Small pseudo-random numbers whose seed replays them.
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self, below: u64) -> u64 {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below.max(1)
    }
}

/// What a child writes once its store is open.
fn ready(provider: &Path, child: u32) -> std::path::PathBuf {
    provider.with_extension(format!("ready-{child}"))
}

/// What a child does: everything that is left of the batch. Gives whether there is nothing left.
pub async fn child(address: &str, provider: &Path) {
    let store: Arc<dyn Store> = Arc::new(open(address).await.unwrap());
    // From here on the parent counts.
    std::fs::write(ready(provider, std::process::id()), "").unwrap();
    let flows = flows(&store);
    let id = CaseId("C1".to_owned());
    let case = flows.case(&id).await.unwrap();
    // A part of the lines at a time, so that confirming too is killed in the middle.
    for part in case.lines.chunks(20).filter(|part| part.iter().any(|line| line.state == LineState::Quoted)) {
        let numbers: Vec<u32> = part.iter().map(|line| line.number).collect();
        let said = recoup_cases::flow::Confirmation { lines: Some(numbers.clone()), ..yes() };
        match flows.confirm(&keyed(2, &format!("confirm-{}", numbers[0])), &id, &said).await {
            Ok(_) | Err(FlowError::State { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    let ledger = Ledger { file: provider.to_path_buf() };
    match flows.execute(&act(2), &id, &Execution::default(), &ledger).await {
        Ok(_) | Err(FlowError::Nothing(_)) => {}
        Err(error) => panic!("{error}"),
    }
    store.close().await;
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, Default)]
pub struct Survived {
    pub kills: u32,
    pub batches: u32,
    pub lines: u32,
}

/// Takes one batch through deaths until it is done, at most so many. `spawn` starts a child.
pub async fn survive(
    address: &str,
    lines: u32,
    dice: &mut Dice,
    spawn: impl Fn(&mut Command) -> &mut Command,
) -> Survived {
    let folder = tempfile::tempdir().unwrap();
    let provider = folder.path().join("provider");
    let store: Arc<dyn Store> = Arc::new(open(address).await.unwrap());
    let flows = flows(&store);
    let all: Vec<_> = (0..lines).map(|n| line(&format!("r-{n}"))).collect();
    let id = flows.quote(&act(0), draft(all), &Default::default()).await.unwrap().case;
    let (mut seen, mut stuck) = (0, 0);
    let mut survived = Survived { batches: 1, lines, ..Survived::default() };
    loop {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.env(STORE, address).env(PROVIDER, &provider).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = spawn(&mut command).spawn().unwrap();
        // A busy machine starts a process slowly; what counts is the time in which it works.
        let head = store.head().await.unwrap().seq;
        // Who gets nothing done gets more time, so that every batch ends on every machine.
        stuck = if head > seen { 0 } else { stuck + 1 };
        seen = head;
        let patience = Duration::from_micros(dice.next(60_000) * (1 + stuck / 2));
        let (born, mut begun) = (Clock::now(), None);
        let mut ended = None;
        while ended.is_none() && born.elapsed() < Duration::from_secs(60) {
            match begun {
                None => begun = ready(&provider, child.id()).exists().then(Clock::now),
                Some(begun) if Clock::now() - begun >= patience => break,
                Some(_) => {}
            }
            std::thread::sleep(Duration::from_micros(300));
            ended = child.try_wait().unwrap();
        }
        if ended.is_none() {
            child.kill().unwrap();
        }
        let output = child.wait_with_output().unwrap();
        let killed = output.status.code().is_none();
        survived.kills += u32::from(killed);
        if !killed && !output.status.success() {
            panic!("the child failed: {}", String::from_utf8_lossy(&output.stderr));
        }
        let report = flows.verify(None).await.unwrap();
        assert!(report.holds(), "after {} kills: {:#?}", survived.kills, report.problems);
        let did = Ledger::did(&provider);
        let once: BTreeSet<&String> = did.iter().collect();
        assert_eq!(once.len(), did.len(), "something was done twice");
        let case = flows.case(&id).await.unwrap();
        assert_eq!(case.lines.len(), lines as usize, "a line was lost");
        for line in &case.lines {
            match line.state {
                LineState::Executed => assert!(once.contains(&line.resource), "{} did not leave", line.resource),
                LineState::Executing | LineState::InDoubt => {
                    // Somebody looks at the provider and says what became of it.
                    let result = if once.contains(&line.resource) {
                        LineResult::Done { references: vec![format!("found-{}", line.resource)] }
                    } else {
                        LineResult::NotSent { says: "it is still there".to_owned() }
                    };
                    flows.tick_off(&act(2), &id, &[line.number], &result).await.unwrap();
                }
                LineState::Quoted | LineState::Approved => assert!(!once.contains(&line.resource)),
                other => panic!("line {} is {other}", line.number),
            }
        }
        let case = flows.case(&id).await.unwrap();
        if case.lines.iter().all(|line| line.state == LineState::Executed) {
            let expected =
                case.lines.iter().flat_map(|line| &line.expected).fold(Amount::ZERO, |sum, item| sum + item.amount);
            assert_eq!(expected, (0..lines).fold(Amount::ZERO, |sum, _| sum + Amount::whole(100)), "money was lost");
            store.close().await;
            return survived;
        }
    }
}
