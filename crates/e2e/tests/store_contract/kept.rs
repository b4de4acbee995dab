//! Rules of what is kept for a while: evidence of failures, and counts of applies.

use common::clock;
use common::model::evidence::MAX_LOG_LINES;
use common::model::{ApplyCount, Cluster, Evidence, HostId, NodeEvidence, NodeState, Timestamp, Timing, Why};
use common::store::{APPLIES_KEPT, Limits, Page, SharedStore, StoreError, StoreUser};
use futures_util::future::join_all;

use crate::home::Home;
use crate::made::{MINUTE, creating, flavor};

pub fn evidence(of: &Cluster, failed_at: Timestamp) -> Evidence {
    let node = NodeEvidence {
        node: of.nodes.keys().next().cloned(),
        container: "h1-0-vp0".into(),
        state: NodeState::Running,
        exit_code: Some(-9),
        oom_killed: true,
        restarts: 3,
        log: (0..MAX_LOG_LINES).map(|n| format!("line {n}: \u{e9} $x.y \0")).collect(),
        inspect: "{\"a.b\": \"$c\"}".into(),
    };
    Evidence {
        cluster: of.id.clone(),
        name: of.name.clone(),
        host: of.host.clone(),
        host_name: of.host_name.clone(),
        flavor: of.flavor.clone(),
        why: Why::PoolShrunk,
        created_at: of.created_at,
        failed_at,
        timings: vec![Timing { what: "create".into(), at: of.created_at, took_ms: 12 }],
        plan: "{}".into(),
        nodes: vec![node],
        missing: vec!["the log of vp1: no answer".into()],
    }
}

async fn list(store: &SharedStore, host: Option<&HostId>, after: Option<&Evidence>, limit: u32) -> Vec<Evidence> {
    let page = Page { after: after.map(|evidence| evidence.cluster.to_string()), limit };
    store.list_evidence(host, &page).await.unwrap()
}

pub async fn evidence_is_kept_whole_and_listed_latest_first(home: &Home) {
    let store = home.app().await;
    let (now, hosts) = (clock::now(), [HostId::random(), HostId::random()]);
    let mut all: Vec<Evidence> = (0..6_u16)
        .map(|n| evidence(&creating(&hosts[usize::from(n % 2)], n, "a"), now + MINUTE * u32::from(n)))
        .collect();
    for one in &all {
        store.put_evidence(one).await.unwrap();
    }
    assert_eq!(store.evidence(&all[3].cluster).await.unwrap().as_ref(), Some(&all[3]));
    assert_eq!(store.evidence(&creating(&hosts[0], 9, "a").id).await.unwrap(), None);
    // More was found of one.
    all[2].nodes.clear();
    store.put_evidence(&all[2]).await.unwrap();
    all.reverse();
    assert_eq!(list(&store, None, None, 10).await, all);
    assert_eq!(list(&store, None, Some(&all[1]), 2).await, all[2..4]);
    let of_one: Vec<Evidence> = all.iter().filter(|one| one.host == hosts[1]).cloned().collect();
    assert_eq!(list(&store, Some(&hosts[1]), None, 10).await, of_one);
    assert_eq!(list(&store, Some(&hosts[1]), Some(&of_one[0]), 10).await, of_one[1..]);
    let nowhere = Page { after: Some("0".repeat(24)), limit: 10 };
    assert!(matches!(store.list_evidence(None, &nowhere).await, Err(StoreError::NotFound(_))));
}

pub async fn the_oldest_evidence_goes(home: &Home) {
    let store = home.open(StoreUser::App, Limits { evidence_kept: 5, ..Limits::default() }).await;
    let (now, host) = (clock::now(), HostId::random());
    // Some failed at the same moment.
    let all: Vec<Evidence> =
        (0..12_u16).map(|n| evidence(&creating(&host, n, "a"), now + MINUTE * u32::from(n / 3))).collect();
    for one in &all {
        store.put_evidence(one).await.unwrap();
    }
    let left = list(&store, None, None, 100).await;
    assert_eq!(left.len(), 5);
    let youngest_gone = all.iter().filter(|one| !left.contains(one)).map(|one| one.failed_at).max();
    assert!(left.iter().all(|one| Some(one.failed_at) >= youngest_gone));
    // Later than what is kept, and too old for it.
    store.put_evidence(&evidence(&creating(&host, 20, "a"), now - MINUTE)).await.unwrap();
    assert_eq!(list(&store, None, None, 100).await, left);
}

fn count(minute: Timestamp, of: &str, given: u64, missed: u64) -> ApplyCount {
    ApplyCount { minute, flavor: flavor(of), given, missed }
}

pub async fn counts_of_applies_add_up(home: &Home) {
    let (app, admin) = (home.app().await, home.admin().await);
    let (first, second) = (Timestamp::from_millis(60_000_000), Timestamp::from_millis(60_060_000));
    app.count_applies(&[]).await.unwrap();
    app.count_applies(&[count(second, "b", 1, 0), count(first, "a", 2, 1), count(first, "a", 1, 0)]).await.unwrap();
    admin.count_applies(&[count(second, "b", 0, 4), count(second, "a", 1, 1)]).await.unwrap();
    let all = [count(first, "a", 3, 1), count(second, "a", 1, 1), count(second, "b", 1, 4)];
    assert_eq!(admin.applies(first).await.unwrap(), all);
    assert_eq!(app.applies(second).await.unwrap(), all[1..]);
    assert_eq!(app.applies(second + MINUTE).await.unwrap(), []);
    let at_once = (0..10).map(|n| if n % 2 == 0 { &app } else { &admin });
    join_all(at_once.map(|store| async { store.count_applies(&[count(first, "c", 1, 2)]).await.unwrap() })).await;
    assert!(app.applies(first).await.unwrap().contains(&count(first, "c", 10, 20)));
}

pub async fn old_counts_of_applies_go(home: &Home) {
    let store = home.app().await;
    let then = Timestamp::from_millis(60_000_000);
    let much_later = then + APPLIES_KEPT + MINUTE;
    store.count_applies(&[count(then, "a", 1, 0), count(then + MINUTE, "a", 2, 0)]).await.unwrap();
    store.count_applies(&[count(much_later, "a", 3, 0)]).await.unwrap();
    let left = store.applies(Timestamp::from_millis(0)).await.unwrap();
    assert_eq!(left, [count(then + MINUTE, "a", 2, 0), count(much_later, "a", 3, 0)]);
}
