//! Files of any size through an assessor, each part written by the thread that assessed it.
//!
//! Most records go the quick way: they are read straight from the text of their block into a batch, which the
//! adapter rules on, and the answers are read row by row into one and the same [`Answered`], which lives just long
//! enough to be written. What the quick way does not read, or what is rare (a provider's own statements,
//! anything to be said of a record), goes the slow way, through owned records; a test holds the two to each other.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use recoup_core::assessment::{Assessment, Subject};
use recoup_core::lent::LentResource;
use recoup_core::policy::Policy;
use recoup_core::time::{Instant, Zone};
use recoup_plugin::answers::{Answers, Head};
use recoup_plugin::batch::BatchBuilder;
use recoup_portfolio::quick::Quick;
use recoup_portfolio::quick_csv::QuickCsv;
use recoup_portfolio::quick_rows::QuickRows;
use recoup_portfolio::read::{Block, Content, Item, Lines, Rows, Table};

use crate::ids::{Ids, Turn, there_before};
use crate::ordered::in_order;
use crate::pipeline::{self, Input, Output, Source, Work};
use crate::{Answered, AssessError, Assessor, Ruled};

/// Writes assessments on the thread that made them.
pub trait Render {
    /// What the assessments of one chunk become together.
    type Part: Send;

    /// Adds an assessment, which lives only for the call.
    fn add(&mut self, answered: &Answered);

    /// What was added since the last part.
    fn part(&mut self) -> Self::Part;
}

/// What became of one chunk of the input.
#[derive(Debug)]
pub struct Part<P> {
    /// Its assessments, as they were rendered.
    pub rendered: P,
    /// How many there are.
    pub answered: u64,
    /// Problems and remarks, in the order of their records.
    pub aside: Vec<Output>,
}

/// How a stream is run.
pub struct Flow<'a> {
    /// How many threads work on it.
    pub threads: usize,
    /// Which resources are assessed at all, by provider and id.
    pub keep: &'a (dyn Fn(&str, &str) -> bool + Sync),
    /// Once this is set nothing more is read; what was read is finished.
    pub stop: &'a AtomicBool,
}

impl std::fmt::Debug for Flow<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow").field("threads", &self.threads).finish_non_exhaustive()
    }
}

/// Takes inputs through an assessor and gives what each chunk was rendered to, in input order, to `sink`, until
/// it is done, stopped, or the sink breaks off. `renderer` makes one for each thread.
///
/// A resource whose provider, site, account and id were seen before is a problem, as in
/// [`run`](pipeline::run).
pub fn stream<R: Render>(
    assessor: &Assessor<'_>,
    inputs: Vec<Input>,
    flow: &Flow<'_>,
    renderer: impl Fn() -> R + Sync,
    sink: impl FnMut(Part<R::Part>) -> ControlFlow<()>,
) {
    let mut source = Source::new(inputs);
    let take = || if flow.stop.load(Ordering::Relaxed) { None } else { source.take() };
    let ids = Ids::new();
    let worker = || Worker { assessor, flow, ids: &ids, quick: Quick::default(), renderer: renderer() };
    let work = |worker: &mut Worker<'_, R>, number, (file, work)| worker.work(number, &file, work);
    in_order(flow.threads, take, worker, work, sink);
}

struct Worker<'w, R> {
    assessor: &'w Assessor<'w>,
    flow: &'w Flow<'w>,
    ids: &'w Ids,
    quick: Quick,
    renderer: R,
}

impl<R: Render> Worker<'_, R> {
    fn work(&mut self, number: u64, file: &Arc<str>, work: Work) -> Part<R::Part> {
        let turn = self.ids.turn(number);
        match work {
            Work::Said(said) => self.finish(turn, file, Chunk::default(), said),
            Work::Records(records) => {
                let keep =
                    |record: &recoup_core::record::ResourceRecord| (self.flow.keep)(&record.provider, &record.id);
                let slow = pipeline::records(self.assessor, &keep, file, records);
                self.finish(turn, file, Chunk::default(), slow)
            }
            Work::Block(Block::Lines(lines)) => self.lines(turn, file, &lines),
            Work::Block(Block::Table(table)) => self.table(turn, file, &table),
            Work::Block(Block::Rows(coming)) => match coming.read() {
                Ok(Some(rows)) => self.rows(turn, file, &rows),
                Ok(None) => self.finish(turn, file, Chunk::default(), Vec::new()),
                Err(error) => self.finish(turn, file, Chunk::default(), vec![pipeline::cannot_be_read(file, &error)]),
            },
            Work::Block(Block::Items(items)) => self.items(turn, file, &items),
        }
    }

    fn lines(&mut self, turn: Turn<'_>, file: &Arc<str>, lines: &Lines) -> Part<R::Part> {
        let mut chunk = Chunk::default();
        let mut slow = Vec::new();
        let mut resource = LentResource::default();
        match lines.texts() {
            Some(texts) => {
                for (line, text) in texts {
                    if self.read(text, &mut resource) {
                        self.add(&mut chunk, line, &resource);
                    } else {
                        slow.push(Item::of_text(line, text.as_bytes()));
                    }
                }
            }
            // Which of them are no text is said of each.
            None => slow.extend(lines.each().map(|(line, bytes)| Item::of_text(line, bytes))),
        }
        self.slow_ones(turn, file, chunk, slow)
    }

    fn table(&mut self, turn: Turn<'_>, file: &Arc<str>, table: &Table) -> Part<R::Part> {
        let mut chunk = Chunk::default();
        let mut slow = Vec::new();
        let mut resource = LentResource::default();
        let engine = self.assessor.engine();
        let columns = QuickCsv::new(&table.header);
        for (line, row) in &table.rows {
            let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
            match (&columns, row) {
                (Some(columns), Ok(row)) if columns.read(&mut self.quick, row, &zone_of, &mut resource).is_some() => {
                    self.add(&mut chunk, *line, &resource);
                }
                _ => slow.push(table.item(*line, row)),
            }
        }
        self.slow_ones(turn, file, chunk, slow)
    }

    fn rows(&mut self, turn: Turn<'_>, file: &Arc<str>, rows: &Rows) -> Part<R::Part> {
        let mut chunk = Chunk::default();
        let mut slow = Vec::new();
        let mut resource = LentResource::default();
        let engine = self.assessor.engine();
        let columns = QuickRows::new(&rows.rows);
        for (line, index) in (rows.first..).zip(0..rows.len()) {
            let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
            match columns.as_ref().and_then(|columns| columns.read(&mut self.quick, index, &zone_of, &mut resource)) {
                Some(()) => self.add(&mut chunk, line, &resource),
                None => slow.push(rows.item(index)),
            }
        }
        self.slow_ones(turn, file, chunk, slow)
    }

    fn items(&mut self, turn: Turn<'_>, file: &Arc<str>, items: &[Item]) -> Part<R::Part> {
        let mut chunk = Chunk::default();
        let mut slow = Vec::new();
        let mut resource = LentResource::default();
        for item in items {
            let text = match &item.content {
                Content::Text(bytes) => std::str::from_utf8(bytes).ok(),
                _ => None,
            };
            match text {
                Some(text) if self.read(text, &mut resource) => self.add(&mut chunk, item.line, &resource),
                _ => slow.push(item.clone()),
            }
        }
        self.slow_ones(turn, file, chunk, slow)
    }

    fn read<'t>(&mut self, text: &'t str, resource: &mut LentResource<'t>) -> bool {
        let engine = self.assessor.engine();
        self.quick.read(text, &|provider, site| engine.zone_of(provider, site), resource).is_some()
    }

    fn add<'t>(&self, chunk: &mut Chunk<'t>, line: u64, resource: &LentResource<'t>) {
        if (self.flow.keep)(resource.provider, resource.id) {
            chunk.push(line, resource);
        }
    }

    fn slow_ones(&mut self, turn: Turn<'_>, file: &Arc<str>, chunk: Chunk<'_>, items: Vec<Item>) -> Part<R::Part> {
        let keep = |record: &recoup_core::record::ResourceRecord| (self.flow.keep)(&record.provider, &record.id);
        let slow = pipeline::items(self.assessor, &keep, file, items);
        self.finish(turn, file, chunk, slow)
    }

    /// Has the adapters rule on the quick ones, and renders everything in the order of the lines.
    fn finish(&mut self, turn: Turn<'_>, file: &Arc<str>, chunk: Chunk<'_>, slow: Vec<Output>) -> Part<R::Part> {
        let order = chunk.order(&slow);
        let mut rows = Vec::with_capacity(chunk.groups.len());
        let mut ruled = Vec::with_capacity(chunk.groups.len());
        for group in chunk.groups {
            ruled.push((group.provider, self.assessor.rule(group.provider, group.batch)));
            rows.push(group.rows);
        }
        let answers = ruled.iter().zip(&rows).map(|((provider, ruled), rows)| GroupAnswers::new(provider, rows, ruled));
        let mut page = Page { file, order, groups: answers.collect(), slow };
        let are_new = turn.are_new(&page.ids(self.ids));
        loop {
            match page.render(&are_new, &mut self.renderer) {
                Ok((answered, aside)) => return Part { rendered: self.renderer.part(), answered, aside },
                Err((group, error)) => {
                    // An adapter that gives what does not hold together is believed nothing of that batch.
                    drop(self.renderer.part());
                    if let Some(group) = page.groups.get_mut(group) {
                        group.ruled = Err(error);
                    }
                }
            }
        }
    }
}

/// What is kept of a record beside its row in a batch.
struct Row<'t> {
    line: u64,
    account: Option<&'t str>,
    id: &'t str,
    name: Option<&'t str>,
    product: &'t str,
}

/// The records of one provider in a chunk.
struct Group<'t> {
    provider: &'t str,
    batch: BatchBuilder,
    rows: Vec<Row<'t>>,
}

/// The records of a chunk that were read quickly.
#[derive(Default)]
struct Chunk<'t> {
    groups: Vec<Group<'t>>,
    /// Group and row of each record, in the order of the lines.
    places: Vec<(usize, usize)>,
}

/// Where one of the outputs of a chunk is found.
#[derive(Debug, Clone, Copy)]
enum Place {
    Quick(usize, usize),
    Slow(usize),
}

impl<'t> Chunk<'t> {
    fn push(&mut self, line: u64, resource: &LentResource<'t>) {
        let place = match self.groups.iter().position(|group| group.provider == resource.provider) {
            Some(place) => place,
            None => {
                let (batch, rows) = (BatchBuilder::default(), Vec::new());
                self.groups.push(Group { provider: resource.provider, batch, rows });
                self.groups.len() - 1
            }
        };
        if let Some(group) = self.groups.get_mut(place) {
            self.places.push((place, group.rows.len()));
            group.batch.push(resource);
            let LentResource { account, id, name, product, .. } = *resource;
            group.rows.push(Row { line, account, id, name, product });
        }
    }

    fn line(&self, (group, row): (usize, usize)) -> u64 {
        self.groups.get(group).and_then(|group| group.rows.get(row)).map_or(0, |row| row.line)
    }

    /// The quick ones and the slow ones, both in the order of their lines, put together.
    fn order(&self, slow: &[Output]) -> Vec<Place> {
        let mut order = Vec::with_capacity(self.places.len() + slow.len());
        let mut slow = slow.iter().map(Output::line).enumerate().peekable();
        for place in &self.places {
            let line = self.line(*place);
            while let Some((index, _)) = slow.next_if(|(_, other)| *other < line) {
                order.push(Place::Slow(index));
            }
            order.push(Place::Quick(place.0, place.1));
        }
        order.extend(slow.map(|(index, _)| Place::Slow(index)));
        order
    }
}

/// The answers about one provider's records in a chunk.
struct GroupAnswers<'r> {
    provider: &'r str,
    rows: &'r [Row<'r>],
    ruled: Result<(&'r Ruled, Answers<'r>), AssessError>,
}

/// What a row of a group comes to.
enum Read<'r> {
    Answered,
    /// The record cannot be assessed.
    Refused(&'r Row<'r>, String),
}

impl<'r> GroupAnswers<'r> {
    fn new(provider: &'r str, rows: &'r [Row<'r>], ruled: &'r Result<Ruled, AssessError>) -> Self {
        let ruled = match ruled {
            Ok(ruled) => ruled.answers().map(|answers| (ruled, answers)),
            Err(error) => Err(error.clone()),
        };
        Self { provider, rows, ruled }
    }

    fn id(&self, row: usize, ids: &Ids) -> Option<u64> {
        let (_, answers) = self.ruled.as_ref().ok()?;
        let (head, of) = (answers.head(row).ok()?, self.rows.get(row)?);
        Some(ids.of(self.provider, head.site, of.account, of.id))
    }

    /// Reads the answer in a row into `answered`.
    fn read(&self, row: usize, answered: &mut Answered) -> Result<Option<Read<'r>>, AssessError> {
        let Some(of) = self.rows.get(row) else { return Ok(None) };
        let (ruled, answers) = match &self.ruled {
            Ok(ruled) => ruled,
            Err(error) => return Ok(Some(Read::Refused(of, error.to_string()))),
        };
        let head = match answers.head(row) {
            Ok(head) => head,
            Err(error) => return Ok(Some(Read::Refused(of, AssessError::Refused(error.to_owned()).to_string()))),
        };
        answers.read(row, &mut answered.assessment).map_err(|error| ruled.malformed(error))?;
        if !Arc::ptr_eq(&answered.policy, &ruled.policy) {
            answered.policy = Arc::clone(&ruled.policy);
        }
        let zone = ruled.adapter.zone_of(Some(head.site)).unwrap_or(Zone::UTC);
        speak_of(&mut answered.subject, self.provider, of, head, zone);
        Ok(Some(Read::Answered))
    }
}

/// Makes the subject of the answer before that of another.
fn speak_of(subject: &mut Subject, provider: &str, of: &Row<'_>, head: Head<'_>, zone: Zone) {
    fn put(text: &mut String, new: &str) {
        text.clear();
        text.push_str(new);
    }
    fn put_if(text: &mut Option<String>, new: Option<&str>) {
        match new {
            Some(new) => put(text.get_or_insert_default(), new),
            None => *text = None,
        }
    }
    put(&mut subject.provider, provider);
    put(&mut subject.site, head.site);
    put_if(&mut subject.edition, head.edition);
    put_if(&mut subject.account, of.account);
    put(&mut subject.resource, of.id);
    put_if(&mut subject.name, of.name);
    put(&mut subject.product, of.product);
    (subject.at, subject.zone) = (head.at, zone);
}

/// An answer that is still about nothing.
fn blank() -> Answered {
    let subject = Subject {
        provider: String::new(),
        site: String::new(),
        edition: None,
        account: None,
        resource: String::new(),
        name: None,
        product: String::new(),
        at: Instant::from_micros(0),
        zone: Zone::UTC,
    };
    let (assessment, policy) = (Assessment::default(), Arc::new(Policy::default()));
    Answered { subject, assessment, policy, stated: Vec::new() }
}

/// Everything that a chunk comes to, in the order of its lines.
struct Page<'r> {
    file: &'r Arc<str>,
    order: Vec<Place>,
    groups: Vec<GroupAnswers<'r>>,
    slow: Vec<Output>,
}

impl Page<'_> {
    /// What the resources of the answers are known by, those of the quick and of the slow ones in one row.
    fn ids(&self, ids: &Ids) -> Vec<Option<u64>> {
        let id = |place: &Place| match *place {
            Place::Quick(group, row) => self.groups.get(group)?.id(row, ids),
            Place::Slow(index) => self.slow.get(index)?.id(ids),
        };
        self.order.iter().map(id).collect()
    }

    /// Renders the answers about resources that are new. Gives how many there are, and what is said beside them.
    ///
    /// # Errors
    /// The group whose answers do not hold together.
    fn render(&self, are_new: &[bool], renderer: &mut impl Render) -> Result<(u64, Vec<Output>), (usize, AssessError)> {
        let mut answered = blank();
        let (mut count, mut aside) = (0, Vec::new());
        let problem = |line: u64, what: String| Output::Problem { file: Arc::clone(self.file), line, what };
        for (place, is_new) in self.order.iter().zip(are_new) {
            let (line, answer) = match *place {
                Place::Slow(index) => match self.slow.get(index) {
                    Some(Output::Answered { line, answered }) => (*line, answered.as_ref()),
                    Some(said) => {
                        aside.push(said.clone());
                        continue;
                    }
                    None => continue,
                },
                Place::Quick(index, row) => {
                    let Some(group) = self.groups.get(index) else { continue };
                    match group.read(row, &mut answered).map_err(|error| (index, error))? {
                        Some(Read::Answered) => (group.rows.get(row).map_or(0, |row| row.line), &answered),
                        Some(Read::Refused(of, error)) => {
                            aside.push(problem(of.line, format!("{}: {error}", of.id)));
                            continue;
                        }
                        None => continue,
                    }
                }
            };
            if *is_new {
                renderer.add(answer);
                count += 1;
            } else {
                aside.push(problem(line, there_before(&answer.subject.resource)));
            }
        }
        Ok((count, aside))
    }
}
