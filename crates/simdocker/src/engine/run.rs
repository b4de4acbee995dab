//! Start, stop, restart, kill, pause, unpause, wait: what calls do to a container's process.

use std::net::IpAddr;
use std::time::Duration;

use super::container::Life;
use super::death::Death;
use super::process::Pulse;
use super::{Engine, State};
use crate::error::{ApiError, ApiResult};
use crate::ids::Id;
use crate::image::Behaviour;

/// Docker's grace if none is asked for.
const GRACE: Duration = Duration::from_secs(10);
const SIGKILL: u8 = 9;
const SIGTERM: u8 = 15;
/// Docker's exit code of a process that was killed: 128 and the signal.
const KILLED: i64 = 137;

impl Engine {
    /// Starts a container. 304 if it runs.
    pub(crate) async fn start(&self, wanted: &str) -> ApiResult<()> {
        {
            let state = self.state();
            let id = state.find(wanted)?;
            refuse_start(&state, &id)?;
        }
        pause_for(self.options.timing.start).await;
        let mut state = self.state();
        let id = state.find(wanted)?;
        refuse_start(&state, &id)?;
        let container = state.container_mut(&id)?;
        container.stopped_by_hand = false;
        container.restart_count = 0;
        container.streak = 0;
        self.launch(&mut state, &id)
    }

    /// Stops a container. 304 if it does not run.
    pub(crate) async fn stop(&self, wanted: &str, grace: Option<Duration>) -> ApiResult<()> {
        let (id, generation) = {
            let mut state = self.state();
            let id = state.find(wanted)?;
            let container = state.container_mut(&id)?;
            if !container.counts_as_running() {
                return Err(ApiError::unchanged());
            }
            container.stopped_by_hand = true;
            if container.run().is_some() {
                self.events.container(container, "kill", vec![("signal", SIGTERM.to_string())]);
                self.thaw(&mut state, &id);
            }
            let container = state.container(&id)?;
            (id.clone(), container.generation)
        };
        let (takes, grace) = (self.options.timing.stop, grace.unwrap_or(GRACE));
        pause_for(takes.min(grace)).await;
        let mut state = self.state();
        let Some(container) = state.containers.get(&id).filter(|container| container.generation == generation) else {
            return Ok(());
        };
        let code = if takes > grace {
            self.events.container(container, "kill", vec![("signal", SIGKILL.to_string())]);
            KILLED
        } else {
            code_after_sigterm(container.behaviour)
        };
        self.die(&mut state, &id, code, Death::ByHand);
        if let Some(container) = state.containers.get(&id) {
            self.events.container(container, "stop", Vec::new());
        }
        Ok(())
    }

    /// Stops a container if it runs, and starts it.
    pub(crate) async fn restart(&self, wanted: &str, grace: Option<Duration>) -> ApiResult<()> {
        match self.stop(wanted, grace).await {
            Ok(()) => {}
            Err(error) if error.status == 304 => {}
            Err(error) => return Err(error),
        }
        let started = self.start(wanted).await;
        started.map_err(|error| ApiError::broken(format!("Cannot restart container {wanted}: {}", error.message)))?;
        let state = self.state();
        let id = state.find(wanted)?;
        self.events.container(state.container(&id)?, "restart", Vec::new());
        Ok(())
    }

    /// Sends a signal. One that ends the process counts as a stop by hand: the restart policy does nothing.
    pub(crate) fn kill(&self, wanted: &str, signal: Option<&str>) -> ApiResult<()> {
        let number = signal_number(signal.unwrap_or("KILL"))?;
        let mut state = self.state();
        let id = state.find(wanted)?;
        let container = state.container_mut(&id)?;
        if !container.counts_as_running() {
            return Err(ApiError::conflict(format!("Cannot kill container: {wanted}: Container {id} is not running")));
        }
        container.stopped_by_hand = true;
        self.events.container(container, "kill", vec![("signal", number.to_string())]);
        let code = match number {
            SIGKILL => KILLED,
            2 | 3 | SIGTERM => code_after_sigterm(container.behaviour),
            // Another signal is one that the process takes without ending.
            _ => return Ok(()),
        };
        self.die(&mut state, &id, code, Death::ByHand);
        Ok(())
    }

    /// Freezes the process.
    pub(crate) fn pause(&self, wanted: &str) -> ApiResult<()> {
        let mut state = self.state();
        let id = state.find(wanted)?;
        let container = state.container_mut(&id)?;
        match std::mem::replace(&mut container.life, Life::Exited) {
            Life::Running(run) => {
                run.process.set(Pulse::Paused);
                container.life = Life::Paused(run);
            }
            life => {
                let why = match life {
                    Life::Paused(_) => "is already paused",
                    Life::Restarting => "is restarting, wait until the container is running",
                    Life::Created | Life::Exited | Life::Running(_) => "is not running",
                };
                container.life = life;
                return Err(ApiError::conflict(format!("Container {id} {why}")));
            }
        }
        self.events.container(container, "pause", Vec::new());
        for_each_mesh(&state, &id, |mesh, ip| mesh.pause(ip));
        self.touch();
        Ok(())
    }

    /// Lets it go on.
    pub(crate) fn unpause(&self, wanted: &str) -> ApiResult<()> {
        let mut state = self.state();
        let id = state.find(wanted)?;
        if !self.thaw(&mut state, &id) {
            return Err(ApiError::broken(format!("Container {id} is not paused")));
        }
        self.touch();
        Ok(())
    }

    /// Unpauses; false if it was not paused.
    fn thaw(&self, state: &mut State, id: &Id) -> bool {
        let Some(container) = state.containers.get_mut(id) else { return false };
        match std::mem::replace(&mut container.life, Life::Exited) {
            Life::Paused(run) => {
                run.process.set(Pulse::Running);
                container.life = Life::Running(run);
            }
            life => {
                container.life = life;
                return false;
            }
        }
        self.events.container(container, "unpause", Vec::new());
        for_each_mesh(state, id, |mesh, ip| mesh.unpause(ip));
        true
    }

    /// The process ends by itself, as in a crash. False if there is none.
    pub(crate) fn crash(&self, wanted: &str, code: i64) -> bool {
        let mut state = self.state();
        let Ok(id) = state.find(wanted) else { return false };
        let runs = state.container(&id).is_ok_and(|container| container.run().is_some());
        if runs {
            self.die(&mut state, &id, code, Death::ByItself);
        }
        runs
    }

    /// The kernel ends a running container's process for want of memory. False if it does not run.
    pub(crate) fn oom(&self, wanted: &str) -> bool {
        let mut state = self.state();
        let Ok(id) = state.find(wanted) else { return false };
        let Ok(container) = state.container_mut(&id) else { return false };
        if container.run().is_none() {
            return false;
        }
        container.oom_killed = true;
        self.events.container(container, "oom", Vec::new());
        self.die(&mut state, &id, KILLED, Death::ByItself);
        true
    }

    /// Waits as `docker wait` does and gives the exit code.
    pub(crate) async fn wait(&self, id: &Id, until: WaitFor) -> i64 {
        let mut changes = self.changes();
        let mut last_code = KILLED;
        let mut first_generation = None;
        loop {
            {
                let state = self.state();
                let Some(container) = state.containers.get(id) else { return last_code };
                let begun = *first_generation.get_or_insert((container.generation, container.run().is_some()));
                let runs = container.counts_as_running();
                if !runs {
                    last_code = container.exit_code;
                }
                let done = match until {
                    WaitFor::NotRunning => !runs,
                    WaitFor::NextExit => {
                        let ended = container.run().is_none() && container.generation > 0;
                        ended && (begun.1 || container.generation > begun.0)
                    }
                    WaitFor::Removed => false,
                };
                if done {
                    return container.exit_code;
                }
            }
            if changes.changed().await.is_err() {
                return last_code;
            }
        }
    }
}

/// What a wait waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WaitFor {
    /// That it does not run, which may be so already.
    NotRunning,
    /// That it ends once more.
    NextExit,
    /// That it is gone.
    Removed,
}

fn refuse_start(state: &State, id: &Id) -> ApiResult<()> {
    match &state.container(id)?.life {
        Life::Created | Life::Exited => Ok(()),
        Life::Running(_) | Life::Restarting => Err(ApiError::unchanged()),
        Life::Paused(_) => Err(ApiError::conflict("cannot start a paused container, try unpause instead")),
    }
}

fn for_each_mesh(state: &State, id: &Id, act: impl Fn(&fabricsim::Mesh, IpAddr)) {
    let Some(container) = state.containers.get(id) else { return };
    for endpoint in container.endpoints.values() {
        let network = endpoint.network.as_ref().and_then(|network| state.networks.get(network));
        if let (Some(live), Some(network)) = (&endpoint.live, network) {
            act(&network.mesh, IpAddr::V4(live.ip));
        }
    }
}

/// A peer ends in order; what sleeps is ended by the signal.
fn code_after_sigterm(behaviour: Behaviour) -> i64 {
    match behaviour {
        Behaviour::Peer | Behaviour::ChaincodeStarter => 0,
        Behaviour::Idle | Behaviour::Exits { .. } => 128 + i64::from(SIGTERM),
    }
}

/// `KILL`, `SIGKILL` or `9`.
fn signal_number(text: &str) -> ApiResult<u8> {
    const NAMES: [(&str, u8); 12] = [
        ("HUP", 1),
        ("INT", 2),
        ("QUIT", 3),
        ("ABRT", 6),
        ("KILL", 9),
        ("USR1", 10),
        ("SEGV", 11),
        ("USR2", 12),
        ("PIPE", 13),
        ("ALRM", 14),
        ("TERM", 15),
        ("CONT", 18),
    ];
    if text.is_empty() {
        return Ok(SIGKILL);
    }
    if let Ok(number) = text.parse::<u8>()
        && (1..65).contains(&number)
    {
        return Ok(number);
    }
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    let found = NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
    found.ok_or_else(|| ApiError::bad(format!("Invalid signal: {text}")))
}

async fn pause_for(time: Duration) {
    if !time.is_zero() {
        tokio::time::sleep(time).await;
    }
}
