//! Resetting a host: everything of ours on it goes, and of what is not ours exactly what the operator was shown and named.
//!
//! Refused while users hold clusters there. What is foreign is asked of the engine itself, with a deadline, both for the list
//! that is shown and again when one is sent back: only what is on both goes into the wish, by the engine's own id.

use std::time::Duration;

use common::clock::Pace;
use common::model::{Asked, ForeignThing, Host, HostId, HostPurpose, MAX_FOREIGN, Timestamp};
use engine::Stranger;

use super::change_host::{HostStep, confirmed, stays, still};
use super::{Done, Holders, Operations, Refusal};

/// An operator waits for the answer; an engine that is well gives it in a fraction of this.
const ASK_WITHIN: Duration = Duration::from_secs(5);

/// The beginning of an engine's id that is enough to name a thing by; Docker shows as much itself.
const ID_AT_LEAST: usize = 12;

/// A reset as it is asked for.
#[derive(Clone, Debug, Default)]
pub struct ResetInput {
    /// The host's name, typed.
    pub confirm: String,
    /// Ids of foreign things that are to go too, or their beginnings.
    pub foreign: Vec<String>,
    /// The version that the operator saw, if she says.
    pub seen: Option<u64>,
}

impl Operations {
    /// What is on a host's engine now that is not of this pool, at most [`MAX_FOREIGN`]: PoolManager's own, if it runs there, among it.
    pub async fn foreign(&self, id: &HostId) -> Result<Vec<Stranger>, Refusal> {
        let host = self.store.host(id).await?.ok_or(Refusal::NoSuch("host"))?;
        self.ask_foreign(&host).await
    }

    /// Has a host reset; returns when it is written down, not when it is done.
    pub async fn reset_host(&self, id: &HostId, input: &ResetInput, by: &str, now: Timestamp) -> Result<Done, Refusal> {
        let there = self.holders(id).await?;
        allowed(&there, input)?;
        let named = named(&input.foreign)?;
        let found = if named.is_empty() { Vec::new() } else { self.ask_foreign(&there.host).await? };
        let found: Vec<ForeignThing> = found.into_iter().map(|stranger| stranger.thing).collect();
        let foreign = pick(&named, &found)?;
        let step = || async { decide(&self.holders(id).await?, input, &foreign, by, now) };
        self.change_host(step, by, now).await
    }

    async fn ask_foreign(&self, host: &Host) -> Result<Vec<Stranger>, Refusal> {
        let cannot = |why: String| {
            Refusal::Conflict(format!(
                "Host {} cannot be asked what else is there ({why}), so nothing was changed. Try again when it answers, or \
                 reset it without removing what is not PoolManager's.",
                host.settings.name
            ))
        };
        let ask = async {
            let engine = self.seal.connect(host, Pace::ORDINARY).await?;
            let found = engine.info().await?.id;
            let things = engine.foreign(self.store.pool_id()).await?;
            Ok::<_, engine::EngineError>((found, things))
        };
        let (found, mut things) = tokio::time::timeout(ASK_WITHIN, ask)
            .await
            .map_err(|_| cannot(format!("no answer within {} s", ASK_WITHIN.as_secs())))?
            .map_err(|error| cannot(error.to_string()))?;
        if found != host.engine_id {
            return Err(cannot(format!("another engine answers there: its id is {found}, not {}", host.engine_id)));
        }
        things.sort();
        things.truncate(MAX_FOREIGN);
        Ok(things)
    }
}

/// What can be said without asking the engine.
fn allowed(there: &Holders, input: &ResetInput) -> Result<(), Refusal> {
    let host = &there.host;
    stays(host)?;
    if let Some(held) = there.sentence() {
        return Err(Refusal::Conflict(format!(
            "Host {} has {held}, so it is not reset. Drain it, so that no more are given out, and have those released (or \
             release them on their pages); then reset it.",
            host.settings.name
        )));
    }
    confirmed(host, &input.confirm)
}

fn decide(
    there: &Holders,
    input: &ResetInput,
    foreign: &[ForeignThing],
    by: &str,
    now: Timestamp,
) -> Result<HostStep, Refusal> {
    allowed(there, input)?;
    let host = &there.host;
    let name = &host.settings.name;
    if let HostPurpose::Reset { asked, foreign: before } = &host.purpose
        && before == foreign
    {
        return Ok(HostStep::Nothing(format!("Resetting host {name} was asked for already, by {}.", asked.by)));
    }
    still(host, input.seen)?;
    let asked = Asked { since: now, by: by.to_owned() };
    let next = host.with_purpose(HostPurpose::Reset { asked, foreign: foreign.to_vec() });
    let gone = input.foreign.len().saturating_sub(foreign.len());
    let (also, others) = match foreign.len() {
        0 => (String::new(), String::new()),
        n => (format!(", and {n} things there that are not PoolManager's: {}", some_names(foreign)), also(n)),
    };
    let left = if gone > 0 { format!(" {gone} of the things named are gone already.") } else { String::new() };
    Ok(HostStep::Change {
        next: Box::new(next),
        reason: format!("host {name}: reset: everything of the pool's on it goes{also}"),
        said: format!("Resetting host {name} has begun: everything of PoolManager's on it goes{others}.{left}"),
    })
}

fn also(n: usize) -> String {
    if n == 1 { ", and 1 thing that is not".into() } else { format!(", and {n} things that are not") }
}

fn some_names(foreign: &[ForeignThing]) -> String {
    let names: Vec<&str> = foreign.iter().take(10).map(|thing| thing.name.as_str()).collect();
    if foreign.len() > names.len() { format!("{}, ...", names.join(", ")) } else { names.join(", ") }
}

/// The ids that were named, checked for their shape and each once.
fn named(ids: &[String]) -> Result<Vec<String>, Refusal> {
    if ids.len() > MAX_FOREIGN {
        return Err(Refusal::field(
            "foreign",
            format!("names {} things; one reset takes at most {MAX_FOREIGN}", ids.len()),
        ));
    }
    let mut named: Vec<String> = ids.iter().map(|id| id.trim().to_owned()).collect();
    named.sort();
    named.dedup();
    match named.iter().find(|id| id.len() < ID_AT_LEAST || id.len() > 128) {
        Some(_) => Err(Refusal::field(
            "foreign",
            format!("must be ids as the list has them, or their first {ID_AT_LEAST} or more characters"),
        )),
        None => Ok(named),
    }
}

/// What of the things that are there was named. What is gone meanwhile is left out: it need not be removed any more.
fn pick(named: &[String], found: &[ForeignThing]) -> Result<Vec<ForeignThing>, Refusal> {
    let mut picked: Vec<ForeignThing> = Vec::new();
    for id in named {
        let mut matching = found.iter().filter(|thing| thing.id.starts_with(id.as_str()));
        match (matching.next(), matching.next()) {
            (Some(_), Some(_)) => {
                return Err(Refusal::field("foreign", "names two things by one beginning; give whole ids"));
            }
            (Some(thing), None) if !picked.contains(thing) => picked.push(thing.clone()),
            (Some(_), None) | (None, _) => {}
        }
    }
    picked.sort();
    Ok(picked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::model::ForeignKind;

    fn thing(id: &str, name: &str) -> ForeignThing {
        ForeignThing { kind: ForeignKind::Container, id: id.into(), name: name.into() }
    }

    #[test]
    fn only_what_is_named_and_still_there_is_picked() {
        let found = [thing("aaaaaaaaaaaaaaaa1", "web"), thing("bbbbbbbbbbbbbbbb2", "db")];
        let ids = named(&["aaaaaaaaaaaa".into(), "cccccccccccc".into(), "aaaaaaaaaaaa".into()]).unwrap();
        assert_eq!(pick(&ids, &found).unwrap(), [found[0].clone()]);
        assert_eq!(pick(&[], &found).unwrap(), []);
    }

    #[test]
    fn a_beginning_that_names_two_or_is_too_short_is_refused() {
        let found = [thing("aaaaaaaaaaaaaaaa1", "web"), thing("aaaaaaaaaaaaaaaa2", "db")];
        assert!(pick(&["aaaaaaaaaaaa".into()], &found).is_err());
        assert!(named(&["aaaa".into()]).is_err());
        assert!(named(&[String::new()]).is_err());
        assert!(named(&vec!["a".repeat(64); MAX_FOREIGN + 1]).is_err());
    }
}
