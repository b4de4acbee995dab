//! Configuring a host: everything but how its daemon is reached.

use common::model::{Event, EventKind, FlavorId, FlavorShare, Host, HostId, HostSettings, SlotLayout, Timestamp};

use super::add_host::check_against;
use super::change_host::{stays, still};
use super::{Fault, HostInput, Operations, Refusal, mix_text, operator};

impl Operations {
    /// Gives a host new settings. `seen` is the version that the operator saw, if she says: one who decided on an
    /// older state is told to look again.
    pub async fn configure_host(
        &self,
        id: &HostId,
        input: &HostInput,
        seen: Option<u64>,
        by: &str,
        now: Timestamp,
    ) -> Result<Host, Refusal> {
        let host = self.store.host(id).await?.ok_or(Refusal::NoSuch("host"))?;
        let clusters: u64 = self.store.count_clusters_on(id).await?.values().sum();
        let clusters = usize::try_from(clusters).unwrap_or(usize::MAX);
        // Sent twice is no conflict with oneself: what is so already is said before the version is looked at.
        if input.parse(&self.layout, &self.flavors(), 0).is_ok_and(|settings| settings == host.settings) {
            return Ok(host);
        }
        let settings = decide(&host, input, seen, clusters, (&self.layout, &self.flavors()))?;
        check_against(&settings, Some(id), &self.store.list_hosts().await?)?;
        let changes = changes(&host.settings, &settings);
        if changes.is_empty() {
            return Ok(host);
        }
        let next = host.configured(settings);
        let reason = format!("host {} was configured: {}", host.settings.name, changes.join(", "));
        let event = Event::new(now, EventKind::HostChanged, operator(by), reason).about_host(id);
        self.store.change_host(&next, event).await?;
        self.ring();
        Ok(next)
    }
}

fn decide(
    host: &Host,
    input: &HostInput,
    seen: Option<u64>,
    clusters: usize,
    (layout, flavors): (&SlotLayout, &[FlavorId]),
) -> Result<HostSettings, Refusal> {
    still(host, seen)?;
    stays(host)?;
    // A capacity that is kept is never below anything, even while a cluster too many is on its way out.
    let clusters = clusters.min(host.settings.capacity.into());
    let settings = input.parse(layout, flavors, clusters).map_err(Refusal::Faults)?;
    if settings.daemon_url == host.settings.daemon_url {
        Ok(settings)
    } else {
        Err(Refusal::Faults(vec![Fault::new(
            "daemon_url",
            format!("cannot be changed (it is {}): delete the host and add it anew", host.settings.daemon_url),
        )]))
    }
}

fn changes(from: &HostSettings, to: &HostSettings) -> Vec<String> {
    let mut said = Vec::new();
    let mut say = |what: &str, from: String, to: String| {
        if from != to {
            said.push(format!("{what} {from} → {to}"));
        }
    };
    let target = |settings: &HostSettings| match &settings.log_target {
        common::model::LogTarget::Local => "local".to_owned(),
        common::model::LogTarget::Syslog { server } => format!("syslog at {server}"),
    };
    let yes = |truth: bool| if truth { "yes" } else { "no" }.to_owned();
    let none = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".into());
    say("name", from.name.to_string(), to.name.to_string());
    say("address", from.address.clone(), to.address.clone());
    say("bind address", from.bind_address.to_string(), to.bind_address.to_string());
    say("capacity", from.capacity.to_string(), to.capacity.to_string());
    say("log level", from.log_level.as_str().into(), to.log_level.as_str().into());
    say("log", target(from), target(to));
    say("schedulable", yes(from.schedulable), yes(to.schedulable));
    say("keep filled", yes(from.autofill), yes(to.autofill));
    let mix = |mix: &[FlavorShare]| if mix.is_empty() { "the pool's".to_owned() } else { mix_text(mix) };
    say("mix", mix(&from.mix), mix(&to.mix));
    say("chaincode endpoint", none(&from.chaincode_endpoint), none(&to.chaincode_endpoint));
    said
}
