//! The adapter's side of the boundary: `extern "C"` functions over a [`Provider`].
//!
//! Every function catches panics: one that left the library would abort the host. After a panic the
//! adapter is poisoned: what it holds may be half changed, so it answers nothing more.

#![allow(unsafe_code, reason = "this is the boundary")]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::{Array, StructArray};
use recoup_core::adapter::{Provider, Rules};
use recoup_core::context::Run;
use recoup_core::policy::Policy;
use serde_json::Value;

use crate::abi::{ABI_MAJOR, ABI_MINOR, AdapterTable, BAD_INPUT, FAILED, OK, POISONED, Text};
use crate::messages::{files_from_json, imported_to_json};
use crate::session::{CallError, assess_batch};
use crate::valid::check;

/// What one library holds.
#[derive(Debug)]
pub struct State<P> {
    poisoned: AtomicBool,
    rules: OnceLock<Result<Arc<Rules<P>>, String>>,
}

impl<P> Default for State<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> State<P> {
    /// Nothing made ready yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { poisoned: AtomicBool::new(false), rules: OnceLock::new() }
    }
}

/// A provider that has a place for its library's state. Implemented by
/// [`export_provider!`](crate::export_provider).
pub trait Exported: Provider {
    /// The library's state.
    fn state() -> &'static State<Self>;
}

struct OpenSession<P> {
    rules: Arc<Rules<P>>,
    run: Run,
}

struct Failure {
    code: i32,
    message: String,
}

impl Failure {
    fn bad_input(message: impl Into<String>) -> Self {
        Self { code: BAD_INPUT, message: message.into() }
    }

    fn failed(message: impl Into<String>) -> Self {
        Self { code: FAILED, message: message.into() }
    }
}

fn into_text(message: String) -> Text {
    let mut bytes = std::mem::ManuallyDrop::new(message.into_bytes());
    Text { data: bytes.as_mut_ptr(), len: bytes.len(), capacity: bytes.capacity() }
}

/// Writes a text where the caller wants it, if it wants it at all.
///
/// # Safety
/// `out` is null or points to memory that may be written.
unsafe fn write_text(out: *mut Text, message: String) {
    if !out.is_null() {
        // SAFETY: not null, and the caller promises that it may be written.
        unsafe { out.write(into_text(message)) };
    }
}

/// Borrows bytes that a caller lends for the length of a call.
///
/// # Safety
/// `data` is null or points to `len` bytes that live as long as the call.
unsafe fn bytes<'a>(data: *const u8, len: usize) -> Result<&'a str, Failure> {
    if data.is_null() || isize::try_from(len).is_err() {
        return Err(Failure::bad_input("no input was given"));
    }
    // SAFETY: not null, of a length that fits, and the caller promises the rest.
    let bytes = unsafe { std::slice::from_raw_parts(data, len) };
    std::str::from_utf8(bytes).map_err(|error| Failure::bad_input(format!("the input is not UTF-8: {error}")))
}

fn panic_message(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}

/// Runs the body of an exported function: refuses if poisoned, catches panics, reports failures.
///
/// # Safety
/// `error` is null or points to memory that may be written.
unsafe fn guarded<P: Exported>(error: *mut Text, body: impl FnOnce() -> Result<(), Failure>) -> i32 {
    let state = P::state();
    if state.poisoned.load(Ordering::Acquire) {
        // SAFETY: as the caller promises.
        unsafe { write_text(error, "it panicked before".to_owned()) };
        return POISONED;
    }
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(())) => OK,
        Ok(Err(failure)) => {
            // SAFETY: as the caller promises.
            unsafe { write_text(error, failure.message) };
            failure.code
        }
        Err(payload) => {
            state.poisoned.store(true, Ordering::Release);
            let message = panic_message(payload.as_ref());
            // SAFETY: as the caller promises.
            unsafe { write_text(error, message) };
            POISONED
        }
    }
}

fn rules<P: Exported>() -> Result<Arc<Rules<P>>, Failure> {
    let made = P::state().rules.get_or_init(|| Rules::load().map(Arc::new).map_err(|error| error.to_string()));
    made.clone().map_err(Failure::failed)
}

unsafe extern "C" fn policy<P: Exported>(out: *mut Text) -> i32 {
    // SAFETY: the host promises that `out` may be written.
    unsafe {
        guarded::<P>(out, || {
            write_text(out, P::POLICY.to_owned());
            Ok(())
        })
    }
}

unsafe extern "C" fn open<P: Exported>(run: *const u8, len: usize, session: *mut *mut c_void, error: *mut Text) -> i32 {
    let body = || {
        if session.is_null() {
            return Err(Failure::bad_input("there is no place for the session"));
        }
        // SAFETY: the host lends `len` bytes for the length of the call.
        let text = unsafe { bytes(run, len) }?;
        let json: Value =
            serde_json::from_str(text).map_err(|error| Failure::bad_input(format!("the run is not JSON: {error}")))?;
        let rules = match json.get("policy").filter(|policy| !policy.is_null()) {
            None => rules::<P>()?,
            Some(policy) => {
                let policy: Policy =
                    serde_json::from_value(policy.clone()).map_err(|error| Failure::bad_input(error.to_string()))?;
                Arc::new(Rules::with_policy(policy).map_err(|error| Failure::bad_input(error.to_string()))?)
            }
        };
        let run = Run::from_json(&json, &|_, site| rules.zone_of(site))
            .map_err(|error| Failure::bad_input(error.to_string()))?;
        let open = Box::new(OpenSession::<P> { rules, run });
        // SAFETY: not null, and the host promises that it may be written.
        unsafe { session.write(Box::into_raw(open).cast::<c_void>()) };
        Ok(())
    };
    // SAFETY: the host promises that `error` may be written.
    unsafe { guarded::<P>(error, body) }
}

unsafe extern "C" fn assess<P: Exported>(
    session: *const c_void,
    resources: *mut FFI_ArrowArray,
    schema: *const FFI_ArrowSchema,
    out: *mut FFI_ArrowArray,
    out_schema: *mut FFI_ArrowSchema,
    error: *mut Text,
) -> i32 {
    let body = || {
        if session.is_null() || resources.is_null() || schema.is_null() || out.is_null() || out_schema.is_null() {
            return Err(Failure::bad_input("a pointer is null"));
        }
        // SAFETY: the host passes what `open` gave it and has not closed it.
        let session = unsafe { &*session.cast::<OpenSession<P>>() };
        // SAFETY: the host passes a struct of the Arrow C data interface, which it thereby gives away.
        let array = unsafe { FFI_ArrowArray::from_raw(resources) };
        // SAFETY: and lends its schema for the length of the call.
        let data = unsafe { from_ffi(array, &*schema) }.map_err(|error| Failure::bad_input(error.to_string()))?;
        let fits = matches!(data.data_type(), arrow_schema::DataType::Struct(_));
        if !fits {
            return Err(Failure::bad_input("the batch is not a struct"));
        }
        check(&data).map_err(|error| Failure::bad_input(error.to_string()))?;
        let batch = StructArray::from(data);
        let answers = assess_batch(&session.rules, &session.run, &batch).map_err(|error| match error {
            CallError::Batch(error) => Failure::bad_input(error.to_string()),
            other => Failure::failed(other.to_string()),
        })?;
        let (array, schema) = to_ffi(&answers.to_data()).map_err(|error| Failure::failed(error.to_string()))?;
        // SAFETY: not null, and the host promises that both may be written.
        unsafe {
            out.write(array);
            out_schema.write(schema);
        }
        Ok(())
    };
    // SAFETY: the host promises that `error` may be written.
    unsafe { guarded::<P>(error, body) }
}

unsafe extern "C" fn close<P: Exported>(session: *mut c_void) {
    if session.is_null() {
        return;
    }
    let dropped = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: the host passes what `open` gave it, once.
        drop(unsafe { Box::from_raw(session.cast::<OpenSession<P>>()) });
    }));
    if dropped.is_err() {
        P::state().poisoned.store(true, Ordering::Release);
    }
}

unsafe extern "C" fn free_text(text: *mut Text) {
    if text.is_null() {
        return;
    }
    // SAFETY: not null; the host passes a text that this library gave it, once.
    unsafe {
        let text = text.replace(Text::empty());
        if !text.data.is_null() {
            drop(Vec::from_raw_parts(text.data, text.len, text.capacity));
        }
    }
}

/// Runs a call that takes JSON and gives JSON.
///
/// # Safety
/// As [`bytes`] and [`write_text`] ask.
unsafe fn converse<P: Exported>(
    input: *const u8,
    len: usize,
    out: *mut Text,
    answer: impl FnOnce(&[crate::messages::FileText]) -> Value,
) -> i32 {
    let body = || {
        // SAFETY: the host lends `len` bytes for the length of the call.
        let text = unsafe { bytes(input, len) }?;
        let json: Value =
            serde_json::from_str(text).map_err(|error| Failure::bad_input(format!("not JSON: {error}")))?;
        let files = files_from_json(&json)
            .ok_or_else(|| Failure::bad_input("expected an array of files with \"name\" and \"text\""))?;
        // SAFETY: the host promises that `out` may be written.
        unsafe { write_text(out, answer(&files).to_string()) };
        Ok(())
    };
    // SAFETY: the host promises that `out` may be written.
    unsafe { guarded::<P>(out, body) }
}

unsafe extern "C" fn recognise<P: Exported>(input: *const u8, len: usize, out: *mut Text) -> i32 {
    // SAFETY: as the host promises.
    unsafe {
        converse::<P>(input, len, out, |files| {
            files.iter().map(|file| Value::from(P::recognises(&file.view()))).collect()
        })
    }
}

unsafe extern "C" fn import<P: Exported>(input: *const u8, len: usize, out: *mut Text) -> i32 {
    let answer = |files: &[crate::messages::FileText]| {
        let views: Vec<_> = files.iter().map(crate::messages::FileText::view).collect();
        imported_to_json(&P::import(&views))
    };
    // SAFETY: as the host promises.
    unsafe { converse::<P>(input, len, out, answer) }
}

/// Makes the table of a provider.
#[derive(Debug)]
pub struct TableOf<P>(PhantomData<P>);

impl<P: Exported> TableOf<P> {
    /// The table that the library exports.
    pub const TABLE: AdapterTable = AdapterTable {
        abi_major: ABI_MAJOR,
        abi_minor: ABI_MINOR,
        struct_size: std::mem::size_of::<AdapterTable>() as u64,
        policy: Some(policy::<P>),
        open: Some(open::<P>),
        assess: Some(assess::<P>),
        close: Some(close::<P>),
        free_text: Some(free_text),
        recognise: Some(recognise::<P>),
        import: Some(import::<P>),
    };
}

/// Exports a provider from its library: one symbol, named after the provider.
///
/// ```ignore
/// recoup_plugin::export_provider!(Acme, "recoup_adapter_acme");
/// ```
#[macro_export]
macro_rules! export_provider {
    ($provider:ty, $symbol:literal) => {
        #[allow(unsafe_code, reason = "the exported symbol of the boundary")]
        const _: () = {
            impl $crate::export::Exported for $provider {
                fn state() -> &'static $crate::export::State<Self> {
                    static STATE: $crate::export::State<$provider> = $crate::export::State::new();
                    &STATE
                }
            }

            static TABLE: $crate::abi::AdapterTable = $crate::export::TableOf::<$provider>::TABLE;

            /// The table of the adapter.
            #[unsafe(export_name = $symbol)]
            extern "C" fn table() -> *const $crate::abi::AdapterTable {
                &raw const TABLE
            }
        };
    };
}
