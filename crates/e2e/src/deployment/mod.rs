//! The deployment as it ships, tried on a real engine: `scripts/restart.sh` starts it from a folder, and then everything that
//! docs/deployment.md says of it is looked for, through nginx as a user and an operator would, and from inside its containers.
//!
//! `scripts/test-deployment.sh` makes the folder and the images, runs this, and removes whatever is left.

mod door;
mod ha;
mod keep;
mod load;
mod monitoring;
mod pool;
mod redeploy;
mod report;
mod site;
mod tls;
mod walls;

use std::path::{Path, PathBuf};

use anyhow::Context;

pub use self::report::Report;

use self::pool::Pool;
use self::site::Site;
use crate::tls_engine::TlsEngine;

/// What is to be tried.
#[derive(Clone, Debug)]
pub struct Settings {
    /// A folder with what ships (compose files, nginx, scripts) and an `.env`; `None`: only the other one is tried.
    pub folder: Option<PathBuf>,
    /// Another one, set up for the overlay docker-compose.ha.yml; `None`: that overlay is not tried.
    pub ha_folder: Option<PathBuf>,
    /// Whether docker-compose.monitoring.yml is added to the first one.
    pub monitoring: bool,
    /// An image with bash, from which the inside of a network is looked at.
    pub tool_image: String,
    /// Whether the images hold what ships, and not what is quick to build: how large they are says something then.
    pub release: bool,
}

/// Tries all of it. What was seen is told to `say`, a line at a time; an error is what cannot be gone on after.
pub async fn run<'a>(settings: &Settings, say: &'a (dyn Fn(&str) + Sync)) -> anyhow::Result<Report<'a>> {
    let mut report = Report::new(say);
    report.part("a host: a second engine, by TLS");
    let engine = tokio::task::spawn_blocking(|| {
        let engine = TlsEngine::start()?;
        engine.load(crate::pool::PEER_IMAGE)?;
        anyhow::Ok(engine)
    });
    let engine = engine.await?.context("starting the second engine")?;
    report.saw("it answers", engine.url());

    if let Some(folder) = &settings.folder {
        one_of_each(folder, settings, &engine, &mut report).await?;
    }
    if let Some(folder) = &settings.ha_folder {
        report.part("docker-compose.ha.yml");
        let site = Site::open(folder, &settings.tool_image)?;
        ha::look(&site, &engine, &mut report).await?;
    }
    tokio::task::spawn_blocking(move || drop(engine)).await?;
    Ok(report)
}

/// docker-compose.yml as it ships, and with TLS.
async fn one_of_each(
    folder: &Path,
    settings: &Settings,
    engine: &TlsEngine,
    report: &mut Report<'_>,
) -> anyhow::Result<()> {
    report.part("scripts/restart.sh");
    let site = Site::open(folder, &settings.tool_image)?;
    site.script("restart.sh", &["--no-build"]).await?;
    report.saw("it serves", format!("users at {}, operators at {}", site.users(), site.operators()));

    report.part("the pool");
    let mut pool = Pool::fill(&site, engine, report).await?;
    report.part("users");
    pool.try_calls(report).await?;
    report.part("walls");
    walls::look(&site, engine, settings.release, report).await?;
    report.part("nothing is lost by scripts/redeploy.sh");
    redeploy::replace(&site, &pool, "app", report).await?;
    redeploy::replace(&site, &pool, "admin", report).await?;
    keep::reach_the_new_admin(&site, report).await?;
    redeploy::killed(&site, &pool, report).await?;
    pool.until_two_are_held().await?;
    report.part("what is kept");
    keep::stop_and_restart(&site, &pool, report).await?;
    keep::other_addresses(&site, &pool, report).await?;
    keep::backup_and_restore(&site, &mut pool, report).await?;
    if settings.monitoring {
        report.part("docker-compose.monitoring.yml");
        monitoring::look(&site, &pool, report).await?;
    }
    report.part("the door: nginx");
    door::look(&site, &pool, report).await?;
    pool.leave(engine, report).await?;
    report.part("docker-compose.tls.yml");
    tls::look(&site, report).await?;
    site.script("stop.sh", &[]).await?;
    let left = site.everything().await?;
    report.holds("scripts/stop.sh leaves no container and no network", left.is_empty(), left.join(" "));
    Ok(())
}
