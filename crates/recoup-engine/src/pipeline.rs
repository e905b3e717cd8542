//! Files through an assessor: read, assessed and given out by several threads, in input order.

use std::collections::{BTreeMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use recoup_core::record::ResourceRecord;
use recoup_portfolio::read::{Item, Portfolio};

use crate::{Answered, Assessor};

/// Most resources whose ids are remembered to find duplicates; far larger portfolios are checked up to
/// here, so that memory stays bounded.
pub const MOST_IDS: usize = 4_000_000;

/// Something that comes out of the pipeline.
#[derive(Debug)]
pub enum Output {
    /// An assessment.
    Answered {
        /// The line of the resource, counted from 1; 0 where there is none.
        line: u64,
        /// The assessment.
        answered: Box<Answered>,
    },
    /// A record that could not be read or assessed.
    Problem {
        /// The file.
        file: Arc<str>,
        /// The line, counted from 1; 0 where there is none.
        line: u64,
        /// What is wrong and what was expected.
        what: String,
    },
    /// Something in a record that was not understood and left out of account.
    Remark {
        /// The file.
        file: Arc<str>,
        /// The line, counted from 1; 0 where there is none.
        line: u64,
        /// What was left out.
        what: String,
    },
}

/// What goes into the pipeline.
#[derive(Debug)]
pub enum Input {
    /// A portfolio that is read in chunks.
    Portfolio(Portfolio),
    /// Records that are there already, from an importer.
    Records {
        /// The file, for messages.
        file: Arc<str>,
        /// The records.
        records: Vec<ResourceRecord>,
    },
}

/// Which resources are assessed at all.
pub type Keep<'a> = dyn Fn(&ResourceRecord) -> bool + Sync + 'a;

enum Work {
    Items(Vec<Item>),
    Records(Vec<ResourceRecord>),
    Broken(u64, String),
}

struct Source {
    inputs: std::vec::IntoIter<Input>,
    current: Option<Input>,
    next: u64,
}

impl Source {
    /// The next chunk of any input, with its number and file.
    fn take(&mut self) -> Option<(u64, Arc<str>, Work)> {
        loop {
            if self.current.is_none() {
                self.current = Some(self.inputs.next()?);
            }
            let taken = match &mut self.current {
                Some(Input::Portfolio(portfolio)) => {
                    let file = Arc::clone(portfolio.file());
                    match portfolio.next_chunk() {
                        Ok(Some(items)) => Some((file, Work::Items(items), false)),
                        Ok(None) => None,
                        Err(error) => Some((file, Work::Broken(0, error.to_string()), true)),
                    }
                }
                Some(Input::Records { file, records }) => {
                    let file = Arc::clone(file);
                    let rest = records.split_off(records.len().min(recoup_portfolio::read::CHUNK));
                    let chunk = std::mem::replace(records, rest);
                    (!chunk.is_empty()).then_some((file, Work::Records(chunk), false))
                }
                None => None,
            };
            match taken {
                Some((file, work, ends)) => {
                    if ends {
                        self.current = None;
                    }
                    let number = self.next;
                    self.next += 1;
                    return Some((number, file, work));
                }
                None => self.current = None,
            }
        }
    }
}

/// Lets no thread run further ahead of what was given out than a few chunks.
struct Gate {
    given_out: Mutex<u64>,
    moved: Condvar,
    ahead: u64,
}

impl Gate {
    fn wait_for(&self, number: u64) {
        let mut given_out = self.given_out.lock().unwrap_or_else(PoisonError::into_inner);
        while number >= given_out.saturating_add(self.ahead) {
            given_out = self.moved.wait(given_out).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open_to(&self, number: u64) {
        *self.given_out.lock().unwrap_or_else(PoisonError::into_inner) = number;
        self.moved.notify_all();
    }
}

fn work(assessor: &Assessor<'_>, keep: &Keep<'_>, file: &Arc<str>, work: Work) -> Vec<Output> {
    let zone_of = |provider: &str, site: Option<&str>| assessor.engine().zone_of(provider, site);
    let mut outputs: Vec<(u64, Option<Output>)> = Vec::new();
    let mut resources = Vec::new();
    match work {
        Work::Broken(line, what) => return vec![Output::Problem { file: Arc::clone(file), line, what }],
        Work::Records(records) => {
            resources = records;
            resources.retain(keep);
            outputs.extend(resources.iter().map(|_| (0, None)));
        }
        Work::Items(items) => {
            for item in items {
                let line = item.line;
                match item.read(&zone_of) {
                    Ok(read) if !keep(&read.record) => {}
                    Ok(read) => {
                        for remark in read.remarks {
                            let place =
                                if remark.path.is_empty() { String::new() } else { format!("\"{}\": ", remark.path) };
                            let what = format!("{place}{}", remark.what);
                            outputs.push((line, Some(Output::Remark { file: Arc::clone(file), line, what })));
                        }
                        outputs.push((line, None));
                        resources.push(read.record);
                    }
                    Err(what) => outputs.push((line, Some(Output::Problem { file: Arc::clone(file), line, what }))),
                }
            }
        }
    }
    let names: Vec<String> = resources.iter().map(|resource| resource.id.clone()).collect();
    let mut answers = assessor.assess(resources).into_iter().zip(names);
    let settle = |(line, output): (u64, Option<Output>)| {
        output.or_else(|| {
            answers.next().map(|(answer, id)| match answer {
                Ok(answered) => Output::Answered { line, answered: Box::new(answered) },
                Err(error) => Output::Problem { file: Arc::clone(file), line, what: format!("{id}: {error}") },
            })
        })
    };
    outputs.into_iter().filter_map(settle).collect()
}

/// Takes inputs through an assessor with `threads` threads and gives everything that comes out to
/// `sink`, in input order, until it is done or the sink breaks off. Only resources that `keep` picks are
/// assessed.
///
/// A resource whose provider, site, account and id were seen before is a problem: it would be counted
/// twice.
pub fn run(
    assessor: &Assessor<'_>,
    inputs: Vec<Input>,
    keep: &Keep<'_>,
    threads: usize,
    mut sink: impl FnMut(Output) -> ControlFlow<()>,
) {
    let threads = threads.max(1);
    let source = Mutex::new(Source { inputs: inputs.into_iter(), current: None, next: 0 });
    let gate = Gate { given_out: Mutex::new(0), moved: Condvar::new(), ahead: 2 * threads as u64 + 1 };
    let (send, receive) = sync_channel::<(u64, Arc<str>, Vec<Output>)>(threads);
    thread::scope(|scope| {
        for _ in 0..threads {
            let send = send.clone();
            let (source, gate) = (&source, &gate);
            scope.spawn(move || {
                loop {
                    let taken = source.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let Some((number, file, chunk)) = taken else { break };
                    gate.wait_for(number);
                    let outputs = work(assessor, keep, &file, chunk);
                    if send.send((number, file, outputs)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(send);
        give_out(receive, &gate, &mut sink);
        // However it ended, nobody is left waiting.
        gate.open_to(u64::MAX);
    });
}

#[allow(clippy::needless_pass_by_value, reason = "dropping the receiver tells the threads to stop")]
fn give_out(
    receive: Receiver<(u64, Arc<str>, Vec<Output>)>,
    gate: &Gate,
    sink: &mut impl FnMut(Output) -> ControlFlow<()>,
) {
    let mut waiting = BTreeMap::new();
    let mut next = 0;
    let mut ids = HashSet::new();
    let hasher = RandomState::new();
    while let Ok((number, file, outputs)) = receive.recv() {
        waiting.insert(number, (file, outputs));
        while let Some((file, outputs)) = waiting.remove(&next) {
            for output in outputs {
                let output = refuse_twice(output, &file, &mut ids, &hasher);
                if sink(output).is_break() {
                    return;
                }
            }
            next += 1;
            gate.open_to(next);
        }
    }
}

fn refuse_twice(output: Output, file: &Arc<str>, ids: &mut HashSet<u64>, hasher: &RandomState) -> Output {
    let Output::Answered { line, answered } = &output else { return output };
    let subject = &answered.subject;
    let id = hasher.hash_one((&subject.provider, &subject.site, &subject.account, &subject.resource));
    if ids.len() < MOST_IDS && !ids.insert(id) {
        let what = format!(
            "{}: a resource of this provider, site, account and id was there before; this one is left out",
            subject.resource
        );
        return Output::Problem { file: Arc::clone(file), line: *line, what };
    }
    output
}
