//! What the scripts of the deployment promise, each by itself; together they are tried by scripts/test-deployment.sh.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where and stop")]

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// The folder that the scripts are in.
fn top() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn make_certs(folder: &Path, arguments: &[&str]) -> Output {
    let script = top().join("scripts/make-certs.sh");
    Command::new(script).arg("--dir").arg(folder).args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs a text in bash with the functions that the scripts of the deployment share, in a folder of its own.
fn bash(folder: &Path, text: &str) -> Output {
    let libraries =
        "set -euo pipefail; for lib in lib deploy-lib certificates-lib; do . \"$TOP/scripts/$lib.sh\"; done";
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{libraries}\n{text}")]).env("TOP", top()).env("HOME", folder).current_dir(folder);
    command.stdin(Stdio::null()).output().unwrap()
}

fn openssl(arguments: &[&str]) -> String {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn a_key_that_is_not_its_certificates_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    assert!(make_certs(folder.path(), &["worker1", "192.0.2.7"]).status.success());
    // As a run leaves it that ends between the two.
    let (key, certificate) = (folder.path().join("worker1/server-key.pem"), folder.path().join("worker1/server.pem"));
    std::fs::remove_file(&key).unwrap();
    std::fs::copy(folder.path().join("client-key.pem"), &key).unwrap();
    let again = make_certs(folder.path(), &["worker1", "192.0.2.7"]);
    assert!(said(&again).contains("Made "), "{}", said(&again));
    let of_key = openssl(&["pkey", "-in", path(&key), "-pubout"]);
    assert_eq!(openssl(&["x509", "-in", path(&certificate), "-noout", "-pubkey"]), of_key);
    let third = make_certs(folder.path(), &["worker1", "192.0.2.7"]);
    assert!(!said(&third).contains("Made "), "{}", said(&third));
}

#[test]
fn no_certificate_outlives_its_ca() {
    let folder = tempfile::tempdir().unwrap();
    assert!(make_certs(folder.path(), &["worker1"]).status.success());
    let refused = make_certs(folder.path(), &["--days", "4000", "worker2"]);
    assert!(!refused.status.success());
    assert!(said(&refused).contains("--days 36"), "{}", said(&refused));
    assert!(!folder.path().join("worker2/server.pem").exists());
}

#[test]
fn what_openssl_refuses_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    assert!(make_certs(folder.path(), &["worker1"]).status.success());
    let key = folder.path().join("ca-key.pem");
    std::fs::remove_file(&key).unwrap();
    std::fs::copy(folder.path().join("client-key.pem"), &key).unwrap();
    let refused = make_certs(folder.path(), &["worker2"]);
    assert!(!refused.status.success());
    assert!(said(&refused).contains("do not match"), "{}", said(&refused));
}

#[test]
fn nginx_is_given_a_pair_by_links_and_never_one_that_does_not_match() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    assert!(make_certs(&at("made"), &["pool.example.org"]).status.success());
    std::fs::create_dir_all(at("live")).unwrap();
    std::fs::write(at(".env"), "TLS_CERTIFICATES=live\n").unwrap();
    for (link, file) in [("fullchain", "server"), ("privkey", "server-key")] {
        std::os::unix::fs::symlink(format!("../made/pool.example.org/{file}.pem"), at(&format!("live/{link}.pem")))
            .unwrap();
    }
    let taken = bash(folder.path(), "take_certificates");
    assert!(taken.status.success(), "{}", said(&taken));
    let copy = at("secrets/nginx/server.pem");
    let whole = std::fs::read_to_string(&copy).unwrap();
    assert!(whole.contains("PRIVATE KEY") && whole.contains("BEGIN CERTIFICATE"), "{whole}");
    openssl(&["x509", "-in", path(&copy), "-noout"]);

    std::fs::remove_file(at("live/privkey.pem")).unwrap();
    std::fs::copy(at("made/client-key.pem"), at("live/privkey.pem")).unwrap();
    let refused = bash(folder.path(), "take_certificates");
    assert!(!refused.status.success() && said(&refused).contains("do not belong together"), "{}", said(&refused));
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), whole);
}

#[test]
fn what_is_waited_for_ends_with_ctrl_c() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
        set -euo pipefail
        . "$TOP/scripts/lib.sh"
        trap 'echo left' EXIT
        with_progress "a long one" log sh -c 'sleep 600 & echo $! >child.new && mv child.new child && wait'
    "#;
    // Who started this test may ignore Ctrl-C, as whatever runs in the background of a script does, and all below it would, too.
    let mut command = Command::new("env");
    command.args(["--default-signal=INT", "bash", "-c", text]).env("TOP", top()).env("HOME", folder.path());
    command.current_dir(folder.path());
    let mut script = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
    let child = folder.path().join("child");
    let begun = std::time::Instant::now();
    while !child.exists() {
        assert!(begun.elapsed().as_secs() < 20, "it did not begin");
        std::thread::yield_now();
    }
    let child = std::fs::read_to_string(child).unwrap();
    let interrupt = Command::new("kill").args(["-INT", &script.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    let line = BufReader::new(script.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    assert_eq!(line, "left", "what the caller does at its end is done");
    let status = script.wait().unwrap();
    assert!(status.code() == Some(130) || status.signal() == Some(2), "{status}");
    // It was told to end; somebody else takes it away.
    let child = Path::new("/proc").join(child.trim());
    while child.exists() {
        assert!(begun.elapsed().as_secs() < 40, "what it started still runs");
        std::thread::yield_now();
    }
}
