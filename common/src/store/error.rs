//! What a call of the store can end in, other than well.

/// What a caller can act on.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// There is no such record.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The record is not what it was when the caller decided. Look again.
    #[error("{0} changed meanwhile")]
    Conflict(&'static str),
    /// Another record has this already; names the field (`name`, `engine_id`, `slot`, `username`).
    #[error("{field} is taken")]
    Taken {
        /// The field that must be unique.
        field: &'static str,
    },
    /// The host holds as many clusters as it may.
    #[error("the host is full")]
    Full,
    /// Nobody would be left who may look after the operators.
    #[error("the last admin must stay")]
    LastAdmin,
    /// The database is away, slow or full. The write may or may not have happened; try again.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The record cannot be read, or the store's code is wrong: trying again will not help.
    #[error("the store failed: {0}")]
    Broken(String),
}

/// Short for what every call returns.
pub type StoreResult<T> = Result<T, StoreError>;
