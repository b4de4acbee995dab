//! Rules of lists: every order, filter and search gives what a plain reading of all records gives, a page at a time, both
//! ways; also when so little may be looked at that pages end before they are full.

use std::collections::BTreeMap;
use std::time::Duration;

use common::clock;
use common::model::{
    Cluster, ClusterName, Failure, Health, Host, HostId, HostName, HostPurpose, HostState, LeaseRecord, PhaseKind,
    Slot, Why,
};
use common::store::{
    ClusterQuery, ClusterSort, Direction, FailureQuery, FailureSort, HealthKind, Holding, HostQuery, HostSort,
    HostStateKind, ListPage, RecordQuery, RecordSort, Search, SharedStore, Sort, Total,
};

use crate::home::Home;
use crate::kept::evidence;
use crate::listed::{BOUNDS, DIRECTIONS, clusters, every, expected, ids, listed, opened, walk};
use crate::made::{MINUTE, apply, asked, creating, event, flavor, host, new_one, user};

pub async fn clusters_are_listed_in_every_order_and_back(home: &Home) {
    let store = opened(home, BOUNDS[0]).await;
    let all = clusters(&store).await;
    store.close().await;
    for bounds in BOUNDS {
        let store = opened(home, bounds).await;
        for sort in ClusterSort::ALL {
            for (direction, limit) in DIRECTIONS.into_iter().flat_map(|way| [(way, 7), (way, 100)]) {
                let query = every(*sort, direction, limit);
                let listed = listed(&store, &query).await;
                assert_eq!(ids(&listed), expected(&all, &query, |_| true), "{query:?} {bounds:?}");
            }
        }
        let whole = store.find_clusters(&every(ClusterSort::Name, Direction::Ascending, 100)).await.unwrap();
        assert!(whole.items.iter().all(|cluster| all.contains(cluster)), "each is whole");
        store.close().await;
    }
}

pub async fn clusters_are_found_by_every_filter_and_search(home: &Home) {
    let store = opened(home, BOUNDS[0]).await;
    let all = clusters(&store).await;
    store.close().await;
    let begins = |text: &str, with: &str| text.to_lowercase().starts_with(&with.to_lowercase());
    for bounds in BOUNDS {
        let store = opened(home, bounds).await;
        for (n, sort) in ClusterSort::ALL.iter().enumerate() {
            let usual = every(*sort, DIRECTIONS[n % 2], 5);
            let check = async |query: ClusterQuery, matches: &dyn Fn(&Cluster) -> bool| {
                let listed = listed(&store, &query).await;
                assert_eq!(ids(&listed), expected(&all, &query, matches), "{query:?} {bounds:?}");
            };
            let on = all[3].host.clone();
            check(ClusterQuery { host: Some(on.clone()), ..usual.clone() }, &|c| c.host == on).await;
            let ann = user("ann");
            let hers = |c: &Cluster| c.lease().is_some_and(|lease| lease.user == ann);
            check(ClusterQuery { user: Some(ann.clone()), ..usual.clone() }, &hers).await;
            let b = flavor("b");
            check(ClusterQuery { flavor: Some(b.clone()), ..usual.clone() }, &|c| c.flavor == b).await;
            for phases in
                [vec![PhaseKind::InUse], vec![PhaseKind::Creating, PhaseKind::Free], PhaseKind::ALL[..5].to_vec()]
            {
                let query = ClusterQuery { phases: phases.clone(), ..usual.clone() };
                check(query, &|c| phases.contains(&c.phase.kind())).await;
            }
            let health = ClusterQuery { health: Some(HealthKind::Failing), ..usual.clone() };
            check(health, &|c| matches!(c.health, Health::Failing { .. })).await;
            let id = all[7].id.to_string();
            for text in [
                "h",
                "H1",
                "h1_1",
                "h1_1_",
                "a-b_50",
                "zoo_5",
                "ann",
                "Ann",
                "h1 & co",
                "h1 0",
                "nobody",
                &id[..5],
                &id[..1],
            ] {
                let query = ClusterQuery { search: Search::parse(text).unwrap(), ..usual.clone() };
                let found = |c: &Cluster| {
                    let user = |lease: &common::model::Lease| {
                        [text, &text.to_lowercase()].iter().any(|text| lease.user.as_str().starts_with(*text))
                    };
                    begins(c.name.as_str(), text) || begins(c.id.as_str(), text) || c.lease().is_some_and(user)
                };
                check(query, &found).await;
            }
            // All of it at once.
            let query = ClusterQuery {
                phases: vec![PhaseKind::InUse, PhaseKind::Free],
                flavor: Some(b.clone()),
                health: Some(HealthKind::Ok),
                search: Search::parse("h1").unwrap(),
                ..usual.clone()
            };
            let matches = |c: &Cluster| {
                c.flavor == b
                    && c.health == Health::Ok
                    && c.phase.kind() != PhaseKind::Creating
                    && (begins(c.name.as_str(), "h1")
                        || c.lease().is_some_and(|lease| begins(lease.user.as_str(), "h1")))
            };
            check(query, &matches).await;
        }
        store.close().await;
    }
}

pub async fn who_pages_sees_everything_that_stays_once_while_others_come_and_go(home: &Home) {
    for bounds in BOUNDS {
        let store = opened(home, bounds).await;
        let stays: BTreeMap<String, Cluster> =
            clusters(&store).await.into_iter().map(|cluster| (cluster.id.to_string(), cluster)).collect();
        for sort in ClusterSort::ALL {
            for direction in DIRECTIONS {
                let page = ListPage::first(*sort, direction, 5);
                let (mut seen, mut at, mut guest, mut pages) = (Vec::new(), None, None::<Cluster>, 0);
                loop {
                    let query = ClusterQuery { page: ListPage { at, ..page.clone() }, ..every(*sort, direction, 5) };
                    let found = store.find_clusters(&query).await.unwrap();
                    seen.extend(found.items.iter().map(|cluster| cluster.id.to_string()));
                    // The one before goes, perhaps the very one that the next page begins after, and another comes.
                    if let Some(gone) = guest.take() {
                        let failed = gone.fail(Why::PoolShrunk, clock::now()).unwrap();
                        store.move_cluster(&gone, &failed, None).await.unwrap();
                        let removing = failed.remove(Why::PoolShrunk, clock::now()).unwrap();
                        store.move_cluster(&failed, &removing, None).await.unwrap();
                        store.vanish(&removing, event("gone")).await.unwrap();
                    }
                    // Whoever comes to a list that has the newest last would keep it from ending.
                    pages += 1;
                    if pages < 30 {
                        let comes = creating(&HostId::random(), rand::random_range(0..200), "b");
                        store.insert_cluster(&comes, event("made")).await.unwrap();
                        guest = Some(comes);
                    }
                    at = found.next;
                    if at.is_none() {
                        break;
                    }
                }
                let of_those: Vec<&String> = seen.iter().filter(|id| stays.contains_key(*id)).collect();
                assert_eq!(of_those.len(), stays.len(), "{sort:?} {direction:?} {bounds:?}");
                assert!(stays.keys().all(|id| seen.contains(id)));
                assert_eq!(seen.len(), seen.iter().collect::<std::collections::BTreeSet<_>>().len(), "none twice");
            }
        }
        for cluster in store.list_clusters(&Default::default(), &common::store::Page::first(1_000)).await.unwrap() {
            let failed = match cluster.phase.kind() {
                PhaseKind::InUse => cluster.release("test", clock::now()).unwrap(),
                _ => cluster.remove(Why::PoolShrunk, clock::now()).unwrap(),
            };
            store.move_cluster(&cluster, &failed, None).await.unwrap();
            store.vanish(&failed, event("gone")).await.unwrap();
        }
        store.close().await;
    }
}

async fn records(store: &SharedStore) -> Vec<LeaseRecord> {
    let (now, mut all) = (clock::now(), Vec::new());
    let hosts = [("h1", HostId::random()), ("Zoo", HostId::random())];
    for n in 0..30_u16 {
        let (name, id) = &hosts[usize::from(n % 2)];
        let mut cluster = creating(id, n, ["a", "b"][usize::from(n / 2 % 2)]);
        cluster.host_name = HostName::parse(name).unwrap();
        cluster.name = ClusterName::of(&cluster.host_name, Slot(n));
        store.insert_cluster(&cluster, event("made")).await.unwrap();
        let free = cluster.offer_out(rand::random(), now + MINUTE, now).unwrap();
        store.move_cluster(&cluster, &free, None).await.unwrap();
        let ask = apply(["ann", "bob", "Ann x"][usize::from(n % 3)], &["a", "b"], Holding::GiveAnother);
        let held = new_one(store.apply(ask).await.unwrap());
        let gone = held.release("test", now + MINUTE * u32::from(n * 11 % 30 / 2)).unwrap();
        store.move_cluster(&held, &gone, None).await.unwrap();
        store.vanish(&gone, event("gone")).await.unwrap();
        all.push(gone.lease_record().unwrap());
    }
    all
}

pub async fn records_are_listed_in_every_order_and_found(home: &Home) {
    let store = opened(home, BOUNDS[0]).await;
    let all = records(&store).await;
    store.close().await;
    for bounds in BOUNDS {
        let store = opened(home, bounds).await;
        for sort in RecordSort::ALL {
            for direction in DIRECTIONS {
                let page = ListPage::first(*sort, direction, 4);
                let usual = RecordQuery { user: None, host: None, flavor: None, search: None, page };
                let check = async |query: RecordQuery, matches: &dyn Fn(&LeaseRecord) -> bool| {
                    let store = &store;
                    let listed: Vec<LeaseRecord> = walk(query.page.clone(), |page| {
                        let query = RecordQuery { page, ..query.clone() };
                        async move { store.find_lease_records(&query).await }
                    })
                    .await;
                    let mut expected: Vec<LeaseRecord> = all.iter().filter(|one| matches(one)).cloned().collect();
                    expected.sort_by_key(|record| {
                        let (began, ended) = (record.lease.applied_at, record.ended.at());
                        let by = match sort {
                            RecordSort::Ended => ended.as_millis(),
                            RecordSort::Applied => began.as_millis(),
                            RecordSort::Held => ended.since(began).as_millis() as i64,
                        };
                        (by, record.lease.id.to_string())
                    });
                    if direction == Direction::Descending {
                        expected.reverse();
                    }
                    assert!(listed == expected, "{query:?} {bounds:?}");
                };
                check(usual.clone(), &|_| true).await;
                let (ann, on, b) = (user("ann"), all[1].host.clone(), flavor("b"));
                check(RecordQuery { user: Some(ann.clone()), ..usual.clone() }, &|r| r.lease.user == ann).await;
                check(RecordQuery { host: Some(on.clone()), ..usual.clone() }, &|r| r.host == on).await;
                check(RecordQuery { flavor: Some(b.clone()), ..usual.clone() }, &|r| r.flavor == b).await;
                let both = RecordQuery { user: Some(ann.clone()), host: Some(on.clone()), ..usual.clone() };
                check(both, &|r| r.lease.user == ann && r.host == on).await;
                for text in ["ZOO", "zoo_1", "h1_2", "ann", "Ann", "b", "Ann x", "x"] {
                    let query = RecordQuery { search: Search::parse(text).unwrap(), ..usual.clone() };
                    let found = |record: &LeaseRecord| {
                        let name = record.cluster_name.as_str().to_lowercase();
                        let who = record.lease.user.as_str();
                        name.starts_with(&text.to_lowercase())
                            || who.starts_with(text)
                            || who.starts_with(&text.to_lowercase())
                    };
                    check(query, &found).await;
                }
            }
        }
        store.close().await;
    }
}

pub async fn hosts_are_listed_in_every_order_and_found(home: &Home) {
    let store = opened(home, BOUNDS[1]).await;
    let (mut all, now) = (Vec::new(), clock::now());
    for n in 0..12_u16 {
        let mut one = host(&format!("{}{n}", ["H", "h", "zoo-"][usize::from(n % 3)]));
        one.settings.address = format!("10.1.0.{n}");
        one.settings.capacity = n % 5 * 10;
        one.settings.schedulable = n % 4 != 0;
        one.created_at = now - MINUTE * u32::from(n % 6);
        if n % 3 == 1 {
            one.contact.state = HostState::Inactive { since: now, why: "connection refused".into() };
        }
        if n % 5 == 2 {
            one.purpose = HostPurpose::Drain(asked());
        }
        store.insert_host(&one, event("added")).await.unwrap();
        all.push(one);
    }
    let counts: BTreeMap<HostId, u64> =
        all.iter().zip([3, 0, 3, 7, 100]).map(|(host, n)| (host.id.clone(), n)).collect();
    for sort in HostSort::ALL {
        for direction in DIRECTIONS {
            let page = ListPage::first(*sort, direction, 5);
            let usual =
                HostQuery { search: None, state: None, schedulable: None, purpose: None, counts: counts.clone(), page };
            let check = async |query: HostQuery, matches: &dyn Fn(&Host) -> bool| {
                let store = &store;
                let listed: Vec<Host> = walk(query.page.clone(), |page| {
                    let query = HostQuery { page, ..query.clone() };
                    async move { store.find_hosts(&query).await }
                })
                .await;
                let mut expected: Vec<Host> = all.iter().filter(|one| matches(one)).cloned().collect();
                expected.sort_by_key(|host| {
                    let by = match sort {
                        HostSort::Name => 0,
                        HostSort::State => i64::from(!host.contact.state.is_active()),
                        HostSort::Capacity => host.settings.capacity.into(),
                        HostSort::Clusters => counts.get(&host.id).copied().unwrap_or(0) as i64,
                        HostSort::Created => host.created_at.as_millis(),
                    };
                    let name = host.settings.name.as_str().to_lowercase();
                    (by, if *sort == HostSort::Created { host.id.to_string() } else { name })
                });
                if direction == Direction::Descending {
                    expected.reverse();
                }
                let names = |hosts: &[Host]| hosts.iter().map(|h| h.settings.name.to_string()).collect::<Vec<_>>();
                assert_eq!(names(&listed), names(&expected), "{query:?}");
                assert_eq!(listed, expected);
            };
            check(usual.clone(), &|_| true).await;
            let away = HostQuery { state: Some(HostStateKind::Inactive), ..usual.clone() };
            check(away, &|host| !host.contact.state.is_active()).await;
            let cordoned = HostQuery { schedulable: Some(false), ..usual.clone() };
            check(cordoned, &|host| !host.settings.schedulable).await;
            let drained = HostQuery { purpose: Some("drain"), ..usual.clone() };
            check(drained, &|host| matches!(host.purpose, HostPurpose::Drain(_))).await;
            let of = |text: &str| HostQuery { search: Search::parse(text).unwrap(), ..usual.clone() };
            check(of("OO-"), &|host| host.settings.name.as_str().contains("oo-")).await;
            check(of("1.0.11"), &|host| host.settings.address == "10.1.0.11").await;
            check(of("TCP://10.0"), &|_| true).await;
            check(of("nowhere"), &|_| false).await;
        }
    }
    let few = HostQuery {
        search: None,
        state: Some(HostStateKind::Inactive),
        schedulable: None,
        purpose: None,
        counts,
        page: ListPage::first(HostSort::Name, Direction::Ascending, 2),
    };
    assert_eq!(store.find_hosts(&few).await.unwrap().total, Total::Exactly(4));
    store.close().await;
}

pub async fn failures_are_listed_in_every_order_and_found(home: &Home) {
    let store = opened(home, BOUNDS[0]).await;
    let (now, hosts) = (clock::now(), [HostId::random(), HostId::random()]);
    let mut all = Vec::new();
    for n in 0..9_u16 {
        let mut cluster = creating(&hosts[usize::from(n % 2)], n, ["a", "b"][usize::from(n / 3 % 2)]);
        cluster.name = ClusterName::parse(&format!("{}_{n}", ["h1", "Zoo"][usize::from(n % 2)])).unwrap();
        let kept = evidence(&cluster, now + Duration::from_secs(u64::from(n / 2)));
        store.put_evidence(&kept).await.unwrap();
        all.push(Failure {
            cluster: kept.cluster,
            name: kept.name,
            host: kept.host,
            host_name: kept.host_name,
            flavor: kept.flavor,
            why: kept.why,
            created_at: kept.created_at,
            failed_at: kept.failed_at,
        });
    }
    for sort in FailureSort::ALL {
        for direction in DIRECTIONS {
            let page = ListPage::first(*sort, direction, 2);
            let usual = FailureQuery { host: None, flavor: None, search: None, page };
            let check = async |query: FailureQuery, matches: &dyn Fn(&Failure) -> bool| {
                let store = &store;
                let listed: Vec<Failure> = walk(query.page.clone(), |page| {
                    let query = FailureQuery { page, ..query.clone() };
                    async move { store.find_failures(&query).await }
                })
                .await;
                let mut expected: Vec<Failure> = all.iter().filter(|one| matches(one)).cloned().collect();
                expected.sort_by_key(|failure| match sort {
                    FailureSort::Failed => (failure.failed_at.as_millis(), failure.cluster.to_string()),
                    FailureSort::Name => (0, failure.name.as_str().to_lowercase()),
                });
                if direction == Direction::Descending {
                    expected.reverse();
                }
                assert_eq!(listed, expected, "{query:?}");
            };
            check(usual.clone(), &|_| true).await;
            let (b, on) = (flavor("b"), hosts[1].clone());
            check(FailureQuery { host: Some(on.clone()), ..usual.clone() }, &|f| f.host == on).await;
            check(FailureQuery { flavor: Some(b.clone()), ..usual.clone() }, &|f| f.flavor == b).await;
            let search = Search::parse("zOO_").unwrap();
            check(FailureQuery { search, ..usual.clone() }, &|f| f.name.as_str().starts_with("Zoo")).await;
        }
    }
    store.close().await;
}

pub async fn a_claim_moves_a_cluster_in_the_list_by_change(home: &Home) {
    let store = opened(home, BOUNDS[0]).await;
    crate::made::pool(&store, 5, "a").await;
    let in_use =
        ClusterQuery { phases: vec![PhaseKind::InUse], ..every(ClusterSort::Changed, Direction::Descending, 10) };
    let mut given = Vec::new();
    for n in 0..3 {
        let mut ask = apply(&format!("user {n}"), &["a"], Holding::GiveSame);
        ask.now = ask.now + Duration::from_secs(n);
        given.insert(0, new_one(store.apply(ask).await.unwrap()));
        assert_eq!(listed(&store, &in_use).await, given);
    }
    store.close().await;
}
