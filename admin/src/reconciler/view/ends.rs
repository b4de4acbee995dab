//! How nodes ended: whether for want of memory, which a full look does not tell. Asked once for each end.

use std::collections::HashMap;
use std::time::Duration;

use common::clock::Pace;
use common::model::{ClusterId, PoolId};
use engine::Engine;
use futures_util::future::join_all;
use tracing::debug;

use super::Seen;

/// It adds words to a reason: what is to be done does not wait for it any longer.
const WITHIN: Duration = Duration::from_secs(2);

/// Clusters asked about at once on one host, after a crash of many.
const AT_ONCE: usize = 4;

/// What is known of the ends of containers that do not run, by container.
#[derive(Debug, Default)]
pub struct Ends(HashMap<String, Option<bool>>);

impl Ends {
    /// Fills in how the nodes ended that do not run.
    pub async fn tell(&mut self, engine: &Engine, pool: &PoolId, pace: Pace, seen: &mut Seen) {
        let ended = |seen: &Seen| {
            let nodes = seen.found.iter().flat_map(|(id, found)| found.nodes.values().map(move |node| (id, node)));
            nodes
                .filter(|(_, node)| node.ended.is_some())
                .map(|(id, node)| (id.clone(), node.container.clone()))
                .collect::<Vec<_>>()
        };
        let now = ended(seen);
        // One that runs again may end again, for another reason.
        self.0.retain(|known, _| now.iter().any(|(_, container)| container == known));
        let mut news: Vec<ClusterId> =
            now.into_iter().filter(|(_, container)| !self.0.contains_key(container)).map(|(id, _)| id).collect();
        news.dedup();
        if !news.is_empty() {
            let asked = async {
                for some in news.chunks(AT_ONCE) {
                    for answer in join_all(some.iter().map(|cluster| engine.nodes(pool, cluster))).await {
                        match answer {
                            Ok(nodes) => self.0.extend(nodes.into_iter().map(|node| (node.id, node.oom_killed))),
                            Err(error) => debug!("how nodes ended is not known: {error}"),
                        }
                    }
                }
            };
            let _in_time = tokio::time::timeout(pace.of(WITHIN), asked).await;
        }
        for node in seen.found.values_mut().flat_map(|found| found.nodes.values_mut()) {
            if let Some(end) = &mut node.ended {
                end.oom = self.0.get(&node.container).copied().flatten().unwrap_or(false);
            }
        }
    }
}
