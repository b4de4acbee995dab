//! The part of the scenario about what is left: evidence of a cluster, volumes of a container that somebody removed, and what
//! a reset removes of others.

use std::collections::HashMap;

use bollard::models::NetworkCreateRequest;
use bollard::query_parameters::{ListVolumesOptionsBuilder, RemoveContainerOptionsBuilder};
use common::model::{ForeignKind, ForeignThing};
use serde_json::{Value, json};

use crate::project::free;
use crate::scenario::{Teller, said};

impl Teller<'_> {
    pub async fn gather_evidence(&mut self) {
        let names = &self.place.names;
        let found = self.place.engine.gather(&names.pool, &names.cluster).await.unwrap();
        let each: Vec<_> = found
            .iter()
            .map(|one| {
                let inspect: Value = serde_json::from_str(&one.inspect).unwrap();
                json!({
                    "node": one.node, "container": one.container, "state": one.state, "exit_code": one.exit_code,
                    "oom_killed": one.oom_killed, "restarts": one.restarts, "says something": !one.log.is_empty(),
                    "status": inspect["State"]["Status"], "env": inspect["Config"]["Env"],
                })
            })
            .collect();
        self.note("gather", json!(each));
    }

    /// Somebody removes a node's container and leaves its volumes.
    pub async fn lose_a_container(&mut self, vp1: &str) {
        let (names, docker) = (&self.place.names, &self.place.docker);
        let force = RemoveContainerOptionsBuilder::default().force(true).build();
        docker.remove_container(vp1, Some(force)).await.unwrap();
        let survey = self.place.engine.survey(&names.pool, &names.layout).await.unwrap();
        self.note("a lost container's volumes", json!(survey.ours[0].volumes));
    }

    pub async fn clear_strangers(&mut self) {
        let (names, docker, engine) = (&self.place.names, &self.place.docker, &self.place.engine);
        let filters = HashMap::from([("label", vec![format!("org.poolmanager.cluster={}", names.cluster)])]);
        let options = ListVolumesOptionsBuilder::default().filters(&filters).build();
        let volumes = docker.list_volumes(Some(options)).await.unwrap().volumes.unwrap_or_default();
        self.note("volumes after down", json!(volumes.len()));

        let lab = format!("{}-lab", names.prefix);
        let network = NetworkCreateRequest { name: lab.clone(), ..Default::default() };
        docker.create_network(network).await.unwrap();
        let foreign = engine.foreign(&names.pool).await.unwrap().into_iter().map(|found| found.thing);
        let mut list: Vec<_> = foreign.filter(|thing| thing.name.starts_with(&names.prefix)).collect();
        let shown: Vec<_> = list.iter().map(|thing| json!({"kind": thing.kind, "name": thing.name})).collect();
        self.note("foreign", json!(shown));
        list.push(ForeignThing { kind: ForeignKind::Network, id: "0".repeat(64), name: "gone".to_owned() });
        self.note("remove what is foreign", said(engine.remove_foreign(&names.pool, &list, &free).await));
        self.note("remove it again", said(engine.remove_foreign(&names.pool, &list, &free).await));
    }
}
