//! No question that a page asks of MongoDB reads much more than the page shows, however many records there are. The server's
//! own profile tells what each one read.

use std::collections::BTreeMap;

use common::clock;
use common::model::{Actor, EventKind, Host, PhaseKind};
use common::store::{
    ClusterFilter, EventFilter, Limits, ListBounds, Page, SharedStore, StoreTarget, StoreUser, TokenFilter, open_with,
};
use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};
use mongodb::bson::{Document, doc};

use crate::home::{database, mongod};
use crate::indexes::list_all;
use crate::made::{MINUTE, creating, event, host, user};
use crate::tokens;

const HOSTS: u16 = 8;
const ON_EACH: u16 = 40;

/// What is on one host is gathered, and of anything else a walk gives up after so many.
const BOUNDS: ListBounds = ListBounds { gathered: 50, walked: 60 };

/// Documents that one question may read: those bounds, and the page itself.
const MOST: i64 = 70;

/// As many clusters as some hosts have, one in ten on its way, with an event for each.
async fn fill(store: &SharedStore) -> Vec<Host> {
    let hosts: Vec<Host> = (0..HOSTS).map(|n| host(&format!("h{n}"))).collect();
    try_join_all(hosts.iter().map(|host| store.insert_host(host, event("added")))).await.unwrap();
    let all = hosts.iter().flat_map(|host| (0..ON_EACH).map(move |slot| (host, slot)));
    stream::iter(all)
        .map(async |(host, slot)| {
            let new = creating(&host.id, slot, ["a", "b"][usize::from(slot % 2)]);
            let begun = event("made").about(&new);
            let free = new.offer_out(rand::random(), clock::now() + MINUTE, clock::now()).unwrap();
            store.insert_cluster(if slot % 10 == 0 { &new } else { &free }, begun).await.unwrap();
        })
        .buffer_unordered(32)
        .collect::<()>()
        .await;
    let tokens: Vec<_> = (0..100).map(|n| tokens::token(&format!("user {n}"), clock::now())).collect();
    try_join_all(tokens.iter().map(|token| store.insert_token(token, event("made")))).await.unwrap();
    hosts
}

/// What pages beside the lists ask for: a host, a cluster, what happened, who may call.
async fn look(store: &SharedStore, host: &Host) {
    let page = Page::first(6);
    let moving = PhaseKind::ALL.into_iter().filter(|phase| !matches!(phase, PhaseKind::Free | PhaseKind::InUse));
    let of = |phases| ClusterFilter { host: Some(host.id.clone()), phases, ..ClusterFilter::default() };
    // One after the other, and again: the server keeps to the plan that did best for the first.
    for phases in [moving.collect(), vec![PhaseKind::Lost], vec![PhaseKind::Free, PhaseKind::InUse], vec![]] {
        store.list_clusters(&of(phases), &page).await.unwrap();
    }
    store.count_clusters_on(&host.id).await.unwrap();
    let one = store.list_clusters(&of(vec![]), &page).await.unwrap().remove(0);
    for filter in [
        EventFilter::default(),
        EventFilter { host: Some(host.id.clone()), ..EventFilter::default() },
        EventFilter { cluster: Some(one.id.clone()), ..EventFilter::default() },
        EventFilter { kinds: vec![EventKind::Removed, EventKind::Access], ..EventFilter::default() },
        EventFilter { actor: Some(Actor::Operator { name: "nobody".into() }), ..EventFilter::default() },
    ] {
        let found = store.list_events(&filter, &page).await.unwrap();
        if let Some(last) = found.last() {
            store.list_events(&filter, &Page { after: Some(last.id.to_string()), limit: 6 }).await.unwrap();
        }
    }
    store.list_tokens(&TokenFilter { user: Some(user("user 7")) }, &page).await.unwrap();
    store.list_tokens(&TokenFilter::default(), &page).await.unwrap();
    let her = ClusterFilter { user: Some(user("user 7")), ..ClusterFilter::default() };
    store.list_clusters(&her, &page).await.unwrap();
    store.list_evidence(Some(&host.id), &page).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_question_of_a_page_reads_much_more_than_it_shows() {
    let (url, name) = (mongod().await.url(), database());
    let target = StoreTarget::Mongo { url: url.clone(), database: name.clone() };
    let limits = Limits { lists: BOUNDS, ..Limits::default() };
    let store = open_with(&target, StoreUser::Admin, limits).await.unwrap();
    let hosts = fill(&store).await;
    let client = mongodb::Client::with_uri_str(&url).await.unwrap();
    let db = client.database(&name);
    db.run_command(doc! { "profile": 2 }).await.unwrap();
    for host in hosts.iter().take(3) {
        look(&store, host).await;
        list_all(&store, &host.id).await;
    }
    db.run_command(doc! { "profile": 0 }).await.unwrap();
    let profile = db.collection::<Document>("system.profile");
    let asked: Vec<Document> =
        profile.find(doc! { "docsExamined": { "$exists": true } }).await.unwrap().try_collect().await.unwrap();
    let read = |entry: &Document| {
        let n = entry.get("docsExamined").and_then(|n| n.as_i64().or(n.as_i32().map(i64::from)));
        (n.unwrap_or(i64::MAX), entry.get_str("ns").unwrap_or_default().to_owned())
    };
    let mut most: BTreeMap<String, i64> = BTreeMap::new();
    for (n, of) in asked.iter().map(read) {
        let most = most.entry(of).or_default();
        *most = n.max(*most);
    }
    assert!(asked.len() > 200 && most.len() > 3, "{} questions: {most:?}", asked.len());
    let told = |entry: &Document| {
        let command = entry.get_document("command").cloned().unwrap_or_default();
        let question = command.get("filter").or(command.get("pipeline")).map(ToString::to_string);
        format!("{:?} by {:?}: {}", read(entry), entry.get_str("planSummary"), question.unwrap_or_default())
    };
    let too_much: Vec<String> = asked.iter().filter(|entry| read(entry).0 > MOST).map(told).collect();
    assert!(too_much.is_empty(), "{most:?}: {too_much:#?}");
    client.shutdown().immediate(true).await;
    store.close().await;
}
