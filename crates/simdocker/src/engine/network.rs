//! Networks: make, find, join, leave, remove.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use indexmap::IndexMap;
use ipnet::Ipv4Net;
use serde::Deserialize;

use super::labels::Labels;
use super::trouble::Need;
use super::{Engine, State, ipam};
use crate::clock::{self, Moment};
use crate::error::{ApiError, ApiResult};
use crate::ids::{self, Id};

const NOT_A_MANAGER: &str = "This node is not a swarm manager. Use \"docker swarm init\" or \"docker swarm join\" to connect this node to swarm and try again.";

/// One network.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) id: Id,
    pub(crate) name: String,
    pub(crate) created: Moment,
    pub(crate) driver: String,
    /// What it is; `None` for `host` and `none`.
    pub(crate) subnet: Option<Ipv4Net>,
    pub(crate) gateway: Option<Ipv4Addr>,
    /// `IPAM.Config` as `inspect` shows it.
    pub(crate) ipam: Vec<IpamConfig>,
    pub(crate) request: NetworkRequest,
    /// Who is on it, by address; their names are looked up.
    pub(crate) members: BTreeMap<Ipv4Addr, Id>,
    /// The peers on it.
    pub(crate) mesh: Arc<fabricsim::Mesh>,
}

/// The body of a create call.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct NetworkRequest {
    pub(crate) name: String,
    pub(crate) check_duplicate: Option<bool>,
    pub(crate) driver: Option<String>,
    pub(crate) internal: Option<bool>,
    pub(crate) attachable: Option<bool>,
    #[serde(rename = "IPAM")]
    pub(crate) ipam: Option<IpamRequest>,
    pub(crate) options: Option<BTreeMap<String, String>>,
    pub(crate) labels: Option<Labels>,
}

/// How addresses are to be given out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct IpamRequest {
    pub(crate) config: Option<Vec<IpamConfig>>,
}

/// One range of addresses, as it was asked for.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(crate) struct IpamConfig {
    pub(crate) subnet: Option<String>,
    #[serde(rename = "IPRange")]
    pub(crate) ip_range: Option<String>,
    pub(crate) gateway: Option<String>,
}

/// The networks that every engine has.
pub(super) fn predefined() -> IndexMap<Id, Network> {
    let text = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let bridge_options = text(&[
        ("com.docker.network.bridge.default_bridge", "true"),
        ("com.docker.network.bridge.enable_icc", "true"),
        ("com.docker.network.bridge.enable_ip_masquerade", "true"),
        ("com.docker.network.bridge.host_binding_ipv4", "0.0.0.0"),
        ("com.docker.network.bridge.name", "docker0"),
        ("com.docker.network.driver.mtu", "1500"),
    ]);
    let bridge = Ipv4Net::new_assert(Ipv4Addr::new(172, 17, 0, 0), 16);
    [("none", "null", None, BTreeMap::new()), ("host", "host", None, BTreeMap::new())]
        .into_iter()
        .chain([("bridge", "bridge", Some(bridge), bridge_options)])
        .map(|(name, driver, subnet, options)| {
            let id = ids::fresh();
            let shown =
                subnet.map(|net: Ipv4Net| IpamConfig { subnet: Some(net.to_string()), ..IpamConfig::default() });
            let network = Network {
                id: id.clone(),
                name: name.to_owned(),
                created: clock::now(),
                driver: driver.to_owned(),
                subnet,
                gateway: subnet.and_then(|net| net.hosts().next()),
                ipam: shown.into_iter().collect(),
                request: NetworkRequest { options: Some(options), ..NetworkRequest::default() },
                members: BTreeMap::new(),
                mesh: Arc::default(),
            };
            (id, network)
        })
        .collect()
}

/// What a made network is told: its id and a warning.
pub(crate) struct Made {
    pub(crate) id: Id,
    pub(crate) warning: String,
}

impl Network {
    /// One of those that every engine has.
    pub(crate) fn is_predefined(&self) -> bool {
        matches!(self.name.as_str(), "none" | "host" | "bridge")
    }
}

impl Engine {
    /// Makes a network. The same name twice succeeds with a warning, as on engine 20.10.
    pub(crate) fn create_network(&self, request: NetworkRequest) -> ApiResult<Made> {
        let mut state = self.state();
        if request.name.is_empty() {
            return Err(ApiError::broken("invalid name: "));
        }
        if matches!(request.name.as_str(), "bridge" | "host" | "none") {
            let message = format!("operation is not permitted on predefined {} network ", request.name);
            return Err(ApiError::forbidden(message));
        }
        let twin =
            state.networks.values().find(|network| network.name == request.name).map(|network| network.id.clone());
        if twin.is_some() && request.check_duplicate == Some(true) {
            return Err(ApiError::conflict(format!("network with name {} already exists", request.name)));
        }
        let driver = request.driver.clone().filter(|driver| !driver.is_empty()).unwrap_or_else(|| "bridge".to_owned());
        match driver.as_str() {
            "bridge" | "macvlan" | "ipvlan" => {}
            "overlay" => return Err(ApiError::broken(NOT_A_MANAGER)),
            other => return Err(ApiError::missing(format!("plugin \"{other}\" not found"))),
        }
        let wanted = request.ipam.as_ref().and_then(|ipam| ipam.config.clone()).unwrap_or_default();
        let plan = ipam::plan(&wanted, state.networks.values().filter_map(|network| network.subnet))?;
        state.needs_disk(Need::Network)?;
        let id = ids::fresh();
        let network = Network {
            id: id.clone(),
            name: request.name.clone(),
            created: clock::now(),
            driver,
            subnet: Some(plan.subnet),
            gateway: Some(plan.gateway),
            ipam: plan.shown,
            request,
            members: BTreeMap::new(),
            mesh: Arc::default(),
        };
        self.events.network(&network, "create", None);
        let warning = twin.map_or_else(String::new, |twin| {
            format!("Network with name {} (id : {twin}) already exists", network.name)
        });
        state.networks.insert(id.clone(), network);
        Ok(Made { id, warning })
    }

    /// Removes a network that nobody is on.
    pub(crate) fn remove_network(&self, wanted: &str) -> ApiResult<()> {
        let mut state = self.state();
        let id = state.find_network(wanted, |name, count| {
            format!("network {name} is ambiguous ({count} matches found based on name)")
        })?;
        let Some(network) = state.networks.get(&id) else { return Ok(()) };
        if network.is_predefined() {
            let message = format!("{} is a pre-defined network and cannot be removed", network.name);
            return Err(ApiError::forbidden(message));
        }
        if !network.members.is_empty() {
            return Err(ApiError::forbidden(format!(
                "error while removing network: network {} id {} has active endpoints",
                network.name, network.id
            )));
        }
        self.events.network(network, "destroy", None);
        state.networks.shift_remove(&id);
        Ok(())
    }
}

impl State {
    /// A network by id, name, or unambiguous beginning of an id; `ambiguous` says it when a name is there twice.
    pub(crate) fn find_network(&self, wanted: &str, ambiguous: impl Fn(&str, usize) -> String) -> ApiResult<Id> {
        if let Some((id, _)) = self.networks.get_key_value(wanted) {
            return Ok(id.clone());
        }
        let by_name: Vec<&Id> =
            self.networks.values().filter(|network| network.name == wanted).map(|network| &network.id).collect();
        match by_name.as_slice() {
            [id] => return Ok((*id).clone()),
            [] => {}
            many => return Err(ApiError::bad(ambiguous(wanted, many.len()))),
        }
        let none = || ApiError::missing(format!("network {wanted} not found"));
        if wanted.is_empty() {
            return Err(none());
        }
        let by_prefix: Vec<&Id> = self.networks.keys().filter(|id| id.starts_with(wanted)).collect();
        match by_prefix.as_slice() {
            [id] => Ok((*id).clone()),
            [] => Err(none()),
            many => Err(ApiError::bad(ambiguous(wanted, many.len()))),
        }
    }

    /// The same, with the words that joining and leaving use.
    pub(crate) fn find_network_to_join(&self, wanted: &str) -> ApiResult<Id> {
        let wanted = if wanted == "default" { "bridge" } else { wanted };
        self.find_network(wanted, |name, count| format!("network {name} is ambiguous ({count} matches found on name)"))
    }
}
