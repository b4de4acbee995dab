//! The store in MongoDB: any number of apps and admins share a replica set (of one node, too).
//!
//! Every write is acknowledged by the majority, every read sees only what the majority has. The documents have the
//! model's own JSON shape; what is asked for is indexed where it stands.

mod append;
mod awaited;
mod calls;
mod claim;
mod clusters;
mod db;
mod demand;
mod dump;
mod error;
mod events;
mod evidence;
pub(super) mod first;
mod history;
mod hosts;
mod lists;
mod load;
mod people;
mod place;
mod rights;
mod samples;
mod settled;
mod setup;
mod shape;
mod tokens;
mod watch;

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use mongodb::{Client, Database};

use self::append::Appender;
use self::claim::Claims;
use self::db::Db;
pub(super) use self::dump::dump;
pub(super) use self::load::load;
use self::rights::Rights;
use self::settled::Settler;
use self::watch::Watches;
use super::open::{Limits, OpenError};
use crate::model::PoolId;

/// The store in MongoDB.
pub(super) struct MongoStore {
    pool: PoolId,
    client: Client,
    db: Db,
    claims: Claims,
    watches: Watches,
    events: Arc<Appender>,
    settler: Settler,
    evidence_kept: u32,
    /// The hour in which old counts of applies were last dropped here.
    applies_cut_in: AtomicI64,
    /// The same of samples.
    samples_cut_in: AtomicI64,
    sampled_subjects: u32,
}

impl MongoStore {
    /// Connects, and makes or migrates what is in the database; who may not do that waits until an admin has done it.
    pub(super) async fn open(url: &str, database: &str, limits: Limits) -> Result<MongoStore, OpenError> {
        let options = setup::options(url).await?;
        let client = setup::client(options.clone())?;
        let connections = setup::connections(&options);
        let (db, rights, pool) = match ready(client.database(database), &limits, connections).await {
            Ok(ready) => ready,
            Err(error) => {
                client.shutdown().immediate(true).await;
                return Err(error);
            }
        };
        let watches = Watches::new(setup::client(options)?, database, limits.deadline, rights);
        let claims = Claims::start(db.clone());
        let kept = match rights {
            Rights::All => Some(limits.events_kept),
            Rights::App => None,
        };
        let events = Arc::new(Appender::start(db.clone(), kept));
        Ok(MongoStore {
            pool,
            client,
            settler: Settler::new(events.clone(), limits.deadline),
            events,
            db,
            claims,
            watches,
            evidence_kept: limits.evidence_kept,
            applies_cut_in: AtomicI64::new(0),
            samples_cut_in: AtomicI64::new(0),
            sampled_subjects: limits.sampled_subjects,
        })
    }
}

/// The database, made ready by us or by others, as far as we may.
async fn ready(database: Database, limits: &Limits, connections: u32) -> Result<(Db, Rights, PoolId), OpenError> {
    let rights = Rights::of(&database).await?;
    let found = match rights {
        Rights::All => setup::prepare(&database).await?,
        Rights::App => awaited::until_made(&database).await?,
    };
    let db = Db::new(database, limits, found.numbered_from, connections);
    if rights == Rights::All {
        db.fill_lists().await.map_err(|error| OpenError::Broken(format!("what lists are read by: {error}")))?;
    }
    Ok((db, rights, found.pool))
}
