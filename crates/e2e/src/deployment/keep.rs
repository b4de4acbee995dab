//! What outlives a stop, other addresses, and the loss of all data.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::pool::Pool;
use super::report::Report;
use super::site::{Site, docker};
use crate::answer::Answer;
use crate::wait::until;

/// nginx looks every two seconds whether app and admin are where they were.
const NOTICED: Duration = Duration::from_secs(20);

/// Stops everything and starts it again: who held a network holds it, and could use it all the time.
pub(super) async fn stop_and_restart(site: &Site, pool: &Pool, report: &mut Report<'_>) -> anyhow::Result<()> {
    let (before, hers) = (pool.known().await?, pool.apply().await?);
    let bobs = pool.v1("cluster_apply").await?.json();
    site.script("stop.sh", &[]).await?;
    report.holds("scripts/stop.sh stops all", site.all().await?.is_empty(), "");
    let at = bobs["api_url"].as_str().context("where bob's is")?;
    let chain = Answer::of(pool.http.get(format!("{at}/chain"))).await?;
    report.holds("bob's network runs on meanwhile", chain.status == 200, &chain.text);
    site.script("restart.sh", &["--no-build"]).await?;
    let known = pool.known().await?;
    report.holds(
        "leases, hosts, records, tokens and the session are there again",
        known == before,
        differing(&before, &known),
    );
    report.holds("alice has the same network", pool.apply().await? == hers, &hers);
    let now = pool.v1("cluster_apply").await?.json();
    report.holds("bob has the same network", now["id"] == bobs["id"], now["id"].to_string());
    pool.until_two_are_held().await
}

/// A machine that starts again gives its containers other addresses, even each other's.
pub(super) async fn other_addresses(site: &Site, pool: &Pool, report: &mut Report<'_>) -> anyhow::Result<()> {
    let mut places = Vec::new();
    for service in ["app", "admin"] {
        let id = site.one(service).await?;
        places.push((edge_address(&id).await?, service, id));
    }
    // The first to start is given the lowest address that is free.
    places.sort_by_key(|place| std::cmp::Reverse(place.0));
    docker(&["stop", &places[0].2, &places[1].2]).await?;
    let mut moved = Vec::new();
    for (before, service, id) in &places {
        docker(&["start", id]).await?;
        moved.push(format!("{service} from {before} to {}", edge_address(id).await?));
    }
    let begun = Instant::now();
    let healthy = until("users and operators to be served again", NOTICED, || async {
        // Again and again: a worker of nginx' that is about to end goes by the old addresses a moment longer.
        for _ in 0..20 {
            for url in [&pool.users, &pool.operator.url().to_owned()] {
                let answer = Answer::of(pool.http.get(format!("{url}/readyz"))).await?;
                ensure!(answer.status == 200, "{url}: {}", answer.status);
            }
            pool.operator.items("/api/v1/hosts").await?;
        }
        Ok(())
    })
    .await;
    let seen = format!("{}; served after {:.1} s", moved.join(", "), begun.elapsed().as_secs_f64());
    let what = "containers that came back elsewhere are found";
    report.holds(what, healthy.is_ok(), healthy.err().map_or(seen.clone(), |error| format!("{seen}: {error:#}")));
    Ok(())
}

/// Where nginx reaches a container.
async fn edge_address(id: &str) -> anyhow::Result<Ipv4Addr> {
    const ALL: &str = "{{range $name, $at := .NetworkSettings.Networks}}{{println $name $at.IPAddress}}{{end}}";
    let all = docker(&["inspect", "-f", ALL, id]).await?;
    let edge = all.lines().find_map(|line| line.split_once("_edge ")).context("not in the network edge")?;
    edge.1.trim().parse().context("an address")
}

/// The admin that scripts/redeploy.sh leaves has another number than Compose would ask for.
pub(super) async fn reach_the_new_admin(site: &Site, report: &mut Report<'_>) -> anyhow::Result<()> {
    let tokens = site.script("admin.sh", &["token", "list"]).await?;
    site.script("backup.sh", &["after-redeploy.backup"]).await?;
    let size = std::fs::metadata(site.folder().join("after-redeploy.backup"))?.len();
    let good = tokens.contains("alice") && size > 0;
    report.holds("scripts/admin.sh and scripts/backup.sh find the new admin", good, format!("{size} bytes"));
    Ok(())
}

/// Backs up, loses all data, restores, and compares.
pub(super) async fn backup_and_restore(site: &Site, pool: &mut Pool, report: &mut Report<'_>) -> anyhow::Result<()> {
    let (before, hers) = (pool.known().await?, pool.apply().await?);
    let printed = site.script("backup.sh", &[]).await?;
    let file = site.folder().join(printed.trim());
    let size = std::fs::metadata(&file).with_context(|| file.display().to_string())?.len();
    report
        .saw("scripts/backup.sh writes a file while everything goes on", format!("{} ({size} bytes)", printed.trim()));
    site.script("stop.sh", &[]).await?;
    std::fs::remove_dir_all(site.setting("MONGO_DATA"))?;
    site.script("restart.sh", &["--no-build"]).await?;
    let lost = pool.v2(&pool.alice, "/v2/cluster_apply", &[]).await?;
    report.holds("on an empty store her token is unknown", lost.status == 401, lost.json()["error"].to_string());
    site.script("restore.sh", &[printed.trim()]).await?;
    pool.sign_in_again(site).await?;
    let known = pool.known().await?;
    report.holds(
        "scripts/restore.sh brings leases, hosts, records and tokens back",
        known == before,
        differing(&before, &known),
    );
    report.holds("alice has the same network", pool.apply().await? == hers, &hers);
    pool.until_two_are_held().await?;
    report.saw("the pool comes to rest", "");
    let again = site.script("restore.sh", &[printed.trim()]).await;
    let why = again.err().map_or("nothing was said".into(), |error| format!("{error:#}"));
    let last = why.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned();
    report.holds("over a pool that is there it refuses", why.contains("exit status: 3"), last);
    pool.until_two_are_held().await
}

fn differing(before: &serde_json::Value, after: &serde_json::Value) -> String {
    if before == after {
        let count = |name: &str| before[name].as_array().map_or(0, Vec::len);
        let counts = ["leased", "hosts", "records", "tokens"].map(|name| format!("{} {name}", count(name)));
        return counts.join(", ");
    }
    format!("before {before}, after {after}")
}
