//! Assessments as Parquet, encoded by several threads.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, Decimal128Array, RecordBatch, StringArray, new_null_array};
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use recoup_portfolio::parquet::{Writer, columns};

/// Rows of a batch: four of them are a little more than a row group.
const ROWS: usize = 33_000;

fn batch(number: usize) -> RecordBatch {
    let rows = number * ROWS..(number + 1) * ROWS;
    let column = |field: &Field| -> ArrayRef {
        match (field.name().as_str(), field.data_type()) {
            ("resource", _) => Arc::new(rows.clone().map(|row| Some(format!("r-{row}"))).collect::<StringArray>()),
            ("exit", _) => Arc::new(rows.clone().map(|row| (row % 3 > 0).then_some("in_use")).collect::<StringArray>()),
            ("refund", data_type) => {
                let units = rows.clone().map(|row| (row % 7 > 0).then_some(row as i128));
                Arc::new(units.collect::<Decimal128Array>().with_data_type(data_type.clone()))
            }
            (_, DataType::Boolean) => Arc::new(rows.clone().map(|row| Some(row % 2 == 0)).collect::<BooleanArray>()),
            (_, data_type) => new_null_array(data_type, rows.len()),
        }
    };
    let fields = columns();
    let arrays = fields.iter().map(column).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
}

fn written(batches: &[RecordBatch], threads: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out, threads).unwrap();
    batches.iter().for_each(|batch| writer.add_rows(batch).unwrap());
    writer.finish().unwrap();
    out
}

#[test]
fn a_file_does_not_depend_on_how_many_threads_encode_it() {
    let batches: Vec<RecordBatch> = (0..4).map(batch).collect();
    let one = written(&batches, 1);
    for threads in [2, 5] {
        assert!(written(&batches, threads) == one, "{threads} threads");
    }
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(one)).unwrap();
    assert_eq!(reader.metadata().num_row_groups(), 2);
    let read: Vec<RecordBatch> = reader.with_batch_size(ROWS).build().unwrap().map(Result::unwrap).collect();
    assert_eq!(read.len(), batches.len());
    for (read, batch) in read.iter().zip(&batches) {
        assert_eq!(read.columns(), batch.columns());
    }
}
