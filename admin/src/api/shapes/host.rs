//! A host in JSON.

use std::collections::BTreeMap;

use common::model::{FlavorShare, ForeignThing, HostKind, HostPurpose, HostState, LogTarget};
use schemars::JsonSchema;
use serde::Serialize;

use super::of_model::{ShareWords, ThingWords};
use crate::operations::HostRow;

/// A host.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Host")]
pub struct HostShape {
    id: String,
    /// Counts every change; what carries it is done only while it is still this.
    version: u64,
    name: String,
    /// How admin reaches Docker.
    daemon_url: String,
    /// How users reach its clusters.
    address: String,
    bind_address: String,
    /// How many clusters it may hold.
    capacity: u16,
    log_level: &'static str,
    #[schemars(extend("enum" = ["local", "syslog"]))]
    log_type: &'static str,
    log_server: Option<String>,
    schedulable: bool,
    autofill: bool,
    #[schemars(with = "Vec<ShareWords>")]
    mix: Vec<FlavorShare>,
    chaincode_endpoint: Option<String>,
    #[schemars(extend("enum" = ["single", "swarm"]))]
    kind: &'static str,
    engine_id: String,
    engine_version: String,
    cpus: u32,
    memory: u64,
    #[schemars(extend("enum" = ["active", "inactive"]))]
    state: &'static str,
    state_since: String,
    state_reason: Option<String>,
    last_answer: String,
    leaving: bool,
    purpose: PurposeShape,
    try_again_at: Option<String>,
    made_at: Option<String>,
    /// Whether it is reached over TLS, and until when that holds.
    tls_until: Option<String>,
    created_at: String,
    /// How many in each phase.
    clusters: BTreeMap<&'static str, u64>,
    /// What is being done and held back, in lines; empty on an admin that stands by.
    outlook: Vec<String>,
}

/// What operators want of a host as a whole.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Purpose")]
struct PurposeShape {
    #[schemars(extend("enum" = ["serve", "fill_up", "clean", "drain", "reset", "leave"]))]
    purpose: &'static str,
    since: Option<String>,
    asked_by: Option<String>,
    /// Of a deletion.
    by_force: bool,
    /// Of a reset: what is not of this pool and goes too.
    #[schemars(with = "Vec<ThingWords>")]
    foreign: Vec<ForeignThing>,
}

fn purpose(purpose: &HostPurpose) -> PurposeShape {
    let asked = purpose.asked();
    PurposeShape {
        purpose: purpose.as_str(),
        since: asked.map(|asked| asked.since.to_string()),
        asked_by: asked.map(|asked| asked.by.clone()),
        by_force: matches!(purpose, HostPurpose::Leave { by_force: true, .. }),
        foreign: match purpose {
            HostPurpose::Reset { foreign, .. } => foreign.clone(),
            HostPurpose::Serve
            | HostPurpose::FillUp(_)
            | HostPurpose::Clean(_)
            | HostPurpose::Drain(_)
            | HostPurpose::Leave { .. } => Vec::new(),
        },
    }
}

/// A host, what is on it, and what the reconciler makes of it.
pub fn host(row: &HostRow, outlook: Vec<String>) -> HostShape {
    let host = &row.host;
    let settings = &host.settings;
    let (log_type, log_server) = match &settings.log_target {
        LogTarget::Local => ("local", None),
        LogTarget::Syslog { server } => ("syslog", Some(server.clone())),
    };
    let (state, since, reason) = match &host.contact.state {
        HostState::Active { since } => ("active", since, None),
        HostState::Inactive { since, why } => ("inactive", since, Some(why.clone())),
    };
    HostShape {
        id: host.id.to_string(),
        version: host.version,
        name: settings.name.to_string(),
        daemon_url: settings.daemon_url.to_string(),
        address: settings.address.clone(),
        bind_address: settings.bind_address.to_string(),
        capacity: settings.capacity,
        log_level: settings.log_level.as_str(),
        log_type,
        log_server,
        schedulable: settings.schedulable,
        autofill: settings.autofill,
        mix: settings.mix.clone(),
        chaincode_endpoint: settings.chaincode_endpoint.clone(),
        kind: kind(host.kind),
        engine_id: host.engine_id.clone(),
        engine_version: host.contact.engine_version.clone(),
        cpus: host.contact.cpus,
        memory: host.contact.memory,
        state,
        state_since: since.to_string(),
        state_reason: reason,
        last_answer: host.contact.last_answer.to_string(),
        leaving: host.purpose.leaves(),
        purpose: purpose(&host.purpose),
        try_again_at: host.try_again.map(|at| at.to_string()),
        made_at: host.contact.made_at.map(|at| at.to_string()),
        tls_until: host.tls.as_ref().map(|tls| tls.ends().to_string()),
        created_at: host.created_at.to_string(),
        clusters: row.phases.iter().map(|(phase, n)| (phase.as_str(), *n)).collect(),
        outlook,
    }
}

/// `single` or `swarm`.
pub fn kind(kind: HostKind) -> &'static str {
    match kind {
        HostKind::Single => "single",
        HostKind::Swarm => "swarm",
    }
}
