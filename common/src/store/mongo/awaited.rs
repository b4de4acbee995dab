//! A database that others make ready: who may not make what it must have waits for an admin to do so.
//!
//! What is waited for is what [`super::setup`] makes last, in the version that this program knows.

use std::time::{Duration, Instant};

use mongodb::Database;
use mongodb::bson::{Document, doc};

use super::setup::{self, Found};
use crate::store::open::OpenError;
use crate::store::schema;

/// An admin that starts at the same time needs seconds, one that migrates a large store longer. Whoever started this program starts
/// it again after that.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(250);

/// Waits until it is ready.
pub(super) async fn until_made(db: &Database) -> Result<Found, OpenError> {
    setup::refuse_without_set(db).await?;
    let ends = Instant::now() + PATIENCE;
    let mut told = false;
    loop {
        if let Some(found) = look(db).await? {
            return Ok(found);
        }
        if Instant::now() >= ends {
            return Err(OpenError::NotMade { waited: PATIENCE });
        }
        if !told {
            tracing::info!("the database is not ready, and this user may not make it so: waiting for an admin");
            told = true;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look(db: &Database) -> Result<Option<Found>, OpenError> {
    let meta = db.collection::<Document>("meta");
    let Some(pool) = meta.find_one(doc! { "_id": "pool" }).await.map_err(setup::open_error)? else {
        return Ok(None);
    };
    setup::refuse_half(&pool)?;
    if !schema::steps(setup::schema_in(&pool))?.is_empty() {
        return Ok(None);
    }
    let last = meta.find_one(doc! { "_id": setup::OPERATORS_TURN }).await.map_err(setup::open_error)?;
    if last.is_none() { Ok(None) } else { setup::found_in(&pool).map(Some) }
}
