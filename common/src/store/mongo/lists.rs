//! Lists: what [`crate::store::list`] asks, answered by the indexes on the fields of `list`.
//!
//! A program of version 3 that still runs writes no `list` (of a cluster that it hands out, an old time in it). What lacks it is given one
//! at every start, and once a minute while lists are asked for.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use futures_util::TryStreamExt;
use mongodb::Collection;
use mongodb::bson::{Bson, Document, doc};
use mongodb::options::{FindOptions, Hint};

use super::db::Db;
use super::{error, shape};
use crate::clock;
use crate::model::{Cluster, DaemonUrl, Failure, Host, HostId, LeaseRecord, Timestamp};
use crate::store::list::{
    ClusterKeys, Field, HostBrief, Lookup, Range, RecordKeys, Shelf, Span, Stream, Term, Walk, Walked, clusters, look,
    pick_failures, pick_hosts, records,
};
use crate::store::{ClusterQuery, FailureQuery, Found, HostQuery, ListBounds, RecordQuery, StoreError, StoreResult};

/// Records that are given keys in one command.
const FILLED_AT_ONCE: i64 = 1_000;

/// Between two looks for records without keys.
const FILL_EVERY_MS: i64 = 60_000;

impl Db {
    pub(super) async fn clusters_found(&self, query: &ClusterQuery) -> StoreResult<Found<Cluster>> {
        self.fill_now_and_then().await?;
        let page = look(self, &clusters(query), &query.page).await?;
        self.with_records(page, &self.clusters, shape::read_cluster).await
    }

    pub(super) async fn records_found(&self, query: &RecordQuery) -> StoreResult<Found<LeaseRecord>> {
        self.fill_now_and_then().await?;
        let page = look(self, &records(query), &query.page).await?;
        self.with_records(page, &self.leases, shape::read_record).await
    }

    pub(super) async fn hosts_found(&self, query: &HostQuery) -> StoreResult<Found<Host>> {
        let fields = doc! {
            "settings.name": 1, "settings.address": 1, "settings.daemon_url": 1, "settings.schedulable": 1,
            "settings.capacity": 1, "contact.state.state": 1, "purpose.purpose": 1, "created_at": 1,
        };
        // By an index, only because no query of ours reads a collection without one.
        let options = FindOptions::builder().sort(doc! { "settings.name": 1 }).projection(fields).build();
        let all = self.find(&self.hosts, doc! {}, options).await?;
        let briefs = all.iter().map(|host| brief(host).ok_or_else(|| unreadable("host", host)));
        let page = pick_hosts(&briefs.collect::<StoreResult<Vec<_>>>()?, query);
        self.with_records(page, &self.hosts, shape::read).await
    }

    pub(super) async fn failures_found(&self, query: &FailureQuery) -> StoreResult<Found<Failure>> {
        let without = doc! { "nodes": 0, "plan": 0, "timings": 0, "missing": 0 };
        let options = FindOptions::builder().sort(doc! { "failed_at": -1, "_id": -1 }).projection(without).build();
        let all = self.find(&self.evidence, doc! {}, options).await?;
        let all = all.into_iter().map(shape::read::<Failure>).collect::<StoreResult<Vec<_>>>()?;
        Ok(pick_failures(all, query))
    }

    async fn with_records<T>(
        &self,
        page: Found<String>,
        of: &Collection<Document>,
        read: impl Fn(Document) -> StoreResult<T>,
    ) -> StoreResult<Found<T>> {
        let ids = page.ids();
        let documents = match ids.is_empty() {
            true => Vec::new(),
            false => self.find(of, doc! { "_id": { "$in": ids } }, FindOptions::default()).await?,
        };
        let by_id = documents.into_iter().map(|document| {
            let id = document.get_str("_id").unwrap_or_default().to_owned();
            Ok((id, read(document)?))
        });
        Ok(page.with(by_id.collect::<StoreResult<BTreeMap<_, _>>>()?))
    }

    pub(super) async fn fill_now_and_then(&self) -> StoreResult<()> {
        let now = clock::now().as_millis();
        let last = self.lists_filled.load(Ordering::Relaxed);
        let turn = now.saturating_sub(last) >= FILL_EVERY_MS
            && self.lists_filled.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if turn { self.fill_lists().await } else { Ok(()) }
    }

    /// Gives keys to whatever has none.
    pub(super) async fn fill_lists(&self) -> StoreResult<()> {
        self.fill(&self.clusters, "list.created", |document| {
            let version = document.get("version").cloned().unwrap_or(Bson::Null);
            let cluster = shape::read_cluster(document)?;
            Ok((doc! { "_id": cluster.id.as_str(), "version": version }, shape::keys(&ClusterKeys::of(&cluster))?))
        })
        .await?;
        self.fill(&self.leases, "list.ended", |document| {
            let record = shape::read_record(document)?;
            Ok((doc! { "_id": record.lease.id.as_str() }, shape::keys(&RecordKeys::of(&record))?))
        })
        .await
    }

    async fn fill(
        &self,
        of: &Collection<Document>,
        key: &str,
        keys: impl Fn(Document) -> StoreResult<(Document, Document)>,
    ) -> StoreResult<()> {
        if self.timed(of.find_one(doc! { key: Bson::Null })).await.map_err(error::db)?.is_none() {
            return Ok(());
        }
        let mut last = String::new();
        loop {
            // Once through all of them by id, so that one which cannot be read, or changes just now, holds up nothing.
            let without = doc! { key: Bson::Null, "_id": { "$gt": &last } };
            let by_id = Hint::Keys(doc! { "_id": 1 });
            let some = FindOptions::builder().hint(by_id).sort(doc! { "_id": 1 }).limit(FILLED_AT_ONCE).build();
            let found = self.find(of, without, some).await?;
            let Some(end) = found.last().and_then(|document| document.get_str("_id").ok()) else { return Ok(()) };
            last = end.to_owned();
            let updates = found.into_iter().filter_map(|document| {
                let filled = keys(document).inspect_err(|error| tracing::error!(%error, "a record is in no list"));
                let (which, list) = filled.ok()?;
                Some(doc! { "q": which, "u": { "$set": { "list": list } } })
            });
            let updates: Vec<Document> = updates.collect();
            if !updates.is_empty() {
                self.update(of, updates).await.map_err(error::db).and_then(error::all_done)?;
            }
        }
    }
}

fn unreadable(what: &str, document: &Document) -> StoreError {
    StoreError::Broken(format!("the {what} {:?} cannot be read", document.get("_id")))
}

fn brief(host: &Document) -> Option<HostBrief> {
    let settings = host.get_document("settings").ok()?;
    let number = |value: Option<&Bson>| value.and_then(|n| n.as_i64().or(n.as_i32().map(i64::from)));
    Some(HostBrief {
        id: HostId::parse(host.get_str("_id").ok()?).ok()?,
        name: settings.get_str("name").ok()?.to_owned(),
        address: settings.get_str("address").ok()?.to_owned(),
        url: DaemonUrl::parse(settings.get_str("daemon_url").ok()?).ok()?.to_string(),
        state: host.get_document("contact").ok()?.get_document("state").ok()?.get_str("state").ok()?.to_owned(),
        schedulable: settings.get_bool("schedulable").ok()?,
        purpose: host.get_document("purpose").ok()?.get_str("purpose").ok()?.to_owned(),
        capacity: u16::try_from(number(settings.get("capacity"))?).ok()?,
        created_at: Timestamp::from_millis(number(host.get("created_at"))?),
    })
}

fn range(range: &Range) -> Document {
    doc! { range.field.path: { "$gte": &range.from, "$lt": &range.to } }
}

fn term(term: &Term) -> Document {
    match term {
        Term::Is(field, value) => doc! { field.path: value },
        Term::OneOf(field, values) => doc! { field.path: { "$in": values } },
        Term::Within(ranges) => match ranges.as_slice() {
            [] => doc! { "_id": { "$in": [] } },
            [one] => range(one),
            several => doc! { "$or": several.iter().map(range).collect::<Vec<_>>() },
        },
    }
}

fn all(terms: &[Term]) -> Option<Document> {
    (!terms.is_empty()).then(|| doc! { "$match": { "$and": terms.iter().map(term).collect::<Vec<_>>() } })
}

fn between(stream: &Stream, span: &Span) -> Document {
    let lower = if span.from_included { "$gte" } else { "$gt" };
    let mut query = doc! { stream.field.path: { lower: &span.from, "$lt": &span.to } };
    if let Some((field, value)) = &stream.of {
        query.insert(field.path, value);
    }
    query
}

/// The text at a path.
fn text_at(document: &Document, path: &str) -> Option<String> {
    let (parents, name) = path.rsplit_once('.').map_or((None, path), |(parents, name)| (Some(parents), name));
    let parent = match parents {
        None => document,
        Some(parents) => parents.split('.').try_fold(document, |at, part| at.get_document(part).ok())?,
    };
    parent.get_str(name).ok().map(str::to_owned)
}

impl Db {
    fn shelf(&self, shelf: Shelf) -> &Collection<Document> {
        match shelf {
            Shelf::Clusters => &self.clusters,
            Shelf::Records => &self.leases,
        }
    }

    async fn piped(&self, shelf: Shelf, stages: Vec<Document>) -> StoreResult<Vec<Document>> {
        let run = async { self.shelf(shelf).aggregate(stages).await?.try_collect::<Vec<_>>().await };
        self.timed(run).await.map_err(error::db)
    }

    async fn texts(&self, shelf: Shelf, mut stages: Vec<Document>, field: Field) -> StoreResult<Vec<String>> {
        stages.push(doc! { "$project": { field.path: 1, "_id": i32::from(field.path == "_id") } });
        let found = self.piped(shelf, stages).await?;
        Ok(found.iter().filter_map(|document| text_at(document, field.path)).collect())
    }
}

#[async_trait]
impl Lookup for Db {
    fn bounds(&self) -> ListBounds {
        self.list_bounds
    }

    async fn count(&self, shelf: Shelf, one: &Term, most: u32) -> StoreResult<u32> {
        let stages = vec![
            doc! { "$match": term(one) },
            doc! { "$limit": i64::from(most) },
            doc! { "$group": { "_id": null, "n": { "$sum": 1_i64 } } },
        ];
        let counted = self.piped(shelf, stages).await?;
        let n = counted.first().and_then(|group| group.get_i64("n").ok()).unwrap_or(0);
        Ok(u32::try_from(n).unwrap_or(most))
    }

    async fn gather(&self, shelf: Shelf, narrow: &Term, terms: &[Term], sort: Field) -> StoreResult<Vec<String>> {
        // The limit, which it never reaches, keeps the server from choosing another index than the one that was counted.
        let mut stages = vec![doc! { "$match": term(narrow) }, doc! { "$limit": i64::from(i32::MAX) }];
        stages.extend(all(terms));
        self.texts(shelf, stages, sort).await
    }

    async fn walk(&self, shelf: Shelf, stream: &Stream, terms: &[Term], walk: &Walk<'_>) -> StoreResult<Walked> {
        let span = stream.beyond(walk.beyond, walk.descending);
        if span.from >= span.to {
            return Ok(Walked::default());
        }
        let path = stream.field.path;
        let order = doc! { "$sort": { path: if walk.descending { -1 } else { 1 } } };
        let entries = vec![doc! { "$match": between(stream, &span) }, order];
        let mut stages = entries.clone();
        stages.push(doc! { "$limit": i64::from(walk.look_at) });
        stages.extend(all(terms));
        stages.push(doc! { "$limit": i64::from(walk.limit) });
        let found = self.texts(shelf, stages, stream.field).await?;
        if found.len() >= usize::try_from(walk.limit).unwrap_or(usize::MAX) {
            return Ok(Walked { found, given_up_at: None });
        }
        let mut end = entries;
        end.extend([doc! { "$skip": i64::from(walk.look_at.saturating_sub(1)) }, doc! { "$limit": 1_i64 }]);
        let given_up_at = self.texts(shelf, end, stream.field).await?.pop();
        Ok(Walked { found, given_up_at })
    }
}
