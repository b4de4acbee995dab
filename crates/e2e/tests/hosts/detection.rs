//! What breaks is seen by its event, long before a probe or a full look would find it, and the reason says what it was.

use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::query_parameters::{
    KillContainerOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
};
use common::model::*;
use e2e::on_engine::REAL;
use e2e::pool::{PATIENCE, Pool};
use e2e::wait::wait_until;
use simdocker::SimHost;

use super::support::*;

/// Probes come every thirty seconds and full looks every five minutes, so what is seen sooner is seen by its event. A
/// second is what it takes on an idle machine, and what is printed; this leaves room for a busy one.
const BY_EVENT: Duration = Duration::from_secs(12);

#[derive(Clone, Copy, Debug)]
enum Fault {
    Kill,
    Stop,
    Pause,
    Destroy,
    Oom,
}

/// Something to break containers with.
struct Breaker<'a> {
    docker: Docker,
    sim: Option<&'a SimHost>,
}

impl<'a> Breaker<'a> {
    fn new(url: &str, sim: Option<&'a SimHost>) -> Breaker<'a> {
        let docker = match url.strip_prefix("unix://") {
            Some(path) => Docker::connect_with_unix(path, 60, bollard::API_DEFAULT_VERSION),
            None => Docker::connect_with_http(url, 60, bollard::API_DEFAULT_VERSION),
        };
        Breaker { docker: docker.unwrap(), sim }
    }

    async fn strike(&self, fault: Fault, container: &str) {
        match fault {
            Fault::Kill => {
                let options = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
                self.docker.kill_container(container, Some(options)).await.unwrap();
            }
            Fault::Stop => {
                let options = StopContainerOptionsBuilder::default().t(1).build();
                self.docker.stop_container(container, Some(options)).await.unwrap();
            }
            Fault::Pause => self.docker.pause_container(container).await.unwrap(),
            Fault::Destroy => {
                let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
                self.docker.remove_container(container, Some(options)).await.unwrap();
            }
            Fault::Oom => assert!(self.sim.unwrap().run_out_of_memory(container)),
        }
    }
}

fn container(cluster: &Cluster, name: &str) -> String {
    cluster.nodes[&NodeName::parse(name).unwrap()].container.clone().unwrap()
}

/// How long after a strike it was seen. An engine that is busy takes its time to strike, too, and may tell before it is done.
async fn seen_after<A: Future<Output = bool>>(
    fault: Fault,
    strike: impl Future<Output = ()>,
    mut seen: impl FnMut() -> A,
    pool: &Pool,
) -> Duration {
    let begun = Instant::now();
    let mut done = None;
    tokio::pin!(strike);
    while !seen().await {
        tokio::select! {
            () = &mut strike, if done.is_none() => done = Some(Instant::now()),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
        let waited = done.map_or(Duration::ZERO, |done| done.elapsed());
        assert!(waited < BY_EVENT, "{fault:?} was not seen by its event: {}", words(pool));
    }
    let took = done.unwrap_or(begun).elapsed();
    if done.is_none() {
        strike.await;
    }
    took
}

/// Strikes a free cluster; how long it took until it was not to be had any more, and why it failed.
async fn strike_free(pool: &Pool, breaker: &Breaker<'_>, fault: Fault) -> (Duration, String) {
    pool.until("1 free").await;
    let broken = pool.clusters().await.remove(0);
    let node = container(&broken, "vp2");
    let gone = || async { pool.store.cluster(&broken.id).await.unwrap().is_none_or(|c| c.offer.is_none()) };
    let took = seen_after(fault, breaker.strike(fault, &node), gone, pool).await;
    wait_until("the broken one to be replaced", PATIENCE, || async {
        let now = pool.clusters().await;
        let other = now.iter().any(|c| c.id != broken.id && c.phase.kind() == PhaseKind::Free && c.offer.is_some());
        if other { Ok(()) } else { Err(words(pool)) }
    })
    .await;
    let of_it = |event: &&Event| {
        event.kind == EventKind::Failed && event.cluster.as_ref().is_some_and(|(id, _)| *id == broken.id)
    };
    let why = events(pool).await.iter().find(of_it).map(|event| event.reason.clone()).unwrap_or_default();
    println!("{fault:?}: out of service after {} ms: {why}", took.as_millis());
    (took, why)
}

async fn what_breaks_a_free_cluster_is_seen_by_its_event(url: &str, address: &str, sim: Option<&SimHost>) {
    let pool = Pool::start(url, address, 1, &[FLAVOR]).await.unwrap();
    let breaker = Breaker::new(url, sim);
    let cases = [
        (Fault::Kill, "vp2 is not running (it ended with code 137)"),
        (Fault::Stop, "vp2 is not running"),
        (Fault::Pause, "vp2 is paused"),
        (Fault::Destroy, "vp2 is gone"),
    ];
    for (fault, said) in cases {
        let (_, why) = strike_free(&pool, &breaker, fault).await;
        // One that is removed may be seen when it has ended, or is "dead" (half removed), first.
        let on_its_way = ["vp2 is not running", "vp2 is dead"].into_iter().any(|state| why.contains(state));
        assert!(why.contains(said) || (matches!(fault, Fault::Destroy) && on_its_way), "{fault:?}: {why}");
    }
    pool.end().await.unwrap();
}

/// A user's network is kept, whatever breaks in it; what broke is said and mended.
async fn what_breaks_a_users_network_is_seen_and_mended(url: &str, address: &str, sim: Option<&SimHost>) {
    let pool = Pool::start(url, address, 1, &[FLAVOR]).await.unwrap();
    pool.until("1 free").await;
    let cluster = take(&pool, "alice").await;
    let breaker = Breaker::new(url, sim);
    let now = || async { pool.store.cluster(&cluster.id).await.unwrap().unwrap() };
    for fault in [Fault::Kill, Fault::Pause] {
        wait_until("it to be well", PATIENCE, || async {
            let now = now().await;
            if now.health == Health::Ok && now.wishes_done() { Ok(()) } else { Err(format!("{now:?}")) }
        })
        .await;
        let version = now().await.version;
        let ill = || async {
            let now = now().await;
            now.version > version && matches!(now.health, Health::Failing { .. })
        };
        let node = container(&cluster, "vp2");
        let took = seen_after(fault, breaker.strike(fault, &node), ill, &pool).await;
        println!("{fault:?} of a leased one: seen after {} ms", took.as_millis());
    }
    wait_until("it to be well again", PATIENCE, || async {
        let now = now().await;
        let well = now.health == Health::Ok && now.wishes_done() && now.phase.kind() == PhaseKind::InUse;
        if well { Ok(()) } else { Err(format!("{now:?}")) }
    })
    .await;
    release(&pool, &cluster, "alice").await;
    pool.end().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_free_cluster_is_seen_by_its_event_on_the_real_engine() {
    what_breaks_a_free_cluster_is_seen_by_its_event(REAL, "127.0.0.1", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_free_cluster_is_seen_by_its_event_on_a_simulated_engine() {
    let sim = sim().await;
    what_breaks_a_free_cluster_is_seen_by_its_event(&sim.url(), &sim.address().to_string(), Some(&sim)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_users_network_is_seen_and_mended_on_the_real_engine() {
    what_breaks_a_users_network_is_seen_and_mended(REAL, "127.0.0.1", None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_users_network_is_seen_and_mended_on_a_simulated_engine() {
    let sim = sim().await;
    what_breaks_a_users_network_is_seen_and_mended(&sim.url(), &sim.address().to_string(), Some(&sim)).await;
}

/// The engine brings it back within a moment, and the list of peers is full again.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_killed_for_want_of_memory_is_seen_though_it_runs_again() {
    let (sim, pool) = full(1).await;
    let cluster = pool.clusters().await.remove(0);
    let breaker = Breaker::new(&sim.url(), Some(&sim));
    breaker.strike(Fault::Oom, &container(&cluster, "vp2")).await;
    let said = wait_until("it to be said", PATIENCE, || async {
        let events = events(&pool).await;
        let ill = events.iter().find(|event| event.reason.contains("killed for want of memory"));
        ill.cloned().ok_or_else(|| format!("{events:?}"))
    })
    .await;
    // Seen while it was down, or heard of when it ran again already.
    assert!(matches!(
        said.kind,
        EventKind::HealthChanged | EventKind::Failed | EventKind::Removing | EventKind::Removed
    ));
    assert_eq!(said.cluster.map(|(id, _)| id), Some(cluster.id));
    pool.until("1 free").await;
    pool.end().await.unwrap();
}

/// The engine brings it back each time within a moment, and the list of peers is full again: it is proven anew, twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_free_cluster_whose_node_crashes_again_and_again_is_replaced() {
    let (sim, pool) = full(1).await;
    let first = pool.clusters().await.remove(0);
    let node = container(&first, "vp2");
    wait_until("it to be replaced", PATIENCE, || async {
        let now = pool.clusters().await;
        if now.iter().any(|c| c.id == first.id && c.phase.kind() == PhaseKind::Free) {
            sim.crash_process(&node, 2);
        }
        let other = now.iter().any(|c| c.id != first.id && c.phase.kind() == PhaseKind::Free);
        if other { Ok(()) } else { Err(words(&pool)) }
    })
    .await;
    pool.end().await.unwrap();
}

/// A node that does not stay up is tried again and again, but neither all the time nor with an event each second.
#[tokio::test(flavor = "multi_thread")]
async fn a_users_node_that_does_not_stay_up_does_not_flood_the_events() {
    let (sim, pool) = full(1).await;
    let cluster = take(&pool, "alice").await;
    let node = container(&cluster, "vp2");
    let docker = Breaker::new(&sim.url(), Some(&sim));
    let started = || async {
        let all = events(&pool).await;
        all.iter().filter(|event| event.kind == EventKind::NodeChanged).count()
    };
    // Each time it runs it is killed at once.
    let begun = Instant::now();
    wait_until("it to be started four times", PATIENCE, || async {
        if sim.container(&node).is_some_and(|c| c.state == "running") {
            docker.strike(Fault::Kill, &node).await;
        }
        let times = started().await;
        if times >= 4 { Ok(()) } else { Err(format!("{times}; {}", words(&pool))) }
    })
    .await;
    // At once, then after 1, 2 and 4 seconds.
    assert!(begun.elapsed() > Duration::from_secs(6), "{:?}", begun.elapsed());
    release(&pool, &cluster, "alice").await;
    pool.end().await.unwrap();
}
