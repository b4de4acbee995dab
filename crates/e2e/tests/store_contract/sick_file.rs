//! A SQLite file that cannot be written for a while: the disk is full, or somebody else keeps its lock. Nobody is lied to,
//! reads go on, and so does everything once it is over.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::model::PhaseKind;
use common::store::{
    Applied, ClusterFilter, EventFilter, Holding, Page, SharedStore, StoreError, StoreResult, StoreTarget, StoreUser,
    open,
};
use e2e::small_disk::SmallDisk;
use futures_util::future::join_all;

use crate::home::{Home, wait_until};
use crate::made::{apply, contact, event, host, new_one, pool};

const CLUSTERS: u16 = 40;

fn is_away<T: std::fmt::Debug>(outcome: &StoreResult<T>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
}

async fn apply_for(store: &SharedStore, user: usize) -> StoreResult<Applied> {
    store.apply(apply(&format!("user {user}"), &["a"], Holding::GiveSame)).await
}

/// Twenty users at once, some before, some in the midst of it, all after. Each has one, and what was promised to her.
async fn whoever_applies_has_one(store: &SharedStore, sicken: impl AsyncFnOnce(), heal: impl AsyncFnOnce()) {
    pool(store, CLUSTERS, "a").await;
    let mut promised: Vec<String> = Vec::new();
    for user in 0..5 {
        promised.push(new_one(apply_for(store, user).await.unwrap()).id.to_string());
    }
    let made = host("h1");
    store.insert_host(&made, event("host added")).await.unwrap();
    sicken().await;

    // What room was left may have been used up only by the first of them.
    wait_until("nothing to go in any more", async || {
        let noted = store.note_contact(&made.id, &contact(common::clock::now())).await;
        let appended = store.append_events(&[event(&"x".repeat(20_000))]).await;
        if is_away(&noted) && is_away(&appended) { Ok(()) } else { Err((noted, appended)) }
    })
    .await;
    let begun = Instant::now();
    let outcomes = join_all((0..20).map(|user| apply_for(store, user))).await;
    assert!(begun.elapsed() < Duration::from_secs(15), "it took {:?}", begun.elapsed());
    for (user, outcome) in outcomes.iter().enumerate() {
        match outcome {
            Ok(Applied::Held(cluster)) if promised.get(user) == Some(&cluster.id.to_string()) => {}
            other => assert!(is_away(other), "{user}: {other:?}"),
        }
    }
    assert!(is_away(&store.insert_host(&host("h2"), event("host lost")).await));
    assert!(is_away(&store.ping().await), "it is not ready");
    assert!(is_away(&store.take_lock("admin", "http://a", Duration::from_secs(9), common::clock::now()).await));
    assert_eq!(store.host(&made.id).await.unwrap().map(|found| found.id), Some(made.id), "reads go on");

    heal().await;
    wait_until("ready", || store.ping()).await;
    let mut given = BTreeSet::new();
    for user in 0..20 {
        let cluster = match apply_for(store, user).await.unwrap() {
            Applied::Held(cluster) => cluster,
            Applied::New(cluster) if user >= promised.len() => cluster,
            other => panic!("{user}: {other:?}"),
        };
        assert!(promised.get(user).is_none_or(|id| cluster.id.to_string() == *id), "{user} holds what she held");
        assert!(given.insert(cluster.id), "{user} has one of her own");
    }
    let filter = ClusterFilter { phases: vec![PhaseKind::InUse], ..Default::default() };
    assert_eq!(store.list_clusters(&filter, &Page::first(100)).await.unwrap().len(), 20, "nobody has two");
    let events = store.list_events(&EventFilter::default(), &Page::first(1_000)).await.unwrap();
    assert!(events.iter().all(|event| event.reason != "host lost"), "no event without its change");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_waited_for() {
    let disk = SmallDisk::for_test("sick_file::a_full_disk_is_waited_for", 3 << 20).unwrap();
    let Some(disk) = disk else { return };
    let target = StoreTarget::Sqlite { path: disk.path().join("pool.db") };
    let store = open(&target, StoreUser::App).await.unwrap();
    whoever_applies_has_one(&store, async || disk.fill().unwrap(), async || disk.free().unwrap()).await;
    store.close().await;
    let StoreTarget::Sqlite { path } = target else { panic!("SQLite") };
    assert_eq!(integrity(&path), "ok");
}

fn integrity(path: &Path) -> String {
    let check = rusqlite::Connection::open(path).unwrap();
    check.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap()
}

/// Another process that keeps the write lock.
fn hold(path: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_store-hand"));
    command.arg("sqlite").arg(path).args(["app", "hold"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut holder = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "held\n");
    holder
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_file_is_waited_for() {
    let home = Home::sqlite();
    let store = home.app().await;
    let StoreTarget::Sqlite { path } = home.target() else { panic!("SQLite") };
    let holder = std::cell::RefCell::new(None);
    let heal = async || {
        let mut holder: Child = holder.borrow_mut().take().unwrap();
        drop(holder.stdin.take());
        assert!(holder.wait().unwrap().success());
    };
    whoever_applies_has_one(&store, async || drop(holder.replace(Some(hold(path)))), heal).await;
    assert_eq!(integrity(path), "ok");
}
