//! Rules of gathering what is to be learnt of a cluster before it is removed.

use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{CreateContainerOptionsBuilder, StartContainerOptions};
use common::compose::{Project, RestartPolicy};
use common::model::evidence::{MAX_LINE, MAX_LOG_LINES, MAX_TEXT};
use common::model::{ClusterId, NodeState};
use serde_json::Value;

use crate::bench::{Bench, wait_until};
use crate::spec::{FOREVER, node, project, service};

const CHATTY: &str = "i=0; while [ $i -lt 200 ]; do echo line $i; i=$((i+1)); done; \
    i=0; while [ $i -lt 9000 ]; do echo -n €; i=$((i+1)); done; echo; \
    printf 'raw \\377\\376 bytes\\n'; echo to stderr >&2; ";

#[tokio::test(flavor = "multi_thread")]
async fn what_nodes_and_their_chaincode_said_last_is_gathered_within_bounds() {
    let bench = Bench::new().await;
    let mut dead = service(&bench, 0, "vp1", "echo my last words; exit 3");
    dead.restart = RestartPolicy::No;
    let chatty = service(&bench, 0, "vp0", &format!("{CHATTY}{FOREVER}"));
    let project = Project { services: vec![chatty, dead], ..project(&bench, 0) };
    bench.up(&project, 0).await.unwrap();
    let cluster = bench.owner(0).cluster;
    let chaincode = format!("{cluster}-vp0-00ff");
    let host = HostConfig { network_mode: Some("none".to_owned()), ..Default::default() };
    let body = ContainerCreateBody {
        image: Some(bench.image.clone()),
        cmd: Some(["/bin/busybox", "sh", "-c", "echo on a terminal; sleep 1000"].map(str::to_owned).to_vec()),
        tty: Some(true),
        host_config: Some(host.clone()),
        ..Default::default()
    };
    let options = CreateContainerOptionsBuilder::default().name(&chaincode).build();
    let made = bench.docker.create_container(Some(options), body).await.unwrap();
    bench.docker.start_container(&made.id, None::<StartContainerOptions>).await.unwrap();
    bench.stranger(&format!("{}-{cluster}-not-ours", bench.prefix), host).await;

    let found = wait_until("all have said it all", async || {
        let found = bench.engine.gather(&bench.pool, &cluster).await.unwrap();
        let all = found[0].log.iter().any(|line| line == "to stderr");
        (all && found.iter().all(|one| !one.log.is_empty()) && found[1].state == NodeState::Exited, found)
    })
    .await;
    let names: Vec<_> = found.iter().map(|one| (one.node.clone(), one.container.as_str())).collect();
    let services = &project.services;
    assert_eq!(
        names,
        [
            (Some(node("vp0")), services[0].container_name.as_str()),
            (Some(node("vp1")), services[1].container_name.as_str()),
            (None, chaincode.as_str()),
        ]
    );
    let [chatty, dead, chaincode] = &found[..] else { panic!("{names:?}") };
    assert!(chatty.log.len() <= MAX_LOG_LINES && chatty.log.iter().all(|line| line.len() <= MAX_LINE));
    assert!(chatty.log.contains(&"raw \u{FFFD}\u{FFFD} bytes".to_owned()), "{:?}", chatty.log);
    let euros = chatty.log.iter().find(|line| line.starts_with('€')).expect("the long line");
    assert!(euros.len() > MAX_LINE - 3 && euros.chars().all(|letter| letter == '€'), "{euros}");
    assert!(chatty.log.contains(&"line 199".to_owned()) && !chatty.log.contains(&"line 100".to_owned()));
    assert_eq!(
        (dead.exit_code, dead.state, dead.log.as_slice()),
        (Some(3), NodeState::Exited, &["my last words".to_owned()][..])
    );
    assert_eq!((chatty.exit_code, chatty.state, chatty.restarts), (None, NodeState::Running, 0));
    assert_eq!(chaincode.log, ["on a terminal"]);
    for one in &found {
        assert!(one.inspect.len() <= MAX_TEXT, "{}", one.inspect.len());
        let inspect: Value = serde_json::from_str(&one.inspect).unwrap();
        assert_eq!(inspect["Config"]["Image"], bench.image.as_str());
        assert!(!one.inspect.contains("hello"), "{}", one.inspect);
    }
    assert!(chatty.inspect.contains("GREETING"), "{}", chatty.inspect);
    assert_eq!(bench.engine.gather(&bench.pool, &ClusterId::random()).await, Ok(vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_ended_for_want_of_memory_says_so() {
    let bench = Bench::new().await;
    let greedy = "exec /bin/busybox dd if=/dev/zero of=/dev/null bs=400M count=1";
    let mut greedy = service(&bench, 0, "vp0", greedy);
    greedy.restart = RestartPolicy::No;
    let project = Project { services: vec![greedy], ..project(&bench, 0) };
    bench.up(&project, 0).await.unwrap();
    let cluster = bench.owner(0).cluster;
    let found = wait_until("it ended", async || {
        let found = bench.engine.gather(&bench.pool, &cluster).await.unwrap().remove(0);
        (found.state == NodeState::Exited, found)
    })
    .await;
    assert_eq!((found.oom_killed, found.exit_code), (true, Some(137)), "{found:?}");
}
