//! The end of a container's process, and what the restart policy makes of it.

use std::time::Duration;

use super::container::{Container, Life};
use super::process::Pulse;
use super::{Engine, State};
use crate::clock;
use crate::ids::Id;

/// Docker waits no longer between two restarts.
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// After so long a run the next restart is quick again.
const GOOD_RUN: Duration = Duration::from_secs(10);

/// Whose doing it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// The process ended; the restart policy decides.
    ByItself,
    /// A call ended it; the restart policy rests.
    ByHand,
}

impl Engine {
    /// Ends the process of a container, if it has one, and all that hung on it.
    pub(crate) fn die(&self, state: &mut State, id: &Id, code: i64, death: Death) {
        let Some(container) = state.containers.get_mut(id) else { return };
        let life = std::mem::replace(&mut container.life, Life::Exited);
        let run = match life {
            Life::Running(run) | Life::Paused(run) => run,
            Life::Restarting => {
                self.touch();
                return;
            }
            Life::Created | Life::Exited => {
                container.life = life;
                return;
            }
        };
        run.process.set(Pulse::Ended);
        // Closes the published ports and what is connected to them.
        drop(run);
        let now = clock::now();
        container.finished_at = Some(now);
        container.exit_code = code;
        if let Some(health) = &mut container.health {
            health.status = "unhealthy";
        }
        if let Some(peer) = &container.peer {
            peer.restarted();
        }
        self.events.container(container, "die", vec![("exitCode", code.to_string())]);
        let restart_in = match death {
            Death::ByItself => restart_delay(container, self.options.timing.restart_delay),
            Death::ByHand => None,
        };
        if restart_in.is_some() {
            container.life = Life::Restarting;
            container.restart_count += 1;
            container.streak += 1;
        }
        let names: Vec<String> = container.endpoints.keys().cloned().collect();
        let volumes: Vec<String> =
            container.mounts.iter().filter(|mount| mount.kind == "volume").map(|mount| mount.name.clone()).collect();
        let (generation, auto_remove) = (container.generation, container.spec.body.host_config.auto_remove);
        for name in &names {
            self.leave(state, id, name);
        }
        for volume in volumes {
            self.events.volume(&volume, "unmount", vec![("container", id.to_string())]);
        }
        self.end_chaincode_of(state, id);
        match restart_in {
            Some(delay) => self.restart_later(id, generation, delay),
            None if auto_remove => self.destroy(state, id, true),
            None => {}
        }
        self.touch();
    }

    fn restart_later(&self, id: &Id, generation: u64, delay: Duration) {
        let id = id.clone();
        self.later(delay, move |engine| {
            let mut state = engine.state();
            let due = state
                .containers
                .get(&id)
                .is_some_and(|c| c.generation == generation && matches!(c.life, Life::Restarting));
            if due && let Err(error) = engine.launch(&mut state, &id) {
                tracing::debug!(container = %id, "restart failed: {}", error.message);
            }
            drop(state);
            engine.touch();
        });
    }
}

/// How long until it is started again; `None`: it stays down.
fn restart_delay(container: &mut Container, first: Duration) -> Option<Duration> {
    let policy = &container.spec.body.host_config.restart_policy;
    let wanted = match policy.name.as_str() {
        "always" => true,
        "unless-stopped" => !container.stopped_by_hand,
        "on-failure" => {
            let may = policy.maximum_retry_count == 0 || container.restart_count < policy.maximum_retry_count;
            container.exit_code != 0 && may
        }
        _ => false,
    };
    if !wanted {
        return None;
    }
    let ran = container.finished_at.zip(container.started_at).map_or(Duration::ZERO, |(end, start)| end.since(start));
    if ran >= GOOD_RUN {
        container.streak = 0;
    }
    Some(first.saturating_mul(1 << container.streak.min(16)).min(LONGEST_DELAY))
}
