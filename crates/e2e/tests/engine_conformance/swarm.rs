//! Somebody made a host part of a swarm after clusters had been made on it.

use std::collections::HashMap;
use std::net::IpAddr;

use bollard::models::VolumeCreateRequest;
use engine::{EngineError, UpLimits};
use simdocker::{SimHost, SimOptions, SimSwarm};

use crate::place::{Names, Place};
use crate::project::{free, project};

#[tokio::test(flavor = "multi_thread")]
async fn on_a_swarm_what_is_ours_can_go_and_nothing_new_comes() {
    let sim = SimHost::start(SimOptions { swarm: SimSwarm::Manager, ..SimOptions::fresh() }).await.unwrap();
    let names = Names::fresh();
    let place = Place::new(&names, &sim.url(), IpAddr::V4(sim.address())).await;
    let owner = names.owner();
    let up = place.engine.up(&project(&place), &owner, &UpLimits::default(), &free, &|_| {}).await;
    assert!(matches!(&up, Err(EngineError::Refused { message, .. }) if message.contains("swarm")), "{up:?}");
    assert!(sim.volumes().is_empty());

    let labels = [
        ("org.poolmanager.pool", names.pool.to_string()),
        ("org.poolmanager.cluster", names.cluster.to_string()),
        ("org.poolmanager.host", names.host.to_string()),
        ("org.poolmanager.slot", "0".to_owned()),
        ("org.poolmanager.flavor", owner.flavor.to_string()),
        ("org.poolmanager.flavor-digest", owner.flavor_digest),
    ];
    let labels: HashMap<String, String> = labels.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let name = format!("{}_data", names.prefix);
    let volume = VolumeCreateRequest { name: Some(name.clone()), labels: Some(labels), ..Default::default() };
    place.docker.create_volume(volume).await.unwrap();
    assert_eq!(sim.volumes().len(), 1);
    let removed = place.engine.down(&names.pool, &names.cluster, &[], &free).await.unwrap();
    assert_eq!(removed.volumes, [name]);
    assert!(sim.volumes().is_empty());
}
