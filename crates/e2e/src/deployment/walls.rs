//! What keeps containers apart from the machine and from each other.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::ensure;
use serde_json::Value;

use super::report::Report;
use super::site::{Site, docker};
use crate::tls_engine::TlsEngine;
use crate::wait::until;

/// The most that one layer of ours may take, in bytes.
const LAYER: u64 = 40 * 1000 * 1000;

/// mongo is asked every 15 s.
const CHECKED: Duration = Duration::from_secs(60);

/// Where Docker is looked for: plain and TLS.
const DOCKER_PORTS: [u16; 2] = [2375, 2376];

pub(super) async fn look(
    site: &Site,
    engine: &TlsEngine,
    release: bool,
    report: &mut Report<'_>,
) -> anyhow::Result<()> {
    for service in ["nginx", "app", "admin", "mongo"] {
        let id = site.one(service).await?;
        let wrong = faults(&id).await?;
        report.holds(&format!("{service} is held to what it needs"), wrong.is_empty(), wrong.join("; "));
    }
    healthy(site, report).await?;
    let user = site.one("nginx").await?;
    let written =
        docker(&["exec", &user, "sh", "-c", "touch /etc/x || touch /x || touch /etc/nginx/poolmanager/x"]).await;
    report.holds("nothing can be written into a container", written.is_err(), "");
    for image in ["APP_IMAGE", "ADMIN_IMAGE"] {
        layers(&site.setting(image), release, report).await?;
        labels(&site.setting(image), report).await?;
    }
    ways(site, engine, report).await
}

/// The health checks of all four, which look in different ways, come to the same.
async fn healthy(site: &Site, report: &mut Report<'_>) -> anyhow::Result<()> {
    for service in ["nginx", "app", "admin", "mongo"] {
        let id = site.one(service).await?;
        let checked = until(&format!("{service} to be healthy"), CHECKED, || async {
            let state = docker(&["inspect", "-f", "{{json .State.Health}}", &id]).await?;
            let health: Value = serde_json::from_str(&state)?;
            ensure!(health["Status"] == "healthy", "{state}");
            Ok(())
        })
        .await;
        report.holds(
            &format!("{service} is healthy"),
            checked.is_ok(),
            checked.err().map_or_else(String::new, |error| format!("{error:#}")),
        );
    }
    Ok(())
}

/// What a running container should have and has not.
pub(super) async fn faults(id: &str) -> anyhow::Result<Vec<String>> {
    let all: Value = serde_json::from_str(&docker(&["inspect", id]).await?)?;
    let (config, host) = (&all[0]["Config"], &all[0]["HostConfig"]);
    let list = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|one| one.as_str().map(str::to_lowercase)).collect()
    };
    let mut faults = Vec::new();
    let mut needs = |what: &str, there: bool| {
        if !there {
            faults.push(what.to_owned());
        }
    };
    let user = config["User"].as_str().unwrap_or_default();
    needs("a user of its own", !user.is_empty() && !user.starts_with('0') && !user.starts_with("root"));
    needs("a read-only root", host["ReadonlyRootfs"] == true);
    needs("no capability", list(&host["CapDrop"]) == ["all"] && list(&host["CapAdd"]).is_empty());
    needs("no new privileges", list(&host["SecurityOpt"]).iter().any(|one| one.starts_with("no-new-privileges")));
    needs("no privileged mode", host["Privileged"] == false);
    needs("a limit of memory", host["Memory"].as_u64().unwrap_or(0) > 0);
    needs("rotated logs", host["LogConfig"]["Config"]["max-size"].is_string());
    needs("no socket of Docker", !list(&host["Binds"]).iter().any(|bind| bind.contains("docker.sock")));
    let processes = docker(&["top", id, "-eo", "uid,pid,comm"]).await?;
    let root: Vec<&str> =
        processes.lines().skip(1).filter(|line| line.split_whitespace().next() == Some("0")).collect();
    needs(&format!("no process as root: {root:?}"), root.is_empty());
    Ok(faults)
}

async fn layers(image: &str, release: bool, report: &mut Report<'_>) -> anyhow::Result<()> {
    let sizes = docker(&["history", "--no-trunc", "--human=false", "--format", "{{.Size}}", image]).await?;
    let largest = sizes.lines().filter_map(|line| line.trim().parse::<u64>().ok()).max().unwrap_or(0);
    let seen = format!("{:.1} MB", largest as f64 / 1e6);
    if release {
        report.holds(&format!("no layer of {image} has more than 40 MB"), largest > 0 && largest < LAYER, seen);
    } else {
        let why = format!("its program is not built as what ships; {seen} as it is");
        report.not_run(&format!("no layer of {image} has more than 40 MB"), &why);
    }
    Ok(())
}

/// Whoever has an image can tell what it was made from.
async fn labels(image: &str, report: &mut Report<'_>) -> anyhow::Result<()> {
    let all: Value = serde_json::from_str(&docker(&["inspect", "-f", "{{json .Config.Labels}}", image]).await?)?;
    let told = ["version", "revision", "created"].map(|name| {
        let label = all[format!("org.opencontainers.image.{name}")].as_str().unwrap_or_default().to_owned();
        (name, label)
    });
    let there = told.iter().all(|(_, label)| !label.is_empty());
    report.holds(&format!("{image} says what it was made from"), there, format!("{told:?}"));
    Ok(())
}

/// Where app and admin can go. What must be open proves that the look from inside sees anything at all.
async fn ways(site: &Site, engine: &TlsEngine, report: &mut Report<'_>) -> anyhow::Result<()> {
    let (app, admin) = (site.one("app").await?, site.one("admin").await?);
    let daemon = format!("{} 2376", engine.address());
    let open = open(site, &app, &["mongo 27017".into(), "admin 8080".into()]).await?;
    report.holds("app reaches mongo and admin", open.len() == 2, format!("{open:?}"));
    let mut forbidden = BTreeSet::from([daemon.clone()]);
    for address in addresses_of_machine(engine).await? {
        forbidden.extend(DOCKER_PORTS.map(|port| format!("{address} {port}")));
    }
    let forbidden: Vec<String> = forbidden.into_iter().collect();
    let open = self::open(site, &app, &forbidden).await?;
    let seen = if open.is_empty() { format!("{} addresses tried", forbidden.len()) } else { format!("{open:?}") };
    report.holds("app reaches no Docker host, and none by a gateway", open.is_empty(), seen);
    let open = self::open(site, &admin, std::slice::from_ref(&daemon)).await?;
    report.holds("admin reaches it", open.len() == 1, daemon);
    let mongo = docker(&["port", &site.one("mongo").await?]).await?;
    report.holds("mongo is not published", mongo.trim().is_empty(), mongo.trim());
    Ok(())
}

/// Which of these (`HOST PORT`) take a connection from within a container's network.
pub(super) async fn open(site: &Site, container: &str, all: &[String]) -> anyhow::Result<Vec<String>> {
    const TRY: &str = r#"try() { timeout 3 bash -c "exec 3<>/dev/tcp/$1/$2" 2>/dev/null && echo "$1 $2"; }"#;
    let tries: Vec<String> = all.iter().map(|one| format!("try {one} &")).collect();
    let text = format!("{TRY}\n{}\nwait", tries.join("\n"));
    Ok(site.inside(container, &text).await?.lines().map(str::to_owned).collect())
}

/// Every gateway of this machine's engine, and the machine itself as seen from the second engine.
async fn addresses_of_machine(engine: &TlsEngine) -> anyhow::Result<Vec<String>> {
    let ids = docker(&["network", "ls", "-q", "--no-trunc"]).await?;
    let mut all = vec![engine.gateway().to_owned()];
    for id in ids.lines() {
        // Others' networks come and go meanwhile.
        let Ok(text) =
            docker(&["network", "inspect", "-f", "{{range .IPAM.Config}}{{println .Gateway}}{{end}}", id]).await
        else {
            continue;
        };
        all.extend(text.lines().filter(|line| line.contains('.')).map(str::to_owned));
    }
    Ok(all)
}
