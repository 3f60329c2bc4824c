//! Turns panics of the Parquet decoder on damaged files into errors.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::TableError;

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is currently decoding a file. A panic is then caught and reported as an error of the file, so
/// the program's panic hook should stay silent.
pub fn is_decoding() -> bool {
    DECODING.get()
}

/// Runs `read`, turning a panic into an error.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, TableError>) -> Result<T, TableError> {
    let outer = DECODING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    DECODING.set(outer);
    result.unwrap_or_else(|_| Err(TableError::Damaged("its pages cannot be decoded".into())))
}
