//! No query of the store reads a whole collection.

use std::collections::BTreeSet;

use common::clock;
use common::model::{Actor, ApplyCount, ClusterId, EventKind, HostId, OperatorId, PhaseKind, Sample, Subject};
use common::store::{
    ClusterFilter, ClusterQuery, ClusterSort, Direction, EventCursor, EventFilter, HealthKind, Holding, LeaseFilter,
    Limits, ListBounds, ListPage, Page, RecordQuery, RecordSort, Search, SharedStore, Sort, StoreTarget, StoreUser,
    TokenFilter, open, open_with,
};
use futures_util::TryStreamExt;
use mongodb::bson::{Document, doc};

use crate::home::{database, mongod};
use crate::kept::evidence;
use crate::made::{MINUTE, apply, creating, event, flavor, host, key, new_one, pool, release, user};
use crate::{people, tokens};

/// Every order of every list, without and with everything that it can be filtered by.
pub async fn list_all(store: &SharedStore, host: &HostId) {
    let (flavor, user, up) = (flavor("a"), user("user 1"), Direction::Ascending);
    let search = Search::parse("h1_1").unwrap();
    for sort in ClusterSort::ALL {
        let page = ListPage::first(*sort, up, 5);
        let all =
            ClusterQuery { phases: vec![], host: None, user: None, flavor: None, health: None, search: None, page };
        for query in [
            ClusterQuery { phases: PhaseKind::ALL[..5].to_vec(), ..all.clone() },
            ClusterQuery { phases: vec![PhaseKind::Free], ..all.clone() },
            ClusterQuery { host: Some(host.clone()), ..all.clone() },
            ClusterQuery { user: Some(user.clone()), ..all.clone() },
            ClusterQuery { flavor: Some(flavor.clone()), ..all.clone() },
            ClusterQuery { health: Some(HealthKind::Failing), ..all.clone() },
            ClusterQuery { search: search.clone(), ..all.clone() },
            all,
        ] {
            store.find_clusters(&query).await.unwrap();
        }
    }
    for sort in RecordSort::ALL {
        let page = ListPage::first(*sort, up, 5);
        let all = RecordQuery { user: None, host: None, flavor: None, search: None, page };
        for query in [
            RecordQuery { host: Some(host.clone()), ..all.clone() },
            RecordQuery { user: Some(user.clone()), ..all.clone() },
            RecordQuery { flavor: Some(flavor.clone()), ..all.clone() },
            RecordQuery { search: search.clone(), ..all.clone() },
            all,
        ] {
            store.find_lease_records(&query).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_query_of_the_store_is_served_by_an_index() {
    let (url, name) = (mongod().await.url(), database());
    let target = StoreTarget::Mongo { url: url.clone(), database: name.clone() };
    let store = open(&target, StoreUser::App).await.unwrap();
    pool(&store, 30, "a").await;
    store.insert_host(&host("h1"), event("added")).await.unwrap();
    let client = mongodb::Client::with_uri_str(&url).await.unwrap();
    let db = client.database(&name);
    db.run_command(doc! { "profile": 2 }).await.unwrap();

    for n in 0..3 {
        let mut ask = apply(&format!("user {n}"), &["a", "b"], Holding::GiveSame);
        ask.key = key("key");
        let held = new_one(store.apply(ask.clone()).await.unwrap());
        store.apply(ask).await.unwrap();
        let gone = release(&store, &held).await;
        store.vanish(&gone, event("gone").about(&gone)).await.unwrap();
    }
    let page = Page { after: None, limit: 5 };
    let by_user = ClusterFilter { user: Some(user("user 1")), ..Default::default() };
    let by_host = ClusterFilter { host: Some(HostId::random()), ..Default::default() };
    for filter in [ClusterFilter::default(), by_user, by_host.clone()] {
        store.list_clusters(&filter, &page).await.unwrap();
    }
    // Gathered and walked.
    let narrow = Limits { lists: ListBounds { gathered: 0, walked: 7 }, ..Limits::default() };
    let walking = open_with(&target, StoreUser::Admin, narrow).await.unwrap();
    for store in [&store, &walking] {
        list_all(store, &HostId::random()).await;
    }
    walking.close().await;
    store.count_clusters().await.unwrap();
    store.count_clusters_on(&HostId::random()).await.unwrap();
    let until = common::clock::now() + MINUTE;
    store.extend_offers(&HostId::random(), MINUTE, until).await.unwrap();
    for filter in [LeaseFilter::default(), LeaseFilter { user: Some(user("user 1")) }] {
        let records = store.list_lease_records(&filter, &page).await.unwrap();
        let after = records.first().map(|record| record.lease.id.to_string());
        store.list_lease_records(&filter, &Page { after, limit: 5 }).await.unwrap();
    }
    let host = by_host.host.unwrap();
    let start = EventCursor("0".into());
    for filter in [
        EventFilter::default(),
        EventFilter { host: Some(host.clone()), ..Default::default() },
        EventFilter { kinds: vec![EventKind::Removed, EventKind::Access], ..Default::default() },
        EventFilter { actor: Some(Actor::Operator { name: "ann".into() }), ..Default::default() },
        EventFilter { since: Some(clock::now() - MINUTE), until: Some(clock::now()), ..Default::default() },
    ] {
        store.list_events(&filter, &page).await.unwrap();
        store.tail_events(Some(&start), &filter, 5).await.unwrap();
        store.tail_events(None, &filter, 5).await.unwrap();
    }
    let failed = evidence(&creating(&host, 0, "a"), clock::now());
    store.put_evidence(&failed).await.unwrap();
    for of in [None, Some(&host)] {
        store.list_evidence(of, &page).await.unwrap();
    }
    let counts = [ApplyCount { minute: clock::now(), flavor: flavor("a"), given: 1, missed: 0 }];
    store.count_applies(&counts).await.unwrap();
    store.applies(clock::now() - MINUTE).await.unwrap();
    let cluster = Subject::Cluster(ClusterId::random());
    let sample = Sample { subject: cluster.clone(), minute: clock::now(), values: Default::default() };
    store.put_samples(&[sample]).await.unwrap();
    store.samples(&cluster, clock::now() - MINUTE).await.unwrap();
    store.list_hosts().await.unwrap();
    store.list_operators().await.unwrap();
    store.operator_by_name("ann").await.unwrap();
    let session = people::session(&OperatorId::random());
    store.put_session(&session).await.unwrap();
    store.list_sessions(&session.operator).await.unwrap();
    store.delete_sessions(&session.operator, Some(&session.id)).await.unwrap();
    let made = [tokens::token("user 1", clock::now()), tokens::token("user 2", clock::now())];
    for token in &made {
        store.insert_token(token, event("made")).await.unwrap();
    }
    store.tokens_by_hash(&[made[0].hash, made[1].hash]).await.unwrap();
    store.use_tokens(&[made[0].id.clone()], clock::now()).await.unwrap();
    store.revoke_token(&made[0].id, &tokens::end(clock::now()), event("ended")).await.unwrap();
    for filter in [TokenFilter::default(), TokenFilter { user: Some(user("user 1")) }] {
        store.list_tokens(&filter, &page).await.unwrap();
        let after = Some(made[1].id.to_string());
        store.list_tokens(&filter, &Page { after, limit: 5 }).await.unwrap();
    }

    db.run_command(doc! { "profile": 0 }).await.unwrap();
    let profile = db.collection::<Document>("system.profile");
    let whole: Vec<Document> = profile.find(doc! {}).await.unwrap().try_collect().await.unwrap();
    let plans: Vec<&str> = whole.iter().filter_map(|entry| entry.get_str("planSummary").ok()).collect();
    let scans: Vec<&Document> =
        whole.iter().filter(|entry| entry.get_str("planSummary").is_ok_and(|plan| plan.contains("COLLSCAN"))).collect();
    assert!(scans.is_empty(), "{scans:#?}");
    let used: BTreeSet<&str> = plans.into_iter().collect();
    let claim = "IXSCAN { offer.flavor: 1, offer.r: 1, offer.until: 1 }";
    assert!(used.iter().any(|plan| plan.contains(claim)), "{used:#?}");
    client.shutdown().immediate(true).await;
    store.close().await;
}
