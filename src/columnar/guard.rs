//! A decoder may stumble over damaged bytes; that is the file's fault and no reason to bring the program down.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::TableError;

thread_local! {
    static DECODING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is decoding a file just now: a panic is then caught and told as an error of the file, so that the program's
/// panic hook has nothing to report.
pub fn is_decoding() -> bool {
    DECODING.get()
}

/// Runs `read`; a panic within becomes an error.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T, TableError>) -> Result<T, TableError> {
    let outer = DECODING.replace(true);
    let result = catch_unwind(AssertUnwindSafe(read));
    DECODING.set(outer);
    result.unwrap_or_else(|_| Err(TableError::Damaged("its pages cannot be decoded".into())))
}
