//! Rules of app's user in MongoDB, on a mongod that asks who comes: app can do all that it does, and nothing else.

use std::time::Duration;

use common::clock;
use common::config::Secret;
use common::model::{ApplyCount, NodeScope, WishChange};
use common::store::{
    APPLIES_KEPT, Applied, Change, ClusterFilter, FirstMongo, Holding, Page, SharedStore, StoreTarget, StoreUser,
    first_mongo, open,
};
use e2e::mongod::Mongod;
use futures_util::StreamExt;
use mongodb::bson::{Document, doc};
use mongodb::error::ErrorKind;
use mongodb::{Client, Database};

use crate::made::{MINUTE, apply, event, flavor, free, host, key, new_one, release};
use crate::people::{operator, session};
use crate::tokens::token;

const DATABASE: &str = "pool";
const ADMINS: &str = "password-of-admins-user";
const APPS: &str = "password-of-apps-user";

/// The server's code for what somebody may not do.
const UNAUTHORIZED: i32 = 13;

/// A set of one with both users, as `setup-mongo` makes it.
async fn guarded() -> Mongod {
    let mongod = Mongod::start_guarded().unwrap();
    let first = FirstMongo {
        url: format!("mongodb://127.0.0.1:{}/", mongod.port()),
        members: vec![format!("127.0.0.1:{}", mongod.port())],
        root_password: Secret::new("password-of-root"),
        password: Secret::new(ADMINS),
        app_password: Secret::new(APPS),
        database: DATABASE.into(),
    };
    let done = first_mongo(&first).await.unwrap();
    assert!(done.contains(&"made the user poolmanager-app"), "{done:?}");
    // As every start of a deployment does.
    let again = first_mongo(&first).await.unwrap();
    assert!(!again.iter().any(|what| what.starts_with("made")), "{again:?}");
    mongod
}

fn url(mongod: &Mongod, user: &str, password: &str) -> String {
    format!("mongodb://{user}:{password}@127.0.0.1:{}/?replicaSet=rs0&authSource=admin", mongod.port())
}

async fn store(url: String, user: StoreUser) -> SharedStore {
    open(&StoreTarget::Mongo { url, database: DATABASE.into() }, user).await.unwrap()
}

/// Both, with app's opened first.
async fn stores(mongod: &Mongod) -> (SharedStore, SharedStore) {
    let app = tokio::spawn(store(url(mongod, "poolmanager-app", APPS), StoreUser::App));
    let admin = store(url(mongod, "poolmanager", ADMINS), StoreUser::Admin).await;
    (app.await.unwrap(), admin)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn app_waits_for_an_admin_and_then_does_all_that_it_does() {
    let mongod = guarded().await;
    let (app, admin) = stores(&mongod).await;
    assert_eq!(app.pool_id(), admin.pool_id());
    app.ping().await.unwrap();

    let machine = host("h1");
    admin.insert_host(&machine, event("added")).await.unwrap();
    for slot in 0..4 {
        free(&admin, &machine.id, slot, "a").await;
    }
    let hers = token("ann", clock::now());
    admin.insert_token(&hers, event("made")).await.unwrap();

    assert_eq!(app.list_hosts().await.unwrap().len(), 1);
    assert_eq!(app.tokens_by_hash(&[hers.hash]).await.unwrap(), std::slice::from_ref(&hers));
    app.use_tokens(std::slice::from_ref(&hers.id), clock::now() + MINUTE).await.unwrap();
    assert!(admin.token(&hers.id).await.unwrap().unwrap().used_at.is_some(), "admin sees what app wrote");
    assert!(admin.take_lock("leader", "http://a:1", MINUTE, clock::now()).await.unwrap().is_some());
    assert!(app.lock().await.unwrap().is_some());

    let mut changes = app.watch(None).await.unwrap();
    let mut ask = apply("ann", &["a"], Holding::GiveAnother);
    ask.key = key("1");
    let held = new_one(app.apply(ask.clone()).await.unwrap());
    let seen = tokio::time::timeout(Duration::from_secs(20), changes.next()).await.unwrap().unwrap().0;
    assert_eq!(seen, Change::Cluster(held.id.clone()));
    let hold = ClusterFilter { user: Some(ask.user.clone()), ..ClusterFilter::default() };
    assert_eq!(app.list_clusters(&hold, &Page::first(10)).await.unwrap(), std::slice::from_ref(&held));
    let stopped = held.wish(&NodeScope::All, WishChange::Stop).unwrap().unwrap();
    app.move_cluster(&held, &stopped, Some(event("wished"))).await.unwrap();
    let released = release(&app, &stopped).await;
    admin.vanish(&released, event("gone")).await.unwrap();
    assert!(matches!(app.apply(ask).await.unwrap(), Applied::Ended(_)));
    assert_eq!(app.cluster(&held.id).await.unwrap(), None);

    let events = admin.list_events(&Default::default(), &Page::first(100)).await.unwrap();
    assert!(["wished", "made"].iter().all(|reason| events.iter().any(|event| event.reason == *reason)));
    let minute = clock::now();
    let count = |minute| ApplyCount { minute, flavor: flavor("a"), given: 1, missed: 0 };
    app.count_applies(&[count(minute - APPLIES_KEPT - MINUTE)]).await.unwrap();
    app.count_applies(&[count(minute)]).await.unwrap();
    assert_eq!(admin.applies(minute - APPLIES_KEPT - MINUTE * 2).await.unwrap().len(), 1, "the old one is cut");
    for store in [app, admin] {
        store.close().await;
    }
}

/// What a statement needs beyond what app may, by collection.
fn forbidden(of: &str) -> Vec<Document> {
    let find = doc! { "find": of };
    let insert = doc! { "insert": of, "documents": [{ "_id": "x" }] };
    let update = doc! { "update": of, "updates": [{ "q": {}, "u": { "$set": { "x": 1 } } }] };
    let delete = doc! { "delete": of, "deletes": [{ "q": {}, "limit": 0 }] };
    match of {
        "applies" => vec![],
        "clusters" => vec![insert, delete],
        "events" => vec![update, delete],
        "token_uses" => vec![delete],
        "hosts" | "leases" | "locks" | "meta" | "tokens" => vec![insert, update, delete],
        _ => vec![find, insert, update, delete],
    }
}

async fn is_refused(database: &Database, command: Document) {
    let refused = database.run_command(command.clone()).await.err().map(|error| *error.kind);
    let is_that = matches!(&refused, Some(ErrorKind::Command(error)) if error.code == UNAUTHORIZED);
    assert!(is_that, "{command}: {refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn app_may_not_read_or_write_what_is_admins() {
    let mongod = guarded().await;
    let (app, admin) = stores(&mongod).await;
    let ann = operator("ann");
    admin.insert_operator(&ann).await.unwrap();
    admin.put_session(&session(&ann.id)).await.unwrap();
    app.close().await;

    let client = Client::with_uri_str(url(&mongod, "poolmanager-app", APPS)).await.unwrap();
    let db = client.database(DATABASE);
    let root = Client::with_uri_str(url(&mongod, "poolmanager", ADMINS)).await.unwrap();
    let mut all = root.database(DATABASE).list_collection_names().await.unwrap();
    all.retain(|name| !name.starts_with("system."));
    assert!(["operators", "sessions", "hosts", "tokens", "events"].iter().all(|name| all.iter().any(|of| of == name)));
    for name in &all {
        for command in forbidden(name) {
            is_refused(&db, command).await;
        }
        is_refused(&db, doc! { "drop": name }).await;
        let index = doc! { "key": { "x": 1 }, "name": "x" };
        is_refused(&db, doc! { "createIndexes": name, "indexes": [index] }).await;
    }
    is_refused(&db, doc! { "create": "another" }).await;
    is_refused(&db, doc! { "aggregate": 1, "pipeline": [{ "$changeStream": {} }], "cursor": {} }).await;
    let elsewhere = client.database("admin");
    is_refused(&elsewhere, doc! { "find": "system.users" }).await;
    is_refused(&elsewhere, doc! { "grantRolesToUser": "poolmanager-app", "roles": ["root"] }).await;
    assert_eq!(admin.operator(&ann.id).await.unwrap(), Some(ann));
    admin.close().await;
    for client in [client, root] {
        client.shutdown().immediate(true).await;
    }
}
