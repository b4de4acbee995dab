//! One stage: an admin is started on what there is, left alone, and measured.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use common::clock;
use common::model::SlotLayout;
use mongodb::Client;
use mongodb::bson::{Bson, Document, doc};
use serde::Serialize;
use serde_json::Value;
use tempfile::TempDir;

use super::process::{cpu_time, resident_mib};
use super::{DATABASE, Report, Settings};
use crate::answer::{Answer, client};
use crate::house::FLAVOR;
use crate::mongod::Mongod;
use crate::pool::PEER_IMAGE;
use crate::program::{Environment, Program};

/// Full looks, of which the median is taken.
const PASSES: usize = 3;
/// The longest that admin may take until it has looked at everything once.
const PATIENCE: Duration = Duration::from_secs(600);

/// By the shipped policy; a proof is repeated every 30 s if that is less.
const PROBES_PER_SECOND: u64 = 50;

/// What one stage gave.
#[derive(Clone, Debug, Serialize)]
pub struct Stage {
    /// Hosts.
    pub hosts: u32,
    /// Clusters on offer.
    pub clusters: u64,
    /// Of one processor.
    pub rest_cpu_percent: f64,
    /// Admin's.
    pub rss_mib: f64,
    /// Probes that ended well, a second.
    pub probes_per_s: f64,
    /// mongod's own count.
    pub store_writes_per_s: f64,
    /// A full pass over all hosts.
    pub pass_ms: f64,
}

/// All stages so far.
pub(super) struct Stages<'a> {
    settings: &'a Settings,
    environment: Environment,
    secret: String,
    mongo: Client,
    folder: TempDir,
    done: Vec<Stage>,
}

impl<'a> Stages<'a> {
    pub(super) async fn new(settings: &'a Settings, mongod: &Mongod, layout: SlotLayout) -> anyhow::Result<Stages<'a>> {
        let folder = tempfile::Builder::new().prefix("poolmanager-scale-").tempdir()?;
        let secret = format!("{:032x}", rand::random::<u128>());
        let environment = [
            ("MONGO_URL", mongod.url()),
            ("MONGO_DB", DATABASE.into()),
            ("INTERNAL_SECRET", secret.clone()),
            ("ADMIN_PORT", "0".into()),
            ("ADMIN_USERNAME", "otto".into()),
            ("ADMIN_PASSWORD", "a password for benches".into()),
            ("FABRIC_PEER_IMAGE", PEER_IMAGE.into()),
            ("POOL_MIX", FLAVOR.into()),
            ("CLUSTER_FIRST_PORT", layout.first_port.to_string()),
            ("CLUSTER_PORTS_PER_SLOT", layout.ports_per_slot.to_string()),
            ("CLUSTER_END_PORT", layout.end_port.to_string()),
            ("CLUSTER_SUBNETS", layout.subnets.0.to_string()),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).into();
        let mongo = Client::with_uri_str(mongod.url()).await?;
        Ok(Stages { settings, environment, secret, mongo, folder, done: Vec::new() })
    }

    /// Measures an admin with so many hosts.
    pub(super) async fn measure(&mut self, hosts: u32) -> anyhow::Result<Stage> {
        let log = self.folder.path().join(format!("{hosts}.log"));
        let mut admin = Program::start("poolmanager-admin", &[], &self.environment, &log)?;
        let url = admin.address().await?;
        self.until_everything_was_seen(&url, hosts).await.with_context(|| end_of(&admin.log()))?;
        // Admin has proven everything at its start, which takes a while; the next turns begin a tenth of the time between two after it.
        let expected = u64::from(hosts) * u64::from(self.settings.clusters_per_host);
        let between = Duration::from_secs((expected / PROBES_PER_SECOND).max(30));
        tokio::time::sleep(self.settings.settle + between.mul_f64(self.settings.settle_share)).await;

        let (probes, writes, cpu, begun) =
            (probes_ended(&url).await?, self.writes().await?, cpu_time(admin.pid())?, Instant::now());
        tokio::time::sleep(self.settings.rest).await;
        let (used, seconds) = (cpu_time(admin.pid())?.saturating_sub(cpu), begun.elapsed().as_secs_f64());
        let writes = self.writes().await?.saturating_sub(writes);
        let rss_mib = resident_mib(admin.pid())?;
        let probes = probes_ended(&url).await?.saturating_sub(probes);

        let mut passes = Vec::new();
        for _ in 0..PASSES {
            passes.push(self.look_at_all(&url).await?.context("a look at everything did not end in time")?.0);
        }
        passes.sort_by(f64::total_cmp);
        let clusters = self.on_offer().await?;
        let stage = Stage {
            hosts,
            clusters,
            rest_cpu_percent: short(used.as_secs_f64() / seconds * 100.0),
            rss_mib: short(rss_mib),
            probes_per_s: short(probes as f64 / seconds),
            store_writes_per_s: short(writes as f64 / seconds),
            pass_ms: passes.get(PASSES / 2).copied().context("a pass")?,
        };
        ensure!(
            clusters == expected,
            "{clusters} clusters are on offer, not {expected} ({}): {}",
            stage.line(),
            end_of(&admin.log())
        );
        admin.end(Duration::from_secs(30)).await?;
        self.done.push(stage.clone());
        Ok(stage)
    }

    pub(super) fn report(&self) -> anyhow::Result<Report> {
        let last = self.done.last().context("no stage was measured")?.clone();
        let before = self.done.iter().rev().nth(1).unwrap_or(&last);
        let times = f64::from(last.hosts) / f64::from(before.hosts);
        Ok(Report {
            hosts: last.hosts,
            clusters: last.clusters,
            rest_cpu_percent: last.rest_cpu_percent,
            rss_mib: last.rss_mib,
            probes_per_s: last.probes_per_s,
            store_writes_per_s: last.store_writes_per_s,
            pass_ms: last.pass_ms,
            pass_ms_100_hosts: before.pass_ms,
            growth: short(last.pass_ms / (times * before.pass_ms.max(1.0))),
            stages: self.done.clone(),
        })
    }

    async fn until_everything_was_seen(&self, url: &str, hosts: u32) -> anyhow::Result<()> {
        let begun = Instant::now();
        loop {
            let seen = self.look_at_all(url).await?.map_or(0, |(_, seen)| seen);
            if seen == u64::from(hosts)
                && self.on_offer().await? == u64::from(hosts) * u64::from(self.settings.clusters_per_host)
            {
                return Ok(());
            }
            ensure!(begun.elapsed() < PATIENCE, "{seen} of {hosts} hosts were seen within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Milliseconds of a full look, and how many hosts there were; `None` before it leads and when it took too long.
    async fn look_at_all(&self, url: &str) -> anyhow::Result<Option<(f64, u64)>> {
        let request = client()?.post(format!("{url}/internal/look")).timeout(PATIENCE);
        let answer = Answer::of(request.bearer_auth(&self.secret)).await?;
        // It does not lead yet, so it looks at no host; or its first look at so many takes longer than a caller is kept waiting.
        if matches!(answer.status, 409 | 504) {
            return Ok(None);
        }
        ensure!(answer.status == 200, "a look at everything: {} {}", answer.status, answer.text);
        let json: Value = answer.json();
        let number = |key: &str| json[key].as_u64().with_context(|| format!("{key} in {json}"));
        Ok(Some((number("took_ms")? as f64, number("hosts")?)))
    }

    async fn on_offer(&self) -> anyhow::Result<u64> {
        let clusters = self.mongo.database(DATABASE).collection::<Document>("clusters");
        let query = doc! { "phase.phase": "free", "offer.until": { "$gt": clock::now().as_millis() } };
        Ok(clusters.count_documents(query).await?)
    }

    async fn writes(&self) -> anyhow::Result<i64> {
        let status = self.mongo.database("admin").run_command(doc! { "serverStatus": 1 }).await?;
        let counters = status.get_document("opcounters").context("no opcounters")?;
        let count = |key: &str| match counters.get(key) {
            Some(Bson::Int32(n)) => i64::from(*n),
            Some(Bson::Int64(n)) => *n,
            _ => 0,
        };
        Ok(count("insert") + count("update") + count("delete"))
    }
}

/// How many probes have ended well so far, by admin's own count: the records are renewed only when a proof in them gets old.
async fn probes_ended(url: &str) -> anyhow::Result<u64> {
    const WELL: &str = r#"poolmanager_reconciler_steps_total{kind="probe",outcome="well"}"#;
    let answer = Answer::of(client()?.get(format!("{url}/metrics"))).await?;
    ensure!(answer.status == 200, "what admin counts: {} {}", answer.status, answer.text);
    let line = answer.text.lines().find_map(|line| line.strip_prefix(WELL));
    // There is no line before the first one.
    line.map_or(Ok(0), |number| number.trim().parse().with_context(|| format!("{WELL}{number}")))
}

impl Stage {
    /// For whoever watches.
    pub(super) fn line(&self) -> String {
        format!(
            "{} hosts, {} clusters: {} % of a processor at rest, {} MiB, {} probes/s, {} writes/s, a full pass in {} ms",
            self.hosts,
            self.clusters,
            self.rest_cpu_percent,
            self.rss_mib,
            self.probes_per_s,
            self.store_writes_per_s,
            self.pass_ms
        )
    }
}

fn end_of(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    format!("admin's log ends with: {}", lines[lines.len().saturating_sub(5)..].join("\n"))
}

/// Digits beyond the second are noise.
fn short(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}
