//! Opening: who may, what is made, and what is said when it does not work.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::store::{OpenError, StoreTarget, StoreUser, open};
use e2e::mongod::{Mongod, free_port};

use crate::home::{Home, database, mongod};
use crate::made::{event, host};

pub async fn refusal(target: &StoreTarget, user: StoreUser) -> OpenError {
    match open(target, user).await {
        Ok(_) => panic!("it opened"),
        Err(error) => error,
    }
}

pub async fn the_pools_id_is_made_once(home: &Home) {
    let app = home.app().await;
    let admin = home.admin().await;
    assert_eq!(app.pool_id(), admin.pool_id());
    let id = app.pool_id().clone();
    app.close().await;
    assert_eq!(*home.app().await.pool_id(), id);
    assert_ne!(*Home::sqlite().app().await.pool_id(), id);
}

pub async fn two_who_make_a_store_at_once_make_one(home: &Home) {
    let (app, admin) = tokio::join!(home.app(), home.admin());
    assert_eq!(app.pool_id(), admin.pool_id());
    app.insert_host(&host("h1"), event("added")).await.unwrap();
    assert_eq!(admin.list_hosts().await.unwrap().len(), 1);
}

pub async fn a_closed_store_is_unavailable_and_opens_again(home: &Home) {
    let store = home.app().await;
    store.insert_host(&host("h1"), event("added")).await.unwrap();
    store.close().await;
    for outcome in [store.ping().await, store.insert_host(&host("h2"), event("added")).await] {
        assert!(matches!(outcome, Err(common::store::StoreError::Unavailable(_))), "{outcome:?}");
    }
    let again = home.app().await;
    assert_eq!(again.list_hosts().await.unwrap().len(), 1);
    drop(again);
    home.app().await.ping().await.unwrap();
}

#[tokio::test]
async fn a_sqlite_file_is_for_one_app_and_one_admin_and_for_nobody_else_to_read() {
    let home = Home::sqlite();
    let (app, _admin) = (home.app().await, home.admin().await);
    for user in [StoreUser::App, StoreUser::Admin] {
        let words = refusal(home.target(), user).await.to_string();
        assert!(words.contains(user.as_str()) && words.contains(&std::process::id().to_string()), "{words}");
    }
    app.insert_host(&host("h1"), event("added")).await.unwrap();
    let StoreTarget::Sqlite { path } = home.target() else { panic!("SQLite") };
    let folder = path.parent().unwrap();
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().to_string_lossy().into_owned();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name}");
        names.push(name);
    }
    assert!(names.len() >= 5 && names.contains(&"pool.db-wal".to_owned()), "{names:?}");
    assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test]
async fn what_is_no_store_is_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("text");
    std::fs::write(&file, "this is no database, and long enough to be looked at ".repeat(100)).unwrap();
    let sqlite = |path: &Path| StoreTarget::Sqlite { path: path.to_owned() };
    let words = refusal(&sqlite(&file), StoreUser::App).await;
    assert!(matches!(words, OpenError::Broken(_)), "{words}");
    let words = refusal(&sqlite(&file.join("below/a/file")), StoreUser::App).await;
    assert!(matches!(words, OpenError::File { .. }), "{words}");

    let mongo = |url: String| StoreTarget::Mongo { url, database: database() };
    let words = refusal(&mongo("http://x".into()), StoreUser::App).await;
    assert!(matches!(words, OpenError::BadUrl(_)), "{words}");
    let words = refusal(&mongo("mongodb://ann:wr0ng/word@127.0.0.1".into()), StoreUser::App).await;
    assert!(matches!(words, OpenError::BadUrl(_)) && !words.to_string().contains("wr0ng"), "{words}");
    let nobody = format!("mongodb://127.0.0.1:{}/?serverSelectionTimeoutMS=300", free_port().unwrap());
    let words = refusal(&mongo(nobody), StoreUser::App).await;
    assert!(matches!(words, OpenError::Unreachable(_)), "{words}");
    let port = mongod().await.port();
    let stranger = format!("mongodb://nobody:wr0ng@127.0.0.1:{port}/?replicaSet=rs&authSource=admin");
    let words = refusal(&mongo(stranger), StoreUser::App).await;
    assert!(matches!(words, OpenError::Refused(_)), "{words}");
    assert!(!words.to_string().contains("wr0ng"), "{words}");
}

#[tokio::test]
async fn a_mongod_without_a_replica_set_is_refused() {
    let alone = Mongod::start_alone().await.unwrap();
    let target = StoreTarget::Mongo { url: Mongod::direct_url(alone.port()), database: database() };
    let words = refusal(&target, StoreUser::App).await;
    assert!(matches!(words, OpenError::NoReplicaSet), "{words}");
}
