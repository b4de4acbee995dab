//! The command: prints its URLs, answers, ends on SIGTERM.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::request;

#[tokio::test]
async fn it_prints_its_urls_answers_and_ends_on_sigterm() {
    let address = simdocker::SimOptions::fresh().address;
    let mut child = Command::new(env!("CARGO_BIN_EXE_simdocker"))
        .args(["--listen", &format!("tcp://{address}:0"), "--hosts", "2", "--latency", "1ms"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(2);
    let urls: Vec<String> = lines.map(Result::unwrap).collect();
    for url in &urls {
        let at = url.strip_prefix("tcp://").unwrap().parse().unwrap();
        assert_eq!(request(at, "GET", "/_ping", None).await.unwrap().0, 200);
    }
    assert_ne!(urls[0], urls[1]);
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn help_and_wrong_arguments() {
    let help = Command::new(env!("CARGO_BIN_EXE_simdocker")).arg("--help").output().unwrap();
    assert!(help.status.success());
    assert!(String::from_utf8_lossy(&help.stdout).contains("--latency"));
    let wrong = Command::new(env!("CARGO_BIN_EXE_simdocker")).args(["--latency", "soon"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}
