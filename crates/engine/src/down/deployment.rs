//! Which things on an engine are PoolManager itself: a host may well be the machine that app and admin run on, and a reset
//! that removed them would end in the middle.

use std::collections::{BTreeSet, HashMap};

use crate::raw::{Raw, RawContainer};

/// What the Compose tool writes on everything of a project.
const PROJECT: &str = "com.docker.compose.project";

/// What our images say they are; containers have it from them.
const TITLE: &str = "org.opencontainers.image.title";

/// Ids of the containers that run our images, and of everything in their Compose projects: nginx, mongo, networks.
pub(super) fn deployment(raw: &Raw) -> BTreeSet<&str> {
    let project = |labels: &HashMap<String, String>| labels.get(PROJECT).cloned();
    let projects: BTreeSet<String> =
        raw.containers.iter().filter(|c| is_ours(c)).filter_map(|c| project(&c.labels)).collect();
    let within = |labels: &HashMap<String, String>| project(labels).is_some_and(|of| projects.contains(&of));
    let containers = raw.containers.iter().filter(|c| is_ours(c) || within(&c.labels)).map(|c| c.id.as_str());
    let networks = raw.networks.iter().filter(|n| within(&n.labels)).map(|n| n.id.as_str());
    containers.chain(networks).collect()
}

fn is_ours(container: &RawContainer) -> bool {
    let title = container.labels.get(TITLE).map_or("", String::as_str);
    let repository = container.image.split('@').next().unwrap_or_default();
    // A colon before a slash is a registry's port, not a tag.
    let repository = match repository.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => repository,
    };
    let named = |name: &str| repository == name || repository.ends_with(&format!("/{name}"));
    matches!(title, "PoolManager app" | "PoolManager admin") || named("poolmanager/app") || named("poolmanager/admin")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{container, network};

    fn of(project: &str) -> HashMap<String, String> {
        HashMap::from([(PROJECT.to_owned(), project.to_owned())])
    }

    #[test]
    fn what_runs_our_images_and_what_is_in_its_project_is_poolmanager_itself() {
        let mut admin = container("pm-admin-1", of("pm"), &[]);
        admin.image = "registry.example:5000/poolmanager/admin:0.1".into();
        let mut alone = container("app", HashMap::from([(TITLE.to_owned(), "PoolManager app".to_owned())]), &[]);
        alone.image = "sha256:0123".into();
        let mut peer = container("peer", HashMap::new(), &[]);
        peer.image = "poolmanager/fabricsim:0.6".into();
        let raw = Raw {
            containers: vec![
                admin,
                alone,
                peer,
                container("pm-mongo-1", of("pm"), &[]),
                container("web", of("shop"), &[]),
            ],
            networks: vec![network("pm_default", of("pm")), network("shop_default", of("shop"))],
            ..Raw::default()
        };
        let own: Vec<&str> = deployment(&raw).into_iter().collect();
        assert_eq!(own, ["id-of-app", "id-of-pm-admin-1", "id-of-pm-mongo-1", "id-of-pm_default"]);
    }
}
