//! Probes a cluster.

use common::clock;
use common::model::{Cluster, Phase};

use super::Hands;
use super::outcome::Outcome;
use super::probe;

pub(super) async fn look(hands: &Hands, cluster: Option<&Cluster>) -> Outcome {
    let Some(cluster) = cluster else { return Outcome::Stale };
    let at = clock::now();
    let leased = matches!(cluster.phase, Phase::InUse { .. });
    let result = match hands.tools.probes.get(&cluster.flavor) {
        Some(probes) => probe::ask(&hands.tools.http, &cluster.endpoints, probes).await,
        None => Err("its flavor is gone, and its probes with it".to_owned()),
    };
    // A leased cluster outlives its flavor: that its nodes run is all that can be said of it then.
    let same = hands.tools.catalog.flavor(&cluster.flavor).is_some_and(|now| now.digest == cluster.flavor_digest);
    let result = if leased && !same { Ok(()) } else { result };
    Outcome::Looked { at, result }
}
