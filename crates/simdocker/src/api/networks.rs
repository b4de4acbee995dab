//! Networks.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::Call;
use super::filters::Filters;
use super::reply::{self, ReplyResult};
use crate::engine::network::{Network, NetworkRequest};
use crate::engine::spec::EndpointRequest;
use crate::engine::{Engine, State};

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Membership {
    container: Option<String>,
    endpoint_config: Option<EndpointRequest>,
    force: Option<bool>,
}

pub(crate) fn list(engine: &Arc<Engine>, call: &Call) -> ReplyResult {
    let filters = Filters::of(call, &["dangling", "driver", "id", "label", "name", "scope", "type"])?;
    let state = engine.state();
    let list: Vec<Value> = state
        .networks
        .values()
        .filter(|network| {
            let labels = network.request.labels.as_ref();
            filters.labels(|name| labels?.get(name))
                && filters.text("name", &[&network.name])
                && filters.any("id", |id| network.id.starts_with(id))
                && filters.any("driver", |driver| driver == network.driver)
                && filters.any("scope", |scope| scope == "local")
                && filters.any("type", |kind| (kind == "builtin") == network.is_predefined())
                && filters.any("dangling", |wanted| {
                    matches!(wanted, "true" | "1") == (network.members.is_empty() && !network.is_predefined())
                })
        })
        // A list shows no containers.
        .map(|network| show(network, Map::new()))
        .collect();
    drop(state);
    Ok(reply::json(200, &Value::Array(list)))
}

pub(crate) fn inspect(engine: &Arc<Engine>, wanted: &str) -> ReplyResult {
    let state = engine.state();
    let id = state.find_network(wanted, |name, count| {
        format!("{count} matches found based on name: network {name} is ambiguous")
    })?;
    let value = state.networks.get(&id).map(|network| show(network, members(&state, network)));
    drop(state);
    Ok(reply::json(200, &value.unwrap_or_default()))
}

pub(crate) fn create(engine: &Arc<Engine>, call: &Call) -> ReplyResult {
    let made = engine.create_network(call.json::<NetworkRequest>()?)?;
    Ok(reply::json(201, &json!({"Id": &*made.id, "Warning": made.warning})))
}

pub(crate) fn remove(engine: &Arc<Engine>, wanted: &str) -> ReplyResult {
    engine.remove_network(wanted)?;
    Ok(reply::empty(204))
}

pub(crate) fn connect(engine: &Arc<Engine>, network: &str, call: &Call) -> ReplyResult {
    let asked: Membership = call.json()?;
    let container = asked.container.unwrap_or_default();
    engine.connect(network, &container, asked.endpoint_config.unwrap_or_default())?;
    Ok(reply::empty(200))
}

pub(crate) fn disconnect(engine: &Arc<Engine>, network: &str, call: &Call) -> ReplyResult {
    let asked: Membership = call.json()?;
    engine.disconnect(network, &asked.container.unwrap_or_default(), asked.force == Some(true))?;
    Ok(reply::empty(200))
}

fn members(state: &State, network: &Network) -> Map<String, Value> {
    let mut members = Map::new();
    for id in network.members.values() {
        let Some(container) = state.containers.get(id) else { continue };
        let place = container.endpoints.values().find(|endpoint| endpoint.network.as_ref() == Some(&network.id));
        let Some(live) = place.and_then(|endpoint| endpoint.live.as_ref()) else { continue };
        let shown = json!({
            "Name": container.name, "EndpointID": &*live.id, "MacAddress": live.mac(),
            "IPv4Address": format!("{}/{}", live.ip, live.prefix), "IPv6Address": "",
        });
        members.insert(id.to_string(), shown);
    }
    members
}

fn show(network: &Network, containers: Map<String, Value>) -> Value {
    let request = &network.request;
    let ipam: Vec<Value> = network
        .ipam
        .iter()
        .map(|config| {
            let parts = [("Subnet", &config.subnet), ("IPRange", &config.ip_range), ("Gateway", &config.gateway)];
            let said = parts.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value.clone()?.into())));
            Value::Object(said.collect())
        })
        .collect();
    json!({
        "Name": network.name,
        "Id": &*network.id,
        "Created": network.created.rfc3339(),
        "Scope": "local",
        "Driver": network.driver,
        "EnableIPv6": false,
        "IPAM": {"Driver": "default", "Options": null, "Config": ipam},
        "Internal": request.internal.unwrap_or_default(),
        "Attachable": request.attachable.unwrap_or_default(),
        "Ingress": false,
        "ConfigFrom": {"Network": ""},
        "ConfigOnly": false,
        "Containers": containers,
        "Options": request.options.clone().unwrap_or_default(),
        "Labels": request.labels.clone().unwrap_or_default(),
    })
}
