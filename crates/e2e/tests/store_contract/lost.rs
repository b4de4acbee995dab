//! Each write of each call in turn comes to nothing, or is carried out and nobody hears of it, and the driver's own
//! repetition fares no better. The call carries on by itself or says `Unavailable`; asked for again it is done, once, and
//! its event is there once.

use std::collections::BTreeMap;
use std::time::Duration;

use common::clock;
use common::model::{Cluster, Contact, Event, Host, Operator, Role, Sample, Session, Subject, Token, beginning};
use common::store::{
    EventFilter, Limits, Page, Proof, SharedStore, StoreError, StoreResult, StoreTarget, StoreUser, open_with,
};
use futures_util::future::BoxFuture;

use crate::home::{database, mongod, wait_until};
use crate::kept;
use crate::made::{MINUTE, apply, asked, contact, creating, event, free, host, new_one, release};
use crate::people::{self, operator};
use crate::proxy::{Fate, Proxy};
use crate::tokens;

/// What a call is made on: new for each.
struct World {
    event: Event,
    new_host: Host,
    host: Host,
    empty: Host,
    seen: Contact,
    new: Cluster,
    creating: Cluster,
    free: Cluster,
    released: Cluster,
    operator: Operator,
    staff: [Operator; 2],
    token: Token,
    new_token: Token,
    session: Session,
    name: String,
}

impl World {
    async fn make(store: &SharedStore) -> World {
        let hosts = ["new", "host", "empty"].map(|what| host(&format!("{what}-{:08x}", rand::random::<u32>())));
        let [new_host, host, empty] = hosts;
        store.insert_host(&host, event("made")).await.unwrap();
        store.insert_host(&empty, event("made")).await.unwrap();
        let begun = creating(&host.id, 0, "a");
        store.insert_cluster(&begun, event("made")).await.unwrap();
        let name = format!("u{:08x}", rand::random::<u32>());
        let flavor = format!("f{name}");
        free(store, &host.id, 1, &flavor).await;
        let held = new_one(store.apply(apply(&name, &[&flavor], common::store::Holding::GiveSame)).await.unwrap());
        let staff = [operator(&format!("{name}-1")), operator(&format!("{name}-2"))];
        for one in &staff {
            store.insert_operator(one).await.unwrap();
        }
        let session = people::session(&staff[0].id);
        store.put_session(&session).await.unwrap();
        let token = tokens::token(&name, clock::now());
        store.insert_token(&token, event("made")).await.unwrap();
        if let Some(lock) = store.lock().await.unwrap() {
            store.drop_lock(&lock.holder).await.unwrap();
        }
        World {
            event: event("the call's"),
            seen: contact(clock::now() + MINUTE),
            new: creating(&host.id, 2, "a"),
            creating: begun,
            free: free(store, &host.id, 3, "b").await,
            released: release(store, &held).await,
            operator: operator(&name),
            staff,
            token,
            new_token: tokens::token(&name, clock::now()),
            session,
            new_host,
            host,
            empty,
            name,
        }
    }
}

type Call = for<'a> fn(&'a SharedStore, &'a World) -> BoxFuture<'a, StoreResult<()>>;

/// A call, and whether it is done.
struct Case {
    name: &'static str,
    call: Call,
    done: for<'a> fn(&'a SharedStore, &'a World) -> BoxFuture<'a, bool>,
    has_event: bool,
}

macro_rules! case {
    ($name:literal, $has_event:expr, |$store:ident, $world:ident| $call:expr, $done:expr) => {
        Case {
            name: $name,
            call: |$store, $world| Box::pin(async move { $call.await.map(|_| ()) }),
            done: |$store, $world| {
                // Some look at one of the two only.
                let _ = ($store, $world);
                Box::pin(async move { $done })
            },
            has_event: $has_event,
        }
    };
}

fn proof(of: &Cluster) -> Proof {
    Proof { cluster: of.id.clone(), at: of.created_at + MINUTE, offer_until: of.created_at + MINUTE * 7 }
}

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    vec![
        case!("insert_host", true, |s, w| s.insert_host(&w.new_host, w.event.clone()),
            s.host(&w.new_host.id).await.unwrap().as_ref() == Some(&w.new_host)),
        case!("change_host", true, |s, w| s.change_host(&w.host.leave(asked_then(w), false), w.event.clone()),
            s.host(&w.host.id).await.unwrap().is_some_and(|found| found.version == 2 && found.purpose.leaves())),
        case!("note_contact", false, |s, w| s.note_contact(&w.host.id, &w.seen),
            s.host(&w.host.id).await.unwrap().is_some_and(|found| found.contact == w.seen)),
        case!("delete_host", true, |s, w| s.delete_host(&w.empty.id, 1, w.event.clone()),
            s.host(&w.empty.id).await.unwrap().is_none()),
        case!("insert_cluster", true, |s, w| s.insert_cluster(&w.new, w.event.clone()),
            s.cluster(&w.new.id).await.unwrap().as_ref() == Some(&w.new)),
        case!("place_cluster", true, |s, w| s.place_cluster(&w.new, w.host.version, w.event.clone()),
            s.cluster(&w.new.id).await.unwrap().as_ref() == Some(&w.new)),
        case!("move_cluster", true,
            |s, w| s.move_cluster(&w.creating, &offered(&w.creating), Some(w.event.clone())),
            s.cluster(&w.creating.id).await.unwrap() == Some(offered(&w.creating))),
        case!("prove", false, |s, w| { let proofs = [proof(&w.free)]; async move { s.prove(&proofs).await } },
            s.cluster(&w.free.id).await.unwrap().is_some_and(|found| found.proven_at == Some(proof(&w.free).at))),
        case!("vanish", true, |s, w| s.vanish(&w.released, w.event.clone()),
            s.cluster(&w.released.id).await.unwrap().is_none()
                && s.lease_record(&w.released.lease().unwrap().id).await.unwrap() == w.released.lease_record()),
        case!("append_events", true, |s, w| s.append_events(std::slice::from_ref(&w.event)), true),
        case!("put_evidence", false,
            |s, w| { let found = kept::evidence(&w.free, w.free.created_at); async move { s.put_evidence(&found).await } },
            s.evidence(&w.free.id).await.unwrap().is_some()),
        case!("put_samples", false,
            |s, w| { let one = sampled(&w.free); async move { s.put_samples(&[one]).await } },
            s.samples(&sampled(&w.free).subject, w.free.created_at - MINUTE).await.unwrap().len() == 1),
        case!("insert_operator", false, |s, w| s.insert_operator(&w.operator),
            s.operator_by_name(&w.name).await.unwrap().as_ref() == Some(&w.operator)),
        case!("change_operator", true, |s, w| s.change_operator(&w.staff[0].with_role(Role::Viewer), w.event.clone()),
            s.operator(&w.staff[0].id).await.unwrap() == Some(w.staff[0].with_role(Role::Viewer))),
        case!("delete_operator", true, |s, w| s.delete_operator(&w.staff[0].id, 1, w.event.clone()),
            s.operator(&w.staff[0].id).await.unwrap().is_none()
                && s.list_sessions(&w.staff[0].id).await.unwrap().is_empty()),
        case!("insert_token", true, |s, w| s.insert_token(&w.new_token, w.event.clone()),
            s.token(&w.new_token.id).await.unwrap().as_ref() == Some(&w.new_token)),
        case!("revoke_token", true,
            |s, w| { let end = tokens::end(w.token.created_at); async move { s.revoke_token(&w.token.id, &end, w.event.clone()).await } },
            s.token(&w.token.id).await.unwrap().is_some_and(|found| found.revoked.is_some())),
        case!("use_tokens", false, |s, w| s.use_tokens(std::slice::from_ref(&w.token.id), w.token.created_at),
            s.token(&w.token.id).await.unwrap().is_some_and(|found| found.used_at.is_some())),
        case!("delete_sessions", false, |s, w| s.delete_sessions(&w.session.operator, None),
            s.session(&w.session.id).await.unwrap().is_none()),
        case!("put_session", false,
            |s, w| { let used = used(&w.session); async move { s.put_session(&used).await } },
            s.session(&w.session.id).await.unwrap() == Some(used(&w.session))),
        case!("touch_session", false, |s, w| s.touch_session(&w.session.id, used(&w.session).used_at),
            s.session(&w.session.id).await.unwrap() == Some(used(&w.session))),
        case!("delete_session", false, |s, w| s.delete_session(&w.session.id),
            s.session(&w.session.id).await.unwrap().is_none()),
        case!("take_lock", false, |s, w| s.take_lock(&w.name, "http://a", MINUTE, clock::now()),
            s.lock().await.unwrap().is_some_and(|lock| lock.holder == w.name)),
        case!("drop_lock", false,
            |s, w| async { s.take_lock(&w.name, "http://a", MINUTE, clock::now()).await?; s.drop_lock(&w.name).await },
            s.lock().await.unwrap().is_none()),
        case!("delete_lease_record", false, |s, w| s.delete_lease_record(&w.released.lease().unwrap().id),
            s.lease_record(&w.released.lease().unwrap().id).await.unwrap().is_none()),
    ]
}

fn asked_then(world: &World) -> common::model::Asked {
    common::model::Asked { since: world.event.at, ..asked() }
}

fn offered(cluster: &Cluster) -> Cluster {
    cluster.offer_out(0.5, cluster.created_at + MINUTE, cluster.created_at).unwrap()
}

fn sampled(cluster: &Cluster) -> Sample {
    let minute = beginning(cluster.created_at, MINUTE);
    Sample { subject: Subject::Cluster(cluster.id.clone()), minute, values: BTreeMap::from([("cpu".into(), 1)]) }
}

fn used(session: &Session) -> Session {
    Session { used_at: session.created_at + Duration::from_secs(1), ..session.clone() }
}

async fn told(store: &SharedStore, event: &Event) -> usize {
    let all = store.list_events(&EventFilter::default(), &Page::first(10_000)).await.unwrap();
    all.iter().filter(|one| one.id == event.id).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_write_may_be_lost_and_is_then_done_once() {
    let (proxy, name) = (Proxy::before(mongod().await).await, database());
    let straight = StoreTarget::Mongo { url: mongod().await.url(), database: name.clone() };
    let through = StoreTarget::Mongo { url: proxy.url(), database: name };
    let limits = Limits { deadline: Duration::from_secs(4), ..Limits::default() };
    let straight = open_with(&straight, StoreUser::Admin, limits).await.unwrap();
    let store = open_with(&through, StoreUser::App, limits).await.unwrap();
    let mut points = BTreeMap::new();
    for case in cases() {
        let world = World::make(&straight).await;
        proxy.rest();
        (case.call)(&store, &world).await.unwrap();
        let writes = proxy.rest();
        assert!(writes > 0 && (case.done)(&straight, &world).await, "{}: {writes} writes", case.name);
        for nth in 0..writes {
            for fate in [Fate::RequestLost, Fate::AnswerLost] {
                let at = format!("{}, write {nth}, {fate:?}", case.name);
                let world = World::make(&straight).await;
                proxy.spoil_write(nth, fate);
                match (case.call)(&store, &world).await {
                    Ok(()) | Err(StoreError::Unavailable(_)) => {}
                    Err(other) => panic!("{at}: {other:?}"),
                }
                proxy.rest();
                (case.call)(&store, &world).await.unwrap_or_else(|error| panic!("{at}, again: {error:?}"));
                assert!((case.done)(&straight, &world).await, "{at}");
                if case.has_event {
                    wait_until("the event to be there once", || async {
                        match told(&straight, &world.event).await {
                            1 => Ok(()),
                            count => Err(format!("{at}: {count}")),
                        }
                    })
                    .await;
                }
            }
        }
        points.insert(case.name, writes * 2);
    }
    let all: u32 = points.values().sum();
    assert!(all >= 44, "{points:?}");
    store.close().await;
    straight.close().await;
}
