//! Hosts whose daemon speaks TLS, told on a real second dockerd that asks for client certificates.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

use std::process::Command;
use std::time::Duration;

use common::clock::Pace;
use common::model::DaemonUrl;
use e2e::program::{Environment, Program};
use e2e::tls_engine::{Certs, TlsEngine};
use engine::{Credentials, Engine, Part, Pem};
use serde_json::{Value, json};

fn parse(certs: &Certs) -> Credentials {
    Credentials::parse(Pem { ca: &certs.ca, certificate: &certs.certificate, key: &certs.key }).unwrap()
}

async fn refusal(url: &DaemonUrl, certs: Option<&Certs>) -> String {
    let credentials = certs.map(parse);
    Engine::connect_as(url, credentials.as_ref(), Pace::ORDINARY).await.unwrap_err().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_is_reached_with_its_credentials_and_what_is_wrong_with_others_is_said() {
    let mut daemon = TlsEngine::start().unwrap();
    let (good, stranger) = (daemon.certs().unwrap(), daemon.stranger().unwrap());
    let url = DaemonUrl::parse(&daemon.url()).unwrap();
    let engine = Engine::connect_as(&url, Some(&parse(&good)), Pace::ORDINARY).await.unwrap();
    assert!(!engine.info().await.unwrap().id.is_empty());
    engine.ping().await.unwrap();

    let said = refusal(&url, None).await;
    assert!(said.contains("speaks TLS there"), "{said}");
    let said = refusal(&url, Some(&Certs { ca: stranger.ca.clone(), ..good.clone() })).await;
    assert!(said.contains("not of the CA that this host was given"), "{said}");
    let said = refusal(&url, Some(&Certs { ca: good.ca.clone(), ..stranger.clone() })).await;
    assert!(said.contains("does not accept our certificate"), "{said}");
    daemon.rename("another-name").unwrap();
    let said = refusal(&url, Some(&good)).await;
    assert!(said.contains("not for the name or address in the daemon URL"), "{said}");
    // Where plain Docker is spoken, or anything else.
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = DaemonUrl::parse(&format!("tcp://{}", plain.local_addr().unwrap())).unwrap();
    std::thread::spawn(move || {
        for stream in plain.incoming() {
            let _ = std::io::Write::write_all(&mut stream.unwrap(), b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let said = refusal(&at, Some(&good)).await;
    assert!(said.contains("does not speak TLS"), "{said}");
}

#[test]
fn what_cannot_be_credentials_is_refused_at_the_field() {
    let folder = tempfile::tempdir().unwrap();
    let make = |name: &str, more: &[&str]| {
        let at = folder.path().join(name);
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/make-certs.sh");
        let out = Command::new(script).arg("--dir").arg(&at).args(more).arg("host").output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        let read = |file: &str| std::fs::read_to_string(at.join(file)).unwrap();
        (read("ca.pem"), read("client.pem"), read("client-key.pem"), read("host/server.pem"))
    };
    let (ca, certificate, key, server) = make("a", &["--days", "100"]);
    let (_, _, other_key, _) = make("b", &[]);
    let fault = |ca: &str, certificate: &str, key: &str| {
        let bad = Credentials::parse(Pem { ca, certificate, key }).err().unwrap();
        (bad[0].part, bad[0].reason.clone())
    };
    let cut: String = certificate.chars().take(300).collect();
    for (given, part, says) in [
        ((&ca, &certificate, &other_key), Part::Key, "does not belong"),
        ((&ca, &certificate, &certificate), Part::Key, "is a certificate"),
        ((&ca, &certificate, &String::new()), Part::Key, "is needed"),
        ((&ca, &certificate, &"-----BEGIN ENCRYPTED PRIVATE KEY-----".to_owned()), Part::Key, "has a passphrase"),
        ((&ca, &key, &key), Part::Certificate, "is a private key"),
        ((&ca, &ca, &key), Part::Certificate, "is a CA's"),
        ((&ca, &cut, &key), Part::Certificate, "is not whole"),
        ((&ca, &server, &key), Part::Certificate, "clientAuth"),
        ((&certificate, &certificate, &key), Part::Ca, "is no CA's"),
        ((&"hello".to_owned(), &certificate, &key), Part::Ca, "as PEM"),
    ] {
        let (found, reason) = fault(given.0, given.1, given.2);
        assert!(found == part && reason.contains(says), "{found:?} {reason}");
        assert!(!reason.contains(key.lines().nth(1).unwrap()), "a key is not quoted");
    }
    let good = Credentials::parse(Pem { ca: &ca, certificate: &certificate, key: &key }).unwrap();
    let now = common::clock::now();
    assert_eq!(good.faults(now), []);
    assert_eq!(good.certificate.subject, "CN=poolmanager");
    let (later, earlier) = (now + Duration::from_secs(101 * 86_400), now - Duration::from_secs(86_400));
    assert!(good.faults(later)[0].reason.contains("has expired"));
    assert!(good.faults(earlier)[0].reason.contains("is not valid before"));
}

/// An admin of our own, signed in by JSON.
struct Desk {
    url: String,
    http: reqwest::Client,
    cookie: String,
    token: String,
    admin: Program,
}

impl Desk {
    async fn open(folder: &std::path::Path, more: &[(&str, &str)]) -> Desk {
        let mut environment: Environment = [
            ("DATA_DIR", folder.join("data").to_str().unwrap()),
            ("ADMIN_PORT", "0"),
            ("ADMIN_PASSWORD", "correct horse battery"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
        environment.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        // One for each start: the first address in it is the one that counts.
        let log = folder.join(format!("admin-{}.log", rand::random::<u32>()));
        let mut admin = Program::start("poolmanager-admin", &[], &environment, &log).unwrap();
        let url = admin.address().await.unwrap();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let who = json!({"username": "admin", "password": "correct horse battery"});
        let answer = http.post(format!("{url}/api/v1/session")).json(&who).send().await.unwrap();
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let session: Value = answer.json().await.unwrap();
        let token = session["csrf_token"].as_str().or(session["csrf"].as_str()).unwrap().to_owned();
        Desk { url, http, cookie, token, admin }
    }

    async fn ask(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        request = request.header("cookie", &self.cookie).header("x-csrf-token", &self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap_or_default())
    }

    async fn until_state(&self, host: &str, state: &str) {
        let mut last = Value::Null;
        for _ in 0..300 {
            last = self.ask(reqwest::Method::GET, &format!("/api/v1/hosts/{host}"), None).await.1;
            if last["state"] == state {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("never {state}: {last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_are_kept_sealed_and_used_and_never_shown_again() {
    use reqwest::Method;
    let daemon = TlsEngine::start().unwrap();
    let (good, stranger) = (daemon.certs().unwrap(), daemon.stranger().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let (old_key, new_key) = ("1f".repeat(32), "2e".repeat(32));
    let host = |certs: Option<&Certs>| {
        let mut body = json!({"name": "w1", "daemon_url": daemon.url(), "capacity": 0});
        if let Some(certs) = certs {
            body["tls_ca"] = certs.ca.clone().into();
            body["tls_certificate"] = certs.certificate.clone().into();
            body["tls_key"] = certs.key.clone().into();
        }
        Some(body)
    };
    let secret = good.key.lines().nth(1).unwrap().to_owned();
    {
        let desk = Desk::open(folder.path(), &[]).await;
        let (status, said) = desk.ask(Method::POST, "/api/v1/hosts", host(Some(&good))).await;
        assert!(
            status == 422 && said["detail"].to_string().len() > 2 && said.to_string().contains("SEAL_KEY"),
            "{said}"
        );
    }
    let mut desk = Desk::open(folder.path(), &[("SEAL_KEY", &old_key)]).await;
    let (status, said) = desk.ask(Method::POST, "/api/v1/hosts", host(None)).await;
    assert!(status == 422 && said.to_string().contains("speaks TLS there"), "{said}");
    let (status, said) = desk.ask(Method::POST, "/api/v1/hosts", host(Some(&stranger))).await;
    assert!(status == 422 && said.to_string().contains("not of the CA"), "{said}");
    let (status, made) = desk.ask(Method::POST, "/api/v1/hosts", host(Some(&good))).await;
    assert_eq!(status, 201, "{made}");
    let id = made["id"].as_str().unwrap().to_owned();
    assert!(made["tls_until"].is_string() && !made.to_string().contains(&secret), "{made}");
    desk.until_state(&id, "active").await;
    let at = format!("/api/v1/hosts/{id}/tls");
    let (_, facts) = desk.ask(Method::GET, &at, None).await;
    assert_eq!(facts["certificate"]["subject"], "CN=poolmanager", "{facts}");

    // Others that do not work are refused, and change nothing.
    let wrong = json!({"tls_ca": good.ca, "tls_certificate": stranger.certificate, "tls_key": stranger.key});
    let (status, said) = desk.ask(Method::PUT, &at, Some(wrong.clone())).await;
    assert!(status == 422 && said.to_string().contains("does not accept our certificate"), "{said}");
    let mut kept = wrong;
    kept["untried"] = true.into();
    let (status, said) = desk.ask(Method::PUT, &at, Some(kept)).await;
    assert_eq!(status, 200, "{said}");
    desk.until_state(&id, "inactive").await;
    let right = json!({"tls_ca": good.ca, "tls_certificate": good.certificate, "tls_key": good.key});
    let (status, said) = desk.ask(Method::PUT, &at, Some(right)).await;
    assert_eq!(status, 200, "{said}");
    desk.until_state(&id, "active").await;
    let page =
        desk.http.get(format!("{}/hosts/{id}/tls", desk.url)).header("cookie", &desk.cookie).send().await.unwrap();
    let page = page.text().await.unwrap();
    assert!(page.contains("CN=poolmanager") && !page.contains(&secret), "{page}");
    desk.admin.end(Duration::from_secs(20)).await.unwrap();

    // The key is changed: what was sealed with the old one is sealed anew, and then the old one is not needed.
    let mut desk = Desk::open(folder.path(), &[("SEAL_KEY", &new_key), ("SEAL_KEY_OLD", &old_key)]).await;
    desk.until_state(&id, "active").await;
    desk.admin.end(Duration::from_secs(20)).await.unwrap();
    let mut desk = Desk::open(folder.path(), &[("SEAL_KEY", &new_key)]).await;
    desk.until_state(&id, "active").await;
    desk.admin.end(Duration::from_secs(20)).await.unwrap();
    let mut desk = Desk::open(folder.path(), &[]).await;
    desk.until_state(&id, "inactive").await;
    let (_, host) = desk.ask(Method::GET, &format!("/api/v1/hosts/{id}"), None).await;
    assert!(host["state_reason"].to_string().contains("SEAL_KEY is not set"), "{host}");
    desk.admin.end(Duration::from_secs(20)).await.unwrap();

    // Neither the log nor the store has it.
    let files = |folder: &std::path::Path| std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    for file in files(folder.path()).chain(files(&folder.path().join("data"))).filter(|path| path.is_file()) {
        let bytes = std::fs::read(&file).unwrap();
        for hidden in [&secret, &old_key, &new_key] {
            let is_there = bytes.windows(hidden.len()).any(|window| window == hidden.as_bytes());
            assert!(!is_there, "{}", file.display());
        }
    }
}
