//! A process that is killed leaves a state that obeys the rules, and that whoever comes next can go on from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use common::clock;
use common::model::{LeaseId, Phase, Why};
use common::store::{ClusterFilter, LeaseFilter, Page, SharedStore, StoreTarget};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::home::{Home, database, mongod};
use crate::made::{event, pool};
use crate::proxy::{Fate, Proxy};

/// A process with a hand on the store.
struct Hand {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    said: Vec<String>,
}

impl Hand {
    fn on(target: &StoreTarget, user: &str, job: &[&str]) -> Hand {
        let mut command = Command::new(env!("CARGO_BIN_EXE_store-hand"));
        match target {
            StoreTarget::Sqlite { path } => command.arg("sqlite").arg(path).arg(user),
            StoreTarget::Mongo { url, database } => command.args(["mongo", url, database]),
        };
        command.args(job).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().expect("store-hand");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        Hand { child, lines, said: Vec::new() }
    }

    /// Reads on until it says a thing that begins so.
    async fn until(&mut self, begins: &str) {
        loop {
            let line = tokio::time::timeout(Duration::from_secs(30), self.lines.next_line()).await;
            let line = line.expect("it goes on").expect("its output").expect("it has not ended");
            self.said.push(line);
            if self.said.last().is_some_and(|line| line.starts_with(begins)) {
                return;
            }
        }
    }

    /// Kills it; all that it ever said.
    async fn kill(mut self) -> Vec<String> {
        self.child.kill().await.expect("it is killed");
        while let Ok(Some(line)) = self.lines.next_line().await {
            self.said.push(line);
        }
        self.said
    }
}

/// What was said to be done is so, and everything that was left can be brought to its end.
async fn check_and_clear(store: &SharedStore, said: &[String]) {
    let clusters = store.list_clusters(&ClusterFilter::default(), &Page::first(1_000)).await.unwrap();
    let by_id: BTreeMap<String, _> = clusters.iter().map(|cluster| (cluster.id.to_string(), cluster)).collect();
    let records = store.list_lease_records(&LeaseFilter::default(), &Page::first(100_000)).await.unwrap();
    let ended: BTreeSet<LeaseId> = records.iter().map(|record| record.lease.id.clone()).collect();
    let mut last: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in said {
        let words: Vec<&str> = line.split(' ').collect();
        if let [_, id, ..] = words[..] {
            last.insert(id, words);
        }
    }
    for (id, words) in last {
        let found = by_id.get(id);
        let lease = words.get(2).map(|text| LeaseId::parse(text).unwrap());
        let live = found.and_then(|cluster| cluster.lease()).map(|lease| lease.id.clone());
        let kept = lease.as_ref().is_some_and(|lease| live.as_ref() == Some(lease) || ended.contains(lease));
        match words[0] {
            "begun" | "offered" => assert!(found.is_some(), "{words:?}"),
            "applied" => assert!(kept, "{words:?}: what she was given is hers"),
            "released" => {
                let in_use = found.is_some_and(|cluster| matches!(cluster.phase, Phase::InUse { .. }));
                assert!(kept && !in_use, "{words:?}");
            }
            "vanished" => assert!(kept && found.is_none(), "{words:?}"),
            other => panic!("{other}"),
        }
    }
    let mut leases: BTreeSet<LeaseId> = BTreeSet::new();
    for cluster in clusters {
        let now = clock::now();
        leases.extend(cluster.lease().map(|lease| lease.id.clone()));
        let leaving = match &cluster.phase {
            Phase::InUse { .. } => Some(cluster.release("test", now).unwrap()),
            Phase::Creating { .. } | Phase::Free { .. } | Phase::Failed { .. } => {
                Some(cluster.remove(Why::PoolShrunk, now).unwrap())
            }
            Phase::Releasing { .. } | Phase::Removing { .. } | Phase::Lost { .. } => None,
        };
        if let Some(to) = &leaving {
            store.move_cluster(&cluster, to, None).await.unwrap();
        }
        store.vanish(leaving.as_ref().unwrap_or(&cluster), event("cleared")).await.unwrap();
    }
    let records = store.list_lease_records(&LeaseFilter::default(), &Page::first(100_000)).await.unwrap();
    let all: Vec<LeaseId> = records.iter().map(|record| record.lease.id.clone()).collect();
    let distinct: BTreeSet<LeaseId> = all.iter().cloned().collect();
    assert_eq!(all.len(), distinct.len(), "no lease ended twice");
    assert!(distinct.is_superset(&leases) && distinct.is_superset(&ended), "no lease went without a record");
}

/// Killed right after each step, and at moments that nobody chose.
pub async fn a_killed_process_leaves_a_state_to_go_on_from(home: &Home) {
    for step in ["begun", "offered", "applied", "released", "vanished"] {
        let mut hand = Hand::on(home.target(), "app", &["live"]);
        hand.until(step).await;
        let said = hand.kill().await;
        let store = home.app().await;
        check_and_clear(&store, &said).await;
        store.close().await;
    }
    for _ in 0..8 {
        let mut hand = Hand::on(home.target(), "app", &["live"]);
        hand.until("vanished").await;
        tokio::time::sleep(Duration::from_micros(u64::from(rand::random::<u16>()))).await;
        let said = hand.kill().await;
        let store = home.app().await;
        check_and_clear(&store, &said).await;
        store.close().await;
    }
}

/// Killed in the midst of a step: when its n-th write was on the way, or done and not heard of.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_killed_between_two_writes_of_a_step_leaves_a_state_to_go_on_from() {
    let proxy = Proxy::before(mongod().await).await;
    let name = database();
    let through = StoreTarget::Mongo { url: proxy.url(), database: name.clone() };
    let home = Home::of(StoreTarget::Mongo { url: mongod().await.url(), database: name });
    let writes: [(&str, &'static [&'static str]); 5] = [
        ("open", &["insert"]),
        ("begun", &["update"]),
        ("offered", &["update"]),
        ("applied", &["update"]),
        // The end of a record: its history was written, the document is still there.
        ("released", &["delete"]),
    ];
    for (after, command) in writes {
        let mut hand = Hand::on(&through, "app", &["live"]);
        hand.until(after).await;
        proxy.next(command, Fate::Held);
        proxy.happened().await;
        let said = hand.kill().await;
        let store = home.app().await;
        check_and_clear(&store, &said).await;
        store.close().await;
    }
}

/// Two processes on one file: each cluster goes to one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_app_and_an_admin_process_share_a_file() {
    let home = Home::sqlite();
    let store = home.app().await;
    let all = pool(&store, 120, "a").await;
    store.close().await;
    let mut hands =
        [("app", "ann"), ("admin", "bob")].map(|(kind, who)| Hand::on(home.target(), kind, &["claim", "a", who]));
    for hand in &mut hands {
        hand.until("open").await;
    }
    let mut given = Vec::new();
    for mut hand in hands {
        while let Ok(Some(line)) = hand.lines.next_line().await {
            given.push(line);
        }
        assert!(hand.child.wait().await.unwrap().success());
    }
    let distinct: BTreeSet<&String> = given.iter().collect();
    assert_eq!((given.len(), distinct.len()), (all.len(), all.len()));
}

/// Two of a kind do not; the second is told whom to end. The kernel gives the file free when the first is killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_app_process_is_refused_until_the_first_is_gone() {
    let home = Home::sqlite();
    let mut first = Hand::on(home.target(), "app", &["live"]);
    first.until("open").await;
    let pid = first.child.id().unwrap().to_string();
    let second = Hand::on(home.target(), "app", &["live"]).child.wait_with_output().await.unwrap();
    assert!(!second.status.success());
    let words = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(words.contains("another app") && words.contains(&pid) && words.contains("MONGO_URL"), "{words}");
    first.kill().await;
    let mut third = Hand::on(home.target(), "app", &["live"]);
    third.until("vanished").await;
    third.kill().await;
    let StoreTarget::Sqlite { path } = home.target() else { panic!("SQLite") };
    let check = rusqlite::Connection::open(Path::new(path)).unwrap();
    let verdict: String = check.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}
