//! The bench of scale: what an admin costs that looks after a thousand simulated hosts with fifty clusters each, at rest and
//! when it looks at all of them.
//!
//! The hosts are in this process, admin and its MongoDB are processes of their own. Records and containers are put there as
//! the reconciler would have left them; it finds nothing to do. docs/benchmarks.md says what the numbers mean.

mod mould;
pub(crate) mod process;
mod records;
mod sims;
mod stage;

use std::time::Duration;

use anyhow::Context;
use common::store::{StoreTarget, StoreUser};
use serde::Serialize;

use crate::mongod::Mongod;

use self::records::Records;
use self::sims::Sims;
use self::stage::{Stage, Stages};

/// What a run is to be like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Hosts in the end; a tenth and a hundredth of them are measured before.
    pub hosts: u32,
    /// Clusters on each.
    pub clusters_per_host: u16,
    /// How long admin is left alone before its rest is measured.
    pub settle: Duration,
    /// And this share of the time between two proofs of a cluster.
    pub settle_share: f64,
    /// How long its rest is measured.
    pub rest: Duration,
}

/// What was measured, with all hosts unless a key says otherwise.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Hosts.
    pub hosts: u32,
    /// Clusters on them, all free and on offer.
    pub clusters: u64,
    /// What admin needs of one processor while nothing happens.
    pub rest_cpu_percent: f64,
    /// Admin's memory then, in MiB.
    pub rss_mib: f64,
    /// Clusters that were proven anew in a second then.
    pub probes_per_s: f64,
    /// Documents that were inserted, updated and deleted by statement in a second then, as mongod counts.
    pub store_writes_per_s: f64,
    /// From the asking to the end of the last host's full pass, in milliseconds.
    pub pass_ms: f64,
    /// The same with a tenth of the hosts.
    pub pass_ms_100_hosts: f64,
    /// `pass_ms` by ten times `pass_ms_100_hosts`: 1 is linear.
    pub growth: f64,
    /// The stages one by one.
    pub stages: Vec<Stage>,
}

const DATABASE: &str = "bench_scale";

/// Runs all of it. What goes on is told to `say`, a line at a time.
pub async fn run(settings: &Settings, say: &(dyn Fn(&str) + Sync)) -> anyhow::Result<Report> {
    say("starting mongod");
    let mongod = Mongod::start().await.context("starting mongod")?;
    let target = StoreTarget::Mongo { url: mongod.url(), database: DATABASE.into() };
    let store = common::store::open(&target, StoreUser::Admin).await.context("opening the store")?;
    let mut sims = Sims::new(settings.clusters_per_host, store.pool_id().clone()).await?;
    let records = Records::new(store.clone());
    let mut stages = Stages::new(settings, &mongod, sims.layout()).await?;
    let outcome = async {
        let mut steps = vec![settings.hosts.div_ceil(100), settings.hosts.div_ceil(10), settings.hosts];
        steps.dedup();
        for hosts in steps {
            say(&format!("{hosts} hosts with {} clusters each", settings.clusters_per_host));
            let added = sims.grow(hosts).await?;
            records.add(&added, hosts * u32::from(settings.clusters_per_host)).await?;
            let stage = stages.measure(hosts).await?;
            say(&stage.line());
        }
        stages.report()
    }
    .await;
    store.close().await;
    outcome
}
