//! app and admin are replaced while users and operators call all the time, and by scripts that are killed.

use std::time::Duration;

use anyhow::ensure;

use super::load::Load;
use super::pool::Pool;
use super::report::Report;
use super::site::Site;
use crate::wait::until;

/// One service; all callers must have been answered.
pub(super) async fn replace(site: &Site, pool: &Pool, service: &str, report: &mut Report<'_>) -> anyhow::Result<()> {
    let cluster = pool.apply().await?;
    let before = site.containers(service).await?;
    let servers = std::fs::read_to_string(site.folder().join(format!("nginx/{service}.servers")))?;
    let load = Load::begin(pool, &cluster).await?;
    load.go_on(10).await?;
    let outcome = site.script("redeploy.sh", &[service]).await;
    let went_on = load.go_on(20).await;
    let tally = load.end().await;
    outcome?;
    went_on?;
    let seen = format!(
        "{} calls answered ({} over another connection, for theirs was being closed), {} networks given and taken back meanwhile, the slowest answer after {:.2} s, lost: {}",
        tally.answered,
        tally.again,
        tally.turns,
        tally.slowest.as_secs_f64(),
        if tally.lost.is_empty() { "none".to_owned() } else { format!("{} {:#?}", tally.lost.len(), tally.lost) },
    );
    report.holds(&format!("no call is lost while {service} is replaced"), tally.lost.is_empty(), seen);
    let after = site.containers(service).await?;
    let others = after.len() == before.len() && after.iter().all(|id| !before.contains(id));
    report.holds("the old ones are gone, as many new ones are there", others, format!("{}", after.len()));
    let servers_now = std::fs::read_to_string(site.folder().join(format!("nginx/{service}.servers")))?;
    report.holds("nginx goes by the name again", servers == servers_now, servers_now.trim());
    Ok(())
}

/// Killed before and after the new container has taken over, by a signal that no script hears of: who comes next puts it right.
pub(super) async fn killed(site: &Site, pool: &Pool, report: &mut Report<'_>) -> anyhow::Result<()> {
    let servers = site.folder().join("nginx/app.servers");
    let (usual, first) = (std::fs::read_to_string(&servers)?, site.one("app").await?);
    kill_at(site, "a new container of app", || async { Ok(site.containers("app").await?.len() == 2) }).await?;
    let step = site.folder().join(".redeploy-app");
    let taken_over = || async {
        // It may be away for a moment, while what was killed before is put right.
        let step = std::fs::read_to_string(&step).unwrap_or_default();
        Ok(step.starts_with("taken_over") && std::fs::read_to_string(&servers)? != usual)
    };
    kill_at(site, "nginx to go by the new container's address", taken_over).await?;
    let left = std::fs::read_to_string(&servers)?;
    report.saw("scripts/redeploy.sh is killed before and after its new container takes over", left.trim());
    site.script("restart.sh", &["--no-build"]).await?;
    let all = site.containers("app").await?;
    let right = all.len() == 1 && all[0] != first && std::fs::read_to_string(&servers)? == usual;
    report.holds("scripts/restart.sh puts it right", right, format!("{} app", all.len()));
    let left: Vec<_> = [".redeploy-app", "nginx/app.servers.usual", "nginx/app.servers.new"]
        .into_iter()
        .filter(|name| site.folder().join(name).exists())
        .collect();
    report.holds("nothing is left of it", left.is_empty(), left.join(", "));
    pool.apply().await?;
    pool.until_two_are_held().await
}

/// Replaces app and kills the script, and it alone, as soon as it has come so far.
async fn kill_at<F, A>(site: &Site, what: &str, mut come: F) -> anyhow::Result<()>
where
    F: FnMut() -> A,
    A: Future<Output = anyhow::Result<bool>>,
{
    let mut script = site.start("redeploy.sh", &["app"])?;
    let limit = Duration::from_secs(120);
    until(what, limit, || {
        let come = come();
        async {
            ensure!(come.await?, "not yet");
            Ok(())
        }
    })
    .await?;
    script.kill().await?;
    Ok(())
}
