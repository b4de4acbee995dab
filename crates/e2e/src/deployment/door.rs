//! What nginx lets in, what it refuses, and in which words.

use std::time::Duration;

use anyhow::{Context, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;

use super::pool::Pool;
use super::report::Report;
use super::site::{Site, docker};
use crate::answer::Answer;
use crate::wait::until;

/// Sign-ins that an address may try at once, as nginx.conf has it.
const SIGN_INS: usize = 21;

/// Requests at once; nginx.conf lets 400 through, or 200 connections.
const FLOOD: usize = 900;

/// From a sign-in on, for one address: this comes last, for it uses up the sign-ins of a minute.
pub(super) async fn look(site: &Site, pool: &Pool, report: &mut Report<'_>) -> anyhow::Result<()> {
    let doors = [("users", site.setting("HTTP_PORT")), ("operators", site.setting("ADMIN_HTTP_PORT"))];
    for (whose, door) in &doors {
        // As they come, for a careful client would clean them up.
        let mut open = Vec::new();
        let paths = [
            "/internal",
            "/internal/",
            "/internal/outlook",
            "/metrics",
            "//internal/outlook",
            "/%69nternal/outlook",
            "/x/../internal/outlook",
            "/./metrics",
            "/metrics/",
            "/metrics?x=1",
        ];
        for path in paths {
            let answer = raw(door, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await?;
            if !(answer.starts_with("HTTP/1.1 404") && answer.contains("application/problem+json")) {
                open.push(format!("{path}: {}", answer.lines().next().unwrap_or_default()));
            }
        }
        report.holds(&format!("/internal and /metrics are closed to {whose}"), open.is_empty(), open.join(", "));
    }
    let inside = site.one("nginx").await?;
    let ask = r#"exec 3<>/dev/tcp/admin/8080; printf 'GET /internal/outlook HTTP/1.0\r\n\r\n' >&3; head -n 1 <&3"#;
    let answer = site.inside(&inside, ask).await?;
    report.holds(
        "admin's /internal is there within, and asks for the secret",
        answer.contains(" 401") || answer.contains(" 403"),
        answer.trim(),
    );
    words(pool, &doors[0].1, report).await?;
    live(pool, report).await?;
    tokens_are_not_logged(site, pool, report).await?;
    sign_ins(pool, report).await
}

/// Request ids, headers, and nginx' own refusals.
async fn words(pool: &Pool, door: &str, report: &mut Report<'_>) -> anyhow::Result<()> {
    let id = "asked-by-a-test-0001";
    let answer = Answer::of(pool.http.get(format!("{}/readyz", pool.users)).header("x-request-id", id)).await?;
    let own = Answer::of(pool.http.get(format!("{}/readyz", pool.users)).header("x-request-id", "no good!")).await?;
    let kept = answer.header("x-request-id") == id && own.header("x-request-id").len() == 32;
    report.holds("a request id is passed on, or made", kept, own.header("x-request-id"));
    let guarded = ["x-content-type-options", "x-frame-options", "referrer-policy"];
    let page = Answer::of(pool.http.get(format!("{}/login", pool.operator.url()))).await?;
    let mut wrong = Vec::new();
    for name in guarded.into_iter().chain(["x-request-id"]) {
        for answer in [&answer, &page] {
            if answer.headers.get_all(name).iter().count() != 1 {
                wrong.push(format!("{name}: {:?}", answer.headers.get_all(name)));
            }
        }
    }
    report.holds("its headers are on every answer, once", wrong.is_empty(), wrong.join(", "));

    let large = pool.http.post(format!("{}/v2/cluster_apply", pool.users)).body(vec![b'a'; 2 << 20]);
    let answer = Answer::of(large).await?;
    let problem = answer.status == 413 && answer.header("content-type").starts_with("application/problem+json");
    report.holds("a body of 2 MiB is refused as problem JSON", problem, format!("{} {}", answer.status, answer.text));
    let long = format!("GET /{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "a".repeat(20_000));
    let answer = raw(door, &long).await?;
    let problem = answer.starts_with("HTTP/1.1 414") && answer.contains("\"status\":414");
    report.holds("an address of 20,000 characters too", problem, answer.lines().next().unwrap_or_default());
    let answer = raw(door, "no HTTP at all\r\n\r\n").await?;
    report.holds("and what is no HTTP", answer.contains("\"status\":400"), answer.lines().last().unwrap_or_default());
    Ok(())
}

/// What happens is on an operator's screen at once: nothing on the way collects it.
async fn live(pool: &Pool, report: &mut Report<'_>) -> anyhow::Result<()> {
    let request = pool.http.get(format!("{}/live", pool.operator.url())).query(&[("page", "/")]);
    let mut stream = request.header("cookie", pool.operator.cookie()).send().await?;
    let kind = stream.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default().to_owned();
    let first = tokio::time::timeout(Duration::from_secs(5), stream.chunk()).await;
    let came = matches!(first, Ok(Ok(Some(_)))) && kind.starts_with("text/event-stream");
    report.holds("a live page is sent as it happens", came, kind);
    Ok(())
}

/// What users send as a proof stays out of all logs: where it is served, where it is too much, and where app is away, which nginx
/// writes down with the request.
async fn tokens_are_not_logged(site: &Site, pool: &Pool, report: &mut Report<'_>) -> anyhow::Result<()> {
    let query = [("access_token", pool.alice.as_str())];
    let ask = || {
        let request = pool.http.get(format!("{}/v2/clusters", pool.users)).query(&query).bearer_auth(&pool.alice);
        request.header("cookie", format!("a={}", pool.alice)).header("referer", format!("http://x/?a={}", pool.alice))
    };
    let answer = Answer::of(pool.http.get(format!("{}/v2/clusters", pool.users)).query(&query)).await?;
    ensure!(answer.status == 200, "a token in the query: {} {}", answer.status, answer.text);
    let flood = futures_util::future::join_all((0..FLOOD).map(|_| Answer::of(ask()))).await;
    let refused = flood.iter().flatten().filter(|answer| answer.status == 429).count();
    report.holds("who asks too fast is told so", refused > 0, format!("{refused} of {FLOOD} refused by 429"));
    let (nginx, app) = (site.one("nginx").await?, site.one("app").await?);
    docker(&["kill", &app]).await?;
    let away = Answer::of(ask()).await?;
    docker(&["start", &app]).await?;
    let log = docker_logs(&nginx).await?;
    let said = log.lines().rev().find(|line| line.contains("[error]")).unwrap_or_default();
    let kept = matches!(away.status, 502..=504) && said.contains("upstream: \"http://");
    report.holds("nginx says which app did not answer", kept, format!("{} {said}", away.status));
    let mut told = Vec::new();
    for service in ["nginx", "app", "admin"] {
        if docker_logs(&site.one(service).await?).await?.contains(&pool.alice) {
            told.push(service);
        }
    }
    report.holds("no token is in a log", told.is_empty(), told.join(", "));
    until("users to be served again", Duration::from_secs(30), || async {
        let answer = Answer::of(pool.http.get(format!("{}/readyz", pool.users))).await?;
        ensure!(answer.status == 200, "{}", answer.status);
        Ok(())
    })
    .await
}

/// What a container said, on either stream.
async fn docker_logs(id: &str) -> anyhow::Result<String> {
    let out = Command::new("docker").args(["logs", id]).kill_on_drop(true).output().await?;
    ensure!(out.status.success(), "docker logs {id}");
    Ok(format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
}

/// Passwords cannot be tried fast, whatever address a client claims to have.
async fn sign_ins(pool: &Pool, report: &mut Report<'_>) -> anyhow::Result<()> {
    let mut refusals = Vec::new();
    for n in 0..SIGN_INS * 2 {
        let wrong = serde_json::json!({"username": format!("nobody-{n}"), "password": "a password that is wrong"});
        let request = pool.http.post(format!("{}/api/v1/session", pool.operator.url())).json(&wrong);
        let answer = Answer::of(request.header("x-forwarded-for", format!("192.0.2.{n}"))).await?;
        if answer.header("content-type").starts_with("application/problem+json") && answer.status == 429 {
            refusals.push(answer);
        }
    }
    let seen = format!("{} of {} refused by 429", refusals.len(), SIGN_INS * 2);
    report.holds("sign-ins of one address are limited, X-Forwarded-For or not", refusals.len() >= SIGN_INS / 2, seen);
    let last = refusals.last().context("no sign-in was refused")?;
    report.holds("it says when to come again", !last.header("retry-after").is_empty(), &last.text);
    Ok(())
}

/// What comes back for these bytes.
async fn raw(door: &str, request: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(door).await.context("connecting to nginx")?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await.context("no end")??;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
