//! Prometheus with our rules beside the deployment, by the overlay: whether it hears of everything that rules and dashboard ask for.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context, ensure};
use regex::Regex;
use reqwest::Client;
use serde_json::Value;

use super::pool::Pool;
use super::report::Report;
use super::site::{Site, docker};
use super::walls;
use crate::answer::{Answer, client};
use crate::wait::until;

/// It looks every 15 s, after it has looked for whom to ask.
const HEARD: Duration = Duration::from_secs(90);

pub(super) async fn look(site: &Site, pool: &Pool, report: &mut Report<'_>) -> anyhow::Result<()> {
    site.set("COMPOSE_FILE", "docker-compose.yml:docker-compose.monitoring.yml")?;
    site.script("restart.sh", &["--no-build"]).await?;
    report.saw("scripts/restart.sh starts it", "");
    let prometheus = Prometheus::of(site).await?;
    targets(site, &prometheus, report).await?;
    rules(site, &prometheus, report).await?;
    something_happens(pool).await?;
    questions(site, &prometheus, report).await?;
    ways(site, &prometheus, report).await?;
    files_of_grafana(site, report).await
}

/// The one of the deployment, as this machine reaches it.
struct Prometheus {
    container: String,
    at: String,
    http: Client,
}

impl Prometheus {
    async fn of(site: &Site) -> anyhow::Result<Prometheus> {
        const ALL: &str = "{{range $name, $at := .NetworkSettings.Networks}}{{println $name $at.IPAddress}}{{end}}";
        let container = site.one("prometheus").await?;
        let all = docker(&["inspect", "-f", ALL, &container]).await?;
        let address = all.lines().find_map(|line| line.split_once("_dashboards ")).context("not in its network")?.1;
        let address: Ipv4Addr = address.trim().parse()?;
        Ok(Prometheus { container, at: format!("http://{address}:9090/api/v1"), http: client()? })
    }

    /// What it answers; an error if it says that something is wrong.
    async fn ask(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<Value> {
        let answer = Answer::of(self.http.get(format!("{}/{path}", self.at)).query(query)).await?;
        let all = answer.json();
        ensure!(all["status"] == "success", "{path} {query:?}: {}", answer.text);
        Ok(all["data"].clone())
    }
}

/// Everybody whom it should ask answers, and only who shows the token is answered.
async fn targets(site: &Site, prometheus: &Prometheus, report: &mut Report<'_>) -> anyhow::Result<()> {
    let wanted = "admin up, app up, prometheus up";
    let heard = until("answers of all that it asks", HEARD, || async {
        let found = prometheus.ask("targets", &[("state", "active")]).await?;
        let mut all: Vec<String> = list(&found["activeTargets"])
            .map(|target| format!("{} {}", text(&target["labels"]["job"]), text(&target["health"])))
            .collect();
        all.sort();
        ensure!(all.join(", ") == wanted, "{found}");
        Ok(())
    })
    .await;
    report.holds("Prometheus hears app, admin and itself", heard.is_ok(), seen(&heard));
    for (service, port) in [("app", 8000), ("admin", 8080)] {
        let ask = format!(
            "exec 3<>/dev/tcp/{service}/{port}; printf 'GET /metrics HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n' >&3; head -n 1 <&3"
        );
        let answer = site.inside(&prometheus.container, &ask).await?;
        let refused = answer.contains(" 401");
        report.holds(&format!("{service} tells nothing to who has no token"), refused, answer.trim());
    }
    Ok(())
}

/// All of alerts.yml is in force, and nothing is wrong with a deployment that is well.
async fn rules(site: &Site, prometheus: &Prometheus, report: &mut Report<'_>) -> anyhow::Result<()> {
    let file = std::fs::read_to_string(site.folder().join("monitoring/alerts.yml"))?;
    let wanted = file.matches("- alert:").count();
    let judged = until("all rules to be judged", HEARD, || async {
        let all = prometheus.ask("rules", &[]).await?;
        let rules: Vec<&Value> = list(&all["groups"]).flat_map(|group| list(&group["rules"])).collect();
        let good = rules.iter().filter(|rule| rule["health"] == "ok").count();
        ensure!(good == wanted && rules.len() == wanted, "{good} of {wanted}: {all}");
        Ok(())
    })
    .await;
    report.holds(&format!("all {wanted} rules are judged without an error"), judged.is_ok(), seen(&judged));
    let alarms = prometheus.ask("alerts", &[]).await?;
    let fire: Vec<&str> = list(&alarms["alerts"])
        .filter(|alarm| alarm["state"] == "firing")
        .map(|alarm| text(&alarm["labels"]["alertname"]))
        .collect();
    report.holds("no alarm is raised", fire.is_empty(), fire.join(", "));
    Ok(())
}

/// What is counted is told once it has happened: a network is restarted, given back and made anew, and somebody has no good token.
async fn something_happens(pool: &Pool) -> anyhow::Result<()> {
    let hers = pool.apply().await?;
    let restarted = pool.v2(&pool.alice, "/v2/cluster_op", &[("action", "restart"), ("cluster_id", &hers)]).await?;
    ensure!(restarted.json()["status"] == "OK", "restarting hers: {}", restarted.text);
    let refused = pool.v2("no-token-at-all", "/v2/cluster_apply", &[]).await?;
    ensure!(refused.status == 401, "{}", refused.status);
    let released = pool.v2(&pool.alice, "/v2/cluster_release", &[("cluster_id", &hers)]).await?;
    ensure!(released.json()["status"] == "OK", "releasing hers: {}", released.text);
    pool.apply().await?;
    pool.until_two_are_held().await
}

/// Each series that rules and dashboard ask for is one that app or admin tell of, and each question can be answered.
async fn questions(site: &Site, prometheus: &Prometheus, report: &mut Report<'_>) -> anyhow::Result<()> {
    let dashboard = std::fs::read_to_string(site.folder().join("monitoring/grafana/dashboards/pool.json"))?;
    let rules = prometheus.ask("rules", &[]).await?;
    let rules = list(&rules["groups"]).flat_map(|group| list(&group["rules"])).map(|rule| text(&rule["query"]));
    let mut asked: BTreeSet<String> = rules.map(str::to_owned).collect();
    let dashboard: Value = serde_json::from_str(&dashboard)?;
    for panel in list(&dashboard["panels"]) {
        asked.extend(list(&panel["targets"]).map(|target| text(&target["expr"]).to_owned()));
    }
    let name = Regex::new(r"\b(?:poolmanager|process)_[a-z_]+")?;
    let names: BTreeSet<&str> =
        asked.iter().flat_map(|asked| name.find_iter(asked)).map(|found| found.as_str()).collect();
    let told = until("all that is asked for to be told of", HEARD, || async {
        let told = prometheus.ask("targets/metadata", &[]).await?;
        let told: BTreeSet<&str> = list(&told).map(|family| text(&family["metric"])).collect();
        let missing: Vec<&str> = names.iter().copied().filter(|name| !is_told(name, &told)).collect();
        ensure!(missing.is_empty(), "{missing:?}");
        Ok(())
    })
    .await;
    let tell = format!("{} series in {} questions {}", names.len(), asked.len(), seen(&told));
    report.holds("app and admin tell of all that is asked for", told.is_ok(), tell.trim());
    let (mut wrong, mut answered) = (Vec::new(), 0);
    for question in &asked {
        match prometheus.ask("query", &[("query", question)]).await {
            Ok(data) if list(&data["result"]).next().is_some() => answered += 1,
            Ok(_) => {}
            Err(error) => wrong.push(format!("{error:#}")),
        }
    }
    // Rules are about what is wrong, so many have nothing to show.
    let tell = format!("{answered} of {} show something now", asked.len());
    report.holds("each question is one that Prometheus can answer", wrong.is_empty(), format!("{tell} {wrong:?}"));
    Ok(())
}

/// Families of counters and histograms are told of without what their series end in.
fn is_told(name: &str, told: &BTreeSet<&str>) -> bool {
    let family = ["_total", "_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
    told.contains(name) || family.is_some_and(|family| told.contains(family))
}

/// Who reaches whom.
async fn ways(site: &Site, prometheus: &Prometheus, report: &mut Report<'_>) -> anyhow::Result<()> {
    let grafana = site.one("grafana").await?;
    for (service, id) in [("prometheus", &prometheus.container), ("grafana", &grafana)] {
        let wrong = walls::faults(id).await?;
        report.holds(&format!("{service} is held to what it needs"), wrong.is_empty(), wrong.join("; "));
    }
    let all = ["app 8000", "admin 8080", "mongo 27017", "prometheus 9090", "nginx 8000"].map(str::to_owned);
    let open = walls::open(site, &prometheus.container, &all).await?;
    let right = BTreeSet::from_iter(&open) == BTreeSet::from_iter([&all[0], &all[1], &all[3]]);
    report.holds("Prometheus reaches app and admin, and not mongo", right, open.join(", "));
    let open = walls::open(site, &grafana, &all).await?;
    report.holds("Grafana reaches Prometheus, and nothing else", open == [all[3].as_str()], open.join(", "));
    let published = docker(&["port", &prometheus.container]).await?;
    report.holds("Prometheus is not published", published.trim().is_empty(), published.trim());
    let published = docker(&["port", &grafana]).await?;
    report.holds("Grafana is published to this machine alone", published.contains("127.0.0.1:"), published.trim());
    Ok(())
}

/// Grafana finds our data source and dashboard where its configuration looks for them. Whether it takes them is not seen here.
async fn files_of_grafana(site: &Site, report: &mut Report<'_>) -> anyhow::Result<()> {
    let grafana = site.one("grafana").await?;
    let image = docker(&["inspect", "-f", "{{.Config.Image}}", &grafana]).await?;
    let read = docker(&[
        "exec",
        &grafana,
        "cat",
        "/etc/grafana/provisioning/datasources/prometheus.yml",
        "/etc/grafana/provisioning/dashboards/poolmanager.yml",
        "/etc/poolmanager/dashboards/pool.json",
    ])
    .await;
    report.holds("Grafana may read our data source and dashboard", read.is_ok(), "");
    if image.contains("stand-in") {
        report.not_run("Grafana shows them", "its image cannot be pulled here, and no package has it");
    }
    Ok(())
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn seen(outcome: &anyhow::Result<()>) -> String {
    outcome.as_ref().err().map_or_else(String::new, |error| format!("{error:#}"))
}
