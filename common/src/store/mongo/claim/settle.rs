//! Carries out what a round decided: one command for all claims, one read for what is given as it is, and an answer for
//! everyone of whom it is known how it went.

use std::collections::{HashMap, HashSet};

use mongodb::bson::{Bson, Document, doc};
use mongodb::options::FindOptions;

use super::Waiting;
use super::round::Fate;
use crate::model::{Cluster, Lease, PhaseKind};
use crate::store::mongo::db::Db;
use crate::store::mongo::{error, shape};
use crate::store::{Applied, StoreError, StoreResult};

struct Claim {
    one: Waiting,
    cluster: Cluster,
    lease: Lease,
}

/// Answers all whose fate is settled; the others are to be tried again.
pub(super) async fn carry_out(db: &Db, fated: Vec<(Waiting, Fate)>) -> Vec<Waiting> {
    let (mut again, mut claims, mut has) = (Vec::new(), Vec::new(), Vec::new());
    for (one, fate) in fated {
        match fate {
            Fate::Claims(cluster, lease) => claims.push(Claim { one, cluster: *cluster, lease }),
            Fate::Has(cluster) => has.push((one, cluster)),
            Fate::Ended(record) => one.answer(Ok(Applied::Ended(*record))),
            Fate::NoneFree => one.answer(Ok(Applied::NoneFree)),
            Fate::TooMany(held) => one.answer(Ok(Applied::TooMany(held))),
            Fate::Waits => again.push(one),
        }
    }
    let (lost, gone) = tokio::join!(claim(db, claims), hand_out(db, has));
    again.extend(lost);
    again.extend(gone);
    again
}

/// After a read or write that failed. Whoever may have a lease already is settled by trying again; the others hear of
/// it at once.
pub(super) fn without_answer(group: Vec<Waiting>, fault: &StoreError) -> Vec<Waiting> {
    let mut again = Vec::new();
    for one in group {
        match fault {
            StoreError::Unavailable(_) if one.sent_as.is_some() => again.push(one),
            StoreError::Unavailable(why) => one.answer(Err(StoreError::Unavailable(why.clone()))),
            fault => one.answer(Err(StoreError::Broken(fault.to_string()))),
        }
    }
    again
}

async fn claim(db: &Db, mut claims: Vec<Claim>) -> Vec<Waiting> {
    if claims.is_empty() {
        return Vec::new();
    }
    let statements = match claims.iter().map(statement).collect::<StoreResult<Vec<_>>>() {
        Ok(statements) => statements,
        Err(fault) => return without_answer(claims.into_iter().map(|claim| claim.one).collect(), &fault),
    };
    for claim in &mut claims {
        claim.one.sent_as = Some(claim.lease.nth);
    }
    match db.update(&db.clusters, statements).await {
        Ok(answer) => judge(claims, &answer),
        Err(fault) => without_answer(claims.into_iter().map(|claim| claim.one).collect(), &error::db(fault)),
    }
}

/// If the cluster is still on offer as it was read. Proofs change no version, so what was read is what she gets.
fn statement(claim: &Claim) -> StoreResult<Document> {
    let version = i64::try_from(claim.cluster.version).unwrap_or(i64::MAX);
    Ok(doc! {
        "q": {
            "_id": claim.cluster.id.as_str(), "version": version, "phase.phase": PhaseKind::Free.as_str(),
            "offer.until": { "$gt": claim.one.apply.now.as_millis() },
        },
        "u": {
            "$set": {
                "phase": shape::write_hold(&claim.lease)?, "version": version + 1,
                "list.changed": shape::held_since(&claim.lease, &claim.cluster.id),
            },
            "$unset": { "offer": "" },
        },
    })
}

/// Who won, by the server's answer. When it does not say (fewer were changed than not refused, or the majority was not
/// heard of in time), the next round finds by its lease's id what is there.
fn judge(claims: Vec<Claim>, answer: &Document) -> Vec<Waiting> {
    let number = |value: Option<&Bson>| value.and_then(|n| n.as_i32().map(i64::from).or(n.as_i64()));
    let refused: HashSet<i64> = answer
        .get_array("writeErrors")
        .map(|all| all.iter().filter_map(|fault| number(fault.as_document()?.get("index"))).collect())
        .unwrap_or_default();
    let changed = number(answer.get("n")).unwrap_or(0);
    let expected = i64::try_from(claims.len() - refused.len().min(claims.len())).unwrap_or(i64::MAX);
    let certain = changed == expected && !answer.contains_key("writeConcernError");
    let mut again = Vec::new();
    for (place, mut claim) in (0..).zip(claims) {
        if refused.contains(&place) {
            // It has not been written, and never will be.
            claim.one.sent_as = None;
            again.push(claim.one);
        } else if certain {
            let now = claim.one.apply.now;
            let taken = claim.cluster.claim(claim.lease, now);
            claim.one.answer(taken.map(Applied::New).map_err(|fault| StoreError::Broken(fault.to_string())));
        } else {
            again.push(claim.one);
        }
    }
    again
}

/// Answers with clusters as they are now. What has gone on since the round read is for the next one.
async fn hand_out(db: &Db, has: Vec<(Waiting, String)>) -> Vec<Waiting> {
    if has.is_empty() {
        return Vec::new();
    }
    let ids: Vec<&str> = has.iter().map(|(_, id)| id.as_str()).collect();
    let query = doc! { "_id": { "$in": ids } };
    let found = db.find(&db.clusters.clone_with_type(), query, FindOptions::default()).await;
    let clusters: HashMap<String, Cluster> = match found {
        Ok(found) => shape::read_clusters(found).into_iter().map(|cluster| (cluster.id.to_string(), cluster)).collect(),
        Err(fault) => return without_answer(has.into_iter().map(|(one, _)| one).collect(), &fault),
    };
    let mut again = Vec::new();
    for (one, id) in has {
        match clusters.get(&id).and_then(|cluster| given(&one, cluster)) {
            Some(applied) => one.answer(Ok(applied)),
            None => again.push(one),
        }
    }
    again
}

fn given(one: &Waiting, cluster: &Cluster) -> Option<Applied> {
    let lease = cluster.lease().filter(|lease| lease.user == one.apply.user)?;
    match cluster.lease_record() {
        None if lease.id == one.lease => Some(Applied::New(cluster.clone())),
        None => Some(Applied::Held(cluster.clone())),
        // Given back, and still being removed: that is an answer only to the key that had it.
        Some(record) => (lease.id == one.lease || (lease.key.is_some() && lease.key == one.apply.key))
            .then_some(Applied::Ended(record)),
    }
}
