//! Where a flavor stands on a host, and what is to be brought up there. Plain functions, for [`super`].

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use anyhow::Context;
use common::compose::{Catalog, DeepProbe, HttpProbe, Placement, Project};
use common::model::{
    Cluster, ClusterId, ClusterName, Endpoint, Flavor, FlavorId, Host, HostKind, LogLevel, LogTarget, NewCluster, Slot,
    SlotLayout, Timestamp,
};

/// What proves each flavor well.
pub fn probes(catalog: &Catalog) -> anyhow::Result<BTreeMap<FlavorId, Vec<HttpProbe>>> {
    let projects = catalog.flavors().iter().map(|flavor| Ok((flavor.id.clone(), anywhere(catalog, flavor)?.probes)));
    projects.collect()
}

/// What proves each flavor deeply, if its template says.
pub fn deep_probes(catalog: &Catalog) -> anyhow::Result<BTreeMap<FlavorId, DeepProbe>> {
    let projects =
        catalog.flavors().iter().map(|flavor| Ok((flavor.id.clone(), anywhere(catalog, flavor)?.deep_probe)));
    let all: anyhow::Result<Vec<(FlavorId, Option<DeepProbe>)>> = projects.collect();
    Ok(all?.into_iter().filter_map(|(flavor, probe)| Some((flavor, probe?))).collect())
}

/// A flavor's project. A template's probes do not depend on where its cluster stands, so any place will do.
fn anywhere(catalog: &Catalog, flavor: &Flavor) -> anyhow::Result<Project> {
    let layout = SlotLayout::default();
    let (ports, subnet) =
        layout.ports(Slot(0)).zip(layout.subnet(Slot(0))).context("the default layout has no slot")?;
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
    catalog.plan(flavor, &placement).with_context(|| format!("planning flavor {}", flavor.id))
}

/// The record of a cluster whose making begins there and now, because the pool is short or an operator wants it; why it
/// cannot, in words. `turns` makings may come before it: each may take as long as the template says.
pub fn new_cluster(
    catalog: &Catalog,
    layout: &SlotLayout,
    host: &Host,
    flavor: &Flavor,
    (id, slot): (ClusterId, Slot),
    turns: u32,
    now: Timestamp,
) -> Result<Cluster, String> {
    let name = ClusterName::of(&host.settings.name, slot);
    let project = project(catalog, layout, host, flavor, (&id, &name, slot))?;
    Ok(Cluster::begin(NewCluster {
        id,
        name,
        host: host.id.clone(),
        host_name: host.settings.name.clone(),
        slot,
        flavor: flavor.id.clone(),
        flavor_digest: flavor.digest.clone(),
        size: flavor.size,
        nodes: project.lasting_nodes(),
        endpoints: endpoints(host, &project),
        now,
        deadline: now + project.create_within * (turns + 1),
    }))
}

fn endpoints(host: &Host, project: &Project) -> BTreeMap<String, Endpoint> {
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
