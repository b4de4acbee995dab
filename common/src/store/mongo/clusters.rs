//! Clusters: lists, counts, moves, proofs and the end of a record.

use std::time::Duration;

use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};
use mongodb::options::{FindOptions, Hint};

use super::db::Db;
use super::{error, setup, shape};
use crate::model::{Cluster, ClusterId, FlavorId, HostId, PhaseKind, Timestamp};
use crate::store::{ClusterCounts, ClusterFilter, Page, Proof, StoreError, StoreResult, same};

fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Db {
    pub(super) async fn cluster(&self, id: &ClusterId) -> StoreResult<Option<Cluster>> {
        self.by_id(&self.clusters, id.as_str()).await?.map(shape::read_cluster).transpose()
    }

    pub(super) async fn list_clusters(&self, filter: &ClusterFilter, page: &Page) -> StoreResult<Vec<Cluster>> {
        let mut query = doc! { "_id": { "$gt": page.after.clone().unwrap_or_default() } };
        if let Some(host) = &filter.host {
            query.insert("host", host.as_str());
        }
        if !filter.phases.is_empty() {
            let phases: Vec<&str> = filter.phases.iter().map(|phase| phase.as_str()).collect();
            query.insert("phase.phase", doc! { "$in": phases });
        }
        if let Some(user) = &filter.user {
            query.insert("phase.lease.user", user.as_str());
            query.insert("$and", vec![doc! { "phase.phase": PhaseKind::InUse.as_str() }]);
        }
        if !filter.flavors.is_empty() {
            let flavors: Vec<&str> = filter.flavors.iter().map(FlavorId::as_str).collect();
            query.insert("flavor", doc! { "$in": flavors });
        }
        let by_id = FindOptions::builder().sort(doc! { "_id": 1 }).limit(i64::from(page.limit));
        let options = by_id.hint(narrowest(filter)).build();
        self.find(&self.clusters, query, options).await?.into_iter().map(shape::read_cluster).collect()
    }

    /// On one host or all. Served by the index `kind` alone; no document is read.
    pub(super) async fn count_clusters(&self, host: Option<&HostId>) -> StoreResult<ClusterCounts> {
        let group = doc! {
            "_id": { "host": "$host", "flavor": "$flavor", "phase": "$phase.phase" }, "count": { "$sum": 1_i64 }
        };
        let in_order = doc! { "$sort": { "host": 1, "flavor": 1, "phase.phase": 1 } };
        let on = host.map(|host| doc! { "$match": { "host": host.as_str() } });
        let pipeline: Vec<Document> = on.into_iter().chain([in_order, doc! { "$group": group }]).collect();
        let all = async { self.clusters.aggregate(pipeline).await?.try_collect::<Vec<Document>>().await };
        let rows = self.timed(all).await.map_err(error::db)?;
        rows.iter().map(|row| count_of(row).ok_or_else(|| StoreError::Broken(format!("counted {row}")))).collect()
    }

    /// Whether it was added; `false` when the very same is there.
    pub(super) async fn insert_cluster(&self, cluster: &Cluster) -> StoreResult<bool> {
        let Err(fault) = self.timed(self.clusters.insert_one(shape::write_cluster(cluster)?)).await else {
            return Ok(true);
        };
        let Some(message) = error::duplicate(&fault) else {
            return Err(error::db(fault));
        };
        match self.cluster(&cluster.id).await? {
            Some(found) if same::cluster(&found, cluster) => Ok(false),
            Some(_) => Err(StoreError::Taken { field: "id" }),
            None => Err(taken(message)),
        }
    }

    /// Puts `to` in the place of `from`. What proofs wrote since `from` was read is kept: the later proof wins, and
    /// an offer that the move does not touch holds as long as the longer of the two says.
    pub(super) async fn change_cluster(&self, from: &Cluster, to: &Cluster) -> StoreResult<bool> {
        let mut set = shape::write_cluster(to)?;
        set.remove("_id");
        let mut greatest = Document::new();
        set.remove("proven_at");
        if let Some(at) = to.proven_at {
            greatest.insert("proven_at", at.as_millis());
        }
        let mut change = doc! {};
        match (&from.offer, &to.offer) {
            (_, None) => {
                change.insert("$unset", doc! { "offer": "" });
            }
            (Some(old), Some(new)) if old.r.to_bits() == new.r.to_bits() => {
                set.remove("offer");
                greatest.insert("offer.until", new.until.as_millis());
            }
            (_, Some(_)) => {}
        }
        change.insert("$set", set);
        if !greatest.is_empty() {
            change.insert("$max", greatest);
        }
        let query = doc! {
            "_id": from.id.as_str(), "version": number(from.version), "phase.phase": from.phase.kind().as_str(),
        };
        let changed = self.timed(self.clusters.update_one(query, change)).await.map_err(error::db)?;
        if changed.matched_count == 1 {
            return Ok(true);
        }
        match self.cluster(&from.id).await? {
            None => Err(StoreError::NotFound("cluster")),
            Some(found) if same::cluster(&found, to) => Ok(false),
            Some(found) if (found.version, found.phase.kind()) == (from.version, from.phase.kind()) => {
                Err(error::unsettled("cluster"))
            }
            Some(_) => Err(StoreError::Conflict("cluster")),
        }
    }

    /// One command. Of each proof two statements: those with an offer get its new end, the others only the time.
    pub(super) async fn prove(&self, proofs: &[Proof]) -> StoreResult<()> {
        if proofs.is_empty() {
            return Ok(());
        }
        let rest = doc! { "$in": [PhaseKind::Free.as_str(), PhaseKind::InUse.as_str()] };
        let updates: Vec<Document> = proofs
            .iter()
            .map(|proof| {
                let at = proof.at.as_millis();
                doc! {
                    "q": {
                        "_id": proof.cluster.as_str(), "phase.phase": rest.clone(),
                        "$or": [{ "proven_at": { "$lte": at } }, { "proven_at": null }],
                    },
                    "u": [
                        { "$set": { "proven_at": at } },
                        { "$set": { "offer": { "$cond": [
                            { "$eq": [{ "$type": "$offer" }, "object"] },
                            { "$mergeObjects": ["$offer", { "until": proof.offer_until.as_millis() }] },
                            "$$REMOVE",
                        ] } } },
                    ],
                }
            })
            .collect();
        self.update(&self.clusters, updates).await.map_err(error::db).and_then(error::all_done)
    }

    pub(super) async fn extend_offers(
        &self,
        host: &HostId,
        max_proof_age: Duration,
        until: Timestamp,
    ) -> StoreResult<()> {
        let age = i64::try_from(max_proof_age.as_millis()).unwrap_or(i64::MAX);
        let query = doc! {
            "host": host.as_str(), "phase.phase": PhaseKind::Free.as_str(),
            "offer.until": { "$lt": until.as_millis() }, "proven_at": { "$gte": 0_i64 },
        };
        let by_proof = doc! { "$min": [{ "$add": ["$proven_at", age] }, until.as_millis()] };
        let longest = doc! { "$max": ["$offer.until", by_proof] };
        let change = vec![doc! { "$set": { "offer.until": longest } }];
        self.timed(self.clusters.update_many(query, change)).await.map(|_| ()).map_err(error::db)
    }

    /// Whether it was there. Its lease record is written first, so that at no moment both are missing.
    pub(super) async fn vanish(&self, cluster: &Cluster) -> StoreResult<bool> {
        if !cluster.may_vanish() {
            return Err(StoreError::Broken(format!("cluster {} may not vanish in its phase", cluster.id)));
        }
        let at_version = doc! { "_id": cluster.id.as_str(), "version": number(cluster.version) };
        let Some(found) = self.by_id(&self.clusters, cluster.id.as_str()).await? else {
            return Ok(false);
        };
        if found.get_i64("version").ok() != Some(number(cluster.version)) {
            return Err(StoreError::Conflict("cluster"));
        }
        if let Some(record) = cluster.lease_record() {
            let by_lease = doc! { "_id": record.lease.id.as_str() };
            let put = self.leases.replace_one(by_lease, shape::write_record(&record)?).upsert(true);
            match self.timed(put).await {
                // Two wrote the same record at the same moment.
                Err(fault) if error::duplicate(&fault).is_some() => {}
                outcome => outcome.map(|_| ()).map_err(error::db)?,
            }
        }
        let deleted = self.timed(self.clusters.delete_one(at_version)).await.map_err(error::db)?;
        if deleted.deleted_count == 1 {
            return Ok(true);
        }
        match self.by_id(&self.clusters, cluster.id.as_str()).await? {
            None => Ok(false),
            Some(found) if found.get_i64("version").ok() == Some(number(cluster.version)) => {
                Err(error::unsettled("cluster"))
            }
            Some(_) => Err(StoreError::Conflict("cluster")),
        }
    }
}

/// What a duplicate key says of a cluster that nobody knows by its id.
pub(super) fn taken(message: &str) -> StoreError {
    if setup::violated(message, &["_id_"]).is_some() {
        // The very same is there, and the majority has not heard of it.
        return error::unsettled("cluster");
    }
    StoreError::Taken { field: setup::violated(message, &["slot"]).unwrap_or("lease") }
}

/// The index that leaves fewest. The server does not know that: it keeps to the plan that once did best for a question of
/// this shape, so that one for which a walk along the ids was good made all later ones walk past every cluster there is.
fn narrowest(filter: &ClusterFilter) -> Option<Hint> {
    let name = match filter {
        ClusterFilter { user: Some(_), .. } => "nth",
        ClusterFilter { host: Some(_), .. } => "kind",
        ClusterFilter { user: None, host: None, .. } => return None,
    };
    Some(Hint::Name(name.into()))
}

fn count_of(row: &Document) -> Option<((HostId, FlavorId, PhaseKind), u64)> {
    let kind = row.get_document("_id").ok()?;
    let host = HostId::parse(kind.get_str("host").ok()?).ok()?;
    let flavor = FlavorId::parse(kind.get_str("flavor").ok()?).ok()?;
    let phase = kind.get_str("phase").ok()?;
    let phase = PhaseKind::ALL.into_iter().find(|kind| kind.as_str() == phase)?;
    Some(((host, flavor, phase), u64::try_from(row.get_i64("count").ok()?).ok()?))
}
