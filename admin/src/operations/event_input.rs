//! Which events somebody asks for, from texts; pure.

use common::model::{Actor, ClusterId, EventKind, HostId, Timestamp, UserId};
use common::store::EventFilter;

use super::Refusal;

/// What can be asked for, as a query has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct EventInput<'a> {
    /// About this host.
    pub host: Option<&'a str>,
    /// About this cluster.
    pub cluster: Option<&'a str>,
    /// Of these kinds, parted by commas.
    pub kind: Option<&'a str>,
    /// Asked by `reconciler`, `user:ID` or `operator:NAME`.
    pub actor: Option<&'a str>,
    /// Of this time or later, RFC 3339.
    pub since: Option<&'a str>,
    /// Before this time, RFC 3339.
    pub until: Option<&'a str>,
}

impl EventInput<'_> {
    /// The filter, or the field that is wrong and why.
    pub fn parse(&self) -> Result<EventFilter, Refusal> {
        let host = self.host.map(HostId::parse).transpose();
        let cluster = self.cluster.map(ClusterId::parse).transpose();
        let filter = EventFilter {
            host: host.map_err(|why| Refusal::field("host", why.to_string()))?,
            cluster: cluster.map_err(|why| Refusal::field("cluster", why.to_string()))?,
            kinds: self.kind.map_or_else(|| Ok(Vec::new()), kinds)?,
            actor: self.actor.map(actor).transpose()?,
            since: self.since.map(|text| time("since", text)).transpose()?,
            until: self.until.map(|text| time("until", text)).transpose()?,
        };
        if filter.kinds.contains(&EventKind::Applied) && filter.cluster.is_none() {
            return Err(Refusal::field(
                "kind",
                "applied is derived from leases, so it is told of one cluster only: give cluster too, or look at the \
                 leases themselves (clusters in use, and records)",
            ));
        }
        Ok(filter)
    }
}

fn kinds(text: &str) -> Result<Vec<EventKind>, Refusal> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words
        .map(|word| {
            EventKind::parse(word).ok_or_else(|| {
                let all: Vec<&str> = EventKind::ALL.into_iter().map(EventKind::as_str).collect();
                Refusal::field("kind", format!("must be one or more of {}, parted by commas", all.join(", ")))
            })
        })
        .collect()
}

fn actor(text: &str) -> Result<Actor, Refusal> {
    match text.split_once(':') {
        None if text == "reconciler" => Ok(Actor::Reconciler),
        Some(("user", id)) => {
            let id = UserId::parse(id).map_err(|why| Refusal::field("actor", why.0))?;
            Ok(Actor::User { id })
        }
        Some(("operator", name)) if !name.is_empty() && name.chars().count() <= 64 => {
            Ok(Actor::Operator { name: name.to_owned() })
        }
        None | Some(_) => Err(Refusal::field("actor", "must be reconciler, user:ID or operator:NAME")),
    }
}

/// A time with its zone as programs write it, or without as people do, who mean UTC then.
fn time(field: &str, text: &str) -> Result<Timestamp, Refusal> {
    let in_utc = |text: &str| text.parse::<jiff::civil::DateTime>()?.to_zoned(jiff::tz::TimeZone::UTC);
    let parsed = text.parse::<jiff::Timestamp>().or_else(|_| in_utc(text).map(|at| at.timestamp()));
    parsed.map(|at| Timestamp::from_millis(at.as_millisecond())).map_err(|_| {
        Refusal::field(field, "must be a time in RFC 3339, such as 2026-01-31T12:00:00Z, or 2026-01-31 12:00 in UTC")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_taken_or_refused_by_its_field() {
        let filter = EventInput {
            kind: Some("failed, removed"),
            actor: Some("operator:otto"),
            since: Some("2026-01-31T12:00:00Z"),
            until: Some("2026-01-31T13:00:00+01:00"),
            ..EventInput::default()
        };
        let filter = filter.parse().unwrap();
        assert_eq!(filter.kinds, [EventKind::Failed, EventKind::Removed]);
        assert_eq!(filter.actor, Some(Actor::Operator { name: "otto".into() }));
        assert_eq!(filter.since, filter.until, "both say the same moment");
        for text in ["2026-01-31 12:00", "2026-01-31T12:00:00", "2026-01-31T12:00"] {
            let told = EventInput { since: Some(text), ..EventInput::default() }.parse().unwrap();
            assert_eq!(told.since, filter.since, "{text}");
        }
        let field = |input: EventInput<'_>| match input.parse() {
            Err(Refusal::Faults(faults)) => faults[0].field.clone(),
            other => panic!("{other:?}"),
        };
        let none = EventInput::default();
        assert_eq!(field(EventInput { kind: Some("faild"), ..none }), "kind");
        assert_eq!(field(EventInput { kind: Some("applied"), ..none }), "kind");
        assert_eq!(field(EventInput { actor: Some("otto"), ..none }), "actor");
        assert_eq!(field(EventInput { actor: Some("operator:"), ..none }), "actor");
        assert_eq!(field(EventInput { since: Some("yesterday"), ..none }), "since");
        assert_eq!(field(EventInput { until: Some(""), ..none }), "until");
        assert_eq!(field(EventInput { host: Some("h1"), ..none }), "host");
    }
}
