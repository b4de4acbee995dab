//! Adding a host: every field is parsed, the daemon is asked who it is and what stands in the way there, and only
//! then is anything written; so a refusal leaves nothing behind.

use common::clock::Pace;
use common::model::{
    Contact, Event, EventKind, Host, HostId, HostKind, HostPurpose, HostSettings, HostState, Slot, SlotLayout,
    Timestamp,
};
use engine::{Credentials, Engine, EngineInfo, Foreign};

use super::host_tls::NewTls;
use super::{Fault, HostInput, Operations, Refusal, TlsInput, operator};

/// A host that was asked to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Its record.
    pub host: Host,
    /// False: it was there before, with the very same settings.
    pub new: bool,
}

impl Operations {
    /// Adds a host that answers. The reconciler begins to fill it at once. The same asked twice, as by a double click, adds one.
    /// With credentials its daemon is reached over TLS.
    pub async fn add_host(
        &self,
        input: &HostInput,
        tls: &TlsInput,
        by: &str,
        now: Timestamp,
    ) -> Result<Added, Refusal> {
        let settings = input.parse(&self.layout, &self.flavors(), 0).map_err(Refusal::Faults)?;
        let known = self.store.list_hosts().await?;
        if let Some(host) = known.iter().find(|host| host.settings == settings && !host.purpose.leaves()) {
            return Ok(Added { host: host.clone(), new: false });
        }
        check_against(&settings, None, &known)?;
        let tls = self.new_tls(&settings.daemon_url, tls, now)?;
        let info = self.ask_new(&settings, tls.as_ref().map(|tls| &tls.credentials), &known).await?;
        Ok(Added { host: self.write_new(settings, info, tls.as_ref(), by, now).await?, new: true })
    }

    /// Asks an engine who it is, and whether there is room on it.
    pub(super) async fn ask_new(
        &self,
        settings: &HostSettings,
        credentials: Option<&Credentials>,
        known: &[Host],
    ) -> Result<EngineInfo, Refusal> {
        let at_url = |reason: String| Refusal::field("daemon_url", reason);
        let engine = Engine::connect_as(&settings.daemon_url, credentials, Pace::ORDINARY).await;
        let engine = engine.map_err(|e| at_url(e.to_string()))?;
        let info = engine.info().await.map_err(|e| at_url(e.to_string()))?;
        check_engine(&info, known)?;
        let survey = engine.survey(self.store.pool_id(), &self.layout).await.map_err(|e| at_url(e.to_string()))?;
        check_room(settings.capacity, &survey.foreign, &self.layout)?;
        Ok(info)
    }

    /// Writes a host down that has answered.
    pub(super) async fn write_new(
        &self,
        settings: HostSettings,
        info: EngineInfo,
        tls: Option<&NewTls<'_>>,
        by: &str,
        now: Timestamp,
    ) -> Result<Host, Refusal> {
        let mut host = new_host(settings, info, now);
        host.tls = tls.map(|tls| self.seal_for(&host.id, tls, by, now)).transpose()?;
        let name = &host.settings.name;
        let event = Event::new(now, EventKind::HostChanged, operator(by), format!("host {name} was added"));
        self.store.insert_host(&host, event.about_host(&host.id)).await.map_err(taken)?;
        self.ring();
        Ok(host)
    }
}

/// Two operators adding the same at once: the store keeps names and engines unique, in terms of the form's fields.
fn taken(error: common::store::StoreError) -> Refusal {
    match error {
        common::store::StoreError::Taken { field: "engine_id" } => {
            Refusal::field("daemon_url", "leads to an engine that is a host already")
        }
        other => other.into(),
    }
}

/// What must be so among hosts. `own` is the host that is being configured.
pub fn check_against(settings: &HostSettings, own: Option<&HostId>, known: &[Host]) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    for other in known.iter().filter(|host| Some(&host.id) != own) {
        let name = &other.settings.name;
        if *name == settings.name {
            faults.push(Fault::new("name", format!("is taken: there is a host {name} already")));
        }
        if other.settings.meets(settings) {
            let why = format!(
                "is that of host {name} already, and both would publish the same ports; give each an address of its own"
            );
            faults.push(Fault::new("address", why));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::Faults(faults)) }
}

fn check_engine(info: &EngineInfo, known: &[Host]) -> Result<(), Refusal> {
    if info.id.is_empty() {
        return Err(Refusal::field("daemon_url", "leads to an engine that does not say its id"));
    }
    if let Some(other) = known.iter().find(|host| host.engine_id == info.id) {
        let why = format!(
            "leads to the engine that is host {} already (by {})",
            other.settings.name, other.settings.daemon_url
        );
        return Err(Refusal::field("daemon_url", why));
    }
    match info.kind {
        HostKind::Single => Ok(()),
        HostKind::Swarm => Err(Refusal::field(
            "daemon_url",
            "leads to a Docker Swarm, which cannot be a host yet; give a single engine, or have it leave the swarm",
        )),
    }
}

/// Whether so many clusters find slots whose ports and subnets nothing foreign holds.
fn check_room(capacity: u16, foreign: &Foreign, layout: &SlotLayout) -> Result<(), Refusal> {
    let blocked: Vec<(Slot, String)> =
        (0..layout.slots()).map(Slot).filter_map(|slot| Some((slot, foreign.blocks(slot, layout)?))).collect();
    let free = usize::from(layout.slots()) - blocked.len();
    match blocked.first() {
        Some((slot, why)) if free < usize::from(capacity) => Err(Refusal::field(
            "capacity",
            format!(
                "may be at most {free}: the ports or subnets of {} slots are in use on this engine (slot {slot}: {why})",
                blocked.len()
            ),
        )),
        _ => Ok(()),
    }
}

fn new_host(settings: HostSettings, info: EngineInfo, now: Timestamp) -> Host {
    Host {
        id: HostId::random(),
        version: 1,
        settings,
        engine_id: info.id,
        kind: info.kind,
        purpose: HostPurpose::Serve,
        try_again: None,
        tls: None,
        contact: Contact {
            state: HostState::Active { since: now },
            last_answer: now,
            engine_version: info.version,
            cpus: info.cpus,
            memory: info.memory,
            made_at: None,
        },
        created_at: now,
    }
}
