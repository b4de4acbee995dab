//! app and admin are replaced while users and operators call all the time.

use super::load::Load;
use super::pool::Pool;
use super::report::Report;
use super::site::Site;

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
