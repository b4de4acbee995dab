//! Starts the containers, each when those it waits for are far enough, and at most so many at once on the host.

use std::collections::BTreeMap;
use std::time::Duration;

use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, HealthStatusEnum};
use bollard::query_parameters::{InspectContainerOptions, ListContainersOptionsBuilder, StartContainerOptions};
use common::compose::{Condition, ServiceSpec};
use common::model::NodeName;
use futures_util::future::try_join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::Up;
use super::containers::{Made, MadeState};
use crate::error_map::Step;
use crate::raw::RawContainer;
use crate::{EngineError, Progress, deadline};

/// Between two looks at a service that another waits for: soon at first, then seldom, since most are far enough within a
/// second and some take a minute.
const LOOKS: [Duration; 4] =
    [Duration::from_millis(50), Duration::from_millis(100), Duration::from_millis(250), Duration::from_millis(500)];

/// Lines of a failed service's log that go into the error, and bytes of them.
const LAST_LINES: u32 = 20;
const LAST_BYTES: usize = 2048;

/// Set to true when a service was started.
type Flags = BTreeMap<NodeName, watch::Sender<bool>>;

impl Up<'_> {
    /// Starts all; the first failure ends the rest where it stands.
    pub(super) async fn start(self, containers: &[Made]) -> Result<(), EngineError> {
        let until = Instant::now() + self.project.create_within;
        let flags: Flags = containers.iter().map(|made| (made.node.clone(), watch::Sender::new(false))).collect();
        let each = self.project.services.iter().map(|service| self.start_one(service, containers, &flags, until));
        try_join_all(each).await.map(drop)
    }

    async fn start_one(
        self,
        service: &ServiceSpec,
        containers: &[Made],
        flags: &Flags,
        until: Instant,
    ) -> Result<(), EngineError> {
        let node = &service.node;
        let Some(made) = find(containers, node) else { return Ok(()) };
        match made.state {
            MadeState::Running | MadeState::Done => {}
            MadeState::Waiting | MadeState::Paused => {
                (self.report)(Progress::Waiting { node: node.clone() });
                for (on, condition) in &service.depends_on {
                    self.wait_for(on, *condition, containers, flags, until).await?;
                }
                let turn = self.limits.turn().await;
                (self.report)(Progress::Starting { node: node.clone() });
                let started = self.set_going(service, made).await;
                if matches!(started, Ok(()) | Err(EngineError::Timeout { .. })) {
                    turn.sample();
                }
                started?;
            }
        }
        (self.report)(Progress::Started { node: node.clone() });
        if let Some(flag) = flags.get(node) {
            flag.send_replace(true);
        }
        Ok(())
    }

    async fn set_going(self, service: &ServiceSpec, made: &Made) -> Result<(), EngineError> {
        let thing = format!("container {}", service.container_name);
        if made.state == MadeState::Paused {
            let unpause = self.at.docker().unpause_container(&made.id);
            return self.at.call(Step("unpausing", &thing), deadline::START, unpause).await;
        }
        let start = self.at.docker().start_container(&made.id, None::<StartContainerOptions>);
        match self.at.call(Step("starting", &thing), deadline::START, start).await {
            Err(EngineError::PortTaken { port, by }) => {
                let by = self.publisher(port).await?.unwrap_or(by);
                Err(EngineError::PortTaken { port, by })
            }
            other => other,
        }
    }

    /// Which container publishes a port, for people.
    async fn publisher(self, port: u16) -> Result<Option<String>, EngineError> {
        let options = ListContainersOptionsBuilder::default().build();
        let list = self.at.docker().list_containers(Some(options));
        let running = self.at.call(Step("listing", "containers"), deadline::LOOK, list).await?;
        let mut running = running.into_iter().map(RawContainer::from);
        let publisher = running.find(|container| container.ports.iter().any(|published| published.port == port));
        Ok(publisher.map(|container| format!("container {}", container.name)))
    }

    async fn wait_for(
        self,
        on: &NodeName,
        condition: Condition,
        containers: &[Made],
        flags: &Flags,
        until: Instant,
    ) -> Result<(), EngineError> {
        let (Some(made), Some(flag)) = (find(containers, on), flags.get(on)) else { return Ok(()) };
        // An error means that the sender is gone, which it is not while `flags` is borrowed.
        let _ = flag.subscribe().wait_for(|started| *started).await;
        let what = match condition {
            Condition::Started => return Ok(()),
            Condition::Healthy => format!("{on} becoming healthy"),
            Condition::CompletedSuccessfully => format!("{on} doing its one job"),
        };
        let far_enough = async {
            let mut looks = LOOKS.iter().chain(std::iter::repeat(&LOOKS[LOOKS.len() - 1]));
            while !self.is_far_enough(on, &made.id, condition).await? {
                sleep(self.at.pause(*looks.next().unwrap_or(&LOOKS[0]))).await;
            }
            Ok(())
        };
        let timed_out = EngineError::Timeout { what, after: self.project.create_within };
        timeout_at(until, far_enough).await.unwrap_or(Err(timed_out))
    }

    async fn is_far_enough(self, on: &NodeName, id: &str, condition: Condition) -> Result<bool, EngineError> {
        let thing = format!("container of {on}");
        let inspect = self.at.docker().inspect_container(id, None::<InspectContainerOptions>);
        let seen = self.at.call(Step("looking at", &thing), deadline::LOOK, inspect).await?;
        match judge(&seen, condition) {
            Verdict::Yes => Ok(true),
            Verdict::NotYet => Ok(false),
            Verdict::Never(code) => {
                let last_log = self.last_words(id).await;
                Err(EngineError::Ended { node: on.to_string(), code, last_log })
            }
        }
    }

    /// The end of a log, for people; what cannot be read is left out, for the failure itself matters more.
    async fn last_words(self, id: &str) -> String {
        let lines = self.at.engine.logs(id, LAST_LINES).await.unwrap_or_default();
        let text = lines.iter().map(|line| line.text.trim_end()).collect::<Vec<_>>().join("\n");
        let cut = text.len().saturating_sub(LAST_BYTES);
        let cut = (cut..text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let text = text[cut..].trim();
        if text.is_empty() { "it wrote nothing".to_owned() } else { text.to_owned() }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Yes,
    NotYet,
    /// It ended, with this code, and will not come back by itself.
    Never(i64),
}

/// Whether a service is as far as another waits for it to be. `unhealthy` is no end: a check may change its mind, and the
/// caller's deadline stands behind it.
fn judge(seen: &ContainerInspectResponse, condition: Condition) -> Verdict {
    let Some(state) = &seen.state else { return Verdict::NotYet };
    let ended = matches!(state.status, Some(ContainerStateStatusEnum::EXITED | ContainerStateStatusEnum::DEAD));
    let code = state.exit_code.unwrap_or(-1);
    match condition {
        Condition::CompletedSuccessfully if ended && code == 0 => Verdict::Yes,
        _ if ended => Verdict::Never(code),
        Condition::Started => Verdict::Yes,
        Condition::Healthy => match state.health.as_ref().and_then(|health| health.status) {
            Some(HealthStatusEnum::HEALTHY) => Verdict::Yes,
            _ => Verdict::NotYet,
        },
        Condition::CompletedSuccessfully => Verdict::NotYet,
    }
}

fn find<'a>(containers: &'a [Made], node: &NodeName) -> Option<&'a Made> {
    containers.iter().find(|made| made.node == *node)
}
