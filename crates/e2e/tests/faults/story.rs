//! The stories: what stands before, what happens, and what must come of it.

use anyhow::Context;
use common::clock;
use common::model::{Cluster, Ended, HostPurpose, NodeName};
use common::store::{Applied, LeaseFilter, Page};
use serde_json::Value;

use crate::check::Wanted;
use crate::stage::{Stage, ask};

/// What happens to a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Story {
    /// A new host is filled.
    Fill,
    /// A user gives her cluster back, and its place is filled again.
    Release,
    /// A node of a free cluster is harmed.
    HealFree(Harm),
    /// A node of a leased cluster is harmed.
    HealLeased(Harm),
    /// An operator resets the host, with some of what is foreign; it is filled again.
    Reset,
    /// What is on the engine has lost its record, and is swept; its place is filled.
    Sweep,
    /// An operator deletes the host.
    Leave,
    /// An operator removes the host by force, though a user holds a cluster there.
    Force,
    /// An operator wants a cluster on a host that nobody fills.
    Create,
}

/// What is done to a node behind everybody's back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Harm {
    /// Its process is killed by hand, so that nothing but us brings it back.
    Kill,
    /// Its process ends by itself, and the engine brings it back.
    Crash,
    /// The same for want of memory.
    OutOfMemory,
    /// It is frozen.
    Pause,
    /// Its container is deleted.
    Delete,
}

const USER: &str = "alice";

impl Story {
    /// All of them.
    pub fn all() -> Vec<Story> {
        let harms = [Harm::Kill, Harm::Crash, Harm::OutOfMemory, Harm::Pause, Harm::Delete];
        let heals = harms.iter().flat_map(|harm| [Story::HealFree(*harm), Story::HealLeased(*harm)]);
        let others =
            [Story::Fill, Story::Release, Story::Reset, Story::Sweep, Story::Leave, Story::Force, Story::Create];
        others.into_iter().chain(heals).collect()
    }

    /// For people.
    pub fn name(self) -> String {
        match self {
            Story::Fill => "fill".into(),
            Story::Release => "release".into(),
            Story::Reset => "reset".into(),
            Story::Sweep => "sweep".into(),
            Story::Leave => "leave".into(),
            Story::Force => "force".into(),
            Story::Create => "create".into(),
            Story::HealFree(harm) => format!("heal a free one ({harm:?})"),
            Story::HealLeased(harm) => format!("heal a leased one ({harm:?})"),
        }
    }

    /// The host's capacity.
    pub fn capacity(self) -> u16 {
        match self {
            Story::Fill => 2,
            _ => 1,
        }
    }

    /// What the pool is before the story, if anybody is to wait for it.
    pub fn before(self) -> Option<Wanted> {
        match self {
            Story::Fill | Story::Create => None,
            _ => Some(Wanted { free: 1, ..Wanted::default() }),
        }
    }

    /// What the pool is after it.
    pub fn after(self) -> Wanted {
        match self {
            Story::Fill => Wanted { free: 2, ..Wanted::default() },
            Story::Release | Story::HealFree(_) | Story::Reset | Story::Sweep | Story::Create => {
                Wanted { free: 1, ..Wanted::default() }
            }
            Story::HealLeased(Harm::Delete) => Wanted { leased: Some(1), ..Wanted::default() },
            Story::HealLeased(_) => Wanted { leased: Some(0), ..Wanted::default() },
            Story::Leave => Wanted { no_host: true, ..Wanted::default() },
            Story::Force => Wanted { no_host: true, by_force: true, ..Wanted::default() },
        }
    }

    /// Leases what is to be leased.
    pub async fn prepare(self, stage: &mut Stage) -> anyhow::Result<()> {
        stage.subject = match self {
            Story::Fill | Story::Create => None,
            Story::HealFree(_) | Story::Reset | Story::Sweep | Story::Leave => {
                Some(stage.pool.clusters().await.pop().context("no cluster")?)
            }
            Story::Release | Story::HealLeased(_) | Story::Force => match stage.pool.apply(USER).await? {
                Applied::New(cluster) => Some(cluster),
                other => anyhow::bail!("a new lease was expected: {other:?}"),
            },
        };
        if self == Story::Reset {
            stage.condemn().await?;
        }
        if self == Story::Sweep {
            stage.lose_record().await?;
        }
        if self == Story::Create {
            stage.fill_no_more().await?;
        }
        Ok(())
    }

    /// What happens.
    pub async fn happen(self, stage: &mut Stage) -> anyhow::Result<()> {
        match self {
            Story::Fill | Story::Sweep => stage.start(),
            Story::Create => {
                stage.start();
                stage.want_cluster().await?;
            }
            Story::Release => {
                let id = stage.subject.as_ref().context("no subject")?.id.clone();
                stage.pool.change(&id, |cluster| cluster.release(USER, clock::now()).ok()).await?;
            }
            Story::Reset => {
                let foreign = stage.condemned.clone();
                stage.want(|asked| HostPurpose::Reset { asked, foreign }).await?;
            }
            Story::Leave => stage.want(|asked| HostPurpose::Leave { asked, by_force: false }).await?,
            Story::Force => stage.want(|asked| HostPurpose::Leave { asked, by_force: true }).await?,
            Story::HealFree(harm) | Story::HealLeased(harm) => self.hurt(stage, harm).await?,
        }
        Ok(())
    }

    async fn hurt(self, stage: &Stage, harm: Harm) -> anyhow::Result<()> {
        let subject = stage.subject.as_ref().context("no subject")?;
        let node = subject.nodes.get(&NodeName::parse("vp1")?).context("no vp1")?;
        let id = node.container.as_deref().context("no container")?;
        match harm {
            Harm::Kill => _ = ask(&stage.sim, "POST", &format!("/containers/{id}/kill"), &Value::Null).await?,
            Harm::Pause => _ = ask(&stage.sim, "POST", &format!("/containers/{id}/pause"), &Value::Null).await?,
            Harm::Delete => {
                let path = format!("/containers/{id}?force=1&v=1");
                _ = ask(&stage.sim, "DELETE", &path, &Value::Null).await?;
            }
            Harm::Crash => anyhow::ensure!(stage.sim.crash_process(id, 1), "vp1 does not run"),
            Harm::OutOfMemory => anyhow::ensure!(stage.sim.run_out_of_memory(id), "vp1 does not run"),
        }
        Ok(())
    }

    /// What else must hold at the end.
    pub async fn end(self, stage: &Stage) -> Result<(), String> {
        let subject = stage.subject.as_ref().ok_or("no subject")?;
        match self {
            Story::Fill | Story::Create | Story::HealFree(_) | Story::HealLeased(_) => return Ok(()),
            Story::Reset => stage.is_reset().await?,
            Story::Release | Story::Sweep | Story::Leave | Story::Force => {}
        }
        if stage.pool.clusters().await.iter().any(|cluster| cluster.id == subject.id) {
            return Err("the cluster that was to go is still there".into());
        }
        let page = Page::first(10);
        let records = stage.pool.store.list_lease_records(&LeaseFilter::default(), &page).await;
        let records = records.map_err(|error| error.to_string())?;
        match (self, records.as_slice()) {
            (Story::Release | Story::Force, [record]) if is_hers(subject, record) => {}
            (Story::Reset | Story::Sweep | Story::Leave, []) => {}
            (_, other) => return Err(format!("her lease's record, once, was expected: {other:?}")),
        }
        let lost = matches!(records.as_slice(), [record] if matches!(record.ended, Ended::Lost { .. }));
        if lost == (self == Story::Force) { Ok(()) } else { Err(format!("{records:?}")) }
    }
}

fn is_hers(subject: &Cluster, record: &common::model::LeaseRecord) -> bool {
    let ended = match &record.ended {
        Ended::Released { by, .. } => by == USER,
        Ended::Lost { reason, .. } => !reason.is_empty(),
    };
    Some(&record.lease) == subject.lease() && record.cluster == subject.id && ended
}
