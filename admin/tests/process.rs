//! The program itself: how it starts, what it tells whoever starts it, and how it ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails, helpers included")]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

const PROGRAM: &str = env!("CARGO_BIN_EXE_poolmanager-admin");

fn command(data: &Path, settings: &[(&str, &str)]) -> Command {
    let mut command = Command::new(PROGRAM);
    command.env_clear().env("DATA_DIR", data).env("ADMIN_PORT", "0").envs(settings.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

struct Running {
    child: Child,
    url: String,
    log: BufReader<ChildStdout>,
}

/// A test that fails leaves no process behind.
impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Running {
    /// Starts it and waits for the line that says where it serves.
    fn start(data: &Path, settings: &[(&str, &str)]) -> Running {
        let mut child = command(data, settings).spawn().unwrap();
        let log = BufReader::new(child.stdout.take().unwrap());
        let mut running = Running { child, url: String::new(), log };
        let mut line = String::new();
        while running.log.read_line(&mut line).unwrap() > 0 {
            if let Some((_, rest)) = line.split_once("serves at ") {
                running.url = rest.split_whitespace().next().unwrap().to_owned();
                return running;
            }
            line.clear();
        }
        panic!("it ended: {}", running.told());
    }

    fn told(&mut self) -> String {
        let mut told = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        told
    }

    /// Sends SIGTERM; what it wrote to stderr, and whether it ended well.
    fn stop(mut self) -> (String, bool) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let deadline = Instant::now() + Duration::from_secs(20);
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::yield_now();
        };
        (self.told(), status.success())
    }
}

fn run(data: &Path, settings: &[(&str, &str)], args: &[&str]) -> Output {
    command(data, settings).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_generated_password_is_told_at_the_first_start_only_and_a_stop_is_clean() {
    let data = tempfile::tempdir().unwrap();
    let first = Running::start(data.path(), &[]);
    let port = first.url.rsplit(':').next().unwrap().to_owned();
    let health = run(data.path(), &[("ADMIN_PORT", &port)], &["healthcheck"]);
    assert!(health.status.success(), "{}", text(&health.stderr));
    let (told, well) = first.stop();
    assert!(well, "{told}");
    assert!(told.contains("First login: admin / "), "{told}");

    let (told, well) = Running::start(data.path(), &[]).stop();
    assert!(well);
    assert_eq!(told, "", "nothing is told twice");
    let dead = run(data.path(), &[("ADMIN_PORT", &port)], &["healthcheck"]);
    assert_eq!(dead.status.code(), Some(1));
}

#[test]
fn a_password_that_was_chosen_is_not_shown() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("ADMIN_USERNAME", "root"), ("ADMIN_PASSWORD", "chosen-by-hand"), ("DEBUG", "True")];
    let (told, well) = Running::start(data.path(), &settings).stop();
    assert!(well);
    assert!(!told.contains("chosen-by-hand") && !told.contains("First login"), "{told}");
}

#[test]
fn wrong_arguments_and_wrong_settings_end_with_2_and_say_why() {
    let data = tempfile::tempdir().unwrap();
    let wrong = run(data.path(), &[], &["--port", "80"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(text(&wrong.stderr).contains("Usage: poolmanager-admin"));
    let wrong = run(data.path(), &[("LOG_LEVEL", "loud")], &[]);
    assert_eq!(wrong.status.code(), Some(2));
    let why = text(&wrong.stderr);
    assert!(why.contains("LOG_LEVEL") && why.contains("loud"), "{why}");
    let small = run(data.path(), &[("CLUSTER_PORTS_PER_SLOT", "10")], &[]);
    let why = text(&small.stderr);
    assert_eq!(small.status.code(), Some(2), "{why}");
    assert!(why.contains("CLUSTER_PORTS_PER_SLOT (10)") && why.contains("-6"), "{why}");
    let version = run(data.path(), &[], &["--version"]);
    assert!(version.status.success());
    assert_eq!(text(&version.stdout).trim(), format!("poolmanager-admin {}", env!("CARGO_PKG_VERSION")));
    assert!(text(&run(data.path(), &[], &["--help"]).stdout).contains("ADMIN_PASSWORD"));
}

#[test]
fn a_second_admin_on_the_same_file_is_told_so() {
    let data = tempfile::tempdir().unwrap();
    let first = Running::start(data.path(), &[]);
    let second = run(data.path(), &[], &[]);
    assert_eq!(second.status.code(), Some(1));
    assert!(!text(&second.stderr).contains("panicked"), "{}", text(&second.stderr));
    let (_, well) = first.stop();
    assert!(well);
}

/// Beside a running admin, whose store it shares.
#[test]
fn tokens_are_made_listed_and_revoked_by_a_command() {
    let data = tempfile::tempdir().unwrap();
    let admin = Running::start(data.path(), &[]);
    let token = |args: &[&str]| {
        let mut all = vec!["token"];
        all.extend(args);
        run(data.path(), &[], &all)
    };
    let made = token(&["create", "--user", "alice", "--expires", "90d", "--leases", "2"]);
    let (text_of, words) = (text(&made.stdout), text(&made.stderr));
    assert!(made.status.success(), "{words}");
    assert!(common::model::TokenText::parse(text_of.trim()).is_some(), "nothing but the token: {text_of:?}");
    assert!(words.contains("for user alice; it expires 2") && !words.contains("pm_"), "{words}");
    let service = token(&["create", "--service", "web", "--expires", "never"]);
    assert!(text(&service.stderr).contains("for a service; it never expires"));
    let listed = text(&token(&["list"]).stdout);
    let lines: Vec<Vec<&str>> = listed.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 2, "{listed}");
    assert_eq!(lines[0][1..4], ["live", "service", "web"]);
    assert_eq!(lines[1][1..3], ["live", "user alice"]);
    let id = lines[1][0];
    for _ in 0..2 {
        assert!(token(&["revoke", id]).status.success());
    }
    let hers = text(&token(&["list", "--user", "alice"]).stdout);
    assert!(hers.lines().count() == 1 && hers.contains("revoked"), "{hers}");

    for (args, says) in [
        (&["create"][..], "--user"),
        (&["create", "--user", "a", "--service", "b"], "cannot be used with"),
        (&["create", "--user", ""], "user: must not be empty"),
        (&["create", "--user", "a", "--expires", "soon"], "expires: must be"),
        (&["revoke", "nonsense"], "is not an id"),
        (&["revoke", "0123456789abcdef01234567"], "no such token"),
    ] {
        let refused = token(args);
        assert!(
            !refused.status.success() && text(&refused.stderr).contains(says),
            "{args:?}: {}",
            text(&refused.stderr)
        );
    }
    let (_, well) = admin.stop();
    assert!(well);
}

#[test]
fn an_operator_who_lost_her_password_gets_one_by_a_command() {
    let data = tempfile::tempdir().unwrap();
    let settings = [("ADMIN_USERNAME", "olga"), ("ADMIN_PASSWORD", "the one she lost")];
    let admin = Running::start(data.path(), &settings);
    let reset = |name: &str| run(data.path(), &[], &["operator", "reset", name]);
    let made = reset("olga");
    let (password, words) = (text(&made.stdout), text(&made.stderr));
    assert!(made.status.success(), "{words}");
    assert!(password.trim().len() >= 20 && !words.contains(password.trim()), "{words}");
    let ask = |head: &str, body: &str| {
        let host = admin.url.strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(host).unwrap();
        let length = body.len();
        let rest = format!("Host: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
        write!(stream, "{head}\r\n{rest}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let sign_in = |password: &str| {
        let body = format!(r#"{{"username":"olga","password":"{password}"}}"#);
        ask("POST /api/v1/session HTTP/1.1\r\nContent-Type: application/json", &body)
    };
    assert!(sign_in("the one she lost").starts_with("HTTP/1.1 401"));
    let answer = sign_in(password.trim());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next()).unwrap();
    let answer = ask(&format!("GET /api/v1/hosts HTTP/1.1\r\nCookie: {cookie}"), "");
    assert!(answer.starts_with("HTTP/1.1 403") && answer.contains("password"), "she has to choose one: {answer}");
    let nobody = reset("nobody");
    assert!(!nobody.status.success() && text(&nobody.stderr).contains("no such operator"), "{}", text(&nobody.stderr));
    let (_, well) = admin.stop();
    assert!(well);
}
