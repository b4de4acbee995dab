//! What can go wrong inside an operation, by what the caller should do about it.

use common::store::StoreError;

/// What can go wrong inside an operation. None of it is the sender's fault.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The store is away: try again soon.
    #[error("the store is unavailable: {0}")]
    Unavailable(String),
    /// The record changed again and again while this was decided: try again.
    #[error("the record kept changing")]
    Busy,
    /// Trying again will not help.
    #[error("{0}")]
    Broken(String),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(why) => Trouble::Unavailable(why),
            StoreError::Conflict(_) => Trouble::Busy,
            StoreError::NotFound(_)
            | StoreError::Taken { .. }
            | StoreError::Full
            | StoreError::LastAdmin
            | StoreError::Broken(_) => Trouble::Broken(error.to_string()),
        }
    }
}
