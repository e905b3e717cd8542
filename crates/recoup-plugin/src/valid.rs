//! Whether what came through the boundary is what Arrow says it is.
//!
//! The same as [`ArrayData::validate_full`], which looks at every text by itself. What is ordinary, texts that
//! stand one behind the other without a letter beyond ASCII, is seen in one pass over all of them; everything else
//! is left to Arrow, which says what is wrong.

use arrow_buffer::Buffer;
use arrow_data::ArrayData;
use arrow_schema::{ArrowError, DataType};

/// Checks an array with everything in it.
///
/// # Errors
/// Those of [`ArrayData::validate_full`].
pub(crate) fn check(data: &ArrayData) -> Result<(), ArrowError> {
    // Sizes, alignment and types, of all children too.
    data.validate()?;
    check_values(data)
}

fn check_values(data: &ArrayData) -> Result<(), ArrowError> {
    data.validate_nulls()?;
    if !is_ordinary(data) {
        data.validate_values()?;
    }
    data.child_data().iter().try_for_each(check_values)
}

/// Whether the values are plainly whole. Where they are not, they may be whole nevertheless.
fn is_ordinary(data: &ArrayData) -> bool {
    match (data.data_type(), data.buffers(), data.child_data()) {
        (DataType::Utf8, [offsets, bytes], []) => ascend(data, offsets, bytes.len()) && bytes.is_ascii(),
        (DataType::List(_), [offsets], [items]) => ascend(data, offsets, items.len()),
        _ => false,
    }
}

/// Whether each element begins where the one before ends, and none lies beyond the limit.
fn ascend(data: &ArrayData, offsets: &Buffer, limit: usize) -> bool {
    let own =
        data.offset().checked_add(data.len()).and_then(|last| offsets.typed_data::<i32>().get(data.offset()..=last));
    let Some(own @ [first, others @ ..]) = own else { return false };
    // Without a way out of the loop, several are compared at once.
    let ascend = own.iter().zip(others).fold(true, |all, (one, next)| all & (one <= next));
    let last = own.last().and_then(|last| usize::try_from(*last).ok());
    ascend && *first >= 0 && last.is_some_and(|last| last <= limit)
}

#[cfg(test)]
mod tests {
    #![allow(unsafe_code, reason = "arrays that lie are only made without checks")]

    use std::sync::Arc;

    use arrow_schema::Field;
    use proptest::prelude::*;

    use super::*;

    /// An array of texts or lists whose offsets may be anything.
    fn lying(
        data_type: DataType,
        offsets: &[i32],
        skip: usize,
        buffer: Option<&[u8]>,
        child: Option<ArrayData>,
    ) -> ArrayData {
        let rows = offsets.len() - 1;
        let skip = skip.min(rows);
        let mut builder = ArrayData::builder(data_type).len(rows - skip).offset(skip);
        builder = builder.add_buffer(Buffer::from_slice_ref(offsets));
        if let Some(bytes) = buffer {
            builder = builder.add_buffer(Buffer::from_slice_ref(bytes));
        }
        if let Some(child) = child {
            builder = builder.add_child_data(child);
        }
        // SAFETY: it is only checked, and dropped.
        unsafe { builder.build_unchecked() }
    }

    fn codes(count: usize) -> ArrayData {
        let builder =
            ArrayData::builder(DataType::UInt8).len(count).add_buffer(Buffer::from_slice_ref(vec![0_u8; count]));
        builder.build().unwrap()
    }

    fn agrees(data: &ArrayData) -> Result<(), TestCaseError> {
        let (own, arrow) = (check(data), data.validate_full());
        prop_assert_eq!(own.is_ok(), arrow.is_ok(), "{:?} {:?}", own, arrow);
        Ok(())
    }

    proptest! {
        #[test]
        fn what_arrow_refuses_is_refused_and_nothing_else(
            steps in prop::collection::vec((-1_i32..4, prop::bool::weighted(0.97)), 0..20),
            first in -1_i32..3,
            skip in 0_usize..5,
            text in "[a-z]{0,40}|[a-zä€]{0,20}",
            bytes in prop::collection::vec(any::<u8>(), 0..24),
        ) {
            let mut offsets = vec![first];
            for (step, is_usual) in steps {
                let last = offsets[offsets.len() - 1];
                offsets.push(if is_usual { last + step.max(0) } else { last + step });
            }
            for bytes in [text.as_bytes(), bytes.as_slice()] {
                agrees(&lying(DataType::Utf8, &offsets, skip, Some(bytes), None))?;
            }
            let of_codes = DataType::List(Arc::new(Field::new("item", DataType::UInt8, true)));
            let list = lying(of_codes, &offsets, skip, None, Some(codes(text.len())));
            agrees(&list)?;
            let field = Field::new("list", list.data_type().clone(), true);
            let builder = ArrayData::builder(DataType::Struct(vec![field].into())).len(list.len()).add_child_data(list);
            // SAFETY: it is only checked, and dropped.
            agrees(&unsafe { builder.build_unchecked() })?;
        }
    }
}
