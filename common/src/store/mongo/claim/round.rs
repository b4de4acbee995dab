//! One group of applies: what is read, and who is to get what. [`super::settle`] carries it out.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures_util::future::try_join_all;
use mongodb::bson::{Document, doc};
use mongodb::options::FindOptions;

use super::{Waiting, settle};
use crate::model::{Cluster, FlavorId, Lease, LeaseRecord, PhaseKind, Timestamp};
use crate::store::mongo::db::Db;
use crate::store::mongo::shape;
use crate::store::{Apply, Holding, KEY_KEPT, StoreResult};

/// A hold of a user's that still has its cluster.
struct Hold {
    cluster: String,
    flavor: String,
    in_use: bool,
    lease: String,
    nth: u32,
    key: Option<String>,
}

/// What one user has, with what this round is about to give her.
#[derive(Default)]
struct User {
    holds: Vec<Hold>,
    /// The highest of all, including this round's.
    nth: u32,
    /// Keys that this round claims with.
    keys: HashSet<String>,
    claims: bool,
}

/// What is on offer of one set of flavors.
struct Offered {
    clusters: std::vec::IntoIter<Cluster>,
    /// Whether there was nothing at all.
    none: bool,
}

/// What becomes of one apply in this round.
pub(super) enum Fate {
    /// Claims this cluster, with this lease.
    Claims(Box<Cluster>, Lease),
    /// She has this one, by its cluster's id.
    Has(String),
    Ended(Box<LeaseRecord>),
    NoneFree,
    TooMany(u32),
    /// Another of hers must be settled first, or what was read is not enough.
    Waits,
}

type Flavors = BTreeSet<FlavorId>;

/// What a group's applies are decided on.
pub(super) struct Round {
    users: HashMap<String, User>,
    offered: BTreeMap<Flavors, Offered>,
    ended: Vec<LeaseRecord>,
    taken: HashSet<String>,
}

impl Round {
    /// Answers all it can; the others are to be tried again.
    pub(super) async fn run(db: &Db, mut group: Vec<Waiting>) -> Vec<Waiting> {
        group.retain(|one| !one.tell.is_closed());
        if group.is_empty() {
            return group;
        }
        let mut round = match Round::read(db, &group).await {
            Ok(round) => round,
            Err(fault) => return settle::without_answer(group, &fault),
        };
        let fated: Vec<(Waiting, Fate)> = group
            .into_iter()
            .map(|one| {
                let fate = round.decide(&one);
                (one, fate)
            })
            .collect();
        settle::carry_out(db, fated).await
    }

    /// Everything at once: her holds, what her keys gave her before, and as many candidates as there are applies.
    async fn read(db: &Db, group: &[Waiting]) -> StoreResult<Round> {
        let mut wanted: BTreeMap<Flavors, (i64, Timestamp)> = BTreeMap::new();
        for one in group {
            let flavors = one.apply.flavors.iter().cloned().collect();
            let (count, now) = wanted.entry(flavors).or_insert((0, one.apply.now));
            *count += 1;
            *now = (*now).max(one.apply.now);
        }
        let offers = wanted.into_iter().map(|(flavors, (count, now))| offered(db, flavors, count, now));
        let (users, offered, ended) = tokio::try_join!(holds(db, group), try_join_all(offers), ended(db, group))?;
        Ok(Round { users, offered: offered.into_iter().collect(), ended, taken: HashSet::new() })
    }

    fn decide(&mut self, one: &Waiting) -> Fate {
        let apply = &one.apply;
        let user = self.users.entry(apply.user.as_str().to_owned()).or_default();
        // A claim whose answer was lost.
        if let Some(hold) = user.holds.iter().find(|hold| hold.lease == one.lease.as_str()) {
            return Fate::Has(hold.cluster.clone());
        }
        if let Some(key) = &apply.key {
            if let Some(hold) = user.holds.iter().find(|hold| hold.key.as_deref() == Some(key.as_str())) {
                return Fate::Has(hold.cluster.clone());
            }
            if user.keys.contains(key.as_str()) {
                return Fate::Waits;
            }
            let before = |record: &&LeaseRecord| {
                record.lease.user == apply.user
                    && record.lease.key.as_ref() == Some(key)
                    && record.ended.at() > apply.now - KEY_KEPT
            };
            if let Some(record) = self.ended.iter().find(before) {
                return Fate::Ended(Box::new(record.clone()));
            }
        }
        if apply.holding == Holding::GiveSame {
            if let Some(hold) = user.holds.iter().find(|hold| hold.in_use && offers(apply, &hold.flavor)) {
                return Fate::Has(hold.cluster.clone());
            }
            if user.claims {
                return Fate::Waits;
            }
        }
        if let Some(most) = apply.most {
            let held = u32::try_from(user.holds.iter().filter(|hold| hold.in_use).count()).unwrap_or(u32::MAX);
            if held >= most {
                return Fate::TooMany(held);
            }
            // One at a time, each with the number after the highest that was read: so a claim of another process that was
            // decided on less than is held now has a number that is taken, and does not get in.
            if user.claims {
                return Fate::Waits;
            }
        }
        let flavors: Flavors = apply.flavors.iter().cloned().collect();
        let Some(offered) = self.offered.get_mut(&flavors) else {
            return Fate::Waits;
        };
        // Another set of flavors may have taken it in this round.
        let Some(cluster) = offered.clusters.find(|cluster| !self.taken.contains(cluster.id.as_str())) else {
            // What another claim of this round takes may yet come free again, when that claim fails. But only what this
            // apply could have had is worth waiting for.
            return if offered.none { Fate::NoneFree } else { Fate::Waits };
        };
        self.taken.insert(cluster.id.as_str().to_owned());
        let pinned = one.sent_as.filter(|nth| user.holds.iter().all(|hold| hold.nth != *nth));
        let nth = pinned.unwrap_or(user.nth + 1);
        user.nth = user.nth.max(nth);
        user.claims = true;
        user.keys.extend(apply.key.iter().map(|key| key.as_str().to_owned()));
        let lease = Lease {
            id: one.lease.clone(),
            user: apply.user.clone(),
            nth,
            key: apply.key.clone(),
            applied_at: apply.now,
            metadata: apply.metadata.clone(),
        };
        Fate::Claims(Box::new(cluster), lease)
    }
}

fn offers(apply: &Apply, flavor: &str) -> bool {
    apply.flavors.iter().any(|wanted| wanted.as_str() == flavor)
}

/// Her clusters in any phase that has a lease: a released one still keeps its `nth` and its key, so that an apply which
/// was decided before the release cannot get in beside one that was decided after.
async fn holds(db: &Db, group: &[Waiting]) -> StoreResult<HashMap<String, User>> {
    let names: BTreeSet<&str> = group.iter().map(|one| one.apply.user.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    let fields = doc! {
        "flavor": 1, "phase.phase": 1, "phase.lease.id": 1, "phase.lease.user": 1, "phase.lease.nth": 1,
        "phase.lease.key": 1,
    };
    let options = FindOptions::builder().projection(fields).sort(doc! { "phase.lease.nth": 1 }).build();
    let found = db.find(&db.clusters, doc! { "phase.lease.user": { "$in": names } }, options).await?;
    let mut users: HashMap<String, User> = HashMap::new();
    for document in &found {
        // Its number still keeps others out, so that only its user is held up.
        let Some((name, hold)) = hold_of(document) else {
            tracing::error!(cluster.id = ?document.get("_id"), "a lease cannot be read");
            continue;
        };
        let user = users.entry(name).or_default();
        user.nth = user.nth.max(hold.nth);
        user.holds.push(hold);
    }
    Ok(users)
}

fn hold_of(document: &Document) -> Option<(String, Hold)> {
    let phase = document.get_document("phase").ok()?;
    let lease = phase.get_document("lease").ok()?;
    let hold = Hold {
        cluster: document.get_str("_id").ok()?.to_owned(),
        flavor: document.get_str("flavor").ok()?.to_owned(),
        in_use: phase.get_str("phase").ok()? == PhaseKind::InUse.as_str(),
        lease: lease.get_str("id").ok()?.to_owned(),
        nth: u32::try_from(lease.get_i64("nth").ok()?).ok()?,
        key: lease.get_str("key").ok().map(str::to_owned),
    };
    Some((lease.get_str("user").ok()?.to_owned(), hold))
}

/// As many as are wanted, from a random point on, then from the beginning.
async fn offered(db: &Db, flavors: Flavors, count: i64, now: Timestamp) -> StoreResult<(Flavors, Offered)> {
    let start = rand::random::<f64>();
    let names: Vec<&str> = flavors.iter().map(FlavorId::as_str).collect();
    let mut found = Vec::new();
    for range in [doc! { "$gte": start }, doc! { "$lt": start }] {
        let missing = count - i64::try_from(found.len()).unwrap_or(count);
        if missing <= 0 {
            break;
        }
        let query = doc! {
            "offer.flavor": { "$in": &names }, "offer.r": range, "offer.until": { "$gt": now.as_millis() },
        };
        let options = FindOptions::builder()
            .sort(doc! { "offer.r": 1 })
            .limit(missing)
            .batch_size(u32::try_from(missing).unwrap_or(u32::MAX))
            .build();
        found.extend(db.find(&db.clusters.clone_with_type(), query, options).await?);
    }
    let all = i64::try_from(found.len()).unwrap_or(count) < count;
    let clusters = shape::read_clusters(found).into_iter();
    let none = all && clusters.as_slice().is_empty();
    Ok((flavors, Offered { clusters, none }))
}

/// What the keys of this group gave before, newest first.
async fn ended(db: &Db, group: &[Waiting]) -> StoreResult<Vec<LeaseRecord>> {
    let keys: Vec<Document> = group
        .iter()
        .filter_map(|one| {
            let key = one.apply.key.as_ref()?;
            Some(doc! { "lease.user": one.apply.user.as_str(), "lease.key": key.as_str() })
        })
        .collect();
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let options = FindOptions::builder().sort(doc! { "ended.at": -1 }).build();
    db.find(&db.leases, doc! { "$or": keys }, options).await?.into_iter().map(shape::read_record).collect()
}

#[cfg(test)]
#[path = "round_test.rs"]
mod tests;
