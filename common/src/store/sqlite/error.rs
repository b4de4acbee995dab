//! What SQLite's errors mean to a caller of the store.

use rusqlite::{Error, ErrorCode};

use crate::store::StoreError;

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
