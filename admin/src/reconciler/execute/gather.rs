//! Keeps what can be learnt of a failed cluster, then decides its removal.
//!
//! Best effort: what cannot be had is listed as missing, and only a store or an engine that is away puts it off.

use common::clock;
use common::model::evidence::{MAX_NODES, MAX_TEXT};
use common::model::{Cluster, EventKind, Evidence, Host, NodeEvidence, Phase, Timestamp, Timing, Why};
use common::store::StoreError;
use engine::EngineError;
use serde_json::{Value, json};
use tracing::warn;

use super::placement::project;
use super::{Hands, Trouble, moved};

pub(super) async fn gather(
    hands: &Hands,
    host: &Host,
    from: &Cluster,
    why: &Why,
    timings: &[Timing],
) -> Result<(), Trouble> {
    let (tools, now) = (&hands.tools, clock::now());
    let to = from.remove(why.clone(), now)?;
    let mut missing = Vec::new();
    let nodes = nodes(hands, from, &mut missing).await?;
    let evidence = Evidence {
        cluster: from.id.clone(),
        name: from.name.clone(),
        host: host.id.clone(),
        host_name: host.settings.name.clone(),
        flavor: from.flavor.clone(),
        why: why.clone(),
        created_at: from.created_at,
        failed_at: failed_at(from, now),
        timings: timings.to_vec(),
        plan: plan(hands, host, from, &mut missing),
        nodes,
        missing,
    };
    tools.term.check()?;
    match tools.store.put_evidence(&evidence).await {
        Ok(()) => {}
        Err(error @ StoreError::Unavailable(_)) => return Err(error.into()),
        // Trying again will not help.
        Err(error) => warn!(cluster.id = %from.id, "the evidence of {} could not be kept: {error}", from.name),
    }
    moved(&tools.store, from, &to, EventKind::Removing, &why.to_string()).await
}

fn failed_at(cluster: &Cluster, now: Timestamp) -> Timestamp {
    match &cluster.phase {
        Phase::Failed { since, .. } => *since,
        Phase::Creating { .. }
        | Phase::Free { .. }
        | Phase::InUse { .. }
        | Phase::Releasing { .. }
        | Phase::Removing { .. }
        | Phase::Lost { .. } => now,
    }
}

/// What the engine tells of its nodes. An engine that is away may tell later; any other trouble is a gap in the evidence.
async fn nodes(hands: &Hands, cluster: &Cluster, missing: &mut Vec<String>) -> Result<Vec<NodeEvidence>, EngineError> {
    match hands.engine.gather(hands.tools.store.pool_id(), &cluster.id).await {
        Ok(mut nodes) => {
            if nodes.is_empty() {
                missing.push("nodes: nothing of them is on the engine".into());
            }
            if nodes.len() > MAX_NODES {
                missing.push(format!("nodes: {} more", nodes.len() - MAX_NODES));
                nodes.truncate(MAX_NODES);
            }
            Ok(nodes)
        }
        Err(error @ EngineError::Unreachable { .. }) => Err(error),
        Err(error) => {
            missing.push(format!("nodes: {error}"));
            Ok(Vec::new())
        }
    }
}

/// What was to be made, without the values of environment variables.
fn plan(hands: &Hands, host: &Host, cluster: &Cluster, missing: &mut Vec<String>) -> String {
    let tools = &hands.tools;
    let Some(flavor) = tools.catalog.flavor(&cluster.flavor) else {
        missing.push("plan: its flavor is gone".into());
        return String::new();
    };
    if flavor.digest != cluster.flavor_digest {
        missing.push("plan: its flavor changed since; this is the flavor of today".into());
    }
    let place = (&cluster.id, &cluster.name, cluster.slot);
    match project(&tools.catalog, &tools.layout, host, flavor, place) {
        Ok(project) => fitting(project.services.iter().map(service).collect(), missing),
        Err(error) => {
            missing.push(format!("plan: {error}"));
            String::new()
        }
    }
}

fn service(service: &common::compose::ServiceSpec) -> Value {
    let ports: Vec<String> =
        service.ports.iter().map(|p| format!("{}:{}:{}", p.host_ip, p.host_port, p.container_port)).collect();
    json!({
        "node": service.node,
        "container": service.container_name,
        "image": service.image,
        "entrypoint": service.entrypoint,
        "command": service.command,
        "environment": service.environment.keys().collect::<Vec<_>>(),
        "ports": ports,
        "depends_on": service.depends_on,
        "restart": service.restart,
        "memory": service.memory,
        "nano_cpus": service.nano_cpus,
        "pids_limit": service.pids_limit,
    })
}

/// JSON of as many services as fit.
fn fitting(mut services: Vec<Value>, missing: &mut Vec<String>) -> String {
    let all = services.len();
    loop {
        let text = json!({ "services": services }).to_string();
        if text.len() <= MAX_TEXT {
            if services.len() < all {
                missing.push(format!("plan: {} of {all} services are left out", all - services.len()));
            }
            return text;
        }
        services.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_that_is_too_long_is_cut_between_services_and_says_so() {
        let mut missing = Vec::new();
        let services = vec![json!({ "node": "a" }), json!({ "command": "x".repeat(5000) }), json!("y".repeat(4000))];
        let text = fitting(services, &mut missing);
        let back: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(back["services"].as_array().unwrap().len(), 2);
        assert_eq!(missing, ["plan: 1 of 3 services are left out"]);
    }
}
