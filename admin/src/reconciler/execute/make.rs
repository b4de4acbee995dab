//! Begins clusters and brings them up.

use common::clock;
use common::model::{Cluster, ClusterId, EventKind, FlavorId, Host, Slot};
use engine::Ownership;
use tracing::{debug, info};

use super::placement::{new_cluster, project};
use super::{Hands, Trouble, event};

/// Writes down the intent: from here on the next pass, of this process or another, makes it or removes it.
pub(super) async fn begin(hands: &Hands, host: &Host, slot: Slot, flavor: &FlavorId, why: &str) -> Result<(), Trouble> {
    let now = clock::now();
    let tools = &hands.tools;
    let flavor = tools.catalog.flavor(flavor).ok_or(Trouble::Vanished)?;
    let place = (ClusterId::random(), slot);
    let cluster = new_cluster(&tools.catalog, &tools.layout, host, flavor, place, 0, now).map_err(Trouble::Plan)?;
    let event = event(now, EventKind::Creating, why).about(&cluster);
    Ok(tools.store.place_cluster(&cluster, host.version, event).await?)
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
            hands.pulls.begin(&cluster.id, image);
            info!("{}: pulling image {image}, which is not on the host", host.settings.name);
        } else {
            debug!("{}: {progress:?}", cluster.name);
        }
    };
    hands.engine.up(&project, &owner, &hands.limits, &fence, &report).await?;
    Ok(())
}
