//! Adding a cluster where there is room.
//!
//! The server has no condition on how many documents there are, so it is a transaction: it writes the host's turn, counts, and
//! adds. Of two on one host at once the server lets only one through, and the other begins anew; so none counts what another is
//! about to add to.

use futures_util::TryStreamExt;
use mongodb::ClientSession;
use mongodb::bson::{Document, doc};
use mongodb::error::Error;
use mongodb::options::ReturnDocument;

use super::clusters::taken;
use super::db::Db;
use super::{error, shape};
use crate::model::Cluster;
use crate::store::{StoreError, StoreResult};

/// The field of a host that counts who placed a cluster there. No part of the record: it is neither read nor restored.
const TURN: &str = "placed";

/// What came of one transaction.
enum Placed {
    Done,
    /// It is there already, perhaps by a try before this one whose answer was lost.
    There,
    Full,
    /// The host is not at that version any more.
    HostChanged,
}

impl Db {
    /// Whether it was added; `false` when the very same is there.
    pub(super) async fn place_cluster(&self, cluster: &Cluster, host_version: u64) -> StoreResult<bool> {
        let document = shape::write_cluster(cluster)?;
        let _turn = self.placing_turn(&cluster.host).await;
        let work = async {
            let mut session = self.database.client().start_session().await?;
            session.start_transaction().await?;
            match self.place_in(&mut session, cluster, host_version, document).await {
                Ok(Placed::Done) => session.commit_transaction().await.map(|()| Placed::Done),
                other => {
                    // What cannot be told to the server ends there by itself.
                    let _ = session.abort_transaction().await;
                    other
                }
            }
        };
        match self.timed(work).await {
            Ok(Placed::Done) => Ok(true),
            Ok(Placed::Full) => Err(StoreError::Full),
            Ok(Placed::HostChanged) => Err(StoreError::Conflict("host")),
            // Adding it once more, outside of a transaction, finds out what is there and adds nothing.
            Ok(Placed::There) => self.insert_cluster(cluster).await,
            Err(fault) => match error::duplicate(&fault) {
                Some(message) => Err(taken(message)),
                None => Err(error::db(fault)),
            },
        }
    }

    async fn place_in(
        &self,
        session: &mut ClientSession,
        cluster: &Cluster,
        host_version: u64,
        document: Document,
    ) -> Result<Placed, Error> {
        let version = i64::try_from(host_version).unwrap_or(i64::MAX);
        let host = doc! { "_id": cluster.host.as_str(), "version": version };
        let turn = self.hosts.find_one_and_update(host, doc! { "$inc": { TURN: 1_i64 } });
        let capacity = doc! { "settings.capacity": 1 };
        let host = turn.projection(capacity).return_document(ReturnDocument::After).session(&mut *session).await?;
        let itself = doc! { "_id": cluster.id.as_str() };
        if self.clusters.find_one(itself).session(&mut *session).await?.is_some() {
            return Ok(Placed::There);
        }
        let Some(host) = host else { return Ok(Placed::HostChanged) };
        let capacity = host.get_document("settings").ok().and_then(|settings| settings.get("capacity").cloned());
        let capacity = capacity.and_then(|n| n.as_i64().or(n.as_i32().map(i64::from))).unwrap_or(0);
        let there = vec![
            doc! { "$match": { "host": cluster.host.as_str() } },
            doc! { "$group": { "_id": null, "n": { "$sum": 1_i64 } } },
        ];
        let mut counted = self.clusters.aggregate(there).session(&mut *session).await?;
        let counted = counted.stream(session).try_next().await?;
        if counted.and_then(|group| group.get_i64("n").ok()).unwrap_or(0) >= capacity {
            return Ok(Placed::Full);
        }
        self.clusters.insert_one(document).session(&mut *session).await?;
        Ok(Placed::Done)
    }
}
