//! Creating a cluster of a chosen flavor on a chosen host.
//!
//! The wish is the cluster's own record, in phase Creating: the host's loop finds it and goes on with it as with a making that
//! a crash interrupted, so it outlives every restart, is shown on its page from the first moment, and is taken back by
//! deleting it. It counts as any other of its host; only to make room for another flavor it is never removed.
//!
//! Two races. **The slot**: this and the leader both take the lowest one that is neither occupied nor blocked, and the
//! store lets one of them have it; who loses looks again. **The last place**: the store counts what is on the host in the
//! very write that adds one, so whoever wanted it, one gets it. Those who ask through this admin at the same moment take
//! turns, for all of them want the same slot.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use common::clock::Pace;
use common::model::Timestamp;
use common::model::{Cluster, ClusterId, Event, EventKind, Flavor, FlavorId, Host, HostId, HostState, PhaseKind, Slot};
use common::store::{EventFilter, Page, StoreError};

use super::{Done, Fault, HostRow, Operations, Refusal, TRIES, operator};
use crate::reconciler::{RetryOf, clusters_of, new_cluster};

/// An operator waits for the answer; an engine that is well gives it in a fraction of this.
const ASK_WITHIN: Duration = Duration::from_secs(5);

/// A cluster as it is asked for.
#[derive(Clone, Debug, Default)]
pub struct CreateInput {
    /// The host's id.
    pub host: String,
    /// The flavor's id.
    pub flavor: String,
    /// The id that the cluster shall have, drawn by whoever asks: the same asked twice makes one. Empty: it is drawn here.
    pub id: String,
}

/// What came of asking for a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Created {
    /// Its id.
    pub id: ClusterId,
    /// False: it was asked for before.
    pub new: bool,
    /// In words.
    pub done: Done,
}

impl Operations {
    /// Has a cluster made; returns when that is written down, not when it is made.
    pub async fn create_cluster(&self, input: &CreateInput, by: &str, now: Timestamp) -> Result<Created, Refusal> {
        let (id, host, flavor) = self.parse(input)?;
        if let Some(again) = self.asked_before(&id).await? {
            return Ok(again);
        }
        let row = self.host(&host).await.map_err(no_host)?;
        may_take(&row.host, &row.phases)?;
        let mut avoid = self.refused_slots(&host, now).await;
        avoid.extend(self.blocked_slots(&host).await?);
        let _turn = self.placing.lock().await;
        for _ in 0..TRIES {
            if let Some(again) = self.asked_before(&id).await? {
                return Ok(again);
            }
            let row = self.host(&host).await.map_err(no_host)?;
            may_take(&row.host, &row.phases)?;
            let there = clusters_of(&self.store, &host).await?;
            let slot = free_slot(&there, &avoid, self.layout.slots()).ok_or_else(|| no_slot(&row.host))?;
            let made = self.record(&row, &flavor, (id.clone(), slot), now)?.asked_by(by);
            let reason = format!("{by} wants one of {} on host {}", flavor.id, row.host.settings.name);
            let event = Event::new(now, EventKind::Creating, operator(by), reason).about(&made);
            match self.store.place_cluster(&made, row.host.version, event).await {
                Ok(()) => {}
                // The slot, the last place, the host, or this very cluster: the next look tells.
                Err(StoreError::Taken { .. } | StoreError::Full | StoreError::Conflict(_)) => continue,
                Err(error) => return Err(error.into()),
            }
            self.ring();
            return Ok(Created {
                done: Done::said(format!(
                    "The making of {} has begun: {} on host {}.",
                    made.name, flavor.title, made.host_name
                )),
                id,
                new: true,
            });
        }
        Err(Refusal::Conflict("the host keeps changing; look again".into()))
    }

    fn parse(&self, input: &CreateInput) -> Result<(ClusterId, HostId, Flavor), Refusal> {
        let mut faults = Vec::new();
        let id = match input.id.as_str() {
            "" => Some(ClusterId::random()),
            text => ClusterId::parse(text).ok(),
        };
        if id.is_none() {
            faults.push(Fault::new("id", "must be 24 digits of 0-9 and a-f, drawn at random, or not be given"));
        }
        let host = HostId::parse(&input.host).ok();
        if host.is_none() {
            let why = if input.host.is_empty() { "must be chosen" } else { "is not the id of a host" };
            faults.push(Fault::new("host", why));
        }
        let known = FlavorId::parse(&input.flavor).ok().and_then(|flavor| self.catalog.flavor(&flavor).cloned());
        if known.is_none() {
            let all: Vec<String> = self.flavors().iter().take(12).map(ToString::to_string).collect();
            let why = if input.flavor.is_empty() { "must be chosen" } else { "is no flavor" };
            faults.push(Fault::new("flavor", format!("{why}; there are {}", all.join(", "))));
        }
        match (id, host, known) {
            (Some(id), Some(host), Some(flavor)) => Ok((id, host, flavor)),
            _ => Err(Refusal::Faults(faults)),
        }
    }

    /// The same asked before: it is there, or was.
    async fn asked_before(&self, id: &ClusterId) -> Result<Option<Created>, Refusal> {
        let said = |message: String| Some(Created { id: id.clone(), new: false, done: Done::said(message) });
        if let Some(cluster) = self.store.cluster(id).await? {
            return Ok(said(format!("{} was asked for already.", cluster.name)));
        }
        let about = EventFilter { cluster: Some(id.clone()), ..EventFilter::default() };
        let events = self.store.list_events(&about, &Page::first(1)).await?;
        let named = events.first().and_then(|event| event.cluster.as_ref());
        Ok(named.and_then(|(_, name)| said(format!("{name} was asked for already, and is gone."))))
    }

    /// Slots in which the leader lately was refused something.
    async fn refused_slots(&self, host: &HostId, now: Timestamp) -> BTreeSet<Slot> {
        let retries = self.leader.host(host, now).await.outlook.map(|outlook| outlook.retries).unwrap_or_default();
        let slots = retries.into_iter().filter(|retry| retry.next > now).filter_map(|retry| match retry.of {
            RetryOf::Slot { slot } => Some(Slot(slot)),
            RetryOf::Flavor { .. } | RetryOf::Host | RetryOf::Purpose | RetryOf::Writes => None,
        });
        slots.collect()
    }

    /// Slots in which something stands that is not ours, asked of the engine itself.
    async fn blocked_slots(&self, host: &HostId) -> Result<Vec<Slot>, Refusal> {
        let host = self.store.host(host).await?.ok_or(Refusal::NoSuch("host"))?;
        let cannot = |why: String| {
            Refusal::Conflict(format!("Host {} does not answer now ({why}), so nothing was begun.", host.settings.name))
        };
        let ask = async {
            let engine = self.seal.connect(&host, Pace::ORDINARY).await?;
            let found = engine.info().await?.id;
            Ok::<_, engine::EngineError>((found, engine.survey(self.store.pool_id(), &self.layout).await?))
        };
        let answer = tokio::time::timeout(ASK_WITHIN, ask).await;
        let answer = answer.map_err(|_| cannot(format!("no answer within {} s", ASK_WITHIN.as_secs())))?;
        let (found, survey) = answer.map_err(|error| cannot(error.to_string()))?;
        if found != host.engine_id {
            return Err(cannot(format!("another engine answers there: its id is {found}, not {}", host.engine_id)));
        }
        Ok(survey.blocked.into_keys().collect())
    }

    fn record(
        &self,
        row: &HostRow,
        flavor: &Flavor,
        place: (ClusterId, Slot),
        now: Timestamp,
    ) -> Result<Cluster, Refusal> {
        // Those that are being made there have their turn first.
        let turns = row.phases.get(&PhaseKind::Creating).copied().unwrap_or(0);
        let turns = u32::try_from(turns).unwrap_or(u32::MAX - 1);
        new_cluster(&self.catalog, &self.layout, &row.host, flavor, place, turns, now)
            .map_err(|why| Refusal::field("flavor", format!("cannot be made there: {why}")))
    }
}

/// Whether a host may be asked to make one; why not, and what to do about it.
pub fn may_take(host: &Host, phases: &BTreeMap<PhaseKind, u64>) -> Result<(), Refusal> {
    let name = &host.settings.name;
    let refuse = |why: String| Err(Refusal::field("host", why));
    if host.purpose.removes_free() {
        let what = super::host_purpose::words(&host.purpose);
        return refuse(format!("makes none: what is wanted of {name} is: {what}"));
    }
    if !host.settings.schedulable {
        return refuse(format!("makes none: {name} is not schedulable; uncordon it first"));
    }
    if let HostState::Inactive { why, .. } = &host.contact.state {
        return refuse(format!("makes none: {name} does not answer: {why}"));
    }
    if phases.values().sum::<u64>() >= u64::from(host.settings.capacity) {
        return Err(full(host, phases));
    }
    Ok(())
}

/// Says what takes a host's places.
fn full(host: &Host, phases: &BTreeMap<PhaseKind, u64>) -> Refusal {
    let words = |(phase, n): (&PhaseKind, &u64)| format!("{n} {}", phase.as_str().replace('_', " "));
    let all: Vec<String> = phases.iter().filter(|(_, n)| **n > 0).map(words).collect();
    let (name, capacity, taken) = (&host.settings.name, host.settings.capacity, phases.values().sum::<u64>());
    let there = if all.is_empty() { String::new() } else { format!(" ({})", all.join(", ")) };
    Refusal::field(
        "host",
        format!("is full: {taken} of {capacity} places of {name} are taken{there}; raise its capacity or delete one"),
    )
}

fn no_slot(host: &Host) -> Refusal {
    let why = format!("has no free slot: ports or subnets of all that are left of {} are in use", host.settings.name);
    Refusal::field("host", why)
}

fn no_host(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::NoSuch(_) => Refusal::field("host", "is gone; choose another"),
        other => other,
    }
}

/// The lowest slot that is neither occupied nor to be avoided.
fn free_slot(there: &[Cluster], avoid: &BTreeSet<Slot>, slots: u16) -> Option<Slot> {
    (0..slots).map(Slot).find(|slot| !avoid.contains(slot) && there.iter().all(|cluster| cluster.slot != *slot))
}
