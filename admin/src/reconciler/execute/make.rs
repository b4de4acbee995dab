//! Begins clusters and brings them up.

use common::clock;
use common::model::{Cluster, ClusterId, ClusterName, EventKind, FlavorId, Host, NewCluster, Slot};
use engine::Ownership;
use tracing::{debug, info};

use super::{Hands, Trouble, event};
use crate::reconciler::placement::{endpoints, project};

/// Writes down the intent: from here on the next pass, of this process or another, makes it or removes it.
pub(super) async fn begin(hands: &Hands, host: &Host, slot: Slot, flavor: &FlavorId, why: &str) -> Result<(), Trouble> {
    let now = clock::now();
    let flavor = hands.tools.catalog.flavor(flavor).ok_or(Trouble::Vanished)?;
    let id = ClusterId::random();
    let name = ClusterName::of(&host.settings.name, slot);
    let tools = &hands.tools;
    let project = project(&tools.catalog, &tools.layout, host, flavor, (&id, &name, slot)).map_err(Trouble::Plan)?;
    let cluster = Cluster::begin(NewCluster {
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
        deadline: now + project.create_within,
    });
    let event = event(now, EventKind::Creating, why).about(&cluster);
    Ok(hands.tools.store.insert_cluster(&cluster, event).await?)
}

pub(super) async fn bring_up(hands: &Hands, host: &Host, cluster: &Cluster) -> Result<(), Trouble> {
    let flavor = hands.tools.catalog.flavor(&cluster.flavor).ok_or(Trouble::Vanished)?;
    let (tools, place) = (&hands.tools, (&cluster.id, &cluster.name, cluster.slot));
    let project = project(&tools.catalog, &tools.layout, host, flavor, place).map_err(Trouble::Plan)?;
    let owner = Ownership {
        pool: hands.tools.store.pool_id().clone(),
        cluster: cluster.id.clone(),
        host: host.id.clone(),
        slot: cluster.slot,
        flavor: cluster.flavor.clone(),
        flavor_digest: cluster.flavor_digest.clone(),
    };
    let fence = || hands.tools.term.check();
    let report = |progress: engine::Progress| {
        if let engine::Progress::Pulling { image } = &progress {
            info!("{}: pulling image {image}, which is not on the host", host.settings.name);
        } else {
            debug!("{}: {progress:?}", cluster.name);
        }
    };
    hands.engine.up(&project, &owner, &hands.limits, &fence, &report).await?;
    Ok(())
}
