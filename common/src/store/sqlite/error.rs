//! What SQLite's errors mean to a caller of the store.

use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Error, ErrorCode};

use crate::store::{StoreError, StoreResult};

/// The outcome of `work`, though it panic: one call's fault must not end the thread, or lose the connection, that the
/// next call needs. What it left undone is for the caller to roll back.
pub(super) fn caught<T>(work: impl FnOnce() -> StoreResult<T>) -> StoreResult<T> {
    // Nothing but the connection outlives the panic, and that is whole: statements end with the frames that ran them.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(StoreError::Broken("a call panicked".into())))
}

/// Busy, full or failing disks are [`StoreError::Unavailable`]; the rest is a fault.
pub(super) fn sql(error: Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Unavailable("the disk is full".into()),
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::OutOfMemory
            | ErrorCode::ReadOnly,
        ) => StoreError::Unavailable(error.to_string()),
        _ => StoreError::Broken(error.to_string()),
    }
}

/// The columns of the unique index that a write ran into: `cluster.host, cluster.slot`.
pub(super) fn violated(error: &Error) -> Option<&str> {
    match error {
        Error::SqliteFailure(code, Some(text)) if code.code == ErrorCode::ConstraintViolation => {
            text.strip_prefix("UNIQUE constraint failed: ")
        }
        _ => None,
    }
}

/// JSON that is not what was written.
pub(super) fn json(what: &'static str) -> impl Fn(serde_json::Error) -> StoreError {
    move |error| StoreError::Broken(format!("{what}: {error}"))
}
