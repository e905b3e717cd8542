//! Rows of Parquet that are not decoded yet: whoever takes a block decodes it, outside the reader's lock.
//!
//! The columns stand in a few lanes, each with a decoder of its own. A block passes through all of them, one behind the
//! other and in the order of the blocks, so while one thread decodes a lane of a block, another decodes the next lane of
//! the block before. That needs no page index, decodes nothing twice, and holds no more than a block for each thread, however
//! large the file's row groups are.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use arrow_array::{Array, ArrayRef, RecordBatch, StructArray};
use arrow_schema::{ArrowError, Fields};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::read::{CHUNK, ReadError, Rows};

/// How many lanes there are at most: the widest column, the orders, is one by itself.
const LANES: usize = 4;

/// A file that several decoders read, each at its own place.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    file: Arc<Mutex<File>>,
    length: u64,
}

/// A place in a shared file.
pub(crate) struct At {
    file: Arc<Mutex<File>>,
    at: u64,
}

impl Read for At {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(self.at))?;
        let read = file.read(buffer)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Shared {
    pub(crate) fn new(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Self { file: Arc::new(Mutex::new(file)), length })
    }

    fn at(&self, at: u64) -> At {
        At { file: Arc::clone(&self.file), at }
    }
}

impl Length for Shared {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Shared {
    type T = BufReader<At>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        Ok(BufReader::new(self.at(start)))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let mut bytes = Vec::with_capacity(length);
        let read = self.at(start).take(length as u64).read_to_end(&mut bytes)?;
        if read < length {
            return Err(ParquetError::EOF(format!("expected {length} bytes at {start}, there are {read}")));
        }
        Ok(bytes.into())
    }
}

/// Some of the columns, and the block that they are at.
struct Decoder {
    reader: ParquetRecordBatchReader,
    next: u64,
    /// Nothing follows on what could not be decoded, which was said.
    failed: bool,
}

struct Lane {
    decoder: Mutex<Decoder>,
    moved: Condvar,
}

impl Lane {
    fn turn(&self, number: u64) -> MutexGuard<'_, Decoder> {
        let mut decoder = self.decoder.lock().unwrap_or_else(PoisonError::into_inner);
        while decoder.next < number {
            decoder = self.moved.wait(decoder).unwrap_or_else(PoisonError::into_inner);
        }
        decoder
    }

    /// The rows of a block; none where the lane ended before it.
    fn decode(&self, number: u64) -> Result<Option<RecordBatch>, ArrowError> {
        let mut decoder = self.turn(number);
        // Whoever waits for the next turn waits on for the lock: so nobody waits for ever, whatever happens here.
        decoder.next = number + 1;
        self.moved.notify_all();
        if std::mem::replace(&mut decoder.failed, true) {
            return Ok(None);
        }
        let rows = decoder.reader.next().transpose();
        decoder.failed = rows.is_err();
        rows
    }
}

/// The columns of a file.
pub(crate) struct Lanes {
    file: Arc<str>,
    lanes: Vec<Lane>,
    /// Lane, and place in it, of each column in the order of the file.
    places: Vec<(usize, usize)>,
}

/// Which leaves of some roots are decoded. What the file's own statistics call empty in every row group says nothing and is
/// left out; but one leaf of each structure stays, since it tells an empty structure or list from one that is missing.
fn leaves(metadata: &ArrowReaderMetadata, roots: &[usize]) -> Vec<usize> {
    let schema = metadata.parquet_schema();
    let is_empty = |leaf: usize| {
        metadata.metadata().row_groups().iter().all(|group| {
            let column = group.columns().get(leaf);
            let nulls = column.and_then(|column| column.statistics()?.null_count_opt());
            nulls.is_some() && nulls == column.and_then(|column| u64::try_from(column.num_values()).ok())
        })
    };
    let structure = |leaf: usize| {
        let column = schema.column(leaf);
        column.path().parts().split_last().map(|(_, parents)| parents.to_vec()).unwrap_or_default()
    };
    let asked = (0..schema.num_columns()).filter(|leaf| roots.contains(&schema.get_column_root_idx(*leaf)));
    let (mut kept, empty): (Vec<usize>, Vec<usize>) = asked.partition(|leaf| !is_empty(*leaf));
    let mut structures: Vec<Vec<String>> = kept.iter().map(|leaf| structure(*leaf)).collect();
    for leaf in empty {
        let of = structure(leaf);
        if !of.is_empty() && !structures.contains(&of) {
            structures.push(of);
            kept.push(leaf);
        }
    }
    kept.sort_unstable();
    kept
}

/// Which leaves go into which lane, by their roots: the largest first, each to the lane that has the least.
fn shares(metadata: &ArrowReaderMetadata, leaves: &[usize]) -> Vec<Vec<usize>> {
    let schema = metadata.parquet_schema();
    let mut roots: Vec<(u64, usize)> = Vec::new();
    for leaf in leaves {
        let columns = metadata.metadata().row_groups().iter().filter_map(|group| group.columns().get(*leaf));
        let size = columns.map(|column| u64::try_from(column.uncompressed_size()).unwrap_or(0)).sum::<u64>();
        let root = schema.get_column_root_idx(*leaf);
        match roots.last_mut() {
            Some((all, last)) if *last == root => *all += size,
            _ => roots.push((size, root)),
        }
    }
    roots.sort_by_key(|(size, _)| std::cmp::Reverse(*size));
    let mut shares: Vec<(u64, Vec<usize>)> = vec![(0, Vec::new()); LANES.min(roots.len())];
    for (size, root) in roots {
        if let Some((all, share)) = shares.iter_mut().min_by_key(|(all, _)| *all) {
            *all += size;
            share.push(root);
        }
    }
    shares.into_iter().map(|(_, share)| share).collect()
}

impl Lanes {
    /// The lanes of the columns at `roots`, as far as they say anything, in the order of the file.
    pub(crate) fn new<R: ChunkReader + Clone + 'static>(
        file: &Arc<str>,
        input: &R,
        metadata: &ArrowReaderMetadata,
        roots: &[usize],
    ) -> Result<Self, ParquetError> {
        let leaves = leaves(metadata, roots);
        let shares = shares(metadata, &leaves);
        let root_of = |leaf: &usize| metadata.parquet_schema().get_column_root_idx(*leaf);
        let mut lanes = Vec::new();
        for share in &shares {
            let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input.clone(), metadata.clone());
            let own = leaves.iter().filter(|leaf| share.contains(&root_of(leaf)));
            let mask = ProjectionMask::leaves(builder.parquet_schema(), own.copied());
            let reader = builder.with_projection(mask).with_batch_size(CHUNK).build()?;
            let decoder = Mutex::new(Decoder { reader, next: 0, failed: false });
            lanes.push(Lane { decoder, moved: Condvar::new() });
        }
        let place = |root: &usize| {
            // A decoder gives its columns in the order of the file.
            let in_lane =
                |share: &Vec<usize>| share.contains(root).then(|| share.iter().filter(|other| *other < root).count());
            shares.iter().enumerate().find_map(|(lane, share)| Some((lane, in_lane(share)?)))
        };
        Ok(Self { file: Arc::clone(file), places: roots.iter().filter_map(place).collect(), lanes })
    }

    fn rows(&self, number: u64) -> Result<Option<StructArray>, ArrowError> {
        // Each lane is taken through the block, whatever becomes of the others.
        let parts: Vec<_> = self.lanes.iter().map(|lane| lane.decode(number)).collect();
        let parts: Option<Vec<RecordBatch>> = parts.into_iter().collect::<Result<Option<_>, _>>()?;
        let Some(parts) = parts else { return Ok(None) };
        let column = |(lane, place): &(usize, usize)| -> Option<(_, ArrayRef)> {
            let part = parts.get(*lane)?;
            Some((Arc::clone(part.schema_ref().fields().get(*place)?), Arc::clone(part.columns().get(*place)?)))
        };
        let (fields, columns): (Vec<_>, Vec<_>) = self.places.iter().filter_map(column).unzip();
        StructArray::try_new(Fields::from(fields), columns, None).map(Some)
    }
}

/// A block of rows that is not decoded yet.
pub struct Coming {
    lanes: Arc<Lanes>,
    number: u64,
    is_read: bool,
}

impl std::fmt::Debug for Coming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Coming").field("file", &self.lanes.file).field("number", &self.number).finish_non_exhaustive()
    }
}

impl Coming {
    pub(crate) fn new(lanes: &Arc<Lanes>, number: u64) -> Self {
        Self { lanes: Arc::clone(lanes), number, is_read: false }
    }

    /// Decodes the rows. None come after those of which it was said that they cannot be decoded.
    ///
    /// # Errors
    /// Where they cannot be decoded.
    pub fn read(mut self) -> Result<Option<Rows>, ReadError> {
        self.is_read = true;
        let first = self.number * CHUNK as u64 + 1;
        let rows = self.lanes.rows(self.number).map_err(|error| ReadError::Form {
            file: self.lanes.file.to_string(),
            line: first,
            what: error.to_string(),
        })?;
        Ok(rows.filter(|rows| !rows.is_empty()).map(|rows| Rows { first, rows }))
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        // The blocks behind one that nobody wants are still wanted.
        if !self.is_read {
            let _ = self.lanes.rows(self.number);
        }
    }
}
