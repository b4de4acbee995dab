//! What happened: the events that are stored, and in a cluster's own list the claim, which is derived from its lease.
//!
//! A claim is one write and so writes no event. A cluster is leased at most once, so that its lease, or the record of it,
//! tells the one that is missing.

use common::model::{ClusterId, Event, EventKind};
use common::store::{EventFilter, Page};

use super::lists::part;
use super::{Listed, Operations, Refusal};

/// Of a cluster that is gone, in how many of its last events the lease is looked for; its very last names it.
const NAMES_ITS_LEASE: u32 = 5;

impl Operations {
    /// Events, newest first; of one cluster with its claim.
    pub async fn events(&self, filter: &EventFilter, page: &Page) -> Result<Listed<Event>, Refusal> {
        let stored = self.store.list_events(filter, page).await?;
        let Some(cluster) = &filter.cluster else { return Ok(part(stored, page, |event| event.id.to_string())) };
        let claim = self.claim_of(cluster).await?.filter(|claim| filter.matches(claim));
        Ok(with_claim(stored, claim, page))
    }

    async fn claim_of(&self, id: &ClusterId) -> Result<Option<Event>, Refusal> {
        if let Some(cluster) = self.store.cluster(id).await? {
            let claim = |lease| Event::of_claim(lease, &cluster.id, cluster.name.as_str(), &cluster.host);
            return Ok(cluster.lease().map(claim));
        }
        let filter = EventFilter { cluster: Some(id.clone()), ..EventFilter::default() };
        let last = self.store.list_events(&filter, &Page::first(NAMES_ITS_LEASE)).await?;
        let Some(lease) = last.into_iter().find_map(|event| event.lease) else { return Ok(None) };
        let record = self.store.lease_record(&lease).await?;
        Ok(record.map(|r| Event::of_claim(&r.lease, &r.cluster, r.cluster_name.as_str(), &r.host)))
    }
}

/// Puts the claim where it belongs, if that is in this part. A part is on from an event that is stored, so a claim
/// between two parts goes to the end of the first, which has the event after it at hand.
fn with_claim(stored: Vec<Event>, claim: Option<Event>, page: &Page) -> Listed<Event> {
    let shown = usize::try_from(page.limit).unwrap_or(usize::MAX).saturating_sub(1);
    let Some(claim) = claim else { return part(stored, page, |event| event.id.to_string()) };
    let begins_before = page.after.is_none() || stored.first().is_some_and(|newest| is_later(newest, &claim));
    let ends_after = stored.get(shown).is_none_or(|following| !is_later(following, &claim));
    let mut listed = part(stored, page, |event| event.id.to_string());
    if begins_before && ends_after {
        let place = listed.items.partition_point(|event| is_later(event, &claim));
        listed.items.insert(place, claim);
    }
    listed
}

/// Whether a stored event comes after the claim. In the same millisecond only its making does not.
fn is_later(stored: &Event, claim: &Event) -> bool {
    let of_its_making = matches!(stored.kind, EventKind::Creating | EventKind::Ready);
    stored.at > claim.at || (stored.at == claim.at && !of_its_making)
}

#[cfg(test)]
mod tests {
    use super::*;
    use common::model::{Actor, Timestamp};
    use std::time::Duration;

    fn event(second: u64, kind: EventKind) -> Event {
        let at = Timestamp::from_millis(1_000_000_000_000) + Duration::from_secs(second);
        Event::new(at, kind, Actor::Reconciler, "because")
    }

    /// All parts of a list of events at these seconds, newest first, with a claim.
    fn parts(mut seconds: Vec<u64>, claim: u64, of: usize) -> Vec<Vec<Event>> {
        seconds.sort_unstable_by(|a, b| b.cmp(a));
        let all: Vec<Event> = seconds.into_iter().map(|second| event(second, EventKind::HealthChanged)).collect();
        let claim = event(claim, EventKind::Applied);
        let (mut parts, mut from, mut after) = (Vec::new(), 0, None);
        loop {
            let page = Page { after: after.clone(), limit: u32::try_from(of).unwrap() + 1 };
            let stored = all[from..].iter().take(of + 1).cloned().collect();
            let listed = with_claim(stored, Some(claim.clone()), &page);
            parts.push(listed.items);
            let Some(next) = listed.next else { return parts };
            assert!(all.iter().any(|event| event.id.as_str() == next), "the next part begins at one that is stored");
            after = Some(next);
            from += of;
        }
    }

    #[test]
    fn a_claim_is_in_exactly_one_part_and_in_its_place() {
        for claim in 0..=12 {
            for of in 1..=4 {
                let parts = parts(vec![1, 2, 3, 3, 5, 7, 9, 11], claim, of);
                let all: Vec<&Event> = parts.iter().flatten().collect();
                let claims = all.iter().filter(|event| event.kind == EventKind::Applied).count();
                assert_eq!(claims, 1, "claim at {claim}, {of} in a part");
                assert!(all.is_sorted_by(|a, b| a.at >= b.at), "claim at {claim}, {of} in a part");
            }
        }
    }

    #[test]
    fn a_claim_of_the_same_moment_comes_after_the_making_and_before_all_else() {
        let of = |kind| event(1, kind);
        let stored =
            vec![of(EventKind::Removed), of(EventKind::Released), of(EventKind::Ready), of(EventKind::Creating)];
        let listed = with_claim(stored, Some(of(EventKind::Applied)), &Page::first(10));
        let kinds: Vec<EventKind> = listed.items.iter().map(|event| event.kind).collect();
        use EventKind::{Applied, Creating, Ready, Released, Removed};
        assert_eq!(kinds, [Removed, Released, Applied, Ready, Creating]);
    }

    #[test]
    fn a_claim_is_shown_also_when_all_else_is_forgotten() {
        let parts = parts(vec![], 1, 3);
        assert_eq!(parts[0].len(), 1);
    }
}
