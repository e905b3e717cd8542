//! Row groups of Parquet, encoded by several threads at once.
//!
//! Each thread has some of the columns to itself and is given every batch of rows in turn, so that rows keep their
//! order, nothing waits for a row group to be whole, and the file does not depend on how many threads there are.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;

/// Batches that wait for a thread: a slow encoder slows down who gives them.
const WAITING: usize = 2;

type Chunks = Result<Vec<(usize, ArrowColumnChunk)>, ParquetError>;

enum Task {
    Begin(Vec<(usize, ArrowColumnWriter)>),
    Rows(RecordBatch),
    End,
}

/// A thread, and how it is talked to.
struct Encoder {
    tasks: SyncSender<Task>,
    made: Receiver<Chunks>,
}

/// The columns of the row group that a thread is at.
#[derive(Default)]
struct Columns(Vec<(usize, ArrowColumnWriter)>);

impl Columns {
    fn write(&mut self, rows: &RecordBatch) -> Result<(), ParquetError> {
        let schema = rows.schema();
        for (place, writer) in &mut self.0 {
            let field = schema.field(*place);
            // A column of these is one leaf: none of them is a structure.
            for leaf in compute_leaves(field, rows.column(*place))? {
                writer.write(&leaf)?;
            }
        }
        Ok(())
    }

    fn close(self) -> Chunks {
        self.0.into_iter().map(|(place, writer)| Ok((place, writer.close()?))).collect()
    }
}

fn gone() -> ParquetError {
    ParquetError::General("a thread that encodes columns ended early".to_owned())
}

impl Encoder {
    fn start() -> Result<Self, ParquetError> {
        let (tasks, asked) = sync_channel(WAITING);
        let (give, made) = channel();
        let work = move || {
            let (mut columns, mut failed) = (Columns::default(), None);
            for task in asked {
                match task {
                    Task::Begin(begun) => columns = Columns(begun),
                    Task::Rows(_) if failed.is_some() => {}
                    Task::Rows(rows) => failed = columns.write(&rows).err(),
                    Task::End => {
                        let done = std::mem::take(&mut columns);
                        let closed = failed.take().map_or_else(|| done.close(), Err);
                        if give.send(closed).is_err() {
                            return;
                        }
                    }
                }
            }
        };
        thread::Builder::new().name("encoder".to_owned()).spawn(work).map_err(ParquetError::from)?;
        Ok(Self { tasks, made })
    }

    fn give(&self, task: Task) -> Result<(), ParquetError> {
        self.tasks.send(task).map_err(|_| gone())
    }
}

/// Writes batches of rows as row groups.
pub(crate) struct RowGroups<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    columns: ArrowRowGroupWriterFactory,
    encoders: Vec<Encoder>,
    /// Rows in a row group.
    most: usize,
    /// Rows in the one that is being written, and how many were before it.
    rows: usize,
    before: usize,
}

impl<W: Write + Send> RowGroups<W> {
    /// Begins a file of columns that are no structures, to be encoded by `threads` threads.
    pub(crate) fn new(
        out: W,
        schema: &Arc<Schema>,
        properties: WriterProperties,
        threads: usize,
    ) -> Result<Self, ParquetError> {
        let most = properties.max_row_group_row_count().unwrap_or(usize::MAX);
        let writer = ArrowWriter::try_new(out, Arc::clone(schema), Some(properties))?;
        let (writer, columns) = writer.into_serialized_writer()?;
        // A thread without a column would have nothing to do.
        let threads = threads.clamp(1, schema.fields().len().max(1));
        let encoders = (0..threads).map(|_| Encoder::start()).collect::<Result<_, _>>()?;
        Ok(Self { writer, columns, encoders, most, rows: 0, before: 0 })
    }

    /// Adds rows.
    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<(), ParquetError> {
        let mut from = 0;
        while from < rows.num_rows() {
            if self.rows == 0 {
                self.begin()?;
            }
            let count = (rows.num_rows() - from).min(self.most - self.rows);
            for encoder in &self.encoders {
                encoder.give(Task::Rows(rows.slice(from, count)))?;
            }
            (from, self.rows) = (from + count, self.rows + count);
            if self.rows == self.most {
                self.end()?;
            }
        }
        Ok(())
    }

    fn begin(&self) -> Result<(), ParquetError> {
        let mut shares: Vec<Vec<_>> = self.encoders.iter().map(|_| Vec::new()).collect();
        let count = shares.len();
        for (place, writer) in self.columns.create_column_writers(self.before)?.into_iter().enumerate() {
            if let Some(share) = shares.get_mut(place % count) {
                share.push((place, writer));
            }
        }
        self.encoders.iter().zip(shares).try_for_each(|(encoder, share)| encoder.give(Task::Begin(share)))
    }

    fn end(&mut self) -> Result<(), ParquetError> {
        self.encoders.iter().try_for_each(|encoder| encoder.give(Task::End))?;
        let mut chunks = Vec::new();
        for encoder in &self.encoders {
            chunks.append(&mut encoder.made.recv().map_err(|_| gone())??);
        }
        chunks.sort_by_key(|(place, _)| *place);
        let mut group = self.writer.next_row_group()?;
        chunks.into_iter().try_for_each(|(_, chunk)| chunk.append_to_row_group(&mut group))?;
        group.close()?;
        (self.rows, self.before) = (0, self.before + 1);
        Ok(())
    }

    /// Closes the file.
    pub(crate) fn finish(mut self) -> Result<(), ParquetError> {
        if self.rows > 0 {
            self.end()?;
        }
        self.writer.close().map(|_| ())
    }
}
