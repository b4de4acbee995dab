//! Deleting a host. The ordinary way is refused while users hold clusters on it; by force their leases end as Lost, and
//! nothing waits for an engine that does not answer. Both only mark the host; the reconciler does the rest.

use common::model::{Asked, HostId, HostPurpose, Timestamp};

use super::change_host::{HostStep, confirmed, still};
use super::holders::count;
use super::{Done, Holders, Operations, Refusal};

/// A deletion by force as it is asked for.
#[derive(Clone, Debug, Default)]
pub struct ForceInput {
    /// The host's name, typed.
    pub confirm: String,
    /// The version that the operator saw, if she says.
    pub seen: Option<u64>,
}

impl Operations {
    /// Has a host deleted. Asking again is fine.
    ///
    /// A claim may come between the count and the mark; then the host waits in leaving until that user releases.
    pub async fn delete_host(&self, id: &HostId, seen: Option<u64>, by: &str, now: Timestamp) -> Result<Done, Refusal> {
        let step = || async { decide(&self.holders(id).await?, seen, by, now) };
        self.change_host(step, by, now).await
    }

    /// Has a host deleted by force. Asking again is fine; one that is being deleted may still be turned into this.
    pub async fn delete_host_by_force(
        &self,
        id: &HostId,
        input: &ForceInput,
        by: &str,
        now: Timestamp,
    ) -> Result<Done, Refusal> {
        let step = || async { decide_force(&self.holders(id).await?, input, by, now) };
        self.change_host(step, by, now).await
    }
}

fn decide(there: &Holders, seen: Option<u64>, by: &str, now: Timestamp) -> Result<HostStep, Refusal> {
    let host = &there.host;
    let name = &host.settings.name;
    if host.purpose.leaves() {
        return Ok(HostStep::Nothing(format!("Deleting host {name} was asked for already.")));
    }
    if let Some(held) = there.sentence() {
        return Err(Refusal::Conflict(format!(
            "Host {name} has {held}. Turn \"schedulable\" off so that no more are given out, have them released (or \
             release them on their pages), then delete the host. If it will never answer again, delete it by force."
        )));
    }
    still(host, seen)?;
    let clusters = count(there.clusters);
    Ok(HostStep::Change {
        next: Box::new(host.leave(Asked { since: now, by: by.to_owned() }, false)),
        reason: format!("host {name} is to be deleted, with its {clusters}"),
        said: format!("Deleting host {name} has begun: first its {clusters}, then the host."),
    })
}

fn decide_force(there: &Holders, input: &ForceInput, by: &str, now: Timestamp) -> Result<HostStep, Refusal> {
    let host = &there.host;
    let name = &host.settings.name;
    confirmed(host, &input.confirm)?;
    if let HostPurpose::Leave { asked, by_force: true } = &host.purpose {
        return Ok(HostStep::Nothing(format!("Deleting host {name} by force was asked for already, by {}.", asked.by)));
    }
    still(host, input.seen)?;
    let clusters = count(there.clusters);
    let lost = match there.sentence() {
        None => "no user holds any".to_owned(),
        Some(held) => format!("{held} are lost"),
    };
    Ok(HostStep::Change {
        next: Box::new(host.leave(Asked { since: now, by: by.to_owned() }, true)),
        reason: format!("host {name} is to be deleted by force, with its {clusters}: {lost}"),
        said: format!("Deleting host {name} by force has begun, with its {clusters}: {lost}."),
    })
}
