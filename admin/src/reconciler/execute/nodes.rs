//! Starts, stops and restarts nodes.

use std::time::Duration;

use common::clock;
use common::model::{Cluster, EventKind, Health, Node, NodeState, Phase};
use engine::EngineError;
use futures_util::future::join_all;

use super::{Hands, Trouble, event};
use crate::reconciler::plan::{NodeChange, NodeStep};

/// A peer writes its ledger at once and ends on the first signal; this is for one that does not.
const STOP_GRACE: Duration = Duration::from_secs(10);

/// Changes nodes, all at once, and records those of which it is known how they are now.
pub(super) async fn change_nodes(
    hands: &Hands,
    from: &Cluster,
    changes: &[NodeStep],
    why: &str,
) -> Result<(), Trouble> {
    let outcomes = join_all(changes.iter().map(|step| change_node(hands, step))).await;
    let (mut seen, mut words, mut failure) = (Vec::new(), Vec::new(), None);
    for (step, outcome) in changes.iter().zip(outcomes) {
        match outcome {
            Ok((state, done)) => {
                let container = Some(step.container.clone());
                seen.push((step.node.clone(), Node { container, state, restarted_seq: step.restart_seq }));
                words.push(format!("{} {done}", step.node));
            }
            Err(error) => failure = Some(error),
        }
    }
    if !seen.is_empty() {
        // What was proven of a free one before says nothing of its nodes now.
        let free = matches!(from.phase, Phase::Free { .. });
        let to = from.seen(seen, if free { Health::Unknown } else { from.health.clone() });
        let reason = format!("{}: {why}", words.join(", "));
        let event = event(clock::now(), EventKind::NodeChanged, &reason).about(&to);
        hands.tools.store.move_cluster(from, &to, Some(event)).await?;
    }
    failure.map_or(Ok(()), |error| Err(error.into()))
}

async fn change_node(hands: &Hands, step: &NodeStep) -> Result<(NodeState, &'static str), EngineError> {
    let (grace, fence) = (hands.tools.pace.of(STOP_GRACE), || hands.tools.term.check());
    match step.change {
        NodeChange::Start => {
            hands.engine.start_node(&step.container, &fence).await?;
            Ok((NodeState::Running, "started"))
        }
        NodeChange::Stop => {
            hands.engine.stop_node(&step.container, grace, &fence).await?;
            Ok((NodeState::Exited, "stopped"))
        }
        NodeChange::Restart => {
            hands.engine.restart_node(&step.container, grace, &fence).await?;
            Ok((NodeState::Running, "restarted"))
        }
    }
}
