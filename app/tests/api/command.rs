//! The program itself: its arguments, how it starts, what it says, how it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

fn program(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_poolmanager-app"));
    command.env_clear().envs(variables.iter().copied());
    command
}

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    program(variables).args(arguments).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A running program and its address; ended with the test.
struct Running {
    child: Child,
    address: String,
    log: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(folder: &std::path::Path, variables: &[(&str, &str)]) -> Running {
        let (running, line) = Running::begin(folder, variables);
        assert!(line.contains("AUTH=open") && line.contains("believed"), "{line}");
        running
    }

    /// With the line that tells its address.
    fn begin(folder: &std::path::Path, variables: &[(&str, &str)]) -> (Running, String) {
        let data = folder.to_str().unwrap();
        let mut child =
            program(variables).env("DATA_DIR", data).env("APP_PORT", "0").stdout(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("http://") {
            line.clear();
            assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended before it served");
        }
        let address = line.split("http://").nth(1).unwrap().split(';').next().unwrap().to_owned();
        (Running { child, address, log }, line)
    }

    fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.child.id().try_into().unwrap()), signal).unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn help_and_version_are_told_and_wrong_arguments_are_exit_2() {
    let help = run(&["--help"], &[]);
    assert!(help.status.success() && String::from_utf8_lossy(&help.stdout).contains("healthcheck"));
    let version = run(&["--version"], &[]);
    assert!(String::from_utf8_lossy(&version.stdout).contains(env!("CARGO_PKG_VERSION")));
    for wrong in [&["--nonsense"][..], &["serve"], &["healthcheck", "x"]] {
        let output = run(wrong, &[]);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}");
        assert!(!output.stderr.is_empty());
    }
}

#[test]
fn a_wrong_value_is_exit_2_with_one_plain_sentence() {
    for (name, value, says) in [
        ("APP_PORT", "x", "APP_PORT must be a whole number from 0 to 65535; the environment has \"x\""),
        ("AUTH", "none", "AUTH must be tokens or open"),
        ("USER_LEASES_MAX", "many", "USER_LEASES_MAX must be a whole number"),
        ("POOLMANAGER_CONFIG_FILE", "/no/such/file", "/no/such/file"),
        ("MONGO_URL", "mongodb://m", "INTERNAL_SECRET must be set"),
    ] {
        let output = run(&[], &[(name, value)]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_exit_1_and_named() {
    let output = run(&[], &[("DATA_DIR", "/dev/null/x"), ("APP_PORT", "0")]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("/dev/null/x"), "{}", stderr(&output));
}

#[test]
fn a_port_that_is_taken_is_exit_1_and_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let output = run(&[], &[("DATA_DIR", data), ("APP_PORT", &port)]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains(&port) && stderr(&output).contains("APP_PORT"), "{}", stderr(&output));
}

#[test]
fn it_serves_answers_its_health_check_and_ends_cleanly_on_a_signal() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let folder = tempfile::tempdir().unwrap();
        let mut running = Running::start(folder.path(), &[]);
        let port = running.address.rsplit(':').next().unwrap().to_owned();
        let check = run(&["healthcheck"], &[("APP_PORT", &port)]);
        assert!(check.status.success(), "{}", stderr(&check));
        assert!(folder.path().join("internal-secret").exists() && folder.path().join("poolmanager.db").exists());
        running.signal(signal);
        assert!(running.child.wait().unwrap().success());
        let rest: Vec<String> = running.log.by_ref().lines().map(Result::unwrap).collect();
        assert!(rest.iter().any(|line| line.contains("stopped")), "{rest:?}");
        let check = run(&["healthcheck"], &[("APP_PORT", &port)]);
        assert_eq!(check.status.code(), Some(1));
    }
}

#[test]
fn the_log_can_be_json() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), &[("LOG_FORMAT", "json")]);
    running.signal(Signal::SIGTERM);
    let mut running = running;
    for line in running.log.by_ref().lines() {
        let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        assert!(line["message"].is_string());
    }
    assert!(running.child.wait().unwrap().success());
}

#[test]
fn a_request_under_way_is_answered_when_the_program_is_told_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(folder.path(), &[]);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mut stream = tokio::net::TcpStream::connect(&running.address).await.unwrap();
        // Half a request: its body comes after the signal.
        stream
            .write_all(b"POST /v2/cluster_apply HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n")
            .await
            .unwrap();
        let mut begun = [0; 12];
        stream.read_exact(&mut begun).await.unwrap();
        assert_eq!(&begun, b"HTTP/1.1 100");
        running.signal(Signal::SIGTERM);
        let mut line = String::new();
        while !line.contains("stopping") {
            line.clear();
            assert_ne!(running.log.read_line(&mut line).unwrap(), 0);
        }
        stream.write_all(b"{\"user_id\": \"al\"}").await.unwrap();
        let mut answer = String::new();
        tokio::time::timeout(Duration::from_secs(10), stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        assert!(answer.contains("No available res for al"), "{answer}");
    });
    assert!(running.child.wait().unwrap().success());
}

/// Whatever the log is asked to tell.
#[test]
fn a_token_in_the_query_is_in_no_line_of_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("AUTH", "tokens"), ("LOG_LEVEL", "trace"), ("DEBUG", "True")];
    let (mut running, line) = Running::begin(folder.path(), &settings);
    assert!(line.contains("AUTH=tokens") && !line.contains("believed"), "{line}");
    let token = common::model::TokenText::random();
    let text = token.expose();
    let url = |path: &str| format!("http://{}{path}{text}", running.address);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        for path in ["/v2/clusters?access_token=", "/v1/cluster_apply?access_token=", "/nothing?access_token="] {
            assert!(client.get(url(path)).send().await.unwrap().status().is_client_error());
        }
        let bearer = client.get(url("/v2/clusters?x=")).bearer_auth(text);
        assert_eq!(bearer.send().await.unwrap().status(), 401);
    });
    running.signal(Signal::SIGTERM);
    assert!(running.child.wait().unwrap().success());
    let log: Vec<String> = running.log.by_ref().lines().map(Result::unwrap).collect();
    assert!(log.iter().any(|line| line.contains("answered") && line.contains("/v2/clusters")), "{log:?}");
    assert!(log.iter().all(|line| !line.contains("pm_")), "{log:?}");
}
