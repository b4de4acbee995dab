//! Rules of single nodes and of events.

use std::time::Duration;

use common::compose::{HealthCheck, NetworkSpec, Project, RestartPolicy};
use common::model::NodeState;
use engine::{EngineError, EngineEvent, EventKind, EventStream, LogStream};
use futures_util::StreamExt;
use tokio::time::timeout;

use crate::bench::{Bench, wait_until};
use crate::spec::{FOREVER, node, project, service, two};

const GRACE: Duration = Duration::from_secs(1);

async fn state(bench: &Bench) -> NodeState {
    bench.engine.nodes(&bench.pool, &bench.owner(0).cluster).await.unwrap()[0].state
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_is_stopped_started_and_restarted_with_its_files() {
    let bench = Bench::new().await;
    let script = format!("echo run >> /ledger; /bin/busybox cat /ledger; {FOREVER}");
    let project = Project { services: vec![service(&bench, 0, "vp0", &script)], ..project(&bench, 0) };
    let id = bench.up(&project, 0).await.unwrap().remove(&node("vp0")).unwrap();
    let open = || Ok(());

    bench.engine.stop_node(&id, GRACE, &open).await.unwrap();
    assert_eq!(state(&bench).await, NodeState::Exited);
    bench.engine.stop_node(&id, GRACE, &open).await.expect("stopping a stopped one is fine");
    bench.engine.start_node(&id, &open).await.unwrap();
    bench.engine.start_node(&id, &open).await.expect("starting a started one is fine");
    assert_eq!(state(&bench).await, NodeState::Running);

    bench.docker.pause_container(&id).await.unwrap();
    assert_eq!(state(&bench).await, NodeState::Paused);
    bench.engine.start_node(&id, &open).await.unwrap();
    assert_eq!(state(&bench).await, NodeState::Running);

    bench.docker.pause_container(&id).await.unwrap();
    bench.engine.restart_node(&id, GRACE, &open).await.unwrap();
    assert_eq!(state(&bench).await, NodeState::Running);
    let lines = wait_until("three runs in the ledger", async || {
        let lines = bench.engine.logs(&id, 3).await.unwrap();
        (lines.len() == 3 && lines.iter().all(|line| line.text == "run"), lines)
    })
    .await;
    assert!(lines.iter().all(|line| line.stream == LogStream::Stdout && line.at.ends_with('Z')), "{lines:?}");

    let nobody = "0".repeat(64);
    let gone = bench.engine.start_node(&nobody, &open).await;
    assert_eq!(gone, Err(EngineError::Gone { what: format!("container {nobody}") }));
    assert!(matches!(bench.engine.logs(&nobody, 3).await, Err(EngineError::Gone { .. })));
    assert!(matches!(bench.engine.stats(&nobody).await, Err(EngineError::Gone { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_brings_a_crashed_node_back_and_counts() {
    let bench = Bench::new().await;
    let script = "/bin/busybox test -e /second && while true; do /bin/busybox sleep 1; done; echo > /second; exit 7";
    let project = Project { services: vec![service(&bench, 0, "vp0", script)], ..project(&bench, 0) };
    bench.up(&project, 0).await.unwrap();
    let cluster = bench.owner(0).cluster;
    wait_until("it runs again", async || {
        let node = bench.engine.nodes(&bench.pool, &cluster).await.unwrap().remove(0);
        (node.state == NodeState::Running && node.restarts == Some(1), node)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sample_shows_what_a_node_uses() {
    let bench = Bench::new().await;
    let busy = "i=0; while true; do i=$((i+1)); done";
    let project = Project { services: vec![service(&bench, 0, "vp0", busy)], ..project(&bench, 0) };
    let id = bench.up(&project, 0).await.unwrap().remove(&node("vp0")).unwrap();
    let first = bench.engine.stats(&id).await.unwrap();
    assert_eq!(first.memory_limit, 64 << 20);
    assert!(first.cpus > 0 && first.pids > 0, "{first:?}");
    wait_until("processor time goes by", async || {
        let second = bench.engine.stats(&id).await.unwrap();
        (second.cpu_since(&first) > 0.01 && second.cpu_used > first.cpu_used, second)
    })
    .await;
}

/// Reads until an event answers to the question.
async fn await_event(events: &mut EventStream, what: &str, is_it: impl Fn(&EngineEvent) -> bool) -> EngineEvent {
    let mut seen = Vec::new();
    loop {
        match timeout(Duration::from_secs(30), events.next()).await {
            Ok(Some(Ok(event))) if is_it(&event) => return event,
            Ok(Some(Ok(event))) => seen.push(event),
            other => panic!("waiting for {what}: {other:?} after {seen:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happens_to_our_containers_and_networks_is_told() {
    let bench = Bench::new().await;
    let mut events = bench.engine.events(&bench.pool).await.unwrap();
    let project = two(&bench, 0);
    let ids = bench.up(&project, 0).await.unwrap();
    let vp1 = ids[&node("vp1")].clone();
    let cluster = Some(bench.owner(0).cluster);
    let of_vp1 = |kind: EventKind| {
        let (vp1, cluster) = (vp1.clone(), cluster.clone());
        move |event: &EngineEvent| event.kind == kind && event.id == vp1 && event.cluster == cluster
    };
    // Asked for after they happened: the first poll asks for all since the stream was made.
    await_event(&mut events, "start", of_vp1(EventKind::Start)).await;
    bench.docker.pause_container(&vp1).await.unwrap();
    await_event(&mut events, "pause", of_vp1(EventKind::Pause)).await;
    bench.docker.unpause_container(&vp1).await.unwrap();
    await_event(&mut events, "unpause", of_vp1(EventKind::Unpause)).await;
    let kill = bollard::query_parameters::KillContainerOptionsBuilder::default().signal("SIGKILL").build();
    bench.docker.kill_container(&vp1, Some(kill)).await.unwrap();
    let died = await_event(&mut events, "die", of_vp1(EventKind::Die { exit_code: Some(137) })).await;
    assert_eq!(died.name, project.services[1].container_name);
    bench.down(0).await.unwrap();
    await_event(&mut events, "destroy", of_vp1(EventKind::Destroy)).await;
    let network = project.networks[0].name.clone();
    await_event(&mut events, "the network's end", |e| e.kind == EventKind::NetworkDestroy && e.name == network).await;
    let volume = project.volumes[0].name.clone();
    await_event(&mut events, "the volume's end", |e| e.kind == EventKind::VolumeDestroy && e.name == volume).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn want_of_memory_checks_and_stops_are_told_too() {
    let bench = Bench::new().await;
    // The two go their own ways, so each is told by a stream of its own.
    let mut events = bench.engine.events(&bench.pool).await.unwrap();
    let mut of_greedy = bench.engine.events(&bench.pool).await.unwrap();
    let mut greedy = service(&bench, 0, "vp0", "exec /bin/busybox dd if=/dev/zero of=/dev/null bs=400M count=1");
    greedy.restart = RestartPolicy::No;
    let mut fickle = service(&bench, 0, "vp1", &format!("echo > /well; {FOREVER}"));
    fickle.healthcheck = Some(HealthCheck {
        test: ["CMD", "/bin/busybox", "test", "-e", "/well"].map(str::to_owned).to_vec(),
        interval: Some(Duration::from_millis(200)),
        timeout: Some(Duration::from_secs(10)),
        retries: Some(1),
        start_period: None,
    });
    let project = Project { services: vec![greedy, fickle], ..project(&bench, 0) };
    let ids = bench.up(&project, 0).await.unwrap();
    let is = |name: &str, kind: EventKind| {
        let id = ids[&node(name)].clone();
        move |event: &EngineEvent| event.id == id && event.kind == kind
    };
    await_event(&mut events, "health", is("vp1", EventKind::Health { healthy: true })).await;
    await_event(&mut of_greedy, "oom", is("vp0", EventKind::Oom)).await;
    await_event(&mut of_greedy, "its end", is("vp0", EventKind::Die { exit_code: Some(137) })).await;
    bench.engine.stop_node(&ids[&node("vp1")], GRACE, &|| Ok(())).await.unwrap();
    await_event(&mut events, "kill", is("vp1", EventKind::Kill)).await;
    await_event(&mut events, "stop", is("vp1", EventKind::Stop)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_engine_says_who_it_is() {
    let bench = Bench::new().await;
    bench.engine.ping().await.unwrap();
    let info = bench.engine.info().await.unwrap();
    assert!(!info.id.is_empty() && info.cpus > 0 && info.memory > 0, "{info:?}");
    assert!(info.api_version.starts_with("1."), "{info:?}");
    assert_eq!(info.kind, common::model::HostKind::Single);
    // A subnet that the engine chooses, too.
    let mut project = two(&bench, 0);
    project.networks[0] = NetworkSpec { subnet: None, ..project.networks[0].clone() };
    bench.up(&project, 0).await.unwrap();
}
