//! The host as a whole: off the network and back, and the end.

use std::time::Duration;

use anyhow::Context;

use super::Engine;
use super::container::{Container, Life, Published};
use super::logs::Stream;
use super::process::{Process, Pulse};
use crate::clock;
use std::sync::Arc;

impl Engine {
    /// Closes all published ports; containers keep their state.
    pub(crate) fn unlisten(&self) {
        let mut state = self.state();
        state.is_down = true;
        for (_, ports) in state.containers.values_mut().filter_map(published) {
            for port in ports {
                port.listening = None;
            }
        }
        drop(state);
        self.events.close();
    }

    /// Listens again on all that is published.
    pub(crate) fn relisten(&self) -> anyhow::Result<()> {
        let mut state = self.state();
        state.is_down = false;
        for (process, ports) in state.containers.values_mut().filter_map(published) {
            for port in ports.iter_mut().filter(|port| port.protocol == "tcp" && port.listening.is_none()) {
                let listening = self.listen(&process, port.container_port, port.host_port);
                let context = || format!("listening on {}:{}", self.options.address, port.host_port);
                port.listening = Some(listening.with_context(context)?);
            }
        }
        Ok(())
    }

    /// The end: all processes go without a word.
    pub(crate) fn close(&self) {
        let mut state = self.state();
        for container in state.containers.values_mut() {
            if let Some(run) = container.run() {
                run.process.set(Pulse::Ended);
            }
            container.life = Life::Exited;
            // A timer that is still to come must not start it again.
            container.generation += 1;
        }
        drop(state);
        self.events.close();
        self.touch();
    }

    /// A container prints a line. False if it does not run.
    pub(crate) fn print(&self, wanted: &str, line: &str) -> bool {
        let mut state = self.state();
        let Ok(id) = state.find(wanted) else { return false };
        let Ok(container) = state.container_mut(&id) else { return false };
        if container.run().is_none() {
            return false;
        }
        container.logs.add(clock::now(), Stream::Out, line);
        drop(state);
        self.touch();
        true
    }

    /// A container's process will end by itself: so long from now if it runs, else so long after its next start.
    pub(crate) fn doom(&self, wanted: &str, after: Duration, code: i64) {
        let mut state = self.state();
        let Ok(id) = state.find(wanted) else { return };
        let Ok(container) = state.container_mut(&id) else { return };
        if container.run().is_some() {
            let generation = container.generation;
            drop(state);
            self.end_later(&id, generation, after, code);
        } else {
            container.die_after = Some((after, code));
        }
    }
}

fn published(container: &mut Container) -> Option<(Arc<Process>, &mut Vec<Published>)> {
    match &mut container.life {
        Life::Running(run) | Life::Paused(run) => Some((run.process.clone(), &mut run.published)),
        Life::Created | Life::Restarting | Life::Exited => None,
    }
}
