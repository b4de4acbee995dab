//! Where a flavor stands on a host, and what is to be brought up there. Plain functions, for [`super::execute`].

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use anyhow::Context;
use common::compose::{Catalog, HttpProbe, Placement, Project};
use common::model::{
    ClusterId, ClusterName, Endpoint, Flavor, FlavorId, Host, HostKind, LogLevel, LogTarget, Slot, SlotLayout,
};

/// What proves each flavor well. A template's probes do not depend on where its cluster stands, so any place will do.
pub fn probes(catalog: &Catalog) -> anyhow::Result<BTreeMap<FlavorId, Vec<HttpProbe>>> {
    let layout = SlotLayout::default();
    let (ports, subnet) =
        layout.ports(Slot(0)).zip(layout.subnet(Slot(0))).context("the default layout has no slot")?;
    let mut probes = BTreeMap::new();
    for flavor in catalog.flavors() {
        let placement = Placement {
            cluster: ClusterId::random(),
            project: "probe".into(),
            ports,
            subnet,
            bind_address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            log_target: LogTarget::Local,
            log_level: LogLevel::Info,
            kind: HostKind::Single,
            chaincode_endpoint: None,
        };
        let project = catalog.plan(flavor, &placement).with_context(|| format!("planning flavor {}", flavor.id))?;
        probes.insert(flavor.id.clone(), project.probes);
    }
    Ok(probes)
}

pub fn endpoints(host: &Host, project: &Project) -> BTreeMap<String, Endpoint> {
    let endpoint = |planned: &common::compose::PlannedEndpoint| Endpoint {
        node: planned.node.clone(),
        scheme: planned.scheme.clone(),
        address: host.settings.address.clone(),
        port: planned.port,
    };
    project.endpoints.iter().map(|(name, planned)| (name.clone(), endpoint(planned))).collect()
}

/// What to bring up for a flavor in a slot of a host; why not, in words.
pub fn project(
    catalog: &Catalog,
    layout: &SlotLayout,
    host: &Host,
    flavor: &Flavor,
    (id, name, slot): (&ClusterId, &ClusterName, Slot),
) -> Result<Project, String> {
    let (Some(ports), Some(subnet)) = (layout.ports(slot), layout.subnet(slot)) else {
        return Err(format!("slot {slot} is beyond the port range"));
    };
    let placement = Placement {
        cluster: id.clone(),
        project: name.project(),
        ports,
        subnet,
        bind_address: host.settings.bind_address,
        log_target: host.settings.log_target.clone(),
        log_level: host.settings.log_level,
        kind: host.kind,
        chaincode_endpoint: host.settings.chaincode_endpoint.clone(),
    };
    catalog.plan(flavor, &placement).map_err(|error| error.to_string())
}
