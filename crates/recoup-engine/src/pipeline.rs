//! Files through an assessor: read, assessed and given out by several threads, in input order.
//!
//! [`run`] gives every assessment by itself, for whoever keeps them; [`stream`](crate::stream::stream) has them
//! written where they are made, for files of any size.

use std::ops::ControlFlow;
use std::sync::Arc;

use recoup_core::record::ResourceRecord;
use recoup_portfolio::read::{Block, Item, Portfolio, ReadError};

use crate::ids::{Ids, there_before};
use crate::ordered::in_order;
use crate::{Answered, Assessor};

pub use crate::ids::MOST_IDS;

/// Something that comes out of the pipeline.
#[derive(Debug, Clone)]
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

impl Output {
    /// What the resource of an assessment is known by.
    pub(crate) fn id(&self, ids: &Ids) -> Option<u64> {
        let Self::Answered { answered, .. } = self else { return None };
        let subject = &answered.subject;
        Some(ids.of(&subject.provider, &subject.site, subject.account.as_deref(), &subject.resource))
    }

    /// The line that it speaks of, counted from 1; 0 where there is none.
    #[must_use]
    pub fn line(&self) -> u64 {
        match self {
            Self::Answered { line, .. } | Self::Problem { line, .. } | Self::Remark { line, .. } => *line,
        }
    }
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

pub(crate) enum Work {
    Block(Block),
    Records(Vec<ResourceRecord>),
    /// What is to be said of a file as a whole.
    Said(Vec<Output>),
}

/// What is said of a file that cannot be read on.
pub(crate) fn cannot_be_read(file: &Arc<str>, error: &ReadError) -> Output {
    Output::Problem { file: Arc::clone(file), line: 0, what: error.to_string() }
}

/// The inputs, one after the other.
pub(crate) struct Source {
    inputs: std::vec::IntoIter<Input>,
    current: Option<Input>,
}

/// The remarks on a file whose reading begins.
fn remarks(input: &Input) -> Option<(Arc<str>, Work)> {
    let Input::Portfolio(portfolio) = input else { return None };
    let file = portfolio.file();
    let remark = |what: &String| Output::Remark { file: Arc::clone(file), line: 0, what: what.clone() };
    let remarks: Vec<Output> = portfolio.not_understood().iter().map(remark).collect();
    (!remarks.is_empty()).then(|| (Arc::clone(file), Work::Said(remarks)))
}

impl Source {
    pub(crate) fn new(inputs: Vec<Input>) -> Self {
        Self { inputs: inputs.into_iter(), current: None }
    }

    /// The next chunk of any input, with its file.
    pub(crate) fn take(&mut self) -> Option<(Arc<str>, Work)> {
        loop {
            let current = match &mut self.current {
                Some(current) => current,
                None => {
                    let current = self.current.insert(self.inputs.next()?);
                    if let Some(remarks) = remarks(current) {
                        return Some(remarks);
                    }
                    current
                }
            };
            match current {
                Input::Portfolio(portfolio) => {
                    let file = Arc::clone(portfolio.file());
                    match portfolio.next_block() {
                        Ok(Some(block)) => return Some((file, Work::Block(block))),
                        Ok(None) => {}
                        Err(error) => {
                            self.current = None;
                            let problem = cannot_be_read(&file, &error);
                            return Some((file, Work::Said(vec![problem])));
                        }
                    }
                }
                Input::Records { file, records } => {
                    let rest = records.split_off(records.len().min(recoup_portfolio::read::CHUNK));
                    let chunk = std::mem::replace(records, rest);
                    if !chunk.is_empty() {
                        return Some((Arc::clone(file), Work::Records(chunk)));
                    }
                }
            }
            self.current = None;
        }
    }
}

/// Reads and assesses records one by one, in order.
pub(crate) fn items(assessor: &Assessor<'_>, keep: &Keep<'_>, file: &Arc<str>, items: Vec<Item>) -> Vec<Output> {
    let zone_of = |provider: &str, site: Option<&str>| assessor.engine().zone_of(provider, site);
    let mut outputs: Vec<(u64, Option<Output>)> = Vec::new();
    let mut resources = Vec::new();
    for item in items {
        let line = item.line;
        match item.read(&zone_of) {
            Ok(read) if !keep(&read.record) => {}
            Ok(read) => {
                for remark in read.remarks {
                    let place = if remark.path.is_empty() { String::new() } else { format!("\"{}\": ", remark.path) };
                    let what = format!("{place}{}", remark.what);
                    outputs.push((line, Some(Output::Remark { file: Arc::clone(file), line, what })));
                }
                outputs.push((line, None));
                resources.push(read.record);
            }
            Err(what) => outputs.push((line, Some(Output::Problem { file: Arc::clone(file), line, what }))),
        }
    }
    settle(assessor, file, outputs, resources)
}

/// Assesses records that are there already.
pub(crate) fn records(
    assessor: &Assessor<'_>,
    keep: &Keep<'_>,
    file: &Arc<str>,
    mut records: Vec<ResourceRecord>,
) -> Vec<Output> {
    records.retain(keep);
    let outputs = records.iter().map(|_| (0, None)).collect();
    settle(assessor, file, outputs, records)
}

/// Puts the answers about some resources where they have their places among what is said already.
fn settle(
    assessor: &Assessor<'_>,
    file: &Arc<str>,
    outputs: Vec<(u64, Option<Output>)>,
    resources: Vec<ResourceRecord>,
) -> Vec<Output> {
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
    let mut source = Source::new(inputs);
    let ids = Ids::new();
    let work = |(): &mut (), number, (file, work): (Arc<str>, Work)| {
        let turn = ids.turn(number);
        let outputs = match work {
            Work::Said(said) => said,
            Work::Records(taken) => records(assessor, keep, &file, taken),
            Work::Block(block) => match block.items() {
                Ok(taken) => items(assessor, keep, &file, taken),
                Err(error) => vec![cannot_be_read(&file, &error)],
            },
        };
        let known: Vec<Option<u64>> = outputs.iter().map(|output| output.id(&ids)).collect();
        let are_new = turn.are_new(&known);
        let refuse_twice = |(output, is_new): (Output, bool)| match &output {
            Output::Answered { line, answered } if !is_new => {
                Output::Problem { file: Arc::clone(&file), line: *line, what: there_before(&answered.subject.resource) }
            }
            _ => output,
        };
        outputs.into_iter().zip(are_new).map(refuse_twice).collect::<Vec<_>>()
    };
    in_order(threads, || source.take(), || (), work, |outputs| outputs.into_iter().try_for_each(&mut sink));
}
