//! A pool as months of use leave it: hosts of which some are away, clusters free, in use and being made, made and given at
//! all times of a month, some failing, and the records of leases that have ended.

use std::time::Duration;

use anyhow::Context;
use common::clock;
use common::compose::{Catalog, CatalogSettings};
use common::model::{
    Actor, Cluster, Ended, Event, EventKind, FlavorId, Health, Host, HostId, HostState, Lease, LeaseId, Phase, Slot,
    Timestamp, UserId,
};
use common::store::SharedStore;
use futures_util::{StreamExt, TryStreamExt};

use super::{PER_HOST, past};
use crate::bench::fill::{host, made, mould};

/// Writes at once.
const AT_ONCE: usize = 256;

/// Over which all of it came about.
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

/// One in so many clusters has also an ended lease's record.
const RECORD_EVERY: u32 = 10;

/// What addresses are made of.
pub(super) struct Filled {
    hosts: Vec<(HostId, String)>,
    users: u32,
    /// The flavor of which there are most.
    pub flavor: FlavorId,
    /// A key in the middle of the names.
    pub middle_name: String,
    /// Milliseconds since 1970 at which the first cluster was made.
    pub oldest: i64,
    /// And the last.
    pub newest: i64,
}

impl Filled {
    fn any(&self) -> Option<&(HostId, String)> {
        self.hosts.get(rand::random_range(0..self.hosts.len()))
    }

    pub(super) fn a_host(&self) -> String {
        self.any().map(|(id, _)| id.to_string()).unwrap_or_default()
    }

    pub(super) fn a_host_name(&self) -> String {
        self.any().map(|(_, name)| name.clone()).unwrap_or_default()
    }

    pub(super) fn a_user(&self) -> String {
        format!("user-{}", rand::random_range(0..self.users))
    }
}

fn event(now: Timestamp) -> Event {
    Event::new(now, EventKind::Creating, Actor::Reconciler, "for the bench")
}

/// Fills a store with so many clusters.
pub(super) async fn fill(store: &SharedStore, count: u32) -> anyhow::Result<Filled> {
    let catalog = Catalog::shipped(&CatalogSettings::default()).context("reading the templates")?;
    let moulds = catalog.flavors().iter().map(|flavor| mould(&catalog, flavor)).collect::<anyhow::Result<Vec<_>>>()?;
    let (now, users) = (clock::now(), (count / 20).max(1));
    let hosts =
        (0..count.div_ceil(PER_HOST)).map(|number| usual(number, now)).collect::<anyhow::Result<Vec<Host>>>()?;
    for host in &hosts {
        store.insert_host(host, event(now)).await.context("adding a host")?;
    }
    let mut clusters = Vec::new();
    for number in 0..count {
        let host = hosts.get(usize::try_from(number / PER_HOST)?).context("a host")?;
        // Of the first flavor half of them.
        let kind = if number % 2 == 0 { 0 } else { rand::random_range(0..moulds.len()) };
        let slot = Slot(u16::try_from(number % PER_HOST)?);
        let at = now - MONTH.mul_f64(rand::random());
        let made = made(moulds.get(kind).context("a flavor")?, host, slot, at)?;
        clusters.push(used(made, number, users, at, now)?);
    }
    let records = clusters.iter().filter(|cluster| matches!(cluster.phase, Phase::InUse { .. }));
    let ended = records.take(usize::try_from(count / RECORD_EVERY)?).map(|cluster| ended(cluster, now));
    let ended = ended.collect::<anyhow::Result<Vec<Cluster>>>()?;
    futures_util::stream::iter(&ended)
        .map(async |cluster| {
            store.insert_cluster(cluster, event(now)).await?;
            store.vanish(cluster, event(now)).await
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await
        .context("adding records")?;
    futures_util::stream::iter(&clusters)
        .map(|cluster| store.insert_cluster(cluster, event(now)))
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await
        .context("filling the pool")?;
    past::fill(store, &clusters, now).await?;
    Ok(Filled {
        users,
        flavor: moulds.first().context("a flavor")?.flavor.id.clone(),
        middle_name: format!("host-{} ", hosts.len() / 2),
        oldest: (now - MONTH).as_millis(),
        newest: now.as_millis(),
        hosts: hosts.into_iter().map(|host| (host.id, host.settings.name.to_string())).collect(),
    })
}

/// One in fifty is away, one in twenty takes nothing new.
fn usual(number: u32, now: Timestamp) -> anyhow::Result<Host> {
    let mut host = host(number, now)?;
    if number % 50 == 7 {
        host.contact.state = HostState::Inactive { since: now, why: "connection refused".into() };
    }
    host.settings.schedulable = number % 20 != 3;
    host.created_at = now - MONTH.mul_f64(rand::random());
    Ok(host)
}

/// Three of ten are in use, one of a hundred is being made, one of a hundred fails.
fn used(made: Cluster, number: u32, users: u32, at: Timestamp, now: Timestamp) -> anyhow::Result<Cluster> {
    if number % 100 == 99 {
        return Ok(made);
    }
    let since = at + now.since(at).mul_f64(rand::random());
    let mut cluster = made.offer_out(rand::random(), now + MONTH, since).context("a free cluster")?;
    if number % 10 < 3 {
        let lease = Lease {
            id: LeaseId::random(),
            // Every one of them holds some.
            user: UserId::parse(&format!("user-{}", (number / 10 * 3 + number % 10) % users))?,
            nth: number + 1,
            key: None,
            applied_at: since,
            metadata: Default::default(),
        };
        cluster = cluster.claim(lease, since).context("a cluster in use")?;
    }
    if number % 100 == 50 {
        cluster.health = Health::Failing { since: now, times: 3, seen: "no answer".into() };
    }
    Ok(cluster)
}

/// What the cluster was before, given back by now.
fn ended(cluster: &Cluster, now: Timestamp) -> anyhow::Result<Cluster> {
    let mut before = cluster.clone();
    before.id = common::model::ClusterId::random();
    if let Phase::InUse { lease } = &mut before.phase {
        lease.id = LeaseId::random();
    }
    let since = before.lease().map_or(now, |lease| lease.applied_at);
    let gone = before.release("for the bench", since + now.since(since).mul_f64(rand::random()));
    let gone = gone.context("a released cluster")?;
    debug_assert!(gone.lease_record().is_some_and(|record| matches!(record.ended, Ended::Released { .. })));
    Ok(gone)
}
