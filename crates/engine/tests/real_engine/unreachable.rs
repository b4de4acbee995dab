//! Rules of daemons that are not there.

use std::time::{Duration, Instant};

use common::model::DaemonUrl;
use engine::{Engine, EngineError, deadline};

fn url(text: &str) -> DaemonUrl {
    DaemonUrl::parse(text).unwrap()
}

#[tokio::test]
async fn a_refused_connection_says_so() {
    // Bound and dropped: nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = Engine::connect(&url(&format!("tcp://127.0.0.1:{port}"))).await.expect_err("nobody listens");
    assert_eq!(error.to_string(), format!("tcp://127.0.0.1:{port} cannot be reached: connection refused"));
}

#[tokio::test]
async fn a_missing_socket_says_so_and_so_does_a_dead_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("docker.sock");
    let address = format!("unix://{}", path.display());
    let error = Engine::connect(&url(&address)).await.expect_err("there is no socket");
    assert_eq!(error.to_string(), format!("{address} cannot be reached: no such file or directory"));

    // A socket whose daemon died.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let error = Engine::connect(&url(&address)).await.expect_err("nobody listens");
    assert_eq!(error.to_string(), format!("{address} cannot be reached: connection refused"));
}

#[tokio::test]
async fn a_name_that_nobody_has_says_so() {
    let error = Engine::connect(&url("tcp://no-such-host.invalid:2375")).await.expect_err("there is no such host");
    assert!(matches!(&error, EngineError::Unreachable { reason, .. } if reason.contains("lookup")), "{error}");
}

#[tokio::test]
async fn a_silent_server_is_given_up_within_the_deadline() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("tcp://{}", silent.local_addr().unwrap());
    let begin = Instant::now();
    let error = Engine::connect(&url(&address)).await.expect_err("it never answers");
    assert_eq!(error, EngineError::Timeout { what: "connecting to the daemon".to_owned(), after: deadline::CONNECT });
    assert!(begin.elapsed() < deadline::CONNECT + Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_server_that_is_no_docker_is_no_engine() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    for says in ["200 OK\r\ncontent-length: 5\r\n\r\nhello", "404 Not Found\r\ncontent-length: 0\r\n\r\n"] {
        let other = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", other.local_addr().unwrap());
        let serve = tokio::spawn(async move {
            let (mut stream, _) = other.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await;
            stream.write_all(format!("HTTP/1.1 {says}").as_bytes()).await.unwrap();
        });
        let error = Engine::connect(&url(&address)).await.expect_err("it speaks no Docker");
        assert_eq!(error.to_string(), format!("{address} cannot be reached: what answers there is no Docker engine"));
        serve.await.unwrap();
    }
}
