//! The worklist: steps in the provider's console, written to a file and ticked off by a person.
//!
//! A task becomes one Markdown file. The person puts an `x` between the brackets of every line that was
//! done, a `-` where the console refused, and writes the number of the unsubscription order, or what the
//! console said, behind the colon. [`ticks`] reads it back. A file that is there already is never written
//! over: what somebody ticked off stays.

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use crate::gateway::{Gateway, GatewayError, LineResult, Results, Steps, Task, Work};
use crate::model::{Case, CombinedOrder, Line};
use crate::published::Published;

/// Writes worklists into a folder.
#[derive(Debug, Clone)]
pub struct WorklistFolder {
    published: Arc<Published>,
    folder: PathBuf,
}

impl WorklistFolder {
    /// Worklists in a folder, which is made where it is missing.
    #[must_use]
    pub fn new(published: Arc<Published>, folder: impl Into<PathBuf>) -> Self {
        Self { published, folder: folder.into() }
    }

    /// Where the worklist of a task lies.
    #[must_use]
    pub fn path(&self, task: &Task) -> PathBuf {
        self.folder.join(format!("{}.md", task.id))
    }

    fn write(&self, task: &Task, steps: &Steps) -> io::Result<PathBuf> {
        let path = self.path(task);
        std::fs::create_dir_all(&self.folder)?;
        let temporary = self.folder.join(format!(".{}.{}.part", task.id, std::process::id()));
        std::fs::write(&temporary, page(task, steps))?;
        // A hard link takes the name only where nobody has it: a list that was ticked off is kept.
        let linked = std::fs::hard_link(&temporary, &path);
        let _ = std::fs::remove_file(&temporary);
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(path),
            other => other.map(|()| path),
        }
    }
}

/// The worklist of a task, as it is written.
#[must_use]
pub fn page(task: &Task, steps: &Steps) -> String {
    let mut page = format!("# {}\n\nWorklist {}\n", steps.title, task.id);
    if let Some(link) = &steps.link {
        let _ = write!(page, "\nBegin at {link}\n");
    }
    if let Some(reason) = &steps.reason {
        let _ = write!(page, "\nReason to give: {reason}\n");
    }
    page.push_str("\n## Steps\n\n");
    for (index, step) in steps.steps.iter().enumerate() {
        let _ = writeln!(page, "{}. {step}", index + 1);
    }
    page.push_str(
        "\n## Lines\n\nPut an x into the brackets of what was done and a - where it was refused. Behind the colon: the number \
         of the unsubscription order, or what the console said.\n\n",
    );
    for line in &task.lines {
        let about = steps.about.get(line).map_or("", String::as_str);
        let _ = writeln!(page, "- [ ] line {line} ({about}):");
    }
    page
}

/// A line that a person ticked off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// The line.
    pub line: u32,
    /// What became of it.
    pub result: LineResult,
}

/// A worklist that cannot be read back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {at}: {what}")]
pub struct TickError {
    /// The line of the file, from 1.
    pub at: usize,
    /// What is wrong and what was expected.
    pub what: String,
}

/// The number of the worklist that a file is, where it is one.
#[must_use]
pub fn worklist_id(text: &str) -> Option<&str> {
    text.lines().find_map(|line| line.strip_prefix("Worklist ")).map(str::trim)
}

/// What a person ticked off in a worklist. Lines that are still open are left out.
///
/// # Errors
/// Where a line has another form than the one that was written.
pub fn ticks(text: &str) -> Result<Vec<Tick>, TickError> {
    let mut ticks: Vec<Tick> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(rest) = line.trim_start().strip_prefix("- [") else { continue };
        let fault = |what: &str| TickError { at: index + 1, what: what.to_owned() };
        let (mark, rest) =
            rest.split_once(']').ok_or_else(|| fault("expected a bracket that closes: [x], [-] or [ ]"))?;
        let rest = rest.trim_start().strip_prefix("line ").ok_or_else(|| fault("expected \"line\" and its number"))?;
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        let number: u32 = digits.parse().map_err(|_| fault("expected the number of the line"))?;
        // What is written stands behind the last "):", since what a line is about may hold colons.
        let written = rest.rsplit_once("):").map_or("", |(_, written)| written).trim();
        let result = match mark.trim() {
            "" => continue,
            "x" | "X" => LineResult::Done {
                references: written.split([',', ' ', ';']).filter(|word| !word.is_empty()).map(str::to_owned).collect(),
            },
            "-" => {
                let says = if written.is_empty() { "refused in the console" } else { written };
                LineResult::Failed { code: None, reason: None, says: says.to_owned() }
            }
            _ => return Err(fault("expected x, - or nothing between the brackets")),
        };
        if ticks.iter().any(|tick| tick.line == number) {
            return Err(fault(&format!("line {number} is there twice")));
        }
        ticks.push(Tick { line: number, result });
    }
    Ok(ticks)
}

fn handed(path: &Path) -> LineResult {
    LineResult::Handed { says: path.display().to_string() }
}

#[async_trait]
impl Gateway for WorklistFolder {
    fn name(&self) -> &str {
        "worklist"
    }

    fn sends(&self) -> bool {
        true
    }

    fn prepare(&self, case: &Case, order: &CombinedOrder, lines: &[&Line]) -> Result<Vec<Task>, GatewayError> {
        self.published.steps(case, order, lines)
    }

    async fn carry_out(&self, task: &Task) -> Results {
        let Work::Steps(steps) = &task.work else {
            let says = "a worklist has steps for a person, not a call".to_owned();
            return task.lines.iter().map(|line| (*line, LineResult::NotSent { says: says.clone() })).collect();
        };
        let result = match self.write(task, steps) {
            Ok(path) => handed(&path),
            Err(error) => LineResult::NotSent {
                says: format!("the worklist {} cannot be written: {error}", self.path(task).display()),
            },
        };
        task.lines.iter().map(|line| (*line, result.clone())).collect()
    }
}
