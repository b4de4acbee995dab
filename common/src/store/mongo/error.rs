//! What MongoDB's errors mean to a caller of the store.

use std::time::Duration;

use mongodb::bson::Document;
use mongodb::error::{Error, ErrorKind, WriteFailure};

use crate::store::{StoreError, StoreResult};

/// Codes of a server that is not a primary just now, is shutting down, is full, or was too slow.
const AWAY: [i32; 21] =
    [6, 7, 24, 46, 50, 64, 89, 91, 112, 133, 189, 202, 262, 9001, 10107, 11600, 11602, 13435, 13436, 14031, 17507];

const DUPLICATE_KEY: i32 = 11000;

/// [`StoreError::Unavailable`] when the database is away, slow or full; else a fault.
pub(super) fn db(error: Error) -> StoreError {
    if is_away(&error) { StoreError::Unavailable(text(&error)) } else { StoreError::Broken(text(&error)) }
}

/// Whether trying again later may help.
pub(super) fn is_away(error: &Error) -> bool {
    let by_kind = matches!(
        error.kind.as_ref(),
        ErrorKind::Io(_)
            | ErrorKind::ServerSelection { .. }
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::DnsResolve { .. }
            | ErrorKind::Shutdown
            | ErrorKind::Write(WriteFailure::WriteConcernError(_))
    ) || matches!(error.kind.as_ref(), ErrorKind::InsertMany(failure) if failure.write_concern_error.is_some());
    by_kind
        || code(error).is_some_and(|code| AWAY.contains(&code))
        || error.contains_label("RetryableWriteError")
        || error.contains_label("TransientTransactionError")
}

/// The server's code for it.
pub(super) fn code(error: &Error) -> Option<i32> {
    match error.kind.as_ref() {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some(error.code),
        ErrorKind::InsertMany(failure) => Some(failure.write_errors.as_ref()?.first()?.code),
        _ => None,
    }
}

/// Whether this is about who we are or what we may do.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(error.kind.as_ref(), ErrorKind::Authentication { .. }) || matches!(code(error), Some(13 | 18))
}

/// Whether the index, or another thing that is to go, was not there.
pub(super) fn is_not_found(error: &Error) -> bool {
    matches!(code(error), Some(26 | 27))
}

/// The message of a duplicate key; it names the index.
pub(super) fn duplicate(error: &Error) -> Option<&str> {
    match error.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(error)) if error.code == DUPLICATE_KEY => Some(&error.message),
        ErrorKind::Command(error) if error.code == DUPLICATE_KEY => Some(&error.message),
        _ => None,
    }
}

/// The first document of an ordered insert that was refused as a duplicate: its place and the message, which names the
/// index. Those before it are in.
pub(super) fn first_duplicate(error: &Error) -> Option<(usize, &str)> {
    match error.kind.as_ref() {
        ErrorKind::InsertMany(failure) if failure.write_concern_error.is_none() => {
            let first = failure.write_errors.as_ref()?.first()?;
            (first.code == DUPLICATE_KEY).then_some((first.index, first.message.as_str()))
        }
        _ => None,
    }
}

/// Whether all statements of an `update` command were carried out, and the majority has them.
pub(super) fn all_done(answer: Document) -> StoreResult<()> {
    match answer.get_array("writeErrors").ok().and_then(|errors| errors.first()) {
        Some(fault) => {
            let code = fault.as_document().and_then(|fault| fault.get_i32("code").ok());
            let is_away = code.is_some_and(|code| AWAY.contains(&code));
            let text = fault.to_string();
            Err(if is_away { StoreError::Unavailable(text) } else { StoreError::Broken(text) })
        }
        None => match answer.get_document("writeConcernError") {
            Ok(fault) => Err(StoreError::Unavailable(fault.to_string())),
            Err(_) => Ok(()),
        },
    }
}

/// The kind's own words: without the labels and the server's whole answer that the error shows of itself.
pub(super) fn text(error: &Error) -> String {
    error.kind.to_string()
}

/// A record is not as it was and not as it was wanted, as far as the majority knows: a change of it, perhaps this very
/// one, has not come there yet. The next look will tell.
pub(super) fn unsettled(what: &str) -> StoreError {
    StoreError::Unavailable(format!("a change of the {what} is not with the majority yet"))
}

/// The error of a call that took too long.
pub(super) fn late(deadline: Duration) -> Error {
    let error = std::io::Error::new(std::io::ErrorKind::TimedOut, format!("no answer within {deadline:?}"));
    ErrorKind::Io(std::sync::Arc::new(error)).into()
}
