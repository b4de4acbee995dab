//! Compares what callers were told with what is in the store.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use common::model::PhaseKind;
use common::store::{ClusterFilter, Page, SharedStore};

use super::round::Given;

/// How many clusters were given out twice. An answer that the store knows nothing of, and a lease in the store that
/// nobody heard of, are errors: then the run's numbers mean nothing.
pub(super) async fn check(store: &SharedStore, given: &[Given]) -> anyhow::Result<u64> {
    let filter = ClusterFilter { phases: vec![PhaseKind::InUse], ..ClusterFilter::default() };
    let held = store.list_clusters(&filter, &Page::first(1_000_000)).await.context("reading what is held")?;
    let held = held
        .iter()
        .filter_map(|cluster| Some((cluster.id.to_string(), cluster.lease()?.user.as_str().to_owned())))
        .collect();
    compare(&held, given)
}

/// `held`: users by cluster.
fn compare(held: &BTreeMap<String, String>, given: &[Given]) -> anyhow::Result<u64> {
    let mut told: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in given {
        told.entry(&one.cluster).or_default().push(&one.user);
    }
    for (cluster, users) in &told {
        match held.get(*cluster) {
            Some(holder) if users.contains(&holder.as_str()) => {}
            Some(holder) => bail!("cluster {cluster} was given to {users:?}, and the store says to {holder}"),
            None => bail!("cluster {cluster} was given to {users:?}, and the store says to nobody"),
        }
    }
    if let Some((cluster, holder)) = held.iter().find(|(cluster, _)| !told.contains_key(cluster.as_str())) {
        bail!("the store has cluster {cluster} as given to {holder}, who was not told");
    }
    Ok(u64::try_from(given.len() - told.len())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(held: &[(&str, &str)], given: &[(&str, &str)]) -> anyhow::Result<u64> {
        let held = held.iter().map(|(cluster, user)| ((*cluster).to_owned(), (*user).to_owned())).collect();
        let given: Vec<Given> =
            given.iter().map(|(cluster, user)| Given { cluster: (*cluster).into(), user: (*user).into() }).collect();
        compare(&held, &given)
    }

    #[test]
    fn a_cluster_given_to_two_is_counted() {
        assert_eq!(compared(&[("c1", "a"), ("c2", "b")], &[("c1", "a"), ("c2", "b")]).unwrap(), 0);
        assert_eq!(compared(&[("c1", "a")], &[("c1", "a"), ("c1", "b")]).unwrap(), 1);
    }

    #[test]
    fn answers_and_store_must_agree() {
        assert!(compared(&[], &[("c1", "a")]).is_err());
        assert!(compared(&[("c1", "b")], &[("c1", "a")]).is_err());
        assert!(compared(&[("c1", "a"), ("c2", "b")], &[("c1", "a")]).is_err());
    }
}
