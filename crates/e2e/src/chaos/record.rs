//! The record of leases against what users were told. Plain functions.

use std::collections::{BTreeMap, BTreeSet};

use common::model::{Cluster, Ended, LeaseRecord, Timestamp};

use super::told::Ledger;

/// One lease in the record: ended, or live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub lease: String,
    /// Whose.
    pub user: String,
    /// The cluster's id.
    pub cluster: String,
    /// The place it stood in.
    pub place: String,
    /// From when on.
    pub from: Timestamp,
    /// Until when and by whom it was ended; `None`: she has it.
    pub ended: Option<(Timestamp, String)>,
}

/// All leases that there ever were.
pub fn all(records: &[LeaseRecord], clusters: &[Cluster]) -> Vec<Held> {
    let mut held: BTreeMap<String, Held> = BTreeMap::new();
    let live = clusters.iter().filter_map(|cluster| {
        let lease = cluster.lease()?;
        let ended = cluster.lease_record().map(|record| how(&record.ended));
        Some((lease, cluster.id.to_string(), cluster.name.to_string(), ended))
    });
    let past = records.iter().map(|record| {
        (&record.lease, record.cluster.to_string(), record.cluster_name.to_string(), Some(how(&record.ended)))
    });
    for (lease, cluster, place, ended) in live.chain(past) {
        let (id, user) = (lease.id.to_string(), lease.user.as_str().to_owned());
        // A lease that ends is in both for a moment; what is kept is the record.
        held.insert(id.clone(), Held { lease: id, user, cluster, place, from: lease.applied_at, ended });
    }
    held.into_values().collect()
}

fn how(ended: &Ended) -> (Timestamp, String) {
    match ended {
        Ended::Released { at, by } => (*at, by.clone()),
        Ended::Lost { at, reason } => (*at, format!("lost: {reason}")),
    }
}

/// Clusters and places that two held at once, and users who held two at once though none of them ever asks for that.
pub fn doubles(held: &[Held], ledger: &Ledger) -> Vec<String> {
    let mut found = Vec::new();
    for (number, a) in held.iter().enumerate() {
        for b in &held[number + 1..] {
            if a.cluster == b.cluster {
                found.push(format!("cluster {} was leased twice: {a:?}, {b:?}", a.cluster));
            } else if a.place == b.place && overlap(a, b) {
                found.push(format!("{} was held by two at once: {a:?}, {b:?}", a.place));
            } else if a.user == b.user && overlap(a, b) {
                found.push(format!("{} held two at once: {a:?}, {b:?}", a.user));
            }
        }
    }
    let mut owners: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for told in &ledger.told {
        owners.entry(&told.cluster).or_default().insert(&told.user);
    }
    found.extend(
        owners.iter().filter(|(_, users)| users.len() > 1).map(|(id, users)| format!("{id} was told to {users:?}")),
    );
    found
}

/// A moment that both have in common; ending when the other begins is none.
fn overlap(a: &Held, b: &Held) -> bool {
    let ends = |held: &Held| held.ended.as_ref().map_or(i64::MAX, |(at, _)| at.as_millis());
    a.from.as_millis() < ends(b) && b.from.as_millis() < ends(a)
}

/// What users were told and the record does not have, what ended though its user had not asked for it or did not though
/// she was told so, and leases that nobody was told of though no answer was lost.
pub fn lost(held: &[Held], ledger: &Ledger) -> Vec<String> {
    let mut found = Vec::new();
    for told in &ledger.told {
        let hers = held.iter().find(|held| held.user == told.user && held.cluster == told.cluster);
        match (hers, told.released) {
            (None, _) => found.push(format!("{told:?} is in no record")),
            (Some(Held { ended: Some((at, by)), .. }), released) => {
                if *by != told.user || released.is_none_or(|asked| *at < asked) {
                    found.push(format!("{told:?} was ended by {by} at {at}"));
                }
            }
            (Some(Held { ended: None, .. }), _) if told.gone => found.push(format!("{told:?} has not ended")),
            (Some(Held { ended: None, .. }), _) => {}
        }
    }
    for held in held {
        let told = ledger.told.iter().any(|told| told.user == held.user && told.cluster == held.cluster);
        let excused =
            ledger.lost.iter().any(|lost| lost.user == held.user && lost.sent <= held.from && held.from <= lost.ended);
        if !told && !excused {
            found.push(format!("nobody was told of {held:?}"));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::told::{Lost, Told};
    use super::*;

    fn at(n: i64) -> Timestamp {
        Timestamp::from_millis(n)
    }

    /// `a has c1 in h_0 from 1 to 5`; without an end she has it still.
    fn held(text: &str) -> Held {
        let words: Vec<&str> = text.split(' ').collect();
        let ended = words.get(7).map(|n| (at(n.parse().unwrap()), words[0].to_owned()));
        let [user, _, cluster, _, place, _, from] = [0, 1, 2, 3, 4, 5, 6].map(|n| words[n].to_owned());
        Held { lease: text.to_owned(), user, cluster, place, from: at(from.parse().unwrap()), ended }
    }

    fn doubles_in(texts: &[&str]) -> usize {
        let held: Vec<Held> = texts.iter().map(|text| held(text)).collect();
        doubles(&held, &Ledger::default()).len()
    }

    fn told(user: &str, cluster: &str, released: Option<i64>) -> Told {
        Told { user: user.into(), cluster: cluster.into(), released: released.map(at), gone: false }
    }

    #[test]
    fn two_leases_of_one_cluster_place_or_user_at_once_are_doubles() {
        assert_eq!(doubles_in(&["a has c1 in h_0 from 1 5", "b has c2 in h_0 from 5"]), 0);
        assert_eq!(doubles_in(&["a has c1 in h_0 from 1 5", "a has c2 in h_1 from 5"]), 0);
        assert_eq!(doubles_in(&["a has c1 in h_0 from 1 5", "b has c1 in h_0 from 7"]), 1, "one lease in its life");
        assert_eq!(doubles_in(&["a has c1 in h_0 from 1 5", "b has c2 in h_0 from 4"]), 1, "one place");
        assert_eq!(doubles_in(&["a has c1 in h_0 from 1", "b has c2 in h_0 from 9"]), 1, "it has not ended");
        assert_eq!(doubles_in(&["a has c1 in h_0 from 1 5", "a has c2 in h_1 from 4 6"]), 1, "one user");
    }

    #[test]
    fn one_cluster_told_to_two_is_a_double() {
        let ledger = Ledger { told: vec![told("a", "c1", None), told("b", "c1", None)], ..Ledger::default() };
        assert_eq!(doubles(&[], &ledger).len(), 1);
    }

    #[test]
    fn what_was_told_must_be_in_the_record_and_end_only_when_she_asked() {
        let lost_of =
            |told: Told, text: &str| lost(&[held(text)], &Ledger { told: vec![told], ..Ledger::default() }).len();
        assert_eq!(lost_of(told("a", "c1", None), "a has c1 in h_0 from 1"), 0);
        assert_eq!(lost_of(told("a", "c1", Some(4)), "a has c1 in h_0 from 1 5"), 0);
        assert_eq!(lost_of(told("a", "c1", None), "a has c1 in h_0 from 1 5"), 1, "she had not asked");
        assert_eq!(lost_of(told("a", "c1", Some(6)), "a has c1 in h_0 from 1 5"), 1, "before she asked");
        assert_eq!(lost_of(told("a", "c2", None), "a has c1 in h_0 from 1"), 2, "told of one, has the other");
        let gone = Told { gone: true, ..told("a", "c1", Some(4)) };
        assert_eq!(lost_of(gone.clone(), "a has c1 in h_0 from 1 5"), 0);
        assert_eq!(lost_of(gone, "a has c1 in h_0 from 1"), 1, "she was told that she has given it back");
    }

    #[test]
    fn a_lease_that_nobody_was_told_of_is_excused_by_a_lost_answer_of_that_moment_only() {
        let of = |user: &str, sent: i64, ended: i64| {
            let lost_answer = Lost { user: user.into(), sent: at(sent), ended: at(ended) };
            lost(&[held("a has c1 in h_0 from 5")], &Ledger { lost: vec![lost_answer], ..Ledger::default() }).len()
        };
        assert_eq!((of("a", 4, 6), of("b", 4, 6), of("a", 6, 7), of("a", 1, 4)), (0, 1, 1, 1));
    }
}
