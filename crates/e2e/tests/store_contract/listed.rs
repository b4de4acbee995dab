//! What lists are made of, and what a plain reading of all records gives.

use common::clock;
use common::model::{Cluster, ClusterName, Health, HostId, HostName, Slot, Timestamp, UserId};
use common::store::{
    ClusterQuery, ClusterSort, Cursor, Direction, Found, Limits, ListBounds, ListPage, SharedStore, Sort, StoreResult,
    StoreUser, Total,
};

use crate::home::Home;
use crate::made::{MINUTE, creating, event};

/// The usual bounds, and ones so narrow that nearly everything is walked, a few entries at a time.
pub const BOUNDS: [ListBounds; 3] = [
    ListBounds { gathered: 2_000, walked: 5_000 },
    ListBounds { gathered: 4, walked: 12 },
    ListBounds { gathered: 0, walked: 3 },
];

pub async fn opened(home: &Home, lists: ListBounds) -> SharedStore {
    home.open(StoreUser::Admin, Limits { lists, ..Limits::default() }).await
}

pub const DIRECTIONS: [Direction; 2] = [Direction::Ascending, Direction::Descending];

/// All pages from the first on, then all pages back; the items on the way there. Checks that both ways agree.
pub async fn walk<T, S, Fut>(page: ListPage<S>, ask: impl Fn(ListPage<S>) -> Fut) -> Vec<T>
where
    T: Clone + PartialEq + std::fmt::Debug,
    S: Sort,
    Fut: Future<Output = StoreResult<Found<T>>>,
{
    let (mut there, mut at) = (Vec::new(), None::<Cursor>);
    let last = loop {
        let found = ask(ListPage { at: at.clone(), ..page.clone() }).await.unwrap();
        assert!(found.items.len() <= page.limit as usize);
        assert_eq!(found.previous.is_some(), at.is_some(), "there is a page before all but the first");
        if let Total::Exactly(total) = found.total {
            assert!(there.len() + found.items.len() <= total as usize);
        }
        there.extend(found.items.clone());
        // Texts, as URLs carry them.
        match found.next {
            Some(next) => at = Some(Cursor::parse(&next.to_string(), page.sort, page.direction).unwrap()),
            None => break found,
        }
    };
    let mut back = last.items;
    let mut at = last.previous;
    while let Some(cursor) = at {
        let found = ask(ListPage { at: Some(cursor), ..page.clone() }).await.unwrap();
        assert!(found.next.is_some(), "the way it came is still there");
        back.splice(0..0, found.items);
        at = found.previous;
    }
    assert!(back == there, "{} items there and {} back", there.len(), back.len());
    there
}

/// Clusters of several hosts, flavors, phases, users and healths, some alike in most.
pub async fn clusters(store: &SharedStore) -> Vec<Cluster> {
    let hosts: Vec<(HostId, &str)> =
        ["h1", "H1", "h1_1", "h12", "zoo", "a-b"].map(|name| (HostId::random(), name)).to_vec();
    let (now, mut all) = (clock::now(), Vec::new());
    for n in 0..48_u16 {
        let (host, name) = &hosts[usize::from(n) % hosts.len()];
        let name = HostName::parse(name).unwrap();
        let slot = [1, 2, 5, 10, 11, 50, 100, 101][usize::from(n / 6)];
        let mut cluster = creating(host, slot, ["a", "b", "b", "c.1"][usize::from(n % 4)]);
        cluster.name = ClusterName::of(&name, Slot(slot));
        cluster.host_name = name;
        // Three at the same moment.
        cluster.created_at = now - MINUTE * u32::from(n * 7 % 48 / 3);
        store.insert_cluster(&cluster, event("made")).await.unwrap();
        let mut to = cluster.clone();
        if n % 5 != 0 {
            to = cluster.offer_out(rand::random(), now + MINUTE, now - MINUTE * u32::from(n % 3)).unwrap();
        }
        if n % 4 == 1 && n % 5 != 0 {
            let who = ["ann", "Ann", "bob", "h1 & co"][usize::from(n) / 4 % 4];
            let lease = common::model::Lease {
                id: common::model::LeaseId::random(),
                user: UserId::parse(who).unwrap(),
                nth: u32::from(n) + 1,
                key: None,
                applied_at: now - MINUTE * u32::from(n),
                metadata: Default::default(),
            };
            to = Cluster { version: 2, ..to.clone() }.claim(lease, now - MINUTE).unwrap();
        }
        to.health = match n % 6 {
            0 => Health::Failing { since: now, times: 2, seen: "no answer".into() },
            1 | 2 => Health::Unknown,
            _ => Health::Ok,
        };
        if to != cluster {
            to.version = cluster.version + 1;
            store.move_cluster(&cluster, &to, None).await.unwrap();
        }
        all.push(to);
    }
    all
}

pub fn changed(cluster: &Cluster) -> Timestamp {
    match &cluster.phase {
        common::model::Phase::InUse { lease } => lease.applied_at,
        common::model::Phase::Creating { since, .. } | common::model::Phase::Free { since } => *since,
        other => panic!("no test makes {other:?}"),
    }
}

/// What is sorted by, the id last.
pub fn order(cluster: &Cluster, sort: ClusterSort) -> (String, i64, String) {
    let (made, id) = (cluster.created_at.as_millis(), cluster.id.to_string());
    match sort {
        ClusterSort::Name => (cluster.host_name.as_str().to_lowercase(), cluster.slot.0.into(), id),
        ClusterSort::Created => (String::new(), made, id),
        ClusterSort::Flavor => (cluster.flavor.to_string(), made, id),
        ClusterSort::Changed => (String::new(), changed(cluster).as_millis(), id),
    }
}

pub fn every(sort: ClusterSort, direction: Direction, limit: u32) -> ClusterQuery {
    let page = ListPage::first(sort, direction, limit);
    ClusterQuery { phases: vec![], host: None, user: None, flavor: None, health: None, search: None, page }
}

pub async fn listed(store: &SharedStore, query: &ClusterQuery) -> Vec<Cluster> {
    walk(query.page.clone(), |page| {
        let query = ClusterQuery { page, ..query.clone() };
        async move { store.find_clusters(&query).await }
    })
    .await
}

pub fn ids(clusters: &[Cluster]) -> Vec<String> {
    clusters.iter().map(|cluster| format!("{} {}", cluster.name, cluster.id)).collect()
}

pub fn expected(all: &[Cluster], query: &ClusterQuery, matches: impl Fn(&Cluster) -> bool) -> Vec<String> {
    let mut some: Vec<Cluster> = all.iter().filter(|cluster| matches(cluster)).cloned().collect();
    some.sort_by_key(|cluster| order(cluster, query.page.sort));
    if query.page.direction == Direction::Descending {
        some.reverse();
    }
    ids(&some)
}
