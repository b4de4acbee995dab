//! Rules of bringing a project up and down.

use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bollard::query_parameters::{InspectContainerOptions, ListVolumesOptions};
use common::compose::{Condition, HealthCheck, NetworkSpec, Project, RestartPolicy};
use common::model::{NodeState, Slot};
use engine::{ContainerHealth, EngineError, Progress, UpLimits};

use crate::bench::{Bench, wait_until};
use crate::spec::{FOREVER, node, project, service, three, two};

async fn get(port: u16) -> Result<String, std::io::Error> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    stream.write_all(b"GET /index.html HTTP/1.0\r\n\r\n").await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_project_comes_up_in_order_answers_and_goes_without_a_trace() {
    let bench = Bench::new().await;
    let project = three(&bench, 1);
    let ids = bench.up(&project, 1).await.unwrap();
    assert_eq!(ids.keys().map(|node| node.as_str()).collect::<Vec<_>>(), ["db", "seed", "web"]);
    wait_until("web answers", async || {
        let answer = get(bench.port(1, 0)).await;
        (answer.as_ref().is_ok_and(|text| text.contains("200 OK") && text.contains("fine")), answer)
    })
    .await
    .unwrap();

    let survey = bench.survey().await;
    let found = &survey.ours[0];
    assert_eq!((found.slot, &found.cluster), (Slot(1), &bench.owner(1).cluster));
    let state = |name: &str| found.containers.iter().find(|c| c.node == Some(node(name))).unwrap();
    assert_eq!((state("seed").state, state("seed").exit_code), (NodeState::Exited, Some(0)));
    assert_eq!((state("db").state, state("db").health), (NodeState::Running, Some(ContainerHealth::Healthy)));
    assert_eq!((state("web").state, state("web").health), (NodeState::Running, None));
    assert_eq!(found.networks.len(), 1);
    let db = bench.docker.inspect_container(&ids[&node("db")], None::<InspectContainerOptions>).await.unwrap();
    let anonymous = db.mounts.unwrap()[0].name.clone().unwrap();
    let named = project.volumes[0].name.clone();
    assert_eq!(found.volumes, [named, anonymous.clone()]);

    let removed = bench.down(1).await.unwrap();
    assert_eq!((removed.containers.len(), removed.networks.len(), removed.volumes.len()), (3, 1, 1));
    bench.assert_clean().await;
    let volumes = bench.docker.list_volumes(None::<ListVolumesOptions>).await.unwrap().volumes.unwrap_or_default();
    assert!(!volumes.iter().any(|volume| volume.name == anonymous), "the anonymous volume {anonymous} is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn up_again_changes_nothing_and_does_no_job_twice() {
    let bench = Bench::new().await;
    let project = three(&bench, 0);
    let first = bench.up(&project, 0).await.unwrap();
    let finished = async |id: &str| {
        let seen = bench.docker.inspect_container(id, None::<InspectContainerOptions>).await.unwrap();
        seen.state.unwrap().finished_at
    };
    let before = finished(&first[&node("seed")]).await;
    assert_eq!(bench.up(&project, 0).await.unwrap(), first);
    assert_eq!(finished(&first[&node("seed")]).await, before);
    bench.down(0).await.unwrap();
    let nothing = bench.down(0).await.unwrap();
    assert_eq!(nothing, engine::Removed::default());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_service_is_made_anew_and_the_others_stay() {
    let bench = Bench::new().await;
    let mut project = two(&bench, 0);
    let first = bench.up(&project, 0).await.unwrap();
    project.services[1].config_hash = "another".to_owned();
    let second = bench.up(&project, 0).await.unwrap();
    assert_eq!(first[&node("vp0")], second[&node("vp0")]);
    assert_ne!(first[&node("vp1")], second[&node("vp1")]);
    assert_eq!(bench.survey().await.ours[0].containers.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_on_two_networks_gets_both_also_when_the_second_was_lost() {
    let bench = Bench::new().await;
    let mut project = two(&bench, 0);
    project.networks.push(NetworkSpec {
        key: "back".to_owned(),
        name: format!("{}_back", project.name),
        subnet: bench.layout.subnet(Slot(3)),
        internal: true,
        ..project.networks[0].clone()
    });
    project.services[0].networks.insert("back".to_owned(), vec!["vp0".to_owned()]);
    let ids = bench.up(&project, 0).await.unwrap();
    let vp0 = &ids[&node("vp0")];
    let networks = async || {
        let seen = bench.docker.inspect_container(vp0, None::<InspectContainerOptions>).await.unwrap();
        let mut names: Vec<_> = seen.network_settings.unwrap().networks.unwrap().into_keys().collect();
        names.sort();
        names
    };
    let both = [format!("{}_back", project.name), format!("{}_net", project.name)];
    assert_eq!(networks().await, both);
    bench.disconnect(vp0, &both[0]).await;
    assert_eq!(bench.up(&project, 0).await.unwrap(), ids);
    assert_eq!(networks().await, both);
    bench.down(0).await.unwrap();
    bench.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_that_vanishes_before_its_container_is_made_comes_back_as_ours() {
    let bench = Bench::new().await;
    let project = two(&bench, 0);
    let (volume, container) = (&project.volumes[0].name, &project.services[0].container_name);
    let report = |progress: Progress| {
        if progress == (Progress::Creating { name: container.clone() }) {
            let removed = Command::new("docker").args(["volume", "rm", volume]).output().unwrap();
            assert!(removed.status.success(), "{removed:?}");
        }
    };
    bench.engine.up(&project, &bench.owner(0), &UpLimits::default(), &|| Ok(()), &report).await.unwrap();
    assert_eq!(bench.survey().await.ours[0].volumes, [volume.as_str()]);
    assert_eq!(bench.down(0).await.unwrap().volumes, [volume.as_str()]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_fails_is_told_with_its_code_and_last_words() {
    let bench = Bench::new().await;
    let mut job = service(&bench, 0, "job", "echo preparing; echo no genesis block >&2; exit 3");
    job.restart = RestartPolicy::No;
    let mut peer = service(&bench, 0, "peer", FOREVER);
    peer.depends_on.insert(node("job"), Condition::CompletedSuccessfully);
    let project = Project { services: vec![job, peer], ..project(&bench, 0) };
    match bench.up(&project, 0).await {
        Err(EngineError::Ended { node, code: 3, last_log }) => {
            assert_eq!(node, "job");
            assert!(last_log.contains("no genesis block"), "{last_log}");
        }
        other => panic!("{other:?}"),
    }
    bench.down(0).await.unwrap();
    bench.assert_clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_for_health_ends_with_the_projects_own_deadline() {
    let bench = Bench::new().await;
    let mut sick = service(&bench, 0, "sick", FOREVER);
    sick.healthcheck = Some(HealthCheck {
        test: ["CMD", "/bin/busybox", "false"].map(str::to_owned).to_vec(),
        interval: Some(Duration::from_millis(200)),
        timeout: Some(Duration::from_secs(5)),
        retries: Some(1),
        start_period: None,
    });
    let mut peer = service(&bench, 0, "peer", FOREVER);
    peer.depends_on.insert(node("sick"), Condition::Healthy);
    let services = vec![sick, peer];
    let project = Project { services, create_within: Duration::from_secs(3), ..project(&bench, 0) };
    let error = bench.up(&project, 0).await.expect_err("it never becomes healthy");
    assert_eq!(error.to_string(), "sick becoming healthy took longer than 3 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_containers_start_at_once_than_allowed() {
    let bench = Bench::new().await;
    let services = (0..6).map(|nth| service(&bench, 0, &format!("vp{nth}"), FOREVER)).collect();
    let project = Project { services, ..project(&bench, 0) };
    let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let told = Mutex::new(Vec::new());
    let report = |progress: Progress| {
        match &progress {
            Progress::Starting { .. } => {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            }
            Progress::Started { .. } => {
                now.fetch_sub(1, Ordering::SeqCst);
            }
            _ => {}
        }
        told.lock().unwrap().push(progress);
    };
    let limits = UpLimits::new(2);
    bench.engine.up(&project, &bench.owner(0), &limits, &|| Ok(()), &report).await.unwrap();
    assert_eq!(most.load(Ordering::SeqCst), 2);
    let samples = limits.take_samples();
    assert_eq!(samples.len(), project.services.len());
    assert!(samples.iter().all(|sample| (1..=2).contains(&sample.at_once)), "{samples:?}");
    let told = told.into_inner().unwrap();
    let creating = |name: &String| told.contains(&Progress::Creating { name: name.clone() });
    assert!(creating(&project.networks[0].name) && creating(&project.services[5].container_name), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn compose_finds_our_projects_by_its_own_labels() {
    let bench = Bench::new().await;
    let mut project = two(&bench, 2);
    project.services[0].command[3] = format!("echo a word from vp0; {FOREVER}");
    let ids = bench.up(&project, 2).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("docker-compose.yml");
    let service = format!("{{image: \"{}\"}}", bench.image);
    std::fs::write(&file, format!("version: '3'\nservices: {{vp0: {service}, vp1: {service}}}\n")).unwrap();
    let ask = |words: &[&str]| compose(&file, &project.name, words);

    let listed = ask(&["ps", "-q"]);
    let mut listed: Vec<_> = listed.split_whitespace().collect();
    listed.sort_unstable();
    let mut expected: Vec<_> = ids.values().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(listed, expected);
    wait_until("compose shows what vp0 says", async || {
        let logs = ask(&["logs", "vp0"]);
        (logs.contains("a word from vp0"), logs)
    })
    .await;
    ask(&["stop", "-t", "1", "vp1"]);
    let found = bench.survey().await.ours.remove(0);
    let state = |name: &str| found.containers.iter().find(|c| c.node == Some(node(name))).unwrap().state;
    assert_eq!((state("vp0"), state("vp1")), (NodeState::Running, NodeState::Exited));
}

/// Asks the Compose tool, whichever generation there is.
fn compose(file: &Path, project: &str, words: &[&str]) -> String {
    let plugin = Command::new("docker").args(["compose", "version"]).output().is_ok_and(|done| done.status.success());
    let mut command = if plugin { Command::new("docker") } else { Command::new("docker-compose") };
    if plugin {
        command.arg("compose");
    }
    let done = command.arg("-f").arg(file).args(["-p", project]).args(words).output().unwrap_or_else(|error| {
        panic!("this test asks the Compose tool, and {error}; ./scripts/real-parts.sh installs one")
    });
    assert!(done.status.success(), "{words:?}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}
