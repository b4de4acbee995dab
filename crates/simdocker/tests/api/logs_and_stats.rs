//! Logs in Docker's framing, statistics in Docker's shape.

use bollard::container::LogOutput;
use bollard::query_parameters::{LogsOptionsBuilder, StatsOptionsBuilder};
use futures_util::StreamExt;
use serde_json::json;

use crate::support::{act, docker, get, host, post};

async fn talker(host: &simdocker::SimHost) {
    let body = json!({
        "Image": "poolmanager/fabricsim:0.6",
        "Env": ["CORE_PEER_ID=vp0", "SIMDOCKER_STDOUT=one\ntwo", "SIMDOCKER_STDERR=oops"],
    });
    assert_eq!(post(host, "/containers/create?name=talker", body).await.0, 201);
    assert_eq!(act(host, "/containers/talker/start").await.0, 204);
}

#[tokio::test]
async fn lines_come_with_their_stream_their_time_and_only_the_last_ones_if_asked() {
    let host = host().await;
    talker(&host).await;
    let docker = docker(&host);
    let all = LogsOptionsBuilder::default().stdout(true).stderr(true).timestamps(true).build();
    let lines: Vec<LogOutput> = docker.logs("talker", Some(all)).map(Result::unwrap).collect().await;
    assert_eq!(lines.len(), 4);
    assert!(matches!(lines[1], LogOutput::StdOut { .. }) && matches!(lines[3], LogOutput::StdErr { .. }));
    let (time, text) = lines[1].to_string().split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert_eq!((time.len(), text.as_str()), ("2026-11-22T11:02:05.468617280Z".len(), "one\n"));
    let last = LogsOptionsBuilder::default().stdout(true).tail("2").build();
    let lines: Vec<LogOutput> = docker.logs("talker", Some(last)).map(Result::unwrap).collect().await;
    let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
    assert_eq!(text, ["two\n"], "the tail is counted over both streams");
}

#[tokio::test]
async fn a_follower_hears_new_lines_until_the_process_ends() {
    let host = host().await;
    talker(&host).await;
    let docker = docker(&host);
    let follow = LogsOptionsBuilder::default().stdout(true).follow(true).tail("0").build();
    let mut stream = docker.logs("talker", Some(follow));
    let heard = tokio::join!(stream.next(), async {
        crate::support::wait_until("the follower", async || {
            let calls = host.journal().calls();
            let open =
                calls.iter().any(|call| call.path.ends_with("/logs") && call.outcome != simdocker::Outcome::Pending);
            if open { Ok(()) } else { Err(format!("{calls:?}")) }
        })
        .await;
        assert!(host.print("talker", "three"));
    });
    assert_eq!(heard.0.unwrap().unwrap().to_string(), "three\n");
    assert_eq!(act(&host, "/containers/talker/stop").await.0, 204);
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn statistics_come_once_with_a_difference_and_as_a_stream() {
    let host = host().await;
    talker(&host).await;
    let docker = docker(&host);
    let once = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
    let sample = docker.stats("talker", Some(once)).next().await.unwrap().unwrap();
    let memory = sample.memory_stats.and_then(|memory| memory.usage).unwrap();
    assert!((5 << 20..6 << 20).contains(&memory), "{memory}");
    assert_eq!(sample.precpu_stats.and_then(|cpu| cpu.system_cpu_usage), None);
    let two = StatsOptionsBuilder::default().stream(false).one_shot(false).build();
    let sample = docker.stats("talker", Some(two)).next().await.unwrap().unwrap();
    let used =
        |cpu: Option<bollard::models::ContainerCpuStats>| cpu.and_then(|cpu| cpu.cpu_usage?.total_usage).unwrap();
    assert!(used(sample.cpu_stats) > used(sample.precpu_stats));
    let three: Vec<_> = docker.stats("talker", None).take(3).collect().await;
    assert!(three.iter().all(Result::is_ok));
    assert_eq!(act(&host, "/containers/talker/stop").await.0, 204);
    let (_, stopped) = get(&host, "/containers/talker/stats?stream=false&one-shot=true").await;
    assert_eq!(stopped["read"], "0001-01-01T00:00:00Z");
    assert_eq!(stopped["memory_stats"], json!({}));
}
