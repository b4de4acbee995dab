//! Ends what operators wanted of a host as a whole.

use common::clock;
use common::model::{EventKind, ForeignThing, Host, HostPurpose};

use super::{Hands, Trouble, event};

/// Removes the foreign things that an operator confirmed, if any, then lets the host serve. Killed in between, it is done
/// again: what is gone already is no trouble. Whoever wants something else of the host meanwhile wins.
pub(super) async fn end_purpose(
    hands: &Hands,
    host: &Host,
    foreign: &[ForeignThing],
    why: &str,
) -> Result<(), Trouble> {
    let tools = &hands.tools;
    if !foreign.is_empty() {
        let fence = || tools.term.check();
        hands.engine.remove_foreign(tools.store.pool_id(), foreign, &fence).await?;
        tools.term.check()?;
    }
    let event = event(clock::now(), EventKind::HostChanged, why).about_host(&host.id);
    Ok(tools.store.change_host(&host.with_purpose(HostPurpose::Serve), event).await?)
}
