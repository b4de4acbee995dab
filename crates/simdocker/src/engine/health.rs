//! The container's own health check, which here succeeds unless a test says otherwise.

use super::Engine;
use super::container::{Container, Life};
use crate::clock::{self, Moment};

/// How a container says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) status: &'static str,
    pub(crate) failing_streak: u32,
    /// When the last check was.
    pub(crate) checked_at: Option<Moment>,
}

impl Health {
    /// Of a container that has just started; `None` without a check.
    pub(crate) fn at_start(container: &Container) -> Option<Self> {
        let check = container.spec.body.healthcheck.as_ref()?;
        if check.test.is_empty() || check.test.first().is_some_and(|word| word == "NONE") {
            return None;
        }
        Some(Self { status: "starting", failing_streak: 0, checked_at: None })
    }
}

impl Engine {
    /// After a start: the check comes later, if there is one.
    pub(super) fn watch_health(&self, id: &str, generation: u64) {
        let id = id.to_owned();
        self.later(self.options.timing.health, move |engine| {
            let mut state = engine.state();
            let Some(container) = state.containers.get_mut(id.as_str()) else { return };
            if container.generation != generation || !matches!(container.life, Life::Running(_)) {
                return;
            }
            let is_well = container.spec.env("SIMDOCKER_UNHEALTHY").is_none();
            let Some(health) = &mut container.health else { return };
            health.checked_at = Some(clock::now());
            health.status = if is_well { "healthy" } else { "unhealthy" };
            health.failing_streak = u32::from(!is_well) * 3;
            let action = format!("health_status: {}", health.status);
            engine.events.container(container, &action, Vec::new());
            drop(state);
            engine.touch();
        });
    }
}
