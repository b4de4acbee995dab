//! Several of each: one of them is killed, and the pool goes on.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::pool::{CAPACITY, Pool};
use super::redeploy;
use super::report::Report;
use super::site::{Site, docker};
use crate::tls_engine::TlsEngine;
use crate::wait::until;

/// For another to take over: the lock's ten seconds, or an election.
const TAKEN_OVER: Duration = Duration::from_secs(60);

pub(super) async fn look(site: &Site, engine: &TlsEngine, report: &mut Report<'_>) -> anyhow::Result<()> {
    site.script("restart.sh", &["--no-build"]).await?;
    let mut counts = Vec::new();
    for service in ["mongo", "mongo2", "mongo3", "app", "admin"] {
        counts.push(format!("{} {service}", site.containers(service).await?.len()));
    }
    let wanted = "1 mongo, 1 mongo2, 1 mongo3, 2 app, 2 admin";
    report.holds("there are three mongods, two apps and two admins", counts.join(", ") == wanted, counts.join(", "));
    let mut pool = Pool::fill(site, engine, report).await?;

    redeploy::replace(site, &pool, "admin", report).await?;
    pool.v2(&pool.alice, "/v2/cluster_release", &[]).await?;
    pool.until(&format!("{CAPACITY} free")).await?;

    let leader = leader(site).await?;
    docker(&["kill", &leader]).await?;
    let begun = Instant::now();
    let hers = pool.apply().await?;
    report.saw(
        "with the leading admin killed, alice is given a network at once",
        format!("after {:.2} s", begun.elapsed().as_secs_f64()),
    );
    pool.until(&format!("{} free, 1 in_use", CAPACITY - 1)).await?;
    pool.v2(&pool.alice, "/v2/cluster_release", &[("cluster_id", &hers)]).await?;
    pool.until(&format!("{CAPACITY} free")).await?;
    report.saw(
        "the other admin leads: what she releases is made anew",
        format!("{:.0} s after the kill", begun.elapsed().as_secs_f64()),
    );

    let app = site.containers("app").await?.remove(0);
    docker(&["kill", &app]).await?;
    let begun = Instant::now();
    until("an apply", TAKEN_OVER, || pool.apply()).await?;
    report.saw("with one app killed, users are served", format!("{:.2} s after it", begun.elapsed().as_secs_f64()));

    let mongo = site.one("mongo").await?;
    docker(&["kill", &mongo]).await?;
    let begun = Instant::now();
    until("an apply without mongo's primary", TAKEN_OVER, || pool.apply()).await?;
    report.saw(
        "with mongo's primary killed, alice applies again",
        format!("{:.1} s after it", begun.elapsed().as_secs_f64()),
    );

    site.script("restart.sh", &["--no-build"]).await?;
    let begun = Instant::now();
    report.saw("scripts/restart.sh brings back what was killed", "");
    pool.sign_in_again(site).await?;
    pool.until(&format!("{} free, 1 in_use", CAPACITY - 1)).await?;
    report.saw("the pool is at rest", format!("{:.0} s later", begun.elapsed().as_secs_f64()));
    pool.leave(engine, report).await?;
    site.script("stop.sh", &[]).await?;
    Ok(())
}

/// The container of the admin that leads, by what it logged.
async fn leader(site: &Site) -> anyhow::Result<String> {
    for id in site.containers("admin").await? {
        if docker(&["logs", &id]).await?.contains("this process leads") {
            return Ok(id);
        }
    }
    let found = site.containers("admin").await?;
    ensure!(!found.is_empty(), "no admin runs");
    None.context("no admin says that it leads")
}
