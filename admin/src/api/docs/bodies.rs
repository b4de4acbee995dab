//! What requests bring, for the document alone: the handlers take each field by its name (`crate::input::Object`). A test compares
//! the fields of these with those that the handlers ask for.

#![allow(dead_code, reason = "described, never made")]

use schemars::JsonSchema;

/// How much of a flavor a mix has.
#[derive(JsonSchema)]
pub struct ShareGiven {
    flavor: String,
    /// Shares of the room are as the weights are; 0 to 1,000,000.
    weight: Option<u32>,
    /// So many are to be free before weights count.
    min_free: Option<u32>,
}

/// The settings of a host that many may share.
#[derive(JsonSchema)]
pub struct SettingsGiven {
    /// Where the clusters' ports are published on the host; `0.0.0.0` is every address it has.
    bind_address: Option<String>,
    #[schemars(extend("enum" = ["debug", "info", "notice", "warning", "error", "critical"]))]
    log_level: Option<String>,
    #[schemars(extend("enum" = ["local", "syslog"]))]
    log_type: Option<String>,
    /// With syslog: `tcp://HOST:PORT` or `udp://HOST:PORT`.
    log_server: Option<String>,
    /// The Docker endpoint that peers may use to start chaincode: trusted tenants only. Empty: none.
    chaincode_endpoint: Option<String>,
    /// How many clusters it may hold.
    #[schemars(range(max = 1000))]
    capacity: Option<u16>,
    /// New clusters are made here and free ones are given out.
    schedulable: Option<bool>,
    /// It is kept at its capacity.
    autofill: Option<bool>,
    /// Which flavors it is filled with; empty: the pool's mix.
    mix: Option<Vec<ShareGiven>>,
}

/// Credentials for a daemon that speaks TLS, each as PEM; all or none.
#[derive(JsonSchema)]
pub struct TlsTexts {
    /// The CA by which the daemon is known.
    tls_ca: Option<String>,
    /// The certificate that is shown to it.
    tls_certificate: Option<String>,
    /// Its key, without a passphrase. Kept sealed; told by nothing.
    tls_key: Option<String>,
}

/// Other credentials for a host.
#[derive(JsonSchema)]
pub struct TlsGiven {
    /// The CA by which the daemon is known, as PEM.
    tls_ca: String,
    /// The certificate that is shown to it, as PEM.
    tls_certificate: String,
    /// Its key as PEM, without a passphrase. Kept sealed; told by nothing.
    tls_key: String,
    /// Keep them though the daemon does not answer with them now.
    untried: Option<bool>,
    /// Only if this is still the host's version.
    version: Option<u64>,
}

/// A host to be added. What is left out is as in the blank form.
#[derive(JsonSchema)]
pub struct HostGiven {
    /// Letters, digits, `-` and `_`, a letter or digit first; unique.
    #[schemars(length(min = 1, max = 16))]
    name: String,
    /// How admin reaches Docker: `tcp://HOST:PORT` or `unix:///PATH`.
    daemon_url: String,
    /// How users reach its clusters; the host of the daemon URL if it is not given.
    address: Option<String>,
    #[schemars(flatten)]
    tls: TlsTexts,
    #[schemars(flatten)]
    settings: SettingsGiven,
}

/// What is to be changed of a host; all else stays.
#[derive(JsonSchema)]
pub struct HostChange {
    #[schemars(length(min = 1, max = 16))]
    name: Option<String>,
    /// Cannot be changed: if it is given, it must be what it is.
    daemon_url: Option<String>,
    address: Option<String>,
    #[schemars(flatten)]
    settings: SettingsGiven,
    /// Only if this is still the host's version.
    version: Option<u64>,
}

/// Many hosts to be added.
#[derive(JsonSchema)]
pub struct ManyGiven {
    /// A line for each: `NAME DAEMON_URL [CAPACITY] [SETTING=VALUE ...]`; at most 200.
    text: String,
    #[schemars(flatten)]
    tls: TlsTexts,
    #[schemars(flatten)]
    settings: SettingsGiven,
}

/// What an action on a host may say.
#[derive(JsonSchema)]
pub struct OfHost {
    /// Only if this is still the host's version.
    version: Option<u64>,
}

/// A deletion.
#[derive(JsonSchema)]
pub struct DeletionGiven {
    /// Leases end as lost, and nothing waits for its engine.
    force: Option<bool>,
    /// With `force`: the host's name.
    confirm: Option<String>,
    /// Only if this is still the host's version.
    version: Option<u64>,
}

/// A reset.
#[derive(JsonSchema)]
pub struct ResetGiven {
    /// The host's name.
    confirm: String,
    /// Ids of what is not this pool's and is to go too, or their first 12 or more characters; at most 1,000.
    foreign: Option<Vec<String>>,
    /// Only if this is still the host's version.
    version: Option<u64>,
}

/// A cluster to be made.
#[derive(JsonSchema)]
pub struct ClusterGiven {
    /// The host's id.
    host: String,
    /// The flavor's id.
    flavor: String,
    /// 24 hexadecimal digits, drawn at random by the caller: the same sent twice makes one cluster.
    id: Option<String>,
}

/// Which nodes.
#[derive(JsonSchema)]
pub struct NodesGiven {
    /// One node's name; all of them if it is not given.
    node: Option<String>,
    /// Of a restart: the cluster's count of restarts as it was seen, so that it is done once however often it is sent.
    restarts: Option<u64>,
}

/// Who signs in.
#[derive(JsonSchema)]
pub struct SignInGiven {
    username: String,
    password: String,
}
