//! The store in MongoDB.

use super::open::{Limits, OpenError};

/// The store in MongoDB.
pub(super) struct MongoStore;

impl MongoStore {
    /// Connects, and makes or migrates what is in the database.
    pub(super) async fn open(
        _url: &str,
        _database: &str,
        _limits: Limits,
    ) -> Result<std::convert::Infallible, OpenError> {
        Err(OpenError::Unreachable("not spoken yet".into()))
    }
}
