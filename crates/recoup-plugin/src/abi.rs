//! The C ABI. `include/recoup_adapter.h` says the same in C; a test holds the two together.
//!
//! A library exports one symbol, `recoup_adapter_<provider>` (`-` becomes `_`), a function that returns
//! a pointer to a static [`AdapterTable`]. The table begins with the protocol's version and its own
//! size, so that a host can refuse what it does not understand before it reads further.

use std::ffi::c_void;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema};

/// Major version of the protocol: the host and the adapter must agree on it.
pub const ABI_MAJOR: u32 = 1;
/// Minor version: a host accepts adapters up to its own.
pub const ABI_MINOR: u32 = 0;
/// The oldest minor version that a host still accepts.
pub const ABI_MINOR_OLDEST: u32 = 0;

/// The call succeeded.
pub const OK: i32 = 0;
/// The input was not understood; the text says what and where.
pub const BAD_INPUT: i32 = 1;
/// The adapter failed on its own account; the text says how.
pub const FAILED: i32 = 2;
/// The adapter panicked, now or before, and answers nothing more.
pub const POISONED: i32 = 3;

/// Bytes that an adapter made and that [`AdapterTable::free_text`] gives back to it.
#[repr(C)]
#[derive(Debug)]
pub struct Text {
    /// UTF-8, not terminated; may be null where `len` is 0.
    pub data: *mut u8,
    /// Length in bytes.
    pub len: usize,
    /// The adapter's own; a host leaves it alone.
    pub capacity: usize,
}

impl Text {
    /// No text.
    #[must_use]
    pub const fn empty() -> Self {
        Self { data: std::ptr::null_mut(), len: 0, capacity: 0 }
    }
}

/// A function that gives a text.
pub type GiveText = unsafe extern "C" fn(out: *mut Text) -> i32;
/// A function that takes JSON and gives a text.
pub type Converse = unsafe extern "C" fn(input: *const u8, len: usize, out: *mut Text) -> i32;
/// A function that opens a session.
pub type Open = unsafe extern "C" fn(run: *const u8, len: usize, session: *mut *mut c_void, error: *mut Text) -> i32;
/// A function that assesses a batch.
pub type Assess = unsafe extern "C" fn(
    session: *const c_void,
    resources: *mut FFI_ArrowArray,
    schema: *const FFI_ArrowSchema,
    out: *mut FFI_ArrowArray,
    out_schema: *mut FFI_ArrowSchema,
    error: *mut Text,
) -> i32;

/// What an adapter offers. All functions may be called from several threads at once; a session too.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct AdapterTable {
    /// [`ABI_MAJOR`] of the adapter.
    pub abi_major: u32,
    /// [`ABI_MINOR`] of the adapter.
    pub abi_minor: u32,
    /// Size of this table in bytes, as the adapter knows it.
    pub struct_size: u64,
    /// Gives the policy as JSON.
    pub policy: Option<GiveText>,
    /// Opens a session for a run, given as JSON.
    pub open: Option<Open>,
    /// Assesses a batch of resources, of which it takes ownership, into a batch of assessments.
    pub assess: Option<Assess>,
    /// Closes a session.
    pub close: Option<unsafe extern "C" fn(session: *mut c_void)>,
    /// Gives a text back to the adapter.
    pub free_text: Option<unsafe extern "C" fn(text: *mut Text)>,
    /// Says which of some files are this provider's payloads; may be null.
    pub recognise: Option<Converse>,
    /// Reads payloads into records; may be null.
    pub import: Option<Converse>,
}

/// The function that a library exports.
pub type Entry = unsafe extern "C" fn() -> *const AdapterTable;

// INVARIANT: the layout is published in the C header and never changes within a major version.
const _: () = {
    assert!(std::mem::size_of::<AdapterTable>() == 16 + 7 * std::mem::size_of::<usize>());
    assert!(std::mem::offset_of!(AdapterTable, abi_major) == 0);
    assert!(std::mem::offset_of!(AdapterTable, abi_minor) == 4);
    assert!(std::mem::offset_of!(AdapterTable, struct_size) == 8);
    assert!(std::mem::offset_of!(AdapterTable, policy) == 16);
    assert!(std::mem::offset_of!(AdapterTable, import) == 16 + 6 * std::mem::size_of::<usize>());
    assert!(std::mem::size_of::<Text>() == 3 * std::mem::size_of::<usize>());
};

/// The name of the symbol that the library of a provider exports.
#[must_use]
pub fn symbol(provider: &str) -> String {
    format!("recoup_adapter_{}", provider.replace('-', "_"))
}
