//! Rules of versions: an older store is migrated, a newer one refused, and a program of the version before may go on
//! beside this one.

use common::clock;
use common::model::{Ended, Event, HostId, Lease, LeaseId, LeaseRecord, PoolId};
use common::store::{
    EventCursor, EventFilter, LeaseFilter, Limits, OpenError, Page, SharedStore, StoreTarget, StoreUser, open,
    open_with,
};
use mongodb::bson::oid::ObjectId;
use mongodb::bson::{Document, doc};

use crate::home::{database, mongod, wait_until};
use crate::made::{MINUTE, creating, event, user};
use crate::opening::refusal;

fn record(minutes_ago: u32) -> LeaseRecord {
    let cluster = creating(&HostId::random(), 0, "a");
    let lease = Lease {
        id: LeaseId::random(),
        user: user("ann"),
        nth: 1,
        key: None,
        applied_at: clock::now(),
        metadata: Default::default(),
    };
    LeaseRecord {
        lease,
        cluster: cluster.id,
        cluster_name: cluster.name,
        host: cluster.host,
        host_name: cluster.host_name,
        flavor: cluster.flavor,
        size: 4,
        ended: Ended::Released { at: clock::now() - MINUTE * minutes_ago, by: "ann".into() },
    }
}

async fn listed(store: &SharedStore) -> Vec<LeaseRecord> {
    store.list_lease_records(&LeaseFilter { user: Some(user("ann")) }, &Page::first(10)).await.unwrap()
}

#[tokio::test]
async fn an_older_sqlite_store_is_migrated_and_a_newer_one_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pool.db");
    let target = StoreTarget::Sqlite { path: path.clone() };
    let (pool, old, new) = (PoolId::random(), record(2), record(1));
    let by_hand = rusqlite::Connection::open(&path).unwrap();
    by_hand.execute_batch(include_str!("sqlite_version_1.sql")).unwrap();
    by_hand.execute("INSERT INTO meta VALUES ('pool_id', ?1), ('schema', '1')", [pool.as_str()]).unwrap();
    let put = |record: &LeaseRecord| {
        let body = serde_json::to_string(record).unwrap();
        let id = record.lease.id.as_str();
        by_hand.execute("INSERT INTO lease_record (id, user, body) VALUES (?1, 'ann', ?2)", (id, body)).unwrap();
    };
    put(&old);
    let store = open(&target, StoreUser::App).await.unwrap();
    assert_eq!(*store.pool_id(), pool);
    assert_eq!(listed(&store).await, std::slice::from_ref(&old));
    // A program of the version before that still runs writes as it always did.
    put(&new);
    assert_eq!(listed(&store).await, [new, old]);
    store.close().await;
    let version: String =
        by_hand.query_row("SELECT value FROM meta WHERE key = 'schema'", [], |row| row.get(0)).unwrap();
    assert_eq!(version, "6");
    open(&target, StoreUser::App).await.unwrap().close().await;

    by_hand.execute("UPDATE meta SET value = '7' WHERE key = 'schema'", []).unwrap();
    let words = refusal(&target, StoreUser::App).await;
    assert!(matches!(words, OpenError::Newer { found: 7, known: 6 }), "{words}");
    // The refused one gave the file back.
    by_hand.execute("UPDATE meta SET value = '6' WHERE key = 'schema'", []).unwrap();
    open(&target, StoreUser::App).await.unwrap();
}

#[tokio::test]
async fn an_older_mongo_store_is_migrated_and_a_newer_one_refused() {
    let (url, database) = (mongod().await.url(), database());
    let client = mongodb::Client::with_uri_str(&url).await.unwrap();
    let by_hand = client.database(&database);
    let (meta, leases) = (by_hand.collection::<Document>("meta"), by_hand.collection::<Document>("leases"));
    let (pool, old) = (PoolId::random(), record(2));
    meta.insert_one(doc! { "_id": "pool", "pool_id": pool.as_str(), "schema": 1 }).await.unwrap();
    let options = mongodb::options::IndexOptions::builder().name("user".to_owned()).build();
    let index = mongodb::IndexModel::builder().keys(doc! { "lease.user": 1 }).options(options).build();
    leases.create_index(index).await.unwrap();
    let mut document = mongodb::bson::serialize_to_document(&old).unwrap();
    document.insert("_id", old.lease.id.as_str());
    leases.insert_one(document).await.unwrap();
    let target = StoreTarget::Mongo { url, database };
    let store = open(&target, StoreUser::App).await.unwrap();
    assert_eq!(*store.pool_id(), pool);
    assert_eq!(listed(&store).await, [old]);
    let names = leases.list_index_names().await.unwrap();
    assert!(!names.contains(&"user".to_owned()) && names.contains(&"list_user".to_owned()), "{names:?}");
    store.close().await;
    let record = meta.find_one(doc! { "_id": "pool" }).await.unwrap().unwrap();
    assert_eq!(record.get_i32("schema").unwrap(), 6);
    open(&target, StoreUser::Admin).await.unwrap().close().await;

    meta.update_one(doc! { "_id": "pool" }, doc! { "$set": { "schema": 7 } }).await.unwrap();
    let words = refusal(&target, StoreUser::App).await;
    assert!(matches!(words, OpenError::Newer { found: 7, known: 6 }), "{words}");
    client.shutdown().immediate(true).await;
}

/// What is there by now, oldest first.
async fn events(store: &SharedStore) -> Vec<Event> {
    let mut all = store.list_events(&EventFilter::default(), &Page::first(1_000)).await.unwrap();
    all.reverse();
    all
}

async fn follow(store: &SharedStore, place: &mut EventCursor) -> Vec<Event> {
    let (events, after) = store.tail_events(Some(place), &EventFilter::default(), 1_000).await.unwrap();
    *place = after;
    events
}

fn some(count: usize, what: &str) -> Vec<Event> {
    let now = clock::now();
    (0..count)
        .map(|n| Event { at: now + std::time::Duration::from_millis(n as u64), ..event(&format!("{what} {n}")) })
        .collect()
}

#[tokio::test]
async fn events_from_before_they_could_be_followed_stay_in_a_sqlite_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pool.db");
    let by_hand = rusqlite::Connection::open(&path).unwrap();
    by_hand.execute_batch(include_str!("sqlite_version_1.sql")).unwrap();
    by_hand.execute_batch(include_str!("sqlite_version_2.sql")).unwrap();
    let pool = PoolId::random();
    by_hand.execute("INSERT INTO meta VALUES ('pool_id', ?1), ('schema', '2')", [pool.as_str()]).unwrap();
    let add = |event: &Event| {
        let body = serde_json::to_string(event).unwrap();
        let text = "INSERT INTO event (id, at, host, cluster, body) VALUES (?1, ?2, NULL, NULL, ?3)";
        by_hand.execute(text, (event.id.as_str(), event.at.as_millis(), body)).unwrap();
    };
    let all = some(8, "event");
    all[..3].iter().for_each(add);
    let store = open(&StoreTarget::Sqlite { path }, StoreUser::App).await.unwrap();
    assert_eq!(events(&store).await, all[..3]);
    let by_actor = EventFilter { actor: Some(all[0].actor.clone()), ..EventFilter::default() };
    assert_eq!(store.list_events(&by_actor, &Page::first(10)).await.unwrap().len(), 3, "older ones are found too");
    let (_, mut place) = store.tail_events(None, &EventFilter::default(), 10).await.unwrap();
    store.append_events(&all[3..4]).await.unwrap();
    // A program of the version before that still runs writes as it always did.
    all[4..6].iter().for_each(add);
    store.append_events(&all[6..]).await.unwrap();
    assert_eq!(follow(&store, &mut place).await, all[3..]);
    assert_eq!(events(&store).await, all);
    store.close().await;
}

/// Events as the version before wrote them: without numbers.
struct Before {
    events: mongodb::Collection<Document>,
    client: mongodb::Client,
    target: StoreTarget,
}

impl Before {
    async fn begin() -> Before {
        let (url, database) = (mongod().await.url(), database());
        let client = mongodb::Client::with_uri_str(&url).await.unwrap();
        let db = client.database(&database);
        let pool = doc! { "_id": "pool", "pool_id": PoolId::random().as_str(), "schema": 2 };
        db.collection::<Document>("meta").insert_one(pool).await.unwrap();
        let options = mongodb::options::IndexOptions::builder().name("at".to_owned()).build();
        let keys = doc! { "at": -1, "order": -1 };
        let index = mongodb::IndexModel::builder().keys(keys).options(options).build();
        let events = db.collection::<Document>("events");
        events.create_index(index).await.unwrap();
        Before { events, client, target: StoreTarget::Mongo { url, database } }
    }

    async fn add(&self, events: &[Event]) {
        for event in events {
            let mut fields = mongodb::bson::serialize_to_document(event).unwrap();
            fields.remove("id");
            fields.insert("order", ObjectId::new());
            let by_id = doc! { "_id": event.id.as_str() };
            self.events.update_one(by_id, doc! { "$setOnInsert": fields }).upsert(true).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_from_before_they_could_be_followed_stay_in_a_mongo_store() {
    let before = Before::begin().await;
    let all = some(10, "event");
    before.add(&all[..3]).await;
    let stores = [StoreUser::App, StoreUser::Admin].map(|user| open(&before.target, user));
    let [store, other] = futures_util::future::join_all(stores).await.try_into().map_err(|_| "two").unwrap();
    let (store, other) = (store.unwrap(), other.unwrap());
    assert_eq!(events(&store).await, all[..3]);
    let (_, mut place) = store.tail_events(None, &EventFilter::default(), 10).await.unwrap();
    let mut others_place = place.clone();
    store.append_events(&all[3..4]).await.unwrap();
    // A program of the version before that still runs writes as it always did.
    before.add(&all[4..8]).await;
    let (one, two) = tokio::join!(follow(&store, &mut place), follow(&other, &mut others_place));
    store.append_events(&all[8..]).await.unwrap();
    let seen = [one, follow(&store, &mut place).await].concat();
    assert_eq!(seen, all[3..]);
    assert_eq!([two, follow(&other, &mut others_place).await].concat(), seen);
    assert_eq!(follow(&store, &mut place).await, []);
    assert_eq!(events(&store).await, all);
    // It reads the newer ones, too: nothing that it sorts or goes on by is missing.
    let without = before.events.count_documents(doc! { "order": { "$not": { "$type": "objectId" } } }).await.unwrap();
    assert_eq!(without, 0);
    store.close().await;
    other.close().await;
    before.client.shutdown().immediate(true).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_from_before_they_could_be_followed_go_in_their_turn() {
    let before = Before::begin().await;
    let (old, mut new) = (some(90, "old"), some(150, "new"));
    new.iter_mut().for_each(|event| event.at = event.at + MINUTE);
    before.add(&old).await;
    let limits = Limits { events_kept: 100, ..Limits::default() };
    let store = open_with(&before.target, StoreUser::App, limits).await.unwrap();
    let left = async |first_new: usize, last_new: usize| {
        wait_until("cut to the limit and a little more", || async {
            let all = events(&store).await;
            assert!(all.ends_with(&new[first_new..last_new]), "{} are left", all.len());
            if (100..=106).contains(&all.len()) { Ok(()) } else { Err(all.len()) }
        })
        .await;
    };
    for event in &new[..60] {
        store.append_events(std::slice::from_ref(event)).await.unwrap();
    }
    left(0, 60).await;
    let reasons: Vec<String> = events(&store).await.into_iter().map(|event| event.reason).collect();
    assert!(!reasons.contains(&"old 0".to_owned()) && reasons.contains(&"old 89".to_owned()), "{reasons:?}");
    for event in &new[60..] {
        store.append_events(std::slice::from_ref(event)).await.unwrap();
    }
    left(50, 150).await;
    store.close().await;
    before.client.shutdown().immediate(true).await;
}
